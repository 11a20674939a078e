// What the drawing is worked out from: no page, no network. Times are seconds since the first
// midnight that is shown; the clock on the wall in Viet Nam never changes, so days are all alike.

export const DAY_S = 86400;
const LEAST_GAP_S = 60;

export const two = (number) => String(number).padStart(2, "0");

export function clock(second) {
  const inDay = ((Math.round(second) % DAY_S) + DAY_S) % DAY_S;
  const shown = `${two(Math.floor(inDay / 3600))}:${two(Math.floor(inDay / 60) % 60)}`;
  return inDay % 60 ? `${shown}:${two(inDay % 60)}` : shown;
}

export function length(seconds) {
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

export function parsedClock(text) {
  const found = text.trim().match(/^(\d{1,2})[:hg. ]?(\d{2})(?:[:. ](\d{2}))?$/i);
  if (!found) return null;
  const [hours, minutes, seconds] = [found[1], found[2], found[3] ?? "0"].map(Number);
  return hours < 24 && minutes < 60 && seconds < 60 ? hours * 3600 + minutes * 60 + seconds : null;
}

export function parsedLength(text) {
  const parts = text.trim().split(":").map((part) => (/^\d{1,4}$/.test(part) ? Number(part) : NaN));
  if (parts.length > 3 || parts.some(Number.isNaN)) return null;
  const seconds = parts.length === 1 ? parts[0] * 60 : parts.reduce((sum, part) => sum * 60 + part, 0);
  return seconds >= 1 && seconds <= DAY_S ? seconds : null;
}

// The step of moving: fine where the drawing is large enough to see it.
export function step(pixelsPerHour) {
  if (pixelsPerHour >= 2400) return 15;
  return pixelsPerHour >= 240 ? 60 : 300;
}

export const snapped = (seconds, by) => Math.round(seconds / by) * by;

// One piece for each time that a slot comes.
export function occurrences(slots) {
  const found = [];
  for (const slot of slots) {
    for (const day of slot.days) {
      const start = day * DAY_S + slot.start_s;
      found.push({ key: `${slot.slot_id}|${day}`, slot, day, start, end: start + slot.length_s, lane: 0, lanes: 1 });
    }
  }
  return lanes(found.sort((a, b) => a.start - b.start || a.end - b.end));
}

// What lies over each other is put side by side: each bunch gets as many lanes as it needs.
function lanes(sorted) {
  let bunch = [];
  let until = -Infinity;
  const close = () => { for (const one of bunch) one.lanes = 1 + Math.max(...bunch.map((other) => other.lane)); };
  for (const one of sorted) {
    if (one.start >= until) { close(); bunch = []; }
    const taken = new Set(bunch.filter((other) => other.end > one.start).map((other) => other.lane));
    while (taken.has(one.lane)) one.lane += 1;
    bunch.push(one);
    until = bunch.length === 1 ? one.end : Math.max(until, one.end);
  }
  close();
  return sorted;
}

// The hours of a week laid over the days that are shown; the first day's weekday is 0 for Monday.
export function hoursOf(unit, firstWeekday, days) {
  const found = [];
  for (let day = 0; day < days; day += 1) {
    const weekday = (firstWeekday + day) % 7;
    for (const one of unit.hours) {
      if (Math.floor(one.start_s / DAY_S) !== weekday) continue;
      const shift = (day - weekday) * DAY_S;
      found.push({ ...one, start: one.start_s + shift, end: one.end_s + shift });
    }
  }
  return found;
}

// Free time: where the unit may speak, and neither it nor a unit above does.
export function gaps(hours, taken) {
  const busy = [...taken].sort((a, b) => a.start - b.start);
  const found = [];
  for (const open of joined(hours.filter((one) => one.own))) {
    let at = open.start;
    for (const one of busy) {
      if (one.end <= at || one.start >= open.end) continue;
      if (one.start - at >= LEAST_GAP_S) found.push({ start: at, end: one.start });
      at = Math.max(at, one.end);
    }
    if (open.end - at >= LEAST_GAP_S) found.push({ start: at, end: open.end });
  }
  return found;
}

function joined(stretches) {
  const found = [];
  for (const one of [...stretches].sort((a, b) => a.start - b.start)) {
    const last = found.at(-1);
    if (last && one.start <= last.end) last.end = Math.max(last.end, one.end);
    else found.push({ start: one.start, end: one.end });
  }
  return found;
}
