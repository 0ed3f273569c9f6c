// Names of sites, and what the figures of their links mean.

/** @import { LinkStats, Site, SiteId, SiteTelemetry, View } from "../../generated/protocol.ts" */

/** @param {View} view @param {SiteId | null} id @returns {Site | null} */
export function site(view, id) {
  return id === null ? null : view.fixed.sites.find((each) => each.id === id) ?? null;
}

/** "Huyện Lấp Vò": level and short name, for rows, tiles and buttons. @param {Site | null} each */
export function callName(each) {
  if (!each) return "";
  return each.hall || each.level === "" ? each.short : `${each.level} ${each.short}`;
}

/** @param {View} view @param {SiteId | null} id */
export const siteCall = (view, id) => callName(site(view, id));

/** @param {View} view @param {SiteId | null} id */
export const siteName = (view, id) => site(view, id)?.name ?? "";

/** @param {View} view */
export const hall = (view) => view.fixed.sites.find((each) => each.hall) ?? null;

/** Sites that are lost: linked once, carried by nothing now. @param {View} view */
export const lostSites = (view) => view.sites.filter((link) => link.carrier === null && link.since !== null);

/** @param {View} view @param {SiteId} id */
export const isLinked = (view, id) => view.sites.some((link) => link.site === id && link.carrier !== null);

/** @param {View} view */
export const linkedCount = (view) => view.sites.filter((link) => link.carrier !== null).length;

export const LOSS_BAD = 5;
export const RTT_BAD = 300;
const LOSS_FAIR = 2;
const RTT_FAIR = 150;

/** 4 good … 1 weak, 0 none: the bars beside a name. @param {LinkStats | null | undefined} stats @returns {0 | 1 | 2 | 3 | 4} */
export function linkBars(stats) {
  if (!stats) return 0;
  const rtt = stats.rtt_ms ?? 0;
  if (stats.loss_percent >= LOSS_BAD || rtt >= RTT_BAD) return 1;
  if (stats.loss_percent >= LOSS_FAIR || rtt >= RTT_FAIR) return 2;
  if (stats.loss_percent >= 0.5 || rtt >= RTT_FAIR / 2) return 3;
  return 4;
}

/** @param {SiteTelemetry[]} telemetry @param {SiteId} id */
export const figures = (telemetry, id) => telemetry.find((each) => each.site === id) ?? null;
