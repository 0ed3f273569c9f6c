// The list as a site reads it: its own requests with a way back, and everybody's place with the reason.

/** @import { Kept, Request, RequestWords, View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { withdrawRequest } from "../../actions/floor.js";
import { isLinked } from "../../state/sites.js";
import { aboutWords, dialog, fittingName, html, icon, mark, minutesWords, nothing, subject, t, whyWords } from "../pieces.js";
import { askWithdraw } from "./panel.js";
import { person } from "./person.js";

/** Everybody's place with its reason; what waits for the chair's word has none yet. @param {Ctx} ctx @param {View} view */
export function listZone(ctx, view) {
  const { queue } = view.floor;
  const pending = view.floor.pending.filter((request) => request.site === ctx.app.me?.site);
  const kept = view.floor.kept.filter((request) => request.site === ctx.app.me?.site);
  return html`<section class="zone places" aria-labelledby="h-places"><div class="zone-head"><h2 id="h-places">${t("list-tab")}</h2><span class="faint">${t("list-waits", { n: queue.length })}</span></div>
    ${queue.length + pending.length + kept.length === 0 ? html`<p class="empty">${t("list-empty")}</p>` : html`<ol>${queue.map((request, place) => row(ctx, view, request, place + 1))}${pending.map((request) => row(ctx, view, request, 0))}${kept.map((request) => keptRow(ctx, view, request))}</ol>`}</section>`;
}

/** A site's own requests on a phone, when the panel tells only of the first. @param {Ctx} ctx @param {View} view */
export function ownRequests(ctx, view) {
  const places = [...view.floor.queue.map((request, place) => ({ request, place: place + 1 })), ...view.floor.pending.map((request) => ({ request, place: 0 }))];
  const own = places.filter(({ request }) => request.site === ctx.app.me?.site);
  if (own.length < 2) return nothing;
  return html`<section class="places own" aria-labelledby="h-own"><h3 id="h-own">${t("own-requests")}</h3><ol>${own.map(({ request, place }) => row(ctx, view, request, place))}</ol></section>`;
}

/** @param {Ctx} ctx @param {View} view @param {Request} request @param {number} place 0 before the chair's word. */
function row(ctx, view, request, place) {
  const mine = request.site === ctx.app.me?.site;
  const about = [subject(view, request.words), aboutWords(view, request), minutesWords(request)].filter((part) => part !== "").join(" · ");
  const why = place === 0 ? t("waiting-for-chair") : view.floor.on_deck.includes(request.turn) ? mark("deck", "right", t("state-deck")) : html`${whyWords(request)}${isLinked(view, request.site) ? nothing : html` ${mark("weak", "cut", t("row-unlinked"))}`}`;
  return html`<li class=${mine ? "me" : ""}><b class="num">${place || "–"}</b><span>${fittingName(view, request.site, 60)}${mine ? ` ${t("you")}` : ""}<small>${person(request.words) || speaker(request)}${about === "" ? nothing : ` · ${about}`}</small></span>
    <span class="why">${why}${mine ? html`<button class="btn small" type="button" aria-label=${t("withdraw-of", { text: speaker(request) })} @click=${() => askWithdraw(ctx, request.turn)}>${icon("x")}${t("withdraw-short")}</button>` : nothing}</span></li>`;
}

/** Kept with an item until that is taken up again. @param {Ctx} ctx @param {View} view @param {Kept} request */
const keptRow = (ctx, view, request) => html`<li class="me"><b class="num">–</b><span>${fittingName(view, request.site, 60)} ${t("you")}<small>${person(request.words) || speaker(request)}</small></span>
    <span class="why">${t("kept-for", { n: request.item })}<button class="btn small" type="button" aria-label=${t("withdraw-of", { text: speaker(request) })} @click=${() => askWithdraw(ctx, request.turn)}>${icon("x")}${t("withdraw-short")}</button></span></li>`;

/** @param {{ words: RequestWords }} request */
const speaker = ({ words }) => words.delegate || t(`speech-${words.speech}`);

/** @param {Ctx} ctx @param {View} view */
export function withdrawDialog(ctx, view) {
  const { confirm } = ctx.app.ui;
  const request = [...view.floor.queue, ...view.floor.pending, ...view.floor.kept].find((each) => each.turn === confirm?.id);
  if (confirm?.what !== "withdraw" || !request) return nothing;
  return dialog(ctx, {
    title: t("withdraw-title"), text: t("withdraw-text", { text: speaker(request) }),
    stay: t("withdraw-stay"), go: t("withdraw"), act: () => withdrawRequest(ctx.ask, request.turn),
  });
}
