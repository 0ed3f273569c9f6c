// A site's desk: one panel that says where the site stands, readable from four metres, and one button.
// A companion (a phone that carries nothing) is the same desk without picture and sound.

/** @import { Request, Turn, View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { MyFloor } from "../state/floor.js" */
/** @import { Ctx } from "./pieces.js" */

import { endTurn, setReady, withdrawRequest } from "../actions/floor.js";
import { handlePrompt, promptDesks } from "../actions/roll.js";
import "../elements/level-meter.js";
import "../elements/self-picture.js";
import { currentItem } from "../state/agenda.js";
import { draftAtHand } from "../state/comments.js";
import { myFloor, nextThree } from "../state/floor.js";
import { callName, figures, site, siteCall } from "../state/sites.js";
import { durationText, serverNow } from "../time.js";
import { agendaZone } from "./agenda.js";
import { greenRoom } from "./greenroom.js";
import { later } from "./later.js";
import { bars, barsWord, fittingName, html, icon, isHeard, itemLine, kbd, lowerThird, mark, nextList, nothing, rich, siteBars, soundBlocked, statusLine, subject, t, topbar, topicLine, turnMark } from "./pieces.js";

/** The drafts come after the desk is there: a room must be able to ask for the floor first. @param {Ctx} ctx */
const drafts = (ctx) => later(ctx, "drafts", () => import("./drafts.js"), false);

/** @param {Ctx} ctx */
const forms = (ctx) => later(ctx, "forms", () => import("./site/forms.js"));

/** @param {Ctx} ctx @param {View} view */
const draftsDesk = (ctx, view) => drafts(ctx)?.draftsDesk(ctx, view) ?? html`<p class="empty">${t("joining")}</p>`;

/** @param {App} app @returns {MyFloor} */
const mine = (app) => (app.view && app.me?.site != null ? myFloor(app.view.floor, app.me.site, app.ui) : { is: "idle" });

/** @param {App} app */
export const title = (app) => {
  const me = app.view && app.me ? siteCall(app.view, app.me.site) : "";
  const my = mine(app);
  const state = my.is === "speaking" ? `▶ ${t("speaking")}` : my.is === "waiting" ? t("title-waiting", { n: my.place }) : my.is === "on_deck" ? t("state-deck") : "";
  return `${state === "" ? "" : `${state} · `}${me} · diemcau`;
};

/** @param {App} app */
export const said = (app) => {
  const my = mine(app);
  if (app.view && isCalled(app, app.view)) return t("roll-you-are-called");
  switch (my.is) {
    case "speaking": return my.turn.held ? t("turn-held") : my.turn.paused ? t("turn-paused") : my.turn.muted ? t("turn-muted") : my.turn.warned_s === null ? t("speaking") : my.turn.warned_s === 0 ? t("turn-over") : t("seconds-left", { n: my.turn.warned_s });
    case "on_deck": return t("my-on-deck");
    case "waiting": return t("title-waiting", { n: my.place });
    case "pending": return t("my-pending");
    case "denied": return t(my.denied.item_over ? "my-item-over" : "my-denied");
    case "ended": return t(`my-ended-${my.how}`);
    case "idle": return "";
  }
};

/** @param {Ctx} ctx */
export function keys(ctx) {
  const my = mine(ctx.app);
  const { ui } = ctx.app;
  if (my.is === "speaking" && isSummoned(ctx.app, my.turn)) return { F2: () => begin(ctx), F4: () => endTurn(ctx.ask, my.turn.turn) };
  switch (my.is) {
    case "speaking": return { F4: () => endTurn(ctx.ask, my.turn.turn) };
    case "on_deck": return { F2: my.request.ready === "ready" ? undefined : () => setReady(ctx.ask, my.request.turn, "ready") };
    case "waiting":
    case "pending": return { F2: () => withdrawRequest(ctx.ask, my.request.turn) };
    case "denied":
    case "ended":
    case "idle": return { F2: () => ctx.ui({ asking: true }), Escape: ui.asking ? () => ctx.ui({ asking: false }) : undefined };
  }
}

