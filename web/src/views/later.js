// Parts of a page that are fetched when they are first needed, with their texts.

/** @import { Ctx } from "./pieces.js" */

import { addTexts } from "../text.js";

/** @type {Map<string, any>} */
const parts = new Map();

/**
 * The module of a part once it is there; null before, and the page is drawn anew when it comes.
 * @template T @param {Ctx} ctx @param {string} name Also the name of its texts. @param {() => Promise<T>} fetch @returns {T | null}
 */
export function later(ctx, name, fetch) {
  if (!parts.has(name)) {
    parts.set(name, null);
    Promise.all([fetch(), addTexts(name)]).then(([module]) => {
      parts.set(name, module);
      ctx.ui({});
    }, () => parts.delete(name));
  }
  return parts.get(name);
}
