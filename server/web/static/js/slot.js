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
const contents = form.querySelectorAll("[data-content]");
const wait = form.querySelector("[data-wait]");
const endHint = form.querySelector("[data-end-hint]");
const notOnce = form.querySelector("[data-not-once]");
const items = form.querySelector("[data-items]");
const noItems = form.querySelector("[data-no-items]");

function settle() {
  const recurrence = form.elements.recurrence.value;
  for (const kind of kinds) kind.hidden = kind.dataset.kind !== recurrence;
  holidays.hidden = recurrence === "once";
  leap.hidden = form.elements.lunar_month.value === "";
  lastDay.hidden = recurrence === "once";
  notOnce.hidden = recurrence === "once";
  const content = form.elements.content_kind.value;
  for (const part of contents) part.hidden = !part.dataset.content.split(" ").includes(content);
  endHint.hidden = content !== "files";
  wait.hidden = form.elements.start_mode.value !== "wait";
  noItems.hidden = items.children.length > 0;
  const all = form.elements.where.value === "all";
  some.hidden = all;
  note.hidden = !all;
}

// The list of files. Without this script the chooser below it names one file by itself.
if (existing) existing.removeAttribute("name");

function add(digest, title, length) {
  const item = form.querySelector("[data-item]").content.firstElementChild.cloneNode(true);
  item.querySelector("input").value = digest;
  item.querySelector("strong").textContent = title;
  item.querySelector(".quiet").textContent = length;
  items.append(item);
  if (!form.elements.title.value.trim()) form.elements.title.value = title;
  changed();
}

function changed() {
  settle();
  clearTimeout(waiting);
  waiting = setTimeout(foresee, QUIET_MS);
}

items.addEventListener("click", (event) => {
  const item = event.target.closest(".item");
  const button = event.target.closest("button");
  if (!button) return;
  let next = button;
  if ("itemUp" in button.dataset) item.previousElementSibling?.before(item);
  if ("itemDown" in button.dataset) item.nextElementSibling?.after(item);
  if ("itemOut" in button.dataset) {
    next = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector("[data-item-out]");
    item.remove();
  }
  (next ?? existing ?? form.elements.title).focus();
  changed();
});

existing?.addEventListener("change", () => {
  const option = existing.selectedOptions[0];
  if (option.value) add(option.value, option.dataset.title, option.dataset.length);
  existing.value = "";
});

sounds[0].root.addEventListener("sound", () => {
  const sound = sounds[0];
  if (!sound.digest.value) return;
  const ready = sound.ready;
  add(
    sound.digest.value,
    ready.querySelector("[data-ready-title]").textContent,
    ready.querySelector("[data-ready-length]").textContent,
  );
  sound.digest.value = "";
});

// 0530 is how a time is typed on a phone.
for (const clock of form.querySelectorAll("[data-clock]")) {
  clock.addEventListener("blur", () => {
    const digits = clock.value.match(/^(\d{1,2})[:hg. ]?(\d{2})$/i);
    if (digits) clock.value = `${digits[1].padStart(2, "0")}:${digits[2]}`;
  });
}

// The next days that the rule would give, asked for when nothing has been typed for a moment.
const DAYS = /^(recurrence|weekday|month_|lunar_|rrule|holidays|local_start|local_end|first_day|last_day|excluded_days|content_kind|asset)/;
const QUIET_MS = 300;
let waiting = 0;
let asked = null;

async function foresee() {
  asked?.abort();
  const fields = new URLSearchParams([...new FormData(form)].filter(([name]) => DAYS.test(name)));
  if (!fields.get("local_start") || !fields.get("first_day")) { coming.innerHTML = hint; return; }
  if (fields.get("recurrence") === "once") { fields.delete("last_day"); fields.delete("holidays"); fields.delete("excluded_days"); }
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

// What saving would change, shown under the form; without this the button sends the form there.
const simulate = form.querySelector("[data-simulate]");
const simulated = document.querySelector("[data-simulated]");
simulate.addEventListener("click", async (event) => {
  event.preventDefault();
  const address = new URL(simulate.formAction);
  address.searchParams.set("part", "1");
  simulate.disabled = true;
  try {
    const answer = await fetch(address, { method: "POST", body: new FormData(form) });
    if (!answer.ok) throw new Error(answer.statusText);
    simulated.innerHTML = await answer.text();
    simulated.hidden = false;
    simulated.focus({ preventScroll: true });
    simulated.scrollIntoView({ block: "start" });
  } catch {
    form.action = simulate.formAction;
    form.noValidate = true;
    form.submit();
  } finally {
    simulate.disabled = false;
  }
});
