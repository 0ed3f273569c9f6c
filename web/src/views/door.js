// The door: the page of a device that waits or types its PIN, and the strip by which chair and technician let it in.

/** @import { View, Visitor } from "../../generated/protocol.ts" */
/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import "../elements/until-clock.js";
import { admitDevice, refuseDevice } from "../actions/door.js";
import { isInUse } from "../state/door.js";
import { siteName } from "../state/sites.js";
import { serverNow } from "../time.js";
import { dialog, html, icon, nothing, t } from "./pieces.js";
import { sheet } from "./sheet.js";

/** As many rows as leave the desks their room; the chair's has less. */
const [SHOWN, SHOWN_CHAIR] = [2, 1];

/** A label often begins with its site's name, which stands beside it already. @param {string} label @param {string | null} site */
const machine = (label, site) => (site !== null && label.startsWith(site) ? label.slice(site.length).replace(/^[\s–—:,·-]+/u, "") : label);

/** Before the welcome: waiting, or the PIN being looked at. @param {Ctx} ctx */
export function atDoor(ctx) {
  const { waiting, proving } = ctx.app;
  return waiting ? waitingPage(ctx, waiting) : proving?.pin ? pinPage(ctx, proving) : null;
}

/** @param {Ctx} ctx @param {NonNullable<App["waiting"]>} waiting */
function waitingPage(ctx, waiting) {
  const { site, label, title } = waiting;
  const own = machine(label, site);
  return sheet(ctx, t("door-waiting"), html`<div class="door">
    <div class="door-card"><p>${t("door-code-what")}</p><p class="vh">${t("door-code", { code: [...waiting.code].join(" ") })}</p><p class="door-code num" aria-hidden="true">${waiting.code}</p>
      <p class="door-since">${t("door-waited")} <since-clock class="num" .since=${waiting.since} aria-live="off"></since-clock></p></div>
    <ol class="door-steps"><li>${t("door-do-call")}</li><li>${t("door-do-wait")}</li></ol>
    <dl class="door-who">${site === null ? nothing : html`<div><dt>${t("site")}</dt><dd><b>${site}</b></dd></div>`}${own === "" ? nothing : html`<div><dt>${t("door-machine")}</dt><dd>${own}</dd></div>`}<div><dt>${t("door-conference")}</dt><dd>${title}</dd></div></dl>
    ${globalThis.isSecureContext ? nothing : html`<p class="door-plain">${icon("warn")} <span>${t("door-no-key")}</span></p>`}</div>`, "status");
}

/** @param {Ctx} ctx @param {NonNullable<App["proving"]>} proving */
export function pinPage(ctx, proving) {
  const { app } = ctx;
  const checking = app.ended === null;
  const locked = !checking && proving.until > serverNow();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (document.getElementById("pin"));
    if (checking) return;
    ctx.givePin(field.value);
    field.value = "";
  };
  const trouble = locked ? html`<span>${t("pin-locked")} <b><until-clock class="num" .until=${proving.until} .due=${() => ctx.ui({})} aria-live="off"></until-clock></b></span>` : app.pinGiven && !checking ? html`<span>${t("pin-wrong")}</span>` : null;
  return sheet(ctx, t("pin-title"), html`<p>${t("pin-what")}</p>
    <form class="pin" @submit=${submit}><label for="pin">${t("pin")}</label><input class="input num" id="pin" name="one-time-code" type="password" inputmode="numeric" autocomplete="one-time-code" minlength="4" maxlength="8" pattern="[0-9]+" required autofocus ?disabled=${locked} aria-invalid=${trouble !== null && !locked ? "true" : nothing} aria-describedby="pin-hint">
    <button class="btn primary" type="submit" ?disabled=${locked} aria-disabled=${checking ? "true" : nothing}>${t(checking ? "pin-checking" : "pin-go")}</button><p class="hint" id="pin-hint">${t("pin-hint")}</p></form>
    ${trouble === null ? nothing : html`<p class="door-plain" role="alert">${icon("warn")} ${trouble}</p>`}${checking ? html`<p class="late">${t("joining-late")}</p>` : nothing}
    <p class="door-help">${t("pin-lost")}</p>`, "group");
}

