// The panel that says where the site stands, readable from four metres, and the one button under it.

/** @import { Denied, Request, Turn, View } from "../../../generated/protocol.ts" */
/** @import { App } from "../../state/app.js" */
/** @import { MyFloor } from "../../state/floor.js" */
/** @import { Ctx } from "../pieces.js" */

import { endTurn, setReady } from "../../actions/floor.js";
import "../../elements/until-clock.js";
import { currentItem } from "../../state/agenda.js";
import { silence } from "../../state/own.js";
import { isLinked } from "../../state/sites.js";
import { durationText } from "../../time.js";
import { html, icon, kbd, nothing, rich, subject, t, whyWords } from "../pieces.js";
import { pause } from "./parts.js";

/** @param {Ctx} ctx @param {View} view @param {MyFloor} my */
export function panel(ctx, view, my) {
  switch (my.is) {
    case "speaking": return speakingPanel(ctx, view, my.turn);
    case "on_deck": return deckPanel(view, my.request);
    case "waiting": return html`<div class="panel queued" role="status"><p class="lead">${icon("stack")}${t(my.request.ready === "not_ready" ? "my-passed-over" : "my-waiting")}</p><p class="huge"><span>${t("place-word")}</span><b class="num">${my.place}</b></p>
      <p class="say">${isLinked(view, my.request.site) ? nothing : html`<b>${t("my-unlinked")}</b> `}${my.before === 0 ? t("nobody-before-you") : rich("sites-before-you", { n: my.before })} · ${my.more > 0 ? rich("and-more-own", { n: my.more }) : whyWords(my.request)}</p></div>`;
    case "pending": return html`<div class="panel queued" role="status"><p class="lead">${icon("stack")}${t("my-pending")}</p><p class="huge words">${t("waiting-for-chair")}</p><p class="say">${wordsOf(view, my.request)}</p></div>`;
    case "denied": return told("x", deniedLead(ctx.app, my.denied), deniedWords(my.denied), putAway(ctx, { deniedSeen: my.denied.turn }));
    case "ended": return told("mic-off", t(`my-ended-${my.how}`), t(`my-ended-${my.how}-what`), putAway(ctx, { endSeen: view.floor.last?.turn ?? null }));
    case "idle": return view.agenda.on_break ? pause(ctx)?.breakPanel(view.agenda.on_break) : html`<div class="panel" role="status"><p class="lead">${icon("mic-off")}${t("my-idle")}</p><p class="huge words calm">${t(view.agenda.current === null ? "no-item-big" : view.floor.open ? "list-open-big" : "list-closed-big")}</p>
      <p class="say">${view.agenda.current === null ? t("no-item-what") : !view.floor.open ? t("only-order") : view.floor.queue.length === 0 ? t("list-empty") : rich("waiting-sites", { n: view.floor.queue.length })}</p></div>`;
  }
}

/** Something that is over, until the person has read it. @param {string} iconName @param {string} lead @param {unknown} words @param {unknown} act */
const told = (iconName, lead, words, act) => html`<div class="panel told" role="status"><p class="lead">${icon(iconName)}<span>${lead}</span></p><p class="say">${words}</p><p>${act}</p></div>`;

/** Whose request was not taken. @param {App} app @param {Denied} denied */
export function deniedLead(app, denied) {
  if (denied.item_over) return t("my-item-over");
  const delegate = app.ui.asked[denied.turn] ?? "";
  return delegate === "" ? t("my-denied") : t("my-denied-delegate", { text: delegate });
}

/** Why a request was not taken, in the chair's words where there are any. @param {Denied} denied */
export const deniedWords = (denied) => (denied.reason === "" ? t(denied.item_over ? "my-item-over-what" : "my-denied-what") : rich("my-denied-reason", { text: denied.reason }));

/** One or two are told to prepare: the first is called next. @param {View} view @param {Request} request */
function deckPanel(view, request) {
  const first = view.floor.on_deck[0] === request.turn;
  const ready = request.ready === "ready";
  return html`<div class="panel deck" role="status"><p class="lead">${icon(ready ? "check" : "right")}${t(ready ? "my-ready" : "my-on-deck")}</p><p class="huge words">${t(ready ? "wait-for-call" : "get-ready")}</p>
    <p class="say">${first ? t("you-are-called-next") : t("you-are-second")}${wordsOf(view, request)}</p></div>`;
}

/** What stops a turn, the most urgent first. @param {Turn} turn */
const halts = (turn) => /** @type {const} */ ([
  [turn.held, "pause", "turn-held", "held-what"], [turn.silenced, "mic-off", "priority-held", "silenced-what"], [turn.interrupted, "pause", "turn-interrupted", "interrupted-what"],
  [turn.muted, "mic-off", "turn-muted", "muted-what"], [turn.paused, "pause", "turn-paused", "paused-what"],
]);