/** @param {Ctx} ctx */
export function view(ctx) {
  const { app } = ctx;
  const view = /** @type {View} */ (app.view);
  const sends = app.me?.carries === "room" || app.me?.carries === "standby";
  if (sends && !app.ui.entered) return greenRoom(ctx, view);
  forms(ctx);
  drafts(ctx);
  const own = site(view, app.me?.site ?? null);
  const my = mine(app);
  const bar = topbar(ctx, html`${t("site-title", { site: callName(own) })}`, itemLine(view), app.me?.carries === "standby" ? html`<span class="item">${t("standby-machine")}</span>` : nothing);
  if (isCalled(app, view)) return html`${bar}${forms(ctx)?.called(ctx, view, sends) ?? nothing}${soundBlocked(ctx)}`;
  if (my.is === "speaking" && isSummoned(app, my.turn)) return html`${bar}${summons(ctx, view, my.turn, sends)}${soundBlocked(ctx)}`;
  if (!sends) return html`${bar}${companion(ctx, view, my)}`;
  const me = app.me?.site ?? -1;
  const reading = app.ui.tab === "drafts";
  return html`${bar}
  <main class="desk ${reading ? "with-drafts" : ""}">
    <div class="left">
      <figure class="tile pgm ${isHeard(view, view.stage.programme) ? "is-live" : ""}"><room-picture .slotNumber=${0} .site=${view.stage.programme} role="img"
        aria-label=${t("programme-picture", { site: siteCall(view, view.stage.programme) })}></room-picture>${view.stage.programme === null ? html`<p class="no-picture">${t("no-programme")}</p>` : nothing}</figure>
      ${lowerThird(ctx, view)}
      ${reading ? draftsDesk(ctx, view) : app.ui.tab === "agenda" ? html`<div class="under" tabindex="0">${agendaZone(view)}</div>` : app.ui.tab === "count" ? html`<div class="under">${forms(ctx)?.headcountForm(ctx, view) ?? nothing}</div>` : nothing}
      ${tabs(ctx, view)}
    </div>
    <div class="right">
      ${prompts(ctx, view)}
      ${app.ui.asking ? forms(ctx)?.askForm(ctx, view) ?? nothing : html`${panel(ctx, view, my)}${bigButton(ctx, my)}${addButton(ctx, my)}`}
      ${ownRequests(ctx, view)}${nextList(nextThree(view.floor), view, me)}
      <div class="below">${statusLine(ctx)}${self(ctx, view, my)}</div>
    </div>
  </main>${soundBlocked(ctx)}`;
}

/** @param {Ctx} ctx @param {View} view */
function tabs(ctx, view) {
  const { tab } = ctx.app.ui;
  const count = view.feed.filter((comment) => comment.site === ctx.app.me?.site).length;
  const draft = draftAtHand(view);
  const one = (/** @type {string} */ name, /** @type {unknown} */ words) => html`<button role="tab" type="button" aria-selected=${tab === name} @click=${() => ctx.ui({ tab: name })}>${words}</button>`;
  return html`<div class="tabs" role="tablist">${one("", t("programme"))}${one("agenda", t("agenda"))}${one("count", t("headcount"))}${one("drafts", html`${t("drafts-and-comments")} ${count > 0 ? html`<b class="num">${count}</b>` : nothing}`)}
    <p>${currentItem(view.agenda)?.drafts.length && draft ? rich("discussing", { draft: draft.short }) : nothing}</p></div>`;
}

// ---------------------------------------------------------------- trạng thái của điểm cầu

