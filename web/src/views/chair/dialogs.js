// The questions the console asks before what cannot be taken back.

/** @import { View, Waiting } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { moveOn, startItem } from "../../actions/agenda.js";
import { denyRequest, revokeTurn, takeChair } from "../../actions/floor.js";
import { startRollCall } from "../../actions/roll.js";
import { nextItem } from "../../state/agenda.js";
import { siteCall } from "../../state/sites.js";
import { number } from "../../text.js";
import { dialog, html, nothing, t } from "../pieces.js";

const WAITING = /** @type {const} */ (["carry", "keep", "clear"]);

/** @param {Ctx} ctx @param {View} view */
export function dialogs(ctx, view) {
  const { confirm } = ctx.app.ui;
  const turn = view.floor.turn;
  if (confirm?.what === "revoke" && turn?.turn === confirm.id) {
    const site = siteCall(view, turn.site);
    return dialog(ctx, { title: t("revoke-title", { site }), text: t("revoke-text"), stay: t("revoke-stay"), go: t("revoke-go"), act: () => revokeTurn(ctx.ask, confirm.id) });
  }
  if (confirm?.what === "next-item" && (view.agenda.current ?? 0) === confirm.id) return nextItemDialog(ctx, view, confirm.id);
  if (confirm?.what === "reopen-item") return reopenDialog(ctx, view, confirm.id);
  if (confirm?.what === "take-chair") return dialog(ctx, { title: t("take-chair-title"), text: t("take-chair-text"), stay: t("cancel"), go: t("take-chair"), act: () => takeChair(ctx.ask) });
  if (confirm?.what === "roll-again") return dialog(ctx, { title: t("roll-again-title"), text: t("roll-again-text", { n: confirm.id }), stay: t("cancel"), go: t("roll-again-go"), act: () => startRollCall(ctx.ask) });
  const request = confirm?.what === "deny" ? [...view.floor.queue, ...view.floor.pending].find((each) => each.turn === confirm.id) : undefined;
  if (request) {
    const field = html`<div class="field dialog-field"><label for="deny-reason">${t("deny-reason")}</label><input class="input" id="deny-reason" maxlength="200" autocomplete="off" autofocus></div>`;
    const reason = () => /** @type {HTMLInputElement | null} */ (document.getElementById("deny-reason"))?.value ?? "";
    return dialog(ctx, { title: t("deny-title", { site: siteCall(view, request.site) }), text: t("deny-text"), stay: t("deny-stay"), go: t("deny-go"), field, act: () => denyRequest(ctx.ask, request.turn, reason()) });
  }
  return nothing;
}

/** A speech would be cut, or others wait: both are said, and what becomes of the list is asked. @param {Ctx} ctx @param {View} view @param {number} current The running item, or 0 between items. */
function nextItemDialog(ctx, view, current) {
  const { floor } = view;
  const next = nextItem(view.agenda);
  const count = floor.queue.length + floor.pending.length;
  const go = next ? t("go-to-item", { n: next.id }) : t("finish-item", { n: current });
  const asks = next !== null && count > 0;
  const text = floor.turn ? t("next-item-text", { site: siteCall(view, floor.turn.site), n: number(count) }) : t("next-item-waiting");
  return dialog(ctx, { title: `${go}?`, text, stay: current === 0 ? t("cancel") : t("stay-in-item", { n: current }), go, field: asks ? waitingField(count) : nothing, act: () => moveOn(ctx.ask, view.agenda, asks ? chosen() : undefined) });
}

/** What becomes of those who still wait. @param {number} count */
const waitingField = (count) => html`<fieldset class="choices dialog-field"><legend>${t("waiting-what", { n: number(count) })}</legend>
    ${WAITING.map((how, place) => html`<label><input type="radio" name="waiting" value=${how} ?checked=${place === 0} ?autofocus=${place === 0}>${t(`waiting-${how}`)}</label>`)}</fieldset>`;

const chosen = () => /** @type {Waiting | undefined} */ (/** @type {HTMLInputElement | null} */ (document.querySelector("input[name=waiting]:checked"))?.value);

/** An item that is over is taken up again, with the requests kept for it. @param {Ctx} ctx @param {View} view @param {number} item */
function reopenDialog(ctx, view, item) {
  const count = view.floor.queue.length + view.floor.pending.length;
  const act = () => {
    startItem(ctx.ask, item, count > 0 ? chosen() : undefined);
    ctx.ui({ panel: "" });
  };
  return dialog(ctx, { title: t("reopen-title", { n: item }), text: t("reopen-text"), stay: t("cancel"), go: t("reopen-go"), field: count > 0 ? waitingField(count) : nothing, act });
}
