// Parts of a site's desk that come after it is there: a room must be able to ask for the floor first.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { later } from "../later.js";
import { html, t } from "../pieces.js";

/** @param {Ctx} ctx */
export const drafts = (ctx) => later(ctx, "drafts", () => import("../drafts.js"));

/** @param {Ctx} ctx */
export const forms = (ctx) => later(ctx, "forms", () => import("./forms.js"));

/** @param {Ctx} ctx */
export const pause = (ctx) => later(ctx, "break", () => import("../break.js"));

export const joining = () => html`<p class="empty">${t("joining")}</p>`;

/** @param {Ctx} ctx @param {View} view */
export const draftsDesk = (ctx, view) => drafts(ctx)?.draftsDesk(ctx, view) ?? joining();
