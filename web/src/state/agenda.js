// Questions about the agenda.

/** @import { Agenda, Item } from "../../generated/protocol.ts" */

/** @param {Agenda} agenda @returns {Item | null} */
export const currentItem = (agenda) => agenda.items.find((item) => item.id === agenda.current) ?? null;

/** The item that comes next, as the server says. @param {Agenda} agenda @returns {Item | null} */
export const nextItem = (agenda) => agenda.items.find((item) => item.id === agenda.next) ?? null;

/** When the first item began; null before. @param {Agenda} agenda */
export function begunAt({ items }) {
  const moments = items.flatMap((item) => (item.started === null ? [] : [item.started]));
  return moments.length === 0 ? null : Math.min(...moments);
}

/** @param {Agenda} agenda */
export const hasBegun = (agenda) => begunAt(agenda) !== null;
