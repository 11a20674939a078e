// The sound of an announcement: heard from the phone at once and brought to the server when that can be
// reached, or made there of what was written; never lost in between.

import { Lost, LoggedOut, Refused } from "../kept/answers.js";
import { me, spokenOf, uploadedOf } from "../kept/sending.js";
import { lengthText, Sound } from "../sound.js";

const AGAIN_MS = 5000;

export class KeptSound extends Sound {
  constructor(root, keeping, login) {
    super(root);
    Object.assign(this, { keeping, login, address: null, waiting: null, settled: null });
    this.title = keeping.form.querySelector("[data-title-field]");
    window.addEventListener("online", () => { this.push(); this.#speak(); });
  }

  // What the sound was made of, or is to be, if it was written.
  get speech() {
    return this.keeping.draft.speech ?? null;
  }

  get unspoken() {
    return Boolean(this.speech && !this.keeping.draft.asset);
  }

  get there() {
    const { draft } = this.keeping;
    return Boolean(draft.asset || draft.take?.length_s || draft.speech);
  }

  // Whether it comes from this phone alone: what was recorded is not given up for what can be made again.
  get recorded() {
    return Boolean(this.keeping.draft.take);
  }

  get length_s() {
    const { draft } = this.keeping;
    return draft.asset?.length_s ?? draft.take?.length_s ?? 0;
  }

  begin(name, type) {
    this.clear();
    return this.keeping.take(name, type);
  }

  // A recording comes with its take; the bytes of a file are kept now, as one piece.
  async send(file, name = file.name, take = null) {
    if (!take) {
      this.clear();
      const whole = this.keeping.take(name, file.type || "application/octet-stream");
      whole.add(file);
      await whole.end(await lengthOf(file));
    }
    await take?.ended;
    this.#show(file, name);
    await this.push();
  }

  use(digest, title, length, length_s = secondsOf(length)) {
    this.clear();
    this.keeping.keep({ asset: { digest, length_s, title, length }, take: null, speech: null });
    super.use(digest, title, length);
  }

  // What is said has changed: what there was is not it any more.
  clear() {
    const { draft } = this.keeping;
    if (draft.asset || draft.take || draft.speech) this.keeping.keep({ asset: null, take: null, speech: null });
    this.clearShown();
  }

  // Show nothing; what is kept stays.
  clearShown() {
    this.sending?.abort();
    clearTimeout(this.waiting);
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = null;
    this.state.hidden = true;
    super.clear();
  }

  // Have the server speak it: now, or as soon as it can be reached.
  make(speech) {
    this.clear();
    this.keeping.keep({ speech });
    this.settled = this.#speak();
  }

  async #speak() {
    const { draft } = this.keeping;
    const { speech } = draft;
    if (!this.unspoken || draft.state !== "writing") return;
    this.sending?.abort();
    clearTimeout(this.waiting);
    const abort = new AbortController();
    this.sending = abort;
    const words = this.state.dataset;
    // What is to be said has changed meanwhile: this would not be it.
    const current = () => this.sending === abort && this.keeping.draft === draft && draft.speech === speech && !abort.signal.aborted;
    this.say(words.preparing, null);
    try {
      const asset = await spokenOf(draft);
      if (!current()) return;
      draft.asset = asset;
      if (!this.title.value.trim()) this.title.value = asset.title;
      super.use(asset.digest, asset.title, lengthText(asset.length_s));
    } catch (error) {
      if (!current()) return;
      if (error instanceof Refused) {
        await this.keeping.keep({ speech: null });
        this.refuse(error.message || words.lost);
        this.changed();
      } else if (error instanceof LoggedOut) {
        if (await this.login.again()) await this.#speak();
      } else if (error instanceof Lost) {
        this.say(words.unspoken, 0);
        this.progress.hidden = true;
        this.changed();
        this.waiting = setTimeout(() => this.#speak(), AGAIN_MS);
      } else throw error;
    }
  }

  // Show again what was kept; a recording that was cut off is as long as its pieces.
  async restore() {
    const { asset, take, speech } = this.keeping.draft;
    if (take) {
      const blob = await this.keeping.sound();
      if (!blob.size) return;
      if (!take.length_s) await this.keeping.keep({ take: { ...take, length_s: await lengthOf(blob) } });
      this.#show(blob, take.name);
      if (asset) this.digest.value = asset.digest; else await this.push();
    } else if (asset) {
      super.use(asset.digest, asset.title, asset.length ?? lengthText(asset.length_s));
    } else if (speech) {
      await this.#speak();
    }
  }

  // Bring it to the server, if it is not there; again later, if that cannot be reached.
  async push() {
    const { draft } = this.keeping;
    if (!draft.take?.length_s || draft.asset) return;
    this.sending?.abort();
    clearTimeout(this.waiting);
    const abort = new AbortController();
    this.sending = abort;
    const words = this.state.dataset;
    const current = () => this.sending === abort && this.keeping.draft === draft && !abort.signal.aborted;
    const progress = (percent) => { if (current()) this.say(percent === null ? words.preparing : words.sending, percent); };
    progress(0);
    try {
      const { csrf_token: token } = await me(draft.person);
      const asset = await uploadedOf(draft, token, progress, abort.signal);
      if (!current()) return;
      draft.asset = asset;
      this.digest.value = asset.digest;
      this.state.hidden = true;
      this.changed();
    } catch (error) {
      if (!current()) return;
      if (error instanceof Refused) {
        this.refuse(error.message);
        await this.keeping.keep({ take: null });
        this.ready.hidden = true;
        this.changed();
      } else if (error instanceof LoggedOut) {
        if (await this.login.again()) await this.push();
      } else if (error instanceof Lost) {
        this.say(words.kept, 0);
        this.progress.hidden = true;
        this.waiting = setTimeout(() => this.push(), AGAIN_MS);
      } else throw error;
    }
  }

  #show(blob, name) {
    this.address = URL.createObjectURL(blob);
    this.ready.hidden = false;
    this.ready.querySelector("[data-ready-title]").textContent = name.replace(/\.[^.]+$/, "");
    this.ready.querySelector("[data-ready-length]").textContent = lengthText(this.length_s);
    this.ready.querySelector("[data-player]").src = this.address;
    this.changed();
  }
}

const secondsOf = (text) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) || 0;

// As the browser's decoder sees it; what it cannot read, the server will judge.
function lengthOf(blob) {
  return new Promise((resolve) => {
    const audio = new Audio();
    const address = URL.createObjectURL(blob);
    const done = (length_s) => { URL.revokeObjectURL(address); resolve(length_s); };
    audio.preload = "metadata";
    audio.addEventListener("error", () => done(1));
    audio.addEventListener("loadedmetadata", () => {
      if (Number.isFinite(audio.duration)) { done(audio.duration); return; }
      // A recording without its length: looking far behind its end shows it.
      audio.addEventListener("durationchange", () => { if (Number.isFinite(audio.duration)) done(audio.duration); });
      audio.currentTime = 1e7;
    });
    audio.src = address;
  });
}