/** @param {View} view @param {Visitor} visitor */
function names(view, visitor) {
  const seat = view.seats.find((each) => each.id === visitor.seat);
  const site = seat?.site == null ? "" : siteName(view, seat.site);
  const label = seat?.label ?? "";
  return { label, site, own: machine(label, site === "" ? null : site) };
}

/** The strip in a row of its own. @param {Ctx} ctx @param {View} view */
export const lobbyStrip = (ctx, view) => html`<div class="alarms at-the-door">${visitors(ctx, view, SHOWN_CHAIR)}</div>`;

/** Who waits at the door, for those who let people in. @param {Ctx} ctx @param {View} view @param {number} [most] */
export function visitors(ctx, view, most = SHOWN) {
  const { waiting } = view.door;
  const row = (/** @type {Visitor} */ visitor) => strip(ctx, view, visitor);
  return html`${waiting.slice(0, most).map(row)}
    ${waiting.length > most ? html`<details class="more-alarms"><summary>${t("door-more", { n: waiting.length - most })}</summary>${waiting.slice(most).map(row)}</details>` : nothing}`;
}

/** @param {Ctx} ctx @param {View} view @param {Visitor} visitor */
function strip(ctx, view, visitor) {
  const { label, site, own } = names(view, visitor);
  const words = { label, code: visitor.code };
  const replaces = isInUse(view, visitor);
  const admit = () => (replaces ? ctx.ui({ confirm: { what: "admit-device", id: visitor.wait } }) : admitDevice(ctx.ask, visitor.wait));
  return html`<div class="banner at-door" role="alert">${icon("lock")}<p>${site === "" ? nothing : html`<b class="door-name" title=${site}>${site}</b> `}${own === "" ? nothing : html`<b class="door-own">${site === "" ? "" : "· "}${own}</b> `}<span class="door-asks">${t("door-waits")} <b class="door-digits num">${visitor.code}</b></span>${visitor.has_key ? nothing : html` <small>${t("door-once")}</small>`}${replaces ? html` <small>${t("door-replaces")}</small>` : nothing}</p>
    <button class="btn small primary" type="button" @click=${admit} aria-label=${t("door-admit-who", words)}>${t("door-admit")}</button>
    <button class="btn small" type="button" @click=${() => ctx.ui({ confirm: { what: "refuse-device", id: visitor.wait } })} aria-label=${t("door-refuse-who", words)}>${t("door-refuse")}</button></div>`;
}

/** @param {Ctx} ctx @param {View} view */
export function doorDialog(ctx, view) {
  const { confirm } = ctx.app.ui;
  const visitor = confirm && view.door.waiting.find((each) => each.wait === confirm.id);
  return visitor && confirm.what === "refuse-device" ? refusing(ctx, view, visitor) : visitor && confirm.what === "admit-device" ? admitting(ctx, view, visitor) : nothing;
}

/** @param {Ctx} ctx @param {View} view @param {Visitor} visitor */
const admitting = (ctx, view, visitor) => dialog(ctx, {
  title: t("door-admit-title", { label: names(view, visitor).label, code: visitor.code }), text: t("door-admit-text"),
  stay: t("door-keep"), go: t("door-admit"), act: () => admitDevice(ctx.ask, visitor.wait),
});

/** @param {Ctx} ctx @param {View} view @param {Visitor} visitor */
function refusing(ctx, view, visitor) {
  const field = visitor.has_key ? banField() : nothing;
  return dialog(ctx, {
    title: t("door-refuse-title", { label: names(view, visitor).label, code: visitor.code }), text: t("door-refuse-text"), field,
    stay: t("door-keep"), go: t("door-refuse"), act: () => refuseDevice(ctx.ask, visitor.wait, banChosen()),
  });
}

/** Whether a device is shut out for good. */
export const banField = () => html`<label class="check dialog-field"><input type="checkbox" id="ban-device"><span>${t("door-ban")}</span></label>`;

export const banChosen = () => /** @type {HTMLInputElement | null} */ (document.getElementById("ban-device"))?.checked ?? false;
