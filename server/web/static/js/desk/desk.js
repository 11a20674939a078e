// The desk: draws units and days, takes changes from pointer and keys, and saves them.

import { Refused, tell } from "./api.js";
import { Change, dragging, keys } from "./changing.js";
import { asked, instead, opened, why } from "./dialogs.js";
import { Drawing, NAME_PX, made } from "./drawing.js";
import { DAY_S, length } from "./model.js";
import { Rows } from "./rows.js";

const WEEKLY = new Set(["once", "weekly"]);
const NOW_EVERY_MS = 20000;
const TOAST_MS = 12000;

class Desk {
  constructor(root) {
    this.root = root;
    this.words = JSON.parse(root.dataset.words);
    this.rows = new Rows(root, this.words);
    this.drawing = new Drawing(root, this.rows, this.words);
    this.said = root.querySelector("[data-said]");
    this.toast = document.querySelector("[data-toast]");
    this.change = null;
    this.saving = false;
    this.held = null;
    this.stale = false;
    this.bubble = null;
  }

  // While somebody moves a slot nothing is drawn anew: it would be taken out of their hands.
  get busy() { return Boolean(this.change || this.saving || this.held); }

  settle() {
    if (this.busy || !this.stale) return;
    this.stale = false;
    this.drawing.renew();
  }

  start() {
    const { scroll, body } = this.drawing;
    this.drawing.all();
    this.#look();
    const now = this.drawing.now();
    if (now !== null && this.drawing.zoom) scroll.scrollLeft = this.drawing.x(now) - scroll.clientWidth / 3;
    scroll.addEventListener("scroll", () => this.#look(), { passive: true });
    scroll.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => this.drawing.renew()).observe(scroll);
    setInterval(() => this.drawing.now(), NOW_EVERY_MS);
    body.addEventListener("click", (event) => this.#clicked(event));
    body.addEventListener("focusin", (event) => this.#rove(event.target));
    dragging(this);
    keys(this);
    this.#tools();
    this.root.addEventListener("live", () => this.reload());
  }

  occurrence(key) {
    for (const row of this.rows.shown.values()) {
      const one = row.occurrences.find((other) => other.key === key);
      if (one) return one;
    }
    return null;
  }

  focus(element) {
    if (!element) return;
    element.focus({ preventScroll: true });
    element.closest(".desk-row").scrollIntoView({ block: "nearest" });
    if (!element.classList.contains("desk-slot")) return;
    const { scroll } = this.drawing;
    const left = element.offsetLeft;
    if (left < scroll.scrollLeft || left + 60 > scroll.scrollLeft + scroll.clientWidth - NAME_PX) {
      scroll.scrollLeft = left - 80;
    }
  }

  say(sentence) { this.said.textContent = sentence; }

  // The new time, beside what is being moved.
  tell(element, text) {
    this.bubble?.remove();
    this.bubble = null;
    if (!element) return;
    this.bubble = made("div", "desk-bubble", text);
    this.bubble.style.left = element.style.left;
    element.parentElement.append(this.bubble);
  }

  drop() {
    this.change?.cancel();
    this.change = null;
    this.settle();
  }

  async save(change) {
    this.saving = true;
    const { one } = change;
    let saved = null;
    const { to_day: toDay, start_s: startS, length_s: lengthS } = change.facts;
    const once = one.slot.recurrence === "once";
    const scope = await asked({
      title: one.slot.title,
      when: `${this.drawing.when(one)} → ${this.drawing.when(change)}`,
      fit: change.fit,
      thisDay: this.words.onlyDay.replace("{}", this.drawing.dayName(one.day)),
      yes: this.words.save,
      once,
      dayOnly: toDay !== one.day && !WEEKLY.has(one.slot.recurrence),
    });
    if (scope === null) { change.cancel(); this.say(this.words.leftAsWas); } else {
      saved = await this.#send("/api/v1/desk/moves", {
        slot_id: one.slot.slot_id,
        version: one.slot.version,
        day: this.#iso(one.day),
        to_day: this.#iso(toDay),
        start_s: startS,
        length_s: lengthS,
        scope,
      }, () => change.cancel());
    }
    this.change = null;
    this.saving = false;
    this.tell(null);
    this.settle();
    if (saved) this.#follow(one.slot, toDay * DAY_S + saved.start_s);
  }

