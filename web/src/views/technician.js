// The technician's desk: every site's link at a glance, and the links that were handed out.

/** @import { LinkStats, Site, View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import { setBlank } from "../actions/room.js";
import { vars } from "../elements/vars.js";
import { placeOf, siteState } from "../state/floor.js";
import { LOSS_BAD, RTT_BAD, figures, linkBars, linkedCount, siteCall } from "../state/sites.js";
import { TILE_SLOTS } from "../slots.js";
import { number } from "../text.js";
import { shortTime } from "../time.js";
import { later } from "./later.js";
import { dialogs, seatsZone } from "./technician/seats.js";
import { bars, barsWord, html, icon, isHeard, mark, nothing, rich, siteBars, soundToggle, statusLine, t, topbar } from "./pieces.js";

/** @param {App} app */
export const title = (app) => {
  const count = app.view ? alarms(app, app.view).length : 0;
  return `${count === 0 ? "" : `${t("alarms-count", { n: count })} · `}${t("page-technician")} · diemcau`;
};

/** @param {App} app */
export const said = (app) => (app.view ? alarms(app, app.view).map((alarm) => `${alarm.name}: ${alarm.what}`).join(". ") : "");

/** @param {App} app @param {View} view @returns {{ key: string, name: string, since: number | null, what: string, more: string }[]} */
function alarms(app, view) {
  return view.fixed.sites.flatMap((each) => alarmsOf(app, view, each));
}

/** @param {App} app @param {View} view @param {Site} each @returns {{ key: string, name: string, since: number | null, what: string, more: string }[]} */
function alarmsOf(app, view, each) {
  const link = view.sites.find((one) => one.site === each.id);
  const name = siteCall(view, each.id);
  const speaks = view.floor.turn?.site === each.id;
  if (link && link.carrier === null) {
    return link.since === null ? [] : [{ key: `lost-${each.id}-${link.since}`, name, since: link.since, what: t("lost-link"), more: t(speaks ? "is-speaker" : "not-speaker") }];
  }
  const stats = figures(app.telemetry, each.id)?.link;
  if (!stats || linkBars(stats) > 1) return [];
  const why = stats.loss_percent >= LOSS_BAD ? t("loss-over", { n: number(stats.loss_percent, 1), most: LOSS_BAD }) : t("rtt-over", { n: number(Math.round(stats.rtt_ms ?? 0)), most: RTT_BAD });
  return [{ key: `weak-${each.id}`, name, since: null, what: t("link-is-weak"), more: why }];
}

/** @param {Ctx} ctx */
export const keys = (ctx) => ({ F7: () => setBlank(ctx.ask, ctx.app.view?.stage.layout !== "blank"), Escape: ctx.app.ui.chip === null ? undefined : () => ctx.ui({ chip: null }) });

/** One site, looked at, and the prompts. @param {Ctx} ctx */
const strip = (ctx) => later(ctx, "site-strip", () => import("./site-strip.js"));

/** @param {Ctx} ctx */
const door = (ctx) => later(ctx, "door", () => import("./door.js"));

/** @param {Ctx} ctx */
export function view(ctx) {
  const view = /** @type {View} */ (ctx.app.view);
  const open = alarms(ctx.app, view).filter((alarm) => !ctx.app.ui.known.includes(alarm.key));
  const { tab } = ctx.app.ui;
  const seats = tab === "seats";
  const atDoor = view.door.waiting.length > 0;
  return html`${topbar(ctx, t("page-technician"), view.fixed.title, ctx.app.me?.carries === "nothing" ? nothing : soundToggle(ctx))}
  <div class="alarms">${atDoor ? door(ctx)?.visitors(ctx, view) ?? nothing : nothing}${open.slice(0, 3).map((alarm) => html`<div class="banner">${icon("warn")}<p><b>${alarm.name}</b> ${alarm.what}${alarm.since === null ? nothing : html` <since-clock class="num" .since=${alarm.since}></since-clock>`}. ${alarm.more}</p>
    <button class="btn small" type="button" @click=${() => ctx.ui({ known: [...ctx.app.ui.known, alarm.key] })}>${t("alarm-known")}</button></div>`)}
    ${open.length > 3 ? html`<p class="more-alarms">${t("more-alarms", { n: open.length - 3 })}</p>` : nothing}</div>
  ${strip(ctx)?.asked(ctx, view, 3) ?? nothing}
  <main class="technician ${seats ? "show-seats" : tab === "screens" ? "show-screens" : ""}">
    <div class="tools"><div class="tabs" role="tablist"><button role="tab" type="button" aria-selected=${tab === ""} @click=${() => ctx.ui({ tab: "" })}>${t("sites")}</button><button role="tab" type="button" data-tab="seats" aria-selected=${seats} @click=${() => ctx.ui({ tab: "seats" })}>${t("seats")}</button><button role="tab" type="button" aria-selected=${tab === "screens"} @click=${() => ctx.ui({ tab: "screens" })}>${t("big-screen")}</button></div>
      <p class="sum">${rich("linked-of", { n: linkedCount(view), of: view.fixed.sites.length })}</p>
      <p class="sum">${t("present-of", { n: view.attendance.present + view.attendance.online, of: view.attendance.summoned })}</p>
      ${statusLine(ctx)}</div>
    ${tab === "screens" ? html`<section class="zone screens-zone">${later(ctx, "screens", () => import("./screens.js"))?.screensPanel(ctx, view) ?? nothing}</section>` : nothing}
    <section class="sites-table" aria-label=${t("sites")} tabindex="0"><table>
      <thead><tr><th class="th"><span class="vh">${t("picture")}</span></th><th>${t("site")}</th><th>${t("state")}</th><th>${t("link")}</th><th class="r">${t("rtt")}</th><th class="r">${t("loss-up")}</th><th class="r">${t("rate-up")}</th><th class="r">${t("rate-down")}</th><th class="r">${t("frames")}</th><th>${t("sound-level")}</th><th class="r">${t("connections")}</th></tr></thead>
      <tbody>${view.fixed.sites.map((each) => siteRow(ctx, view, each))}</tbody></table></section>
    ${seatsZone(ctx, view)}
    ${strip(ctx)?.siteStrip(ctx, view) ?? nothing}
  </main>${dialogs(ctx, view)}${atDoor ? door(ctx)?.doorDialog(ctx, view) ?? nothing : nothing}`;
}

