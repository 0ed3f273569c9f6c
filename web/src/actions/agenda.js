// What the buttons about the agenda do: one function, one frame.

/** @import { ItemId } from "../../generated/protocol.ts" */
/** @import { Ask } from "./floor.js" */

/** @param {Ask} ask @param {ItemId} item */
export const startItem = (ask, item) => ask({ type: "start_item", item });

/** @param {Ask} ask @param {ItemId} item */
export const finishItem = (ask, item) => ask({ type: "finish_item", item });

/** @param {Ask} ask @param {ItemId | null} after The item the console believes to run. */
export const moveToNextItem = (ask, after) => ask({ type: "next_item", after });
