// The chair's desk: who speaks, how long, who is next, and the one button that makes it so.

/** @import { Item, View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import { moveOn } from "../actions/agenda.js";
import { endTurn, extendTurn, pauseTurn, resumeTurn, undo } from "../actions/floor.js";
import { setBlank } from "../actions/room.js";
import { begunAt, currentItem, nextItem } from "../state/agenda.js";
import { minutesBehind, minutesTaken, plannedStarts } from "../state/plan.js";
import { presides } from "../state/app.js";
import { canUndo } from "../state/desk.js";
import { newRequest } from "../state/news.js";
import { callName, hall, siteCall } from "../state/sites.js";
import { shortTime, midnight, serverNow } from "../time.js";
import { footer, priority } from "./chair/foot.js";
import { listZone } from "./chair/list.js";
import { nextAct } from "./chair/next.js";
import { sitesZone, strip } from "./chair/sites.js";
import { later, loaded } from "./later.js";
import { fittingName, html, icon, itemLine, itemTitle, kbd, mark, nothing, soundBlocked, soundToggle, statusLine, t, topbar, topicLine, turnMark, withShared } from "./pieces.js";

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
  const { view } = ctx.app;
  if (!view) return {};
  const Escape = ctx.app.ui.panel !== "" ? () => ctx.ui({ panel: "" }) : ctx.app.ui.chip !== null ? () => ctx.ui({ chip: null }) : undefined;
  // Who does not preside presses them too: they must not open what the browser has behind them.
  if (!presides(ctx.app, view)) return { F2: undefined, F3: undefined, F4: undefined, F6: undefined, F7: undefined, F8: undefined, Escape };
  const { turn } = view.floor;
  return {
    F2: nextAct(ctx, view).act ?? undefined,
    F3: canUndo(view, serverNow()) ? () => view.floor.undo && undo(ctx.ask, view.floor.undo.turn) : undefined,
    F4: turn ? () => endTurn(ctx.ask, turn.turn) : undefined,
    F6: turn ? () => extendTurn(ctx.ask, turn.turn, 1) : undefined,
    F7: () => setBlank(ctx.ask, ctx.app.view?.stage.layout !== "blank"),
    F8: turn ? () => (turn.paused ? resumeTurn(ctx.ask, turn.turn) : pauseTurn(ctx.ask, turn.turn)) : undefined,
    Escape,
  };
}

/** Who has asked, told without a word about anything else. @param {App} before @param {App} after */
export function news(before, after) {
  const asked = newRequest(before, after);
  return asked && after.view ? t("asks-for-floor", { site: siteCall(after.view, asked.site), what: t(`speech-${asked.words.speech}`) }) : null;
}

/** @param {App} before @param {App} after */
export const hear = (before, after) => loaded("tones")?.hear(before, after);

/** @param {Ctx} ctx */
export const holds = (ctx) => (ctx.app.view && presides(ctx.app, ctx.app.view) ? { F9: priority(ctx) } : {});

/** @param {Ctx} ctx */
const door = (ctx) => later(ctx, "door", () => import("./door.js"));

/** @param {Ctx} ctx */
export function view(ctx) {
  const { app } = ctx;
  const view = /** @type {View} */ (app.view);
  const sends = app.me?.carries === "room" || app.me?.carries === "standby";
  if (sends && !app.ui.entered) return later(ctx, "greenroom", () => import("./greenroom.js"))?.greenRoom(ctx, view) ?? nothing;
  // A deputy lets in while it presides, the chair always.
  const atDoor = view.door.waiting.length > 0 && (app.me?.role === "chair" || presides(app, view));
  pick(ctx)?.followFocus(app.ui.panel || (app.ui.chip === null ? "" : "site"), app.ui.panel ? ".zone.over" : ".site-strip");
  const name = t(app.me?.role === "deputy" ? "page-deputy" : "page-chair");
  return html`
    ${topbar(ctx, name, view.fixed.title, html`${app.me?.role === "deputy" && presides(app, view) ? mark("deck", "check", t("you-preside")) : nothing}${later(ctx, "tones", () => import("./tones.js"), false)?.toneButton(ctx) ?? nothing}${sends || app.me?.carries === "nothing" ? nothing : soundToggle(ctx)}`)}
    ${(atDoor && door(ctx)?.lobbyStrip(ctx, view)) || nothing}
    <main class="chair ${presides(app, view) ? "" : "aside"} ${app.ui.panel === "" ? "" : "with-panel"}">
      ${agendaZone(ctx, view)} ${speechZone(ctx, view)} ${sitesZone(ctx, view)} ${listZone(ctx, view)}
      ${panel(ctx, view)}
    </main>
    ${footer(ctx, view, sends)} ${later(ctx, "dialogs", () => import("./chair/dialogs.js"), false)?.dialogs(ctx, view) ?? nothing}${atDoor ? door(ctx)?.doorDialog(ctx, view) ?? nothing : nothing} ${soundBlocked(ctx)}`;
}

