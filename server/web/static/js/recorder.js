// A recorder for a form: the microphone where the browser offers it, else the phone's own recorder.

const MOST_S = 600;
const PIECE_MS = 500;
const KINDS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];

export function prepareRecorder(root, sound) {
  // On plain HTTP browsers hide the microphone; the phone's own recorder is then the way.
  const able = navigator.mediaDevices?.getUserMedia && window.MediaRecorder;
  root.querySelector("[data-recorder]").hidden = !able;
  root.querySelector("[data-capture]").hidden = Boolean(able);
  if (!able) return;
  const button = root.querySelector("[data-record]");
  const label = root.querySelector("[data-record-label]");
  const time = root.querySelector("[data-record-time]");
  let recorder = null;
  let ticking = null;

  async function begin() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    } catch {
      sound.refuse(sound.state.dataset.noMicrophone);
      return;
    }
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 48000 });
    const pieces = [];
    const type = recorder.mimeType.split(";")[0] || mimeType.split(";")[0];
    const name = `${sound.state.dataset.noTitle}.${type.endsWith("mp4") ? "m4a" : type.split("/")[1]}`;
    // Where the page keeps it, each piece is kept as it comes.
    const take = sound.begin?.(name, type);
    const started = performance.now();
    recorder.addEventListener("dataavailable", (event) => { pieces.push(event.data); take?.add(event.data); });
    recorder.addEventListener("stop", () => {
      for (const track of stream.getTracks()) track.stop();
      take?.end((performance.now() - started) / 1000);
      sound.send(new Blob(pieces, { type }), name, take);
      recorder = null;
      shown(false);
    });
    recorder.start(PIECE_MS);
    shown(true);
    ticking = setInterval(() => {
      const seconds = Math.floor((performance.now() - started) / 1000);
      time.textContent = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
      if (seconds >= MOST_S) recorder?.stop();
    }, 200);
  }

  function shown(recording) {
    button.setAttribute("aria-pressed", String(recording));
    label.textContent = recording ? button.dataset.stopLabel : button.dataset.startLabel;
    if (!recording) clearInterval(ticking);
  }

  button.addEventListener("click", () => { if (recorder) recorder.stop(); else begin(); });
}
