// A site's desk: one panel that says where the site stands, readable from four metres, and one button.
// A companion (a phone that carries nothing) is the same desk without picture and sound.

/** @import { View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { MyFloor } from "../state/floor.js" */
/** @import { Ctx } from "./pieces.js" */

import { endTurn, setReady } from "../actions/floor.js";
import { myFloor, nextThree } from "../state/floor.js";
import { callName, site, siteCall } from "../state/sites.js";
import { agendaZone } from "./agenda.js";
import { later, loaded } from "./later.js";
import { fittingName, html, icon, isHeard, itemLine, lowerThird, nextList, nothing, soundBlocked, statusLine, t, topbar, turnMark } from "./pieces.js";
import { askWithdraw, bigButton, deniedLead, openForm, panel } from "./site/panel.js";
import { person } from "./site/person.js";
import { self } from "./site/self.js";
import { help, strip } from "./site/strip.js";
import { begin, isSummoned, summons } from "./site/summons.js";

/** The drafts come after the desk is there: a room must be able to ask for the floor first. @param {Ctx} ctx */
const drafts = (ctx) => later(ctx, "drafts", () => import("./drafts.js"));

/** @param {Ctx} ctx */
const forms = (ctx) => later(ctx, "forms", () => import("./site/forms.js"));

/** Only a machine that has not entered yet needs it. @param {Ctx} ctx */
const greenRoom = (ctx) => later(ctx, "greenroom", () => import("./greenroom.js"));

/** @param {Ctx} ctx */
const tones = (ctx) => later(ctx, "tones", () => import("./tones.js"), false);

const joining = () => html`<p class="empty">${t("joining")}</p>`;

/** @param {Ctx} ctx @param {View} view */
const draftsDesk = (ctx, view) => drafts(ctx)?.draftsDesk(ctx, view) ?? joining();

/** @param {App} app @returns {MyFloor} */
const mine = (app) => (app.view && app.me?.site != null ? myFloor(app.view.floor, app.me.site, app.ui) : { is: "idle" });

export { followOwn as follow } from "../state/own.js";

/** @param {App} before @param {App} after */
export const hear = (before, after) => loaded("tones")?.hear(before, after);

/** @param {App} app */
const isCalled = (app) => app.me?.site != null && app.view?.attendance.calling === app.me.site;

/** @param {App} app */
export const title = (app) => {
  const me = app.view && app.me ? siteCall(app.view, app.me.site) : "";
  const my = mine(app);
  const state = isCalled(app) ? t("roll-you-are-called") : my.is === "speaking" ? `▶ ${t("speaking")}` : my.is === "waiting" ? t("title-waiting", { n: my.place }) : my.is === "on_deck" ? t("state-deck") : "";
  return `${state === "" ? "" : `${state} · `}${me} · diemcau`;
};

/** @param {App} app */
export const said = (app) => {
  const my = mine(app);
  if (isCalled(app)) return t("roll-you-are-called");
  switch (my.is) {
    case "speaking": return my.turn.held ? t("turn-held") : my.turn.silenced ? t("priority-held") : my.turn.interrupted ? t("turn-interrupted") : my.turn.paused ? t("turn-paused") : my.turn.muted ? t("turn-muted") : my.turn.warned_s === null ? t("speaking") : my.turn.warned_s === 0 ? t("turn-over") : t("seconds-left", { n: my.turn.warned_s });
    case "on_deck": return t(my.request.ready === "ready" ? "my-ready" : "my-on-deck");
    case "waiting": return t("title-waiting", { n: my.place });
    case "pending": return t("my-pending");
    case "denied": return deniedLead(app, my.denied);
    case "ended": return t(`my-ended-${my.how}`);
    case "idle": return "";
  }
};

/** @param {Ctx} ctx */
export function keys(ctx) {
  const { app } = ctx;
  const my = mine(app);
  if (isCalled(app)) return { F2: app.media.microphoneOpen || app.me?.carries === "nothing" ? undefined : () => ctx.media.setMicrophone(true) };
  if (my.is === "speaking" && isSummoned(app, my.turn)) return { F2: () => begin(ctx), F4: () => endTurn(ctx.ask, my.turn.turn) };
  const Escape = app.ui.asking ? () => ctx.ui({ asking: "" }) : undefined;
  switch (my.is) {
    case "speaking": return { F4: () => endTurn(ctx.ask, my.turn.turn), Escape };
    case "on_deck": return { F2: my.request.ready === "ready" ? undefined : () => setReady(ctx.ask, my.request.turn, "ready"), Escape };
    case "waiting":
    case "pending":
      if (app.ui.asking) return { Escape };
      return { F2: my.request.ready === "not_ready" ? () => setReady(ctx.ask, my.request.turn, "ready") : () => askWithdraw(ctx, my.request.turn) };
    case "denied":
    case "ended":
    case "idle": return { F2: app.view?.agenda.current == null ? undefined : openForm(ctx), Escape };
  }
}

/** @param {Ctx} ctx */
export function view(ctx) {
  const { app } = ctx;
  const view = /** @type {View} */ (app.view);
  const sends = app.me?.carries === "room" || app.me?.carries === "standby";
  if (sends && !app.ui.entered) return greenRoom(ctx)?.greenRoom(ctx, view) ?? joining();
  forms(ctx);
  drafts(ctx);
  const my = mine(app);
  const bar = topbar(ctx, html`${t("site-title", { site: callName(site(view, app.me?.site ?? null)) })}`, itemLine(view), html`${app.me?.carries === "standby" ? html`<span class="item">${t("standby-machine")}</span>` : nothing}${tones(ctx)?.toneButton(ctx) ?? nothing}`);
  const over = html`${forms(ctx)?.withdrawDialog(ctx, view) ?? nothing}${soundBlocked(ctx)}`;
  if (isCalled(app)) return html`${bar}${forms(ctx)?.called(ctx, view, sends) ?? joining()}${over}`;
  if (my.is === "speaking" && isSummoned(app, my.turn)) return html`${bar}${summons(ctx, view, my.turn, sends)}${over}`;
  return html`${bar}${sends ? desk(ctx, view, my) : companion(ctx, view, my)}${over}`;
}

