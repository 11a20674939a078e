// Asks for the second factor in place, when the server wants it for what is being sent: a code, or somebody
// else who confirms.

import { ask, LoggedOut, Lost, Refused } from "../kept/answers.js";
import { me } from "../kept/sending.js";

export class Factor {
  constructor(dialog, person, login) {
    Object.assign(this, { dialog, person, login });
    this.form = dialog.querySelector("form");
    this.said = dialog.querySelector("[data-factor-said]");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#try(); });
    dialog.querySelector("[data-factor-later]").addEventListener("click", () => dialog.close());
    dialog.querySelector("[data-factor-other]").addEventListener("click", () => this.#end("other"));
    dialog.addEventListener("close", () => { this.resolve?.("later"); this.resolve = null; });
  }

  // "proven", "other": somebody else confirms, or "later".
  asked() {
    if (this.said) this.said.textContent = "";
    this.form.elements.code && (this.form.elements.code.value = "");
    this.dialog.showModal();
    return new Promise((resolve) => { this.resolve = resolve; });
  }

  async #try() {
    const words = this.dialog.dataset;
    const { code } = this.form.elements;
    this.said.textContent = words.wait;
    try {
      const { csrf_token: token } = await me(this.person);
      const body = new URLSearchParams({ code: code.value, csrf_token: token });
      await ask("/account/factor/prove", this.person, { method: "POST", body });
      this.#end("proven");
    } catch (error) {
      if (error instanceof LoggedOut) { if (await this.login.again()) await this.#try(); return; }
      if (!(error instanceof Lost || error instanceof Refused)) throw error;
      this.said.textContent = error.message || words.lost;
      code.select();
    }
  }

  #end(answer) {
    this.resolve?.(answer);
    this.resolve = null;
    this.dialog.close();
  }
}
