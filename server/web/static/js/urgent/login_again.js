// Log in again in place: what is being recorded or written stays as it is.

import { LoggedOut, Lost } from "../kept/answers.js";
import { me } from "../kept/sending.js";

export class LoginAgain {
  constructor(dialog, person) {
    Object.assign(this, { dialog, person, asked: null });
    this.form = dialog.querySelector("form");
    this.said = dialog.querySelector("[data-login-said]");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#try(); });
    dialog.querySelector("[data-login-later]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => this.#answer(false));
  }

  // True when the same person is logged in again; several who ask wait for one answer.
  again() {
    this.asked ??= new Promise((resolve) => { this.resolve = resolve; });
    if (!this.dialog.open) {
      this.said.textContent = "";
      this.form.elements.password.value = "";
      this.dialog.showModal();
    }
    return this.asked;
  }

  async #try() {
    const words = this.dialog.dataset;
    const { username, password } = this.form.elements;
    this.said.textContent = words.wait;
    let answer;
    try {
      answer = await fetch("/login", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ username: username.value, password: password.value }),
      });
    } catch {
      this.said.textContent = words.lost;
      return;
    }
    if (answer.status === 429) { this.said.textContent = words.tooOften; return; }
    try {
      // Whether the log-in was right is seen by who is logged in now.
      const { csrf_token: token } = await me(this.person);
      document.querySelector('meta[name="csrf-token"]').content = token;
      for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
    } catch (error) {
      if (!(error instanceof LoggedOut || error instanceof Lost)) throw error;
      this.said.textContent = error instanceof Lost ? words.lost : words.wrong;
      password.select();
      return;
    }
    this.#answer(true);
    this.dialog.close();
  }

  #answer(well) {
    this.resolve?.(well);
    this.asked = null;
    this.resolve = null;
  }
}
