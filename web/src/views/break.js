// Giải lao: when the conference goes on, how long until then, and for who presides the way into it and out of it. Loaded when
// a break is on, and right after the chair's desk is there.

/** @import { Break, View } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { endBreak, startBreak } from "../actions/break.js";
import "../elements/until-clock.js";
import { shortTime } from "../time.js";
import { html, icon, mark, nothing, rich, t } from "./pieces.js";

const MINUTES = [5, 10, 15, 20];
const USUAL = 15;

/** "Giải lao, tiếp tục lúc 09:45" @param {Break} pause */
export const breakWhen = ({ until }) => rich("break-until", { time: shortTime(until) });

/** The time left; once it is over, that it is. @param {Break} pause */
export const breakLeft = ({ until }) => html`<span class="break-left" role="timer" aria-live="off"><span>${t("break-left")} <until-clock class="num" .until=${until}></until-clock></span><b class="due">${t("break-due")}</b></span>`;

/** One line, for a desk that shows something else beside it. @param {View} view */
export const breakLine = ({ agenda: { on_break } }) => (on_break ? html`${icon("pause")}<span class="break-line"><span role="status">${breakWhen(on_break)},</span> ${breakLeft(on_break)}</span>` : nothing);

/** A site's panel while nothing of its own is to be told. @param {Break} pause */
export const breakPanel = (pause) => html`<div class="panel"><p class="lead">${icon("pause")}${t("break-now")}</p><p class="huge words calm break-large">${breakLeft(pause)}</p><p class="say" role="status">${breakWhen(pause)}</p></div>`;

/** In the place of the speech. @param {Ctx} ctx @param {View} view @param {Break} pause @param {boolean} may */
export const breakHere = (ctx, view, pause, may) => html`${mark("held", "pause", t("break-now"))}<h2 class="site break-when"><span role="status">${breakWhen(pause)}</span></h2><p class="break-large">${breakLeft(pause)}</p>
  ${may ? html`<div class="break-acts"><button class="btn" type="button" @click=${() => endBreak(ctx.ask)}>${icon("play")}${t("end-break")}</button>${breakForm(ctx, view)}</div>` : nothing}`;

/** How long, and the button; while a break is on it counts anew from now. While somebody speaks there is none to begin. @param {Ctx} ctx @param {View} view */
export function breakForm(ctx, view) {
  const begin = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    startBreak(ctx.ask, Number(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("minutes")));
  };
  return html`<form class="break-form" @submit=${begin}><select class="select" name="minutes" aria-label=${t("break-minutes")}>${MINUTES.map((n) => html`<option value=${n} ?selected=${n === USUAL}>${t("break-n", { n })}</option>`)}</select>
    <button class="btn small" type="submit" ?disabled=${view.attendance.calling !== null}>${icon("pause")}${t(view.agenda.on_break ? "break-anew" : "break-now")}</button></form>`;
}
