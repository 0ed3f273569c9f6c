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

/** @typedef {{ how: "same" | "gone" | "new", text: string }} Piece */

/** Word by word, what a proposed wording changes. @param {string} before @param {string} after @returns {Piece[]} */
export function wordChanges(before, after) {
  const a = before.split(/(?<=\s)/);
  const b = after.split(/(?<=\s)/);
  // Longest common subsequence from the end; drafts are short, so the square is small.
  const most = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (/** @type {number} */ i, /** @type {number} */ j) => most[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = most[i];
      if (row) row[j] = sameWord(a[i], b[j]) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  /** @type {Piece[]} */
  const pieces = [];
  const put = (/** @type {Piece["how"]} */ how, /** @type {string} */ text) => {
    const last = pieces.at(-1);
    if (last?.how === how) last.text += text;
    else pieces.push({ how, text });
  };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && sameWord(a[i], b[j])) {
      put("same", b[j] ?? "");
      i += 1;
      j += 1;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) put("gone", a[i++] ?? "");
    else put("new", b[j++] ?? "");
  }
  return pieces;
}

/** @param {string | undefined} a @param {string | undefined} b */
const sameWord = (a, b) => a?.trim() === b?.trim();
