// The agenda as a list to read, with the running item marked.

/** @import { View } from "../../generated/protocol.ts" */

import { currentItem } from "../state/agenda.js";
import { html, icon, nothing, numbered, t } from "./pieces.js";

/** @param {View} view */
export function agendaZone(view) {
  const current = currentItem(view.agenda);
  return html`<section class="zone" aria-labelledby="h-agenda"><div class="zone-head"><h2 id="h-agenda">${t("agenda")}</h2><span class="faint">${current ? t("at-item", { n: current.id }) : t("no-item")}</span></div>
    <ol class="ag">${view.agenda.items.map((item) => {
      const is = item.id === view.agenda.current ? "now" : item.finished !== null ? "done" : "";
      return html`<li class=${is} aria-current=${is === "now" ? "step" : nothing}><b>${item.id}</b><span>${numbered(item.title)}</span><span class="num">${is === "done" ? html`${icon("check")}<span class="vh">${t("item-done")}</span>` : `${item.minutes}′`}</span></li>`;
    })}</ol></section>`;
}
