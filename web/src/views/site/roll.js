// Điểm danh at a site: its call, the fixed answer, and who is present.

/** @import { Headcount, View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { setHeadcount } from "../../actions/roll.js";
import { tidy } from "../../actions/words.js";
import { silence } from "../../state/own.js";
import { callName, site } from "../../state/sites.js";
import { html, icon, kbd, mark, nothing, statusLine, t } from "../pieces.js";
import { help, strip } from "./strip.js";

const FIGURES = /** @type {const} */ (["summoned", "present", "online"]);

/** The roll call has come to this site. Red only while its microphone is really open. @param {Ctx} ctx @param {View} view @param {boolean} sends */
export function called(ctx, view, sends) {
  const me = ctx.app.me?.site ?? null;
  const why = sends ? silence(ctx.app) : "";
  const open = sends && why === "";
  const name = callName(site(view, me));
  return html`<main class="called" aria-labelledby="h-called">${strip(ctx, view, { is: "idle" })}${open ? mark("live", "mic", t("microphone-open")) : mark("deck", "right", t("roll-title-site"))}
    <h2 id="h-called">${t("roll-calling", { site: name })}</h2><p class="say">${t("roll-answer-words", { site: name })}</p>
    ${sends ? html`<div class="called-mic">${why === "microphone-closed" ? html`<button class="btn invite" type="button" autofocus @click=${() => ctx.media.setMicrophone(true)}>${icon("mic")}${t("open-own-microphone")} ${kbd("F2")}</button>` : why === "" ? nothing : html`<p>${icon("mic-off")}${t(why)}</p>`}
      <level-meter aria-label=${t("microphone-level")} .read=${() => ctx.media.level()}></level-meter></div>` : html`<p>${t("begin-hint-room")}</p>`}
    ${headcountForm(ctx, view)}${statusLine(ctx)}${help(ctx, view)}</main>`;
}

/** Prefilled with what was reported before, else with those summoned: who is there is never guessed. @param {Ctx} ctx @param {View} view */
export function headcountForm(ctx, view) {
  const me = ctx.app.me?.site ?? -1;
  const reported = view.attendance.sites.find((line) => line.site === me)?.headcount ?? null;
  const before = reported ?? { summoned: site(view, me)?.summoned ?? 0, present: 0, online: 0, absent: "" };
  const send = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    setHeadcount(ctx.ask, me, read(/** @type {HTMLFormElement} */ (event.target)));
  };
  return html`<form class="headcount zone" @submit=${send} @input=${countAbsent} aria-labelledby="h-count"><div class="zone-head"><h2 id="h-count">${t("headcount")}</h2>
      <span class="faint">${reported ? t("count-reported", { n: reported.present + reported.online, of: reported.summoned }) : t("count-not-reported")}</span></div>
    <div class="count-body">
    ${FIGURES.map((name) => html`<div class="field"><label for=${`count-${name}`}>${t(`count-${name}`)}</label><input class="input num" id=${`count-${name}`} name=${name} type="number" inputmode="numeric" min="0" max="9999" ?required=${name !== "online"} .defaultValue=${reported === null && name === "present" ? "" : String(before[name])}></div>`)}
    <p class="field"><span class="label">${t("count-away")}</span><output class="away num" aria-live="polite" .textContent=${reported ? away(before) : "–"}></output></p>
    <div class="field wide-field"><label for="count-absent">${t("count-absent")}</label><input class="input" id="count-absent" name="absent" maxlength="400" autocomplete="off" .defaultValue=${before.absent}></div>
    <button class="btn primary" type="submit">${t("send-headcount")}</button></div></form>`;
}

/** @param {HTMLFormElement} form @returns {Headcount} */
function read(form) {
  const data = new FormData(form);
  const count = (/** @type {string} */ name) => Math.max(0, Math.trunc(Number(data.get(name) ?? 0))) || 0;
  return { summoned: count("summoned"), present: count("present"), online: count("online"), absent: tidy(String(data.get("absent") ?? "")) };
}

/** @param {Headcount} headcount */
const away = ({ summoned, present, online }) => String(Math.max(0, summoned - present - online));

/** Written beside the fields, without drawing the desk at every key. @param {Event} event */
function countAbsent(event) {
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  const output = form.querySelector("output");
  if (output) output.textContent = away(read(form));
}
