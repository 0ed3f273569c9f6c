// Questions about the private prompts between desks and sites.

/** @import { Prompt, PromptKind, SiteId, View } from "../../generated/protocol.ts" */

/** What desks tell a site. */
export const TO_SITE = /** @type {const} */ (["near_microphone", "slower", "one_minute_left", "prepare"]);

/** What a site tells the desks. */
export const FROM_SITE = /** @type {const} */ (["need_help", "cannot_hear", "cannot_see"]);

/** @param {PromptKind} kind */
export const isFromSite = (kind) => FROM_SITE.some((each) => each === kind);

/** What sites have said and nobody has seen to, the oldest first. @param {View} view */
export const openFromSites = (view) => view.prompts.filter((prompt) => prompt.handled === null && isFromSite(prompt.kind));

/** The last prompt of a kind to or from a site. @param {View} view @param {SiteId} site @param {PromptKind} kind @returns {Prompt | null} */
export const lastPrompt = (view, site, kind) => view.prompts.findLast((prompt) => prompt.site === site && prompt.kind === kind) ?? null;
