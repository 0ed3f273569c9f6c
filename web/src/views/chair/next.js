// What the one large button does now, and what it says when it can do nothing: the key and the button ask here.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { grant, grantNext } from "../../actions/floor.js";
import { callNextSite } from "../../actions/roll.js";
import { currentItem } from "../../state/agenda.js";
import { nextTurn } from "../../state/floor.js";
import { isLinked, siteCall } from "../../state/sites.js";
import { t } from "../pieces.js";

/** @typedef {{ words: string, act: (() => void) | null }} NextAct */

/** @param {Ctx} ctx @param {View} view @returns {NextAct} */
export function nextAct(ctx, view) {
  const { floor, attendance: { calling } } = view;
  const last = !view.attendance.walks || !view.attendance.sites.some((line) => line.how === null && line.site !== calling);
  if (calling !== null) return { words: t(last ? "call-done" : "call-next-site"), act: () => callNextSite(ctx.ask, calling) };
  const next = nextTurn(floor);
  if (next) return { words: t(floor.next?.does === "take_up" ? "take-up-next" : "grant-next", { site: siteCall(view, next.site) }), act: () => grantNext(ctx.ask, floor, next.turn) };
  const at = floor.queue.findIndex((request) => request.turn === ctx.app.ui.picked);
  const picked = floor.queue[at];
  if (picked && isLinked(view, picked.site)) return { words: t("grant-picked", { n: at + 1, site: siteCall(view, picked.site) }), act: () => grant(ctx.ask, floor, picked.turn) };
  return { words: t(whyNobody(view)), act: null };
}

/** Why the list has nobody to call by itself. @param {View} view */
function whyNobody(view) {
  const { queue } = view.floor;
  if (queue.length === 0) return "grant-next-nobody";
  if (!queue.some((request) => isLinked(view, request.site))) return "grant-next-unlinked";
  return currentItem(view.agenda)?.turns.queue.mode === "chair_picks" ? "grant-next-pick" : "grant-next-unready";
}
