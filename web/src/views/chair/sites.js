// Thirteen chips, what sites say in private, and the strip of one site.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { presides } from "../../state/app.js";
import { allTurns, placeOf, siteState } from "../../state/floor.js";
import { figures, linkedCount, lostSites, siteCall } from "../../state/sites.js";
import { later } from "../later.js";
import { bars, barsWord, html, icon, mark, nothing, siteBars, statusLine, t } from "../pieces.js";

/** One site, looked at, and the prompts: after the desk is there. @param {Ctx} ctx */
export const strip = (ctx) => later(ctx, "site-strip", () => import("../site-strip.js"));

/** @param {View} view @param {number} site */
const speaks = (view, site) => allTurns(view.floor).some((turn) => turn.site === site);

/** @param {Ctx} ctx @param {View} view */
export function sitesZone(ctx, view) {
  const { attendance } = view;
  const lost = lostSites(view);
  const first = lost[0];
  return html`<section class="sites" aria-labelledby="h-sites">
    <div class="line"><h2 id="h-sites">${t("sites-count", { n: view.fixed.sites.length })}</h2><span>${t("linked-count", { n: linkedCount(view) })}</span>
      ${attendance.summoned > 0 ? html`<span class="num">${t("present-of", { n: attendance.present + attendance.online, of: attendance.summoned })}</span>` : nothing}
      ${strip(ctx)?.ofSpeaker(ctx, view) ?? (first ? html`<span class="alarm">${mark("weak", "warn", t("attention"))} <b>${siteCall(view, first.site)}</b> ${t("lost-link")} <since-clock class="num" .since=${first.since ?? 0}></since-clock>${lost.length > 1 ? t("and-more", { n: lost.length - 1 }) : ""}</span>` : nothing)}${presides(ctx.app, view) ? statusLine(ctx) : nothing}</div>
    ${ctx.app.notice ? nothing : strip(ctx)?.asked(ctx, view) ?? nothing}
    <ul class="chips">${view.fixed.sites.map((each) => chip(ctx, view, each))}</ul>
    ${strip(ctx)?.siteStrip(ctx, view) ?? nothing}
  </section>`;
}

/** @type {Record<string, string>} */
const STATE_ICONS = { live: "mic", held: "pause", deck: "right", queued: "stack", lost: "cut", absent: "cut", weak: "warn", ready: "check" };

/** @param {Ctx} ctx @param {View} view @param {View["fixed"]["sites"][number]} each */
function chip(ctx, view, each) {
  const link = view.sites.find((one) => one.site === each.id);
  const count = siteBars(figures(ctx.app.telemetry, each.id), link?.carrier != null);
  const state = siteState(view, each.id, link?.carrier != null && count === 1);
  const place = placeOf(view.floor, each.id);
  const word = state === "queued" ? t("queued-place", { n: place }) : link?.carrier === "standby" && state === "ready" ? t("on-standby") : state === "live" && speaks(view, each.id) ? t("state-speaking") : t(`state-${state}`);
  const open = ctx.app.ui.chip === each.id;
  return html`<li class="chip ${each.hall ? "hall" : ""} is-${state} ${open ? "is-open" : ""}" title=${each.name}><button class="chip-open" type="button" aria-expanded=${open} aria-label=${t("site-actions", { site: each.name })}
    @click=${() => ctx.ui({ chip: open ? null : each.id })}></button><span class="level">${each.hall ? t("main-hall") : each.level}</span>${bars(count)}<span class="vh">${t("link")}: ${barsWord(count)}</span>
    <span class="name">${each.hall && [...each.name].length <= 24 ? each.name : each.short}</span><span class="st">${icon(STATE_ICONS[state] ?? "check")}${word}</span></li>`;
}
