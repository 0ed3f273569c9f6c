// Questions only a desk that presides asks about the floor.

/** @import { Floor, SiteId, View } from "../../generated/protocol.ts" */

/** Whether the chair's last step can still be taken back. @param {View} view @param {number} now */
export const canUndo = ({ floor }, now) => floor.undo !== null && floor.undo.until > now;

/** What a site has used: in one item, or in all. Speeches that are over. @param {Floor} floor @param {SiteId} site @param {number | null} [item] */
export function timeUsed(floor, site, item) {
  const of = floor.used.filter((used) => used.site === site && (item === undefined || used.item === item));
  return { ms: of.reduce((sum, used) => sum + used.ms, 0), turns: of.reduce((sum, used) => sum + used.turns, 0) };
}
