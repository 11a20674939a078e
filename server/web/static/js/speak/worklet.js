// Cuts what the microphone gives into frames of 20 ms, each with its place on the microphone's clock.

const FRAME = 960;

class Frames extends AudioWorkletProcessor {
  frame = new Float32Array(FRAME);
  filled = 0;
  out = null;

  constructor() {
    super();
    // Whom the frames go to: not the page, which may stand still.
    this.port.onmessage = ({ data }) => { this.out = data; };
  }

  process([[channel]]) {
    if (!channel) return true;
    for (let at = 0; at < channel.length;) {
      const count = Math.min(FRAME - this.filled, channel.length - at);
      this.frame.set(channel.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled < FRAME) break;
      this.out?.postMessage({ at: currentFrame + at - FRAME, samples: this.frame }, [this.frame.buffer]);
      this.frame = new Float32Array(FRAME);
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor("frames", Frames);
