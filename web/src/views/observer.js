// For those who only see and hear.

/** @import { View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import { hasBegun } from "../state/agenda.js";
import { draftOf } from "../state/comments.js";
import { nextThree } from "../state/floor.js";
import { linkedCount, siteCall } from "../state/sites.js";
import { number } from "../text.js";
import { shortTime } from "../time.js";
import { agendaZone } from "./agenda.js";
import { later } from "./later.js";
import { html, icon, isHeard, lowerThird, nextList, nothing, numbered, rich, soundBlocked, t, topbar, withShared } from "./pieces.js";
import { quorumMark } from "./quorum.js";

/** @param {App} app */
export const title = (app) => {
  const turn = app.view?.floor.turn;
  return `${turn && app.view ? `${t("title-speaking", { site: siteCall(app.view, turn.site) })} · ` : ""}${t("page-observer")} · diemcau`;
};

/** @param {App} app */
export const said = (app) => {
  const { view } = app;
  if (!view) return "";
  if (view.attendance.calling !== null) return t("title-calling", { site: siteCall(view, view.attendance.calling) });
  return view.floor.turn ? t("title-speaking", { site: siteCall(view, view.floor.turn.site) }) : t("nobody-speaks");
};

/** @param {Ctx} ctx */
export function view(ctx) {
  const view = /** @type {View} */ (ctx.app.view);
  return html`${topbar(ctx, t("page-observer"), view.fixed.title)}
  <main class="observer">
    <section class="left" aria-label=${t("programme")}>
      ${news(ctx, view)}
      ${picture(ctx, view)}
      ${lowerThird(ctx, view)}
      ${tools(ctx)}
    </section>
    <div class="right">${agendaZone(view)}${ctx.app.ui.draft === null ? listsZone(ctx, view) : draftZone(ctx, view)}</div>
  </main>${soundBlocked(ctx)}`;
}

/** The programme; before the first item what is about to begin, so that nobody looks at an empty picture. @param {Ctx} ctx @param {View} view */
function picture(ctx, view) {
  const { programme } = view.stage;
  const heard = isHeard(view, programme);
  if (ctx.app.ui.filter === "sound") return html`<figure class="tile pgm ${heard ? "is-live" : ""}"><p class="no-picture">${t("only-sound-on")}</p></figure>`;
  if (programme === null && !hasBegun(view.agenda) && !view.stage.presentation) return waiting(view);
  return withShared(ctx, view);
}

/** @param {View} view */
function waiting(view) {
  const { starts, title, organizer } = view.fixed;
  return html`<section class="pgm before" aria-labelledby="h-before"><p>${organizer}</p><h2 id="h-before">${title}</h2>
    <p class="when">${starts === null ? t("before-opening") : rich("begins-at", { time: minutesOfDay(starts) })}</p>
    <p>${rich("sites-linked", { n: linkedCount(view), of: view.fixed.sites.length })}</p></section>`;
}

/** @param {number} minutes After midnight. */
const minutesOfDay = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

/** What everybody should know now: the notice on the walls, a break, and where the roll call is. @param {Ctx} ctx @param {View} view */
function news(ctx, view) {
  const { layout, notice } = view.stage;
  const { calling, sites } = view.attendance;
  const told = layout === "notice" && notice !== "" ? html`<p>${icon("doc")}<span><b>${t("layout-notice")}:</b> ${notice}</span></p>` : nothing;
  const called = { n: sites.filter((line) => line.how !== null).length, of: sites.length };
  const roll = calling === null ? nothing : html`<p>${icon("right")}<span>${rich("roll-at", { site: siteCall(view, calling) })} <span class="nb">${t("roll-called", called)}</span></span></p>`;
  const pause = view.agenda.on_break ? html`<p>${later(ctx, "break", () => import("./break.js"))?.breakLine(view)}</p>` : nothing;
  const { step } = ctx.app.media;
  const link = step === "full" ? nothing : html`<p>${later(ctx, "link", () => import("./link.js"), false)?.weakLink(step) ?? nothing}</p>`;
  return html`<div class="news"><div role="status">${told}${roll}${link}</div>${pause}</div>`;
}

/** @param {Ctx} ctx */
function tools(ctx) {
  const onlySound = ctx.app.ui.filter === "sound";
  const { sound } = ctx.app.media;
  return html`<div class="tools"><fieldset class="choices"><legend class="vh">${t("picture-or-sound")}</legend>
      <label><input type="radio" name="kind" .checked=${!onlySound} @change=${() => ctx.ui({ filter: "all" })}>${t("picture-and-sound")}</label>
      <label><input type="radio" name="kind" .checked=${onlySound} @change=${() => ctx.ui({ filter: "sound" })}>${t("only-sound")}</label></fieldset>
    <button class="btn" type="button" aria-pressed=${sound} @click=${() => ctx.media.listen(!sound)}>${icon("speaker")}${t(sound ? "sound-on" : "sound-off")}</button>
    <button class="btn" type="button" @click=${fullScreen}>${icon("full")}${t("full-screen")}</button></div>`;
}

