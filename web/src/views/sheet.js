// One sheet of plain words, for a page that has no conference to show.

/** @import { Ctx } from "./pieces.js" */

import { html, nothing } from "../../vendor/lit-html.js";
import { language, otherLanguage } from "../text.js";

/** A wall has nobody to press a button. @param {Ctx | null} ctx @param {unknown} title @param {unknown} body @param {string | typeof nothing} [role] */
export const sheet = (ctx, title, body, role = nothing) => html`<main class="plain"><div class="plain-sheet" role=${role}><div class="plain-brand"><i class="icon icon-mark" aria-hidden="true"></i> <span>diemcau</span>${ctx === null || ctx.app.page === "stage" ? nothing : languageButton(ctx)}</div><h1>${title}</h1>${body}</div></main>`;

/** @param {Ctx} ctx */
const languageButton = (ctx) => html`<button class="btn small lang" type="button" lang=${otherLanguage()} @click=${() => ctx.speak(otherLanguage())} aria-label=${language() === "vi" ? "EN, English" : "VI, Tiếng Việt"}>${otherLanguage().toUpperCase()}</button>`;