/** @param {Ctx} ctx @param {View} view @param {MyFloor} my */
function panel(ctx, view, my) {
  switch (my.is) {
    case "speaking": return speakingPanel(ctx, view, my.turn);
    case "on_deck": return deckPanel(view, my.request);
    case "waiting": return html`<div class="panel queued" role="status"><p class="lead">${icon("stack")}${t("my-waiting")}</p><p class="huge"><span>${t("place-word")}</span><b class="num">${my.place}</b></p><p class="say">${my.before === 0 ? t("nobody-before-you") : rich("sites-before-you", { n: my.before })}</p></div>`;
    case "pending": return html`<div class="panel queued" role="status"><p class="lead">${icon("stack")}${t("my-pending")}</p><p class="huge words">${t("waiting-for-chair")}</p><p class="say">${wordsOf(view, my.request)}</p></div>`;
    case "denied": return html`<div class="panel" role="status"><p class="lead">${icon("stack")}${t(my.denied.item_over ? "my-item-over" : "my-denied")}</p><p class="say">${my.denied.reason === "" ? t(my.denied.item_over ? "my-item-over-what" : "my-denied-what") : rich("my-denied-reason", { text: my.denied.reason })}</p><p>${putAway(ctx, { deniedSeen: my.denied.turn })}</p></div>`;
    case "ended": return html`<div class="panel" role="status"><p class="lead">${icon("mic-off")}${t(`my-ended-${my.how}`)}</p><p class="say">${t(`my-ended-${my.how}-what`)}</p><p>${putAway(ctx, { endSeen: view.floor.last?.turn ?? null })}</p></div>`;
    case "idle": return html`<div class="panel" role="status"><p class="lead">${icon("mic-off")}${t("my-idle")}</p><p class="huge words calm">${t(view.floor.open ? "list-open-big" : "list-closed-big")}</p><p class="say">${view.floor.queue.length === 0 ? t("list-empty") : rich("waiting-sites", { n: view.floor.queue.length })}</p></div>`;
  }
}

/** One or two are told to prepare: the first is called next. @param {View} view @param {Request} request */
function deckPanel(view, request) {
  const first = view.floor.on_deck[0] === request.turn;
  const ready = request.ready === "ready";
  return html`<div class="panel deck" role="status"><p class="lead">${icon(ready ? "check" : "right")}${t(ready ? "my-ready" : "my-on-deck")}</p><p class="huge words">${t(ready ? "wait-for-call" : "get-ready")}</p>
    <p class="say">${first ? t("you-are-called-next") : t("you-are-second")}${wordsOf(view, request)}</p></div>`;
}

/** @param {Ctx} ctx @param {View} view @param {Turn} turn */
function speakingPanel(ctx, view, turn) {
  const of = durationText(turn.allotted_ms);
  const left = turn.away_until === null ? null : Math.max(0, Math.ceil((turn.away_until - serverNow()) / 1_000));
  if (turn.held) return html`<div class="panel held" role="status"><p class="lead">${icon("pause")}${t("turn-held")}</p><turn-clock .turn=${turn}></turn-clock><p class="say">${t("held-what")} ${left === null ? nothing : t("held-left", { n: left })}</p></div>`;
  if (turn.silenced) return html`<div class="panel held" role="status"><p class="lead">${icon("mic-off")}${t("priority-held")}</p><turn-clock .turn=${turn}></turn-clock><p class="say">${t("silenced-what")}</p></div>`;
  if (turn.interrupted) return html`<div class="panel held" role="status"><p class="lead">${icon("pause")}${t("turn-interrupted")}</p><turn-clock .turn=${turn}></turn-clock><p class="say">${t("interrupted-what")}</p></div>`;
  if (turn.muted) return html`<div class="panel held" role="status"><p class="lead">${icon("mic-off")}${t("turn-muted")}</p><turn-clock .turn=${turn}></turn-clock><p class="say">${t("muted-what")}</p></div>`;
  if (turn.paused) return html`<div class="panel held" role="status"><p class="lead">${icon("pause")}${t("turn-paused")}</p><turn-clock .turn=${turn}></turn-clock><p class="say">${t("paused-what")}</p></div>`;
  const rule = currentItem(view.agenda)?.turns.at_zero;
  const ends = rule?.rule === "mute" ? t("at-zero-mute", { n: rule.grace_seconds }) : rule?.rule === "cut" ? t("at-zero-cut") : t("at-zero-warn");
  const closed = !ctx.app.media.microphoneOpen && ctx.app.me?.carries !== "nothing";
  return html`<div class="panel ${closed ? "held" : "live"}" role="status"><p class="lead ${closed ? "" : "state live"}">${icon(closed ? "mic-off" : "mic")}${t(closed ? "your-turn-mic-closed" : "speaking")}</p>
    <turn-clock .turn=${turn}></turn-clock><p class="say">${rich("out-of", { of })} · ${ends}</p></div>`;
}

