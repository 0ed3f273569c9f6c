// What the chair does to one row of the list, takes back, and says to one site. Fetched right after the desk is there.

/** @import { Agenda, Request, Turn, View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { moveItem } from "../../actions/agenda.js";
import { acceptRequest, endTurn, grant, keepTurn, moveRequest, returnChair, setReady, stage, takeChair, undo } from "../../actions/floor.js";
import { promptSite } from "../../actions/roll.js";
import "../../elements/until-clock.js";
import { presides } from "../../state/app.js";
import { siteCall, siteName } from "../../state/sites.js";
import { serverNow } from "../../time.js";
import { html, icon, mark, nothing, t, topicLine } from "../pieces.js";

/** What desks tell a site. */
const PROMPTS = /** @type {const} */ (["near_microphone", "slower", "one_minute_left", "prepare"]);

/** @param {Ctx} ctx @param {View} view */
export function pickStrip(ctx, view) {
  const { queue, staged, on_deck } = view.floor;
  const at = queue.findIndex((request) => request.turn === ctx.app.ui.picked);
  const request = queue[at];
  if (!request) return html`<div class="pick hint"><p>${t("pick-a-row")}</p></div>`;
  const site = siteCall(view, request.site);
  const { turn } = request;
  const n = at + 1;
  const may = presides(ctx.app, view);
  const isStaged = staged.includes(turn);
  const stageIt = () => stage(ctx.ask, isStaged ? staged.filter((other) => other !== turn) : [...staged.slice(0, 1), turn]);
  const stageButton = html`<button class="btn" type="button" aria-pressed=${isStaged} @click=${stageIt}>${isStaged ? t("unstage") : t("stage-next", { n: Math.min(staged.length, 1) + 1 })}</button>`;
  if (!may) return html`<div class="pick" role="group" aria-label=${t("act-on", { n, site })}><div class="one">${stageButton}</div></div>`;
  return html`<div class="pick" role="group" aria-label=${t("act-on", { n, site })}><div>
    <button class="btn" type="button" @click=${() => grant(ctx.ask, view.floor, turn)}>${t("grant-now", { n })}</button>
    <button class="btn icon-only" type="button" aria-label=${t("move-up")} ?disabled=${at === 0} @click=${() => moveRequest(ctx.ask, turn, queue[at - 1]?.turn ?? null)}>${icon("up")}</button>
    <button class="btn icon-only" type="button" aria-label=${t("move-down")} ?disabled=${at === queue.length - 1} @click=${() => moveRequest(ctx.ask, turn, queue[at + 2]?.turn ?? null)}>${icon("down")}</button>
    <button class="btn" type="button" ?disabled=${at === queue.length - 1} @click=${() => moveRequest(ctx.ask, turn, null)}>${t("defer")}</button>
    <button class="btn" type="button" @click=${() => ctx.ui({ confirm: { what: "deny", id: turn } })}>${t("drop")}</button></div>
    <div class="two">${stageButton}
    ${request.ready === "not_ready"
      ? html`<button class="btn" type="button" @click=${() => setReady(ctx.ask, turn, "unknown")}>${t("pass-back")}</button>`
      : html`<button class="btn" type="button" ?disabled=${!on_deck.includes(turn)} @click=${() => setReady(ctx.ask, turn, "not_ready")}>${t("pass-over")}</button>`}</div></div>`;
}

/** The chair's last step, while it can be taken back. @param {Ctx} ctx @param {View} view */
export function undoStrip(ctx, view) {
  const { undo: step } = view.floor;
  if (!step || step.until <= serverNow() || !presides(ctx.app, view)) return nothing;
  return html`<p class="undo" role="status">${t(`step-${step.step}`)} <b>${siteCall(view, step.site)}</b>
    <button class="btn small" type="button" @click=${() => undo(ctx.ask, step.turn)}>${t("undo")} <until-clock class="num" .until=${step.until} .due=${() => ctx.ui({})}></until-clock></button></p>`;
}

/** A site's picture for the chair alone, and what can be said to it. @param {Ctx} ctx @param {View} view */
export function siteStrip(ctx, view) {
  const id = ctx.app.ui.chip;
  if (id === null) return nothing;
  const tile = view.stage.tiles.indexOf(id);
  const waits = (/** @type {string} */ kind) => view.prompts.some((prompt) => prompt.site === id && prompt.kind === kind && prompt.handled === null);
  return html`<div class="site-strip" role="group" aria-label=${siteName(view, id)}>
    ${tile < 0 ? nothing : html`<figure class="tile"><room-picture .slotNumber=${tile + 1} .site=${id} role="img" aria-label=${t("preview-of", { site: siteCall(view, id) })}></room-picture></figure>`}
    <p><b>${siteName(view, id)}</b><span>${t("prompt-to-site")}</span></p>
    <div class="strip-acts">${PROMPTS.map((kind) => html`<button class="btn small ${waits(kind) ? "pressed" : ""}" type="button" ?disabled=${waits(kind)} @click=${() => promptSite(ctx.ask, id, kind)}>${t(`prompt-${kind}`)}</button>`)}
    <button class="btn small" type="button" @click=${() => ctx.ui({ chip: null })}>${t("close")}</button></div></div>`;
}

