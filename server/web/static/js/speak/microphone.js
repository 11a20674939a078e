// A microphone that is sent while it is heard: Opus frames where the browser gives them, else WebM. The page
// only opens it; what it gives goes from the audio thread to the sender's, past the page.

const RATE = 48000;
const BITS = 28000;
const OPUS = { codec: "opus", sampleRate: RATE, numberOfChannels: 1, bitrate: BITS };
const WEBM = "audio/webm;codecs=opus";
const PART_MS = 60;

export async function ways() {
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) return null;
  const able = window.AudioEncoder && (await AudioEncoder.isConfigSupported(OPUS).catch(() => null))?.supported;
  if (able) return "opus";
  return window.MediaRecorder?.isTypeSupported(WEBM) ? "webm" : null;
}

export class Microphone {
  // told takes what the server says, closed that the connection has ended, level how loud it is: 0 to 1.
  constructor(sender, { told, closed, level }) {
    this.sender = new Worker(sender, { type: "module" });
    this.sender.addEventListener("message", ({ data }) => {
      if (data.news) told(data.news);
      if (data.closed) closed();
      if (data.level !== undefined) level(data.level);
    });
    this.sender.addEventListener("error", closed);
  }

  connect(address, ticket) {
    this.sender.postMessage({ connect: { address, ticket } });
  }

  say(word) {
    this.sender.postMessage({ say: word });
  }

  async open() {
    const way = await ways();
    if (!way) throw new Error("no way");
    const wishes = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: wishes });
    this.context = new AudioContext({ sampleRate: RATE });
    await this.context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
    const node = new AudioWorkletNode(this.context, "frames", { channelCount: 1, channelCountMode: "explicit" });
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage(port1, [port1]);
    this.sender.postMessage({ listen: { port: port2, opus: way === "opus" } }, [port2]);
    // Its output is silence: it is only drawn on while it leads somewhere.
    this.context.createMediaStreamSource(this.stream).connect(node).connect(this.context.destination);
    if (way === "webm") this.#record();
    await this.context.resume();
  }

  close() {
    this.recorder?.stop();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    if (this.context && this.context.state !== "closed") this.context.close();
    this.sender.postMessage({ end: true });
  }

  #record() {
    this.recorder = new MediaRecorder(this.stream, { mimeType: WEBM, audioBitsPerSecond: BITS });
    let last = Promise.resolve();
    this.recorder.addEventListener("dataavailable", ({ data }) => {
      // One behind the other: a torn stream cannot be read any more.
      last = last.then(async () => {
        const part = await data.arrayBuffer();
        this.sender.postMessage({ pass: part }, [part]);
      });
    });
    this.recorder.start(PART_MS);
  }
}
