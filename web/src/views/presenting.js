// Trình chiếu: who shows a screen to all rooms, who would like to, and what this desk can do about it.

/** @import { View } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { askToPresent, endPresentation, letPresent, pickScreen, presentAtOnce, stopOwn } from "../actions/presenting.js";
import { PRESENTATION_SLOT } from "../slots.js";
import { presides } from "../state/app.js";
import { hall } from "../state/sites.js";
import { html, icon, nothing, t } from "./pieces.js";

/** @param {unknown} mark @param {unknown} words @param {unknown} acts */
const line = (mark, words, acts) => html`<div class="banner info presenting" role="status">${mark}<p>${words}</p><span class="acts-of-bar">${acts}</span></div>`;

/** @param {string} words @param {() => unknown} act @param {string} [kind] */
const button = (words, act, kind = "") => html`<button class="btn small ${kind}" type="button" @click=${act}>${t(words)}</button>`;

/** Its own row over the desk; nothing for whom it does not concern. @param {Ctx} ctx */
export function bar(ctx) {
  const { me, view } = ctx.app;
  if (!me || !view) return nothing;
  const { presentation: shown, presentation_asks: asks } = view.stage;
  const mine = shown?.seat === me.seat;
  const stop = shown === null ? nothing : button("present-stop", () => (mine ? stopOwn(ctx, shown.seat) : endPresentation(ctx, shown.seat)));
  if (mine && ctx.app.media.share !== "on" && !elsewhere(ctx)) return own(ctx, stop);
  const now = mine ? t(elsewhere(ctx) ? "present-elsewhere" : "present-on") : shown ? t(isGone(view, shown.site) ? "presenter-lost" : "presents-now", { label: shown.by }) : "";
  const may = mayLet(ctx, view);
  const first = may ? asks[0] : undefined;
  if (first) {
    const words = html`<b>${first.by}</b> ${t("asks-to-present")}${asks.length > 1 ? html` <span class="num">(1/${asks.length})</span>` : nothing}${now === "" ? nothing : ` · ${now}`}`;
    return line(icon("doc"), words, html`${button("let-present", () => letPresent(ctx, first.seat), "primary")}${button("refuse-present", () => endPresentation(ctx, first.seat))}${stop}`);
  }
  if (mine) return line(icon("check"), html`<b>${now}</b>`, html`${elsewhere(ctx) ? nothing : button("present-other", () => pickScreen(ctx))}${stop}`);
  if (asks.some((ask) => ask.seat === me.seat)) return line(icon("clock"), t("present-asked"), button("present-take-back", () => stopOwn(ctx, me.seat)));
  return may && shown ? line(icon("doc"), now, stop) : nothing;
}

/** Under the picture while nobody speaks. @param {View} view */
export const caption = ({ stage }) => stage.presentation && t("presents-now", { label: stage.presentation.by });

/** A room that presents has no link: what the walls show stands still until it is back, or is taken off. The hall has machines enough. @param {View} view @param {number} site */
const isGone = (view, site) => hall(view)?.id !== site && view.sites.some((each) => each.site === site && each.carrier === null);

/** This seat presents, from another machine. @param {Ctx} ctx */
const elsewhere = ({ app }) => app.media.share === "off" && (app.media.slots[PRESENTATION_SLOT] ?? null) !== null;

/** This machine may present and has nothing picked yet, or is about to. @param {Ctx} ctx @param {unknown} stop */
function own(ctx, stop) {
  switch (ctx.app.media.share) {
    case "on":
    case "connecting":
    case "picked": return line(icon("clock"), t("present-connecting"), stop);
    case "picking": return line(icon("clock"), t("present-picking"), stop);
    case "off": return can() ? line(icon("right"), html`<b>${t("present-may")}</b>`, html`${button("present-pick", () => pickScreen(ctx), "primary")}${stop}`) : line(icon("warn"), t(cannot()), stop);
  }
}

/** Browsers on phones show no screen, and none does to a page whose origin is not trusted. */
const can = () => Boolean(navigator.mediaDevices?.getDisplayMedia);
const cannot = () => (isSecureContext ? "present-cannot" : "present-needs-https");

/** @param {Ctx} ctx @param {View} view */
const mayLet = (ctx, view) => ctx.app.me?.role === "technician" || presides(ctx.app, view);

/** Where it begins; once it has, the bar goes on. @param {Ctx} ctx @param {View} view */
export function presentButton(ctx, view) {
  const { me } = ctx.app;
  const { presentation: shown, presentation_asks: asks } = view.stage;
  const mine = shown?.seat === me?.seat || asks.some((ask) => ask.seat === me?.seat);
  if (!can()) return html`<span class="faint">${t(cannot())}</span>`;
  const free = presides(ctx.app, view);
  return html`<button class="btn small" type="button" ?disabled=${mine} @click=${() => (free ? presentAtOnce(ctx) : askToPresent(ctx))}>${icon("doc")}${t(free ? "present-begin" : "present-ask")}</button>`;
}
