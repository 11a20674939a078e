// The urgent form: the ways of saying something, and how many clusters are chosen.

import { chosenClusters } from "./picker.js";
import { sounds } from "./sound.js";
import prepared from "./ways/prepared.js";
import record from "./ways/record.js";
import text from "./ways/text.js";
import warning from "./ways/warning.js";

// A way without a module needs none: a file is taken by the sound itself.
const ways = { record, text, warning, prepared };

const form = document.querySelector("[data-urgent-form]");
const sound = sounds[0];
const sum = form.querySelector("[data-sum]");
const go = form.querySelector("[data-continue]");
const bar = form.querySelector("[data-bar]");
const panels = [...form.querySelectorAll("[data-panel]")];
const tabs = [...form.querySelectorAll("[data-tab]")];

function count() {
  const { size } = chosenClusters(form);
  sum.textContent = size;
  go.classList.toggle("is-waiting", !size || !sound.digest.value);
}

function show(way) {
  for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.dataset.tab === way));
  for (const panel of panels) panel.hidden = panel.dataset.panel !== way;
  bar.hidden = panels.some((panel) => !panel.hidden && panel.dataset.ownBar !== undefined);
}

for (const tab of tabs) tab.addEventListener("click", () => show(tab.dataset.tab));
for (const panel of panels) ways[panel.dataset.panel]?.({ panel, form, sound });

for (const radio of form.querySelectorAll("[data-class]")) {
  radio.addEventListener("change", () => {
    form.querySelector("[data-emergency]").hidden = form.elements.bulletin_class.value !== "emergency";
  });
}

form.addEventListener("picked", count);
form.addEventListener("sound", count);
form.addEventListener("change", (event) => { if (event.target.matches("[data-group]")) count(); });
count();
