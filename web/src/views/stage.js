// The wall: what the server decided, large. No pointer, no dialog, nobody to ask.

/** @import { Site, Turn, View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import { repeat } from "../../vendor/repeat.js";
import { currentItem } from "../state/agenda.js";
import { nextThree, placeOf, siteState } from "../state/floor.js";
import { callName, hall, isLinked, site, siteCall, siteName } from "../state/sites.js";
import { TILE_SLOTS } from "../slots.js";
import { documentScene, noticeScene, rollScene, waitingScene } from "./stage/scenes.js";
import { later } from "./later.js";
import { html, icon, isHeard, mark, nothing, numbered, programmePicture, subject, t, turnMark } from "./pieces.js";

export const title = () => `${t("page-stage")} · diemcau`;

/** @param {App} app */
export const said = (app) => {
  const turn = app.view?.floor.turn;
  return turn && app.view ? t("title-speaking", { site: siteCall(app.view, turn.site) }) : "";
};

/** @param {Ctx} ctx */
export function view(ctx) {
  const view = /** @type {View} */ (ctx.app.view);
  return html`<h1 class="vh">${t("page-stage")}</h1>
    ${scene(view)}${sign(view)}
    ${ctx.app.link === "joined" ? ownLink(ctx) : html`<p class="healing">${icon("cut")}${t("reconnecting")}</p>`}
    ${ctx.app.ui.soundBlocked ? html`<p class="sound-blocked">${icon("speaker")}${t("sound-blocked-wall")}</p>` : nothing}`;
}

/** Whoever looks after the hall sees that the wall does with less. @param {Ctx} ctx */
function ownLink(ctx) {
  const { step } = ctx.app.media;
  return step === "full" ? nothing : html`<p class="healing">${later(ctx, "link", () => import("./link.js"), false)?.weakLink(step) ?? nothing}</p>`;
}

/** The roll call is shown whatever the layout, unless the wall is to be blank. @param {View} view */
export function scene(view) {
  const { layout } = view.stage;
  if (view.attendance.calling !== null && layout !== "blank") return rollScene(view, view.attendance.calling);
  switch (layout) {
    case "grid": return grid(view);
    case "speaker": return speaker(view);
    case "document": return documentScene(view);
    case "waiting": return waitingScene(view);
    case "notice": return noticeScene(view);
    case "blank": return html`<main class="blank" aria-label=${t("layout-blank")}>${icon("mark")}</main>`;
  }
}

/** The chair holds priority: nobody else is heard, and everybody sees why. @param {View} view */
const sign = (view) => (view.floor.priority ? html`<p class="priority-sign state live" role="status">${icon("mic")}${t("priority-wall")}</p>` : nothing);

// ---------------------------------------------------------------- lưới điểm cầu

/** @param {View} view */
function grid(view) {
  const main = hall(view);
  const rest = tiles(view).filter(({ each }) => each !== main);
  const mainSlot = view.stage.tiles.findIndex((id) => id === main?.id);
  const { turn } = view.floor;
  const state = main ? siteState(view, main.id) : "ready";
  return html`<main class="grid">
    ${main && mainSlot >= 0 ? html`<figure class="tile hall is-${state}"><room-picture .slotNumber=${mainSlot + 1} .site=${main.id} role="img" aria-label=${t("picture-from", { site: main.name })}></room-picture>${tab(view, main)}
      <figcaption class="foot"><p><b>${main.name}</b>${itemShort(view)}</p>${turn ? html`<turn-time class="foot-time num" .turn=${turn}></turn-time>` : html`<wall-clock short class="foot-time"></wall-clock>`}</figcaption></figure>` : nothing}
    ${repeat(rest, ({ each }) => each.id, ({ each, slot }) => html`<figure class="tile is-${siteState(view, each.id)}"><room-picture .slotNumber=${slot} .site=${each.id} role="img" aria-label=${t("picture-from", { site: each.name })}></room-picture>${tab(view, each)}<figcaption class="strip"><span>${callName(each)}</span></figcaption></figure>`)}
    ${view.stage.pages > 1 ? html`<p class="page num">${t("page-of", { n: view.stage.page + 1, of: view.stage.pages })}</p>` : nothing}
  </main>`;
}

/** Sites that have a tile, with the slot that shows them. @param {View} view @returns {{ each: Site, slot: number }[]} */
const tiles = (view) => view.stage.tiles.slice(0, TILE_SLOTS).flatMap((id, place) => {
  const each = site(view, id);
  return each ? [{ each, slot: place + 1 }] : [];
});

/** @param {View} view @param {Site} each */
function tab(view, each) {
  switch (siteState(view, each.id)) {
    case "live": return html`<p class="tab state live">${icon("mic")}${t(view.floor.turn?.site === each.id ? "speaking" : "microphone-open")}</p>`;
    case "held": return html`<p class="tab state lost">${icon("pause")}${t("turn-held")}</p>`;
    case "deck": return html`<p class="tab state deck">${icon("right")}${t("state-deck-wall")}</p>`;
    case "queued": return html`<p class="tab state queued">${icon("stack")}${t("queued-wall", { n: placeOf(view.floor, each.id) })}</p>`;
    case "lost": return html`<p class="tab state lost">${icon("cut")}${t("state-lost-wall")}</p>`;
    case "absent": return html`<p class="tab state lost">${icon("cut")}${t("state-absent-wall")}</p>`;
    case "weak":
    case "ready": return nothing;
  }
}