/** What stands beside the speech: why it is held, and who else has the floor. @param {Ctx} ctx @param {View} view @param {Turn} turn */
export const besides = (ctx, view, turn) => html`${turn.held ? heldStrip(ctx, view, turn) : nothing}${others(ctx, view)}`;

/** The speaking site's link is lost: how long it may be away, and what the chair can do. @param {Ctx} ctx @param {View} view @param {Turn} turn */
function heldStrip(ctx, view, turn) {
  const until = turn.away_until;
  return html`<p class="held-strip"><span>${until === null ? t("held-kept") : html`${t("held-left")} <until-clock class="num" .until=${until}></until-clock>`}<small>${t("held-standby")}</small></span>
    ${until === null || !presides(ctx.app, view) ? nothing : html`<button class="btn small" type="button" @click=${() => keepTurn(ctx.ask, turn.turn)}>${t("keep-turn")}</button>`}</p>`;
}

/** The speech a question was put into, and the other microphones of an open discussion. @param {Ctx} ctx @param {View} view */
function others(ctx, view) {
  if (view.floor.others.length === 0) return nothing;
  return html`<ul class="others">${view.floor.others.map((turn) => html`<li>${turn.interrupted ? mark("held", "pause", t("turn-interrupted")) : mark(view.stage.heard.includes(turn.site) ? "live" : "held", "mic", t(view.stage.heard.includes(turn.site) ? "state-live" : "turn-paused"))}
    <b>${siteCall(view, turn.site)}</b> <turn-time class="num" .turn=${turn}></turn-time>
    ${presides(ctx.app, view) ? html`<button class="btn small" type="button" aria-label=${t("end-turn-of", { site: siteCall(view, turn.site) })} @click=${() => endTurn(ctx.ask, turn.turn)}>${icon("stop")}</button>` : nothing}</li>`)}</ul>`;
}

/** Who waits for the chair's word. @param {Ctx} ctx @param {View} view */
export function pendingList(ctx, view) {
  const { floor } = view;
  return floor.pending.length === 0 ? nothing : html`<section class="pending" aria-labelledby="h-pending"><h3 id="h-pending">${t("pending-count", { n: floor.pending.length })}</h3>
        <ul>${floor.pending.map((request) => pendingRow(ctx, view, request))}</ul></section>`;
}

/** @param {Ctx} ctx @param {View} view @param {Request} request */
function pendingRow(ctx, view, request) {
  return html`<li class="prow"><span class="site">${siteCall(view, request.site)}</span>
    <span class="who">${[request.words.delegate, topicLine(view, request.words)].filter((part) => part !== "").join(" · ")}</span>
    <span class="two-acts"><button class="btn small" type="button" @click=${() => acceptRequest(ctx.ask, request.turn)} aria-label=${t("accept-request", { site: siteCall(view, request.site) })}>${icon("check")}${t("accept")}</button>
    <button class="btn small" type="button" @click=${() => ctx.ui({ confirm: { what: "deny", id: request.turn } })} aria-label=${t("deny-request", { site: siteCall(view, request.site) })}>${t("not-now")}</button></span></li>`;
}

/** Who has the chair when it is not the chair, and the one action that changes it. @param {Ctx} ctx @param {View} view */
export function deputyBanner(ctx, view) {
  const { deputy } = view.floor;
  if (ctx.app.me?.role === "deputy") {
    return deputy === null
      ? html`<button class="btn small" type="button" @click=${() => ctx.ui({ confirm: { what: "take-chair", id: 0 } })}>${t("take-chair")}</button>`
      : html`<button class="btn" type="button" @click=${() => returnChair(ctx.ask)}>${t("return-chair")}</button>`;
  }
  if (deputy === null) return nothing;
  return html`<p class="presiding" role="alert">${mark("weak", "warn", t("deputy-presides", { label: deputy.label }))} <button class="btn small" type="button" @click=${() => takeChair(ctx.ask)}>${t("take-back")}</button></p>`;
}

/** Among those that have not begun an item is moved up or down. @param {Ctx} ctx @param {Agenda} agenda @param {number} place */
export function itemActs(ctx, { items }, place) {
  const [before, item, after] = [items[place - 1], items[place], items[place + 1]];
  if (!item) return nothing;
  return html`<span class="at num"><span>${t("item-minutes", { n: item.minutes })}</span>
    <button class="item-up" type="button" aria-label=${t("item-earlier", { n: item.id })} ?disabled=${before?.started !== null} @click=${() => moveItem(ctx.ask, item.id, before?.id ?? null)}>${icon("up")}</button>
    <button class="item-up" type="button" aria-label=${t("item-later", { n: item.id })} ?disabled=${!after} @click=${() => moveItem(ctx.ask, item.id, items[place + 2]?.id ?? null)}>${icon("down")}</button></span>`;
}
