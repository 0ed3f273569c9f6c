// What is new on the list, as a fold of two moments.

/** @import { Request } from "../../generated/protocol.ts" */
/** @import { App } from "./app.js" */

import { allTurns } from "./floor.js";

/** A request that was not there a moment ago: one that has come back from the floor, or has been accepted, is not new. @param {App} before @param {App} after @returns {Request | null} */
export function newRequest({ view: before }, { view: after, link }) {
  // A desk that has just come is not told what was there before it.
  if (!before || !after || before.floor === after.floor || link !== "joined") return null;
  const known = new Set([...before.floor.queue, ...before.floor.pending, ...allTurns(before.floor)].map(({ turn }) => turn));
  const newest = Math.max(0, ...known);
  return [...after.floor.queue, ...after.floor.pending].find(({ turn }) => turn > newest && !known.has(turn)) ?? null;
}
