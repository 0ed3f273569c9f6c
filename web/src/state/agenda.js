// Questions about the agenda.

/** @import { Agenda, Item } from "../../generated/protocol.ts" */

/** @param {Agenda} agenda @returns {Item | null} */
export const currentItem = (agenda) => agenda.items.find((item) => item.id === agenda.current) ?? null;

/** The item that comes next, as the server says. @param {Agenda} agenda @returns {Item | null} */
export const nextItem = (agenda) => agenda.items.find((item) => item.id === agenda.next) ?? null;

/** @param {Agenda} agenda */
export const hasBegun = (agenda) => agenda.items.some((item) => item.started !== null);

/** An item with its parts; a part's minutes are within its whole's. @typedef {{ whole: Item, parts: Item[] }} Group */

/** @param {Agenda} agenda @returns {Group[]} */
const groups = ({ items }) => items.filter((item) => item.part_of === null).map((whole) => ({ whole, parts: items.filter((item) => item.part_of === whole.id) }));

/** The moment each item is planned to begin; empty when neither the time nor the beginning is known. @param {Agenda} agenda @param {number | null} starts Minutes after midnight. @param {number} midnight @returns {Map<number, number>} */
export function plannedStarts(agenda, starts, midnight) {
  const begun = agenda.items.find((item) => item.started !== null)?.started ?? null;
  const first = starts === null ? begun : midnight + starts * 60_000;
  const planned = new Map();
  if (first === null) return planned;
  let at = first;
  for (const { whole, parts } of groups(agenda)) {
    planned.set(whole.id, at);
    let within = at;
    for (const part of parts) {
      planned.set(part.id, within);
      within += part.minutes * 60_000;
    }
    at += whole.minutes * 60_000;
  }
  return planned;
}

/** Whole minutes an item has taken so far; null before it begins. @param {Item} item @param {number} now */
export function minutesTaken(item, now) {
  if (item.started === null) return null;
  return Math.max(0, Math.floor(((item.finished ?? now) - item.started) / 60_000));
}

/** How late the agenda runs, in minutes: time saved in one item makes up for another; one that still runs counts once it is over its plan. @param {Agenda} agenda @param {number} now */
export function minutesLate(agenda, now) {
  return groups(agenda).reduce((late, group) => late + groupLate(group, now), 0);
}

/** @param {Group} group @param {number} now */
function groupLate({ whole, parts }, now) {
  const begun = [whole, ...parts].filter((item) => item.started !== null);
  if (begun.length === 0) return 0;
  const over = begun.reduce((sum, item) => sum + (minutesTaken(item, now) ?? 0), 0) - whole.minutes;
  // Parts still to come may use what is left.
  const isOver = begun.every((item) => item.finished !== null) && parts.every((part) => part.started !== null);
  return isOver ? over : Math.max(0, over);
}
