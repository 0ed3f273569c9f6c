// The row at the bottom: what is about the whole room, and this machine's own microphone.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { closeMicrophones, setHallMicrophone, setList, setPriority } from "../../actions/floor.js";
import { press } from "../../elements/hold.js";
import { presides } from "../../state/app.js";
import { later } from "../later.js";
import { html, icon, kbd, nothing, statusLine, t } from "../pieces.js";

/** Held, it silences everyone but the hall; pressed twice, it pauses every turn. @param {Ctx} ctx */
export const priority = (ctx) => ({
  press: () => void setPriority(ctx.ask, true),
  release: () => void setPriority(ctx.ask, false),
  twice: () => void closeMicrophones(ctx.ask),
});

/** Who has the chair, and the action that changes it. @param {Ctx} ctx @param {View} view */
const holder = (ctx, view) => later(ctx, "pick", () => import("./pick.js"))?.deputyBanner(ctx, view) ?? nothing;

/** @param {Ctx} ctx @param {View} view @param {boolean} sends */
export function footer(ctx, view, sends) {
  const { floor, stage, attendance } = view;
  const panel = (/** @type {string} */ name) => ctx.ui({ panel: ctx.app.ui.panel === name ? "" : name });
  const open = (/** @type {string} */ name) => ctx.app.ui.panel === name;
  if (!presides(ctx.app, view)) return html`<footer class="desk-foot">${holder(ctx, view)}<p class="aside">${t(ctx.app.me?.role === "deputy" ? "deputy-waits" : "deputy-presides-what")}</p>${statusLine(ctx)}</footer>`;
  return html`<footer class="desk-foot">
    <button class="btn priority ${floor.priority ? "pressed" : ""}" type="button" aria-pressed=${floor.priority} title=${t("priority-how")} @contextmenu=${(/** @type {Event} */ event) => event.preventDefault()}
      @pointerdown=${() => press(priority(ctx))} @keydown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && !event.repeat && press(priority(ctx))}>${icon("mic")}${t("priority")} ${kbd("F9")}</button>
    <button class="btn" type="button" ?disabled=${!floor.turn} @click=${() => closeMicrophones(ctx.ask)}>${icon("mic-off")}${t("close-all")}</button>
    <button class="btn ${floor.hall_microphone ? "live-fill" : ""}" type="button" aria-pressed=${floor.hall_microphone} @click=${() => setHallMicrophone(ctx.ask, !floor.hall_microphone)}>
      ${icon(floor.hall_microphone ? "mic" : "mic-off")}${t(floor.hall_microphone ? "close-hall" : "open-hall")}</button>
    <button class="btn" type="button" aria-expanded=${open("roll")} @click=${() => panel("roll")}>${icon("check")}${attendance.calling === null ? t("roll-call") : t("roll-call-runs")}</button>
    <button class="btn" type="button" aria-expanded=${open("screens")} @click=${() => panel("screens")}>${icon("screen")}${t("big-screen")}: ${t(`layout-${stage.layout}`)}</button>
    <button class="btn" type="button" @click=${() => setList(ctx.ask, !floor.open)}>${icon("lock")}${t(floor.open ? "lock-list" : "open-list")}</button>
    ${view.floor.deputy === null ? nothing : holder(ctx, view)}
    ${sends ? html`<div class="foot-self"><button class="btn small ${ctx.app.media.microphoneOpen ? "" : "own-closed"}" type="button" aria-pressed=${!ctx.app.media.microphoneOpen} title=${t(ctx.app.media.microphoneOpen ? "close-own-long" : "open-own-long")} @click=${() => ctx.media.setMicrophone(!ctx.app.media.microphoneOpen)}>
      ${icon(ctx.app.media.microphoneOpen ? "mic" : "mic-off")}${t(ctx.app.media.microphoneOpen ? "own-machine-open" : "own-machine-closed")}</button><level-meter aria-label=${t("microphone-level")} .read=${() => ctx.media.level()}></level-meter><figure class="tile"><self-picture role="img" aria-label=${t("own-picture")} .stream=${ctx.app.media.picture}></self-picture></figure></div>` : nothing}
  </footer>`;
}
