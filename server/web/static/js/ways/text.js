// A way: type it; shown as it will be read, corrected, spoken by the server, then heard before use.

import { csrfToken } from "../sound.js";

const PAUSE_MS = 350;

export default function text({ panel, form, sound }) {
  const part = (name) => panel.querySelector(`[data-${name}]`);
  const [written, said, voice, pace] = ["text", "said", "voice", "pace"].map(part);
  const [speak, refused] = [part("speak"), part("text-refused")];
  let waiting = null;
  let asked = 0;
  let making = false;
  let mine = "";

  function changed() {
    // What is heard must be what stands here.
    if (making || (mine && sound.digest.value === mine)) sound.clear();
    making = false;
    mine = "";
    speak.disabled = !said.value.trim();
  }

  function show(reading) {
    said.value = reading.said;
    part("reading").hidden = !reading.said;
    part("changes").hidden = !reading.spans.length;
    part("spans").replaceChildren(...reading.spans.flatMap((span) => [
      Object.assign(document.createElement("dt"), { textContent: span.written }),
      Object.assign(document.createElement("dd"), { textContent: span.said || "–" }),
    ]));
    changed();
  }

  function refuse(sentence) {
    refused.textContent = sentence;
    refused.hidden = !sentence;
  }

  async function read() {
    asked += 1;
    const number = asked;
    if (!written.value.trim()) {
      refuse("");
      show({ said: "", spans: [] });
      return;
    }
    let answer;
    try {
      answer = await fetch("/api/v1/speech/readings", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        body: JSON.stringify({ text: written.value, language: voice.value }),
      });
    } catch {
      if (number === asked) refuse(sound.state.dataset.lost);
      return;
    }
    const told = await answer.json().catch(() => ({}));
    if (number !== asked) return; // an older answer, overtaken by a newer one
    refuse(answer.ok ? "" : told.detail || told.title || sound.state.dataset.lost);
    show(answer.ok ? told : { said: "", spans: [] });
  }

  // What was kept on the phone stands here again.
  function restored() {
    part("reading").hidden = !said.value;
    speak.disabled = !said.value.trim();
    mine = sound.digest.value;
  }

  form.addEventListener("restored", restored);
  written.addEventListener("input", () => {
    changed();
    speak.disabled = true;
    clearTimeout(waiting);
    waiting = setTimeout(read, PAUSE_MS);
  });
  voice.addEventListener("change", read);
  pace.addEventListener("change", changed);
  said.addEventListener("input", changed);
  speak.addEventListener("click", () => {
    making = true;
    const body = {
      unit_id: sound.root.dataset.unit,
      title: form.querySelector("[data-title-field]").value.trim().slice(0, 200) || null,
      text: written.value,
      said: said.value,
      language: voice.value,
      pace: Number(pace.value),
    };
    sound.make("/api/v1/speech", body, (digest) => {
      making = false;
      mine = digest;
    });
  });
}
