// The form of a slot: shows only the fields that count for what was chosen.

import { sounds } from "./sound.js";

const form = document.querySelector("[data-slot-form]");
const kinds = form.querySelectorAll("[data-kind]");
const holidays = form.querySelector("[data-holidays]");
const leap = form.querySelector("[data-leap]");
const coming = form.querySelector("[data-coming]");
const hint = coming.innerHTML;
const lastDay = form.querySelector("[data-last-day]");
const some = form.querySelector("[data-some]");
const note = form.querySelector("[data-all-note]");
const existing = form.querySelector("[data-existing]");

function settle() {
  const recurrence = form.elements.recurrence.value;
  for (const kind of kinds) kind.hidden = kind.dataset.kind !== recurrence;
  holidays.hidden = recurrence === "once";
  leap.hidden = form.elements.lunar_month.value === "";
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

// The next days that the rule would give, asked for when nothing has been typed for a moment.
const DAYS = /^(recurrence|weekday|month_|lunar_|rrule|holidays|local_start|first_day|last_day)/;
const QUIET_MS = 300;
let waiting = 0;
let asked = null;

async function foresee() {
  asked?.abort();
  const fields = new URLSearchParams([...new FormData(form)].filter(([name]) => DAYS.test(name)));
  if (!fields.get("local_start") || !fields.get("first_day")) { coming.innerHTML = hint; return; }
  if (fields.get("recurrence") === "once") { fields.delete("last_day"); fields.delete("holidays"); }
  asked = new AbortController();
  try {
    const answer = await fetch(`${coming.dataset.from}?${fields}`, { signal: asked.signal });
    coming.innerHTML = answer.ok ? await answer.text() : hint;
  } catch (error) {
    if (error.name !== "AbortError") coming.innerHTML = hint;
  }
}

function soon(event) {
  if (!DAYS.test(event.target.name ?? "")) return;
  clearTimeout(waiting);
  waiting = setTimeout(foresee, QUIET_MS);
}

// Choosing a day or a weekday of the month says by which of them it goes.
for (const [name, by] of [["month_day", "day"], ["month_weekday", "weekday"], ["month_week", "weekday"]]) {
  form.elements[name].addEventListener("change", () => { form.elements.month_by.value = by; });
}

form.addEventListener("input", soon);
form.addEventListener("change", (event) => { settle(); soon(event); });
settle();
foresee();
