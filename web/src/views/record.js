// What a desk says when something is wrong with the record on disk.

/** @import { Ctx } from "./pieces.js" */

import { html, icon, nothing, t } from "./pieces.js";

/** What is wrong with the record, the worst of it first; what takes no orders cannot be put away. @param {Ctx} ctx */
export function banner(ctx) {
  const { alarms, ui } = ctx.app;
  const alarm = alarms.find((each) => !ui.known.includes(each));
  if (alarm === undefined) return null;
  const stops = alarm === "record_fails" || alarm === "record_full";
  return html`<div class="banner" role="alert">${icon("warn")}<p><b>${t(`alarm-${alarm}`)}</b> ${t(`alarm-${alarm}-do`)}</p>
    ${stops ? nothing : html`<button class="btn small" type="button" @click=${() => ctx.ui({ known: [...ui.known, alarm] })}>${t("record-seen")}</button>`}</div>`;
}
