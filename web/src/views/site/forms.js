// What a site fills in: the request for the floor, and who is present. Fetched right after the desk is there.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { requestFloor } from "../../actions/floor.js";
import { forget, keep } from "../../elements/keep.js";
import { currentItem } from "../../state/agenda.js";
import { NAME_MAX_CHARS, TOPIC_MAX_CHARS, draftAtHand } from "../../state/comments.js";
import { siteCall } from "../../state/sites.js";
import { html, nothing, t } from "../pieces.js";

export { agendaZone } from "../agenda.js";
export { listZone, ownRequests, withdrawDialog } from "./list.js";
export { called, headcountForm } from "./roll.js";

const SPEECHES = /** @type {const} */ (["contribution", "paper", "reply", "question", "response", "point_of_order"]);
const ORDER = /** @type {const} */ (["point_of_order"]);

/** Kinds that hang under a speech. */
const UNDER = ["reply", "question", "response"];

/** Whether this item has had a speech: the one that has the floor, else one that is over. @param {View} view */
const hasSpeech = (view) => view.floor.turn !== null || view.floor.used.some((used) => used.item === view.agenda.current && used.turns > 0);

/** Under which speech a reply would hang, or why none can; with the list closed, what is still taken. @param {View} view */
function hint(view) {
  const { turn, open } = view.floor;
  if (!open) return t("only-order");
  if (turn) return t("under-speech", { site: siteCall(view, turn.site) });
  return t(hasSpeech(view) ? "under-last" : "under-none");
}

/** @param {Ctx} ctx @param {View} view */
export function askForm(ctx, view) {
  const rules = currentItem(view.agenda)?.turns;
  const sending = ctx.app.pending.some(({ command }) => command.type === "request_floor");
  // What is being filled in stays what it is when the list opens or closes meanwhile: then the server's answer says why.
  const order = ctx.app.ui.asking === "order";
  const speeches = order ? ORDER : SPEECHES;
  const text = (/** @type {string} */ name, /** @type {string} */ label, most = NAME_MAX_CHARS, first = false) => html`<div class="field"><label for=${name}>${label}</label>
    <input class="input" id=${name} name=${name} maxlength=${most} autocomplete="off" ?autofocus=${first} placeholder=${first ? t("delegate-hint") : nothing} ${keep(name)}></div>`;
  return html`<form class="ask zone" @submit=${(/** @type {SubmitEvent} */ event) => send(ctx, view, event)} aria-labelledby="h-ask">
    <div class="zone-head"><h2 id="h-ask">${t(order ? "speech-point_of_order" : "request-floor")}</h2><button class="btn small" type="button" @click=${() => ctx.ui({ asking: "" })}>${t("cancel")}</button></div>
    <div class="ask-body">
      <fieldset class="choices" aria-describedby="ask-hint"><legend class="vh">${t("speech-type")}</legend>${speeches.map((speech, place) => html`<label><input type="radio" name="speech" value=${speech} ?checked=${place === 0} ?disabled=${UNDER.includes(speech) && !hasSpeech(view)}>${t(`speech-${speech}`)}</label>`)}</fieldset>
      <p class="ask-hint" id="ask-hint">${hint(view)}</p>
      <div class="ask-two">${text("delegate", t("delegate"), NAME_MAX_CHARS, true)}${text("title", t("delegate-title"))}</div>
      ${text("topic", t("topic"), TOPIC_MAX_CHARS)}
      <div class="ask-row">${place(ctx, view)}
        <div class="field narrow"><label for="minutes">${t("minutes-asked")}</label><input class="input num" id="minutes" name="minutes" type="number" inputmode="numeric" min="1" max=${rules?.minutes ?? 120} placeholder=${rules?.minutes ?? ""}></div>
        <button class="btn primary" type="submit" ?disabled=${sending}>${t(sending ? "being-sent-now" : "send-request")}</button></div>
    </div></form>`;
}

/** On which draft and paragraph. @param {Ctx} ctx @param {View} view */
function place(ctx, view) {
  const { drafts } = view.fixed;
  if (drafts.length === 0) return nothing;
  const chosen = drafts.find((each) => each.id === ctx.app.ui.draft) ?? null;
  const choose = (/** @type {Event} */ event) => ctx.ui({ draft: Number(/** @type {HTMLSelectElement} */ (event.target).value) || null });
  return html`<div class="field"><label for="ask-draft">${t("draft-optional")}</label><select class="select" id="ask-draft" @change=${choose}>
      <option value="" ?selected=${chosen === null}>${t("no-paragraph")}</option>${drafts.map((each) => html`<option value=${each.id} ?selected=${each === chosen}>${each.short}${each === draftAtHand(view) ? " •" : ""}</option>`)}</select></div>
    <div class="field narrow"><label for="paragraph">${t("paragraph")}</label><input class="input num" id="paragraph" name="paragraph" type="number" inputmode="numeric" min="1" max=${chosen?.paragraphs.length ?? 1} ?disabled=${!chosen}></div>`;
}

/** The form stays until the server has taken it: what it refuses can be mended and sent again. @param {Ctx} ctx @param {View} view @param {SubmitEvent} event */
function send(ctx, view, event) {
  event.preventDefault();
  const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
  const text = (/** @type {string} */ name) => String(data.get(name) ?? "");
  const paragraph = Number(text("paragraph"));
  const draft = view.fixed.drafts.find((each) => each.id === ctx.app.ui.draft);
  requestFloor(ctx.ask, {
    speech: SPEECHES.find((speech) => speech === text("speech")) ?? "contribution", delegate: text("delegate"), title: text("title"), topic: text("topic"),
    minutes: Number(text("minutes")) || null,
    paragraph: draft && paragraph > 0 ? { draft: draft.id, paragraph } : null,
  });
  // The next request is another delegate's; the fields on the screen keep their words until the answer is there.
  ["delegate", "title", "topic"].forEach(forget);
  ctx.ui({ endSeen: view.floor.last?.turn ?? null });
}
