// The room's own machine: programme, tabs, own picture and microphone beside the panel.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { MyFloor } from "../../state/floor.js" */
/** @import { Ctx } from "../pieces.js" */

import { nextThree } from "../../state/floor.js";
import { html, lowerThird, nextList, nothing, statusLine, t, withShared } from "../pieces.js";
import { bigButton, panel } from "./panel.js";
import { draftsDesk, forms, joining } from "./parts.js";
import { self } from "./self.js";
import { help, strip } from "./strip.js";

/** @param {Ctx} ctx @param {View} view @param {MyFloor} my */
export function desk(ctx, view, my) {
  const { app } = ctx;
  return html`<main class="desk ${app.ui.tab === "drafts" ? "with-drafts" : ""}">
    <div class="left">
      ${withShared(ctx, view)}
      ${lowerThird(ctx, view)}${underPicture(ctx, view)}${tabs(ctx, view)}${help(ctx, view)}
    </div>
    <div class="right">
      ${strip(ctx, view, my)}
      ${app.ui.asking ? forms(ctx)?.askForm(ctx, view) ?? joining() : html`${panel(ctx, view, my)}${bigButton(ctx, view, my)}`}
      ${nextList(nextThree(view.floor), view, app.me?.site ?? -1)}
      <div class="below">${statusLine(ctx)}${self(ctx, view, my)}</div>
    </div>
  </main>`;
}

/** @param {Ctx} ctx @param {View} view */
function underPicture(ctx, view) {
  const zone = (/** @type {unknown} */ inside) => html`<div class="under" tabindex="0">${inside}</div>`;
  switch (ctx.app.ui.tab) {
    case "agenda": return zone(forms(ctx)?.agendaZone(view) ?? joining());
    case "drafts": return draftsDesk(ctx, view);
    case "list": return zone(forms(ctx)?.listZone(ctx, view) ?? joining());
    case "count": return zone(forms(ctx)?.headcountForm(ctx, view) ?? joining());
    default: return nothing;
  }
}

/** @param {Ctx} ctx @param {View} view */
function tabs(ctx, view) {
  const { tab } = ctx.app.ui;
  const one = (/** @type {string} */ name, /** @type {string} */ words, count = 0) => html`<button role="tab" type="button" aria-selected=${tab === name} @click=${() => ctx.ui({ tab: name })}>${words} ${count > 0 ? html`<b class="num">${count}</b>` : nothing}</button>`;
  const comments = view.feed.filter((comment) => comment.site === ctx.app.me?.site).length;
  return html`<div class="tabs" role="tablist">${one("", t("programme"))}${one("agenda", t("agenda"))}${one("list", t("list-tab"), view.floor.queue.length)}${one("count", t("headcount"))}${one("drafts", t("drafts-and-comments"), comments)}</div>`;
}
