// Keeps the parts of a page marked data-live="kind kind" up to date: one stream of numbered events,
// resumed where it broke off; a question every few seconds where no stream is to be had.
// What somebody has opened stays open, and what is marked data-being-typed stays as it is (base.html).

const parts = () => document.querySelectorAll("[data-live]");
const GATHER_MS = 150;
// A part that is large says how long to gather before it is fetched anew.
const patience = () => Math.max(GATHER_MS, ...[...parts()].map((part) => Number(part.dataset.liveGather || 0)));
const ASK_MS = 5000;
const LOOK_AGAIN_MS = 2000;
const TRY_STREAM_AGAIN_MS = 60000;
// A stream that was ended is back within two seconds, and one that lives speaks every fifteen.
const LATE_MS = 6000;
const SILENT_MS = 40000;

let source = null;
let last = null;
let asking = null;
const waiting = new Set();
let timer = null;
let again = null;
let late = null;
let silent = null;
let heardAt = new Date();
const notice = document.getElementById("notice");

// Whoever watches must see when what stands there may be old. The urgent page says it in its own words.
function say(what) {
  const sentence = what && !document.querySelector("[data-urgent-page]") ? notice.dataset[what] : "";
  if (notice.dataset.said === sentence || notice.dataset.said === notice.dataset.loggedOut) return;
  notice.dataset.said = sentence;
  notice.textContent = sentence.replace("{}", heardAt.toLocaleTimeString("vi-VN"));
  if (what !== "loggedOut" || !sentence) return;
  const back = document.createElement("a");
  back.href = location.href;
  back.textContent = notice.dataset.logIn;
  notice.append(" ", back);
}

function heard() {
  heardAt = new Date();
  clearTimeout(late);
  clearTimeout(silent);
  late = null;
  silent = setTimeout(() => { close(); say("lost"); open(); }, SILENT_MS);
  say("");
}

function refresh(kind, ref) {
  for (const part of parts()) {
    const kinds = part.dataset.live.split(" ");
    if (!kinds.includes(kind)) continue;
    const only = part.dataset.liveRef;
    if (["broadcast", "bulletin", "contact"].includes(kind) && only && ref && ref !== only) continue;
    waiting.add(part.id);
  }
  // A burst of events is one look at the server.
  if (waiting.size && timer === null) timer = setTimeout(look, patience());
}

function look() {
  timer = null;
  for (const id of waiting) document.getElementById(id)?.dispatchEvent(new CustomEvent("live"));
  waiting.clear();
}

function refreshAll(which = "[data-live]") {
  for (const part of document.querySelectorAll(which)) waiting.add(part.id);
  if (waiting.size && timer === null) timer = setTimeout(look, patience());
}

function lookAgain() {
  again ??= setTimeout(() => { again = null; refreshAll(); }, LOOK_AGAIN_MS);
}

function open() {
  // A part that only goes along with others is no reason for a connection.
  const lead = document.querySelector("[data-live]:not([data-live-along])");
  if (source || document.hidden || !lead) return;
  source = new EventSource(`/events/stream${last === null ? "" : `?after=${last}`}`);
  for (const kind of ["cluster", "broadcast", "schedule", "as-run", "bulletin", "hush", "upkeep", "waiting", "contact"]) {
    source.addEventListener(kind, (event) => {
      last = event.lastEventId;
      heard();
      refresh(kind, JSON.parse(event.data).ref);
    });
  }
  source.addEventListener("message", (event) => {
    // What happened between the page's making and the opening of the stream was told to nobody.
    if (last === null) refreshAll("[data-live-ref]");
    last = event.lastEventId;
  });
  source.addEventListener("still", heard);
  source.addEventListener("open", () => { stopAsking(); heard(); });
  source.addEventListener("error", () => {
    late ??= setTimeout(() => say("lost"), LATE_MS);
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    ask();
    setTimeout(open, TRY_STREAM_AGAIN_MS);
  });
}

function close() {
  clearTimeout(late);
  clearTimeout(silent);
  late = null;
  source?.close();
  source = null;
}

function ask() {
  if (asking !== null) return;
  asking = setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch("/events/newest", { redirect: "manual" }).catch(() => null);
    if (answer?.type === "opaqueredirect") say("loggedOut");
    if (!answer) say("lost");
    if (!answer?.ok) return;
    heard();
    clearTimeout(silent);
    const { event } = await answer.json();
    if (String(event) !== String(last)) { last = event; refreshAll(); }
  }, ASK_MS);
}

function stopAsking() {
  clearInterval(asking);
  asking = null;
}

// A page that nobody sees keeps no connection: browsers allow six to one server, all tabs together.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { close(); } else { refreshAll(); open(); }
});
window.addEventListener("pagehide", close);
window.addEventListener("offline", () => { if (source) say("lost"); });
window.addEventListener("online", () => { close(); refreshAll(); open(); });
// A part that could not be fetched would else stand there until something else happens.
document.addEventListener("htmx:error", lookAgain);
document.addEventListener("htmx:response:error", ({ detail }) => { if (detail.ctx.response.status >= 500) lookAgain(); });
document.addEventListener("logged-out", () => say("loggedOut"));
open();
