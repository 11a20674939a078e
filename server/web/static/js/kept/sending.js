// Sends what is held: its sound first, where it is still only here or was never made, then the announcement.
// Its id was made with it and goes along, so that the server knows a second try from a second announcement.
// A sound made here of what somebody wrote was heard by nobody yet: that announcement waits to be heard.

import { ask, judged, Lost, LoggedOut, Refused } from "./answers.js";
import { change, Incomplete, mine, remove, soundOf, tell } from "./store.js";

const STALLED_MS = 30000;
const AHEAD_MS = 60000;
const SPOKEN_WITHIN_MS = 60000;

// Only one at a time, whatever the number of tabs and the worker; the next finds what is left.
export function alone(name, act) {
  return navigator.locks ? navigator.locks.request(name, act) : act();
}

// A clock that was set back makes it old too: better asked once too often.
export function isOld(draft, staleMin, now = Date.now()) {
  return now - draft.heldAt > staleMin * 60000 || draft.heldAt - now > AHEAD_MS;
}

export const minutesSince = (at) => Math.max(1, Math.round((Date.now() - at) / 60000));

// Send all that is held and fresh, and have spoken what waits for its sound; say what became of each, and
// whether some could not be reached.
export function sendHeld(person, { staleMin, progress = () => {} }) {
  return alone("loa-send", async () => {
    const outcome = { sent: [], spoken: [], lost: false, loggedOut: false, unproven: null };
    for (const draft of await mine(person)) {
      const isUnspoken = draft.state === "unspoken";
      if (!isUnspoken && draft.state !== "held") continue;
      try {
        if (isUnspoken) {
          await spokenOf(draft, { state: "spoken" });
          outcome.spoken.push(draft.id);
          tell({ spoken: draft.id, title: titleOf(draft) });
          continue;
        }
        const address = isOld(draft, staleMin) ? await goneBefore(draft) : await sendOne(draft, progress);
        if (!address) continue;
        outcome.sent.push({ id: draft.id, address });
        await remove(draft.id);
        tell({ sent: draft.id, title: titleOf(draft), address });
      } catch (error) {
        // It stays held: whoever sends it is asked, as soon as there is a page that can ask.
        if (error.code === "second-factor-needed") { outcome.unproven = draft.id; break; }
        if (error instanceof Refused || error instanceof Incomplete) {
          await change(draft.id, (kept) => kept && { ...kept, state: "refused", why: error.message, code: error.code ?? "incomplete" });
          tell();
          continue;
        }
        outcome.lost = error instanceof Lost;
        outcome.loggedOut = error instanceof LoggedOut;
        if (!outcome.lost && !outcome.loggedOut) throw error;
        break;
      }
    }
    return outcome;
  });
}

export async function me(person) {
  return (await ask("/me", person)).json();
}

// Where the server has it after all: only its answer was lost, and the phone has not asked again in time.
async function goneBefore(draft) {
  return (await (await ask(`/urgent/sent/${draft.id}`, draft.person)).json()).address;
}

async function sendOne(draft, progress) {
  const { csrf_token: token } = await me(draft.person);
  const asset = draft.asset ?? (draft.speech ? await spokenOf(draft) : await uploadedOf(draft, token, progress));
  const form = new URLSearchParams(draft.fields);
  form.set("request_id", draft.id);
  form.set("unit_id", draft.unit);
  form.set("asset_digest", asset.digest);
  if (draft.prefersOther) form.set("prefers_other", "yes");
  form.set("csrf_token", token);
  const answer = await ask("/urgent", draft.person, { method: "POST", body: form });
  return (await answer.json()).address;
}

// Bring the sound to the server and note what it is called there; the same bytes twice are one file.
export async function uploadedOf(draft, token, progress, signal) {
  const blob = await soundOf(draft);
  const form = new FormData();
  form.append("file", blob, draft.take.name);
  form.append("unit_id", draft.unit);
  form.append("purpose", "announcement");
  form.append("title", (titleOf(draft) || draft.take.name.replace(/\.[^.]+$/, "")).slice(0, 200));
  const said = await posted("/api/v1/assets", form, { person: draft.person, token, progress, signal });
  const asset = { digest: said.digest, length_s: said.duration_s };
  await change(draft.id, (kept) => (kept?.take?.id === draft.take.id ? { ...kept, asset } : kept));
  return asset;
}

// Have the server speak what was written, and note what the sound is called there; the same words twice are
// one file.
export async function spokenOf(draft, facts = {}) {
  const { csrf_token: token } = await me(draft.person);
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const { url, body } = draft.speech;
  const signal = AbortSignal.timeout(SPOKEN_WITHIN_MS);
  const answer = await ask(url, draft.person, { method: "POST", body: JSON.stringify(body), headers, signal });
  const said = await answer.json();
  const { digest, title, duration_s: length_s } = said.asset ?? said;
  const asset = { digest, title, length_s };
  const wanted = JSON.stringify(draft.speech);
  await change(draft.id, (kept) => (JSON.stringify(kept?.speech) === wanted ? { ...kept, ...facts, asset } : kept));
  return asset;
}

// Whether it goes as it is: it could be heard, or its words are the library's own and nobody has typed any.
export const mayGo = (draft) => Boolean(draft.asset || draft.take || draft.speech?.own);

export const titleOf = (draft) => (draft.fields.find(([name]) => name === "title")?.[1] ?? "").trim();

// A request whose progress can be seen, where the browser has one; a worker has none.
function posted(address, form, { person, token, progress, signal }) {
  const headers = { "X-CSRFToken": token, "X-Loa-Person": person };
  if (typeof XMLHttpRequest === "undefined") {
    return ask(address, person, { method: "POST", body: form, headers, signal: undefined }).then((answer) => answer.json());
  }
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let stalled = null;
    const alive = () => { clearTimeout(stalled); stalled = setTimeout(() => request.abort(), STALLED_MS); };
    const end = (act) => () => { clearTimeout(stalled); act(); };
    request.upload.addEventListener("progress", (event) => {
      alive();
      if (event.lengthComputable) progress((100 * event.loaded) / event.total);
    });
    request.upload.addEventListener("load", () => { alive(); progress(null); });
    request.addEventListener("load", end(() => {
      let said = {};
      try { said = JSON.parse(request.responseText); } catch { /* not from our server: judged by its status */ }
      if (request.status === 201) resolve(said); else reject(judged(request.status, said));
    }));
    request.addEventListener("error", end(() => reject(new Lost())));
    request.addEventListener("abort", end(() => reject(new Lost())));
    signal?.addEventListener("abort", () => request.abort());
    request.open("POST", address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    alive();
    request.send(form);
  });
}
