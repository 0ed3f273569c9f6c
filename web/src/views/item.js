// One item of the agenda, looked at: who spoke, how long, what hung under what, and what is kept with it.

/** @import { Item, Speech, View } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { startItem } from "../actions/agenda.js";
import { currentItem } from "../state/agenda.js";
import { presides } from "../state/app.js";
import { siteCall } from "../state/sites.js";
import { durationText, shortTime } from "../time.js";
import { html, icon, nothing, numbered, subject, t } from "./pieces.js";

/** @param {Ctx} ctx @param {View} view @param {number} id @param {unknown} close */
export function itemPanel(ctx, view, id, close) {
  const item = view.agenda.items.find((each) => each.id === id);
  if (!item) return nothing;
  const kept = view.floor.kept.filter((request) => request.item === id);
  return html`<div class="zone-head"><h2>${t("item-n", { n: id })}: ${numbered(item.title)}</h2><span class="faint num">${when(item)}</span>${close}</div>
    <div class="item-body"><section aria-labelledby="h-speeches"><h3 id="h-speeches">${t("speeches")}</h3>${speeches(view, id)}</section>
      <section aria-labelledby="h-used"><h3 id="h-used">${t("used-by-site")}</h3>${usedTable(view, id)}
        ${kept.length === 0 ? nothing : html`<h3>${t("kept-here", { n: kept.length })}</h3><ul class="kept">${kept.map((request) => html`<li><b>${siteCall(view, request.site)}</b> ${request.words.delegate} <small>${subject(view, request.words)}</small></li>`)}</ul>`}
        ${item.finished === null || !presides(ctx.app, view) ? nothing : html`<p><button class="btn" type="button" @click=${() => reopen(ctx, view, item)}>${icon("play")}${t("reopen-item", { n: id })}</button></p>`}</section></div>`;
}

/** @param {Item} item */
const when = (item) => (item.started === null ? "" : t("item-when", { from: shortTime(item.started), to: item.finished === null ? "…" : shortTime(item.finished) }));

/** Straight away when nothing else runs and nobody waits. @param {Ctx} ctx @param {View} view @param {Item} item */
function reopen(ctx, view, item) {
  const { floor } = view;
  const asks = currentItem(view.agenda) !== null || floor.queue.length + floor.pending.length > 0;
  if (asks) ctx.ui({ confirm: { what: "reopen-item", id: item.id } });
  else startItem(ctx.ask, item.id);
}

/** Speeches of the item in their order; what replied to one hangs under it. @param {View} view @param {number} id */
function speeches(view, id) {
  const all = view.speeches.filter((speech) => speech.item === id);
  const under = (/** @type {number} */ turn) => all.filter((speech) => speech.about === turn);
  const free = all.filter((speech) => speech.about === null || !all.some((other) => other.turn === speech.about));
  if (all.length === 0) return html`<p class="empty">${t("no-speeches")}</p>`;
  return html`<ol class="speeches">${free.map((speech) => html`<li>${line(view, speech)}${under(speech.turn).length === 0 ? nothing : html`<ol>${under(speech.turn).map((reply) => html`<li>${line(view, reply)}</li>`)}</ol>`}</li>`)}</ol>`;
}

/** @param {View} view @param {Speech} speech */
const line = (view, speech) => html`<span class="num">${shortTime(speech.started)}</span> <b>${siteCall(view, speech.site)}</b> ${[speech.words.delegate, t(`speech-${speech.words.speech}`), subject(view, speech.words)].filter((part) => part !== "").join(" · ")} <b class="num took">${durationText(speech.used_ms)}</b>`;

/** @param {View} view @param {number} id */
function usedTable(view, id) {
  const rows = view.floor.used.filter((used) => used.item === id && used.turns > 0).sort((a, b) => b.ms - a.ms);
  if (rows.length === 0) return html`<p class="empty">${t("no-speeches")}</p>`;
  const sum = rows.reduce((all, { ms }) => all + ms, 0);
  return html`<table class="used-table"><tbody>${rows.map(({ site, turns, ms }) => html`<tr><th scope="row">${siteCall(view, site)}</th><td class="num">${t("turns-n", { n: turns })}</td><td class="num">${durationText(ms)}</td></tr>`)}</tbody>
    <tfoot><tr><th scope="row">${t("sum-all")}</th><td></td><td class="num">${durationText(sum)}</td></tr></tfoot></table>`;
}
