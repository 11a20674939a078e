// The urgent page: an announcement is written, heard, confirmed and sent; all of it is kept on the phone at
// every step.

import { chosenClusters } from "./picker.js";
import { prepareArea } from "./urgent/area.js";
import { Asking } from "./urgent/asking.js";
import { Factor } from "./urgent/factor.js";
import { Keeping } from "./urgent/keeping.js";
import { KeptSound } from "./urgent/kept_sound.js";
import { LoginAgain } from "./urgent/login_again.js";
import { Unsent } from "./urgent/unsent.js";
import prepared from "./ways/prepared.js";
import record from "./ways/record.js";
import speak from "./ways/speak.js";
import text from "./ways/text.js";
import warning from "./ways/warning.js";

// A way without a module needs none: a file is taken by the sound itself.
const ways = { record, speak, text, warning, prepared };

const page = document.querySelector("[data-urgent-page]");
const form = page.querySelector("[data-urgent-form]");
const section = page.querySelector("[data-asking]");
const sum = form.querySelector("[data-sum]");
const go = form.querySelector("[data-continue]");
const bar = form.querySelector("[data-bar]");
const findings = page.querySelector("[data-findings]");
const panels = [...form.querySelectorAll("[data-panel]")];
const tabs = [...form.querySelectorAll("[data-tab]")];
const { person, unit, unitName, staleMin, unkept } = page.dataset;

const login = new LoginAgain(page.querySelector("[data-login-again]"), person);
const factor = new Factor(page.querySelector("[data-factor]"), person, login);
const keeping = new Keeping(form, { person, unit, unitName, failed: () => say([unkept]) });
if (await keeping.begin()) keeping.restore({ isFirst: true });
const sound = new KeptSound(form.querySelector("[data-sound]"), keeping, login);
const asking = new Asking(section, { form, keeping, sound, login, staleMin: Number(staleMin), refused: say, send });
const unsent = new Unsent(page.querySelector("[data-unsent]"), {
  person, login, factor, staleMin: Number(staleMin), current: () => keeping.draft.id, open: take, sent, progress,
});

function count() {
  const { size } = chosenClusters(form);
  sum.textContent = size;
  go.classList.toggle("is-waiting", !size || !sound.there);
}

function show(way) {
  for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.dataset.tab === way));
  for (const panel of panels) panel.hidden = panel.dataset.panel !== way;
  bar.hidden = panels.some((panel) => !panel.hidden && panel.dataset.ownBar !== undefined);
}

// What is wrong, where it is seen at once.
function say(sentences) {
  findings.hidden = !sentences.length;
  findings.querySelector("ul").replaceChildren(...sentences.map((sentence) => {
    const line = document.createElement("li");
    line.textContent = sentence;
    return line;
  }));
  if (sentences.length) findings.focus();
}

function progress(percent) {
  const words = section.dataset;
  section.querySelector("[data-hold-hint]").textContent = percent === null ? words.preparing : `${words.sending} ${Math.round(percent)} %`;
}

// Held long enough: from here on it is on its way, with or without a network.
async function send() {
  sound.sending?.abort();
  section.classList.add("is-sending");
  progress(0);
  const { id } = await keeping.hold();
  const { sent: gone } = await unsent.run();
  if (gone.some((one) => one.id === id)) return;
  await unsent.ask();
  await fresh();
  await unsent.show();
  unsent.section.scrollIntoView({ block: "start" });
  unsent.section.querySelector("h2").focus();
}

// It has gone, from this tab, another or the worker.
function sent({ sent: id, title, address }) {
  if (id === keeping.draft.id) { location.assign(address); return; }
  const link = document.createElement("a");
  link.href = address;
  link.textContent = page.dataset.watch;
  const gone = page.querySelector("[data-gone-said]");
  gone.replaceChildren(page.dataset.gone.replace("{}", title), " ", link);
  gone.hidden = false;
}

// Begin another; what was there before is kept, or gone, by itself.
async function fresh() {
  if (asking.open) history.back();
  asking.close();
  section.classList.remove("is-sending");
  form.reset();
  await keeping.anew();
  sound.clearShown();
  settle();
}

async function take(draft) {
  if (!keeping.fits(draft)) { await keeping.pass(draft); return; }
  if (!await keeping.open(draft.id)) { await unsent.show(); return; }
  keeping.restore();
  sound.clearShown();
  await sound.restore();
  form.dispatchEvent(new CustomEvent("restored"));
  settle();
  await unsent.show();
  if (["held", "spoken"].includes(draft.state)) await asking.show();
}

function settle() {
  if (tabs.some((tab) => tab.dataset.tab === keeping.draft.way)) show(keeping.draft.way);
  form.querySelector("[data-emergency]").hidden = form.elements.bulletin_class.value !== "emergency";
  say([]);
  count();
}

for (const tab of tabs) {
  tab.addEventListener("click", () => { show(tab.dataset.tab); keeping.keep({ way: tab.dataset.tab }); });
}
for (const panel of panels) ways[panel.dataset.panel]?.({ panel, form, sound, say });

form.addEventListener("change", (event) => {
  if (event.target.matches("[data-class]")) settle();
  if (event.target.matches("[data-group]")) count();
});
form.addEventListener("submit", (event) => {
  // A way may lead to a page of its own.
  if (event.defaultPrevented || event.submitter?.hasAttribute("formaction")) return;
  event.preventDefault();
  say([]);
  asking.show();
});
// What was pressed before would have left the page, and what was chosen with it.
go.disabled = false;
form.addEventListener("picked", count);
form.addEventListener("sound", count);
page.querySelector("[data-anew]").addEventListener("click", async (event) => {
  if (!window.confirm(event.currentTarget.dataset.ask)) return;
  await keeping.drop();
  await fresh();
  await unsent.show();
});

prepareArea(form.querySelector("[data-area]"), form);
settle();
await sound.restore();
form.dispatchEvent(new CustomEvent("restored"));
unsent.run();
navigator.serviceWorker?.register("/sw.js", { type: "module" }).catch(() => {});
navigator.storage?.persist?.();
