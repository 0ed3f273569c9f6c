// What the button of an alarm does: one frame for each that is acknowledged.

/** @import { ClientFrame, HealthAlarm } from "../../generated/protocol.ts" */

/** @param {(frame: ClientFrame) => void} tell @param {HealthAlarm[]} alarms */
export const acknowledge = (tell, alarms) => alarms.forEach(({ alarm }) => tell({ type: "acknowledge_health", alarm }));
