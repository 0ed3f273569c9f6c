// Clocks own their digits and move by themselves: nothing is drawn anew because a second passed.

/** @import { Turn } from "../../generated/protocol.ts" */
/** @import { TurnPhase } from "../state/floor.js" */

import { leftMs, turnPhase, usedMs } from "../state/floor.js";
import { t } from "../text.js";
import { everyTick } from "../ticker.js";
import { clockTime, durationText, serverNow, shortTime } from "../time.js";

class Ticking extends HTMLElement {
  /** @type {() => void} */ #stop = () => {};

  connectedCallback() {
    this.build();
    this.#stop = everyTick(() => this.tick());
    this.tick();
  }

  disconnectedCallback() {
    this.#stop();
  }

  build() {}
  tick() {}
}

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
  }
}

/** <since-clock>: how long ago something was, "06:40". */
class SinceClock extends Ticking {
  #since = 0;

  /** @param {number} since */
  set since(since) {
    this.#since = since;
    if (this.isConnected) this.tick();
  }

  tick() {
    write(this, durationText(Math.max(0, Math.floor((serverNow() - this.#since) / 1000) * 1000)));
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
    this.#turn = turn;
    if (this.isConnected) this.tick();
  }

  build() {
    this.setAttribute("role", "timer");
    this.classList.add("clock");
    this.#says.append(this.#word, this.#of);
    this.append(this.#digits, this.#says, this.#minutes);
  }

  tick() {
    const turn = this.#turn;
    if (!turn) return;
    const now = serverNow();
    const phase = turnPhase(turn, now);
    const digits = durationText(leftMs(turn, now));
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
  }
}

/** <turn-time>: only the digits and a small word, for the strip under a picture. */
class TurnTime extends Ticking {
  /** @type {Turn | null} */ #turn = null;
  #digits = document.createElement("span");
  #word = document.createElement("small");

  /** @param {Turn | null} turn */
  set turn(turn) {
    this.#turn = turn;
    if (this.isConnected) this.tick();
  }

  build() {
    this.setAttribute("role", "timer");
    this.append(this.#digits, this.#word);
  }

  tick() {
    if (!this.#turn) return;
    const phase = turnPhase(this.#turn, serverNow());
    write(this.#digits, durationText(leftMs(this.#turn, serverNow())));
    write(this.#word, t(`turn-${phase.replace("_", "-")}`));
    this.dataset["phase"] = phase;
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
