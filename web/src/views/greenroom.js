// Before entering: the camera is seen, the microphone is heard, the loudspeaker sounds. Nothing here blocks the door.

/** @import { View } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import "../elements/level-meter.js";
import "../elements/self-picture.js";
import { fittingName, html, icon, nothing, t, topbar } from "./pieces.js";
import { callName, site } from "../state/sites.js";
import { currentItem, hasBegun } from "../state/agenda.js";
import { number } from "../text.js";

/** @param {Ctx} ctx @param {View} view */
export function greenRoom(ctx, view) {
  const { media, me } = ctx.app;
  const own = site(view, me?.site ?? null);
  const camera = media.picture !== null;
  const again = media.capturing || (camera && media.hasMicrophone) ? nothing : html`<button class="btn small" type="button" @click=${() => ctx.media.capture()}>${t("try-devices")}</button>`;
  const done = [camera, media.hasMicrophone && ctx.app.ui.signal, ctx.app.ui.toneHeard === true, ctx.app.link === "joined"].filter(Boolean).length;
  return html`${topbar(ctx, t("greenroom"), view.fixed.title)}
  <main class="greenroom">
    <section class="zone checks" aria-labelledby="h-checks"><div class="zone-head"><h2 id="h-checks">${t("checks-title")}</h2><span class="faint">${t("checks-done", { n: done })}</span></div>
      <div class="check-row"><b class="num">1</b><div><h3>${t("check-picture")}</h3><p class="p">${t("check-picture-how")}</p></div>
        <div class="cam"><figure class="tile"><self-picture role="img" aria-label=${t("own-picture")} .stream=${media.picture}></self-picture></figure>
          <div class="field"><label for="camera">${t("camera")}</label>${devices("camera", media.cameras, media.cameraId, (cameraId) => ctx.media.capture({ cameraId }))}</div></div>
        ${camera ? result("ok", t("check-good")) : result("todo", media.capturing ? t("opening-device") : t(`camera-${media.cameraTrouble ?? "other"}`), again)}</div>
      <div class="check-row"><b class="num">2</b><div><h3>${t("check-sound")}</h3><p class="p">${t("check-sound-how")}</p></div>
        <div class="mid"><label class="vh" for="microphone">${t("microphone")}</label>${devices("microphone", media.microphones, media.microphoneId, (microphoneId) => ctx.media.capture({ microphoneId }))}
          <level-meter aria-label=${t("microphone-level")} .read=${() => ctx.media.level()} .signalChanged=${(/** @type {boolean} */ signal) => ctx.ui({ signal })}></level-meter></div>
        ${!media.hasMicrophone ? result("todo", media.capturing ? t("opening-device") : t(`microphone-${media.microphoneTrouble ?? "other"}`), again) : ctx.app.ui.signal ? result("ok", t("has-signal")) : result("todo", t("no-signal-yet"))}</div>
      <div class="check-row"><b class="num">3</b><div><h3>${t("check-loudspeaker")}</h3><p class="p">${t("check-loudspeaker-how")}</p></div>
        <div class="two"><button class="btn" type="button" @click=${() => ctx.media.chime()}>${icon("speaker")}${t("play-tone")}</button>
          <button class="btn" type="button" aria-pressed=${ctx.app.ui.toneHeard === true} @click=${() => ctx.ui({ toneHeard: true })}>${t("tone-heard")}</button>
          <button class="btn" type="button" aria-pressed=${ctx.app.ui.toneHeard === false} @click=${() => ctx.ui({ toneHeard: false })}>${t("tone-not-heard")}</button></div>
        ${ctx.app.ui.toneHeard === true ? result("ok", t("check-good")) : result("todo", t(ctx.app.ui.toneHeard === false ? "tone-trouble" : "waiting-for-you"))}</div>
      <div class="check-row"><b class="num">4</b><div><h3>${t("check-link")}</h3><p class="p">${t("check-link-how")}</p></div>
        <dl class="nums"><div><dt>${t("rtt")}</dt><dd class="num">${ctx.app.rtt === null ? "…" : `${number(Math.max(1, Math.round(ctx.app.rtt)))} ms`}<small>${t("rtt-need")}</small></dd></div>
          <div><dt>${t("server")}</dt><dd>${location.hostname}<small>${t("server-note")}</small></dd></div></dl>
        ${ctx.app.link !== "joined" ? result("todo", t("reconnecting")) : ctx.app.rtt === null ? result("todo", t("measuring")) : ctx.app.rtt < 150 ? result("ok", t("check-good")) : result("todo", t("link-weak"))}</div>
    </section>
    <section class="zone enter" aria-labelledby="h-enter"><div class="zone-head"><h2 id="h-enter">${t("enter-as")}</h2></div><div class="in">
      <div><p class="site">${own ? fittingName(view, own.id, 24) : me?.label}</p>${own && own.name !== callName(own) ? html`<p class="full">${own.name}</p>` : nothing}</div>
      <dl><div><dt>${t("role")}</dt><dd>${t(`role-${me?.role ?? "observer"}`)}${me?.carries === "standby" ? ` · ${t("standby-machine")}` : ""}</dd></div>
        <div><dt>${t("now")}</dt><dd>${hasBegun(view.agenda) ? currentItem(view.agenda)?.title ?? t("between-items") : t("not-begun")}</dd></div></dl>
      <p class="plain-words">${t("always-sending")}</p>
      <label class="check"><input type="checkbox" .checked=${media.microphoneOpen} @change=${(/** @type {Event} */ event) => ctx.media.setMicrophone(/** @type {HTMLInputElement} */ (event.target).checked)}><span>${t("microphone-ready-consent")}</span></label>
      <button class="btn primary enter-go" type="button" @click=${ctx.enter}>${t("enter")}</button><p class="alt">${t("enter-anyway")}</p>
    </div></section>
  </main>`;
}

/** @param {"ok" | "todo"} kind @param {string} words @param {unknown} [act] */
const result = (kind, words, act = nothing) => html`<p class="res ${kind}">${icon(kind === "ok" ? "check" : "warn")}<span>${words} ${act}</span></p>`;

/** @param {string} id @param {MediaDeviceInfo[]} list @param {string} chosen @param {(id: string) => void} choose */
function devices(id, list, chosen, choose) {
  return html`<select class="select" id=${id} ?disabled=${list.length === 0} @change=${(/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.target).value)}>
    ${list.length === 0 ? html`<option>${t("no-device")}</option>` : list.map((device, place) => html`<option value=${device.deviceId} ?selected=${device.deviceId === chosen}>${device.label || t("device-n", { n: place + 1 })}</option>`)}</select>`;
}
