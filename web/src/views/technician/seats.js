// The links that were handed out: whose they are, which devices they know, and what can be done about them.

/** @import { BannedDevice, SeatView, View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { allowDevice, expelSeat, restoreSeat, revokeSeat } from "../../actions/door.js";
import { site, siteCall } from "../../state/sites.js";
import { dialog, html, mark, nothing, t } from "../pieces.js";

/** @param {Ctx} ctx @param {View} view */
export function seatsZone(ctx, view) {
  const search = fold(ctx.app.ui.search);
  const shown = view.seats.filter((seat) => search === "" || fold(`${seat.label} ${siteCall(view, seat.site)} ${t(`role-${seat.role}`)}`).includes(search));
  return html`<section class="zone seats" aria-labelledby="h-seats"><div class="zone-head"><h2 id="h-seats">${t("seats")}</h2><span class="faint">${t("seats-count", { n: view.seats.length, revoked: view.seats.filter((seat) => seat.revoked).length })}</span></div>
    <div class="find"><label class="vh" for="find-seat">${t("find-seat")}</label><input class="input" id="find-seat" type="search" placeholder=${t("find-seat")} @input=${(/** @type {Event} */ event) => ctx.ui({ search: /** @type {HTMLInputElement} */ (event.target).value })}></div>
    ${shown.length === 0 ? html`<p class="empty">${t("no-seats")}</p>` : html`<ul tabindex="0" aria-label=${t("seats")}>${view.door.banned.map((each) => bannedRow(ctx, view, each))}${shown.map((seat) => seatRow(ctx, view, seat))}</ul>`}</section>`;
}

/** Search on a fold: marks dropped, đ as d. @param {string} text */
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase().trim();

/** Whether the link waits to be opened again: else its machine may be changed. @param {SeatView} seat */
const isShut = (seat) => seat.revoked || seat.expelled || (seat.guarded && !(seat.bound && seat.devices > 0));

/** @param {SeatView} seat */
function knows(seat) {
  if (seat.guarded) return `${t("seat-devices", { n: seat.devices })}, ${t("seat-guarded")}`;
  return seat.bound ? t("seat-devices", { n: seat.devices }) : t("seat-open");
}

/** @param {Ctx} ctx @param {View} view @param {SeatView} seat */
function seatRow(ctx, view, seat) {
  const words = [t(`role-${seat.role}`), siteCall(view, seat.site), t(`carries-${seat.carries}`), knows(seat)];
  return html`<li class=${seat.revoked ? "revoked" : ""}><div><b>${seat.label}</b><small>${words.filter((part) => part !== "").join(" · ")}</small></div>
    ${seat.revoked ? mark("ready", "x", t("seat-revoked")) : seat.expelled ? mark("held", "x", t("seat-expelled")) : seat.id === ctx.app.me?.seat ? mark("ready", "check", t("this-seat")) : nothing}
    ${acts(ctx, seat)}</li>`;
}

/** @param {Ctx} ctx @param {SeatView} seat */
function acts(ctx, seat) {
  const own = seat.id === ctx.app.me?.seat;
  if (seat.role === "chair" && ctx.app.me?.role !== "chair") return nothing;
  const out = seat.revoked || seat.expelled;
  const button = (/** @type {string} */ what, /** @type {string} */ word, /** @type {string} */ whole) => html`<button class="btn small" type="button" @click=${() => ctx.ui({ confirm: { what, id: seat.id } })} aria-label=${whole}>${word}</button>`;
  const label = seat.label;
  return html`<div class="seat-acts">
    ${out || own ? nothing : button("expel-seat", t("expel-seat"), t("expel-seat-of", { label }))}
    ${seat.revoked || own ? nothing : button("revoke-seat", t("revoke-seat"), t("revoke-seat-of", { label }))}
    ${isShut(seat) ? button("restore-seat", t("restore-seat"), t("restore-seat-of", { label })) : seat.devices > 0 ? button("restore-seat", t("forget-devices"), t("forget-devices-of", { label })) : nothing}</div>`;
}

/** @param {Ctx} ctx @param {View} view @param {BannedDevice} banned */
function bannedRow(ctx, view, banned) {
  const label = view.seats.find((seat) => seat.id === banned.seat)?.label ?? "";
  return html`<li><div><b>${t("banned-device", { label })}</b><small>${t("banned-id", { text: banned.device.slice(0, 8) })}</small></div>${mark("ready", "lock", t("device-banned"))}
    <div class="seat-acts"><button class="btn small" type="button" @click=${() => allowDevice(ctx.ask, banned.device)} aria-label=${t("allow-device-of", { label })}>${t("allow-device")}</button></div></li>`;
}

/** @param {Ctx} ctx @param {View} view */
export function dialogs(ctx, view) {
  const { confirm } = ctx.app.ui;
  const seat = confirm?.what.endsWith("-seat") ? view.seats.find((each) => each.id === confirm.id) : undefined;
  if (!confirm || !seat) return nothing;
  const { label } = seat;
  const speaks = view.floor.turn?.site === seat.site && seat.carries === "room" && site(view, seat.site) ? ` ${t("revoke-seat-speaks")}` : "";
  if (confirm.what === "expel-seat" && !seat.expelled) {
    const field = seat.devices > 0 ? html`<label class="check dialog-field"><input type="checkbox" id="ban-device"><span>${t("expel-ban")}</span></label>` : nothing;
    const ban = () => /** @type {HTMLInputElement | null} */ (document.getElementById("ban-device"))?.checked ?? false;
    return dialog(ctx, { title: t("expel-seat-title", { label }), text: `${t("expel-seat-text")}${speaks}`, field, stay: t("keep-in"), go: t("expel-seat"), act: () => expelSeat(ctx.ask, seat.id, ban()) });
  }
  if (confirm.what === "restore-seat" && !isShut(seat)) {
    return dialog(ctx, { title: t("forget-devices-title", { label }), text: t("forget-devices-text"), stay: t("cancel"), go: t("forget-devices"), act: () => restoreSeat(ctx.ask, seat.id) });
  }
  if (confirm.what === "restore-seat") {
    return dialog(ctx, { title: t("restore-seat-title", { label }), text: `${t(seat.bound ? "restore-seat-bound" : "restore-seat-text")}${view.door.banned.some((each) => each.seat === seat.id) ? ` ${t("restore-seat-banned")}` : ""}`, stay: t("cancel"), go: t("restore-seat"), act: () => restoreSeat(ctx.ask, seat.id) });
  }
  if (confirm.what !== "revoke-seat" || seat.revoked) return nothing;
  return dialog(ctx, { title: t("revoke-seat-title", { label }), text: `${t("revoke-seat-text")}${speaks}`, stay: t("keep-seat"), go: t("revoke-seat"), act: () => revokeSeat(ctx.ask, seat.id) });
}
