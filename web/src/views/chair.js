// The chair's desk: who speaks, how long, who is next, and the one button that makes it so.

/** @import { Request, View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import { finishItem, moveToNextItem, startItem } from "../actions/agenda.js";
import { acceptRequest, denyRequest, endTurn, extendTurn, grant, grantNext, moveRequest, pauseTurn, prepare, resumeTurn, revokeTurn, setHallMicrophone, setList } from "../actions/floor.js";
import { setLayout } from "../actions/room.js";
import "../elements/level-meter.js";
import "../elements/self-picture.js";
import { currentItem, minutesLate, minutesTaken, nextItem } from "../state/agenda.js";
import { nextRequest, placeOf, siteState } from "../state/floor.js";
import { callName, figures, hall, linkedCount, lostSites, siteCall } from "../state/sites.js";
import { number } from "../text.js";
import { serverNow } from "../time.js";
import { greenRoom } from "./greenroom.js";
import { bars, barsWord, dialog, fittingName, html, icon, isHeard, itemLine, itemTitle, kbd, mark, nothing, siteBars, soundBlocked, soundToggle, statusLine, subject, t, topbar, topicLine, turnMark } from "./pieces.js";

/** @param {App} app */
export const title = (app) => {
  const turn = app.view?.floor.turn;
  return `${turn && app.view ? `▶ ${t("title-speaking", { site: siteCall(app.view, turn.site) })} · ` : ""}${t("page-chair")} · diemcau`;
};

/** @param {App} app */
export const said = (app) => {
  const { view } = app;
  const turn = view?.floor.turn;
  if (!view || !turn) return t("nobody-speaks");
  const who = t("title-speaking", { site: siteCall(view, turn.site) });
  if (turn.held) return `${who}: ${t("turn-held")}`;
  if (turn.paused) return `${who}: ${t("turn-paused")}`;
  return turn.warned_s === null ? who : `${who}: ${turn.warned_s === 0 ? t("turn-over") : t("seconds-left", { n: turn.warned_s })}`;
};

/** @param {Ctx} ctx */
export function keys(ctx) {
  const floor = ctx.app.view?.floor;
  const next = floor && nextRequest(floor);
  const turn = floor?.turn;
  return {
    F2: next ? () => grantNext(ctx.ask, floor, next.turn) : undefined,
    F4: turn ? () => endTurn(ctx.ask, turn.turn) : undefined,
    F8: turn ? () => (turn.paused ? resumeTurn(ctx.ask, turn.turn) : pauseTurn(ctx.ask, turn.turn)) : undefined,
  };
}

/** @param {Ctx} ctx */
export function view(ctx) {
  const { app } = ctx;
  const view = /** @type {View} */ (app.view);
  const sends = app.me?.carries === "room" || app.me?.carries === "standby";
  if (sends && !app.ui.entered) return greenRoom(ctx, view);
  return html`
    ${topbar(ctx, t("page-chair"), view.fixed.title, sends || app.me?.carries === "nothing" ? nothing : soundToggle(ctx))}
    <main class="chair">
      ${agendaZone(ctx, view)} ${speechZone(ctx, view)} ${sitesZone(ctx, view)} ${listZone(ctx, view)}
    </main>
    ${footer(ctx, view, sends)} ${dialogs(ctx, view)} ${soundBlocked(ctx)}`;
}

// ---------------------------------------------------------------- chương trình

