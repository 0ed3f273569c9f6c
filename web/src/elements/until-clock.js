// <until-clock>: how long until something is, "01:23"; it stands at 00:00 and is `due`, and says so once.

import { everyTick, untilNext, wake } from "../ticker.js";
import { durationText, serverNow } from "../time.js";

class UntilClock extends HTMLElement {
  #until = 0;
  #told = false;
  /** @type {(() => void) | null} */ due = null;
  /** @type {() => void} */ #stop = () => {};

  /** @param {number} until */
  set until(until) {
    if (until === this.#until) return;
    this.#told = false;
    this.#until = until;
    if (this.isConnected) wake();
  }

  connectedCallback() {
    this.#stop = everyTick(() => this.#tick());
  }

  disconnectedCallback() {
    this.#stop();
  }

  #tick() {
    const left = Math.max(0, this.#until - serverNow());
    const text = durationText(left);
    if (this.textContent !== text) this.textContent = text;
    this.toggleAttribute("due", left === 0);
    if (left > 0) return untilNext(left, -1);
    if (!this.#told) {
      this.#told = true;
      this.due?.();
    }
    return Infinity;
  }
}

customElements.define("until-clock", UntilClock);
