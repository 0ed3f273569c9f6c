// When each item was planned, and how far the conference is from it.

/** @import { Agenda, Item } from "../../generated/protocol.ts" */

import { begunAt, currentItem, hasBegun, nextItem } from "./agenda.js";

/** An item with its parts; a part's minutes are within its whole's. @typedef {{ whole: Item, parts: Item[] }} Group */

/** @param {Agenda} agenda @returns {Group[]} */
const groups = ({ items }) => items.filter((item) => item.part_of === null).map((whole) => ({ whole, parts: items.filter((item) => item.part_of === whole.id) }));

/** Begun further from its planned hour than this it is another day's rehearsal, and its plan counts from its beginning. */
const REHEARSAL_MS = 2 * 3_600_000;

/** The moment each item is planned to begin; empty when neither the time nor the beginning is known. @param {Agenda} agenda @param {number | null} starts Minutes after midnight. @param {number} midnight @returns {Map<number, number>} */
export function plannedStarts(agenda, starts, midnight) {
  const begun = begunAt(agenda);
  const hour = starts === null ? null : midnight + starts * 60_000;
  const first = hour === null || (begun !== null && Math.abs(begun - hour) > REHEARSAL_MS) ? begun : hour;
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
  return Math.max(0, Math.floor(((item.finished ?? now) - item.started - item.idle_ms) / 60_000));
}

/**
 * Whole minutes the agenda is behind its plan, negative when ahead: as late as the running item began, or as far as it is
 * over its planned end; between items, how long ago the next one was to begin. Null before the plan or the beginning is known.
 * @param {Agenda} agenda @param {Map<number, number>} planned @param {number} now
 */
export function minutesBehind(agenda, planned, now) {
  if (!hasBegun(agenda) || planned.size === 0) return null;
  const current = currentItem(agenda);
  const begins = (/** @type {Item} */ item) => planned.get(item.id) ?? now;
  const ends = (/** @type {Item} */ item) => begins(item) + item.minutes * 60_000;
  if (current) return minutes(Math.max((current.started ?? now) - begins(current), now - ends(current)));
  const next = nextItem(agenda);
  if (next) return minutes(Math.max(0, now - begins(next)));
  const finished = agenda.items.map((item) => item.finished ?? 0);
  return minutes(Math.max(...finished) - Math.max(...agenda.items.map(ends)));
}

/** Seconds do not make a conference late. @param {number} ms */
const minutes = (ms) => Math.trunc(ms / 60_000) || 0;