/** @param {View} view @param {Request} request */
function wordsOf(view, request) {
  const words = [request.words.delegate, subject(view, request.words)].filter((part) => part !== "").join(" · ");
  return words === "" ? nothing : html` <span class="mine">${words}</span>`;
}

/** @param {Ctx} ctx @param {Partial<App["ui"]>} change */
const putAway = (ctx, change) => html`<button class="btn small" type="button" @click=${() => ctx.ui(change)}>${t("understood")}</button>`;

/** @param {Ctx} ctx @param {MyFloor} my */
function bigButton(ctx, my) {
  const view = /** @type {View} */ (ctx.app.view);
  switch (my.is) {
    case "speaking": return html`<button class="btn end big" type="button" @click=${() => endTurn(ctx.ask, my.turn.turn)}>${icon("stop")}${t("end-turn")} ${kbd("F4")}</button>`;
    case "on_deck": return my.request.ready === "ready"
      ? html`<div class="big-pair"><button class="btn big" type="button" @click=${() => setReady(ctx.ask, my.request.turn, "not_ready")}>${icon("warn")}${t("say-not-ready")}</button>${withdrawButton(ctx, my.request)}</div>`
      : html`<div class="big-pair"><button class="btn primary big" type="button" @click=${() => setReady(ctx.ask, my.request.turn, "ready")}>${icon("check")}${t("say-ready")} ${kbd("F2")}</button>
        <button class="btn big more" type="button" @click=${() => setReady(ctx.ask, my.request.turn, "not_ready")}>${t("say-not-ready")}</button></div>`;
    case "waiting":
    case "pending": return my.request.ready === "not_ready"
      ? html`<div class="big-pair"><button class="btn primary big" type="button" @click=${() => setReady(ctx.ask, my.request.turn, "ready")}>${icon("check")}${t("say-ready")}</button>${withdrawButton(ctx, my.request)}</div>`
      : html`<div class="big-pair"><button class="btn big" type="button" @click=${() => withdrawRequest(ctx.ask, my.request.turn)}>${icon("x")}${t("withdraw")} ${kbd("F2")}</button>
      ${view.floor.open ? html`<button class="btn big more" type="button" @click=${() => ctx.ui({ asking: true })}>${icon("plus")}${t("one-more")}</button>` : nothing}</div>`;
    case "denied":
    case "ended":
    case "idle": return html`<button class="btn primary big" type="button" @click=${() => ctx.ui({ asking: true })}>${icon("mic")}${t(view.floor.open ? "request-floor" : "speech-point_of_order")} ${kbd("F2")}</button>`;
  }
}

/** Another delegate of the same site asks while one speaks or prepares. @param {Ctx} ctx @param {MyFloor} my */
const addButton = (ctx, my) => (my.is !== "speaking" && my.is !== "on_deck" ? nothing
  : html`<button class="btn small add" type="button" @click=${() => ctx.ui({ asking: true })}>${icon("plus")}${t("one-more")}</button>`);

/** @param {Ctx} ctx @param {Request} request */
const withdrawButton = (ctx, request) => html`<button class="btn big more" type="button" @click=${() => withdrawRequest(ctx.ask, request.turn)}>${icon("x")}${t("withdraw")}</button>`;

/** A site's requests when it has more than one: each delegate's place, why, and a way back. @param {Ctx} ctx @param {View} view */
function ownRequests(ctx, view) {
  const me = ctx.app.me?.site ?? -1;
  const own = view.floor.queue.map((request, place) => ({ request, place: place + 1 })).filter(({ request }) => request.site === me);
  if (own.length < 2) return nothing;
  return html`<ol class="own" aria-label=${t("own-requests")}>${own.map(({ request, place }) => html`<li><b class="num">${place}</b><span>${request.words.delegate || t(`speech-${request.words.speech}`)}</span>
    <button class="btn small" type="button" aria-label=${t("withdraw-of", { text: request.words.delegate })} @click=${() => withdrawRequest(ctx.ask, request.turn)}>${icon("x")}</button></li>`)}</ol>`;
}