/** @type {Record<string, [string, string]>} */
const MARKS = { live: ["live", "mic"], held: ["held", "pause"], deck: ["deck", "right"], queued: ["queued", ""], lost: ["lost", "cut"], absent: ["ready", "cut"], weak: ["weak", "warn"], ready: ["ready", "check"] };

/** The slot that shows a site now; none while its page of the grid is not the shown one. @param {View} view @param {number} site */
const slotOf = (view, site) => view.stage.tiles.slice(0, TILE_SLOTS).indexOf(site) + 1;

/** @param {Ctx} ctx @param {View} view @param {Site} each */
function siteRow(ctx, view, each) {
  const slot = slotOf(view, each.id);
  const link = view.sites.find((one) => one.site === each.id);
  const told = figures(ctx.app.telemetry, each.id);
  const stats = link?.carrier == null ? null : told?.link ?? null;
  const count = siteBars(stats, link?.carrier != null);
  const state = siteState(view, each.id, stats !== null && count === 1);
  const [kind, iconName] = MARKS[state] ?? ["ready", "check"];
  const word = state === "queued" ? t("queued-place", { n: placeOf(view.floor, each.id) }) : state === "live" ? t(view.floor.turn?.site === each.id ? "speaking" : "microphone-open") : t(`state-${state}`);
  const tile = state === "live" ? "is-live" : state === "deck" ? "is-deck" : state === "lost" || state === "absent" ? "is-lost" : "";
  return html`<tr class=${state}><td class="th"><figure class="tile ${tile}">${slot > 0 ? html`<room-picture .slotNumber=${slot} .site=${each.id} role="img" aria-label=${t("picture-from", { site: each.name })}></room-picture>` : nothing}</figure></td>
    <th scope="row"><button class="nm ${[...each.name].length > 40 ? "long" : ""}" type="button" aria-expanded=${ctx.app.ui.chip === each.id} @click=${() => ctx.ui({ chip: ctx.app.ui.chip === each.id ? null : each.id })}>${each.name}</button>${link?.carrier === "standby" ? html`<small>${t("on-standby")}</small>` : nothing}</th><td>${mark(kind, iconName, word)}${state === "lost" && link?.since ? html`<small class="from">${t("since-time", { time: shortTime(link.since) })}</small>` : nothing}</td>
    <td class="bar">${bars(count)}<span>${barsWord(count)}</span></td>
    ${figure(stats, stats?.rtt_ms ?? null, "ms", 0, (stats?.rtt_ms ?? 0) >= RTT_BAD)}${figure(stats, stats?.loss_percent ?? null, "%", 1, (stats?.loss_percent ?? 0) >= LOSS_BAD)}
    ${figure(stats, stats ? stats.up_bps / 1000 : null, "kbit/s", 0, false)}${figure(stats, stats ? stats.down_bps / 1000 : null, "kbit/s", 0, false)}${figure(stats, stats?.fps ?? null, t("per-second"), 0, stats !== null && stats.fps < 5)}
    <td class="lv">${level(view, each, stats)}</td><td class="r"><b>${told?.connections ?? 0}</b></td></tr>`;
}

/** @param {LinkStats | null} stats @param {number | null} value @param {string} unit @param {number} digits @param {boolean} bad */
function figure(stats, value, unit, digits, bad) {
  if (!stats || value === null) return html`<td class="r">–</td>`;
  return html`<td class="r ${bad ? "bad" : ""}">${bad ? icon("warn") : nothing} <b>${number(digits === 0 ? Math.round(value) : value, digits)}</b> <small>${unit}</small></td>`;
}

/** @param {View} view @param {Site} each @param {LinkStats | null} stats */
function level(view, each, stats) {
  const dbov = stats?.level_dbov ?? -127;
  const percent = `${Math.round((Math.max(0, dbov + 60) / 60) * 100)}%`;
  const silent = stats !== null && isHeard(view, each.id) && dbov <= -60;
  return html`<span class="meter" role="meter" aria-label=${t("sound-level")} aria-valuemin="-60" aria-valuemax="0" aria-valuenow=${Math.max(-60, dbov)} ${vars({ "--level": percent, "--peak": percent })}></span>
    ${silent ? mark("weak", "mic-off", t("open-but-silent")) : dbov > -3 ? mark("weak", "warn", t("too-loud")) : nothing}`;
}
