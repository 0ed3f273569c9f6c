// What a site fills in: the request for the floor, and who is present. Fetched right after the desk is there.

/** @import { SpeechType, View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { rightsOf } from "../../state/kinds.js";
import { figures } from "../../state/sites.js";
import { speechesHere } from "../../state/speeches.js";
import { askFields, sendRequest } from "../ask.js";
import { later } from "../later.js";
import { html, icon, nothing, t } from "../pieces.js";

export { agendaZone } from "../agenda.js";
export { listZone, ownRequests, withdrawDialog } from "./list.js";
export { called, headcountForm } from "./roll.js";
export { summons } from "./summons.js";

/** What a room is offered, the usual first. @type {SpeechType[]} */
const SPEECHES = ["contribution", "paper", "reply", "question", "response", "point_of_order"];

/** Why no reply can be asked for; with the list closed, what is still taken. @param {View} view */
function hint(view) {
  if (!view.floor.open) return t("form-closed");
  return speechesHere(view).length === 0 ? t("under-none") : "";
}

/** @param {Ctx} ctx @param {View} view */
export function askForm(ctx, view) {
  // What is being filled in stays what it is when the list opens or closes meanwhile: then the server's answer says why.
  const order = ctx.app.ui.asking === "order";
  const speeches = order ? SPEECHES.filter((speech) => rightsOf(view, speech)?.though_closed) : SPEECHES;
  return html`<form class="ask zone" @submit=${(/** @type {SubmitEvent} */ event) => send(ctx, view, event)} aria-labelledby="h-ask">
    <div class="zone-head"><h2 id="h-ask">${t(order ? "speech-point_of_order" : "request-floor")}</h2><button class="btn small" type="button" @click=${() => ctx.ui({ asking: "" })}>${t("cancel")}</button></div>
    ${askFields(ctx, view, { speeches, usual: speeches[0] ?? "contribution", hint: hint(view), focus: true })}</form>`;
}

/** What the room's own link makes of it; nothing while all is well. @param {Ctx} ctx @param {View} view */
export function ownLink(ctx, view) {
  const { app } = ctx;
  const own = view.sites.find((each) => each.site === app.me?.site);
  // A phone is told that its room is gone; the room's own machine knows.
  if (own && own.carrier === null && app.me?.carries === "nothing") return html`<p class="notice-strip">${icon("cut")}<b>${t(own.since === null ? "own-room-absent" : "own-room-lost")}</b></p>`;
  // A phone speaks of its room's link; every other machine, standby or not, of its own.
  const step = app.me?.carries === "nothing" ? (figures(app.telemetry, app.me.site ?? -1)?.link?.step ?? "full") : app.media.step;
  return step === "full" ? nothing : html`<p class="notice-strip">${later(ctx, "link", () => import("../link.js"), false)?.weakLink(step, true) ?? nothing}</p>`;
}

/** @param {Ctx} ctx @param {View} view @param {SubmitEvent} event */
function send(ctx, view, event) {
  event.preventDefault();
  sendRequest(ctx, view, /** @type {HTMLFormElement} */ (event.target));
  ctx.ui({ endSeen: view.floor.last?.turn ?? null });
}
