// The wall's other scenes: a paragraph, the waiting picture, a notice, the roll call.

/** @import { View } from "../../../generated/protocol.ts" */

import { currentItem, nextItem } from "../../state/agenda.js";
import { draftOf } from "../../state/comments.js";
import { fits } from "../../elements/fits.js";
import { linkedCount, siteCall, siteName } from "../../state/sites.js";
import { number } from "../../text.js";
import { dateText, serverNow } from "../../time.js";
import { breakLeft, breakWhen } from "../break.js";
import { quorumMark } from "../quorum.js";
import { html, icon, isHeard, mark, nothing, numbered, programmePicture, shared, t, turnMark } from "../pieces.js";

/** The paragraph under discussion, large, with the speaker beside it. @param {View} view */
export function documentScene(view) {
  const { paragraph: at, lower_third: third, programme } = view.stage;
  const draft = at && draftOf(view, at.draft);
  const { turn } = view.floor;
  const { presentation } = view.stage;
  return html`<main class="scene document">${presentation ? html`<figure class="presented"><p class="no-picture">${t("presentation-awaited")}</p>${shared(view)}<figcaption>${icon("doc")}${t("presented", { label: presentation.by })}</figcaption></figure>` : html`
    <article class=${textSize(draft?.paragraphs[(at?.paragraph ?? 1) - 1]?.text ?? "")}><h2>${draft ? numbered(draft.title) : view.fixed.title}</h2>${draft && at ? paragraphs(draft.paragraphs, at.paragraph) : html`<p class="empty">${t("no-paragraph-shown")}</p>`}</article>`}
    <aside>${programmePicture(view, programme)}
      <div class="who-speaks">${turn ? turnMark(view) : nothing}<p class="who">${third?.delegate || (programme === null ? "" : siteName(view, programme))}</p><p class="from">${third ? [third.title, third.delegate === "" ? "" : siteName(view, third.site)].filter((part) => part !== "").join(" · ") : ""}</p></div>
      ${turn ? html`<turn-clock .turn=${turn}></turn-clock>` : html`<div class="clock"><wall-clock short class="digits"></wall-clock></div>`}</aside></main>`;
}

/** A long paragraph is set smaller, so that it is read as a whole. @param {string} text */
const textSize = (text) => (text.length > 420 ? "long" : text.length > 220 ? "medium" : "short");

/** The heading it stands under, the one before and the one after, faint. @param {{ label: string, heading: boolean, text: string }[]} all @param {number} at */
function paragraphs(all, at) {
  const heading = all.slice(0, at - 1).findLast((each) => each.heading);
  const line = (/** @type {{ label: string, text: string } | undefined} */ each, /** @type {string} */ kind) => (each ? html`<p class=${kind}><b>${each.label}</b> ${each.text}</p>` : nothing);
  const own = all[at - 1];
  const before = all[at - 2];
  return html`${own?.heading ? nothing : line(heading, "under-heading")}${before === heading ? nothing : line(before, "faint")}
    <p class="shown"><b class="num">${t("title-paragraph", { n: at })}${own && own.label !== "" ? ` · ${own.label}` : ""}</b> ${own?.text ?? ""}</p>${line(all[at], "faint")}`;
}

/** Before it begins, and in a break. @param {View} view */
export function waitingScene(view) {
  const item = currentItem(view.agenda);
  const next = nextItem(view.agenda);
  const over = item === null && next === null;
  const { on_break: pause } = view.agenda;
  return html`<main class="waiting" ${fits()}><p class="organizer">${view.fixed.organizer}</p><h2>${view.fixed.title}</h2><wall-clock short class="digits"></wall-clock><p class="date">${dateText(serverNow())}</p>
    <p class="what">${pause ? breakWhen(pause) : over ? t("agenda-done") : item ? item.title : t("begins-soon")}</p>${pause ? html`<p class="what break-wall num">${breakLeft(pause)}</p>` : nothing}
    ${next ? html`<p class="next-item">${t("next-item-is", { n: next.id })}: ${numbered(next.title)}</p>` : nothing}
    <p class="linked num">${t("linked-count", { n: linkedCount(view) })}</p>
    <ul class="linked-sites">${view.fixed.sites.map((each) => html`<li class=${view.sites.some((link) => link.site === each.id && link.carrier !== null) ? "in" : "out"}>${siteCall(view, each.id)}</li>`)}</ul>${speaking(view)}</main>`;
}

/** Somebody speaks though the wall waits: who, and how long. @param {View} view */
function speaking(view) {
  const { turn } = view.floor;
  return turn ? html`<p class="speaks">${turnMark(view)}<b>${siteName(view, turn.site)}</b><turn-time class="num" .turn=${turn}></turn-time></p>` : nothing;
}

/** @param {View} view */
export const noticeScene = (view) => html`<main class="notice" ${fits()}><p class="organizer">${view.fixed.title}</p><h2>${view.stage.notice === "" ? t("layout-notice") : view.stage.notice}</h2>${speaking(view)}</main>`;

/** The called site, large, with the fixed call and answer. @param {View} view @param {number} called */
export function rollScene(view, called) {
  const { attendance } = view;
  const line = attendance.sites.find((each) => each.site === called);
  const done = attendance.sites.filter((each) => each.how !== null).length;
  return html`<main class="scene roll">${programmePicture(view, called)}
    <aside><p class="lead">${t("roll-wall")} <span class="num">${t("roll-of", { n: Math.min(done + 1, attendance.sites.length), of: attendance.sites.length })}</span></p>
      ${isHeard(view, called) ? mark("live", "mic", t("microphone-open")) : nothing}<h2 class=${[...siteName(view, called)].length > 40 ? "long" : ""}>${siteName(view, called)}</h2><p class="say">${t("roll-call-wall", { site: siteCall(view, called) })}</p><p class="say answer">${t("roll-answer-words", { site: siteCall(view, called) })}</p>
      <p class="count num">${line?.headcount ? t("roll-count-wall", { n: number(line.headcount.present + line.headcount.online), of: number(line.headcount.summoned) }) : t("roll-no-count-wall")}</p>
      <p class="sum num">${t("roll-sum-wall", { n: number(attendance.present + attendance.online), of: number(attendance.summoned) })}</p>${attendance.quorum ? html`<p class="sum">${quorumMark(attendance.quorum)}</p>` : nothing}</aside>
    <ul class="results">${attendance.sites.map((each) => html`<li class=${each.site === called ? "now" : each.how ?? "not"}>${siteCall(view, each.site)}<small>${each.site === called ? t("roll-now-wall") : each.how === null ? "" : t(`call-${each.how}`)}</small></li>`)}</ul></main>`;
}