// ---------------------------------------------------------------- diễn giả

/** @param {View} view */
function speaker(view) {
  const { turn } = view.floor;
  const main = hall(view);
  // Between turns the hall is the large picture, from its own tile.
  const large = view.stage.programme ?? main?.id ?? null;
  const slot = view.stage.programme !== null ? 0 : view.stage.tiles.findIndex((id) => id === main?.id) + 1;
  const side = tiles(view).filter(({ each }) => each.id !== large).slice(0, 12);
  const item = currentItem(view.agenda);
  return html`<main class="scene speaker">
    ${programmePicture(view, large, slot)}
    ${third(view, large)}
    <div class="side">${repeat(side, ({ each }) => each.id, ({ each, slot: place }) => sideTile(view, each, place))}</div>
    <div class="band"><section><h2>${item ? t("item-of", { n: item.id, of: view.agenda.items.length }) : t("agenda")}</h2><p class="t">${numbered(item?.title ?? view.fixed.title)}</p><p class="d">${turn ? subject(view, turn.words) : item?.presenter ?? ""}</p>${alsoOpen(view)}</section>
      ${turn ? html`<turn-clock .turn=${turn}></turn-clock>` : html`<div class="clock"><wall-clock short class="digits"></wall-clock></div>`}
      <section><h2>${t("next-up")}</h2>${view.floor.queue.length === 0 ? html`<p class="d">${t(view.floor.open ? "nobody-waits" : "list-is-closed")}</p>` : html`<ol>${nextThree(view.floor).map(({ request, place }) => html`<li><b>${place}</b><span class="name">${siteCall(view, request.site)}</span>${view.floor.on_deck[0] === request.turn ? html` ${mark("deck", "right", t("state-deck"))}` : isLinked(view, request.site) ? nothing : html` ${mark("weak", "cut", t("state-lost"))}`}</li>`)}</ol>`}</section></div>
  </main>`;
}

/** @param {View} view @param {number | null} large */
function third(view, large) {
  const { turn } = view.floor;
  const shown = view.stage.lower_third;
  if (!turn || !shown) return html`<div class="lower-third ${isHeard(view, large) ? "" : "calm"}">${isHeard(view, large) ? mark("live", "mic", t("microphone-open")) : html`<span></span>`}<div><p class="who">${large === null ? view.fixed.title : siteName(view, large)}</p></div></div>`;
  const red = isHeard(view, turn.site);
  return html`<div class="lower-third ${red ? "" : "calm"}">${turnMark(view)}<div><p class="who">${shown.delegate || siteName(view, shown.site)}</p>${shown.delegate === "" ? (shown.topic === "" ? nothing : html`<p class="from">${shown.topic}</p>`) : html`<p class="from">${[shown.title, siteName(view, shown.site)].filter((part) => part !== "").join(" · ")}</p>`}</div></div>`;
}

/** The speech under a question, and the other microphones of an open discussion. @param {View} view */
const alsoOpen = (view) => view.floor.others.map((other) => html`<p class="also">${otherMark(view, other)} ${siteCall(view, other.site)}</p>`);

/** Live only while it is heard. @param {View} view @param {Turn} other */
function otherMark(view, other) {
  if (other.interrupted) return mark("held", "pause", t("speech-waits"));
  if (isHeard(view, other.site)) return mark("live", "mic", t("microphone-open"));
  return mark("held", "pause", t(other.held ? "turn-held" : other.muted ? "turn-muted" : other.silenced ? "turn-silenced" : "turn-paused"));
}

/** @param {View} view @param {Site} each @param {number} slot */
function sideTile(view, each, slot) {
  const state = siteState(view, each.id);
  const hint = {
    live: html`<span class="mini live">${icon("mic")}<span class="vh">${t("microphone-open")}</span></span>`,
    held: html`<span class="mini lost">${icon("pause")}<span class="vh">${t("turn-held")}</span></span>`,
    deck: html`<span class="mini deck">${icon("right")}<span class="vh">${t("state-deck")}</span></span>`,
    queued: html`<span class="mini queued num">${placeOf(view.floor, each.id)}<span class="vh"> ${t("state-queued")}</span></span>`,
    lost: html`<span class="mini lost">${icon("cut")}<span class="vh">${t("state-lost")}</span></span>`,
    absent: html`<span class="mini lost">${icon("cut")}<span class="vh">${t("state-absent")}</span></span>`,
    weak: nothing, ready: nothing,
  }[state];
  return html`<figure class="tile is-${state}"><room-picture .slotNumber=${slot} .site=${each.id} role="img" aria-label=${t("picture-from", { site: each.name })}></room-picture>
    ${state === "lost" || state === "absent" ? html`<p class="off-word">${t(`state-${state}`)}</p>` : nothing}<figcaption class="strip"><span>${callName(each)}</span>${hint}</figcaption></figure>`;
}

/** @param {View} view */
function itemShort(view) {
  const item = currentItem(view.agenda);
  return item ? html`<span>${t("item-of", { n: item.id, of: view.agenda.items.length })}: ${item.short}</span>` : nothing;
}

