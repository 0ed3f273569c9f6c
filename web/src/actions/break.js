// What the buttons about a break do: one function, one frame.

/** @import { Ask } from "./floor.js" */

/** @param {Ask} ask @param {number} minutes */
export const startBreak = (ask, minutes) => ask({ type: "start_break", minutes });

/** @param {Ask} ask */
export const endBreak = (ask) => ask({ type: "end_break" });
