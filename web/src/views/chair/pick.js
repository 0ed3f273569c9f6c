// What the chair does to one row of the list, takes back, and says to one site. Fetched right after the desk is there.

/** @import { Agenda, Request, Turn, View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { moveItem } from "../../actions/agenda.js";
import { acceptRequest, endTurn, grant, keepTurn, moveRequest, returnCall, returnChair, setReady, stage, takeChair, undo } from "../../actions/floor.js";
export { followFocus } from "../../elements/focus.js";
import "../../elements/level-meter.js";
import "../../elements/self-picture.js";
import "../../elements/until-clock.js";
import { presides } from "../../state/app.js";
import { rightsOf } from "../../state/kinds.js";
import { silence } from "../../state/own.js";
import { siteCall } from "../../state/sites.js";
import { serverNow } from "../../time.js";
import { html, icon, kbd, mark, minutesWords, nothing, onWall, t, topicLine } from "../pieces.js";

/** The server gives a call back while no more of it than this is used (`RETURN_CALL_MS`). */
const RETURN_CALL_MS = 30_000;

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
    <button class="btn" type="button" title=${view.floor.turn ? t(rightsOf(view, request.words.speech)?.interposes ? "grant-interposes" : "grant-ends") : nothing} @click=${() => grant(ctx.ask, view.floor, turn)}>${t("grant-now", { n })}</button>
    <button class="btn icon-only" type="button" aria-label=${t("move-up")} ?disabled=${at === 0 || staged.includes(queue[at - 1]?.turn ?? 0)} @click=${() => moveRequest(ctx.ask, turn, queue[at - 1]?.turn ?? null)}>${icon("up")}</button>
    <button class="btn icon-only" type="button" aria-label=${t("move-down")} ?disabled=${at === queue.length - 1} @click=${() => moveRequest(ctx.ask, turn, queue[at + 2]?.turn ?? null)}>${icon("down")}</button>
    <button class="btn" type="button" ?disabled=${at === queue.length - 1} @click=${() => moveRequest(ctx.ask, turn, null)}>${t("defer")}</button>
    <button class="btn" type="button" @click=${() => ctx.ui({ confirm: { what: "deny", id: turn } })}>${t("drop")}</button></div>
    <div class="three">${placeForm(ctx, view, at)}${stageButton}
    ${request.ready === "not_ready"
      ? html`<button class="btn" type="button" @click=${() => setReady(ctx.ask, turn, "unknown")}>${t("pass-back")}</button>`
      : html`<button class="btn" type="button" ?disabled=${!on_deck.includes(turn)} @click=${() => setReady(ctx.ask, turn, "not_ready")}>${t("pass-over")}</button>`}</div></div>`;
}

/** A speaker of the hall is registered here; the secretary has the form beside the list. @param {Ctx} ctx */
export function hallButton(ctx) {
  const open = ctx.app.ui.panel === "hall";
  if (ctx.app.page !== "chair") return nothing;
  return html`<button class="btn small" type="button" aria-expanded=${open} aria-label=${t("hall-register")} @click=${() => ctx.ui({ panel: open ? "" : "hall" })}>${icon("plus")}${t("hall-register-short")}</button>`;
}

/** Any place of the list in one step. @param {Ctx} ctx @param {View} view @param {number} at */
function placeForm(ctx, view, at) {
  const { queue } = view.floor;
  const move = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const to = Math.trunc(Number(new FormData(form).get("place"))) - 1;
    form.reset();
    const turn = queue[at]?.turn;
    if (turn !== undefined && to !== at && to >= 0 && to < queue.length) moveRequest(ctx.ask, turn, queue[to < at ? to : to + 1]?.turn ?? null);
  };
  return html`<form class="to-place" @submit=${move}><label for="to-place">${t("move-to")}</label><input class="input num" id="to-place" name="place" type="text" inputmode="numeric" pattern="[0-9]+" maxlength="2" autocomplete="off" placeholder=${at + 1}><button class="btn" type="submit">${t("move-to-go")}</button></form>`;
}

/** The chair's last step, while it can be taken back. @param {Ctx} ctx @param {View} view */
export function undoStrip(ctx, view) {
  const { undo: step } = view.floor;
  if (!presides(ctx.app, view)) return nothing;
  if (!step || step.until <= serverNow()) return returnStrip(ctx, view);
  return html`<p class="undo" role="status"><span>${t(`step-${step.step}`)} <b>${siteCall(view, step.site)}</b></span>
    <button class="btn small" type="button" @click=${() => undo(ctx.ask, step.turn)}>${t("undo")} ${kbd("F3")} <until-clock class="num" .until=${step.until} .due=${() => ctx.ui({})}></until-clock></button></p>`;
}

/** Nobody is at the microphone: until the speech has begun in earnest the call can be given back, and its place is kept. @param {Ctx} ctx @param {View} view */
function returnStrip(ctx, view) {
  const { turn } = view.floor;
  const used = turn ? turn.used_ms + (turn.running_since === null ? 0 : serverNow() - turn.running_since) : 0;
  if (!turn || used > RETURN_CALL_MS) return nothing;
  return html`<p class="undo"><span>${t("step-called")} <b>${siteCall(view, turn.site)}</b></span>
    <button class="btn small" type="button" @click=${() => returnCall(ctx.ask, turn.turn)}>${t("return-call")}${turn.running_since === null ? nothing : html` <until-clock class="num" .until=${serverNow() + RETURN_CALL_MS - used} .due=${() => ctx.ui({})}></until-clock>`}</button></p>`;
}

/** The speaking site's link is lost: how long it may be away, and what the chair can do. @param {Ctx} ctx @param {View} view @param {Turn} turn */
export function heldStrip(ctx, view, turn) {
  if (!turn.held) return nothing;
  const standby = view.seats.length === 0 || view.seats.some((seat) => seat.site === turn.site && seat.carries === "standby" && !seat.revoked);
  return html`<p class="held-strip"><span>${heldFor(turn)}${standby ? html`<small>${t("held-standby")}</small>` : nothing}</span>${keepButton(ctx, view, turn)}</p>`;
}

/** @param {Turn} turn */
const heldFor = ({ away_until: until }) => (until === null ? t("held-kept") : html`${t("held-left")} <until-clock class="num" .until=${until}></until-clock>`);

/** @param {Ctx} ctx @param {View} view @param {Turn} turn */
const keepButton = (ctx, view, turn) => (turn.away_until === null || !presides(ctx.app, view) ? nothing
  : html`<button class="btn small" type="button" aria-label=${t("keep-turn-of", { site: siteCall(view, turn.site) })} @click=${() => keepTurn(ctx.ask, turn.turn)}>${t("keep-turn")}</button>`);

/** The speech a question was put into, and the other microphones of an open discussion; each that is held says so. @param {Ctx} ctx @param {View} view */
export function others(ctx, view) {
  if (view.floor.others.length === 0) return nothing;
  return html`<ul class="others">${view.floor.others.map((turn) => html`<li>${turn.held ? mark("held", "pause", heldFor(turn)) : otherMark(view, turn)}
    <b>${siteCall(view, turn.site)}</b> ${turn.held ? keepButton(ctx, view, turn) : html`<turn-time class="num" .turn=${turn}></turn-time>`}
    ${presides(ctx.app, view) ? html`<button class="btn small" type="button" aria-label=${t("end-turn-of", { site: siteCall(view, turn.site) })} @click=${() => endTurn(ctx.ask, turn.turn)}>${icon("stop")}</button>` : nothing}</li>`)}</ul>`;
}

/** @param {View} view @param {Turn} turn */
function otherMark(view, turn) {
  if (turn.interrupted) return mark("held", "pause", t("turn-interrupted"));
  return view.stage.heard.includes(turn.site) ? mark("live", "mic", t("state-live")) : mark("held", "mic", t("turn-paused"));
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
    <span class="who">${[request.words.delegate, topicLine(view, request.words), minutesWords(request)].filter((part) => part !== "").join(" · ")}</span>
    ${presides(ctx.app, view) ? html`<span class="two-acts"><button class="btn small" type="button" @click=${() => acceptRequest(ctx.ask, request.turn)} aria-label=${t("accept-request", { site: siteCall(view, request.site) })}>${icon("check")}${t("accept")}</button>
    <button class="btn small" type="button" @click=${() => ctx.ui({ confirm: { what: "deny", id: request.turn } })} aria-label=${t("deny-request", { site: siteCall(view, request.site) })}>${t("not-now")}</button></span>` : nothing}</li>`;
}

