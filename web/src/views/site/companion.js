// A phone beside a room.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { MyFloor } from "../../state/floor.js" */
/** @import { Ctx } from "../pieces.js" */

import { nextThree } from "../../state/floor.js";
import { fittingName, html, icon, itemLine, nextList, nothing, statusLine, t, turnMark } from "../pieces.js";
import { bigButton, panel } from "./panel.js";
import { draftsDesk, forms, joining } from "./parts.js";
import { person } from "./person.js";
import { help, strip } from "./strip.js";

/** A phone carries no picture and no sound: the same panel, button and forms. @param {Ctx} ctx @param {View} view @param {MyFloor} my */
export function companion(ctx, view, my) {
  const { turn } = view.floor;
  const { tab } = ctx.app.ui;
  const back = html`<button class="btn quietbtn" type="button" @click=${() => ctx.ui({ tab: "" })}>${t("back")}</button>`;
  if (tab === "list") return html`<main class="companion">${forms(ctx)?.listZone(ctx, view) ?? joining()}${statusLine(ctx)}${back}</main>`;
  if (tab === "count") return html`<main class="companion">${forms(ctx)?.headcountForm(ctx, view) ?? joining()}${statusLine(ctx)}${back}</main>`;
  if (tab === "drafts") return html`<main class="companion with-drafts">${draftsDesk(ctx, view)}${statusLine(ctx)}${back}</main>`;
  return html`<main class="companion">
    <div class="now-speaking">${turnMark(view)}<p>${turn ? html`<b>${fittingName(view, turn.site, 40)}</b><small>${person(turn.words)}</small>` : html`<b>${itemLine(view)}</b>`}</p>${turn ? html`<turn-time class="num" .turn=${turn}></turn-time>` : nothing}</div>
    ${strip(ctx, view, my)}
    ${ctx.app.ui.asking ? forms(ctx)?.askForm(ctx, view) ?? joining() : html`${panel(ctx, view, my)}${bigButton(ctx, view, my)}`}
    ${statusLine(ctx)}
    ${forms(ctx)?.ownRequests(ctx, view) ?? nothing}${nextList(nextThree(view.floor), view, ctx.app.me?.site ?? -1)}
    <div class="more">${view.floor.queue.length > 3 ? html`<button class="btn" type="button" @click=${() => ctx.ui({ tab: "list" })}>${icon("stack")}${t("list-tab")} <b class="num">${view.floor.queue.length}</b></button>` : nothing}
      <button class="btn" type="button" @click=${() => ctx.ui({ tab: "count" })}>${icon("check")}${t("headcount")}</button></div>
    ${help(ctx, view)}
    <div class="foot"><button class="btn quietbtn" type="button" @click=${() => ctx.ui({ tab: "drafts" })}>${icon("pen")}${t("comment-on-draft")}</button></div>
    <p class="mute">${icon("speaker")}${t("companion-silent")}</p></main>`;
}
