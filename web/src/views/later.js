// Parts of a page that are fetched when they are first needed, with their texts and their look.

/** @import { Ctx } from "./pieces.js" */

import { addTexts } from "../text.js";

/** @type {Map<string, any>} */
const parts = new Map();
/** @type {Map<string, any>} */
const styles = new Map();

/**
 * The module of a part once it is there; null before, and the page is drawn anew when it comes.
 * @template T @param {Ctx} ctx @param {string} name Also the name of its texts. @param {() => Promise<T>} fetch @param {boolean} [styled] Whether it has a style sheet of that name. @param {boolean} [worded] Whether it has texts of that name. @returns {T | null}
 */
export function later(ctx, name, fetch, styled = true, worded = true) {
  // A browser may take what it could not fetch for missing for good.
  if (!parts.has(name) && (ctx.app.link !== "lost" || !ctx.app.view)) {
    parts.set(name, null);
    Promise.all([fetch(), worded && addTexts(name), styled && addStyle(name)]).then(([module]) => {
      parts.set(name, module);
      ctx.ui({});
    }, () => parts.delete(name));
  }
  return parts.get(name) ?? null;
}

/** The module of a part if it is there already; asking for it does not fetch it. @param {string} name */
export const loaded = (name) => parts.get(name) ?? null;

/** @param {string} name */
export function addStyle(name) {
  const known = styles.get(name);
  if (known) return known;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = `/styles/${name}.css`;
  const style = new Promise((done) => {
    link.onload = done;
    link.onerror = () => done(styles.delete(name) && link.remove());
    document.head.append(link);
  });
  styles.set(name, style);
  return style;
}
