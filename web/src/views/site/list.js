// The list as a site reads it: its own requests with a way back, and everybody's place with the reason.

/** @import { Request, View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { dialog, fittingName, html, icon, mark, nothing, subject, t, whyWords } from "../pieces.js";
import { withdrawRequest } from "../../actions/floor.js";
import { addButton, askWithdraw } from "./panel.js";

/** @param {Ctx} ctx @param {View} view */
export function listZone(ctx, view) {
  return html`<section class="zone places" aria-labelledby="h-places"><div class="zone-head"><h2 id="h-places">${t("list-tab")}</h2><span class="faint">${t("list-waits", { n: view.floor.queue.length })}</span>${addButton(ctx, view)}</div>
    ${ownRequests(ctx, view)}
    ${view.floor.queue.length === 0 ? html`<p class="empty">${t("list-empty")}</p>` : html`<ol>${view.floor.queue.map((request, place) => row(ctx, view, request, place + 1))}</ol>`}</section>`;
}

/** A site's own requests, also those that wait for the chair's word. @param {Ctx} ctx @param {View} view @param {number} [least] Fewer are not worth a list: the panel says it. */
export function ownRequests(ctx, view, least = 1) {
  const me = ctx.app.me?.site ?? -1;
  const own = [...view.floor.queue.map((request, place) => ({ request, place: place + 1 })), ...view.floor.pending.map((request) => ({ request, place: 0 }))].filter(({ request }) => request.site === me);
  if (own.length < least) return nothing;
  return html`<h3 class="own-head">${t("own-requests")}</h3><ol class="own" aria-label=${t("own-requests")}>${own.map(({ request, place }) => html`<li>
    <b class="num">${place === 0 ? "–" : place}</b><span>${request.words.delegate || t(`speech-${request.words.speech}`)}<small>${place === 0 ? t("waiting-for-chair") : whyWords(request)}</small></span>
    <button class="btn small" type="button" aria-label=${t("withdraw-of", { text: request.words.delegate || t(`speech-${request.words.speech}`) })} @click=${() => askWithdraw(ctx, request.turn)}>${icon("x")}${t("withdraw-short")}</button></li>`)}</ol>`;
}

/** @param {Ctx} ctx @param {View} view @param {Request} request @param {number} place */
function row(ctx, view, request, place) {
  const mine = request.site === ctx.app.me?.site;
  const about = subject(view, request.words);
  return html`<li class=${mine ? "me" : ""}><b class="num">${place}</b><span>${fittingName(view, request.site, 60)}${mine ? ` ${t("you")}` : ""}<small>${request.words.delegate || t(`speech-${request.words.speech}`)}${about === "" ? nothing : ` · ${about}`}</small></span>
    <span class="why">${view.floor.on_deck.includes(request.turn) ? mark("deck", "right", t("state-deck")) : whyWords(request)}</span></li>`;
}

/** @param {Ctx} ctx @param {View} view */
export function withdrawDialog(ctx, view) {
  const { confirm } = ctx.app.ui;
  const request = [...view.floor.queue, ...view.floor.pending].find((each) => each.turn === confirm?.id);
  if (confirm?.what !== "withdraw" || !request) return nothing;
  return dialog(ctx, {
    title: t("withdraw-title"), text: t("withdraw-text", { text: request.words.delegate || t(`speech-${request.words.speech}`) }),
    stay: t("withdraw-stay"), go: t("withdraw"), act: () => withdrawRequest(ctx.ask, request.turn),
  });
}
