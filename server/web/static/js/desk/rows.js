// The rows: the tree of units and their clusters, and what each of them shows once it was fetched.

import { ask } from "./api.js";
import { gaps, hoursOf, occurrences } from "./model.js";

const MOST_AT_ONCE = 60;

export class Rows {
  constructor(root, words) {
    this.words = words;
    this.start = root.dataset.start;
    this.days = Number(root.dataset.days);
    this.weekday = (new Date(`${this.start}T00:00:00Z`).getUTCDay() + 6) % 7;
    this.units = new Map();
    this.children = new Map();
    for (const [id, name, level, parent, clusters] of JSON.parse(root.dataset.known)) {
      this.units.set(id, { id, name, level, parent, clusters });
      this.children.set(parent, [...(this.children.get(parent) ?? []), id]);
    }
    this.opened = new Set((new URL(location).searchParams.get("open") ?? "").split(",").filter(Boolean));
    this.shown = new Map();
    this.heard = new Map();
    this.asked = new Set();
  }

  get until() {
    const last = new Date(`${this.start}T00:00:00Z`);
    last.setUTCDate(last.getUTCDate() + this.days);
    return last.toISOString().slice(0, 10);
  }

  day(offset) {
    const day = new Date(`${this.start}T00:00:00Z`);
    day.setUTCDate(day.getUTCDate() + offset);
    return day;
  }

  // What stands under what, as far as it is open.
  visible(parent = "", depth = 1) {
    return (this.children.get(parent) ?? []).flatMap((id) => {
      const unit = this.units.get(id);
      const open = this.opened.has(id);
      const row = { kind: "unit", id, unit, depth, open, opens: this.children.has(id) || unit.clusters > 0 };
      if (!open) return [row];
      const clusters = (this.heard.get(id) ?? []).map((one) => ({ kind: "cluster", id: one.cluster_id, cluster: one, unit, depth: depth + 1 }));
      return [row, ...this.visible(id, depth + 1), ...clusters];
    });
  }

  toggle(id, open = !this.opened.has(id)) {
    if (open) this.opened.add(id); else this.opened.delete(id);
  }

  // Fetches what is not there yet of some rows and the units above them; says whether anything came.
  async fetch(ids) {
    const wanted = [...new Set(ids.flatMap((id) => this.chain(id)))].filter((id) => !this.asked.has(id));
    const open = ids.filter((id) => this.opened.has(id) && this.units.get(id).clusters && !this.asked.has(`clusters ${id}`));
    if (!wanted.length && !open.length) return false;
    wanted.forEach((id) => this.asked.add(id));
    open.forEach((id) => this.asked.add(`clusters ${id}`));
    const when = `from=${this.start}&until=${this.until}`;
    const parts = [];
    for (let at = 0; at < wanted.length; at += MOST_AT_ONCE) {
      parts.push(this.#fetchUnits(wanted.slice(at, at + MOST_AT_ONCE), when));
    }
    parts.push(...open.map((id) => this.#fetchClusters(id, when)));
    try {
      await Promise.all(parts);
    } catch (error) {
      wanted.forEach((id) => this.asked.delete(id));
      open.forEach((id) => this.asked.delete(`clusters ${id}`));
      throw error;
    }
    return true;
  }

  async #fetchUnits(ids, when) {
    const found = await ask(`/api/v1/desk?${when}&units=${ids.join(",")}`, this.words.lost);
    const by = new Map(ids.map((id) => [id, []]));
    for (const slot of found.slots) by.get(slot.unit_id).push(slot);
    for (const unit of found.units) {
      this.shown.set(unit.unit_id, {
        ...unit,
        occurrences: occurrences(by.get(unit.unit_id)),
        bands: hoursOf(unit, this.weekday, this.days),
      });
    }
  }

  async #fetchClusters(id, when) {
    const found = await ask(`/api/v1/desk/clusters?${when}&unit_id=${id}`, this.words.lost);
    this.heard.set(id, found.clusters);
  }

  // What the units above put on the air here, and the free time that is left.
  above(id) {
    return this.chain(id).slice(0, -1).flatMap((upper) => (this.shown.get(upper)?.occurrences ?? [])
      .filter(({ slot }) => slot.reach === null || slot.reach.some((reached) => this.chain(id).includes(reached) || this.chain(reached).includes(id))));
  }

  free(id) {
    const row = this.shown.get(id);
    return gaps(row.bands, [...row.occurrences, ...this.above(id)]);
  }

  chain(id) {
    const chain = [];
    for (let at = this.units.get(id); at; at = this.units.get(at.parent)) chain.unshift(at.id);
    return chain;
  }

  forget() {
    this.asked.clear();
  }
}
