// The urgent form: where the sound comes from, a recorder, and how many clusters are chosen.

import { chosenClusters } from "./picker.js";
import { sounds } from "./sound.js";

const form = document.querySelector("[data-urgent-form]");
const sound = sounds[0];
const sum = form.querySelector("[data-sum]");
const go = form.querySelector("[data-continue]");
const title = form.querySelector("[data-title-field]");
const MOST_S = 600;
const KINDS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];

function count() {
  const clusters = chosenClusters(form);
  sum.textContent = clusters;
  go.classList.toggle("is-waiting", !clusters || !sound.digest.value);
}

for (const tab of form.querySelectorAll("[data-tab]")) {
  tab.addEventListener("click", () => {
    for (const other of form.querySelectorAll("[data-tab]")) {
      other.setAttribute("aria-pressed", String(other === tab));
    }
    for (const panel of form.querySelectorAll("[data-panel]")) {
      panel.hidden = panel.dataset.panel !== tab.dataset.tab;
    }
  });
}

for (const radio of form.querySelectorAll("[data-prepared]")) {
  radio.addEventListener("change", () => {
    sound.use(radio.value, radio.dataset.title, radio.dataset.length);
    if (!title.value.trim() || title.dataset.offered) {
      title.value = radio.dataset.title;
      title.dataset.offered = "yes";
    }
  });
}
title.addEventListener("input", () => delete title.dataset.offered);

for (const radio of form.querySelectorAll("[data-class]")) {
  radio.addEventListener("change", () => {
    form.querySelector("[data-emergency]").hidden = form.elements.bulletin_class.value !== "emergency";
  });
}

function prepareRecorder() {
  // On plain HTTP browsers hide the microphone; the phone's own recorder is then the way.
  const able = navigator.mediaDevices?.getUserMedia && window.MediaRecorder;
  form.querySelector("[data-recorder]").hidden = !able;
  form.querySelector("[data-capture]").hidden = Boolean(able);
  if (!able) return;
  const button = form.querySelector("[data-record]");
  const label = form.querySelector("[data-record-label]");
  const time = form.querySelector("[data-record-time]");
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
    recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    recorder.addEventListener("stop", () => {
      for (const track of stream.getTracks()) track.stop();
      const type = recorder.mimeType.split(";")[0];
      const name = `${sound.state.dataset.noTitle}.${type.endsWith("mp4") ? "m4a" : type.split("/")[1]}`;
      sound.send(new Blob(pieces, { type }), name);
      recorder = null;
      shown(false);
    });
    recorder.start(250);
    const started = performance.now();
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

prepareRecorder();
form.addEventListener("picked", count);
form.addEventListener("sound", count);
count();
