// <until-clock>: how long until something is, "01:23"; it stands at 00:00.

import { everyTick } from "../ticker.js";
import { durationText, serverNow } from "../time.js";

class UntilClock extends HTMLElement {
  #until = 0;
  /** @type {() => void} */ #stop = () => {};

  /** @param {number} until */
  set until(until) {
    this.#until = until;
    this.#tick();
  }

  connectedCallback() {
    this.#stop = everyTick(() => this.#tick());
    this.#tick();
  }

  disconnectedCallback() {
    this.#stop();
  }

  #tick() {
    const text = durationText(Math.max(0, this.#until - serverNow()));
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("until-clock", UntilClock);
