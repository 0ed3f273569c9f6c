// What the buttons about screens and seats do: one function, one frame.

/** @import { Layout, SeatId } from "../../generated/protocol.ts" */
/** @import { Ask } from "./floor.js" */

/** @param {Ask} ask @param {Layout} layout */
export const setLayout = (ask, layout) => ask({ type: "set_layout", layout });

/** @param {Ask} ask @param {SeatId} seat */
export const revokeSeat = (ask, seat) => ask({ type: "revoke_seat", seat });
