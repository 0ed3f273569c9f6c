// The door: the page of a device that waits or types its PIN, and the strip by which chair and technician let it in.

/** @import { View, Visitor } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import { admitDevice, refuseDevice } from "../actions/door.js";
import { siteName } from "../state/sites.js";
import { dialog, html, icon, nothing, t } from "./pieces.js";

/** As many rows as leave the desk its room. */
const SHOWN = 2;

/** @param {unknown} title @param {unknown} body @param {string} [role] */
const sheet = (title, body, role = "status") => html`<main class="plain"><div class="plain-sheet" role=${role}><p class="plain-brand">${icon("mark")} diemcau</p><h1>${title}</h1>${body}</div></main>`;

/** @param {Ctx} _ctx @param {NonNullable<App["waiting"]>} waiting */
export const waitingPage = (_ctx, waiting) => sheet(t("door-waiting"), html`
  <p class="door-who"><b>${waiting.site ?? waiting.label}</b>${waiting.site === null ? nothing : html`<span>${waiting.label}</span>`}<span>${waiting.title}</span></p>
  <p>${t("door-code-what")}</p><p class="door-code" aria-label=${t("door-code", { code: [...waiting.code].join(" ") })}>${waiting.code}</p>
  <p>${t("door-code-do")}</p>${globalThis.isSecureContext ? nothing : html`<p class="door-plain">${icon("warn")} ${t("door-no-key")}</p>`}`);

/** @param {Ctx} ctx @param {NonNullable<App["proving"]>} proving */
export function pinPage(ctx, proving) {
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (document.getElementById("pin"));
    ctx.givePin(field.value);
    field.value = "";
  };
  const minutes = Math.ceil(proving.locked_ms / 60_000);
  return sheet(t("pin-title"), html`<p>${t("pin-what")}</p>
    ${proving.locked_ms > 0 ? html`<p class="door-plain">${icon("warn")} ${t("pin-locked", { n: minutes })}</p>` : ctx.app.pinGiven ? html`<p class="door-plain">${icon("warn")} ${t("pin-wrong")}</p>` : nothing}
    <form class="pin" @submit=${submit}><label for="pin">${t("pin")}</label><input class="input" id="pin" type="password" inputmode="numeric" autocomplete="off" minlength="4" maxlength="8" pattern="[0-9]+" required autofocus aria-describedby="pin-hint">
    <button class="btn primary" type="submit">${t("pin-go")}</button><p class="hint" id="pin-hint">${t("pin-hint")}</p></form>`, "group");
}

/** @param {View} view @param {Visitor} visitor */
function names(view, visitor) {
  const seat = view.seats.find((each) => each.id === visitor.seat);
  const site = seat?.site == null ? "" : siteName(view, seat.site);
  return { label: seat?.label ?? "", site };
}

/** Who waits at the door, for those who let people in. @param {Ctx} ctx @param {View} view */
export function lobbyStrip(ctx, view) {
  const { waiting } = view.door;
  return html`${waiting.slice(0, SHOWN).map((visitor) => strip(ctx, view, visitor))}
    ${waiting.length > SHOWN ? html`<p class="more-alarms">${t("door-more", { n: waiting.length - SHOWN })}</p>` : nothing}`;
}

/** @param {Ctx} ctx @param {View} view @param {Visitor} visitor */
function strip(ctx, view, visitor) {
  const { label, site } = names(view, visitor);
  const words = { label, code: visitor.code };
  return html`<div class="banner at-door" role="alert">${icon("lock")}<p><b>${label}</b>${site === "" ? nothing : html` · ${site}`} ${t("door-waits")} <b class="door-digits num">${visitor.code}</b>${visitor.has_key ? nothing : html` <small>${t("door-once")}</small>`}</p>
    <button class="btn small primary" type="button" @click=${() => admitDevice(ctx.ask, visitor.wait)} aria-label=${t("door-admit-who", words)}>${t("door-admit")}</button>
    <button class="btn small" type="button" @click=${() => ctx.ui({ confirm: { what: "refuse-device", id: visitor.wait } })} aria-label=${t("door-refuse-who", words)}>${t("door-refuse")}</button></div>`;
}

/** @param {Ctx} ctx @param {View} view */
export function doorDialog(ctx, view) {
  const { confirm } = ctx.app.ui;
  const visitor = confirm?.what === "refuse-device" ? view.door.waiting.find((each) => each.wait === confirm.id) : undefined;
  if (!visitor) return nothing;
  const field = visitor.has_key ? banField() : nothing;
  return dialog(ctx, {
    title: t("door-refuse-title", { label: names(view, visitor).label, code: visitor.code }), text: t("door-refuse-text"), field,
    stay: t("door-keep"), go: t("door-refuse"), act: () => refuseDevice(ctx.ask, visitor.wait, banChosen()),
  });
}

/** Whether a device is shut out for good. */
export const banField = () => html`<div class="choices dialog-field"><label><input type="checkbox" id="ban-device"> ${t("door-ban")}</label></div>`;

export const banChosen = () => /** @type {HTMLInputElement | null} */ (document.getElementById("ban-device"))?.checked ?? false;
