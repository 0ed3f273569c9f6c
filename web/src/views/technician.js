// The technician's desk: every site's link at a glance, and the links that were handed out.

/** @import { LinkStats, Site, SiteTelemetry, View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import { setBlank } from "../actions/room.js";
import { vars } from "../elements/vars.js";
import { placeOf, siteState } from "../state/floor.js";
import { openBySite } from "../state/health.js";
import { figures, linkedCount, siteCall } from "../state/sites.js";
import { TILE_SLOTS } from "../slots.js";
import { number } from "../text.js";
import { shortTime } from "../time.js";
import { later } from "./later.js";
import { alarmRows } from "./technician/alarms.js";
import { dialogs, seatsZone } from "./technician/seats.js";
import { bars, barsWord, html, icon, mark, nothing, rich, siteBars, soundToggle, statusLine, t, topbar } from "./pieces.js";

/** @param {App} app */
export const title = (app) => {
  const count = app.view ? openBySite(app.health, app.view).length : 0;
  return `${count === 0 ? "" : `${t("alarms-count", { n: count })} · `}${t("page-technician")} · diemcau`;
};

/** Without figures: they change while it is read. @param {App} app */
export const said = (app) => {
  const { view } = app;
  return view ? openBySite(app.health, view).map(({ site, alarms }) => `${siteCall(view, site)}: ${alarms.map(({ kind }) => t(`wrong-${kind}`)).join(", ")}`).join(". ") : "";
};

/** @param {Ctx} ctx */
export const keys = (ctx) => ({ F7: () => setBlank(ctx.ask, ctx.app.view?.stage.layout !== "blank"), Escape: ctx.app.ui.chip === null ? undefined : () => ctx.ui({ chip: null }) });

/** One site, looked at, and the prompts. @param {Ctx} ctx */
const strip = (ctx) => later(ctx, "site-strip", () => import("./site-strip.js"));

/** @param {Ctx} ctx */
const door = (ctx) => later(ctx, "door", () => import("./door.js"));

/** @param {Ctx} ctx */
export function view(ctx) {
  const view = /** @type {View} */ (ctx.app.view);
  const { tab } = ctx.app.ui;
  const seats = tab === "seats";
  const atDoor = view.door.waiting.length > 0;
  return html`${topbar(ctx, t("page-technician"), view.fixed.title, ctx.app.me?.carries === "nothing" ? nothing : soundToggle(ctx))}
  <div class="alarms">${atDoor ? door(ctx)?.visitors(ctx, view) ?? nothing : nothing}${alarmRows(ctx, view)}</div>
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
  const bad = new Set(stats ? told?.bad : []);
  const count = siteBars(told, link?.carrier != null);
  const state = siteState(view, each.id, stats !== null && count === 1);
  const [kind, iconName] = MARKS[state] ?? ["ready", "check"];
  const word = state === "queued" ? t("queued-place", { n: placeOf(view.floor, each.id) }) : state === "live" ? t(view.floor.turn?.site === each.id ? "speaking" : "microphone-open") : t(`state-${state}`);
  // A turn is held because its site's link is lost: nothing of it comes any more.
  const gone = state === "lost" || state === "held";
  const tile = state === "live" ? "is-live" : state === "deck" ? "is-deck" : gone || state === "absent" ? "is-lost" : "";
  return html`<tr class="${state} ${gone ? "lost" : ""}"><td class="th"><figure class="tile ${tile}">${slot > 0 ? html`<room-picture .slotNumber=${slot} .site=${each.id} role="img" aria-label=${t("picture-from", { site: each.name })}></room-picture>` : nothing}</figure></td>
    <th scope="row"><button class="nm ${[...each.name].length > 40 ? "long" : ""}" type="button" aria-expanded=${ctx.app.ui.chip === each.id} @click=${() => ctx.ui({ chip: ctx.app.ui.chip === each.id ? null : each.id })}>${each.name}</button>${link?.carrier === "standby" ? html`<small>${t("on-standby")}</small>` : nothing}</th><td>${mark(kind, iconName, word)}${gone && link?.since ? html`<small class="from">${t("since-time", { time: shortTime(link.since) })}</small>` : nothing}</td>
    <td class="bar">${bars(count)}<span>${state === "absent" ? "–" : barsWord(count)}</span>${stats && stats.step !== "full" ? html`<small class="from">${t(`less-${stats.step}`)}</small>` : nothing}</td>
    ${figure(stats?.rtt_ms, "ms", 0, bad.has("round_trip"))}${figure(stats?.loss_percent, "%", 1, bad.has("loss"))}
    ${figure(stats && stats.up_bps / 1000, "kbit/s", 0, false)}${figure(stats && stats.down_bps / 1000, "kbit/s", 0, bad.has("less_shown") || bad.has("loss_down"), lostDown(stats))}${figure(stats?.fps, t("per-second"), 0, bad.has("few_frames") || bad.has("freezes"), bad.has("freezes") ? t("wrong-freezes") : "")}
    <td class="lv">${level(stats?.level_dbov ?? -127, bad)}</td><td class="r"><b>${told?.connections ?? 0}</b></td></tr>`;
}

/** Of what is sent to it, what does not arrive; nothing of it while nobody would see it. @param {LinkStats | null} stats */
function lostDown(stats) {
  const percent = stats?.down_loss_percent ?? 0;
  return percent < 1 ? "" : t("lost-down", { n: number(percent, 1) });
}

/** @param {number | null | undefined} value @param {string} unit @param {number} digits @param {boolean} bad @param {string} [below] */
function figure(value, unit, digits, bad, below = "") {
  if (value == null) return html`<td class="r">–</td>`;
  return html`<td class="r ${bad ? "bad" : ""}">${bad ? icon("warn") : nothing} <b>${number(digits === 0 ? Math.round(value) : value, digits)}</b> <small>${unit}</small>${below === "" ? nothing : html`<small class="from">${below}</small>`}</td>`;
}

/** @param {number} dbov @param {Set<SiteTelemetry["bad"][number]>} bad */
function level(dbov, bad) {
  const percent = `${Math.round((Math.max(0, dbov + 60) / 60) * 100)}%`;
  return html`<span class="meter" role="meter" aria-label=${t("sound-level")} aria-valuemin="-60" aria-valuemax="0" aria-valuenow=${Math.max(-60, dbov)} ${vars({ "--level": percent, "--peak": percent })}></span>
    ${bad.has("no_sound") ? mark("weak", "mic-off", t("wrong-no_sound")) : bad.has("silent") ? mark("weak", "mic-off", t("wrong-silent")) : bad.has("clipping") ? mark("weak", "warn", t("wrong-clipping")) : nothing}`;
}
