// What the buttons about comments do: one function, one frame.

/** @import { CommentId, CommentKind, CommentWords } from "../../generated/protocol.ts" */
/** @import { Ask } from "./floor.js" */

import { tidy } from "./words.js";

/** @param {Ask} ask @param {CommentKind} kind @param {CommentWords} words */
export const postComment = (ask, kind, words) =>
  ask({ type: "post_comment", kind, words: { at: words.at, text: tidy(words.text), proposed: tidy(words.proposed), delegate: tidy(words.delegate) } });

/** @param {Ask} ask @param {CommentId} comment */
export const holdComment = (ask, comment) => ask({ type: "hold_comment", comment });

/** @param {Ask} ask @param {CommentId} comment */
export const publishComment = (ask, comment) => ask({ type: "publish_comment", comment });

/** @param {Ask} ask @param {CommentId} comment */
export const withdrawComment = (ask, comment) => ask({ type: "withdraw_comment", comment });
