// Danh sách đăng ký phát biểu: who is next and why, and the one button that calls.

/** @import { Request, View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { currentItem } from "../../state/agenda.js";
import { presides } from "../../state/app.js";
import { timeUsed } from "../../state/desk.js";
import { allTurns } from "../../state/floor.js";
import { rightsOf } from "../../state/kinds.js";
import { isLinked } from "../../state/sites.js";
import { durationText } from "../../time.js";
import { later } from "../later.js";
import { nextAct } from "./next.js";
import { aboutWords, fittingName, html, icon, kbd, mark, minutesWords, nothing, subject, t, whyWords } from "../pieces.js";

/** What acts on one row comes after the list is there. @param {Ctx} ctx */
const more = (ctx) => later(ctx, "pick", () => import("./pick.js"));

/** The speech the list was last brought to its head for. @type {number | null} */
let called = null;

/** Once another has been called, the list begins with who is next. @param {number | null} turn */
function toHead(turn) {
  if (turn === called) return;
  called = turn;
  requestAnimationFrame(() => document.querySelector(".list .rows")?.scrollTo(0, 0));
}

/** @param {Ctx} ctx @param {View} view */
export function listZone(ctx, view) {
  const { floor } = view;
  toHead(floor.turn?.turn ?? null);
  return html`<section class="zone list" aria-labelledby="h-queue">
    <div class="zone-head"><h2 id="h-queue">${t("speakers-list")}</h2><span class="faint">${t("waiting-count", { n: floor.queue.length })} · ${t(floor.open ? "list-is-open" : "list-is-closed")}</span></div>
    <p class="mode">${modeWords(view)}${more(ctx)?.hallButton(ctx)}</p>
    ${goButton(ctx, view)}
    <div class="rows">${more(ctx)?.undoStrip(ctx, view) ?? nothing}
      ${more(ctx)?.pendingList(ctx, view) ?? nothing}
      ${floor.queue.length === 0
        ? html`<p class="empty">${t(floor.open ? "queue-empty-open" : "queue-empty-closed")}</p>`
        : html`<ol class="queue" role="listbox" tabindex="0" aria-label=${t("speakers-list")} aria-activedescendant=${ctx.app.ui.picked === null ? nothing : `turn-${ctx.app.ui.picked}`}
            @keydown=${(/** @type {KeyboardEvent} */ event) => step(event, ctx, view)}>${floor.queue.map((request, place) => row(ctx, view, request, place))}</ol>`}
    </div>
    ${more(ctx)?.pickStrip(ctx, view) ?? nothing}
  </section>`;
}

/** @param {Ctx} ctx @param {View} view @param {Request} request @param {number} place */
function row(ctx, view, request, place) {
  const picked = ctx.app.ui.picked === request.turn;
  const deck = view.floor.on_deck.indexOf(request.turn);
  const staged = view.floor.staged.indexOf(request.turn);
  const rights = rightsOf(view, request.words.speech);
  const marked = rights?.under_a_speech || rights?.interposes;
  const about = subject(view, request.words);
  return html`<li class="qrow ${deck >= 0 ? "is-deck" : ""} ${picked ? "is-picked" : ""}" id="turn-${request.turn}" role="option" aria-selected=${picked}
    @click=${() => ctx.ui({ picked: picked ? null : request.turn })}>
    <span class="ord num"><span class="vh">${t("number")} </span>${place + 1}</span>
    <span class="site">${fittingName(view, request.site, 90)} ${deck >= 0 ? mark("deck", "right", deck === 0 ? t("state-deck") : t("deck-second")) : nothing} ${staged >= 0 ? mark("", "", t("staged-as", { n: staged + 1 })) : nothing} ${request.ready === "not_ready" ? mark("weak", "warn", t("ready-not_ready")) : nothing} ${isLinked(view, request.site) ? nothing : mark("weak", "cut", t("row-unlinked"))} ${marked ? mark("reply", "", t(`speech-${request.words.speech}`)) : nothing}</span>
    <span class="who">${request.words.delegate || (marked ? "" : t(`speech-${request.words.speech}`))}${request.words.title ? html`, ${request.words.title}` : nothing}<span class="topic">${about}</span><small class="why">${readyWords(request, deck >= 0)}${[whyWords(request), minutesWords(request), aboutWords(view, request), usedWords(view, request.site)].filter((part) => part !== "").join(" · ")}</small></span>
    <span class="wait"><span class="vh">${t("waited")} </span><since-clock class="num" .since=${request.at}></since-clock></span></li>`;
}

/** How often the site has spoken in this item, and how long. @param {View} view @param {number} site */
function usedWords(view, site) {
  const { turns, ms } = timeUsed(view.floor, site, view.agenda.current);
  return turns === 0 ? "" : t("used-short", { n: turns, time: durationText(ms) });
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

/** One button: the next speaker, or the next site while the roll is called. @param {Ctx} ctx @param {View} view */
function goButton(ctx, view) {
  const { words, act } = nextAct(ctx, view);
  return html`<button class="btn primary two go" type="button" ?disabled=${!act || !presides(ctx.app, view)} @click=${() => act?.()}><span>${words}</span>${kbd("F2")}</button>`;
}

/** In which order the item's list is called. @param {View} view */
function modeWords(view) {
  const rules = currentItem(view.agenda)?.turns;
  if (!rules) return t("no-item");
  const { queue } = rules;
  return queue.mode === "open" ? `${t("queue-open")} · ${t("microphones-open", { n: allTurns(view.floor).length, of: queue.microphones })}` : t(`queue-${queue.mode}`);
}

/** On deck: whether the site has confirmed, and whether its microphone has been heard meanwhile. @param {Request} request @param {boolean} deck */
function readyWords(request, deck) {
  if (request.ready === "not_ready" || (!deck && request.ready === "unknown")) return nothing;
  const words = request.ready === "ready" ? html`<b class="is-ready">${icon("check")}${t("ready-ready")}</b>` : html`<b>${t("ready-unknown")}</b>`;
  return html`${words}${deck && request.heard !== null ? html` <span class="mic-ok" title=${t("mic-heard")}>${icon("mic")}<span class="vh">${t("mic-heard")}</span></span>` : nothing} · `;
}