/** Who has the chair when it is not the chair, and the one action that changes it. @param {Ctx} ctx @param {View} view */
export function deputyBanner(ctx, view) {
  const { deputy } = view.floor;
  if (ctx.app.me?.role === "deputy") {
    if (deputy === null && ctx.app.chairs === 0) {
      return html`<p class="presiding" role="alert">${mark("weak", "warn", t("chair-gone"))} <button class="btn" type="button" @click=${() => ctx.ui({ confirm: { what: "take-chair", id: 0 } })}>${t("take-chair")}</button></p>`;
    }
    return deputy === null
      ? html`<button class="btn small" type="button" @click=${() => ctx.ui({ confirm: { what: "take-chair", id: 0 } })}>${t("take-chair")}</button>`
      : html`<button class="btn" type="button" @click=${() => returnChair(ctx.ask)}>${t("return-chair")}</button>`;
  }
  if (deputy === null) return nothing;
  return html`<p class="presiding" role="alert">${mark("weak", "warn", t("deputy-presides", { label: deputy.label }))} <button class="btn small" type="button" @click=${() => takeChair(ctx.ask)}>${t("take-back")}</button></p>`;
}

/** The foot of a desk that does not preside. @param {Ctx} ctx @param {View} view */
export const aside = (ctx, view) => html`${deputyBanner(ctx, view)}<p class="aside">${ctx.app.chairs === 0 ? nothing : t(ctx.app.me?.role === "deputy" ? "deputy-waits" : "deputy-presides-what")}</p>`;

