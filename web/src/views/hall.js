// Who speaks in the hall: chair, deputy and secretary register it, and take it back. Fetched when it is first opened.

/** @import { RequestWords, SpeechType, View } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { withdrawRequest } from "../actions/floor.js";
import { tidy } from "../actions/words.js";
import { currentItem } from "../state/agenda.js";
import { hall } from "../state/sites.js";
import { speechesHere } from "../state/speeches.js";
import { addTexts } from "../text.js";
import { askFields, sendRequest } from "./ask.js";
import { addStyle } from "./later.js";
import { aboutWords, dialog, html, icon, nothing, subject, t } from "./pieces.js";
import { person } from "./site/person.js";

// The fields are a site's form, with its words and its look.
await Promise.all([addTexts("forms"), addStyle("forms")]);

/** @type {SpeechType[]} */
const SPEECHES = ["contribution", "directing", "conclusion", "paper", "reply", "response", "question", "point_of_order"];

/** What the form was emptied after. @type {RequestWords | null} */
let emptied = null;

/** @param {Ctx} ctx @param {View} view @param {unknown} close */
export function hallPanel(ctx, view, close) {
  // Opened by a button of the desk, it is there to be typed into.
  if (ctx.app.page === "chair" && !document.getElementById("hall-form")) queueMicrotask(() => document.getElementById("delegate")?.focus());
  settle(ctx);
  return html`<div class="zone-head"><h2 id="h-hall">${t("hall-title")}</h2><span class="faint">${hall(view)?.name}</span>${close}</div>
    <form class="ask" id="hall-form" aria-labelledby="h-hall" @submit=${(/** @type {SubmitEvent} */ event) => send(ctx, view, event)}>${askFields(ctx, view, { speeches: SPEECHES, usual: usual(view), hint: hint(view), focus: false })}</form>
    ${waiting(ctx, view)}${withdrawDialog(ctx, view)}`;
}

/** What is mostly said in the hall in such an item. @param {View} view @returns {SpeechType} */
function usual(view) {
  switch (currentItem(view.agenda)?.kind) {
    case "directing": return "directing";
    case "closing": return "conclusion";
    default: return "contribution";
  }
}

/** @param {View} view */
function hint(view) {
  if (view.agenda.current === null) return t("hall-no-item");
  if (!view.floor.open) return t("hall-closed");
  return speechesHere(view).length === 0 ? t("under-none") : "";
}

/** @param {Ctx} ctx @param {View} view @param {SubmitEvent} event */
function send(ctx, view, event) {
  event.preventDefault();
  sendRequest(ctx, view, /** @type {HTMLFormElement} */ (event.target));
}

/** Once the server has taken it, the form is empty for the next speaker; what it refused stays to be mended. @param {Ctx} ctx */
function settle(ctx) {
  const { taken } = ctx.app.ui;
  if (taken === emptied) return;
  emptied = taken;
  if (taken) queueMicrotask(() => empty(ctx, taken));
}

/** What was typed since for the next speaker stays. @param {Ctx} ctx @param {RequestWords} taken */
function empty(ctx, taken) {
  const form = /** @type {HTMLFormElement | null} */ (document.getElementById("hall-form"));
  if (!form) return;
  ctx.notice(t("hall-done"));
  const said = new FormData(form);
  if (/** @type {const} */ (["delegate", "title", "topic"]).some((name) => tidy(String(said.get(name) ?? "")) !== taken[name])) return;
  // The kind of speech stays: the next one of the hall is mostly of the same.
  for (const field of form.querySelectorAll("input")) if (field.type !== "radio") field.value = "";
  document.getElementById("delegate")?.focus();
}

/** The hall's own requests with the way back. @param {Ctx} ctx @param {View} view */
function waiting(ctx, view) {
  const { queue, pending, kept } = view.floor;
  const own = hall(view)?.id;
  const rows = [
    ...queue.map((request, place) => ({ ...request, place: place + 1, note: aboutWords(view, request) })),
    ...pending.map((request) => ({ ...request, place: 0, note: t("waiting-for-chair") })),
    ...kept.map((request) => ({ ...request, place: 0, note: t("kept-for", { n: request.item }) })),
  ].filter((request) => request.site === own);
  return html`<section class="places hall-places" aria-labelledby="h-hall-places"><h3 id="h-hall-places">${t("hall-waiting", { n: rows.length })}</h3>
    <ol>${rows.map(({ turn, words, place, note }) => html`<li><b class="num">${place || "–"}</b><span>${speaker(words)}<small>${[t(`speech-${words.speech}`), subject(view, words), note].filter((part) => part !== "").join(" · ")}</small></span>
      <span class="why"><button class="btn small" type="button" aria-label=${t("hall-withdraw-of", { text: speaker(words) })} @click=${() => ctx.ui({ confirm: { what: "withdraw-hall", id: turn } })}>${icon("x")}${t("withdraw")}</button></span></li>`)}</ol></section>`;
}

/** @param {RequestWords} words */
const speaker = (words) => person(words) || t(`speech-${words.speech}`);

/** @param {Ctx} ctx @param {View} view */
function withdrawDialog(ctx, view) {
  const { confirm } = ctx.app.ui;
  const request = [...view.floor.queue, ...view.floor.pending, ...view.floor.kept].find((each) => each.turn === confirm?.id);
  if (confirm?.what !== "withdraw-hall" || !request) return nothing;
  return dialog(ctx, { title: t("withdraw-title"), text: t("withdraw-text", { text: speaker(request.words) }), stay: t("withdraw-stay"), go: t("withdraw"), act: () => withdrawRequest(ctx.ask, request.turn) });
}
