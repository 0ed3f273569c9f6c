// What a change of the floor means for the desk of a site. Only that desk needs it.

/** @import { View } from "../../generated/protocol.ts" */
/** @import { App, Ui } from "./app.js" */

import { allTurns } from "./floor.js";

/** @param {App} before @param {App} after @returns {App} */
export function followOwn(before, after) {
  const site = after.me?.site ?? null;
  if (!after.view || site === null || before.view === after.view) return after;
  const { floor } = after.view;
  const asked = askedOf(after.ui.asked, floor, site);
  const { confirm: open } = after.ui;
  const confirm = open?.what === "withdraw" && ![...floor.queue, ...floor.pending, ...floor.kept].some((request) => request.turn === open.id) ? null : open;
  const ui = { ...after.ui, asked, confirm };
  const turnOf = (/** @type {View | null} */ view) => (view ? allTurns(view.floor).find((turn) => turn.site === site)?.turn ?? null : null);
  const speaking = turnOf(after.view);
  if (speaking === turnOf(before.view)) return { ...after, ui };
  // Nothing may lie over the invitation.
  return { ...after, ui: { ...ui, summoned: before.view ? speaking : null, asking: speaking === null ? ui.asking : "", confirm: speaking === null ? confirm : null } };
}

/** The delegates of a site's requests, as long as they wait or are told denied. @param {Ui["asked"]} before @param {View["floor"]} floor @param {number} site @returns {Ui["asked"]} */
function askedOf(before, floor, site) {
  const waiting = [...floor.queue, ...floor.pending].filter((request) => request.site === site);
  const denied = floor.denied.filter((each) => each.site === site);
  return Object.fromEntries([...denied.map(({ turn }) => [turn, before[turn] ?? ""]), ...waiting.map(({ turn, words }) => [turn, words.delegate])]);
}
