// The room's own picture and microphone, as they leave this machine.

/** @import { View } from "../../../generated/protocol.ts" */
/** @import { MyFloor } from "../../state/floor.js" */
/** @import { Ctx } from "../pieces.js" */

import "../../elements/level-meter.js";
import "../../elements/self-picture.js";
import { figures } from "../../state/sites.js";
import { bars, barsWord, html, icon, isHeard, nothing, siteBars, t } from "../pieces.js";

/** @param {Ctx} ctx @param {View} view @param {MyFloor} my */
export function self(ctx, view, my) {
  const { media, me } = ctx.app;
  const lost = ctx.app.link !== "joined";
  const heard = !lost && isHeard(view, me?.site ?? null) && view.sites.some((each) => each.site === me?.site && each.carrier === me?.carries);
  const open = media.microphoneOpen;
  const connected = !lost && media.uplink === "connected";
  const count = siteBars(figures(ctx.app.telemetry, me?.site ?? -1), connected);
  const words = media.capturing && !media.hasMicrophone ? t("opening-device") : !media.hasMicrophone ? t(`microphone-${media.microphoneTrouble ?? "other"}`) : !open ? t("microphone-closed") : lost ? t("reconnecting") : heard ? t("microphone-open") : t("microphone-ready");
  const link = connected ? `${t("link")}: ${barsWord(count)}` : t(media.uplink === "failed" ? "uplink-failed" : "uplink-connecting");
  return html`<div class="self"><figure class="tile ${heard && open ? "is-live" : my.is === "on_deck" ? "is-deck" : ""}"><self-picture role="img" aria-label=${t("own-picture")} .stream=${media.picture}></self-picture>
      ${media.picture ? nothing : html`<p class="no-picture">${media.capturing ? t("opening-device") : t(`camera-${media.cameraTrouble ?? "other"}`)}</p>`}<figcaption class="strip">${t("own-picture")}</figcaption></figure>
    <div class="mic"><p class=${open && media.hasMicrophone ? "" : "alarming"}>${icon(heard && open ? "mic" : "mic-off")}<b>${words}</b></p>
      <level-meter aria-label=${t("microphone-level")} .read=${() => ctx.media.level()}></level-meter>
      <p class="links">${bars(count)}<span>${link}</span></p>
      <p class="mic-acts"><button class="btn small" type="button" aria-pressed=${!open} @click=${() => ctx.media.setMicrophone(!open)}>${icon(open ? "mic-off" : "mic")}${t(open ? "close-own-microphone" : "open-own-microphone")}</button>
        ${media.hasMicrophone && media.picture ? nothing : html`<button class="btn small" type="button" ?disabled=${media.capturing} @click=${() => ctx.media.capture()}>${t("try-devices")}</button>`}</p>
    </div></div>`;
}
