// Điểm danh at a site: its call, the fixed answer, and who is present.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { setHeadcount } from "../../actions/roll.js";
import { callName, site } from "../../state/sites.js";
import { html, icon, isHeard, mark, nothing, statusLine, t } from "../pieces.js";

/** The roll call has come to this site: the fixed answer, and who is present. @param {Ctx} ctx @param {View} view @param {boolean} sends */
export function called(ctx, view, sends) {
  const open = sends && ctx.app.media.microphoneOpen && isHeard(view, ctx.app.me?.site ?? null);
  const name = callName(site(view, ctx.app.me?.site ?? null));
  return html`<main class="called" role="region" aria-labelledby="h-called">${open ? mark("live", "mic", t("microphone-open")) : mark("deck", "right", t("roll-title-site"))}
    <h2 id="h-called">${t("roll-you-are-called")}</h2><p class="say">${t("roll-answer-words", { site: name })}</p>
    ${sends && !ctx.app.media.microphoneOpen ? html`<p><button class="btn invite" type="button" @click=${() => ctx.media.setMicrophone(true)}>${icon("mic")}${t("open-own-microphone")}</button></p>` : nothing}
    ${sends ? html`<level-meter aria-label=${t("microphone-level")} .read=${() => ctx.media.level()}></level-meter>` : nothing}
    ${headcountForm(ctx, view)}${statusLine(ctx)}</main>`;
}

const FIGURES = /** @type {const} */ (["summoned", "present", "online"]);

/** @param {Ctx} ctx @param {View} view */
export function headcountForm(ctx, view) {
  const me = ctx.app.me?.site ?? -1;
  const before = view.attendance.sites.find((line) => line.site === me)?.headcount ?? { summoned: site(view, me)?.summoned ?? 0, present: 0, online: 0, absent: "" };
  const send = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const count = (/** @type {string} */ name) => Math.max(0, Math.trunc(Number(data.get(name) ?? 0))) || 0;
    setHeadcount(ctx.ask, me, { summoned: count("summoned"), present: count("present"), online: count("online"), absent: String(data.get("absent") ?? "").trim() });
  };
  return html`<form class="headcount zone" @submit=${send} aria-labelledby="h-count"><div class="zone-head"><h2 id="h-count">${t("headcount")}</h2></div><div class="count-body">
    ${FIGURES.map((name) => html`<div class="field"><label for=${`count-${name}`}>${t(`count-${name}`)}</label><input class="input num" id=${`count-${name}`} name=${name} type="number" inputmode="numeric" min="0" max="9999" .defaultValue=${String(before[name])}></div>`)}
    <div class="field wide-field"><label for="count-absent">${t("count-absent")}</label><input class="input" id="count-absent" name="absent" maxlength="400" autocomplete="off" .defaultValue=${before.absent}></div>
    <button class="btn primary" type="submit">${t("send-headcount")}</button></div></form>`;
}