/** @param {Ctx} ctx @param {View} view */
function agendaZone(ctx, view) {
  const { agenda, floor } = view;
  const now = serverNow();
  const late = minutesLate(agenda, now);
  const next = nextItem(agenda);
  const current = currentItem(agenda);
  const turn = floor.turn;
  // Only a running speech is cut by moving on, so only then is the question asked.
  const go = () => (turn && current ? ctx.ui({ confirm: { what: "next-item", id: current.id } }) : moveOn(ctx, view));
  return html`<section class="zone agenda" aria-labelledby="h-agenda">
    <div class="zone-head"><h2 id="h-agenda">${t("agenda")}</h2><span class="faint">${late > 0 ? t("minutes-late", { n: late }) : agenda.items.some((item) => item.started !== null) ? t("on-time") : ""}</span></div>
    <ol>${agenda.items.map((item) => {
      const taken = minutesTaken(item, now);
      const is = item.id === agenda.current ? "now" : item.finished !== null ? "done" : item === next ? "next" : "";
      return html`<li class=${is} aria-current=${is === "now" ? "step" : nothing} title=${item.title}><span class="n">${item.id}</span><span class="t">${itemTitle(item)}</span>
        <span class="m num">${taken === null ? "" : `${taken}/`}${item.minutes}′</span><span class="vh">${is === "" ? "" : t(`item-${is}`)}</span></li>`;
    })}</ol>
    ${next || current
      ? html`<button class="btn small" type="button" @click=${go}>${!current ? t("start-item", { n: next?.id ?? 0 }) : next ? t("go-to-item", { n: next.id }) : t("finish-item", { n: current.id })}</button>`
      : html`<p class="all-done">${icon("check")}${t("agenda-done")}</p>`}
    <div class="wide"><h3>${t("big-screen")}: ${t(`layout-${view.stage.layout}`)}</h3>
      <p>${t("comments-so-far", { n: view.feed.length, proposed: view.feed.filter((comment) => comment.words.proposed !== "").length })}</p>
      <p>${t("heard-now")}: ${view.stage.heard.length === 0 ? t("nobody") : view.stage.heard.map((site, place) => html`${place ? ", " : ""}<b>${siteCall(view, site)}</b>`)}</p></div>
  </section>`;
}

/** @param {Ctx} ctx @param {View} view */
function moveOn(ctx, view) {
  const { current } = view.agenda;
  const next = nextItem(view.agenda);
  if (current === null) return next && startItem(ctx.ask, next.id);
  return next ? moveToNextItem(ctx.ask, current) : finishItem(ctx.ask, current);
}

// ---------------------------------------------------------------- lượt phát biểu

/** @param {Ctx} ctx @param {View} view */
function speechZone(ctx, view) {
  const turn = view.floor.turn;
  const programme = view.stage.programme;
  return html`<section class="zone speech" aria-label=${t("present-speech")}>
    <figure class="tile pgm ${isHeard(view, programme) ? "is-live" : ""}"><room-picture .slotNumber=${0} .site=${programme} role="img"
      aria-label=${t("programme-picture", { site: siteCall(view, programme) })}></room-picture>${programme === null ? html`<p class="no-picture">${t("no-programme")}</p>` : nothing}</figure>
    <div class="turn ${turn ? "" : "nobody"}">${turn
      ? html`${turnMark(view)}<h2 class="site">${fittingName(view, turn.site, 30)}</h2><p class="who">${turn.words.delegate || t("no-delegate")}</p><p class="topic">${topicLine(view, turn.words)}</p>
        <turn-clock .turn=${turn}></turn-clock>`
      : html`${view.floor.hall_microphone ? mark("live", "mic", t("hall-open")) : mark("", "mic-off", t("nobody-speaks"))}<h2 class="site">${callName(hall(view))}</h2><p class="topic">${lastWords(view)}</p>`}</div>
    <div class="acts">
      <button class="btn end" type="button" ?disabled=${!turn} @click=${() => turn && endTurn(ctx.ask, turn.turn)}>${icon("stop")}${t("end-turn")} ${kbd("F4")}</button>
      <button class="btn" type="button" ?disabled=${!turn} @click=${() => turn && extendTurn(ctx.ask, turn.turn, 1)}>${icon("plus")}${t("extend-minute")}</button>
      ${turn?.paused
        ? html`<button class="btn pressed" type="button" @click=${() => resumeTurn(ctx.ask, turn.turn)}>${icon("play")}${t("resume")} ${kbd("F8")}</button>`
        : html`<button class="btn" type="button" ?disabled=${!turn} @click=${() => turn && pauseTurn(ctx.ask, turn.turn)}>${icon("pause")}${t("pause")} ${kbd("F8")}</button>`}
      <button class="btn" type="button" ?disabled=${!turn} @click=${() => turn && ctx.ui({ confirm: { what: "revoke", id: turn.turn } })}>${t("stop-speaker")}</button>
    </div>
  </section>`;
}

