// Màn hình lớn: laid ready, then taken. For the chair's desk and the technician's; loaded when it is first opened.

/** @import { View } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { previewLayout, setCarousel, setBlank, setNotice, setPage, setSpotlight, showParagraph, takePreview } from "../actions/room.js";
import "../elements/scene-preview.js";
import { draftOf } from "../state/comments.js";
import { siteCall } from "../state/sites.js";
import { addTexts } from "../text.js";
import { later } from "./later.js";
import { html, icon, kbd, mark, nothing, onWall, t } from "./pieces.js";
import { scene } from "./stage.js";

// The wall's own words are drawn here in small.
await Promise.all(["stage", "break", "roll", "quorum"].map(addTexts));

const LAYOUTS = /** @type {const} */ (["speaker", "grid", "document", "waiting", "notice"]);
/** How long each site stands, in seconds. */
const CAROUSEL_SECONDS = [10, 15, 30, 60];

/** @param {Ctx} ctx @param {View} view @param {unknown} [close] */
export function screensPanel(ctx, view, close = nothing) {
  const { stage } = view;
  const { preview } = stage;
  const blank = stage.layout === "blank";
  return html`<div class="zone-head"><h2>${t("big-screen")}</h2><span class="faint">${t("on-screen-now", { layout: onWall(stage) })}</span>${close}</div>
    <div class="screens">${small(view)}
      <fieldset class="layouts"><legend>${t("lay-ready")}</legend>${LAYOUTS.map((layout) => html`<button class="btn ${preview === layout ? "pressed" : ""}" type="button" aria-pressed=${preview === layout}
        ?disabled=${stage.layout === layout} @click=${() => previewLayout(ctx.ask, preview === layout ? null : layout)}>${t(`layout-${layout}`)}</button>`)}</fieldset>
      <p class="take"><button class="btn primary" type="button" ?disabled=${preview === null} @click=${() => preview && takePreview(ctx.ask, preview)}>${icon("right")}${preview ? t("take-layout", { layout: t(`layout-${preview}`) }) : t("take-nothing")}</button>
        <button class="btn ${blank ? "pressed" : ""}" type="button" aria-pressed=${blank} @click=${() => setBlank(ctx.ask, !blank)}>${t(blank ? "unblank" : "blank")} ${kbd("F7")}</button></p>
      ${presentation(ctx, view)} ${notice(ctx, view)} ${paragraph(ctx, view)} ${spotlight(ctx, view)}
      ${carousel(ctx, view)} ${pages(ctx, view)}
    </div>`;
}

/** What is laid ready, in small; before, what stands on the wall now. @param {View} view */
function small(view) {
  const { preview } = view.stage;
  const label = preview ? t("preview-layout", { layout: t(`layout-${preview}`) }) : t("on-screen-now", { layout: onWall(view.stage) });
  const shown = preview ? { ...view, stage: { ...view.stage, layout: preview }, attendance: { ...view.attendance, calling: null } } : view;
  return html`<figure class="small ${preview ? "is-preview" : ""}"><scene-preview aria-label=${label} .scene=${scene(shown)}></scene-preview><figcaption>${label}</figcaption></figure>`;
}

/** The linked sites one after the other, while nobody speaks. @param {Ctx} ctx @param {View} view */
function carousel(ctx, view) {
  const running = view.stage.carousel;
  const choose = (/** @type {Event} */ event) => { const { value } = /** @type {HTMLSelectElement} */ (event.target); setCarousel(ctx.ask, value === "" ? null : Number(value)); };
  return html`<p class="row"><label for="carousel">${t("carousel")}</label>
    <select class="select" id="carousel" @change=${choose}><option value="" ?selected=${running === null}>${t("carousel-stands")}</option>${CAROUSEL_SECONDS.map((n) => html`<option value=${n} ?selected=${running === n}>${t("carousel-each", { n })}</option>`)}</select></p>`;
}

/** The screen of this machine, shown to all. @param {Ctx} ctx @param {View} view */
function presentation(ctx, view) {
  const part = ctx.app.me?.carries === "nothing" ? null : later(ctx, "presenting", () => import("./presenting.js"));
  return part ? html`<p class="row"><span class="label">${t("presenting")}</span>${part.presentButton(ctx, view)}</p>` : nothing;
}

/** More rooms than one grid shows. @param {Ctx} ctx @param {View} view */
function pages(ctx, view) {
  const { page, pages: count } = view.stage;
  if (count < 2) return nothing;
  const turn = (/** @type {number} */ by) => setPage(ctx.ask, (page + by + count) % count);
  return html`<p class="row"><span class="label">${t("grid-page", { n: page + 1, of: count })}</span>
    <button class="btn" type="button" aria-label=${t("grid-before")} @click=${() => turn(-1)}>‹</button><button class="btn" type="button" aria-label=${t("grid-after")} @click=${() => turn(1)}>›</button></p>`;
}

/** @param {Ctx} ctx @param {View} view */
function notice(ctx, view) {
  const send = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    setNotice(ctx.ask, String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("notice") ?? "").trim());
  };
  return html`<form class="row" @submit=${send}><label for="notice">${t("notice-text")}</label><input class="input" id="notice" name="notice" maxlength="200" autocomplete="off" .defaultValue=${view.stage.notice}><button class="btn" type="submit">${t("keep-notice")}</button></form>`;
}

/** @param {Ctx} ctx @param {View} view */
function paragraph(ctx, view) {
  const { paragraph: shown, paragraph_chosen } = view.stage;
  const draft = shown && draftOf(view, shown.draft);
  const choose = (/** @type {number} */ d, /** @type {number} */ n) => showParagraph(ctx.ask, { draft: d, paragraph: n });
  return html`<p class="row"><label for="shown-draft">${t("shown-paragraph")}</label>
    <select class="select" id="shown-draft" @change=${(/** @type {Event} */ event) => choose(Number(/** @type {HTMLSelectElement} */ (event.target).value), 1)}>${view.fixed.drafts.map((each) => html`<option value=${each.id} ?selected=${each.id === shown?.draft}>${each.short}</option>`)}</select>
    <input class="input num" type="number" min="1" max=${draft?.paragraphs.length ?? 1} aria-label=${t("paragraph")} .value=${String(shown?.paragraph ?? 1)} @change=${(/** @type {Event} */ event) => draft && choose(draft.id, Number(/** @type {HTMLInputElement} */ (event.target).value))}>
    ${paragraph_chosen ? html`<button class="btn small" type="button" @click=${() => showParagraph(ctx.ask, null)}>${t("follow-speech")}</button>` : html`<span class="faint">${t("follows-speech")}</span>`}</p>`;
}

/** @param {Ctx} ctx @param {View} view */
function spotlight(ctx, view) {
  const { spotlight: fixed } = view.stage;
  return html`<p class="row"><label for="spotlight">${t("spotlight")}</label>
    <select class="select" id="spotlight" @change=${(/** @type {Event} */ event) => { const { value } = /** @type {HTMLSelectElement} */ (event.target); setSpotlight(ctx.ask, value === "" ? null : Number(value)); }}>
      <option value="" ?selected=${fixed === null}>${t("follow-floor")}</option>${view.fixed.sites.map((each) => html`<option value=${each.id} ?selected=${each.id === fixed?.site}>${siteCall(view, each.id)}</option>`)}</select>
    ${fixed ? mark("weak", "lock", t("spotlight-by", { site: siteCall(view, fixed.site), label: fixed.by })) : nothing}</p>`;
}
