// The second screen: whom it will reach, how long it lasts, how it will sound; and the button to hold.

import { ask, LoggedOut, Lost, Refused } from "../kept/answers.js";
import { isOld, mayGo, me, minutesSince, titleOf } from "../kept/sending.js";
import { chosenClusters, chosenPeople } from "../picker.js";
import { lengthText } from "../sound.js";
import { holding } from "./hold.js";

const LOOK_AGAIN_MS = 2000;

export class Asking {
  constructor(section, { form, keeping, sound, login, staleMin, refused, send }) {
    Object.assign(this, { section, form, keeping, sound, login, staleMin, refused });
    this.summary = section.querySelector("[data-summary]");
    this.hint = section.querySelector("[data-hold-hint]");
    this.offline = section.querySelector("[data-offline]");
    this.aged = section.querySelector("[data-aged]");
    section.querySelector("[data-change]").addEventListener("click", () => history.back());
    holding(section.querySelector("[data-hold]"), section.querySelector("[data-hold-other]"), {
      act: send,
      hint: (text) => { this.hint.textContent = text; },
    });
    window.addEventListener("popstate", (event) => { if (!event.state?.asking) this.close(); });
    // Its sound was made, or brought to the server, meanwhile: it can be heard now.
    form.addEventListener("sound", () => { if (this.sound.there) this.look(); });
    // The stream says that a cluster has come or gone; a burst is one look.
    this.summary.addEventListener("live", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), LOOK_AGAIN_MS);
    });
  }

  get open() {
    return !this.section.hidden;
  }

  async show() {
    // Whoever fills in the last slot and goes on at once need not wait for its sound themselves.
    if (!this.sound.there) this.sound.state.scrollIntoView({ block: "center" });
    await this.sound.settled;
    await this.keeping.keep();
    const missing = this.#missing();
    if (missing.length) { this.refused(missing); return; }
    this.form.hidden = true;
    this.section.hidden = false;
    if (!history.state?.asking) history.pushState({ asking: true }, "");
    this.hint.textContent = "";
    this.#own();
    this.#age();
    window.scrollTo(0, 0);
    this.section.querySelector("h1").focus();
    await this.look();
  }

  close() {
    clearTimeout(this.timer);
    this.section.hidden = true;
    this.form.hidden = false;
  }

  // What the server says of it; as long as it says nothing, what the phone knows stands there.
  async look() {
    if (!this.open) return;
    const { draft } = this.keeping;
    // The server has nothing to say of it before its sound is made.
    if (this.sound.unspoken) { this.#lost(); return; }
    try {
      const { csrf_token: token } = await me(draft.person);
      const body = new URLSearchParams(draft.fields);
      body.set("unit_id", draft.unit);
      body.set("request_id", draft.id);
      body.set("asset_digest", draft.asset?.digest ?? "");
      body.set("kept_s", this.sound.length_s);
      body.set("csrf_token", token);
      const answer = await ask("/urgent/confirm", draft.person, { method: "POST", body });
      const text = await answer.text();
      if (!this.open || this.keeping.draft !== draft) return;
      const playing = this.summary.querySelector("audio");
      if (playing && !playing.paused) return;
      this.summary.innerHTML = text;
      this.#hear();
      this.offline.hidden = true;
    } catch (error) {
      if (!this.open) return;
      if (error instanceof Refused) {
        history.back();
        this.refused([error.message]);
      } else if (error instanceof LoggedOut) {
        if (await this.login.again()) await this.look();
      } else if (error instanceof Lost) {
        this.#lost();
      } else throw error;
    }
  }

  // Kept on this phone for now: whether it then goes by itself, or is to be heard first.
  #lost() {
    const words = this.offline.dataset;
    this.offline.querySelector("[data-offline-said]").textContent = mayGo(this.keeping.draft) ? words.goes : words.heard;
    this.offline.hidden = false;
  }

  // What was written a while ago may not be true any more.
  #age() {
    const { heldAt } = this.keeping.draft;
    this.aged.hidden = !heldAt || !isOld({ heldAt }, this.staleMin);
    if (!this.aged.hidden) this.aged.querySelector("[data-aged-said]").textContent = this.aged.dataset.said.replace("{}", minutesSince(heldAt));
  }

  #missing() {
    const words = this.section.dataset;
    return [
      chosenClusters(this.form).size ? "" : words.noTarget,
      this.sound.there ? "" : words.noSound,
      titleOf(this.keeping.draft) ? "" : words.noTitle,
    ].filter(Boolean);
  }

  #own() {
    const made = this.section.querySelector("[data-own-summary]").content.cloneNode(true);
    const repeat = Number(this.form.elements.repeat.value);
    const put = (name, text) => { made.querySelector(`[data-own=${name}]`).textContent = text; };
    const figure = new Intl.NumberFormat(document.documentElement.lang);
    put("title", titleOf(this.keeping.draft));
    put("clusters", chosenClusters(this.form).size);
    put("people", figure.format(chosenPeople(this.form)));
    const { unspoken, speech } = this.sound;
    put("length", unspoken ? "?" : lengthText(repeat * this.sound.length_s + repeat - 1));
    made.querySelector("[data-own-heard]").hidden = unspoken;
    made.querySelector("[data-own-unspoken]").hidden = !unspoken;
    if (unspoken) put("words", speech.words);
    this.summary.replaceChildren(made);
    this.#hear();
  }

  // What is not at the server yet is heard from here, without the chime before it.
  #hear() {
    const player = this.summary.querySelector("audio");
    if (this.sound.address && !this.keeping.draft.asset) player.src = this.sound.address;
  }
}
