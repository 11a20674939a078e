// A way: say it into the phone.

import { prepareRecorder } from "../recorder.js";

export default function record({ panel, sound }) {
  prepareRecorder(panel, sound);
}
