// Pages without a conference: the entrance, and the plain words when the door stays shut. Fetched when they are needed.

/** @import { ErrorWhy } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { html, nothing } from "../../vendor/lit-html.js";
import { t } from "../text.js";
import { later } from "./later.js";
import { sheet } from "./sheet.js";

export const landingPage = () => sheet(null, t("landing-title"), html`
  <p>${t("landing-what")}</p><p>${t("landing-open")}</p>
  <ul class="plain-list"><li>${t("landing-lost")}</li><li>${t("landing-trust")} <a href="/trust.html">${t("landing-trust-link")}</a></li></ul>`);

export const noLinkPage = () => sheet(null, t("no-link-title"), html`<p>${t("no-link-what")}</p><p>${t("no-link-do")}</p>`);

/** Where trying again is the person's to decide. @type {ErrorWhy[]} */
const MAY_TRY_AGAIN = ["not_admitted", "revoked", "replaced", "wrong_protocol", "expelled", "not_let_in", "lobby_full"];

/** @param {Ctx} ctx @param {ErrorWhy} why */
export function endedPage(ctx, why) {
  // The server says the same of a wrong link and a wrong PIN: whoever has the right link types its PIN.
  if (why === "not_admitted" && ctx.app.proving?.pin) return later(ctx, "door", () => import("./door.js"))?.pinPage(ctx, ctx.app.proving) ?? nothing;
  const reload = () => location.reload();
  return sheet(ctx, t(`ended-${why}-title`), html`<p>${t(`ended-${why}-what`)}</p><p>${t(`ended-${why}-do`)}</p>
    ${MAY_TRY_AGAIN.includes(why) ? html`<p><button class="btn primary" type="button" @click=${reload}>${t(`ended-${why}-act`)}</button></p>` : nothing}`);
}
