// What the buttons at the door do: one function, one frame.

/** @import { DeviceId, SeatId, WaitId } from "../../generated/protocol.ts" */
/** @import { Ask } from "./floor.js" */

/** @param {Ask} ask @param {WaitId} wait */
export const admitDevice = (ask, wait) => ask({ type: "admit_device", wait });

/** @param {Ask} ask @param {WaitId} wait @param {boolean} ban */
export const refuseDevice = (ask, wait, ban) => ask({ type: "refuse_device", wait, ban });

/** @param {Ask} ask @param {SeatId} seat @param {boolean} ban */
export const expelSeat = (ask, seat, ban) => ask({ type: "expel_seat", seat, ban });

/** @param {Ask} ask @param {SeatId} seat */
export const restoreSeat = (ask, seat) => ask({ type: "restore_seat", seat });

/** @param {Ask} ask @param {DeviceId} device */
export const allowDevice = (ask, device) => ask({ type: "allow_device", device });

/** @param {Ask} ask @param {SeatId} seat */
export const revokeSeat = (ask, seat) => ask({ type: "revoke_seat", seat });
