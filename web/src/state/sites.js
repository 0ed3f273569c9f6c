// Names of sites, and the figures of their links.

/** @import { Site, SiteId, SiteTelemetry, View } from "../../generated/protocol.ts" */

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

/** @param {SiteTelemetry[]} telemetry @param {SiteId} id */
export const figures = (telemetry, id) => telemetry.find((each) => each.site === id) ?? null;
