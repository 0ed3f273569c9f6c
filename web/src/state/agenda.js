// Questions about the agenda.

/** @import { Agenda, Item } from "../../generated/protocol.ts" */

/** @param {Agenda} agenda @returns {Item | null} */
export const currentItem = (agenda) => agenda.items.find((item) => item.id === agenda.current) ?? null;

/** The item that comes next, as the server says. @param {Agenda} agenda @returns {Item | null} */
export const nextItem = (agenda) => agenda.items.find((item) => item.id === agenda.next) ?? null;

/** @param {Agenda} agenda */
export const hasBegun = (agenda) => agenda.items.some((item) => item.started !== null);

/** The moment each item is planned to begin; null when neither the time nor the beginning is known. @param {Agenda} agenda @param {number | null} starts Minutes after midnight. @param {number} midnight @returns {Map<number, number>} */
export function plannedStarts(agenda, starts, midnight) {
  const begun = agenda.items.find((item) => item.started !== null && item.part_of === null)?.started ?? null;
  const first = starts === null ? begun : midnight + starts * 60_000;
  const planned = new Map();
  if (first === null) return planned;
  let at = first;
  for (const item of agenda.items) {
    planned.set(item.id, at);
    // A part's minutes are within its whole's.
    if (item.part_of === null) at += item.minutes * 60_000;
  }
  return planned;
}

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
