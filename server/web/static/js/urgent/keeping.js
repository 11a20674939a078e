// The announcement of this tab, kept on the phone as it is typed and recorded.

import { alone, mayGo } from "../kept/sending.js";
import { addPiece, change, dropTake, mine, remove, soundOf, tell } from "../kept/store.js";

const SETTLED_MS = 300;
const OURS = new Set(["csrf_token", "request_id", "unit_id", "asset_digest"]);

const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// Where a page leads besides its unit: a drill, or what follows an announcement, is taken up only there.
function place() {
  const query = new URLSearchParams(location.search);
  query.delete("unit");
  return query.toString();
}

export class Keeping {
  constructor(form, { person, unit, unitName, failed }) {
    Object.assign(this, { form, person, unit, unitName, failed, place: place() });
    this.draft = null;
    this.release = () => {};
    this.timer = null;
    form.addEventListener("input", () => this.#soon());
    form.addEventListener("change", () => this.#soon());
    form.addEventListener("picked", () => this.#soon());
  }

  // Take up what was left here by a tab that is gone, or begin anew; say whether something was there.
  async begin() {
    const left = (await mine(this.person)).filter((draft) => draft.state === "writing" && this.fits(draft));
    for (const draft of left.reverse()) {
      if (await this.#claim(draft.id)) {
        this.draft = draft;
        return true;
      }
    }
    await this.anew();
    return false;
  }

  fits(draft) {
    return draft.unit === this.unit && draft.place === this.place;
  }

  async anew() {
    const now = Date.now();
    this.draft = {
      id: newId(), person: this.person, unit: this.unit, unitName: this.unitName, place: this.place,
      fields: [], take: null, asset: null, speech: null, state: "writing", changedAt: now, heldAt: null,
    };
    await this.#claim(this.draft.id);
  }

  // Leave it to the page that it fits.
  async pass(draft) {
    await alone("loa-send", () => change(draft.id, (kept) => kept && { ...kept, state: "writing", changedAt: Date.now() }));
    const query = new URLSearchParams(draft.place);
    query.set("unit", draft.unit);
    location.assign(`${location.pathname}?${query}`);
  }

  async open(id) {
    if (!await this.#claim(id)) return false;
    const opened = await alone("loa-send", () => change(id, (kept) => kept && { ...kept, state: "writing" }));
    if (!opened) return false;
    this.draft = opened;
    tell();
    return true;
  }

  // A tab that lives holds a lock named like its announcement; one that was killed holds nothing.
  #claim(id) {
    this.release();
    if (!navigator.locks) return Promise.resolve(true);
    return new Promise((resolve) => {
      navigator.locks.request(`loa-draft-${id}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise((release) => { this.release = release; });
      });
    });
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), SETTLED_MS);
  }

  read() {
    return [...new FormData(this.form)].filter(([name, value]) => !OURS.has(name) && typeof value === "string");
  }

  // Write what is in the form now, and whatever else has changed.
  async keep(changes = {}) {
    clearTimeout(this.timer);
    const known = this.draft;
    // What is held is as it was confirmed.
    if (known.state !== "writing") return known;
    const replaced = "take" in changes && known.take && known.take.id !== changes.take?.id ? known.take : null;
    const facts = { fields: this.read(), changedAt: Date.now(), ...changes };
    Object.assign(known, facts);
    try {
      await change(known.id, (kept) => ({ ...(kept ?? known), ...facts }));
      if (replaced) await dropTake(known.id, replaced.id);
    } catch (error) {
      this.failed(error);
    }
    return known;
  }

  // A sound that comes piece by piece; what is there is there, whatever happens to this page.
  take(name, type) {
    const take = { id: newId(), name, type, count: 0, length_s: null };
    const { id } = this.draft;
    let last = this.keep({ take: { ...take }, asset: null });
    const queue = (act) => { last = last.then(act).catch(this.failed); return last; };
    const kept = {
      ended: Promise.resolve(),
      add: (data) => {
        const number = take.count++;
        return queue(async () => addPiece(id, take.id, number, await data.arrayBuffer()));
      },
      end: (length_s) => {
        take.length_s = length_s;
        kept.ended = queue(() => this.keep({ take: { ...take } }));
        return kept.ended;
      },
    };
    return kept;
  }

  sound() {
    return soundOf(this.draft);
  }

  // Confirmed: it goes by itself from now on, unless nobody can have heard it yet.
  async hold() {
    const held = await this.keep({ state: mayGo(this.draft) ? "held" : "unspoken", heldAt: Date.now() });
    tell();
    return held;
  }

  async drop() {
    clearTimeout(this.timer);
    await remove(this.draft.id);
    tell();
  }

  // Put what was kept into the form; fields that this page does not have are left out. On a slow line people
  // choose before this script is there: that stands. After a reload it is the browser that has filled in.
  restore({ isFirst = false } = {}) {
    const isOpened = performance.getEntriesByType("navigation")[0]?.type === "navigate";
    const touched = isFirst && isOpened ? [...this.form.elements].filter((input) => input.checked !== input.defaultChecked) : [];
    this.form.reset();
    const values = grouped(this.draft.fields);
    for (const input of this.form.elements) {
      if (!input.name || OURS.has(input.name) || input.type === "file") continue;
      const kept = (values.get(input.name) ?? []).map(([, value]) => value);
      if (input.type === "checkbox" || input.type === "radio") input.checked = kept.includes(input.value);
      else if (kept.length) [input.value] = kept;
    }
    for (const input of touched) input.checked = !input.defaultChecked;
    for (const input of this.form.querySelectorAll("[data-all]:checked, input[type=radio]:checked")) {
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
    this.form.dispatchEvent(new CustomEvent("picked", { bubbles: true }));
  }
}

function grouped(fields) {
  const found = new Map();
  for (const field of fields) found.set(field[0], [...(found.get(field[0]) ?? []), field]);
  return found;
}
