// Who waits at the door, and whom they would replace.

/** @import { View, Visitor } from "../../generated/protocol.ts" */

/** Whether its room is carried by a machine with this link: that one is cut when this one comes in. @param {View} view @param {Visitor} visitor */
export function isInUse(view, visitor) {
  const seat = view.seats.find((each) => each.id === visitor.seat);
  return view.sites.some((link) => link.site === seat?.site && link.carrier === seat.carries);
}
