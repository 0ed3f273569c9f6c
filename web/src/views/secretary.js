// The secretary's desk: the draft, the comments on each paragraph, and which of them everyone may see.

/** @import { Comment, Draft, View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import { holdComment, publishComment, withdrawComment } from "../actions/comments.js";
import { wordChanges } from "../state/changes.js";
import { countByParagraph, draftAtHand, draftOf } from "../state/comments.js";
import { siteCall } from "../state/sites.js";
import { shortTime } from "../time.js";
import { composer, paragraphs } from "./drafts.js";
import { later } from "./later.js";
import { dialog, fittingName, html, icon, mark, nothing, numbered, rich, soundToggle, statusLine, t, topbar, turnMark } from "./pieces.js";

/** @param {App} app */
export const title = (app) => `${app.ui.paragraph === null ? "" : `${t("title-paragraph", { n: app.ui.paragraph })} · `}${t("page-secretary")} · diemcau`;

/** @param {App} app */
export const said = (app) => {
  const turn = app.view?.floor.turn;
  return turn && app.view ? t("title-speaking", { site: siteCall(app.view, turn.site) }) : t("nobody-speaks");
};

/** @param {Ctx} ctx */
export const keys = (ctx) => ({ Escape: ctx.app.ui.chip === null ? undefined : () => ctx.ui({ chip: null }) });

/** One site, looked at, and the prompts. @param {Ctx} ctx */
const strip = (ctx) => later(ctx, "site-strip", () => import("./site-strip.js"));

/** @param {Ctx} ctx */
export function view(ctx) {
  const view = /** @type {View} */ (ctx.app.view);
  const draft = draftOf(view, ctx.app.ui.draft) ?? draftAtHand(view);
  const mayPresent = ctx.app.me?.carries !== "nothing";
  const bar = topbar(ctx, t("page-secretary"), view.fixed.title, html`${places(ctx)}${mayPresent ? later(ctx, "presenting", () => import("./presenting.js"))?.presentButton(ctx, view) ?? nothing : nothing}${ctx.app.me?.carries === "nothing" ? nothing : soundToggle(ctx)}`);
  if (ctx.app.ui.panel === "list") return html`${bar}<main class="secretary beside">${later(ctx, "chair", () => import("./chair/list.js"))?.listZone(ctx, view) ?? nothing}
    <section class="zone hall-zone">${later(ctx, "hall", () => import("./hall.js"))?.hallPanel(ctx, view, statusLine(ctx)) ?? nothing}</section></main>`;
  if (ctx.app.ui.panel === "roll") return html`${bar}<main class="secretary beside"><section class="zone">${later(ctx, "roll", () => import("./roll.js"))?.sheet(ctx, view, false) ?? nothing}${statusLine(ctx)}</section></main>`;
  if (!draft) return html`${bar}<main class="secretary none"><p class="empty">${t("no-drafts")}</p></main>`;
  const of = view.feed.filter((comment) => comment.words.at.draft === draft.id);
  const shown = of.filter((comment) => ctx.app.ui.paragraph === null || comment.words.at.paragraph === ctx.app.ui.paragraph)
    .filter((comment) => ctx.app.ui.filter !== "held" || comment.held).filter((comment) => ctx.app.ui.filter !== "proposed" || comment.words.proposed !== "");
  return html`${bar}
  <main class="secretary">
    ${outline(ctx, view, draft)}
    <section class="zone draft" aria-labelledby="h-draft"><div class="zone-head"><h2 id="h-draft">${draft.title}</h2><span class="faint">${ctx.app.ui.paragraph === null ? t("paragraphs-count", { n: draft.paragraphs.length }) : t("paragraph-of", { n: ctx.app.ui.paragraph, of: draft.paragraphs.length })}</span></div>
      ${paragraphs(ctx, view, draft)}</section>
    <section class="zone capture" aria-label=${t("comments")}>
      ${nowSpeaking(ctx, view)}
      ${ctx.app.me?.site == null ? nothing : composer(ctx, draft, true)}
      <div class="got-bar"><h2>${ctx.app.ui.paragraph === null ? t("comments-of-draft", { n: of.length }) : t("comments-of-paragraph", { n: ctx.app.ui.paragraph, count: shown.length })}</h2>
        <fieldset class="choices"><legend class="vh">${t("show")}</legend>${["all", "held", "proposed"].map((filter) => html`<label><input type="radio" name="filter" .checked=${ctx.app.ui.filter === filter} @change=${() => ctx.ui({ filter })}>${t(`filter-${filter}`)}</label>`)}</fieldset></div>
      ${shown.length === 0 ? html`<p class="empty">${t("no-comments")}</p>` : html`<ul class="got">${shown.slice().reverse().map((comment) => row(ctx, view, comment))}</ul>`}
      ${statusLine(ctx)}
    </section>
    ${comparison(ctx, view, draft)}
    ${strip(ctx)?.siteStrip(ctx, view) ?? nothing}
  </main>${dialogs(ctx, view)}`;
}

