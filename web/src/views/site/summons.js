// The invitation fills the desk: whose turn it is, on what, and whether the room is heard. Without it the panel tells of the turn.

/** @import { Turn, View } from "../../../generated/protocol.ts" */
/** @import { Ctx } from "../pieces.js" */

import { returnCall } from "../../actions/floor.js";
import "../../elements/level-meter.js";
import "../../elements/self-picture.js";
import { silence } from "../../state/own.js";
import { durationText } from "../../time.js";
import { fittingName, html, icon, kbd, mark, nothing, rich, t, topicLine } from "../pieces.js";
import { begin } from "./panel.js";
import { person } from "./person.js";

/** Red only while the room is heard. @param {Ctx} ctx @param {View} view @param {Turn} turn @param {boolean} sends */
export function summons(ctx, view, turn, sends) {
  const { media } = ctx.app;
  const why = sends ? silence(ctx.app) : "";
  const closed = why === "microphone-closed";
  const mute = why !== "" && !media.hasMicrophone;
  const open = sends && why === "";
  const about = topicLine(view, turn.words);
  return html`<section class="summons ${open ? "is-open" : ""}" role="alertdialog" aria-labelledby="h-summons" aria-describedby="d-summons">
    ${open ? mark("live", "mic", t("chair-invites-open")) : mark("deck", "right", t("chair-invites"))}
    <h2 id="h-summons">${t("please-speak")}</h2>
    <p id="d-summons" class="d"><b>${fittingName(view, turn.site, 60)}</b>${turn.words.delegate === "" ? nothing : html` · ${person(turn.words)}`}<br>${about} · ${t("allotted")} <b class="num">${durationText(turn.allotted_ms)}</b></p>
    <div class="go"><button class="btn invite primary-act" type="button" autofocus @click=${() => begin(ctx)}>${icon("mic")}<span>${t(closed ? "begin-open" : "begin")}</span>${kbd("F2")}</button>
      <button class="btn" type="button" @click=${() => returnCall(ctx.ask, turn.turn)}>${t("not-ready")}</button></div>
    <p class="hint">${rich(mute ? "begin-hint-mute" : closed ? "begin-hint-closed" : sends ? why || "begin-hint-open" : "begin-hint-companion")} <turn-time class="num" .turn=${turn}></turn-time></p>
    ${sends ? html`<div class="proof"><figure class="tile"><self-picture .stream=${media.picture}></self-picture></figure><div><p>${icon(open ? "mic" : "mic-off")}<b>${t(why || "microphone-open")}</b>${mute ? html` <button class="btn small" type="button" ?disabled=${media.capturing} @click=${() => ctx.media.capture()}>${t("try-devices")}</button>` : nothing}</p><level-meter aria-label=${t("microphone-level")} .read=${() => ctx.media.level()}></level-meter></div></div>` : nothing}
  </section>`;
}
