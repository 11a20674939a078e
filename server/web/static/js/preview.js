// Shows in the list what plays at this moment, and says it in words.

const audio = document.querySelector("[data-preview-audio]");
const text = document.querySelector("[data-now-text]");
const busy = document.querySelector("[data-preview-busy]");
const scenes = [...document.querySelectorAll("[data-at]")];
let current = null;

function show() {
  const at = audio.currentTime;
  const scene = scenes.find((one) => Number(one.dataset.at) <= at && at < Number(one.dataset.until));
  if (scene === current) return;
  current?.classList.remove("is-current");
  current?.removeAttribute("aria-current");
  current = scene ?? null;
  if (!current) return;
  current.classList.add("is-current");
  current.setAttribute("aria-current", "true");
  text.textContent = current.querySelector("[data-scene-title]").textContent;
}

audio?.addEventListener("timeupdate", show);
audio?.addEventListener("playing", () => { busy.hidden = true; show(); });
audio?.addEventListener("error", () => { busy.hidden = false; });
