// What a quorum comes to.

/** @import { Quorum } from "../../generated/protocol.ts" */

/** How many must be there: the least whole number that is not below the share. @param {Quorum} quorum */
export const needed = ({ of, percent }) => Math.ceil((of * percent) / 100);
