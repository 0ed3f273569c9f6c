// The words of a request for the floor: who, as what kind of speech, on what. A site fills them in for its room, a desk for
// who speaks in the hall.

/** @import { RequestWords, Speech, SpeechType, Turn, View } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { repeat } from "../../vendor/repeat.js";
import { requestFloor } from "../actions/floor.js";
import { tidy } from "../actions/words.js";
import { forget, keep, typed } from "../elements/keep.js";
import { currentItem } from "../state/agenda.js";
import { NAME_MAX_CHARS, TOPIC_MAX_CHARS, draftAtHand } from "../state/comments.js";
import { rightsOf } from "../state/kinds.js";
import { siteCall } from "../state/sites.js";
import { speechesHere } from "../state/speeches.js";
import { shortTime } from "../time.js";
import { html, nothing, t } from "./pieces.js";

/** @param {Ctx} ctx @param {View} view @param {{ speeches: readonly SpeechType[], usual: SpeechType, hint: string, focus: boolean }} about What may be chosen, what is chosen at first, and whether the form was opened to be typed into. */
export function askFields(ctx, view, { speeches, usual, hint, focus }) {
  const rules = currentItem(view.agenda)?.turns;
  const here = speechesHere(view);
  const sending = ctx.app.pending.some(({ command }) => command.type === "request_floor");
  const isUnder = (/** @type {SpeechType} */ speech) => rightsOf(view, speech)?.under_a_speech === true;
  return html`<div class="ask-body">
    <fieldset class="choices" aria-describedby="ask-hint"><legend class="vh">${t("speech-type")}</legend>${speeches.map((speech) => html`<label><input type="radio" name="speech" class=${isUnder(speech) ? "under" : ""} value=${speech} ?checked=${speech === usual} ?disabled=${isUnder(speech) && here.length === 0}>${t(`speech-${speech}`)}</label>`)}</fieldset>
    <p class="ask-hint" id="ask-hint">${hint}</p>${aboutField(view, here)}
    <div class="ask-two">${textField("delegate", t("delegate"), { hint: t("delegate-hint"), focus })}${textField("title", t("delegate-title"))}</div>
    ${textField("topic", t("topic"), { most: TOPIC_MAX_CHARS })}
    <div class="ask-row">${place(ctx, view)}
      <div class="field narrow"><label for="minutes">${t("minutes-asked")}</label><input class="input num" id="minutes" name="minutes" type="number" inputmode="numeric" min="1" max=${rules?.minutes ?? 120} placeholder=${rules?.minutes ?? ""}></div>
      <button class="btn primary" type="submit" ?disabled=${sending || !rules}>${t(sending ? "being-sent-now" : "send-request")}</button></div></div>`;
}

/** @param {string} name @param {string} label @param {{ most?: number, hint?: string, focus?: boolean }} [more] */
const textField = (name, label, { most = NAME_MAX_CHARS, hint = "", focus = false } = {}) => html`<div class="field"><label for=${name}>${label}</label>
    <input class="input" id=${name} name=${name} maxlength=${most} autocomplete="off" ?autofocus=${focus} placeholder=${hint || nothing} ${keep(name)}></div>`;

/** Which speech a reply, a question or a response is about; shown with such a kind. What was at hand when the form was opened stays chosen. @param {View} view @param {(Speech | Turn)[]} here */
const aboutField = (view, here) => html`<div class="field about"><label for="about">${t("about-which")}</label>
    <select class="select" id="about" name="about">${repeat(here, (one) => one.turn, (one) => html`<option value=${one.turn}>${aboutOption(view, one)}</option>`)}</select></div>`;

/** @param {View} view @param {Speech | Turn} one */
function aboutOption(view, one) {
  const when = "ended" in one ? shortTime(one.started) : t("about-now");
  return [siteCall(view, one.site), one.words.delegate, when].filter((part) => part !== "").join(" · ");
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

/** It is in the list: the next one is another delegate's. What was typed since stays. @param {RequestWords} words */
export function forgetRequest(words) {
  for (const name of /** @type {const} */ (["delegate", "title", "topic"])) if (tidy(typed(name)) === words[name]) forget(name);
}

/** The form stays until the server has taken it: what it refuses can be mended and sent again. @param {Ctx} ctx @param {View} view @param {HTMLFormElement} form @returns {string} The command's id. */
export function sendRequest(ctx, view, form) {
  const data = new FormData(form);
  const text = (/** @type {string} */ name) => String(data.get(name) ?? "");
  const paragraph = Number(text("paragraph"));
  const draft = view.fixed.drafts.find((each) => each.id === ctx.app.ui.draft);
  const speech = view.fixed.kinds.find((kind) => kind.speech === text("speech"))?.speech ?? "contribution";
  return requestFloor(ctx.ask, {
    speech, delegate: text("delegate"), title: text("title"), topic: text("topic"),
    minutes: Number(text("minutes")) || null, item: view.agenda.current,
    paragraph: draft && paragraph > 0 ? { draft: draft.id, paragraph } : null,
    about: rightsOf(view, speech)?.under_a_speech ? Number(text("about")) || null : null,
  });
}