/** Beside the drafts: the list, where the secretary stages who is called next, and the attendance sheet. @param {Ctx} ctx */
function places(ctx) {
  const one = (/** @type {string} */ panel, /** @type {string} */ words) => html`<button class="btn small on-bar" type="button" aria-pressed=${ctx.app.ui.panel === panel} @click=${() => ctx.ui({ panel })}>${words}</button>`;
  return html`<nav class="places-bar" aria-label=${t("show")}>${one("", t("drafts"))}${one("list", t("speakers-list"))}${one("roll", t("roll-call"))}</nav>`;
}

/** @param {Ctx} ctx @param {View} view @param {Draft} draft */
function outline(ctx, view, draft) {
  const counts = countByParagraph(view.feed, draft.id);
  const inDraft = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const pick = (/** @type {number} */ n) => {
    ctx.ui({ draft: draft.id, paragraph: n, comment: null });
    document.getElementById(`p${n}`)?.scrollIntoView({ block: "center" });
  };
  return html`<nav class="zone outline" aria-label=${t("outline")}><div class="zone-head"><h2>${t("drafts")}</h2><span class="faint">${t("comments-count", { n: view.feed.length })}</span></div>
    <ul class="draft-list">${view.fixed.drafts.map((each) => html`<li><button type="button" aria-pressed=${each === draft} @click=${() => ctx.ui({ draft: each.id, paragraph: null, comment: null })}><span>${each.title}</span><i>${view.feed.filter((comment) => comment.words.at.draft === each.id).length}</i></button></li>`)}</ul>
    <ol><li class="all ${ctx.app.ui.paragraph === null ? "cur" : ""}"><button type="button" @click=${() => ctx.ui({ paragraph: null, comment: null })}><b></b><span>${t("whole-draft")}</span><i>${inDraft}</i></button></li>
    ${draft.paragraphs.map((each, place) => {
      const n = place + 1;
      const count = counts.get(n) ?? 0;
      return html`<li class="${each.heading ? "sec" : ""} ${ctx.app.ui.paragraph === n ? "cur" : ""}"><button type="button" aria-current=${ctx.app.ui.paragraph === n} @click=${() => pick(n)}><b>${each.heading ? each.label : n}</b><span>${opening(each.text)}</span>${count ? html`<i>${count}<span class="vh"> ${t("comments")}</span></i>` : nothing}</button></li>`;
    })}</ol></nav>`;
}

/** The first words of a paragraph. @param {string} text */
const opening = (text) => (text.length <= 44 ? text : `${text.slice(0, text.lastIndexOf(" ", 42))}…`);

/** Who speaks, with a word in private, and what sites have said. @param {Ctx} ctx @param {View} view */
function nowSpeaking(ctx, view) {
  const { turn } = view.floor;
  return html`<div class="now-speaking"><div>${turnMark(view)}${turn ? html`<p><b>${fittingName(view, turn.site, 40)}</b><small>${turn.words.delegate}</small></p>` : nothing}${view.agenda.on_break ? html`<p>${later(ctx, "break", () => import("./break.js"))?.breakLine(view)}</p>` : nothing}</div>${turn ? html`<turn-time class="num" .turn=${turn}></turn-time><button class="btn small" type="button" aria-expanded=${ctx.app.ui.chip === turn.site} @click=${() => ctx.ui({ chip: ctx.app.ui.chip === turn.site ? null : turn.site })}>${t("look-and-prompt")}</button>` : nothing}</div>${strip(ctx)?.asked(ctx, view) ?? nothing}`;
}

