// What a change of the floor means for the desk of a site. Only that desk needs it.

/** @import { Turn, View } from "../../generated/protocol.ts" */
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

/** A paused or held turn is told by the panel. @param {App} app @param {Turn} turn */
export const isSummoned = (app, turn) => app.ui.summoned === turn.turn && !turn.paused && !turn.held && !turn.muted && !turn.silenced && !turn.interrupted;

/** Why nobody hears this machine's room, as a text; "" while all hear it, be it by another machine of the site. @param {App} app */
export function silence({ link, media, me, view }) {
  if (link !== "joined") return "reconnecting";
  const carrier = view?.sites.find((each) => each.site === me?.site)?.carrier ?? me?.carries;
  if (carrier === me?.carries && carrier !== "nothing") {
    if (!media.hasMicrophone) return media.capturing ? "opening-device" : `microphone-${media.microphoneTrouble ?? "other"}`;
    if (!media.microphoneOpen) return "microphone-closed";
    if (media.uplink !== "connected") return media.uplink === "failed" ? "uplink-failed" : "uplink-connecting";
  }
  return me?.site != null && view?.stage.heard.includes(me.site) ? "" : "microphone-ready";
}

/** The same view, in which its own site is heard only if it is. While the link is lost the server's last word stands: the microphone may well be heard. @param {App} app @param {View} view @returns {View} */
export const asHeard = (app, view) => (["", "reconnecting"].includes(silence(app)) ? view : { ...view, stage: { ...view.stage, heard: view.stage.heard.filter((site) => site !== app.me?.site) } });

/** The delegates of a site's requests, as long as they wait or are told denied. @param {Ui["asked"]} before @param {View["floor"]} floor @param {number} site @returns {Ui["asked"]} */
function askedOf(before, floor, site) {
  const waiting = [...floor.queue, ...floor.pending].filter((request) => request.site === site);
  const denied = floor.denied.filter((each) => each.site === site);
  return Object.fromEntries([...denied.map(({ turn }) => [turn, before[turn] ?? ""]), ...waiting.map(({ turn, words }) => [turn, words.delegate])]);
}