/** In the place of agenda and sites, never over the clock, its buttons or the list. @param {Ctx} ctx @param {View} view */
function panel(ctx, view) {
  const { panel } = ctx.app.ui;
  if (panel === "") return nothing;
  const close = html`${strip(ctx)?.asked(ctx, view) ?? nothing}${statusLine(ctx)}<button class="btn small" type="button" @click=${() => ctx.ui({ panel: "" })}>${t("close")} ${kbd("Esc")}</button>`;
  return html`<section class="zone over" tabindex="-1">${panelOf(ctx, view, panel, close) ?? html`<p class="empty">${t("joining")}</p>`}</section>`;
}

/** @param {Ctx} ctx @param {View} view @param {string} panel @param {unknown} close */
function panelOf(ctx, view, panel, close) {
  switch (panel) {
    case "screens": return later(ctx, "screens", () => import("./screens.js"))?.screensPanel(ctx, view, close);
    case "roll": return later(ctx, "roll", () => import("./roll.js"))?.rollPanel(ctx, view, close);
    case "hall": return later(ctx, "hall", () => import("./hall.js"))?.hallPanel(ctx, view, close);
    default: return later(ctx, "item", () => import("./item.js"))?.itemPanel(ctx, view, Number(panel.slice(5)), close);
  }
}

/** @param {Ctx} ctx */
const pause = (ctx) => later(ctx, "break", () => import("./break.js"));

/** @param {Ctx} ctx */
const pick = (ctx) => later(ctx, "pick", () => import("./chair/pick.js"));

// ---------------------------------------------------------------- chương trình

/** @param {Ctx} ctx @param {View} view */
function agendaZone(ctx, view) {
  const { agenda, floor } = view;
  const now = serverNow();
  const planned = plannedStarts(agenda, view.fixed.starts, midnight(begunAt(agenda) ?? now));
  const next = nextItem(agenda);
  const current = currentItem(agenda);
  const may = presides(ctx.app, view);
  // Asked only when a running speech is cut, or others still wait.
  const asks = floor.turn !== null || floor.queue.length + floor.pending.length > 0;
  const go = () => (asks ? ctx.ui({ confirm: { what: "next-item", id: current?.id ?? 0 } }) : moveOn(ctx.ask, agenda));
  return html`<section class="zone agenda" aria-labelledby="h-agenda">
    <div class="zone-head"><h2 id="h-agenda">${t("agenda")}</h2><span class="faint">${behindWords(minutesBehind(agenda, planned, now))}</span></div>
    <ol>${agenda.items.map((item, place) => agendaRow(ctx, view, item, place, planned.get(item.id) ?? null))}</ol>
    ${!may ? nothing : next || current
      ? html`<button class="btn small" type="button" @click=${go}>${!current ? t("start-item", { n: next?.id ?? 0 }) : next ? t("go-to-item", { n: next.id }) : t("finish-item", { n: current.id })}</button>`
      : html`<p class="all-done">${icon("check")}${t("agenda-done")}</p>`}
    ${pick(ctx)?.wide(view) ?? nothing}
  </section>`;
}

/** @param {number | null} minutes */
function behindWords(minutes) {
  if (minutes === null) return "";
  return minutes === 0 ? t("on-time") : t(minutes > 0 ? "minutes-late" : "minutes-early", { n: Math.abs(minutes) });
}

/** Its row grows: the list shows it whole. @param {Ctx} ctx @param {number | null} item @param {Event} event */
function openItem(ctx, item, event) {
  const row = /** @type {HTMLElement} */ (event.currentTarget).parentElement;
  ctx.ui({ item });
  requestAnimationFrame(() => row?.scrollIntoView({ block: "nearest" }));
}

