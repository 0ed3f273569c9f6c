// What this page's own link makes of its screen: fetched when it makes it do with less for the first time.

/** @import { LinkStep } from "../../generated/protocol.ts" */

import { html, icon, t } from "./pieces.js";

/** @param {LinkStep} step @param {boolean} [asks] Whether this page asks for the floor: that goes on without media. */
export const weakLink = (step, asks = false) => html`${icon("warn")}<b>${t(`weak-link-${step === "control_only" && !asks ? "nothing" : step}`)}</b>`;
