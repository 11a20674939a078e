// A way: type it; shown as it will be read, corrected, spoken by the server, then heard before use. Without a
// network it is read by the server's rule, as soon as there is one.

import { csrfToken } from "../sound.js";

const PAUSE_MS = 350;
const NOTHING = { said: "", spans: [] };

export default function text({ panel, form, sound }) {
  const part = (name) => panel.querySelector(`[data-${name}]`);
  const [written, said, voice, pace] = ["text", "said", "voice", "pace"].map(part);
  const [speak, refused] = [part("speak"), part("text-refused")];
  let waiting = null;
  let asked = 0;

  function changed() {
    // What is heard must be what stands here.
    if (sound.speech?.way === "text") sound.clear();
    speak.disabled = !written.value.trim();
  }

  function show(reading) {
    said.value = reading.said;
    part("reading").hidden = !reading.said;
    part("changes").hidden = !reading.spans.length;
    part("spans").replaceChildren(...reading.spans.flatMap((span) => [
      Object.assign(document.createElement("dt"), { textContent: span.written }),
      Object.assign(document.createElement("dd"), { textContent: span.said || "–" }),
    ]));
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
      show(NOTHING);
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
      if (number !== asked) return;
      // What stood there was the reading of something else; the server reads by its rule then.
      refuse(refused.dataset.unread);
      show(NOTHING);
      return;
    }
    const told = await answer.json().catch(() => ({}));
    if (number !== asked) return; // an older answer, overtaken by a newer one
    refuse(answer.ok ? "" : told.detail || told.title || sound.state.dataset.lost);
    show(answer.ok ? told : NOTHING);
  }

  // What was kept on the phone stands here again.
  function restored() {
    part("reading").hidden = !said.value;
    speak.disabled = !written.value.trim();
  }

  form.addEventListener("restored", restored);
  written.addEventListener("input", () => {
    changed();
    said.value = "";
    clearTimeout(waiting);
    waiting = setTimeout(read, PAUSE_MS);
  });
  voice.addEventListener("change", () => { changed(); read(); });
  pace.addEventListener("change", changed);
  said.addEventListener("input", changed);
  speak.addEventListener("click", () => {
    const body = {
      unit_id: sound.root.dataset.unit,
      title: form.querySelector("[data-title-field]").value.trim().slice(0, 200) || null,
      text: written.value,
      said: said.value,
      language: voice.value,
      pace: Number(pace.value),
    };
    sound.make({ way: "text", url: "/api/v1/speech", words: said.value || written.value, body, own: false });
  });
}
