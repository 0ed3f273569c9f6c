// The drafts at a site's desk: read, pick a paragraph, say what should change.

/** @import { CommentKind, Draft, View } from "../../generated/protocol.ts" */
/** @import { Post } from "../state/unsent.js" */
/** @import { Ctx } from "./pieces.js" */

import { postComment, withdrawComment } from "../actions/comments.js";
import { forget, keep, own, putBack, typed } from "../elements/keep.js";
import { COMMENT_MAX_CHARS, NAME_MAX_CHARS, charsOf, countByParagraph, draftAtHand, draftOf } from "../state/comments.js";
import { notTaken, postsOf } from "../state/unsent.js";
import { number } from "../text.js";
import { shortTime } from "../time.js";
import { html, icon, mark, nothing, numbered, rich, t } from "./pieces.js";

/** @type {CommentKind[]} */
export const KINDS = ["agree", "substance", "wording", "add", "delete", "target", "recommendation"];

const SENT = own("sent");

/** @param {Ctx} ctx @param {View} view */
export function draftsDesk(ctx, view) {
  const draft = draftOf(view, ctx.app.ui.draft) ?? draftAtHand(view);
  if (!draft) return html`<p class="empty">${t("no-drafts")}</p>`;
  return html`<div class="drafts-desk"><section class="zone draft" aria-labelledby="h-draft">
      <div class="zone-head"><label for="draft-choice" class="vh">${t("drafts")}</label><h2 class="vh" id="h-draft">${draft.title}</h2>
        <select class="select small-select" id="draft-choice" @change=${(/** @type {Event} */ event) => ctx.ui({ draft: Number(/** @type {HTMLSelectElement} */ (event.target).value), paragraph: null })}>
          ${view.fixed.drafts.map((each) => html`<option value=${each.id} ?selected=${each === draft}>${each.title}</option>`)}</select></div>
      ${paragraphs(ctx, view, draft)}</section>
    <section class="zone capture" aria-label=${t("comment-on-draft")}>${composer(ctx, draft, false)}${ownComments(ctx, view)}</section></div>`;
}

/** Paragraphs to pick from, each with the number of comments seen so far. @param {Ctx} ctx @param {View} view @param {Draft} draft */
export function paragraphs(ctx, view, draft) {
  const counts = countByParagraph(view.feed, draft.id);
  return html`<div class="sheet" tabindex="0">${draft.paragraphs.map((each, place) => {
    const n = place + 1;
    const count = counts.get(n) ?? 0;
    const current = ctx.app.ui.paragraph === n;
    return html`<button class="para ${each.heading ? "head" : ""} ${current ? "cur" : ""}" id="p${n}" type="button" aria-pressed=${current} @click=${() => ctx.ui({ draft: draft.id, paragraph: n, comment: null })}>
      <span class="n num"><span class="vh">${t("paragraph")} </span>${n}</span><span class="body">${each.label === "" ? nothing : html`${each.label} `}${numbered(each.text)}</span>${count === 0 ? html`<span></span>` : html`<span class="k num">${count}<span class="vh"> ${t("comments")}</span></span>`}</button>`;
  })}</div>`;
}

/** @param {Ctx} ctx @param {Draft} draft @param {boolean} secretary */
export function composer(ctx, draft, secretary) {
  settle(ctx);
  const n = ctx.app.ui.paragraph;
  if (n === null) return html`<div class="compose none"><p class="bound">${icon("pen")}<span>${t("pick-a-paragraph")}</span></p></div>`;
  const send = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const data = new FormData(form);
    const value = (/** @type {string} */ name) => String(data.get(name) ?? "");
    const kind = KINDS.find((each) => each === value("kind")) ?? "wording";
    const text = value("text").trim() === "" && kind === "agree" ? t("kind-agree") : value("text");
    const trouble = text.trim() === "" ? "refusal-text_empty" : charsOf(text) > COMMENT_MAX_CHARS || charsOf(value("proposed")) > COMMENT_MAX_CHARS ? "refusal-text_too_long" : "";
    if (trouble !== "") {
      ctx.notice(t(trouble), true);
      form.querySelector("textarea")?.focus();
      return;
    }
    postComment(ctx.ask, kind, { at: { draft: draft.id, paragraph: n }, text, proposed: value("proposed"), delegate: value("speaker") });
    form.querySelectorAll("textarea").forEach((area) => (area.value = ""));
    ["text", "proposed"].forEach(forget);
    count(form);
    form.querySelector("textarea")?.focus();
  };
  return html`<form class="compose" @submit=${send} @input=${(/** @type {InputEvent} */ event) => count(/** @type {HTMLElement} */ (event.currentTarget))}>
    <p class="bound">${icon("pen")}<span>${rich("comment-for", { n, draft: draft.short })}</span></p>
    <fieldset><legend class="vh">${t("comment-kind")}</legend><div class="choices">${KINDS.map((kind) => html`<label><input type="radio" name="kind" value=${kind} ?checked=${kind === "wording"}>${t(`kind-${kind}`)}</label>`)}</div></fieldset>
    <div class="field"><label class="with-count" for="c-text">${t("comment-text")}<span class="left-chars num" aria-live="off" .textContent=${t("chars-left", { n: number(COMMENT_MAX_CHARS) })}></span></label><textarea class="area" id="c-text" name="text" rows="2" ${keep("text")}></textarea></div>
    <div class="field"><label for="c-proposed">${t("proposed-wording")}</label><textarea class="area" id="c-proposed" name="proposed" rows="2" ${keep("proposed")}></textarea></div>
    <div class="send"><div class="field"><label for="c-speaker">${t("delegate")}</label><input class="input" id="c-speaker" name="speaker" maxlength=${NAME_MAX_CHARS} autocomplete="off" ${keep("speaker")}></div>
      <button class="btn primary" type="submit">${t(secretary ? "save-comment" : "send-comment")}</button></div></form>`;
}

