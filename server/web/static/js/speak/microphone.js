// A microphone that is sent while it is heard: Opus frames where the browser gives them, else WebM.

const RATE = 48000;
const FRAME_US = 20000;
const TOGETHER = 3;
const BITS = 28000;
const OPUS = { codec: "opus", sampleRate: RATE, numberOfChannels: 1, bitrate: BITS, opus: { application: "voip", frameDuration: FRAME_US } };
const WEBM = "audio/webm;codecs=opus";
const [FRAMES, WEBM_PART] = [1, 2];

export async function ways() {
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) return null;
  const able = window.AudioEncoder && (await AudioEncoder.isConfigSupported(OPUS).catch(() => null))?.supported;
  if (able) return "opus";
  return window.MediaRecorder?.isTypeSupported(WEBM) ? "webm" : null;
}

export class Microphone {
  // send takes one message of bytes, level how loud it is: 0 to 1.
  constructor({ send, level }) {
    this.send = send;
    this.level = level;
    this.gathered = [];
    this.since = 0;
  }

  async open() {
    this.way = await ways();
    if (!this.way) throw new Error("no way");
    const wishes = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: wishes });
    this.context = new AudioContext({ sampleRate: RATE });
    await this.context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
    const node = new AudioWorkletNode(this.context, "frames", { channelCount: 1, channelCountMode: "explicit" });
    // Its output is silence: it is only drawn on while it leads somewhere.
    this.context.createMediaStreamSource(this.stream).connect(node).connect(this.context.destination);
    if (this.way === "opus") this.#encode();
    else this.#record();
    node.port.onmessage = ({ data }) => this.#take(data);
    await this.context.resume();
  }

  close() {
    this.recorder?.stop();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    if (this.encoder && this.encoder.state !== "closed") this.encoder.close();
    if (this.context && this.context.state !== "closed") this.context.close();
  }

  #encode() {
    this.encoder = new AudioEncoder({ output: (chunk) => this.#gather(chunk), error: () => this.close() });
    this.encoder.configure(OPUS);
  }

  #record() {
    this.recorder = new MediaRecorder(this.stream, { mimeType: WEBM, audioBitsPerSecond: BITS });
    this.recorder.addEventListener("dataavailable", async ({ data }) => {
      const body = new Uint8Array(await data.arrayBuffer());
      const message = new Uint8Array(body.length + 1);
      message[0] = WEBM_PART;
      message.set(body, 1);
      this.send(message);
    });
    this.recorder.start(60);
  }

  #take({ at, samples }) {
    let most = 0;
    for (const sample of samples) most = Math.max(most, Math.abs(sample));
    this.level(most);
    if (this.encoder?.state !== "configured") return;
    const timestamp = Math.round((at / RATE) * 1e6);
    const data = new AudioData({ format: "f32", sampleRate: RATE, numberOfFrames: samples.length, numberOfChannels: 1, timestamp, data: samples });
    this.encoder.encode(data);
    data.close();
  }

  #gather(chunk) {
    const expected = this.since + this.gathered.length * FRAME_US;
    if (this.gathered.length && Math.abs(chunk.timestamp - expected) > FRAME_US / 2) this.#flush();
    if (!this.gathered.length) this.since = chunk.timestamp;
    const frame = new Uint8Array(chunk.byteLength);
    chunk.copyTo(frame);
    this.gathered.push(frame);
    if (this.gathered.length === TOGETHER) this.#flush();
  }

  #flush() {
    const length = this.gathered.reduce((sum, frame) => sum + 2 + frame.length, 9);
    const message = new DataView(new ArrayBuffer(length));
    message.setUint8(0, FRAMES);
    message.setFloat64(1, this.since / 1000, true);
    let at = 9;
    for (const frame of this.gathered) {
      message.setUint16(at, frame.length, true);
      new Uint8Array(message.buffer).set(frame, at + 2);
      at += 2 + frame.length;
    }
    this.gathered = [];
    this.send(message.buffer);
  }
}
