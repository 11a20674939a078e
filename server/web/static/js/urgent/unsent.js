// What could not be sent yet, and what was left half written: listed, sent when the network is back, opened
// again or thrown away. What has grown old, and what nobody could hear yet, is never sent by itself.

import { alone, isOld, minutesSince, sendHeld, titleOf } from "../kept/sending.js";
import { change, mine, onTold, remove, tell } from "../kept/store.js";

const SOON_MS = 2000;
const LATEST_MS = 30000;
const SPOKEN_MS = [200, 100, 200];

export class Unsent {
  constructor(section, { person, staleMin, current, open, sent, progress, login, factor }) {
    Object.assign(this, { section, person, staleMin, current, open, sent, progress, login, factor });
    this.list = section.querySelector("[data-unsent-list]");
    this.item = section.querySelector("template");
    this.pause_ms = SOON_MS;
    this.timer = null;
    this.running = null;
    onTold((told) => {
      if (told.sent) this.sent(told);
      // Somebody who holds the phone in their hand, or in their pocket, is to hear it and let it go.
      if (told.spoken) navigator.vibrate?.(SPOKEN_MS);
      this.show();
    });
    // The pauses have grown while there was nothing: they begin anew.
    window.addEventListener("online", () => { this.pause_ms = SOON_MS; this.run(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.run(); });
  }

  // Send what is held; again after a while, as long as something waits for the network.
  run() {
    this.running ??= this.#run().finally(() => { this.running = null; });
    return this.running;
  }

  async #run() {
    clearTimeout(this.timer);
    const outcome = await sendHeld(this.person, { staleMin: this.staleMin, progress: this.progress });
    if (outcome.loggedOut && await this.login.again()) return this.#run();
    if (outcome.unproven && await this.#proven(outcome.unproven)) return this.#run();
    this.pause_ms = outcome.lost ? Math.min(2 * this.pause_ms, LATEST_MS) : SOON_MS;
    if (outcome.lost) this.timer = setTimeout(() => this.run(), this.pause_ms);
    await this.show();
    return outcome;
  }

  // Whether it may be tried once more: the factor was proven, or somebody else is to confirm.
  async #proven(id) {
    const answer = await this.factor.asked();
    const then = {
      other: { prefersOther: true },
      later: { state: "refused", code: "unproven", why: "" },
    };
    if (then[answer]) await change(id, (kept) => kept && { ...kept, ...then[answer] });
    return answer !== "later";
  }

  // When this page is closed, the worker goes on, where the browser lets it.
  async ask() {
    const worker = await navigator.serviceWorker?.getRegistration();
    await worker?.sync?.register("loa-unsent").catch(() => {});
  }

  async show() {
    const drafts = (await mine(this.person)).filter((draft) => draft.id !== this.current() && this.#worth(draft));
    this.section.hidden = !drafts.length;
    this.list.replaceChildren(...drafts.map((draft) => this.#line(draft)));
  }

  #worth(draft) {
    return draft.state !== "writing" || draft.take || draft.asset || titleOf(draft);
  }

  #line(draft) {
    const words = this.section.dataset;
    const line = this.item.content.cloneNode(true).firstElementChild;
    const old = draft.state === "held" && isOld(draft, this.staleMin);
    const minutes = minutesSince(draft.heldAt ?? draft.changedAt);
    const said = {
      held: old ? words.old.replace("{}", minutes) : words.held,
      refused: words[draft.code] ?? `${words.refused} ${draft.why}`,
      writing: words.writing,
      unspoken: words.unspoken,
      spoken: words.spoken,
    };
    line.dataset.unsentState = old ? "old" : draft.state;
    line.querySelector("[data-unsent-title]").textContent = titleOf(draft) || words.noTitle;
    line.querySelector("[data-unsent-when]").textContent = `${draft.unitName} · ${clock(draft.heldAt ?? draft.changedAt)}`;
    line.querySelector("[data-unsent-said]").textContent = said[draft.state];
    const go = line.querySelector("[data-unsent-go]");
    const byItself = draft.state === "unspoken" || (draft.state === "held" && !old);
    const doing = { unspoken: words.speak, spoken: words.hear }[draft.state];
    go.textContent = doing ?? (byItself ? words.sendNow : words.look);
    go.addEventListener("click", () => { if (byItself) this.run(); else this.open(draft); });
    line.querySelector("[data-unsent-drop]").addEventListener("click", async () => {
      if (!window.confirm(words.ask.replace("{}", titleOf(draft) || words.noTitle))) return;
      // Not while it is on its way: then it is too late, and it must not look as if it were not.
      await alone("loa-send", () => remove(draft.id));
      tell();
    });
    return line;
  }
}

const two = (number) => String(number).padStart(2, "0");

function clock(at) {
  const when = new Date(at);
  return `${two(when.getHours())}:${two(when.getMinutes())}, ${two(when.getDate())}/${two(when.getMonth() + 1)}`;
}
