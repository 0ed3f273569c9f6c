// Pages without a conference: the entrance, waiting for the door, and the plain words when it stays shut.

/** @import { ErrorWhy } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { html, nothing } from "../../vendor/lit-html.js";
import { t } from "../text.js";

const markIcon = () => html`<i class="icon icon-mark" aria-hidden="true"></i>`;

/** @param {string} title @param {unknown} body */
const sheet = (title, body) => html`<main class="plain"><div class="plain-sheet"><p class="plain-brand">${markIcon()} diemcau</p><h1>${title}</h1>${body}</div></main>`;

export const landingPage = () => sheet(t("landing-title"), html`
  <p>${t("landing-what")}</p><p>${t("landing-open")}</p>
  <ul class="plain-list"><li>${t("landing-lost")}</li><li>${t("landing-trust")} <a href="/trust.html">${t("landing-trust-link")}</a></li></ul>`);

export const noLinkPage = () => sheet(t("no-link-title"), html`<p>${t("no-link-what")}</p><p>${t("no-link-do")}</p>`);

/** @param {Ctx} ctx */
export const joiningPage = (ctx) => html`<main class="plain"><div class="plain-sheet" role="status">
  <p class="plain-brand">${markIcon()} diemcau</p><h1>${t("joining")}</h1>
  <p class="late">${t("joining-late")}</p>
  ${ctx.app.page === "stage" ? nothing : html`<p class="late"><button class="btn" type="button" @click=${ctx.tryNow}>${t("try-now")}</button></p>`}</div></main>`;

/** @param {Ctx} _ctx @param {ErrorWhy} why */
export function endedPage(_ctx, why) {
  const reload = () => location.reload();
  return sheet(t(`ended-${why}-title`), html`<p>${t(`ended-${why}-what`)}</p><p>${t(`ended-${why}-do`)}</p>
    ${why === "replaced" || why === "wrong_protocol" ? html`<p><button class="btn primary" type="button" @click=${reload}>${t(`ended-${why}-act`)}</button></p>` : nothing}`);
}
