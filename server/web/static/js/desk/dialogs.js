// Questions and answers in dialogs; each gives what was chosen, or null.

import { clock, length, parsedClock, parsedLength } from "./model.js";

const find = (name) => document.querySelector(`[data-dialog="${name}"]`);

function shown(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

// What a slot is; gives "withdraw", the new time and length, or null.
export async function opened(one, { unit, mayChange, when, facts, words }) {
  const dialog = find("open");
  const form = dialog.querySelector("form");
  dialog.querySelector("[data-unit]").textContent = unit;
  dialog.querySelector("[data-title]").textContent = one.slot.title;
  dialog.querySelector("[data-when]").textContent = when;
  dialog.querySelector("[data-facts]").replaceChildren(...facts.map((fact) => Object.assign(document.createElement("li"), { textContent: fact })));
  for (const part of dialog.querySelectorAll("[data-change]")) part.hidden = !mayChange;
  const edit = dialog.querySelector("[data-edit]");
  edit.hidden = !mayChange;
  edit.href = `/slots/${one.slot.slot_id}/edit`;
  const wrong = dialog.querySelector("[data-wrong]");
  wrong.textContent = "";
  form.elements.start.value = clock(one.start);
  form.elements.lasts.value = length(one.end - one.start);
  form.onsubmit = (event) => {
    if (event.submitter?.value !== "save") return;
    const right = parsedClock(form.elements.start.value) !== null && parsedLength(form.elements.lasts.value) !== null;
    if (!right) { event.preventDefault(); wrong.textContent = words.wrongTime; }
  };
  const chosen = await shown(dialog);
  if (chosen === "withdraw") return "withdraw";
  if (chosen !== "save") return null;
  return { start_s: parsedClock(form.elements.start.value), length_s: parsedLength(form.elements.lasts.value) };
}

// For which days; gives "day", "onward", "all" or null.
export async function asked({ title, when, fit, thisDay, yes, once, dayOnly, danger }) {
  const dialog = find("ask");
  dialog.querySelector("[data-title]").textContent = title;
  dialog.querySelector("[data-when]").textContent = when;
  dialog.querySelector("[data-fit]").textContent = fit ?? "";
  dialog.querySelector("[data-scopes]").hidden = once;
  dialog.querySelector("[data-this-day]").textContent = thisDay;
  for (const radio of dialog.querySelectorAll("[name=scope]")) {
    radio.checked = radio.value === "day";
    radio.closest("label").hidden = dayOnly && radio.value !== "day";
  }
  const button = dialog.querySelector("[data-yes]");
  button.textContent = yes;
  button.classList.toggle("btn-danger", Boolean(danger));
  button.classList.toggle("btn-primary", !danger);
  if (await shown(dialog) !== "yes") return null;
  return once ? "all" : dialog.querySelector("[name=scope]:checked").value;
}

// What stands in the way, and what can be done instead; gives the chosen offer, or null.
export async function instead({ findings, offers }) {
  const dialog = find("clash");
  dialog.querySelector("[data-findings]").replaceChildren(...findings.map(({ detail }) => Object.assign(document.createElement("li"), { textContent: detail })));
  dialog.querySelector("[data-ways]").replaceChildren(...offers.map(({ kind, detail }, place) => {
    const button = Object.assign(document.createElement("button"), { className: "btn btn-outline-primary text-start text-wrap", value: String(place), textContent: detail });
    button.dataset.offer = kind;
    return button;
  }));
  return offers[await shown(dialog)] ?? null;
}

// Why a cluster sounds what it does at an instant, as the server says it.
export async function why(cluster, at) {
  const dialog = find("why");
  const answer = await fetch(`/clusters/${cluster}/why/answer?at=${encodeURIComponent(at)}`);
  if (!answer.ok) return;
  dialog.querySelector("[data-answer]").innerHTML = await answer.text();
  await shown(dialog);
}
