// Questions about the agenda.

/** @import { Agenda, Item } from "../../generated/protocol.ts" */

/** @param {Agenda} agenda @returns {Item | null} */
export const currentItem = (agenda) => agenda.items.find((item) => item.id === agenda.current) ?? null;

/** The item that would begin next: the first not begun. @param {Agenda} agenda @returns {Item | null} */
export function nextItem(agenda) {
  return agenda.items.find((item) => item.started === null) ?? null;
}

/** @param {Agenda} agenda */
export const hasBegun = (agenda) => agenda.items.some((item) => item.started !== null);


/** Whole minutes an item has taken so far; null before it begins. @param {Item} item @param {number} now */
export function minutesTaken(item, now) {
  if (item.started === null) return null;
  return Math.max(0, Math.floor(((item.finished ?? now) - item.started) / 60_000));
}

/** How late the agenda runs, in minutes: time saved in one item makes up for another; the running one counts once over its plan. @param {Agenda} agenda @param {number} now */
export function minutesLate(agenda, now) {
  return agenda.items.reduce((late, item) => {
    const taken = minutesTaken(item, now);
    if (taken === null) return late;
    return late + (item.finished === null ? Math.max(0, taken - item.minutes) : taken - item.minutes);
  }, 0);
}