// ---------------------------------------------------------------- lời nhắc riêng

const HELP = /** @type {const} */ (["need_help", "cannot_hear", "cannot_see"]);

/** What the desks tell this site, and what it has told them. @param {Ctx} ctx @param {View} view */
function prompts(ctx, view) {
  const open = view.prompts.filter((prompt) => prompt.handled === null);
  const told = open.filter((prompt) => !HELP.some((kind) => kind === prompt.kind));
  return html`<div class="prompts" role="status">${told.map((prompt) => html`<p class="told">${icon("warn")}<b>${t(`prompt-${prompt.kind}`)}</b><button class="btn small" type="button" @click=${() => handlePrompt(ctx.ask, prompt.id)}>${icon("check")}${t("understood")}</button></p>`)}
    <p class="help">${HELP.map((kind) => {
      const waits = open.some((prompt) => prompt.kind === kind);
      return html`<button class="btn small ${waits ? "pressed" : ""}" type="button" ?disabled=${waits} @click=${() => promptDesks(ctx.ask, kind)}>${t(`prompt-${kind}`)}${waits ? `: ${t("prompt-waits")}` : ""}</button>`;
    })}</p></div>`;
}

// ---------------------------------------------------------------- điểm danh

/** @param {App} app @param {View} view */
const isCalled = (app, view) => app.me?.site != null && view.attendance.calling === app.me.site;

// ---------------------------------------------------------------- lời mời, cả màn hình

/** A paused or held turn is told by the panel: the invitation would say an open microphone that is not. @param {App} app @param {Turn} turn */
const isSummoned = (app, turn) => app.ui.summoned === turn.turn && !turn.paused && !turn.held && !turn.muted && !turn.silenced && !turn.interrupted;

/** Own microphone open: the mark is red and true. Closed by the room: green, and the button opens it. @param {Ctx} ctx @param {View} view @param {Turn} turn @param {boolean} sends */
function summons(ctx, view, turn, sends) {
  const closed = sends && !ctx.app.media.microphoneOpen;
  const about = topicLine(view, turn.words);
  return html`<section class="summons ${closed || !sends ? "" : "is-open"}" role="alertdialog" aria-labelledby="h-summons" aria-describedby="d-summons">
    ${closed || !sends ? mark("deck", "right", t("chair-invites")) : mark("live", "mic", t("chair-invites-open"))}
    <h2 id="h-summons">${t("please-speak")}</h2>
    <p id="d-summons" class="d"><b>${fittingName(view, turn.site, 60)}</b>${turn.words.delegate === "" ? nothing : html` · ${turn.words.delegate}`}<br>${about} · ${t("allotted")} <b class="num">${durationText(turn.allotted_ms)}</b></p>
    <div class="go"><button class="btn invite primary-act" type="button" autofocus @click=${() => begin(ctx)}>${icon("mic")}<span>${t(closed ? "begin-open" : "begin")}</span>${kbd("F2")}</button>
      <button class="btn" type="button" @click=${() => endTurn(ctx.ask, turn.turn)}>${t("not-ready")}</button></div>
    <p class="hint">${rich(closed ? "begin-hint-closed" : sends ? "begin-hint-open" : "begin-hint-companion")} <turn-time class="num" .turn=${turn}></turn-time></p>
    ${sends ? html`<div class="proof"><figure class="tile"><self-picture .stream=${ctx.app.media.picture}></self-picture></figure><div><p>${icon(closed ? "mic-off" : "mic")}<b>${t(closed ? "microphone-closed" : "microphone-open")}</b></p><level-meter aria-label=${t("microphone-level")} .read=${() => ctx.media.level()}></level-meter></div></div>` : nothing}
  </section>`;
}

