// A sound for a form: sent with its progress shown, prepared by the server, then heard before use.

// Asked for each time: a log-in that was renewed in place brings another.
export const csrfToken = () => document.querySelector('meta[name="csrf-token"]').content;

export class Sound {
  constructor(root) {
    this.root = root;
    this.digest = root.querySelector("[data-digest]");
    this.state = root.querySelector("[data-sound-state]");
    this.text = root.querySelector("[data-sound-text]");
    this.progress = root.querySelector("[data-sound-progress]");
    this.ready = root.querySelector("[data-sound-ready]");
    this.sending = null;
    this.turn = 0;
    for (const input of root.querySelectorAll("[data-file]")) {
      const taken = () => { if (input.files[0]) this.send(input.files[0]); };
      input.addEventListener("change", taken);
      // On a slow line people choose a file before this script is there.
      queueMicrotask(taken);
    }
    for (const drop of root.querySelectorAll("[data-drop]")) this.#takeDrops(drop);
    const { chosenTitle, chosenLength } = this.digest.dataset;
    if (this.digest.value && chosenTitle) this.use(this.digest.value, chosenTitle, chosenLength);
  }

  send(file, name = file.name) {
    this.clear();
    const words = this.state.dataset;
    const title = document.querySelector("[name=title]");
    const shown = title?.value.trim() || name.replace(/\.[^.]+$/, "");
    const form = new FormData();
    form.append("file", file, name);
    form.append("unit_id", this.root.dataset.unit);
    form.append("purpose", this.root.dataset.purpose);
    form.append("title", shown.slice(0, 200));
    const request = new XMLHttpRequest();
    this.sending = request;
    this.say(words.sending, 0);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) this.say(words.sending, (100 * event.loaded) / event.total);
    });
    request.upload.addEventListener("load", () => this.say(words.preparing, null));
    request.addEventListener("load", () => this.#answered(request));
    request.addEventListener("error", () => this.refuse(words.lost));
    request.open("POST", "/api/v1/assets");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.send(form);
  }

  use(digest, title, length) {
    this.digest.value = digest;
    this.state.hidden = true;
    this.ready.hidden = false;
    this.ready.querySelector("[data-ready-title]").textContent = title;
    this.ready.querySelector("[data-ready-length]").textContent = length;
    this.ready.querySelector("[data-player]").src = `/api/v1/assets/${digest}`;
    this.changed();
  }

  clear() {
    this.turn += 1;
    this.sending?.abort();
    this.digest.value = "";
    this.state.hidden = true;
    this.ready.hidden = true;
    this.ready.querySelector("[data-player]").removeAttribute("src");
    this.state.classList.remove("is-refused");
    this.changed();
  }

  #answered(request) {
    let said = {};
    try { said = JSON.parse(request.responseText); } catch { /* not from our server: shown as lost */ }
    if (request.status === 201) {
      const asset = said.asset ?? said;
      this.use(asset.digest, asset.title, lengthText(asset.duration_s));
      const title = document.querySelector("[name=title]");
      if (title && !title.value.trim()) title.value = asset.title;
    } else {
      this.refuse(said.detail || said.title || this.state.dataset.lost);
    }
  }

  say(text, percent) {
    this.state.hidden = false;
    this.state.classList.remove("is-refused");
    this.text.textContent = text;
    this.progress.hidden = false;
    if (percent === null) this.progress.removeAttribute("value"); else this.progress.value = percent;
  }

  refuse(text) {
    this.state.hidden = false;
    this.state.classList.add("is-refused");
    this.text.textContent = text;
    this.progress.hidden = true;
  }

  #takeDrops(drop) {
    drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("is-over"); });
    drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("is-over");
      if (event.dataTransfer.files[0]) this.send(event.dataTransfer.files[0]);
    });
  }

  changed() {
    this.root.dispatchEvent(new CustomEvent("sound", { bubbles: true }));
  }
}

export function lengthText(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export const sounds = [...document.querySelectorAll("[data-sound]:not([data-kept])")].map((root) => new Sound(root));