/** @param {Ctx} ctx @param {View} view @param {Comment} comment */
function row(ctx, view, comment) {
  const picked = ctx.app.ui.comment === comment.id;
  const proposed = comment.words.proposed !== "";
  return html`<li class="${comment.held ? "is-held" : ""} ${picked ? "is-picked" : ""}"><p class="m"><span class="num">${shortTime(comment.at)}</span><b>${siteCall(view, comment.site)}</b>${comment.words.delegate === "" ? nothing : html`<span>${comment.words.delegate}</span>`}
      <span class="kind">${ctx.app.ui.paragraph === null ? `${t("paragraph-n", { n: comment.words.at.paragraph })} · ` : ""}${t(`kind-${comment.kind}`)}</span></p>
    <p>${numbered(comment.words.text)}</p>${proposed ? html`<p class="proposed">${rich("proposed-as", { text: comment.words.proposed })}</p>` : nothing}
    <p class="row-acts">${comment.held ? mark("held", "pause", t("comment-held")) : mark("ready", "check", t("comment-public"))}
      ${comment.held
        ? html`<button class="btn small" type="button" @click=${() => publishComment(ctx.ask, comment.id)}>${t("publish")}</button>`
        : html`<button class="btn small" type="button" @click=${() => holdComment(ctx.ask, comment.id)}>${t("hold")}</button>`}
      <button class="btn small" type="button" @click=${() => ctx.ui({ confirm: { what: "withdraw", id: comment.id } })}>${t("withdraw-comment")}</button>
      ${proposed ? html`<button class="btn small compare" type="button" aria-pressed=${picked} @click=${() => ctx.ui({ comment: picked ? null : comment.id, paragraph: comment.words.at.paragraph })}>${t("compare")}</button>` : nothing}</p>
    ${picked ? html`<p class="changes inline">${changes(view, comment)}</p>` : nothing}</li>`;
}

/** @param {View} view @param {Comment} comment */
function changes(view, comment) {
  const text = draftOf(view, comment.words.at.draft)?.paragraphs[comment.words.at.paragraph - 1]?.text ?? "";
  return wordChanges(text, comment.words.proposed).map((piece) => (piece.how === "gone" ? html`<del>${piece.text}</del>` : piece.how === "new" ? html`<ins>${piece.text}</ins>` : piece.text));
}

/** @param {Ctx} ctx @param {View} view @param {Draft} draft */
function comparison(ctx, view, draft) {
  const comment = view.feed.find((each) => each.id === ctx.app.ui.comment);
  return html`<section class="zone diff" aria-labelledby="h-diff"><div class="zone-head"><h2 id="h-diff">${t("against-draft")}</h2><span class="faint">${comment ? t("paragraph-n", { n: comment.words.at.paragraph }) : draft.short}</span></div>
    ${comment ? html`<div class="in"><p class="changes">${changes(view, comment)}</p><p class="lab">${rich("changes-legend")}</p><p class="lab">${icon("pen")} ${siteCall(view, comment.site)} · ${t(`kind-${comment.kind}`)}</p></div>` : html`<p class="empty">${t("pick-to-compare")}</p>`}</section>`;
}

/** @param {Ctx} ctx @param {View} view */
function dialogs(ctx, view) {
  const { confirm } = ctx.app.ui;
  const comment = confirm?.what === "withdraw" ? view.feed.find((each) => each.id === confirm.id) : undefined;
  if (!comment) return nothing;
  return dialog(ctx, { title: t("withdraw-comment-title", { site: siteCall(view, comment.site) }), text: t("withdraw-comment-text"), stay: t("keep-comment"), go: t("withdraw-comment"), act: () => withdrawComment(ctx.ask, comment.id) });
}
