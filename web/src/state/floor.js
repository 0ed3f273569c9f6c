// Questions about who speaks, who waits and how much time is left. No DOM, no clock: the moment is an argument.

/** @import { Denied, Floor, Request, SiteId, Turn, TurnEnd, View } from "../../generated/protocol.ts" */

export const LAST_MINUTE_MS = 60_000;
export const LAST_SECONDS_MS = 15_000;

/** @param {Turn} turn @param {number} now */
export function usedMs(turn, now) {
  return turn.used_ms + (turn.running_since === null ? 0 : Math.max(0, now - turn.running_since));
}

/** Negative when over time. @param {Turn} turn @param {number} now */
export function leftMs(turn, now) {
  return turn.allotted_ms - usedMs(turn, now);
}

/** @typedef {"held" | "muted" | "silenced" | "interrupted" | "paused" | "over" | "last_seconds" | "last_minute" | "running"} TurnPhase */

/** What matters most about a turn, in that order. @param {Turn} turn @param {number} now @returns {TurnPhase} */
export function turnPhase(turn, now) {
  if (turn.held) return "held";
  if (turn.muted) return "muted";
  if (turn.silenced) return "silenced";
  if (turn.interrupted) return "interrupted";
  if (turn.paused) return "paused";
  const left = leftMs(turn, now);
  if (left <= -1_000) return "over";
  if (left <= LAST_SECONDS_MS) return "last_seconds";
  if (left <= LAST_MINUTE_MS) return "last_minute";
  return "running";
}

/** Whose turn F2 makes it. @param {Floor} floor @returns {Request | Turn | null} */
export const nextTurn = (floor) => (floor.next?.does === "take_up" ? allTurns(floor) : floor.queue).find((one) => one.turn === floor.next?.turn) ?? null;

/** Every speech that has the floor, the one everybody looks at first. @param {Floor} floor @returns {Turn[]} */
export const allTurns = (floor) => (floor.turn ? [floor.turn, ...floor.others.toReversed()] : []);

/** @param {Floor} floor @param {number} count */
export function nextThree(floor, count = 3) {
  return floor.queue.slice(0, count).map((request, place) => ({ request, place: place + 1 }));
}

/** Place of a site's first request in the list, from 1; 0 when it is not in it. @param {Floor} floor @param {SiteId} site */
export function placeOf(floor, site) {
  return floor.queue.findIndex((request) => request.site === site) + 1;
}

/**
 * @typedef {{ is: "speaking", turn: Turn }
 *   | { is: "on_deck", request: Request, place: number, more: number }
 *   | { is: "waiting", request: Request, place: number, before: number, more: number }
 *   | { is: "pending", request: Request }
 *   | { is: "ended", how: TurnEnd }
 *   | { is: "denied", denied: Denied }
 *   | { is: "idle" }} MyFloor
 */

/**
 * What a site's desk shows. `seen` is what the person has already been told about and put away.
 * @param {Floor} floor @param {SiteId} me @param {{ deniedSeen: number | null, endSeen: number | null }} seen @returns {MyFloor}
 */
export function myFloor(floor, me, seen) {
  const speech = allTurns(floor).find((turn) => turn.site === me);
  if (speech) return { is: "speaking", turn: speech };
  const mine = floor.queue.filter((request) => request.site === me);
  const first = mine[0];
  if (first) {
    const place = floor.queue.indexOf(first) + 1;
    const more = mine.length - 1;
    const onDeck = mine.find((request) => floor.on_deck.includes(request.turn));
    if (onDeck) return { is: "on_deck", request: onDeck, place: floor.queue.indexOf(onDeck) + 1, more };
    return { is: "waiting", request: first, place, before: place - 1, more };
  }
  const pending = floor.pending.find((request) => request.site === me);
  if (pending) return { is: "pending", request: pending };
  const denied = floor.denied.find((each) => each.site === me && each.turn !== seen.deniedSeen);
  if (denied) return { is: "denied", denied };
  if (floor.last?.site === me && floor.last.turn !== seen.endSeen) return { is: "ended", how: floor.last.how };
  return { is: "idle" };
}

/** @typedef {"live" | "held" | "deck" | "queued" | "lost" | "absent" | "weak" | "ready"} SiteState */

/** One word for a site, the most urgent first. @param {View} view @param {SiteId} site @param {boolean} weak @returns {SiteState} */
export function siteState(view, site, weak = false) {
  if (allTurns(view.floor).some((turn) => turn.site === site && turn.held)) return "held";
  const link = view.sites.find((each) => each.site === site);
  if (link && link.carrier === null) return link.since === null ? "absent" : "lost";
  if (view.stage.heard.includes(site)) return "live";
  if (view.stage.on_deck.includes(site)) return "deck";
  if (placeOf(view.floor, site) > 0) return "queued";
  return weak ? "weak" : "ready";
}
