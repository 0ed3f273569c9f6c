// What the buttons about the roll call and the prompts do: one function, one frame.

/** @import { Headcount, PromptId, PromptKind, SiteId } from "../../generated/protocol.ts" */
/** @import { Ask } from "./floor.js" */

/** @param {Ask} ask */
export const startRollCall = (ask) => ask({ type: "start_roll_call" });

/** @param {Ask} ask @param {SiteId} after The site the console believes to be called. */
export const callNextSite = (ask, after) => ask({ type: "call_next_site", after });

/** @param {Ask} ask @param {SiteId} site */
export const callSite = (ask, site) => ask({ type: "call_site", site });

/** @param {Ask} ask @param {SiteId} site */
export const passOverSite = (ask, site) => ask({ type: "pass_over_site", site });

/** @param {Ask} ask */
export const endRollCall = (ask) => ask({ type: "end_roll_call" });

/** @param {Ask} ask @param {SiteId} site @param {Headcount} headcount */
export const setHeadcount = (ask, site, headcount) => ask({ type: "set_headcount", site, headcount });

/** @param {Ask} ask @param {SiteId} site @param {PromptKind} prompt */
export const promptSite = (ask, site, prompt) => ask({ type: "prompt_site", site, prompt });

/** @param {Ask} ask @param {PromptKind} prompt */
export const promptDesks = (ask, prompt) => ask({ type: "prompt_desks", prompt });

/** @param {Ask} ask @param {PromptId} prompt */
export const handlePrompt = (ask, prompt) => ask({ type: "handle_prompt", prompt });
