// A recording of a prepared warning in another language.

import { prepareRecorder } from "./recorder.js";
import { sounds } from "./sound.js";

for (const sound of sounds) prepareRecorder(sound.root, sound);
