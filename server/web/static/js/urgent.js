// The urgent form: where the sound comes from, and how many clusters are chosen.

import { chosenClusters } from "./picker.js";
import { prepareRecorder } from "./recorder.js";
import { sounds } from "./sound.js";

const form = document.querySelector("[data-urgent-form]");
const sound = sounds[0];
const sum = form.querySelector("[data-sum]");
const go = form.querySelector("[data-continue]");
const title = form.querySelector("[data-title-field]");

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

prepareRecorder(form, sound);
form.addEventListener("picked", count);
form.addEventListener("sound", count);
count();
