// What the buttons about the agenda do: one function, one frame.

/** @import { Agenda, ItemId, Waiting } from "../../generated/protocol.ts" */
/** @import { Ask } from "./floor.js" */

/** @param {Ask} ask @param {ItemId} item @param {Waiting} [waiting] What becomes of those who still wait. */
export const startItem = (ask, item, waiting) => ask({ type: "start_item", item, ...(waiting && { waiting }) });

/** @param {Ask} ask @param {ItemId} item */
export const finishItem = (ask, item) => ask({ type: "finish_item", item });

/** Says which item the console believes to run and to be next: two consoles may press at once. @param {Ask} ask @param {Agenda} agenda @param {Waiting} [waiting] */
export const moveToNextItem = (ask, agenda, waiting) =>
  agenda.next !== null && ask({ type: "next_item", after: agenda.current, expect: agenda.next, ...(waiting && { waiting }) });

/** @param {Ask} ask @param {ItemId} item @param {ItemId | null} before */
export const moveItem = (ask, item, before) => ask({ type: "move_item", item, before });

/** Begins the next item, or finishes the last. @param {Ask} ask @param {Agenda} agenda @param {Waiting} [waiting] */
export function moveOn(ask, agenda, waiting) {
  if (agenda.next !== null) return agenda.current === null ? startItem(ask, agenda.next, waiting) : moveToNextItem(ask, agenda, waiting);
  return agenda.current !== null && finishItem(ask, agenda.current);
}