/** @param {View} view */
function lastWords(view) {
  const { last } = view.floor;
  return last ? t("last-turn", { site: siteCall(view, last.site), how: t(`end-${last.how}`) }) : itemLine(view);
}

// ---------------------------------------------------------------- điểm cầu

/** @param {Ctx} ctx @param {View} view */
function sitesZone(ctx, view) {
  const lost = lostSites(view);
  const first = lost[0];
  return html`<section class="sites" aria-labelledby="h-sites">
    <div class="line"><h2 id="h-sites">${t("sites-count", { n: view.fixed.sites.length })}</h2><span>${t("linked-count", { n: linkedCount(view) })}</span>
      ${first ? html`<span class="alarm">${mark("weak", "warn", t("attention"))} <b>${siteCall(view, first.site)}</b> ${t("lost-link")} <since-clock class="num" .since=${first.since ?? 0}></since-clock>${lost.length > 1 ? t("and-more", { n: lost.length - 1 }) : ""}</span>` : nothing}</div>
    <ul class="chips">${view.fixed.sites.map((each) => chip(ctx, view, each))}</ul>
  </section>`;
}

/** @type {Record<string, string>} */
const STATE_ICONS = { live: "mic", held: "pause", deck: "right", queued: "stack", lost: "cut", absent: "cut", weak: "warn", ready: "check" };

/** @param {Ctx} ctx @param {View} view @param {View["fixed"]["sites"][number]} each */
function chip(ctx, view, each) {
  const link = view.sites.find((one) => one.site === each.id);
  const count = siteBars(figures(ctx.app.telemetry, each.id)?.link, link?.carrier != null);
  const state = siteState(view, each.id, link?.carrier != null && count === 1);
  const place = placeOf(view.floor, each.id);
  const word = state === "queued" ? t("queued-place", { n: place }) : link?.carrier === "standby" && state === "ready" ? t("on-standby") : state === "live" && view.floor.turn?.site === each.id ? t("state-speaking") : t(`state-${state}`);
  return html`<li class="chip ${each.hall ? "hall" : ""} is-${state}" title=${each.name}><span class="level">${each.hall ? t("main-hall") : each.level}</span>${bars(count)}<span class="vh">${t("link")}: ${barsWord(count)}</span>
    <span class="name">${each.hall && [...each.name].length <= 24 ? each.name : each.short}</span><span class="st">${icon(STATE_ICONS[state] ?? "check")}${word}</span></li>`;
}

// ---------------------------------------------------------------- danh sách đăng ký phát biểu

/** @param {Ctx} ctx @param {View} view */
function listZone(ctx, view) {
  const { floor } = view;
  const next = nextRequest(floor);
  return html`<section class="zone list" aria-labelledby="h-queue">
    <div class="zone-head"><h2 id="h-queue">${t("speakers-list")}</h2><span class="faint">${t("waiting-count", { n: floor.queue.length })} · ${t(floor.open ? "list-is-open" : "list-is-closed")}</span></div>
    <button class="btn primary two go" type="button" ?disabled=${!next} @click=${() => next && grantNext(ctx.ask, floor, next.turn)}>
      <span>${next ? t("grant-next", { site: siteCall(view, next.site) }) : t("grant-next-nobody")}</span>${kbd("F2")}</button>
    <div class="rows">
      ${floor.pending.length === 0 ? nothing : html`<section class="pending" aria-labelledby="h-pending"><h3 id="h-pending">${t("pending-count", { n: floor.pending.length })}</h3>
        <ul>${floor.pending.map((request) => pendingRow(ctx, view, request))}</ul></section>`}
      ${floor.queue.length === 0
        ? html`<p class="empty">${t(floor.open ? "queue-empty-open" : "queue-empty-closed")}</p>`
        : html`<ol class="queue" role="listbox" tabindex="0" aria-label=${t("speakers-list")} aria-activedescendant=${ctx.app.ui.picked === null ? nothing : `turn-${ctx.app.ui.picked}`}
            @keydown=${(/** @type {KeyboardEvent} */ event) => step(event, ctx, view)}>${floor.queue.map((request, place) => row(ctx, view, request, place))}</ol>`}
    </div>
    ${pickStrip(ctx, view)}
  </section>`;
}

