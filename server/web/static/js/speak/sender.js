// Sends what a microphone gives while it gives it, in a thread of its own: a page that stands still while it
// tidies its memory or draws costs no frame. It alone holds the connection.

const RATE = 48000;
const FRAME_US = 20000;
const TOGETHER = 3;
const BITS = 28000;
const OPUS = { codec: "opus", sampleRate: RATE, numberOfChannels: 1, bitrate: BITS, opus: { application: "voip", frameDuration: FRAME_US } };
const [FRAMES, WEBM_PART] = [1, 2];
// More than two seconds that could not be sent yet are heard by nobody: they are left out.
const MOST_UNSENT = 8192;
const SHOWN_MS = 60;

let socket = null;
let encoder = null;
let gathered = [];
let since = 0;
let shownAt = 0;
let loudest = 0;

function connect({ address, ticket }) {
  socket = new WebSocket(address);
  socket.addEventListener("open", () => socket.send(JSON.stringify({ ticket })));
  socket.addEventListener("message", ({ data }) => self.postMessage({ news: JSON.parse(data) }));
  socket.addEventListener("close", () => self.postMessage({ closed: true }));
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN && socket.bufferedAmount < MOST_UNSENT) socket.send(message);
}

// Takes frames from the worklet, which has a thread of its own too.
function listen({ port, opus }) {
  if (opus) {
    encoder = new AudioEncoder({ output: gather, error: () => socket.close() });
    encoder.configure(OPUS);
  }
  port.onmessage = ({ data }) => take(data);
}

function take({ at, samples }) {
  for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
  const now = performance.now();
  if (now - shownAt >= SHOWN_MS) {
    self.postMessage({ level: loudest });
    shownAt = now;
    loudest = 0;
  }
  if (encoder?.state !== "configured") return;
  const timestamp = Math.round((at / RATE) * 1e6);
  const data = new AudioData({ format: "f32", sampleRate: RATE, numberOfFrames: samples.length, numberOfChannels: 1, timestamp, data: samples });
  encoder.encode(data);
  data.close();
}

function gather(chunk) {
  const expected = since + gathered.length * FRAME_US;
  if (gathered.length && Math.abs(chunk.timestamp - expected) > FRAME_US / 2) flush();
  if (!gathered.length) since = chunk.timestamp;
  const frame = new Uint8Array(chunk.byteLength);
  chunk.copyTo(frame);
  gathered.push(frame);
  if (gathered.length === TOGETHER) flush();
}

function flush() {
  const length = gathered.reduce((sum, frame) => sum + 2 + frame.length, 9);
  const message = new DataView(new ArrayBuffer(length));
  message.setUint8(0, FRAMES);
  message.setFloat64(1, since / 1000, true);
  let at = 9;
  for (const frame of gathered) {
    message.setUint16(at, frame.length, true);
    new Uint8Array(message.buffer).set(frame, at + 2);
    at += 2 + frame.length;
  }
  gathered = [];
  send(message.buffer);
}

function pass(part) {
  const message = new Uint8Array(part.byteLength + 1);
  message[0] = WEBM_PART;
  message.set(new Uint8Array(part), 1);
  send(message);
}

function end() {
  socket?.close();
  self.close();
}

const deeds = { connect, listen, pass, say: (word) => socket.send(JSON.stringify({ say: word })), end };

self.addEventListener("message", ({ data }) => {
  for (const [deed, facts] of Object.entries(data)) deeds[deed](facts);
});
