// Asks and tells the server; what was refused comes back in its words.

const token = document.querySelector('meta[name="csrf-token"]').content;

export class Refused extends Error {
  constructor(code, sentence, { findings = [], offers = [] } = {}) {
    super(sentence);
    this.code = code;
    this.findings = findings;
    this.offers = offers;
  }
}

async function answered(request, lost) {
  let answer;
  try {
    answer = await request;
  } catch {
    throw new Refused("lost", lost);
  }
  const said = await answer.json().catch(() => ({}));
  // The page says it, with the way back in.
  if (answer.status === 401) document.dispatchEvent(new Event("logged-out"));
  if (!answer.ok) throw new Refused(said.code, said.detail || said.title || lost, said);
  return said;
}

export const ask = (address, lost) => answered(fetch(address, { headers: { Accept: "application/json" } }), lost);

export const tell = (address, body, lost) => answered(fetch(address, {
  method: "POST",
  headers: { "Content-Type": "application/json", "X-CSRFToken": token },
  body: JSON.stringify(body),
}), lost);
