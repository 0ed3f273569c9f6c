// A site's desk. A companion (a phone that carries nothing) is the same without picture and sound.

/** @import { View } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { MyFloor } from "../state/floor.js" */
/** @import { Ctx } from "./pieces.js" */

import { endTurn, setReady } from "../actions/floor.js";
import { myFloor } from "../state/floor.js";
import { asHeard, isSummoned, silence } from "../state/own.js";
import { callName, site, siteCall } from "../state/sites.js";
import { later, loaded } from "./later.js";
import { html, itemLine, nothing, soundBlocked, t, topbar } from "./pieces.js";
import { askWithdraw, begin, deniedLead, openForm } from "./site/panel.js";
import { drafts, forms, joining } from "./site/parts.js";

/** A machine is the room's own or a phone beside it, never both. @param {Ctx} ctx */
const desk = (ctx) => later(ctx, "desk", () => import("./site/desk.js"), false, false);

/** @param {Ctx} ctx */
const companion = (ctx) => later(ctx, "companion", () => import("./site/companion.js"), false, false);

/** Only a machine that has not entered yet needs it. @param {Ctx} ctx */
const greenRoom = (ctx) => later(ctx, "greenroom", () => import("./greenroom.js"));

/** @param {Ctx} ctx */
const tones = (ctx) => later(ctx, "tones", () => import("./tones.js"), false);

/** @param {App} app @returns {MyFloor} */
const mine = (app) => (app.view && app.me?.site != null ? myFloor(app.view.floor, app.me.site, app.ui) : { is: "idle" });

export { followOwn as follow } from "../state/own.js";

const SUMMONS_MS = 10_000;

/** @param {App} before @param {App} after @param {Ctx} ctx */
export function hear(before, after, ctx) {
  loaded("tones")?.hear(before, after);
  if (after.ui.summoned !== before.ui.summoned) endSummons(ctx, after.ui.summoned);
}

/** The invitation gives way to the large clock by itself, once the room is heard. @param {Ctx} ctx @param {number | null} turn */
function endSummons(ctx, turn) {
  if (turn === null) return;
  setTimeout(() => {
    if (ctx.app.ui.summoned !== turn) return;
    if (silence(ctx.app) === "") ctx.ui({ summoned: null });
    else endSummons(ctx, turn);
  }, SUMMONS_MS);
}

/** @param {App} app */
const isCalled = (app) => app.me?.site != null && app.view?.attendance.calling === app.me.site;

/** @param {App} app */
const spoken = (app) => t(silence(app) || "speaking");

/** @param {App} app */
export const title = (app) => {
  const me = app.view && app.me ? siteCall(app.view, app.me.site) : "";
  const my = mine(app);
  const state = isCalled(app) ? t("roll-you-are-called") : my.is === "speaking" ? `▶ ${spoken(app)}` : my.is === "waiting" ? t("title-waiting", { n: my.place }) : my.is === "on_deck" ? t("state-deck") : "";
  return `${state === "" ? "" : `${state} · `}${me} · diemcau`;
};

/** @param {App} app */
export const said = (app) => {
  const my = mine(app);
  if (isCalled(app)) return t("roll-you-are-called");
  switch (my.is) {
    case "speaking": return my.turn.held ? t("turn-held") : my.turn.silenced ? t("priority-held") : my.turn.interrupted ? t("turn-interrupted") : my.turn.paused ? t("turn-paused") : my.turn.muted ? t("turn-muted") : my.turn.warned_s === null ? spoken(app) : my.turn.warned_s === 0 ? t("turn-over") : t("seconds-left", { n: my.turn.warned_s });
    case "on_deck": return t(my.request.ready === "ready" ? "my-ready" : "my-on-deck");
    case "waiting": return t("title-waiting", { n: my.place });
    case "pending": return t("my-pending");
    case "denied": return deniedLead(app, my.denied);
    case "ended": return t(`my-ended-${my.how}`);
    case "idle": return "";
  }
};

/** @param {Ctx} ctx */
export function keys(ctx) {
  const { app } = ctx;
  const my = mine(app);
  if (isCalled(app)) return { F2: app.media.microphoneOpen || app.me?.carries === "nothing" ? undefined : () => ctx.media.setMicrophone(true) };
  if (my.is === "speaking" && isSummoned(app, my.turn)) return { F2: () => begin(ctx), F4: () => endTurn(ctx.ask, my.turn.turn) };
  const Escape = app.ui.asking ? () => ctx.ui({ asking: "" }) : undefined;
  switch (my.is) {
    case "speaking": return { F4: () => endTurn(ctx.ask, my.turn.turn), Escape };
    case "on_deck": return { F2: my.request.ready === "ready" ? undefined : () => setReady(ctx.ask, my.request.turn, "ready"), Escape };
    case "waiting":
    case "pending":
      if (app.ui.asking) return { Escape };
      return { F2: my.request.ready === "not_ready" ? () => setReady(ctx.ask, my.request.turn, "ready") : () => askWithdraw(ctx, my.request.turn) };
    case "denied":
    case "ended":
    case "idle": return { F2: app.view?.agenda.current == null ? undefined : openForm(ctx), Escape };
  }
}

/** @param {Ctx} ctx */
export function view(ctx) {
  const { app } = ctx;
  const view = asHeard(app, /** @type {View} */ (app.view));
  const sends = app.me?.carries === "room" || app.me?.carries === "standby";
  if (sends) desk(ctx);
  if (sends && !app.ui.entered) return greenRoom(ctx)?.greenRoom(ctx, view) ?? joining();
  forms(ctx);
  drafts(ctx);
  const my = mine(app);
  const bar = topbar(ctx, html`${t("site-title", { site: callName(site(view, app.me?.site ?? null)) })}`, itemLine(view), html`${app.me?.carries === "standby" ? html`<span class="item">${t("standby-machine")}</span>` : nothing}${tones(ctx)?.toneButton(ctx) ?? nothing}`);
  const over = html`${forms(ctx)?.withdrawDialog(ctx, view) ?? nothing}${soundBlocked(ctx)}`;
  if (isCalled(app)) return html`${bar}${forms(ctx)?.called(ctx, view, sends) ?? joining()}${over}`;
  const invited = my.is === "speaking" && isSummoned(app, my.turn) && forms(ctx)?.summons(ctx, view, my.turn, sends);
  if (invited) return html`${bar}${invited}${over}`;
  return html`${bar}${sends ? desk(ctx)?.desk(ctx, view, my) ?? joining() : companion(ctx)?.companion(ctx, view, my) ?? joining()}${over}`;
}
