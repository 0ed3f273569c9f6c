// Comments that the server did not take: what a person wrote is on its way, in the feed, or back in the form.

/** @import { Comment, CommentWords } from "../../generated/protocol.ts" */
/** @import { Pending } from "../connection.js" */

/** @typedef {{ id: string, words: CommentWords }} Post A comment on its way. */

/** @param {readonly Pending[]} pending @returns {Post[]} */
export const postsOf = (pending) => pending.flatMap(({ id, command }) => (command.type === "post_comment" ? [{ id, words: command.words }] : []));

/** Of those that were on their way: who is there no more, and is not among the site's own comments. @param {readonly Post[]} before @param {readonly Post[]} now @param {readonly Comment[]} own */
export const notTaken = (before, now, own) =>
  before.filter((post) => !now.some(({ id }) => id === post.id) && !own.some(({ words }) => isSame(words, post.words)));

/** @param {CommentWords} one @param {CommentWords} other */
const isSame = (one, other) =>
  one.at.draft === other.at.draft && one.at.paragraph === other.at.paragraph
  && shown(one.text) === shown(other.text) && shown(one.proposed) === shown(other.proposed) && shown(one.delegate) === shown(other.delegate);

/** The server drops characters without a shape. @param {string} text */
const shown = (text) => text.replace(/[^\P{C}\n\t]/gu, "").trim();
