// Questions about drafts and the comments on them.

/** @import { Comment, Draft, DraftId, ParagraphRef, View } from "../../generated/protocol.ts" */

export const COMMENT_MAX_CHARS = 4_000;
export const TOPIC_MAX_CHARS = 200;
export const NAME_MAX_CHARS = 120;

/** @param {View} view @param {DraftId | null} id @returns {Draft | null} */
export const draftOf = (view, id) => view.fixed.drafts.find((draft) => draft.id === id) ?? null;

/** The draft to show first: the running item's, else the first. @param {View} view */
export function draftAtHand(view) {
  const item = view.agenda.items.find((each) => each.id === view.agenda.current);
  return draftOf(view, item?.drafts[0] ?? null) ?? view.fixed.drafts[0] ?? null;
}

/** @param {Comment[]} feed @param {ParagraphRef} at */
export const commentsAt = (feed, at) =>
  feed.filter((comment) => comment.words.at.draft === at.draft && comment.words.at.paragraph === at.paragraph);

/** How many comments each paragraph of a draft has. @param {Comment[]} feed @param {DraftId} draft @returns {Map<number, number>} */
export function countByParagraph(feed, draft) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const comment of feed) {
    if (comment.words.at.draft !== draft) continue;
    counts.set(comment.words.at.paragraph, (counts.get(comment.words.at.paragraph) ?? 0) + 1);
  }
  return counts;
}

/** What people count as one character is close enough to a code point; the server counts those. @param {string} text */
export const charsOf = (text) => [...text].length;
