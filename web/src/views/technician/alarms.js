// What is wrong with the sites: a row for each that nobody sees to, and one quiet line for what somebody does.

/** @import { HealthAlarm, View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { acknowledge } from "../../actions/health.js";
import { openBySite, seenTo } from "../../state/health.js";
import { siteCall } from "../../state/sites.js";
import { number } from "../../text.js";
import { shortTime } from "../../time.js";
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

/** "Mất gói 7,2% (ngưỡng 5%) từ 10:42" @param {HealthAlarm} alarm */
function sentence(alarm) {
  return html`${what(alarm)} <span class="nb">${t("since-time", { time: shortTime(alarm.since) })}</span>`;
}

/** @param {HealthAlarm} alarm */
function what({ kind, value, limit, step }) {
  const most = number(limit ?? 0);
  switch (kind) {
    case "link_lost": return t("health-link_lost");
    case "less_shown": return t("health-less_shown", { what: t(`less-${step ?? "full"}`) });
    case "loss": return t("health-loss", { n: number(value ?? 0, 1), most: number(limit ?? 0, Number.isInteger(limit) ? 0 : 1) });
    case "silent": return value === null ? t("health-no_sound") : t("health-silent", { n: number(value), most });
    case "few_frames": return value === 0 ? t("health-no_frames") : t("health-few_frames", { n: number(value ?? 0), most });
    case "round_trip":
    case "jitter":
    case "freezes":
    case "clipping": return t(`health-${kind}`, { n: number(value ?? 0), most });
  }
}