function fullScreen() {
  void document.querySelector(".pgm")?.requestFullscreen();
}

/** @param {Ctx} ctx @param {View} view */
function listsZone(ctx, view) {
  const { tab } = ctx.app.ui;
  const one = (/** @type {string} */ name, /** @type {unknown} */ words) => html`<button role="tab" type="button" aria-selected=${tab === name} @click=${() => ctx.ui({ tab: name })}>${words}</button>`;
  return html`<section class="zone lists"><div class="tabs" role="tablist">${one("", t("now-tab"))}${one("drafts", t("drafts"))}${one("feed", html`${t("comments")} <b class="num">${view.feed.length}</b>`)}</div>
    ${tab === "feed" ? feed(view) : tab === "drafts" ? documents(ctx, view) : now(ctx, view)}</section>`;
}

/** What is being discussed, who is next, who is present; in a roll call who is present comes first. @param {Ctx} ctx @param {View} view */
function now(ctx, view) {
  const calling = view.attendance.calling !== null;
  return html`<div class="now" tabindex="0">${calling ? attendance(view) : nothing}${paragraph(ctx, view)}
    <h3>${t("next-up")}</h3>${nextList(nextThree(view.floor), view)}${calling ? nothing : attendance(view)}</div>`;
}

/** Nothing before anybody was counted, unless the item asks for a quorum. @param {View} view */
function attendance(view) {
  const { calling, summoned, present, online } = view.attendance;
  const there = present + online;
  if (calling === null && there === 0 && view.attendance.quorum === null) return nothing;
  return html`<h3>${t("attendance")}</h3><p class="there"><span>${rich("present-of-sum", { n: number(there), of: number(summoned) })}</span> ${quorumMark(view.attendance.quorum)}</p>`;
}

/** The paragraph under discussion, as the walls show it. @param {Ctx} ctx @param {View} view */
function paragraph(ctx, view) {
  const at = view.stage.paragraph;
  const draft = at && draftOf(view, at.draft);
  const text = at && draft?.paragraphs[at.paragraph - 1];
  if (!at || !draft || !text) return nothing;
  return html`<h3>${t("under-discussion")}</h3><p class="where">${t("draft-paragraph", { draft: draft.short, n: at.paragraph })} <button class="btn small" type="button" @click=${() => ctx.ui({ draft: draft.id })}>${icon("doc")}${t("whole-text")}</button></p>
    <p class="para-now">${text.label === "" ? nothing : html`<b>${text.label}</b> `}${numbered(text.text)}</p>`;
}

/** @param {Ctx} ctx @param {View} view */
function documents(ctx, view) {
  if (view.fixed.drafts.length === 0) return html`<p class="empty">${t("no-drafts")}</p>`;
  return html`<ul class="docs">${view.fixed.drafts.map((draft) => html`<li><button type="button" @click=${() => ctx.ui({ draft: draft.id })}>${icon("doc")}<span>${draft.title}</span><span>${t("paragraphs-count", { n: draft.paragraphs.length })}</span></button></li>`)}</ul>`;
}

/** @param {View} view */
function feed(view) {
  const recent = view.feed.slice(-100).reverse();
  if (recent.length === 0) return html`<p class="empty">${t("no-comments")}</p>`;
  return html`<ul class="feed">${recent.map((comment) => html`<li><p class="m"><span class="num">${shortTime(comment.at)}</span><b>${siteCall(view, comment.site)}</b><span>${t(`kind-${comment.kind}`)}</span></p>
    <p class="where">${t("draft-paragraph", { draft: draftOf(view, comment.words.at.draft)?.short ?? "", n: comment.words.at.paragraph })}</p><p>${numbered(comment.words.text)}</p>
    ${comment.words.proposed === "" ? nothing : html`<p class="proposed">${rich("proposed-as", { text: comment.words.proposed })}</p>`}</li>`)}</ul>`;
}

/** @param {Ctx} ctx @param {View} view */
function draftZone(ctx, view) {
  const draft = draftOf(view, ctx.app.ui.draft);
  return html`<section class="zone lists"><div class="zone-head"><h2>${draft?.title}</h2><button class="btn small" type="button" @click=${() => ctx.ui({ draft: null })}>${t("back")}</button></div>
    <div class="reading" tabindex="0">${draft?.paragraphs.map((each) => html`<p class=${each.heading ? "head" : ""}>${each.label === "" ? nothing : html`<b>${each.label}</b> `}${numbered(each.text)}</p>`)}</div></section>`;
}
