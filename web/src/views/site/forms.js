// What a site fills in: the request for the floor, and who is present. Fetched right after the desk is there.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { requestFloor } from "../../actions/floor.js";
import { setHeadcount } from "../../actions/roll.js";
import { forget, keep } from "../../elements/keep.js";
import { currentItem } from "../../state/agenda.js";
import { NAME_MAX_CHARS, TOPIC_MAX_CHARS, draftAtHand } from "../../state/comments.js";
import { callName, site } from "../../state/sites.js";
import { html, icon, isHeard, mark, nothing, statusLine, t } from "../pieces.js";

const SPEECHES = /** @type {const} */ (["contribution", "paper", "reply", "question", "response", "point_of_order"]);

/** Kinds that hang under a speech. */
const UNDER = ["reply", "question", "response"];

/** What may be asked for now: with the list closed only a point of order, without a speech no reply. @param {View} view */
function speechesNow(view) {
  if (!view.floor.open) return SPEECHES.filter((speech) => speech === "point_of_order");
  const speech = view.floor.turn !== null || view.floor.used.some((used) => used.item === view.agenda.current);
  return SPEECHES.filter((kind) => speech || !UNDER.includes(kind));
}

/** @param {Ctx} ctx @param {View} view */
export function askForm(ctx, view) {
  const draft = draftAtHand(view);
  const drafts = view.fixed.drafts;
  const rules = currentItem(view.agenda)?.turns;
  const chosen = drafts.find((each) => each.id === ctx.app.ui.draft) ?? null;
  const send = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const text = (/** @type {string} */ name) => String(data.get(name) ?? "");
    const paragraph = Number(text("paragraph"));
    requestFloor(ctx.ask, {
      speech: SPEECHES.find((speech) => speech === text("speech")) ?? "contribution", delegate: text("delegate"), title: text("title"), topic: text("topic"),
      minutes: Number(text("minutes")) || null,
      paragraph: chosen && paragraph > 0 ? { draft: chosen.id, paragraph } : null,
    });
    // The form stays until the server has taken it: what it refuses can be mended and sent again.
    forget("topic");
    ctx.ui({ endSeen: view.floor.last?.turn ?? null });
  };
  return html`<form class="ask zone" @submit=${send} aria-labelledby="h-ask">
    <div class="zone-head"><h2 id="h-ask">${t("request-floor")}</h2><button class="btn small" type="button" @click=${() => ctx.ui({ asking: false })}>${t("cancel")}</button></div>
    <div class="ask-body">
      <fieldset class="choices"><legend class="vh">${t("speech-type")}</legend>${speechesNow(view).map((speech, place) => html`<label><input type="radio" name="speech" value=${speech} ?checked=${place === 0}>${t(`speech-${speech}`)}</label>`)}</fieldset>
      <div class="field"><label for="delegate">${t("delegate")}</label><input class="input" id="delegate" name="delegate" maxlength=${NAME_MAX_CHARS} autocomplete="off" autofocus placeholder=${t("delegate-hint")} ${keep("delegate")}></div>
      <div class="field"><label for="title">${t("delegate-title")}</label><input class="input" id="title" name="title" maxlength=${NAME_MAX_CHARS} autocomplete="off" ${keep("title")}></div>
      <div class="field"><label for="topic">${t("topic")}</label><input class="input" id="topic" name="topic" maxlength=${TOPIC_MAX_CHARS} autocomplete="off" ${keep("topic")}></div>
      <div class="ask-row">${drafts.length === 0 ? nothing : html`<div class="field"><label for="ask-draft">${t("draft-optional")}</label><select class="select" id="ask-draft" @change=${(/** @type {Event} */ event) => ctx.ui({ draft: Number(/** @type {HTMLSelectElement} */ (event.target).value) || null })}>
          <option value="" ?selected=${chosen === null}>${t("no-paragraph")}</option>${drafts.map((each) => html`<option value=${each.id} ?selected=${each === chosen}>${each.short}${each === draft ? " •" : ""}</option>`)}</select></div>
        <div class="field narrow"><label for="paragraph">${t("paragraph")}</label><input class="input num" id="paragraph" name="paragraph" type="number" inputmode="numeric" min="1" max=${chosen?.paragraphs.length ?? 1} ?disabled=${!chosen}></div>`}
        <div class="field narrow"><label for="minutes">${t("minutes-asked")}</label><input class="input num" id="minutes" name="minutes" type="number" inputmode="numeric" min="1" max=${rules?.minutes ?? 120} placeholder=${rules?.minutes ?? ""}></div>
        <button class="btn primary" type="submit">${t("send-request")}</button></div>
    </div></form>`;
}

// ---------------------------------------------------------------- điểm danh, quân số

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