/** @param {Ctx} ctx @param {View} view @param {MyFloor} my */
function desk(ctx, view, my) {
  const { app } = ctx;
  const { programme } = view.stage;
  return html`<main class="desk ${app.ui.tab === "drafts" ? "with-drafts" : ""}">
    <div class="left">
      <figure class="tile pgm ${isHeard(view, programme) ? "is-live" : ""}"><room-picture .slotNumber=${0} .site=${programme} role="img"
        aria-label=${t("programme-picture", { site: siteCall(view, programme) })}></room-picture>${programme === null ? html`<p class="no-picture">${t("no-programme")}</p>` : nothing}</figure>
      ${lowerThird(ctx, view)}${underPicture(ctx, view)}${tabs(ctx, view)}${help(ctx, view)}
    </div>
    <div class="right">
      ${strip(ctx, view, my)}
      ${app.ui.asking ? forms(ctx)?.askForm(ctx, view) ?? joining() : html`${panel(ctx, view, my)}${bigButton(ctx, view, my)}`}
      ${nextList(nextThree(view.floor), view, app.me?.site ?? -1)}
      <div class="below">${statusLine(ctx)}${self(ctx, view, my)}</div>
    </div>
  </main>`;
}

/** @param {Ctx} ctx @param {View} view */
function underPicture(ctx, view) {
  const zone = (/** @type {unknown} */ inside) => html`<div class="under" tabindex="0">${inside}</div>`;
  switch (ctx.app.ui.tab) {
    case "agenda": return zone(agendaZone(view));
    case "drafts": return draftsDesk(ctx, view);
    case "list": return zone(forms(ctx)?.listZone(ctx, view) ?? joining());
    case "count": return zone(forms(ctx)?.headcountForm(ctx, view) ?? joining());
    default: return nothing;
  }
}

/** @param {Ctx} ctx @param {View} view */
function tabs(ctx, view) {
  const { tab } = ctx.app.ui;
  const one = (/** @type {string} */ name, /** @type {string} */ words, count = 0) => html`<button role="tab" type="button" aria-selected=${tab === name} @click=${() => ctx.ui({ tab: name })}>${words} ${count > 0 ? html`<b class="num">${count}</b>` : nothing}</button>`;
  const comments = view.feed.filter((comment) => comment.site === ctx.app.me?.site).length;
  return html`<div class="tabs" role="tablist">${one("", t("programme"))}${one("agenda", t("agenda"))}${one("list", t("list-tab"), view.floor.queue.length)}${one("count", t("headcount"))}${one("drafts", t("drafts-and-comments"), comments)}</div>`;
}

/** A phone carries no picture and no sound: the same panel, button and forms. @param {Ctx} ctx @param {View} view @param {MyFloor} my */
function companion(ctx, view, my) {
  const { turn } = view.floor;
  const { tab } = ctx.app.ui;
  const back = html`<button class="btn quietbtn" type="button" @click=${() => ctx.ui({ tab: "" })}>${t("back")}</button>`;
  if (tab === "list") return html`<main class="companion">${forms(ctx)?.listZone(ctx, view) ?? joining()}${statusLine(ctx)}${back}</main>`;
  if (tab === "count") return html`<main class="companion">${forms(ctx)?.headcountForm(ctx, view) ?? joining()}${statusLine(ctx)}${back}</main>`;
  if (tab === "drafts") return html`<main class="companion with-drafts">${draftsDesk(ctx, view)}${statusLine(ctx)}${back}</main>`;
  return html`<main class="companion">
    <div class="now-speaking">${turnMark(view)}<p>${turn ? html`<b>${fittingName(view, turn.site, 40)}</b><small>${person(turn.words)}</small>` : html`<b>${itemLine(view)}</b>`}</p>${turn ? html`<turn-time class="num" .turn=${turn}></turn-time>` : nothing}</div>
    ${strip(ctx, view, my)}
    ${ctx.app.ui.asking ? forms(ctx)?.askForm(ctx, view) ?? joining() : html`${panel(ctx, view, my)}${bigButton(ctx, view, my)}`}
    ${statusLine(ctx)}
    ${forms(ctx)?.ownRequests(ctx, view) ?? nothing}${nextList(nextThree(view.floor), view, ctx.app.me?.site ?? -1)}
    <div class="more">${view.floor.queue.length > 3 ? html`<button class="btn" type="button" @click=${() => ctx.ui({ tab: "list" })}>${icon("stack")}${t("list-tab")} <b class="num">${view.floor.queue.length}</b></button>` : nothing}
      <button class="btn" type="button" @click=${() => ctx.ui({ tab: "count" })}>${icon("check")}${t("headcount")}</button></div>
    ${help(ctx, view)}
    <div class="foot"><button class="btn quietbtn" type="button" @click=${() => ctx.ui({ tab: "drafts" })}>${icon("pen")}${t("comment-on-draft")}</button></div>
    <p class="mute">${icon("speaker")}${t("companion-silent")}</p></main>`;
}
