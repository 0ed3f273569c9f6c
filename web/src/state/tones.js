// What a desk is told by ear, as a fold of two moments: a new request for the chair, the clock's warnings for who speaks
// and who presides. No sound here: only which.

/** @import { App } from "./app.js" */

import { presides } from "./app.js";
import { allTurns } from "./floor.js";
import { newRequest } from "./news.js";

/** @typedef {"request" | "last_minute" | "last_seconds" | "over"} Tone */

/** @param {number} seconds @returns {Tone} */
const warningTone = (seconds) => (seconds <= 0 ? "over" : seconds <= 15 ? "last_seconds" : "last_minute");

/** @param {App} before @param {App} after @returns {Tone | null} */
export function toneDue(before, after) {
  // A desk that has just come is not told by ear what was there before it.
  if (!before.view || !after.view || before.view.floor === after.view.floor || after.link !== "joined") return null;
  const chairs = presides(after, after.view);
  return warning(before, after, chairs) ?? (chairs && newRequest(before, after) ? "request" : null);
}

/** @param {App} before @param {App} after @param {boolean} chairs @returns {Tone | null} */
function warning(before, after, chairs) {
  const told = new Map(before.view ? allTurns(before.view.floor).map((turn) => [turn.turn, turn.warned_s ?? Infinity]) : []);
  for (const turn of after.view ? allTurns(after.view.floor) : []) {
    if (!chairs && turn.site !== after.me?.site) continue;
    // A short turn begins under its first mark, and a minute more goes back over one: neither is a warning.
    if (turn.warned_s !== null && turn.warned_s < (told.get(turn.turn) ?? -1)) return warningTone(turn.warned_s);
  }
  return null;
}
