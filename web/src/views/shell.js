// A page before its conference is there: the server does not answer yet, or the door is still shut.

/** @import { Ctx } from "./pieces.js" */

import { html, nothing } from "../../vendor/lit-html.js";
import { t } from "../text.js";
import { later } from "./later.js";

/** @param {Ctx} ctx */
export const joiningPage = (ctx) => ((ctx.app.waiting || ctx.app.pinGiven) && later(ctx, "door", () => import("./door.js"))?.atDoor(ctx)) || html`<main class="plain"><div class="plain-sheet" role="status">
  <p class="plain-brand"><i class="icon icon-mark" aria-hidden="true"></i> diemcau</p><h1>${t("joining")}</h1>
  <p class="late">${t("joining-late")}</p>
  ${ctx.app.page === "stage" ? nothing : html`<p class="late"><button class="btn" type="button" @click=${ctx.tryNow}>${t("try-now")}</button></p>`}</div></main>`;