/** What was on its way when it was last looked, also before a reload, behind what was not taken and waits for an empty form. @type {Post[]} */
let before = readSent();

/** What was on its way and was not taken comes back, one after the other; the status line says why. @param {Ctx} ctx */
function settle(ctx) {
  const { pending, view, me } = ctx.app;
  const now = postsOf(pending);
  const back = notTaken(before, now, (view?.feed ?? []).filter((comment) => comment.site === me?.site));
  remember([...back, ...now]);
  const [first] = back;
  if (first) queueMicrotask(() => giveBack(ctx, first));
}

/** @param {Post[]} posts */
function remember(posts) {
  if (posts.map(({ id }) => id).join() !== before.map(({ id }) => id).join()) writeSent(posts);
  before = posts;
}

/** @returns {Post[]} */
function readSent() {
  try {
    return JSON.parse(sessionStorage.getItem(SENT) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {Post[]} posts */
function writeSent(posts) {
  try {
    sessionStorage.setItem(SENT, JSON.stringify(posts));
  } catch (error) {
    // A full storage costs a reload what was refused meanwhile; the desk is drawn all the same.
    console.warn("comments on their way cannot be kept", error);
  }
}

/** Into the form, of the paragraph it was about; where something else is being typed it waits. @param {Ctx} ctx @param {Post} post */
function giveBack(ctx, { id, words: { at, text, proposed, delegate } }) {
  if (typed("text") + typed("proposed") !== "") return;
  putBack("text", text);
  putBack("proposed", proposed);
  putBack("speaker", delegate);
  remember(before.filter((post) => post.id !== id));
  ctx.ui(at);
  const form = /** @type {HTMLElement | null} */ (document.querySelector("form.compose"));
  if (form) count(form);
}

/** The counter is written beside the field, without drawing the desk at every key. @param {HTMLElement} form */
function count(form) {
  const longest = Math.max(0, ...[...form.querySelectorAll("textarea")].map((area) => charsOf(area.value)));
  const left = COMMENT_MAX_CHARS - longest;
  const line = form.querySelector(".left-chars");
  if (!line) return;
  line.textContent = t("chars-left", { n: number(left) });
  line.classList.toggle("alarming", left < 0);
}

/** Own comments with what became of them; those still on their way first. @param {Ctx} ctx @param {View} view */
function ownComments(ctx, view) {
  const onTheWay = ctx.app.pending.flatMap(({ id, command }) => (command.type === "post_comment" ? [{ id, command }] : []));
  const own = view.feed.filter((comment) => comment.site === ctx.app.me?.site).reverse();
  const where = (/** @type {{ draft: number, paragraph: number }} */ at) => t("draft-paragraph", { draft: draftOf(view, at.draft)?.short ?? "", n: at.paragraph });
  if (onTheWay.length + own.length === 0) return html`<p class="empty">${t("no-own-comments")}</p>`;
  return html`<h3 class="got-head">${t("own-comments", { n: onTheWay.length + own.length })}</h3><ul class="got">
    ${onTheWay.map(({ command }) => html`<li class="on-the-way"><p class="m"><b>${where(command.words.at)}</b><span>${t(`kind-${command.kind}`)}</span>${mark("weak", "clock", t(ctx.app.link === "joined" ? "being-sent" : "waiting-for-link"))}</p><p>${command.words.text}</p></li>`)}
    ${own.map((comment) => html`<li><p class="m"><span class="num">${shortTime(comment.at)}</span><b>${where(comment.words.at)}</b><span>${t(`kind-${comment.kind}`)}</span>${comment.held ? mark("held", "pause", t("comment-held")) : mark("ready", "check", t("comment-sent"))}</p>
      <p>${numbered(comment.words.text)}</p>${comment.words.proposed === "" ? nothing : html`<p class="proposed">${rich("proposed-as", { text: comment.words.proposed })}</p>`}
      <p><button class="btn small" type="button" @click=${() => withdrawComment(ctx.ask, comment.id)}>${t("withdraw-comment")}</button></p></li>`)}</ul>`;
}
