// The form of a bulletin: its sound recorded, sent or chosen; communes found without marks.

import { prepareRecorder } from "./recorder.js";
import { sounds } from "./sound.js";

const form = document.querySelector("[data-bulletin-form]");
const existing = form.querySelector("[data-existing]");
const sound = sounds[0];
const plain = (text) => text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "");

prepareRecorder(form, sound);

existing?.addEventListener("change", () => {
  const option = existing.selectedOptions[0];
  if (option.value) sound.use(option.value, option.dataset.title, option.dataset.length); else sound.clear();
});

form.querySelector("[data-addressee-search]")?.addEventListener("input", (event) => {
  const wanted = plain(event.target.value.trim());
  for (const one of form.querySelectorAll("[data-addressee]")) {
    one.hidden = !plain(one.textContent).includes(wanted);
  }
});