/** @param {Ctx} ctx @param {View} view @param {Request} request @param {number} place */
function row(ctx, view, request, place) {
  const picked = ctx.app.ui.picked === request.turn;
  const onDeck = view.floor.on_deck === request.turn;
  const marked = request.words.speech === "reply" || request.words.speech === "point_of_order" || request.words.speech === "question";
  const about = subject(view, request.words);
  return html`<li class="qrow ${onDeck ? "is-deck" : ""} ${picked ? "is-picked" : ""}" id="turn-${request.turn}" role="option" aria-selected=${picked}
    @click=${() => ctx.ui({ picked: picked ? null : request.turn })}>
    <span class="ord num"><span class="vh">${t("number")} </span>${place + 1}</span>
    <span class="site">${fittingName(view, request.site, 90)} ${onDeck ? mark("deck", "right", t("state-deck")) : nothing} ${marked ? mark("reply", "", t(`speech-${request.words.speech}`)) : nothing}</span>
    <span class="who">${request.words.delegate || (marked ? "" : t(`speech-${request.words.speech}`))}<span class="topic">${about}</span></span>
    <span class="wait"><span class="vh">${t("waited")} </span><since-clock class="num" .since=${request.at}></since-clock></span></li>`;
}

/** @param {Ctx} ctx @param {View} view @param {Request} request */
function pendingRow(ctx, view, request) {
  return html`<li class="prow"><span class="site">${siteCall(view, request.site)}</span>
    <span class="who">${[request.words.delegate, topicLine(view, request.words)].filter((part) => part !== "").join(" · ")}</span>
    <span class="two-acts"><button class="btn small" type="button" @click=${() => acceptRequest(ctx.ask, request.turn)} aria-label=${t("accept-request", { site: siteCall(view, request.site) })}>${icon("check")}${t("accept")}</button>
    <button class="btn small" type="button" @click=${() => ctx.ui({ confirm: { what: "deny", id: request.turn } })} aria-label=${t("deny-request", { site: siteCall(view, request.site) })}>${t("not-now")}</button></span></li>`;
}

/** @param {KeyboardEvent} event @param {Ctx} ctx @param {View} view */
function step(event, ctx, view) {
  const rows = view.floor.queue;
  const at = rows.findIndex((request) => request.turn === ctx.app.ui.picked);
  const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? rows.length - 1 : at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const target = rows[Math.max(0, Math.min(rows.length - 1, to))];
  if (!target) return;
  ctx.ui({ picked: target.turn });
  queueMicrotask(() => document.getElementById(`turn-${target.turn}`)?.scrollIntoView({ block: "nearest" }));
}

/** @param {Ctx} ctx @param {View} view */
function pickStrip(ctx, view) {
  const { queue, on_deck } = view.floor;
  const at = queue.findIndex((request) => request.turn === ctx.app.ui.picked);
  const request = queue[at];
  if (!request) return html`<div class="pick hint"><p>${t("pick-a-row")}</p></div>`;
  const site = siteCall(view, request.site);
  const n = at + 1;
  return html`<div class="pick" role="group" aria-label=${t("act-on", { n, site })}><div>
    <button class="btn" type="button" @click=${() => grant(ctx.ask, view.floor, request.turn)}>${t("grant-now", { n })}</button>
    <button class="btn icon-only" type="button" aria-label=${t("move-up")} ?disabled=${at === 0} @click=${() => moveRequest(ctx.ask, request.turn, queue[at - 1]?.turn ?? null)}>${icon("up")}</button>
    <button class="btn icon-only" type="button" aria-label=${t("move-down")} ?disabled=${at === queue.length - 1} @click=${() => moveRequest(ctx.ask, request.turn, queue[at + 2]?.turn ?? null)}>${icon("down")}</button>
    <button class="btn" type="button" ?disabled=${request.turn === on_deck} @click=${() => prepare(ctx.ask, request.turn)}>${t("prepare")}</button>
    <button class="btn" type="button" @click=${() => ctx.ui({ confirm: { what: "deny", id: request.turn } })}>${t("drop")}</button></div></div>`;
}