/** What has begun shows its beginning and its minutes, what has not when it is planned; opened, it can be moved. @param {Ctx} ctx @param {View} view @param {Item} item @param {number} place @param {number | null} planned */
function agendaRow(ctx, view, item, place, planned) {
  const { agenda } = view;
  const taken = minutesTaken(item, serverNow());
  const is = item.id === agenda.current ? "now" : item.finished !== null ? "done" : item.id === agenda.next ? "next" : "";
  // What has begun is looked at in a panel; what has not is moved in its row.
  const opens = item.started === null && presides(ctx.app, view);
  const kept = view.floor.kept.filter((request) => request.item === item.id).length;
  const open = opens && ctx.app.ui.item === item.id;
  return html`<li class="${is} ${item.part_of === null ? "" : "part"} ${open ? "is-open" : ""}" aria-current=${is === "now" ? "step" : nothing} title=${item.title}>
    ${opens ? html`<button class="chip-open" type="button" aria-expanded=${open} aria-label=${t("item-actions", { n: item.id })} @click=${(/** @type {Event} */ event) => openItem(ctx, open ? null : item.id, event)}></button>`
      : item.started === null ? nothing : html`<button class="chip-open" type="button" aria-label=${t("item-look", { n: item.id })} @click=${() => ctx.ui({ panel: `item-${item.id}` })}></button>`}
    <span class="n">${item.id}</span><span class="t">${itemTitle(item)}</span>
    <span class="m num">${kept > 0 ? html`<b class="kept-mark">${t("item-kept", { n: kept })}</b> · ` : nothing}${taken !== null ? `${taken}/${item.minutes}′` : planned !== null ? html`${shortTime(planned)}<span class="mins"> · ${item.minutes}′</span>` : `${item.minutes}′`}</span><span class="vh">${is === "" ? "" : t(`item-${is}`)}</span>
    ${is === "now" ? html`<span class="at num">${shortTime(item.started ?? 0)}${planned !== null && shortTime(planned) !== shortTime(item.started ?? 0) ? html` <s>${shortTime(planned)}</s>` : nothing}</span>` : open ? pick(ctx)?.itemActs(ctx, agenda, place) ?? nothing : nothing}</li>`;
}

// ---------------------------------------------------------------- lượt phát biểu

/** @param {Ctx} ctx @param {View} view */
function speechZone(ctx, view) {
  const turn = view.floor.turn;
  const may = presides(ctx.app, view);
  return html`<section class="zone speech" aria-label=${t("present-speech")}>
    ${withShared(ctx, view)}
    <div class="on-picture">${pick(ctx)?.others(ctx, view) ?? nothing}${strip(ctx)?.lock(ctx, view, may) ?? nothing}</div>
    <div class="turn ${turn ? "" : "nobody"}">${view.floor.priority ? mark("held", "mic", t("priority-held")) : nothing}${turn
      ? html`${turnMark(view)}<h2 class="site">${fittingName(view, turn.site, 30)}</h2><p class="who">${[turn.words.delegate || t("no-delegate"), turn.words.title ?? ""].filter((part) => part !== "").join(", ")}</p><p class="topic">${topicLine(view, turn.words)}</p>
        ${pick(ctx)?.heldStrip(ctx, view, turn) ?? nothing}<turn-clock .turn=${turn}></turn-clock>`
      : view.agenda.on_break ? pause(ctx)?.breakHere(ctx, view, view.agenda.on_break, may)
      : html`${view.floor.hall_microphone ? mark("live", "mic", t("hall-open")) : mark("", "mic-off", t("nobody-speaks"))}<h2 class="site">${callName(hall(view))}</h2><p class="topic">${lastWords(view)}</p>${may ? pause(ctx)?.breakForm(ctx, view) : nothing}`}</div>
    <div class="acts">
      <button class="btn end" type="button" ?disabled=${!turn || !may} @click=${() => turn && endTurn(ctx.ask, turn.turn)}>${icon("stop")}${t("end-turn")} ${kbd("F4")}</button>
      <button class="btn" type="button" ?disabled=${!turn || !may} @click=${() => turn && extendTurn(ctx.ask, turn.turn, 1)}>${t("extend-minute")} ${kbd("F6")}</button>
      ${turn?.paused
        ? html`<button class="btn pressed" type="button" ?disabled=${!may} @click=${() => resumeTurn(ctx.ask, turn.turn)}>${icon("play")}${t("resume")} ${kbd("F8")}</button>`
        : html`<button class="btn" type="button" ?disabled=${!turn || !may} @click=${() => turn && pauseTurn(ctx.ask, turn.turn)}>${icon("pause")}${t("pause")} ${kbd("F8")}</button>`}
      <button class="btn" type="button" ?disabled=${!turn || !may} @click=${() => turn && ctx.ui({ confirm: { what: "revoke", id: turn.turn } })}>${t("stop-speaker")}</button>
    </div>
  </section>`;
}

/** @param {View} view */
function lastWords(view) {
  const { last } = view.floor;
  return last ? t("last-turn", { site: siteCall(view, last.site), how: t(`end-${last.how}`) }) : itemLine(view);
}