/** Among those that have not begun an item is moved up or down. @param {Ctx} ctx @param {Agenda} agenda @param {number} place */
export function itemActs(ctx, { items }, place) {
  const [before, item, after] = [items[place - 1], items[place], items[place + 1]];
  if (!item) return nothing;
  return html`<span class="at num"><span>${t("item-minutes", { n: item.minutes })}</span>
    <button class="item-up" type="button" aria-label=${t("item-earlier", { n: item.id })} ?disabled=${before?.started !== null} @click=${() => moveItem(ctx.ask, item.id, before?.id ?? null)}>${icon("up")}</button>
    <button class="item-up" type="button" aria-label=${t("item-later", { n: item.id })} ?disabled=${!after} @click=${() => moveItem(ctx.ask, item.id, items[place + 2]?.id ?? null)}>${icon("down")}</button></span>`;
}

/** This machine's own microphone and picture. @param {Ctx} ctx */
export function ownMachine(ctx) {
  const { media } = ctx.app;
  const open = media.microphoneOpen;
  const why = silence(ctx.app);
  // The hall's microphone is mostly ready and not heard: that is no trouble.
  const trouble = !media.hasMicrophone || !["", "microphone-ready", "microphone-closed"].includes(why);
  const words = !trouble ? t(open ? "own-machine-open" : "own-machine-closed") : t(media.hasMicrophone ? "own-machine-unsent" : "microphone-other");
  return html`<div class="foot-self"><button class="btn small ${open && !trouble ? "" : "own-closed"}" type="button" aria-pressed=${!open} title=${media.hasMicrophone ? t(open ? "close-own-long" : "open-own-long") : t(media.capturing ? "opening-device" : `microphone-${media.microphoneTrouble ?? "other"}`)} @click=${() => ctx.media.setMicrophone(!open)}>
      ${icon(open && !trouble ? "mic" : "mic-off")}${words}</button><level-meter aria-label=${t("microphone-level")} .read=${() => ctx.media.level()}></level-meter><figure class="tile"><self-picture role="img" aria-label=${t("own-picture")} .stream=${media.picture}></self-picture></figure></div>`;
}

/** Under the agenda of a large window. @param {View} view */
export const wide = (view) => html`<div class="wide"><h3>${t("big-screen")}: ${onWall(view.stage)}</h3>
      <p>${t("comments-so-far", { n: view.feed.length, proposed: view.feed.filter((comment) => comment.words.proposed !== "").length })}</p>
      <p>${t("heard-now")}: ${view.stage.heard.length === 0 ? t("nobody") : view.stage.heard.map((site, place) => html`${place ? ", " : ""}<b>${siteCall(view, site)}</b>`)}</p></div>`;
