// How the server answers a script: what it says, or one of three reasons why there is no answer.

// The server cannot be reached, or is too busy: the same again later.
export class Lost extends Error {}

// Nobody is logged in any more, or somebody else is.
export class LoggedOut extends Error {}

// The server has said no, in words.
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || "");
    this.status = status;
    this.code = problem.code || "";
  }
}

const PATIENCE_MS = 15000;

export async function ask(address, person, options = {}) {
  const headers = { "X-Loa-Person": person, ...options.headers };
  let answer;
  try {
    answer = await fetch(address, { redirect: "error", signal: AbortSignal.timeout(PATIENCE_MS), ...options, headers });
  } catch {
    throw new Lost();
  }
  if (answer.ok) return answer;
  throw judged(answer.status, await answer.json().catch(() => ({})));
}

export function judged(status, problem) {
  if (status === 401 || problem.code === "another-person") return new LoggedOut();
  // What was tried too often is told, in words: trying on by itself would make it worse.
  if (status === 429 && problem.code === "too-often") return new Refused(status, problem);
  // 400 is a request that was cut off, or a token of a log-in that has ended in between.
  if (status === 0 || status === 400 || status === 429 || status >= 500) return new Lost();
  return new Refused(status, problem);
}
