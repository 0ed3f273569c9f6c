// What is wrong with the sites: a row for each that nobody sees to, and one quiet line for what somebody does.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { acknowledge } from "../../actions/health.js";
import { openBySite, seenTo } from "../../state/health.js";
import { siteCall } from "../../state/sites.js";
import { shortTime } from "../../time.js";
import { sentence } from "../health.js";
import { html, icon, nothing, t } from "../pieces.js";

/** Rows that are written out; the next take their place. */
const ROWS = 3;
const QUIET = 4;

/** @param {Ctx} ctx @param {View} view */
export function alarmRows(ctx, view) {
  const open = openBySite(ctx.app.health, view);
  const quiet = seenTo(ctx.app.health);
  return html`${open.slice(0, ROWS).map(({ site, alarms }) => html`<div class="banner health">${icon("warn")}<p><b>${siteCall(view, site)}</b> ${alarms.map((alarm) => html`<span>${sentence(alarm)}.</span> `)}${view.floor.turn?.site === site ? t("is-speaker") : nothing}</p>
      <button class="btn small" type="button" @click=${() => acknowledge(ctx.tell, alarms)} aria-label=${t("see-to-it-of", { site: siteCall(view, site) })}>${t("see-to-it")}</button></div>`)}
    ${open.length > ROWS ? html`<p class="more-alarms">${t("more-alarms", { n: open.length - ROWS })}</p>` : nothing}
    ${quiet.length === 0 ? nothing : html`<ul class="seen-to" aria-label=${t("seen-to")}>${quiet.slice(0, QUIET).map((alarm) => html`<li>${icon("check")}<span><b>${siteCall(view, alarm.site)}</b> ${sentence(alarm)} · ${t("seen-to-by", { label: alarm.acknowledged?.by ?? "", time: shortTime(alarm.acknowledged?.at ?? 0) })}</span></li>`)}
      ${quiet.length > QUIET ? html`<li>${t("more-alarms", { n: quiet.length - QUIET })}</li>` : nothing}</ul>`}`;
}
