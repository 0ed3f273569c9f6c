// Clocks own their digits and move by themselves: nothing is drawn anew because a second passed.

/** @import { Turn } from "../../generated/protocol.ts" */
/** @import { TurnPhase } from "../state/floor.js" */

import { leftMs, turnPhase, usedMs } from "../state/floor.js";
import { t } from "../text.js";
import { everyTick, untilNext, wake } from "../ticker.js";
import { clockTime, durationText, serverNow, shortTime } from "../time.js";

class Ticking extends HTMLElement {
  /** @type {() => void} */ #stop = () => {};

  connectedCallback() {
    this.build();
    this.#stop = everyTick(() => this.tick());
  }

  disconnectedCallback() {
    this.#stop();
  }

  build() {}

  /** Draws, and says in how many milliseconds it will look different. @returns {number} */
  tick() {
    return Infinity;
  }
}

/** @param {Turn} turn @param {number} left */
const turnTick = (turn, left) => (turn.running_since === null ? Infinity : untilNext(left, -1));

/** @param {Node} node @param {string} text */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** <wall-clock>: the time of day; with `short`, without seconds. */
class WallClock extends Ticking {
  #time = document.createElement("time");

  build() {
    this.append(this.#time);
  }

  tick() {
    const now = serverNow();
    write(this.#time, this.hasAttribute("short") ? shortTime(now) : clockTime(now));
    return untilNext(now, 1);
  }
}

/** <since-clock>: how long ago something was, "06:40". */
class SinceClock extends Ticking {
  #since = 0;

  /** @param {number} since */
  set since(since) {
    if (since === this.#since) return;
    this.#since = since;
    if (this.isConnected) wake();
  }

  tick() {
    const past = serverNow() - this.#since;
    write(this, durationText(Math.max(0, Math.floor(past / 1000) * 1000)));
    return untilNext(past, 1);
  }
}

/** Classes of the look for each phase of a turn. @type {Record<TurnPhase, string[]>} */
const LOOKS = {
  running: [], last_minute: ["soon"], last_seconds: ["soon", "last"], over: ["over"],
  paused: ["paused"], held: ["paused"], silenced: ["paused"], interrupted: ["paused"], muted: ["over"],
};

/** <turn-clock>: digits, what they mean in words, and a rule with one mark for each minute. */
class TurnClock extends Ticking {
  /** @type {Turn | null} */ #turn = null;
  #digits = part("digits");
  #says = part("says");
  #word = document.createElement("b");
  #of = document.createElement("span");
  #minutes = part("minutes");
  #look = "";

  /** @param {Turn | null} turn */
  set turn(turn) {
    if (turn === this.#turn) return;
    this.#turn = turn;
    if (this.isConnected) wake();
  }

  build() {
    this.setAttribute("role", "timer");
    this.classList.add("clock");
    this.#says.append(this.#word, this.#of);
    this.append(this.#digits, this.#says, this.#minutes);
  }

  tick() {
    const turn = this.#turn;
    if (!turn) return Infinity;
    const now = serverNow();
    const phase = turnPhase(turn, now);
    const left = leftMs(turn, now);
    const digits = durationText(left);
    const of = durationText(turn.allotted_ms);
    const look = LOOKS[phase].join(" ");
    if (look !== this.#look) {
      this.classList.remove("soon", "last", "over", "paused");
      this.classList.add(...LOOKS[phase]);
      this.#look = look;
    }
    write(this.#digits, digits);
    write(this.#word, t(`turn-${phase.replace("_", "-")}`));
    write(this.#of, `/ ${of}`);
    this.#minutes.style.setProperty("--n", String(Math.max(1, Math.round(turn.allotted_ms / 60_000))));
    this.#minutes.style.setProperty("--done", `${Math.min(100, (usedMs(turn, now) / turn.allotted_ms) * 100).toFixed(1)}%`);
    const label = t("turn-clock-label", { word: this.#word.textContent ?? "", left: digits, of });
    if (this.getAttribute("aria-label") !== label) this.setAttribute("aria-label", label);
    return turnTick(turn, left);
  }
}

/** <turn-time>: only the digits and a small word, for the strip under a picture. */
class TurnTime extends Ticking {
  /** @type {Turn | null} */ #turn = null;
  #digits = document.createElement("span");
  #word = document.createElement("small");

  /** @param {Turn | null} turn */
  set turn(turn) {
    if (turn === this.#turn) return;
    this.#turn = turn;
    if (this.isConnected) wake();
  }

  build() {
    this.setAttribute("role", "timer");
    this.append(this.#digits, this.#word);
  }

  tick() {
    if (!this.#turn) return Infinity;
    const now = serverNow();
    const phase = turnPhase(this.#turn, now);
    const left = leftMs(this.#turn, now);
    write(this.#digits, durationText(left));
    write(this.#word, t(`turn-${phase.replace("_", "-")}`));
    this.dataset["phase"] = phase;
    return turnTick(this.#turn, left);
  }
}

/** @param {string} name */
function part(name) {
  const element = document.createElement("span");
  element.className = name;
  return element;
}

customElements.define("wall-clock", WallClock);
customElements.define("since-clock", SinceClock);
customElements.define("turn-clock", TurnClock);
customElements.define("turn-time", TurnTime);