/** @param {Ctx} ctx */
function begin(ctx) {
  if (ctx.app.me?.carries !== "nothing") ctx.media.setMicrophone(true);
  ctx.ui({ summoned: null });
}

// ---------------------------------------------------------------- hình và micro của điểm cầu

/** @param {Ctx} ctx @param {View} view @param {MyFloor} my */
function self(ctx, view, my) {
  const { media, me } = ctx.app;
  const heard = isHeard(view, me?.site ?? null);
  const open = media.microphoneOpen;
  const count = siteBars(figures(ctx.app.telemetry, me?.site ?? -1)?.link, media.uplink === "connected");
  const words = media.capturing && !media.hasMicrophone ? t("opening-device") : !media.hasMicrophone ? t(`microphone-${media.microphoneTrouble ?? "other"}`) : !open ? t("microphone-closed") : heard ? t("microphone-open") : t("microphone-ready");
  const link = media.uplink === "connected" ? `${t("link")}: ${barsWord(count)}` : t(media.uplink === "failed" ? "uplink-failed" : "uplink-connecting");
  return html`<div class="self"><figure class="tile ${heard && open ? "is-live" : my.is === "on_deck" ? "is-deck" : ""}"><self-picture role="img" aria-label=${t("own-picture")} .stream=${media.picture}></self-picture>
      ${media.picture ? nothing : html`<p class="no-picture">${media.capturing ? t("opening-device") : t(`camera-${media.cameraTrouble ?? "other"}`)}</p>`}<figcaption class="strip">${t("own-picture")}</figcaption></figure>
    <div class="mic"><p class=${open && media.hasMicrophone ? "" : "alarming"}>${icon(heard && open ? "mic" : "mic-off")}<b>${words}</b></p>
      <level-meter aria-label=${t("microphone-level")} .read=${() => ctx.media.level()}></level-meter>
      <p class="links">${bars(count)}<span>${link}</span></p>
      <p class="mic-acts"><button class="btn small" type="button" aria-pressed=${!open} @click=${() => ctx.media.setMicrophone(!open)}>${icon(open ? "mic-off" : "mic")}${t(open ? "close-own-microphone" : "open-own-microphone")}</button>
        ${media.hasMicrophone && media.picture ? nothing : html`<button class="btn small" type="button" ?disabled=${media.capturing} @click=${() => ctx.media.capture()}>${t("try-devices")}</button>`}</p>
    </div></div>`;
}

// ---------------------------------------------------------------- máy phụ

/** @param {Ctx} ctx @param {View} view @param {MyFloor} my */
function companion(ctx, view, my) {
  const { turn } = view.floor;
  const me = ctx.app.me?.site ?? -1;
  if (ctx.app.ui.tab === "drafts") return html`<main class="companion with-drafts">${draftsDesk(ctx, view)}${statusLine(ctx)}<button class="btn quietbtn" type="button" @click=${() => ctx.ui({ tab: "" })}>${t("back")}</button></main>`;
  return html`<main class="companion">
    <div class="now-speaking">${turnMark(view)}<p>${turn ? html`<b>${fittingName(view, turn.site, 40)}</b><small>${turn.words.delegate}</small>` : html`<b>${itemLine(view)}</b>`}</p>${turn ? html`<turn-time class="num" .turn=${turn}></turn-time>` : nothing}</div>
    ${prompts(ctx, view)}
    ${ctx.app.ui.asking ? forms(ctx)?.askForm(ctx, view) ?? nothing : html`${panel(ctx, view, my)}${bigButton(ctx, my)}${addButton(ctx, my)}`}
    ${ownRequests(ctx, view)}${nextList(nextThree(view.floor), view, me)}
    ${statusLine(ctx)}
    <div class="foot"><button class="btn quietbtn" type="button" @click=${() => ctx.ui({ tab: "drafts" })}>${icon("pen")}${t("comment-on-draft")}</button></div>
    <p class="mute">${icon("speaker")}${t("companion-silent")}</p></main>`;
}