/** @param {Ctx} ctx @param {View} view @param {Turn} turn */
function speakingPanel(ctx, view, turn) {
  const halt = halts(turn).find(([is]) => is);
  if (halt) {
    const away = turn.held && turn.away_until !== null ? html` <b class="num">${t("back-within")} <until-clock .until=${turn.away_until}></until-clock></b>` : nothing;
    return html`<div class="panel held" role="status"><p class="lead">${icon(halt[1])}${t(halt[2])}</p><turn-clock .turn=${turn}></turn-clock><p class="say">${t(halt[3])}${away}</p></div>`;
  }
  const rule = currentItem(view.agenda)?.turns.at_zero;
  const ends = rule?.rule === "mute" ? t("at-zero-mute", { n: rule.grace_seconds }) : rule?.rule === "cut" ? t("at-zero-cut") : t("at-zero-warn");
  const why = silence(ctx.app);
  return html`<div class="panel ${why ? "held" : "live"}" role="status"><p class="lead ${why ? "" : "state live"}">${icon(why ? "mic-off" : "mic")}${t(why === "microphone-closed" ? "your-turn-mic-closed" : why || "speaking")}</p>
    <turn-clock .turn=${turn}></turn-clock><p class="say">${rich("out-of", { of: durationText(turn.allotted_ms) })} · ${ends}</p></div>`;
}

/** @param {View} view @param {Request} request */
function wordsOf(view, request) {
  const words = [request.words.delegate, subject(view, request.words)].filter((part) => part !== "").join(" · ");
  return words === "" ? nothing : html` <span class="mine">${words}</span>`;
}

/** @param {Ctx} ctx @param {Partial<App["ui"]>} change */
export const putAway = (ctx, change) => html`<button class="btn small" type="button" @click=${() => ctx.ui(change)}>${t("understood")}</button>`;

/** A place in the list is given up only after a question: the same key may have meant something else a moment ago. @param {Ctx} ctx @param {number} turn */
export const askWithdraw = (ctx, turn) => ctx.ui({ confirm: { what: "withdraw", id: turn } });

/** Who is invited begins to speak. @param {Ctx} ctx */
export function begin(ctx) {
  if (ctx.app.me?.carries !== "nothing") ctx.media.setMicrophone(true);
  ctx.ui({ summoned: null });
}

/** @param {Ctx} ctx @param {View} view @param {MyFloor} my */
export function bigButton(ctx, view, my) {
  switch (my.is) {
    case "speaking": return html`<div class="big-pair"><button class="btn end big" type="button" @click=${() => endTurn(ctx.ask, my.turn.turn)}>${icon("stop")}${t("end-turn")} ${kbd("F4")}</button>${addButton(ctx, view)}</div>`;
    case "on_deck": return readyButtons(ctx, my.request, my.request.ready !== "ready");
    case "waiting": return my.request.ready === "not_ready" ? readyButtons(ctx, my.request, true) : waitingButtons(ctx, view, my.request);
    case "pending": return waitingButtons(ctx, view, my.request);
    case "denied":
    case "ended":
    case "idle": return view.agenda.current === null ? html`<button class="btn primary big" type="button" disabled>${icon("clock")}${t("no-item-button")}</button>`
      : html`<button class="btn primary big" type="button" @click=${openForm(ctx)}>${icon("mic")}${t(view.floor.open ? "request-floor" : "speech-point_of_order")} ${kbd("F2")}</button>`;
  }
}

/** @param {Ctx} ctx @param {Request} request @param {boolean} toSay Whether "ready" is still to be said. */
function readyButtons(ctx, request, toSay) {
  return html`<div class="big-pair">${toSay
    ? html`<button class="btn primary big" type="button" @click=${() => setReady(ctx.ask, request.turn, "ready")}>${icon("check")}${t("say-ready")} ${kbd("F2")}</button>`
    : html`<p class="big said">${icon("check")}${t("said-ready")}</p>`}
    ${request.ready === "not_ready" ? nothing : html`<button class="btn big more" type="button" @click=${() => setReady(ctx.ask, request.turn, "not_ready")}>${t("say-not-ready")}</button>`}
    <button class="btn big more" type="button" @click=${() => askWithdraw(ctx, request.turn)}>${t("withdraw-short")}</button>
    <button class="btn big more" type="button" aria-label=${t("one-more")} title=${t("one-more")} @click=${openForm(ctx)}>${icon("plus")}</button></div>`;
}

/** @param {Ctx} ctx @param {View} view @param {Request} request */
function waitingButtons(ctx, view, request) {
  return html`<div class="big-pair"><button class="btn big" type="button" @click=${() => askWithdraw(ctx, request.turn)}>${icon("x")}${t("withdraw")} ${kbd("F2")}</button>${addButton(ctx, view)}</div>`;
}

/** The form: for a speech, or, while the list is closed, for a point of order alone. @param {Ctx} ctx */
export const openForm = (ctx) => () => ctx.ui({ asking: ctx.app.view?.floor.open ? "speech" : "order" });

/** Another delegate of the same site asks. @param {Ctx} ctx @param {View} view */
const addButton = (ctx, view) => html`<button class="btn big more" type="button" ?disabled=${view.agenda.current === null} @click=${openForm(ctx)}>${icon("plus")}${t(view.floor.open ? "one-more" : "speech-point_of_order")}</button>`;
