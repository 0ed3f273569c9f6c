// <level-meter>: the loudness of the room's own microphone, read many times a second, with a mark at the recent peak.

const EVERY_MS = 60;
const PEAK_FALLS_DB = 0.6;
const SIGNAL_DB = -50;

class LevelMeter extends HTMLElement {
  /** @type {() => number | null} */ read = () => null;
  /** @type {(signal: boolean) => void} Told when there is a signal for the first time, and when it is gone. */ signalChanged = () => {};
  #peak = -60;
  #signal = false;
  #quietSince = 0;
  /** @type {number | undefined} */ #timer;

  connectedCallback() {
    this.classList.add("meter");
    this.setAttribute("role", "meter");
    this.setAttribute("aria-valuemin", "-60");
    this.setAttribute("aria-valuemax", "0");
    this.#timer = setInterval(() => this.#step(), EVERY_MS);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  #step() {
    const level = this.read() ?? -60;
    this.#peak = Math.max(level, this.#peak - PEAK_FALLS_DB, -60);
    this.style.setProperty("--level", percent(level));
    this.style.setProperty("--peak", percent(this.#peak));
    const now = String(Math.round(level));
    if (this.getAttribute("aria-valuenow") !== now) this.setAttribute("aria-valuenow", now);
    this.#tellSignal(level > SIGNAL_DB);
  }

  /** @param {boolean} loud */
  #tellSignal(loud) {
    if (loud) this.#quietSince = performance.now();
    const signal = loud || performance.now() - this.#quietSince < 4_000;
    if (signal === this.#signal || (!signal && this.#quietSince === 0)) return;
    this.#signal = signal;
    this.signalChanged(signal);
  }
}

/** @param {number} decibels */
const percent = (decibels) => `${Math.round(((decibels + 60) / 60) * 100)}%`;

customElements.define("level-meter", LevelMeter);
