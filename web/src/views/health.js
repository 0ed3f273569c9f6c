// An alarm about a site as a sentence, and the alarms of one site that is looked at.

/** @import { HealthAlarm, SiteId } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { acknowledge } from "../actions/health.js";
import { number } from "../text.js";
import { shortTime } from "../time.js";
import { html, icon, mark, nothing, t } from "./pieces.js";

/** "Mất gói 7,2% (ngưỡng 5%) từ 10:42" @param {HealthAlarm} alarm */
export function sentence(alarm) {
  return html`${what(alarm)} <span class="nb">${t("since-time", { time: shortTime(alarm.since) })}</span>`;
}

/** @param {HealthAlarm} alarm */
function what({ kind, value, limit, step }) {
  const most = number(limit ?? 0);
  switch (kind) {
    case "link_lost": return t("health-link_lost");
    case "less_shown": return t("health-less_shown", { what: t(`less-${step ?? "full"}`) });
    case "loss":
    case "loss_down": return t(`health-${kind}`, { n: number(value ?? 0, 1), most: number(limit ?? 0, Number.isInteger(limit) ? 0 : 1) });
    case "no_sound": return t("health-no_sound");
    case "silent": return t("health-silent", { n: number(value ?? 0), most });
    case "few_frames": return value === 0 ? t("health-no_frames") : t("health-few_frames", { n: number(value ?? 0), most });
    case "round_trip":
    case "jitter":
    case "freezes":
    case "clipping": return t(`health-${kind}`, { n: number(value ?? 0), most });
  }
}

/** What is wrong with whoever speaks, which comes before all else; null: nothing is. @param {Ctx} ctx @param {SiteId} site @param {string} name */
export function ofSpeaker({ app }, site, name) {
  const alarm = app.health.find((each) => each.site === site && each.kind !== "link_lost" && each.acknowledged === null);
  return alarm ? html`<span class="alarm">${mark("weak", "warn", t("attention"))} <b>${name}</b> ${sentence(alarm)}</span>` : null;
}

/** What is wrong with one site, the most urgent of it: a chair may see to it too. @param {Ctx} ctx @param {SiteId} site */
export function ofSite({ app, tell }, site) {
  const alarms = app.health.filter((alarm) => alarm.site === site);
  const open = alarms.filter((alarm) => alarm.acknowledged === null);
  const first = open[0] ?? alarms[0];
  if (!first) return nothing;
  const by = first.acknowledged;
  return html`<p class="wrong ${by ? "quiet" : ""}">${icon(by ? "check" : "warn")}<span>${sentence(first)}${by ? ` · ${t("seen-to-by", { label: by.by, time: shortTime(by.at) })}` : ""}${alarms.length > 1 ? html` <b class="num">+${alarms.length - 1}</b>` : nothing}</span>
    ${!by && app.me?.role === "chair" ? html`<button class="btn small" type="button" @click=${() => acknowledge(tell, open)}>${t("see-to-it")}</button>` : nothing}</p>`;
}
