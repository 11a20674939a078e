// Changes to a slot: dragged with the pointer or pushed with the keys, then asked about and saved.

import { clock, DAY_S, length, snapped, step } from "./model.js";

const FAR_ENOUGH_PX = 4;
const EDGE_PX = 9;
const SHORTEST_S = 15;

// One slot on its way to another time; nothing is saved until it is dropped.
export class Change {
  constructor(desk, element) {
    this.desk = desk;
    this.drawing = desk.drawing;
    this.element = element;
    this.one = desk.occurrence(element.dataset.key);
    this.start = this.one.start;
    this.end = this.one.end;
  }

  // What becomes of the files in a slot of another length; empty where they fit, or it stays as long.
  get fit() {
    const { content_s: content } = this.one.slot;
    const lasts = this.end - this.start;
    const slack = content === null || lasts === this.one.end - this.one.start ? 0 : lasts - content;
    if (Math.abs(slack) < 1) return "";
    return (slack < 0 ? this.desk.words.longer : this.desk.words.shorter).replace("{}", length(Math.abs(slack)));
  }

  // Nothing is moved before what is shown, but for what began the day before.
  get first() { return Math.min(0, this.one.start); }

  get differs() { return this.start !== this.one.start || this.end !== this.one.end; }

  move(by) {
    const lasts = this.one.end - this.one.start;
    const most = this.drawing.seconds - 1;
    this.start = Math.max(this.first, Math.min(most, snapped(this.one.start + by, step(this.drawing.hour))));
    this.end = this.start + lasts;
    this.show();
  }

  push(steps) {
    const by = step(this.drawing.hour);
    const lasts = this.end - this.start;
    this.start = Math.max(this.first, Math.min(this.drawing.seconds - by, snapped(this.start, by) + steps * by));
    this.end = this.start + lasts;
    this.show();
  }

  stretch(end) {
    const by = step(this.drawing.hour);
    this.end = Math.min(this.start + DAY_S, Math.max(this.start + Math.max(by, SHORTEST_S), snapped(end, by)));
    this.show();
  }

  show() {
    this.element.classList.add("is-changing");
    this.element.style.zIndex = "6";
    this.drawing.place(this.element, this.start, this.end);
    this.desk.tell(this.element, `${clock(this.start)}–${clock(this.end)} · ${length(this.end - this.start)}`);
  }

  cancel() {
    this.element.classList.remove("is-changing");
    this.element.style.zIndex = "";
    this.drawing.place(this.element, this.one.start, this.one.end);
    this.desk.tell(null);
  }

  get facts() {
    const toDay = Math.floor(this.start / DAY_S);
    return { to_day: toDay, start_s: this.start - toDay * DAY_S, length_s: this.end - this.start };
  }
}

// The pointer: drag the slot to move it, its right edge to stretch it.
export function dragging(desk) {
  const { body } = desk.drawing;
  let change = null;
  let from = 0;
  let edge = false;
  let moved = false;

  body.addEventListener("pointerdown", (event) => {
    const element = event.target.closest(".desk-slot:not(.is-locked)");
    if (!element || event.button !== 0 || desk.change) return;
    const box = element.getBoundingClientRect();
    edge = box.right - event.clientX <= Math.min(EDGE_PX, box.width / 3);
    change = new Change(desk, element);
    desk.held = change;
    from = event.clientX + desk.drawing.scroll.scrollLeft;
    moved = false;
  });

  addEventListener("pointermove", (event) => {
    if (!change) return;
    const pixels = event.clientX + desk.drawing.scroll.scrollLeft - from;
    if (!moved && Math.abs(pixels) < FAR_ENOUGH_PX) return;
    if (!moved) change.element.setPointerCapture(event.pointerId);
    moved = true;
    const by = desk.drawing.second(pixels);
    if (edge) change.stretch(change.one.end + by); else change.move(by);
  });

  addEventListener("pointerup", () => {
    const done = change;
    change = null;
    desk.held = null;
    if (!done) return;
    if (!moved) { desk.settle(); return; }
    // The click that follows a drag opens nothing.
    addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true });
    setTimeout(() => dispatchEvent(new Event("click")), 0);
    if (done.differs) desk.save(done); else { done.cancel(); desk.settle(); }
  });

  const stop = () => { change?.cancel(); change = null; desk.held = null; desk.settle(); };
  addEventListener("pointercancel", stop);
  addEventListener("keydown", (event) => { if (event.key === "Escape" && change) stop(); });
}

// The keyboard: arrows go, with Shift they move, with Ctrl they stretch.
export function keys(desk) {
  const { body } = desk.drawing;

  body.addEventListener("keydown", (event) => {
    const slot = event.target.closest(".desk-slot");
    const toggle = event.target.closest(".desk-toggle");
    const ask = event.target.closest(".desk-ask");
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const across = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (slot && sideways && (event.shiftKey || event.ctrlKey || event.metaKey)) push(slot, sideways, event.shiftKey);
    else if (slot && event.key === "Enter" && desk.change) desk.save(desk.change);
    else if (slot && event.key === "Escape" && desk.change) { desk.drop(); desk.say(desk.words.leftAsWas); }
    else if (slot && event.key === "Delete") desk.withdraw(slot);
    else if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    else if (slot && (sideways || across)) { if (sideways) beside(slot, sideways); else across_(slot, across); }
    else if (toggle && sideways) fold(toggle, sideways > 0);
    else if ((toggle || ask) && across) across_(event.target, across);
    else return;
    event.preventDefault();
  });

  body.addEventListener("focusout", (event) => {
    if (desk.change && event.target === desk.change.element && !desk.saving) desk.drop();
  });

  function push(element, by, moves) {
    if (element.classList.contains("is-locked")) { desk.say(desk.words.locked); return; }
    desk.change ??= new Change(desk, element);
    if (moves) desk.change.push(by);
    else desk.change.stretch(desk.change.end + by * step(desk.drawing.hour));
    desk.say(`${clock(desk.change.start)}–${clock(desk.change.end)}`);
  }

  function beside(element, by) {
    const all = [...element.parentElement.querySelectorAll(".desk-slot")];
    const next = all[all.indexOf(element) + by];
    if (next) desk.focus(next);
    else if (by < 0) desk.focus(element.closest(".desk-row").querySelector(".desk-toggle"));
  }

  function fold(element, right) {
    const row = element.closest(".desk-row");
    const open = row.getAttribute("aria-expanded") === "true";
    const first = row.querySelector(".desk-slot");
    if (right && row.hasAttribute("aria-expanded") && !open) desk.toggle(element.dataset.unit, true);
    else if (right && first) desk.focus(first);
    else if (!right && open) desk.toggle(element.dataset.unit, false);
  }

  // To the next row that has something: the slot nearest in time, or the name.
  function across_(element, by) {
    const lines = [...body.children];
    const from = lines.indexOf(element.closest(".desk-row"));
    const at = element.offsetLeft;
    for (let to = from + by; to >= 0 && to < lines.length; to += by) {
      const slots = [...lines[to].querySelectorAll(element.classList.contains("desk-slot") ? ".desk-slot" : ".desk-toggle, .desk-ask")];
      if (!slots.length) continue;
      desk.focus(slots.reduce((a, b) => (Math.abs(b.offsetLeft - at) < Math.abs(a.offsetLeft - at) ? b : a)));
      return;
    }
  }
}
