// For those who only see and hear.

/** @import { View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import { draftOf } from "../state/comments.js";
import { siteCall } from "../state/sites.js";
import { shortTime } from "../time.js";
import { agendaZone } from "./agenda.js";
import { html, icon, isHeard, lowerThird, nothing, numbered, rich, soundBlocked, t, topbar } from "./pieces.js";

/** @param {App} app */
export const title = (app) => {
  const turn = app.view?.floor.turn;
  return `${turn && app.view ? `${t("title-speaking", { site: siteCall(app.view, turn.site) })} · ` : ""}${t("page-observer")} · diemcau`;
};

/** @param {App} app */
export const said = (app) => {
  const turn = app.view?.floor.turn;
  return turn && app.view ? t("title-speaking", { site: siteCall(app.view, turn.site) }) : t("nobody-speaks");
};

/** @param {Ctx} ctx */
export function view(ctx) {
  const view = /** @type {View} */ (ctx.app.view);
  const { programme } = view.stage;
  const onlySound = ctx.app.ui.filter === "sound";
  return html`${topbar(ctx, t("page-observer"), view.fixed.title)}
  <main class="observer">
    <section class="left" aria-label=${t("programme")}>
      <figure class="tile pgm ${isHeard(view, programme) ? "is-live" : ""}">
        ${onlySound ? html`<p class="no-picture">${t("only-sound-on")}</p>` : html`<room-picture .slotNumber=${0} .site=${programme} role="img" aria-label=${t("programme-picture", { site: siteCall(view, programme) })}></room-picture>${programme === null ? html`<p class="no-picture">${t("no-programme")}</p>` : nothing}`}</figure>
      ${lowerThird(ctx, view)}
      <div class="tools"><fieldset class="choices"><legend class="vh">${t("picture-or-sound")}</legend>
          <label><input type="radio" name="kind" .checked=${!onlySound} @change=${() => ctx.ui({ filter: "all" })}>${t("picture-and-sound")}</label>
          <label><input type="radio" name="kind" .checked=${onlySound} @change=${() => ctx.ui({ filter: "sound" })}>${t("only-sound")}</label></fieldset>
        <button class="btn" type="button" aria-pressed=${ctx.app.media.sound} @click=${() => ctx.media.listen(!ctx.app.media.sound)}>${icon("speaker")}${t(ctx.app.media.sound ? "sound-on" : "sound-off")}</button>
        <button class="btn" type="button" @click=${fullScreen}>${icon("full")}${t("full-screen")}</button></div>
    </section>
    <div class="right">${agendaZone(view)}${ctx.app.ui.draft === null ? listsZone(ctx, view) : draftZone(ctx, view)}</div>
  </main>${soundBlocked(ctx)}`;
}

function fullScreen() {
  void document.querySelector(".pgm")?.requestFullscreen();
}

/** @param {Ctx} ctx @param {View} view */
function listsZone(ctx, view) {
  const comments = ctx.app.ui.tab === "feed";
  const recent = view.feed.slice(-100).reverse();
  return html`<section class="zone lists"><div class="tabs" role="tablist">
      <button role="tab" type="button" aria-selected=${!comments} @click=${() => ctx.ui({ tab: "" })}>${t("drafts")}</button>
      <button role="tab" type="button" aria-selected=${comments} @click=${() => ctx.ui({ tab: "feed" })}>${t("comments")} <b class="num">${view.feed.length}</b></button></div>
    ${!comments
      ? view.fixed.drafts.length === 0 ? html`<p class="empty">${t("no-drafts")}</p>` : html`<ul class="docs">${view.fixed.drafts.map((draft) => html`<li><button type="button" @click=${() => ctx.ui({ draft: draft.id })}>${icon("doc")}<span>${draft.title}</span><span>${t("paragraphs-count", { n: draft.paragraphs.length })}</span></button></li>`)}</ul>`
      : recent.length === 0 ? html`<p class="empty">${t("no-comments")}</p>` : html`<ul class="feed">${recent.map((comment) => html`<li><p class="m"><span class="num">${shortTime(comment.at)}</span><b>${siteCall(view, comment.site)}</b><span>${t(`kind-${comment.kind}`)}</span></p>
          <p class="where">${t("draft-paragraph", { draft: draftOf(view, comment.words.at.draft)?.short ?? "", n: comment.words.at.paragraph })}</p><p>${numbered(comment.words.text)}</p>
          ${comment.words.proposed === "" ? nothing : html`<p class="proposed">${rich("proposed-as", { text: comment.words.proposed })}</p>`}</li>`)}</ul>`}</section>`;
}

/** @param {Ctx} ctx @param {View} view */
function draftZone(ctx, view) {
  const draft = draftOf(view, ctx.app.ui.draft);
  return html`<section class="zone lists"><div class="zone-head"><h2>${draft?.title}</h2><button class="btn small" type="button" @click=${() => ctx.ui({ draft: null })}>${t("back")}</button></div>
    <div class="reading" tabindex="0">${draft?.paragraphs.map((each) => html`<p class=${each.heading ? "head" : ""}>${each.label === "" ? nothing : html`<b>${each.label}</b> `}${numbered(each.text)}</p>`)}</div></section>`;
}