// ---------------------------------------------------------------- chân trang, hộp thoại

/** @param {Ctx} ctx @param {View} view @param {boolean} sends */
function footer(ctx, view, sends) {
  const { floor, stage } = view;
  const other = stage.layout === "grid" ? "speaker" : "grid";
  return html`<footer class="desk-foot">
    <button class="btn ${floor.hall_microphone ? "live-fill" : ""}" type="button" aria-pressed=${floor.hall_microphone} @click=${() => setHallMicrophone(ctx.ask, !floor.hall_microphone)}>
      ${icon(floor.hall_microphone ? "mic" : "mic-off")}${t(floor.hall_microphone ? "close-hall" : "open-hall")}</button>
    <button class="btn" type="button" title=${t("switch-layout", { layout: t(`layout-${other}`) })} @click=${() => setLayout(ctx.ask, other)}>${icon("screen")}${t("big-screen")}: ${t(`layout-${stage.layout}`)}</button>
    <button class="btn" type="button" @click=${() => setList(ctx.ask, !floor.open)}>${icon("lock")}${t(floor.open ? "lock-list" : "open-list")}</button>
    ${statusLine(ctx)}
    ${sends ? html`<div class="foot-self"><button class="btn small ${ctx.app.media.microphoneOpen ? "" : "own-closed"}" type="button" aria-pressed=${!ctx.app.media.microphoneOpen} title=${t(ctx.app.media.microphoneOpen ? "close-own-long" : "open-own-long")} @click=${() => ctx.media.setMicrophone(!ctx.app.media.microphoneOpen)}>
      ${icon(ctx.app.media.microphoneOpen ? "mic" : "mic-off")}${t(ctx.app.media.microphoneOpen ? "own-machine-open" : "own-machine-closed")}</button><level-meter aria-label=${t("microphone-level")} .read=${() => ctx.media.level()}></level-meter><figure class="tile"><self-picture role="img" aria-label=${t("own-picture")} .stream=${ctx.app.media.picture}></self-picture></figure></div>` : nothing}
  </footer>`;
}

/** @param {Ctx} ctx @param {View} view */
function dialogs(ctx, view) {
  const { confirm } = ctx.app.ui;
  const turn = view.floor.turn;
  if (confirm?.what === "revoke" && turn?.turn === confirm.id) {
    const site = siteCall(view, turn.site);
    return dialog(ctx, { title: t("revoke-title", { site }), text: t("revoke-text"), stay: t("revoke-stay"), go: t("revoke-go"), act: () => revokeTurn(ctx.ask, confirm.id) });
  }
  if (confirm?.what === "next-item" && view.agenda.current === confirm.id && turn) {
    const next = nextItem(view.agenda);
    const go = next ? t("go-to-item", { n: next.id }) : t("finish-item", { n: confirm.id });
    return dialog(ctx, { title: `${go}?`, text: t("next-item-text", { site: siteCall(view, turn.site), n: number(view.floor.queue.length) }), stay: t("stay-in-item", { n: confirm.id }), go, act: () => moveOn(ctx, view) });
  }
  const request = confirm?.what === "deny" ? [...view.floor.queue, ...view.floor.pending].find((each) => each.turn === confirm.id) : undefined;
  if (request) {
    const field = html`<div class="field dialog-field"><label for="deny-reason">${t("deny-reason")}</label><input class="input" id="deny-reason" maxlength="200" autocomplete="off" autofocus></div>`;
    const reason = () => /** @type {HTMLInputElement | null} */ (document.getElementById("deny-reason"))?.value ?? "";
    return dialog(ctx, { title: t("deny-title", { site: siteCall(view, request.site) }), text: t("deny-text"), stay: t("deny-stay"), go: t("deny-go"), field, act: () => denyRequest(ctx.ask, request.turn, reason()) });
  }
  return nothing;
}