  // Goes on where the moved slot is now, under whatever name.
  #follow(slot, start) {
    const there = this.rows.shown.get(slot.unit_id).occurrences;
    const moved = there.find((other) => other.start === start && other.slot.title === slot.title);
    if (moved) this.focus(this.drawing.find(moved.key));
  }

  async withdraw(element) {
    if (element.classList.contains("is-locked")) { this.say(this.words.locked); return; }
    const one = this.occurrence(element.dataset.key);
    const scope = await asked({
      title: this.words.withdrawAsk.replace("{}", one.slot.title),
      when: this.drawing.when(one),
      thisDay: this.words.onlyDay.replace("{}", this.drawing.dayName(one.day)),
      yes: this.words.withdraw,
      once: one.slot.recurrence === "once",
      danger: true,
    });
    if (scope === null) return;
    const { slot } = one;
    const body = { slot_id: slot.slot_id, version: slot.version, day: this.#iso(one.day), scope };
    await this.#send("/api/v1/desk/withdrawals", body, () => {});
  }

  async turn(which) {
    this.drop();
    await this.#send(`/api/v1/desk/${which}`, {}, () => {});
  }

  toggle(id, open) {
    this.rows.toggle(id, open);
    this.#remember();
    this.drawing.renew();
    this.#look();
  }

  async reload() {
    this.rows.forget();
    await this.#look();
  }

  async open(element) {
    const one = this.occurrence(element.dataset.key);
    const shown = this.rows.shown.get(one.slot.unit_id);
    const over = one.slot.content_s === null ? 0 : one.slot.content_s - one.slot.length_s;
    const chosen = await opened(one, {
      unit: shown.name,
      mayChange: shown.may_change,
      when: this.drawing.when(one),
      facts: [
        this.words.classes[one.slot.bulletin_class],
        this.words.recurrences[one.slot.recurrence],
        ...(over > 0.5 ? [this.words.over.replace("{}", length(over))] : []),
        ...(shown.may_change ? [] : [this.words.locked]),
      ],
      words: this.words,
    });
    if (chosen === "withdraw") await this.withdraw(element);
    else if (chosen) {
      const change = new Change(this, element);
      const lasts = one.end - one.start;
      change.start = one.day * DAY_S + chosen.start_s;
      // What is shown in whole seconds, and was left as it was, stays as long as it is.
      change.end = change.start + (chosen.length_s === Math.round(lasts) ? lasts : chosen.length_s);
      if (change.differs) await this.save(change);
    }
  }

  // Gives what was saved in the end, or nothing.
  async #send(address, body, back) {
    try {
      const said = await tell(address, body, this.words.lost);
      this.rows.forget();
      await this.#look();
      this.#note(said.sentence, { undo: said.undoable });
      return body;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const offer = error.offers.length ? await instead(error) : null;
      if (offer) return this.#send(address, { ...body, ...offer.changes }, back);
      back();
      if (error.offers.length) this.say(this.words.leftAsWas);
      else this.#note(error.code === "changed-meanwhile" ? this.words.stale : error.message, { wrong: true });
      this.rows.forget();
      await this.#look();
      return null;
    }
  }

  #note(sentence, { undo = false, wrong = false }) {
    this.say(sentence);
    this.toast.querySelector("[data-toast-text]").textContent = sentence;
    this.toast.querySelector("[data-toast-undo]").hidden = !undo;
    this.toast.classList.toggle("is-wrong", wrong);
    this.toast.hidden = false;
    clearTimeout(this.noting);
    if (!wrong) this.noting = setTimeout(() => { this.toast.hidden = true; }, TOAST_MS);
    if (wrong) return;
    // One can always take the newest change back, and do again only what was just taken back.
    document.querySelector('[data-turn="undo"] button').disabled = false;
    document.querySelector('[data-turn="redo"] button').disabled = undo;
  }

  // Draws what is in sight and fetches what is not there yet.
  async #look() {
    const seen = this.drawing.seen();
    try {
      if (await this.rows.fetch(seen)) { this.stale = true; this.settle(); }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#note(error.message, { wrong: true });
    }
    if (!this.drawing.body.querySelector('[tabindex="0"]')) this.#rove(this.drawing.body.querySelector(".desk-slot, .desk-toggle"));
  }

  // One stop of the Tab key for the whole drawing; the arrows go on from there.
  #rove(element) {
    if (!element?.matches(".desk-slot, .desk-toggle, .desk-ask")) return;
    for (const other of this.drawing.body.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    element.tabIndex = 0;
  }

  #clicked(event) {
    const toggle = event.target.closest(".desk-toggle");
    const slot = event.target.closest(".desk-slot");
    const lane = event.target.closest("[data-cluster]");
    if (toggle) this.toggle(toggle.dataset.unit);
    else if (slot && !this.change) this.open(slot);
    else if (lane) this.#why(lane, event);
  }

  #why(lane, event) {
    const now = this.drawing.now();
    const clicked = this.drawing.second(event.clientX - lane.getBoundingClientRect().left);
    const at = event.target.closest(".desk-ask") ? now ?? this.drawing.seconds / 2 : clicked;
    const midnight = Date.parse(`${this.rows.start}T00:00:00+07:00`);
    why(lane.dataset.cluster, new Date(midnight + Math.round(at) * 1000).toISOString());
  }

  #tools() {
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => { this.drawing.magnify(Number(button.dataset.zoom)); this.#remember(); this.#look(); });
    }
    document.querySelector("[data-open-all]")?.addEventListener("click", () => this.#openAll());
    for (const form of document.querySelectorAll("[data-turn]")) {
      form.addEventListener("submit", (event) => { event.preventDefault(); this.turn(form.dataset.turn); });
    }
    this.toast.querySelector("[data-toast-undo]").addEventListener("click", () => this.turn("undo"));
    this.toast.querySelector("[data-toast-close]").addEventListener("click", () => { this.toast.hidden = true; });
    addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.target.closest("input, select, textarea, dialog")) return;
      if (event.key === "z" || event.key === "y") {
        event.preventDefault();
        this.turn(event.key === "y" ? "redo" : "undo");
      }
    });
  }

  #openAll() {
    const parents = [...this.rows.children.keys()].filter(Boolean);
    const all = parents.every((id) => this.rows.opened.has(id));
    for (const id of parents) this.rows.toggle(id, !all);
    this.#remember();
    this.drawing.renew();
    this.#look();
  }

  #wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.drawing.magnify(event.deltaY < 0 ? 1 : -1, event.clientX - this.drawing.scroll.getBoundingClientRect().left);
    this.#remember();
  }

  // What is open, and how large, stays in the address, and in the links to other days.
  #remember() {
    const facts = { open: [...this.rows.opened].join(","), zoom: this.drawing.zoom || "" };
    const changed = (text) => {
      const address = new URL(text, location);
      for (const [name, value] of Object.entries(facts)) {
        if (value) address.searchParams.set(name, value); else address.searchParams.delete(name);
      }
      return address;
    };
    history.replaceState(null, "", changed(location));
    for (const link of document.querySelectorAll("a[data-step]")) link.href = changed(link.href);
    for (const form of document.querySelectorAll("form[data-jump]")) {
      for (const [name, value] of Object.entries(facts)) this.#keep(form, name, value);
    }
  }

  #keep(form, name, value) {
    let field = form.elements[name];
    if (!field) {
      field = Object.assign(document.createElement("input"), { type: "hidden", name });
      form.append(field);
    }
    field.value = value;
    field.disabled = !value;
  }

  #iso(offset) { return this.rows.day(offset).toISOString().slice(0, 10); }
}

new Desk(document.getElementById("desk")).start();
