// The form of a slot: shows only the fields that count for what was chosen.

import { sounds } from "./sound.js";

const form = document.querySelector("[data-slot-form]");
const weekdays = form.querySelector("[data-weekdays]");
const lastDay = form.querySelector("[data-last-day]");
const some = form.querySelector("[data-some]");
const note = form.querySelector("[data-all-note]");
const existing = form.querySelector("[data-existing]");

function settle() {
  const recurrence = form.elements.recurrence.value;
  weekdays.hidden = recurrence !== "weekly";
  lastDay.hidden = recurrence === "once";
  const all = form.elements.where.value === "all";
  some.hidden = all;
  note.hidden = !all;
}

existing?.addEventListener("change", () => {
  const option = existing.selectedOptions[0];
  if (!option.value) { sounds[0].clear(); return; }
  sounds[0].use(option.value, option.textContent.trim(), "");
  const title = form.elements.title;
  if (!title.value.trim()) title.value = option.textContent.trim().replace(/ \([^)]*\)$/, "");
});
if (existing?.value) sounds[0].use(existing.value, existing.selectedOptions[0].textContent.trim(), "");

// 0530 is how a time is typed on a phone.
form.querySelector("[data-clock]").addEventListener("blur", (event) => {
  const digits = event.target.value.match(/^(\d{1,2})[:hg. ]?(\d{2})$/i);
  if (digits) event.target.value = `${digits[1].padStart(2, "0")}:${digits[2]}`;
});

form.addEventListener("change", settle);
settle();
