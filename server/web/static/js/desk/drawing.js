// Draws the rows that can be seen, and no others: a hundred communes are a thousand slots.

import { clock, DAY_S, length, two } from "./model.js";

export const NAME_PX = 232;
const ROW_PX = { unit: 58, cluster: 36 };
const SPARE_ROWS = 3;
const ZOOMS = [1, 1.6, 2.5, 4, 6.5, 10, 16, 25, 40, 64, 100];
const LABEL_PX = 38;
const TITLE_PX = 210;
const SLIM_PX = 16;
const GAP_LABEL_PX = 58;

export function made(tag, css = "", text = "") {
  const element = document.createElement(tag);
  if (css) element.className = css;
  if (text) element.textContent = text;
  return element;
}

export class Drawing {
  constructor(root, rows, words) {
    this.root = root;
    this.rows = rows;
    this.words = words;
    this.scroll = root.querySelector("[data-scroll]");
    this.grid = root.querySelector("[data-grid]");
    this.hours = root.querySelector("[data-hours]");
    this.body = root.querySelector("[data-rows]");
    this.weekdays = JSON.parse(root.dataset.weekdays);
    this.levels = JSON.parse(root.dataset.levels);
    this.sprite = root.dataset.icons;
    this.lines = new Map();
    this.order = [];
    this.zoom = Math.max(0, Math.min(ZOOMS.length - 1, Number(new URL(location).searchParams.get("zoom")) || 0));
    this.seconds = rows.days * DAY_S;
  }

  get hour() { return this.width / (this.rows.days * 24); }

  get width() { return Math.max(240, this.scroll.clientWidth - NAME_PX - 2) * ZOOMS[this.zoom]; }

  x(second) { return (second / this.seconds) * this.width; }

  second(pixels) { return (pixels / this.width) * this.seconds; }

  icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `${this.sprite}#${name}`);
    svg.append(use);
    return svg;
  }

  // Keeps the instant under the pointer, or in the middle, where it is.
  magnify(by, at = this.scroll.clientWidth / 2) {
    const kept = this.second(this.scroll.scrollLeft + at - NAME_PX);
    this.zoom = Math.max(0, Math.min(ZOOMS.length - 1, this.zoom + by));
    this.all();
    this.scroll.scrollLeft = this.x(kept) + NAME_PX - at;
  }

  all() {
    this.order = this.rows.visible();
    let top = 0;
    for (const row of this.order) { row.top = top; top += ROW_PX[row.kind]; }
    this.grid.style.width = `${NAME_PX + this.width}px`;
    this.grid.style.setProperty("--hour", `${this.hour * this.#hoursApart()}px`);
    this.grid.style.setProperty("--day", `${this.hour * 24}px`);
    this.grid.setAttribute("aria-rowcount", this.order.length);
    this.body.style.height = `${top}px`;
    for (const line of this.lines.values()) line.remove();
    this.lines.clear();
    this.#ruler();
    this.seen();
  }

  // Draws what has come into sight, and takes away what has left it; gives the units that are seen.
  seen() {
    const top = this.scroll.scrollTop;
    const bottom = top + this.scroll.clientHeight;
    const spare = SPARE_ROWS * ROW_PX.unit;
    const wanted = this.order.filter((row) => row.top + ROW_PX[row.kind] > top - spare && row.top < bottom + spare);
    const keep = new Set(wanted.map((row) => `${row.kind} ${row.id}`));
    const held = document.activeElement?.closest(".desk-row")?.dataset.row;
    for (const [key, line] of this.lines) {
      if (keep.has(key) || key === held) continue;
      line.remove();
      this.lines.delete(key);
    }
    // In the order of the rows, and without moving a line that may hold the focus.
    let next = null;
    for (const row of wanted.reverse()) {
      const key = `${row.kind} ${row.id}`;
      if (!this.lines.has(key)) this.lines.set(key, this.body.insertBefore(this.#line(row, key), next));
      next = this.lines.get(key);
    }
    return wanted.filter((row) => row.kind === "unit").map((row) => row.id);
  }

  // Draws some units anew, and all that hangs on them; the focus stays on the same slot, or its row.
  renew() {
    const held = document.activeElement?.closest("[data-key], [data-unit]");
    const { key, unit } = held && this.body.contains(held) ? held.dataset : {};
    const row = held?.closest(".desk-row")?.dataset.row;
    this.all();
    const slot = key && this.find(key);
    (slot || this.toggle(unit ?? row?.replace("unit ", "") ?? ""))?.focus({ preventScroll: true });
  }

  toggle(id) { return this.body.querySelector(`[data-unit="${CSS.escape(id)}"]`); }

  find(key) { return this.body.querySelector(`[data-key="${CSS.escape(key)}"]`); }

  place(element, start, end) {
    element.style.left = `${this.x(Math.max(0, start))}px`;
    element.style.width = `${Math.max(2, this.x(Math.min(this.seconds, end)) - this.x(Math.max(0, start)))}px`;
  }

  when({ start, end }) {
    return `${this.dayName(Math.floor(start / DAY_S))}, ${clock(start)}–${clock(end)} (${length(end - start)})`;
  }

  dayName(offset) {
    const day = this.rows.day(offset);
    return `${this.weekdays[(day.getUTCDay() + 6) % 7]} ${two(day.getUTCDate())}/${two(day.getUTCMonth() + 1)}/${day.getUTCFullYear()}`;
  }

  now() {
    const midnight = Date.parse(`${this.rows.start}T00:00:00+07:00`);
    const at = (Date.now() - midnight) / 1000;
    let line = this.grid.querySelector(".desk-now");
    if (at < 0 || at >= this.seconds) { line?.remove(); return null; }
    line ??= this.grid.appendChild(made("div", "desk-now"));
    line.style.left = `${NAME_PX + this.x(at)}px`;
    return at;
  }

  #hoursApart() { return [1, 2, 3, 6, 12].find((hours) => hours * this.hour >= LABEL_PX) ?? 24; }

  #ruler() {
    this.hours.replaceChildren();
    const corner = made("div", "desk-corner");
    const track = made("div", "desk-track");
    const each = this.#hoursApart();
    const minutes = [1, 5, 10, 15, 30].find((one) => (one / 60) * this.hour >= LABEL_PX + 22);
    const every = minutes ? minutes * 60 : each * 3600;
    for (let day = 0; day < this.rows.days && this.rows.days > 1; day += 1) {
      const label = made("div", "desk-date", this.dayName(day).slice(0, -5));
      this.place(label, day * DAY_S, (day + 1) * DAY_S);
      track.append(label);
    }
    if (this.seconds / every < 3000) {
      for (let at = 0; at < this.seconds; at += every) {
        if (this.rows.days > 1 && at % DAY_S === 0) continue;
        const label = made("div", "desk-hour", clock(at).replace(/:00$/, at % 3600 ? ":00" : ""));
        label.style.left = `${this.x(at)}px`;
        track.append(label);
      }
    }
    track.classList.toggle("is-week", this.rows.days > 1);
    this.hours.append(corner, track);
    this.now();
  }

  #line(row, key) {
    const line = made("div", `desk-row desk-${row.kind}`);
    line.dataset.row = key;
    line.setAttribute("role", "row");
    line.setAttribute("aria-level", row.depth);
    line.setAttribute("aria-rowindex", this.order.indexOf(row) + 1);
    line.style.top = `${row.top}px`;
    line.style.height = `${ROW_PX[row.kind]}px`;
    if (row.opens) line.setAttribute("aria-expanded", String(row.open));
    const lane = made("div", "desk-lane");
    lane.setAttribute("role", "gridcell");
    line.append(this.#name(row), lane);
    if (row.kind === "unit") this.#unit(lane, row); else this.#cluster(lane, row);
    return line;
  }

  #name(row) {
    const cell = made("div", "desk-name");
    cell.setAttribute("role", "rowheader");
    cell.style.paddingLeft = `${0.35 + (row.depth - 1) * 0.9}rem`;
    const name = row.kind === "unit" ? row.unit.name : row.cluster.name;
    if (row.kind === "cluster") {
      cell.append(this.icon("volume-up-fill"), made("span", "desk-label", name));
      return cell;
    }
    const button = made("button", `desk-toggle level-${Math.min(2, row.unit.level)}`);
    button.type = "button";
    button.tabIndex = -1;
    button.dataset.unit = row.id;
    button.append(this.icon(row.opens ? (row.open ? "chevron-down" : "chevron-right") : "dot"));
    const label = made("span", "desk-label", name);
    const under = made("span", "quiet", this.#under(row));
    label.append(under);
    button.append(label);
    cell.append(button);
    return cell;
  }

  #under(row) {
    const units = this.rows.children.get(row.id)?.length ?? 0;
    if (units) return this.words.units.replace("{}", units);
    return row.unit.clusters ? this.words.clusters.replace("{}", row.unit.clusters) : "";
  }

  #unit(lane, row) {
    const shown = this.rows.shown.get(row.id);
    if (!shown) { lane.classList.add("is-waiting"); return; }
    for (const band of shown.bands) lane.append(this.#band(band));
    for (const gap of this.rows.free(row.id)) lane.append(this.#gap(gap));
    for (const one of this.rows.above(row.id)) {
      const strip = made("div", `desk-above level-${Math.min(2, this.rows.units.get(one.slot.unit_id).level)}`);
      strip.title = `${clock(one.start)}–${clock(one.end)} ${one.slot.title} (${this.rows.units.get(one.slot.unit_id).name})`;
      this.place(strip, one.start, one.end);
      lane.append(strip);
    }
    const all = shown.occurrences;
    all.forEach((one, place) => {
      const next = all.slice(place + 1).find((other) => other.start >= one.end || other.lane === one.lane);
      lane.append(this.#slot(one, shown, row.unit, this.x((next?.start ?? this.seconds) - one.start)));
    });
  }

  #band(band) {
    const kind = band.hold === "owned" ? `owned level-${Math.min(2, band.rank ?? 0)}` : band.hold;
    const element = made("div", `desk-band band-${kind}${band.own ? " is-own" : ""}`);
    element.title = `${clock(band.start)}–${band.end % DAY_S ? clock(band.end) : "24:00"} ${this.#whose(band)}`;
    this.place(element, band.start, band.end);
    return element;
  }

  #whose(band) {
    if (band.hold !== "owned") return this.words[band.hold];
    return band.owner || this.levels[band.rank] || "";
  }

  #gap(gap) {
    const element = made("div", "desk-gap");
    this.place(element, gap.start, gap.end);
    if (this.x(gap.end - gap.start) > GAP_LABEL_PX + TITLE_PX / 2) element.append(made("span", "", length(gap.end - gap.start)));
    element.title = `${this.words.free}: ${clock(gap.start)}–${clock(gap.end)}`;
    return element;
  }

  // A short slot's title goes on beside it as far as there is room.
  #slot(one, shown, unit, room) {
    const { slot } = one;
    const element = made("button", `desk-slot level-${Math.min(2, unit.level)} slot-${slot.bulletin_class}`);
    element.type = "button";
    element.tabIndex = -1;
    element.dataset.key = one.key;
    const height = (ROW_PX.unit - 16) / one.lanes;
    element.style.top = `${9 + one.lane * height}px`;
    element.style.height = `${height - 1}px`;
    element.classList.toggle("is-thin", one.lanes > 1);
    element.classList.toggle("is-locked", !shown.may_change);
    this.place(element, one.start, one.end);
    const signs = [];
    if (!shown.may_change) signs.push(["lock-fill", this.words.locked]);
    if (slot.bulletin_class === "priority") signs.push(["star-fill", this.words.priority]);
    if (slot.content_kind !== "files") signs.push([slot.content_kind === "live" ? "mic-fill" : "broadcast", this.words[slot.content_kind]]);
    const over = slot.content_s === null ? 0 : slot.content_s - slot.length_s;
    if (over > 0.5) {
      element.classList.add("is-over");
      signs.push(["exclamation-triangle-fill", this.words.over.replace("{}", length(over))]);
    }
    const title = made("span", "desk-slot-title");
    title.append(...signs.map(([name]) => this.icon(name)), slot.title);
    const wide = this.x(one.end - one.start);
    element.classList.toggle("is-slim", wide < SLIM_PX);
    const text = made("span", "desk-slot-text");
    text.style.width = `${Math.max(wide, Math.min(room, TITLE_PX)) - 10}px`;
    text.hidden = room < SLIM_PX * 1.6;
    text.append(title, made("span", "desk-slot-time", clock(one.start)));
    element.append(text);
    const said = [slot.title, this.when(one), this.words.recurrences[slot.recurrence], unit.name, ...signs.map(([, words]) => words)];
    element.setAttribute("aria-label", said.join(", "));
    element.title = said.slice(0, 3).concat(signs.map(([, words]) => words)).join("\n");
    if (shown.may_change) element.append(made("span", "desk-grip"));
    return element;
  }

  #cluster(lane, row) {
    lane.dataset.cluster = row.id;
    for (const span of row.cluster.spans) {
      const element = made("div", `desk-span level-${Math.min(2, span.level)} slot-${span.bulletin_class}`);
      this.place(element, span.start_s, span.end_s);
      if (this.x(span.end_s - span.start_s) > 50) element.textContent = span.title;
      element.title = `${clock(span.start_s)}–${clock(span.end_s)} ${span.title} (${span.unit_name})`;
      lane.append(element);
    }
    const button = made("button", "desk-ask", this.words.why);
    button.type = "button";
    button.tabIndex = -1;
    button.setAttribute("aria-label", `${this.words.why} ${row.cluster.name}`);
    lane.append(button);
  }
}
