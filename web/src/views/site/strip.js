// One calm line above the panel: what a person should see now though the panel speaks of something else.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { MyFloor } from "../../state/floor.js" */
/** @import { Ctx } from "../pieces.js" */

import { setReady } from "../../actions/floor.js";
import { handlePrompt, promptDesks } from "../../actions/roll.js";
import { FROM_SITE, isFromSite } from "../../state/prompts.js";
import { later } from "../later.js";
import { html, icon, kbd, nothing, t } from "../pieces.js";
import { forms, pause } from "./parts.js";
import { deniedLead, deniedWords, putAway } from "./panel.js";

/** @param {Ctx} ctx @param {View} view @param {MyFloor} my */
export function strip(ctx, view, my) {
  return html`<div class="strips" role="status">${line(ctx, view, my)}</div>`;
}

/** The most urgent of them: one line, so that nothing under it moves far. @param {Ctx} ctx @param {View} view @param {MyFloor} my */
function line(ctx, view, my) {
  const { asking, deniedSeen } = ctx.app.ui;
  if (asking && my.is === "on_deck" && my.request.ready !== "ready") {
    const { turn } = my.request;
    return html`<p class="notice-strip deck">${icon("right")}<b>${t("my-on-deck")}</b><button class="btn small primary" type="button" @click=${() => setReady(ctx.ask, turn, "ready")}>${t("say-ready")} ${kbd("F2")}</button></p>`;
  }
  const told = view.prompts.filter((prompt) => prompt.handled === null && !isFromSite(prompt.kind));
  const first = told[0];
  if (first) {
    return html`<p class="notice-strip">${icon("warn")}<b>${t(`prompt-${first.kind}`)}</b>${told.length > 1 ? html`<span class="num">1/${told.length}</span>` : nothing}
      <button class="btn small" type="button" @click=${() => handlePrompt(ctx.ask, first.id)}>${icon("check")}${t("understood")}</button></p>`;
  }
  const denied = view.floor.denied.find((each) => each.site === ctx.app.me?.site && each.turn !== deniedSeen);
  if (denied && my.is !== "denied" && my.is !== "speaking") return html`<p class="notice-strip">${icon("x")}<span><b>${deniedLead(ctx.app, denied)}.</b> ${deniedWords(denied)}</span>${putAway(ctx, { deniedSeen: denied.turn })}</p>`;
  const link = forms(ctx)?.ownLink(ctx, view) ?? nothing;
  if (link !== nothing) return link;
  if (view.agenda.on_break && my.is !== "idle") return html`<p class="notice-strip calm">${pause(ctx)?.breakLine(view)}</p>`;
  if (view.floor.priority && my.is !== "speaking") return html`<p class="notice-strip calm">${icon("mic-off")}<b>${t("priority-held")}</b></p>`;
  return nothing;
}

/** @param {Ctx} ctx @param {View} view */
export function help(ctx, view) {
  const waits = (/** @type {string} */ kind) => view.prompts.some((prompt) => prompt.kind === kind && prompt.handled === null);
  const mayPresent = ctx.app.me?.carries !== "nothing" && innerWidth > 720 ? later(ctx, "presenting", () => import("../presenting.js")) : null;
  return html`<div class="help" role="group" aria-label=${t("tell-desks")}><span>${t("tell-desks")}</span>${FROM_SITE.map((kind) => (waits(kind)
    ? html`<p class="waits" role="status">${icon("clock")}${t(`prompt-${kind}`)}: ${t("told-waiting")}</p>`
    : html`<button class="btn small" type="button" @click=${() => promptDesks(ctx.ask, kind)}>${t(`prompt-${kind}`)}</button>`))}${mayPresent?.presentButton(ctx, view) ?? nothing}</div>`;
}
