// What the buttons about presentations do.

/** @import { SeatId } from "../../generated/protocol.ts" */
/** @import { Ctx } from "../views/pieces.js" */

import { t } from "../text.js";

/** @param {Ctx} ctx */
export const askToPresent = (ctx) => ctx.ask({ type: "ask_to_present" });

/** @param {Ctx} ctx @param {SeatId} seat */
export const letPresent = (ctx, seat) => ctx.ask({ type: "let_present", seat });

/** @param {Ctx} ctx @param {SeatId} seat */
export const endPresentation = (ctx, seat) => ctx.ask({ type: "end_presentation", seat });

/** The own screen goes at once, also when the server cannot be told or cannot write it down. @param {Ctx} ctx @param {SeatId} seat */
export function stopOwn(ctx, seat) {
  ctx.media.stopPresenting();
  endPresentation(ctx, seat);
}

/** A person picks what is shown; true if something was picked. @param {Ctx} ctx */
export const pickScreen = (ctx) => ctx.media.present((by) => {
  const { me } = ctx.app;
  if (by === "others") ctx.notice(t("present-stopped"), true);
  else if (me) endPresentation(ctx, me.seat);
});

/** Whoever presides needs nobody's word: one press picks and begins. @param {Ctx} ctx */
export async function presentAtOnce(ctx) {
  if (await pickScreen(ctx)) askToPresent(ctx);
}
