// The page on which somebody speaks live: microphone on, on air, off again; and which clusters sound.

import { Microphone, ways } from "./microphone.js";

const root = document.querySelector("[data-speak]");
const button = root.querySelector("[data-talk]");
const label = root.querySelector("[data-talk-label]");
const said = root.querySelector("[data-said]");
const clock = root.querySelector("[data-left]");
const meter = root.querySelector("[data-level]");
const heard = root.querySelector("[data-heard]");
const states = document.querySelector("[data-states]");
const again = root.querySelector("[data-again]");
const words = root.dataset;
const sentences = new Map([...root.querySelectorAll("[data-code]")].map((one) => [one.dataset.code, one.textContent]));

let microphone = null;
let state = "off";
let endsAt = 0;
let ticking = null;

function show(next, sentence) {
  state = next;
  root.dataset.state = next;
  said.textContent = sentence;
  button.setAttribute("aria-pressed", String(next === "on-air"));
  button.disabled = next === "opening" || next === "over";
  button.hidden = next === "over";
  again.hidden = next !== "over";
  label.textContent = { off: words.turnOn, opening: words.turnOn, ready: words.goOnAir, "on-air": words.end, over: words.end }[next];
}

function end(sentence) {
  if (state === "over") return;
  clearInterval(ticking);
  clock.textContent = "";
  microphone?.close();
  meter.value = 0;
  const wasThere = document.activeElement === button;
  show("over", sentence);
  // The button is gone: whoever was on it goes on where it leads.
  if (wasThere) again.focus();
}

function level(peak) {
  // -60 dB to full.
  meter.value = peak > 0 ? Math.max(0, 1 + Math.log10(peak) / 3) : 0;
}

function turnOn() {
  show("opening", words.opening);
  const closed = () => end(sentences.get(state === "on-air" ? "broken-off" : "no-microphone"));
  microphone = new Microphone(words.sender, { told, closed, level });
  microphone.connect(words.microphone, words.ticket);
}

async function told(news) {
  if (news.state === "ready") {
    try {
      await microphone.open();
      show("ready", words.ready);
    } catch {
      end(words.noMicrophone);
    }
  } else if (news.state === "on-air") {
    onAir(news);
  } else if (news.state === "refused") {
    end(sentences.get(news.codes[0]) ?? sentences.get("no-microphone"));
  } else if (news.state === "over") {
    end(sentences.get(news.reason) ?? sentences.get("spoken"));
  }
}

function onAir({ broadcast, speak_in_s: startsIn, max_length_s: longest }) {
  const speakAt = performance.now() + startsIn * 1000;
  endsAt = speakAt + longest * 1000;
  show("on-air", words.wait);
  const count = () => {
    const now = performance.now();
    const left = Math.ceil((now < speakAt ? speakAt - now : endsAt - now) / 1000);
    const sentence = now < speakAt ? words.wait : words.speakNow;
    if (said.textContent !== sentence) said.textContent = sentence;
    clock.textContent = now < speakAt ? String(left) : `${String(Math.floor(left / 60)).padStart(2, "0")}:${String(left % 60).padStart(2, "0")}`;
  };
  ticking = setInterval(count, 100);
  count();
  navigator.wakeLock?.request("screen").catch(() => null);
  again.href = words.broadcast.replace("BROADCAST", broadcast);
  const address = `${again.href}/state`;
  const look = async () => {
    const answer = await fetch(address, { redirect: "manual" }).catch(() => null);
    if (!answer?.ok) return;
    states.innerHTML = await answer.text();
    // On a telephone the button covers what stands below it.
    heard.textContent = states.querySelector(".progress-main").textContent.trim();
  };
  states.dataset.liveRef = broadcast;
  states.addEventListener("live", look);
  look();
}

button.addEventListener("click", () => {
  if (state === "off") turnOn();
  else if (state === "ready") microphone.say("start");
  else if (state === "on-air") microphone.say("stop");
});

window.addEventListener("beforeunload", (event) => { if (state === "on-air") event.preventDefault(); });
ways().then((way) => {
  if (way) button.disabled = false;
  else end(words.noMicrophone);
});
