// The list as a site reads it, and the question before a request leaves it.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { withdrawRequest } from "../../actions/floor.js";
import { dialog, nothing, t } from "../pieces.js";

/** @param {Ctx} ctx @param {View} view */
export function withdrawDialog(ctx, view) {
  const { confirm } = ctx.app.ui;
  const request = [...view.floor.queue, ...view.floor.pending].find((each) => each.turn === confirm?.id);
  if (confirm?.what !== "withdraw" || !request) return nothing;
  return dialog(ctx, {
    title: t("withdraw-title"), text: t("withdraw-text", { text: request.words.delegate || t(`speech-${request.words.speech}`) }),
    stay: t("withdraw-stay"), go: t("withdraw"), act: () => withdrawRequest(ctx.ask, request.turn),
  });
}
