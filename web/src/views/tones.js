// The tones of a desk: when they sound, and the button that makes them softer or silent. Loaded right after the desk is there.

/** @import { App } from "../state/app.js" */
/** @import { Ctx } from "./pieces.js" */

import { loudness, play, turnLoudness } from "../elements/chime.js";
import { toneDue } from "../state/tones.js";
import { html, icon, t } from "./pieces.js";

/** A phone beside a room that sounds already is silent until somebody wants it. @param {App} app */
const how = (app) => loudness(app.page === "chair" || app.me?.carries !== "nothing");

/** @param {App} before @param {App} after */
export function hear(before, after) {
  const tone = toneDue(before, after);
  if (tone !== null) play(tone, how(after));
}

/** @param {Ctx} ctx */
export function toneButton(ctx) {
  const turn = () => {
    play("request", turnLoudness(how(ctx.app)));
    ctx.ui({});
  };
  return html`<button class="btn small on-bar tones" type="button" title=${t("tones-what")} @click=${turn}>${icon("bell")}<span>${t(`tones-${how(ctx.app)}`)}</span></button>`;
}
