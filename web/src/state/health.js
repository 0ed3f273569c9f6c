// What is wrong with the sites, in the order in which it is told. What is wrong is decided by the server.

/** @import { HealthAlarm, SiteId, View } from "../../generated/protocol.ts" */

/** Alarms nobody sees to, by site: who speaks comes first. @param {HealthAlarm[]} health @param {View} view @returns {{ site: SiteId, alarms: HealthAlarm[] }[]} */
export function openBySite(health, view) {
  const open = health.filter((alarm) => alarm.acknowledged === null);
  const sites = [...new Set(open.map((alarm) => alarm.site))];
  const speaks = view.floor.turn?.site;
  const order = [...sites.filter((site) => site === speaks), ...sites.filter((site) => site !== speaks)];
  return order.map((site) => ({ site, alarms: open.filter((alarm) => alarm.site === site) }));
}

/** Alarms somebody sees to: they stay until they are over, and make no noise. @param {HealthAlarm[]} health */
export const seenTo = (health) => health.filter((alarm) => alarm.acknowledged !== null);
