// Whether enough are there for the running item: of what it is a share, how many are there, and how many must be.

/** @import { Quorum } from "../../generated/protocol.ts" */

import { needed } from "../state/quorum.js";
import { number } from "../text.js";
import { html, mark, nothing, t } from "./pieces.js";

/** "có mặt 150/220 đại biểu, cần 148 (67%)" @param {Quorum} quorum */
export const quorumFigures = (quorum) => t(`quorum-${quorum.base}`, { n: number(quorum.there), of: number(quorum.of), most: number(needed(quorum)), count: quorum.percent });

/** @param {Quorum | null} quorum */
export function quorumMark(quorum) {
  if (!quorum) return nothing;
  const words = html`<span>${t(quorum.reached ? "quorate" : "not-quorate")}: <span class="num quorum-figures">${quorumFigures(quorum)}</span></span>`;
  return quorum.reached ? mark("ready", "check", words) : mark("weak", "warn", words);
}
