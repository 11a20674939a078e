// A button that acts when it is held long enough, by finger, mouse or key; beside it, for whom a screen
// reader or a switch presses, one that is pressed twice.

const LONG_MS = 1200;
const ARMED_MS = 6000;

export function holding(button, other, { act, hint }) {
  const words = button.dataset;
  let timer = null;
  let armed = null;

  function begin() {
    if (timer !== null) return;
    button.classList.add("is-held");
    hint(words.holding);
    timer = setTimeout(done, LONG_MS);
  }

  function end() {
    clearTimeout(timer);
    timer = null;
    button.classList.remove("is-held");
  }

  function cut() {
    if (timer === null) return;
    end();
    hint(words.tooShort);
  }

  function done() {
    end();
    disarm();
    navigator.vibrate?.(60);
    act();
  }

  function disarm() {
    clearTimeout(armed);
    armed = null;
    other.textContent = other.dataset.first;
  }

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    begin();
  });
  for (const kind of ["pointerup", "pointercancel", "blur"]) button.addEventListener(kind, cut);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) begin();
  });
  button.addEventListener("keyup", (event) => {
    if (event.key === " " || event.key === "Enter") { event.preventDefault(); cut(); }
  });
  other.addEventListener("click", () => {
    if (armed !== null) { done(); return; }
    other.textContent = other.dataset.second;
    hint(other.dataset.second);
    armed = setTimeout(() => { disarm(); hint(""); }, ARMED_MS);
  });
  disarm();
}
