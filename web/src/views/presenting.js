// Trình chiếu: who shows a screen to all rooms, who would like to, and what this desk can do about it.

/** @import { View } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { askToPresent, endPresentation, letPresent, pickScreen, presentAtOnce } from "../actions/presenting.js";
import { presides } from "../state/app.js";
import { html, icon, nothing, t } from "./pieces.js";

/** @param {unknown} mark @param {unknown} words @param {unknown} acts */
const line = (mark, words, acts) => html`<div class="banner info presenting" role="status">${mark}<p>${words}</p><span class="acts-of-bar">${acts}</span></div>`;

/** @param {string} words @param {() => unknown} act @param {string} [kind] */
const button = (words, act, kind = "") => html`<button class="btn small ${kind}" type="button" @click=${act}>${t(words)}</button>`;

/** Its own row over the desk; nothing for whom it does not concern. @param {Ctx} ctx */
export function bar(ctx) {
  const { me, view } = ctx.app;
  if (!me || !view) return null;
  const { presentation: shown, presentation_asks: asks } = view.stage;
  if (shown?.seat === me.seat) return own(ctx, shown.seat);
  const may = mayLet(ctx, view);
  const first = asks[0];
  if (may && first) {
    const words = html`<b>${first.by}</b> ${t("asks-to-present")}${asks.length > 1 ? html` <span class="num">(1/${asks.length})</span>` : nothing}${shown ? html` · ${t("presents-now", { label: shown.by })}` : nothing}`;
    return line(icon("doc"), words, html`${button("let-present", () => letPresent(ctx, first.seat), "primary")}${button("refuse-present", () => endPresentation(ctx, first.seat))}`);
  }
  if (asks.some((ask) => ask.seat === me.seat)) return line(icon("clock"), t("present-asked"), button("present-take-back", () => endPresentation(ctx, me.seat)));
  return may && shown ? line(icon("doc"), t("presents-now", { label: shown.by }), button("present-stop", () => endPresentation(ctx, shown.seat))) : null;
}

/** This machine presents, or may and has nothing picked yet. @param {Ctx} ctx @param {number} seat */
function own(ctx, seat) {
  const stop = button("present-stop", () => endPresentation(ctx, seat));
  switch (ctx.app.media.share) {
    case "on": return line(icon("check"), html`<b>${t("present-on")}</b>`, html`${button("present-other", () => pickScreen(ctx))}${stop}`);
    case "connecting":
    case "picked": return line(icon("clock"), t("present-connecting"), stop);
    case "picking": return line(icon("clock"), t("present-picking"), stop);
    case "off": return line(icon("right"), html`<b>${t("present-may")}</b>`, html`${button("present-pick", () => pickScreen(ctx), "primary")}${stop}`);
  }
}

/** @param {Ctx} ctx @param {View} view */
const mayLet = (ctx, view) => ctx.app.me?.role === "technician" || presides(ctx.app, view);

/** Where it begins; once it has, the bar goes on. @param {Ctx} ctx @param {View} view */
export function presentButton(ctx, view) {
  const { me } = ctx.app;
  const { presentation: shown, presentation_asks: asks } = view.stage;
  const mine = shown?.seat === me?.seat || asks.some((ask) => ask.seat === me?.seat);
  if (!navigator.mediaDevices?.getDisplayMedia) return html`<span class="faint">${t("present-cannot")}</span>`;
  const free = presides(ctx.app, view);
  return html`<button class="btn small" type="button" ?disabled=${mine} @click=${() => (free ? presentAtOnce(ctx) : askToPresent(ctx))}>${icon("doc")}${t(free ? "present-begin" : "present-ask")}</button>`;
}
