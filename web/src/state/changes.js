// What a proposed wording changes.

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
