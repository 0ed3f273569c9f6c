// The row at the bottom: what is about the whole room, and this machine's own microphone.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { closeMicrophones, openMicrophones, setHallMicrophone, setList, setPriority } from "../../actions/floor.js";
import { setBlank } from "../../actions/room.js";
import { press } from "../../elements/hold.js";
import { presides } from "../../state/app.js";
import { later } from "../later.js";
import { html, icon, kbd, nothing, onWall, statusLine, t } from "../pieces.js";

/** Held, it silences everyone but the hall; pressed twice, it pauses every turn. @param {Ctx} ctx */
export const priority = (ctx) => ({
  press: () => void setPriority(ctx.ask, true),
  release: () => void setPriority(ctx.ask, false),
  twice: () => void closeMicrophones(ctx.ask),
});

/** Pressed by a key, a screen reader or a voice there is nothing to hold: it turns on and off. @param {MouseEvent} event */
const toggled = (event) => event.detail === 0;

/** @param {Ctx} ctx */
const pick = (ctx) => later(ctx, "pick", () => import("./pick.js"));

/** @param {Ctx} ctx @param {View} view @param {boolean} sends */
export function footer(ctx, view, sends) {
  const { floor, stage, attendance } = view;
  const panel = (/** @type {string} */ name) => ctx.ui({ panel: ctx.app.ui.panel === name ? "" : name });
  const open = (/** @type {string} */ name) => ctx.app.ui.panel === name;
  if (!presides(ctx.app, view)) return html`<footer class="desk-foot">${pick(ctx)?.aside(ctx, view) ?? nothing}${statusLine(ctx)}</footer>`;
  return html`<footer class="desk-foot">
    <button class="btn priority ${floor.priority ? "pressed" : ""}" type="button" aria-pressed=${floor.priority} title=${t("priority-how")} @contextmenu=${(/** @type {Event} */ event) => event.preventDefault()}
      @pointerdown=${(/** @type {PointerEvent} */ event) => press(priority(ctx), event.pointerId)} @click=${(/** @type {MouseEvent} */ event) => toggled(event) && setPriority(ctx.ask, !floor.priority)}>${icon("mic")}${t("priority")} ${kbd("F9")}</button>
    ${floor.microphones_closed
      ? html`<button class="btn pressed" type="button" @click=${() => openMicrophones(ctx.ask)}>${icon("mic")}${t("open-all")}</button>`
      : html`<button class="btn" type="button" ?disabled=${!floor.turn && attendance.calling === null} @click=${() => closeMicrophones(ctx.ask)}>${icon("mic-off")}${t("close-all")}</button>`}
    <button class="btn ${floor.hall_microphone ? "live-fill" : ""}" type="button" aria-pressed=${floor.hall_microphone} @click=${() => setHallMicrophone(ctx.ask, !floor.hall_microphone)}>
      ${icon(floor.hall_microphone ? "mic" : "mic-off")}${t(floor.hall_microphone ? "close-hall" : "open-hall")}</button>
    <button class="btn" type="button" aria-expanded=${open("roll")} @click=${() => panel("roll")}>${icon("check")}${attendance.calling === null ? t("roll-call") : t("roll-call-runs")}</button>
    <button class="btn" type="button" aria-expanded=${open("screens")} @click=${() => panel("screens")}>${icon("screen")}${t("big-screen")}: ${onWall(stage)}</button>
    <button class="btn ${stage.layout === "blank" ? "pressed" : ""}" type="button" aria-pressed=${stage.layout === "blank"} @click=${() => setBlank(ctx.ask, ctx.app.view?.stage.layout !== "blank")}>${t("blank-short")} ${kbd("F7")}</button>
    <button class="btn" type="button" @click=${() => setList(ctx.ask, !floor.open)}>${icon("lock")}${t(floor.open ? "lock-list" : "open-list")}</button>
    ${floor.deputy === null ? nothing : pick(ctx)?.deputyBanner(ctx, view) ?? nothing}
    ${sends ? pick(ctx)?.ownMachine(ctx) ?? nothing : nothing}
  </footer>`;
}
