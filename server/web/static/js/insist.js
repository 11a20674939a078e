// A press that must get through: as long as the server cannot be reached it is tried again, instead of giving
// way to the browser's own page. Twice is once there. What else an answer may say is left to the form itself.

const AGAIN_MS = 2000;
const PATIENCE_MS = 10000;

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-insist]");
  if (!form || event.submitter?.hasAttribute("formaction")) return;
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dataset.sent = "yes";
  form.classList.add("is-sent");
  insist(form, new URLSearchParams(new FormData(form)));
});

async function insist(form, body) {
  const headers = { "X-Loa-Person": form.dataset.insist };
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch(form.action, { method: "POST", body, headers, signal }).catch(() => null);
  if (!answer || answer.status >= 500) {
    const said = form.querySelector("[data-insist-said]");
    said.hidden = false;
    form.classList.remove("is-sent");
    setTimeout(() => insist(form, body), AGAIN_MS);
    return;
  }
  if (answer.ok) location.assign(answer.url); else form.submit();
}
