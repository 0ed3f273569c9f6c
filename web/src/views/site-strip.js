// One site, looked at by a desk: its picture for this desk alone, what it has used, and what can be said to it in private.
// What sites say to the desks stands here too. Fetched when a desk first needs it.

/** @import { PromptKind, SiteId, View } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { handlePrompt, promptSite } from "../actions/roll.js";
import { setSpotlight } from "../actions/room.js";
import { allTurns } from "../state/floor.js";
import { timeUsed } from "../state/desk.js";
import { TO_SITE, lastPrompt, openFromSites } from "../state/prompts.js";
import { figures, siteCall, siteName } from "../state/sites.js";
import { PREVIEW_SLOT, PROGRAMME_SLOT, TILE_SLOTS } from "../slots.js";
import { number } from "../text.js";
import { durationText, shortTime } from "../time.js";
import { later } from "./later.js";
import { html, icon, kbd, mark, nothing, t } from "./pieces.js";

/** The site whose chip or row is open. @param {Ctx} ctx @param {View} view */
export function siteStrip(ctx, view) {
  const id = ctx.app.ui.chip;
  if (id === null) return nothing;
  const sites = view.fixed.sites.map((each) => each.id);
  const turnTo = (/** @type {number} */ by) => ctx.ui({ chip: sites[(sites.indexOf(id) + by + sites.length) % sites.length] ?? id });
  return html`<div class="site-strip" role="group" tabindex="-1" aria-label=${siteName(view, id)}>${preview(ctx, view, id)}
    <div class="about"><p class="name"><b>${siteName(view, id)}</b></p>${usedLines(view, id)}${lostLine(view, id)}${ctx.app.page === "technician" ? linkLine(ctx, id) : nothing}
      <p class="turn-to"><button class="btn small" type="button" aria-label=${t("site-before")} @click=${() => turnTo(-1)}>‹</button><button class="btn small" type="button" aria-label=${t("site-after")} @click=${() => turnTo(1)}>›</button>
        <button class="btn small" type="button" @click=${enlarge}>${icon("full")}${t("enlarge")}</button>
        <button class="btn small" type="button" @click=${() => ctx.ui({ chip: null })}>${t("close")} ${kbd("Esc")}</button></p></div>
    <div class="tell"><p>${t("prompt-to-site")}</p><div class="strip-acts">${TO_SITE.map((kind) => promptButton(ctx, view, id, kind))}</div>${wrong(ctx, id)}</div></div>`;
}

/** The slot that brings a site's picture now: its own tile, else the programme while that is its picture, else the one a desk may look through; -1: none does. @param {Ctx} ctx @param {View} view @param {SiteId} id */
function slotOf({ app }, { stage }, id) {
  const tile = stage.tiles.slice(0, TILE_SLOTS).indexOf(id);
  if (tile >= 0) return tile + 1;
  if (stage.programme === id) return PROGRAMME_SLOT;
  return app.me?.role === "secretary" ? -1 : PREVIEW_SLOT;
}

/** @param {Ctx} ctx @param {View} view @param {SiteId} id */
function preview(ctx, view, id) {
  const slot = slotOf(ctx, view, id);
  const own = slot === PREVIEW_SLOT && view.stage.tiles[TILE_SLOTS - 1] !== id;
  return html`<figure class="tile">${slot >= 0
    ? html`<room-picture .slotNumber=${slot} .site=${id} .preview=${own} role="img" aria-label=${t("preview-of", { site: siteCall(view, id) })}></room-picture>`
    : html`<p class="no-picture">${t("preview-other-page")}</p>`}<figcaption class="strip">${t("only-here")}</figcaption></figure>`;
}

/** @param {Event} event */
const enlarge = (event) => void /** @type {HTMLElement} */ (event.currentTarget).closest(".site-strip")?.querySelector(".tile")?.requestFullscreen();

/** Time used: in the running item, and in all. @param {View} view @param {SiteId} id */
function usedLines(view, id) {
  const here = timeUsed(view.floor, id, view.agenda.current);
  const all = timeUsed(view.floor, id);
  if (all.turns === 0) return html`<p class="used">${t(allTurns(view.floor).some((turn) => turn.site === id) ? "used-first" : "used-none")}</p>`;
  return html`<p class="used num">${t("used-in-item", { time: durationText(here.ms), n: here.turns })}<br>${t("used-in-all", { time: durationText(all.ms), n: all.turns })}</p>`;
}

/** A technician has the alarms above the table, the other desks here. @param {Ctx} ctx @param {SiteId} id */
function wrong(ctx, id) {
  if (ctx.app.page === "technician" || !ctx.app.health.some((alarm) => alarm.site === id)) return nothing;
  return later(ctx, "health", () => import("./health.js"), false)?.ofSite(ctx, id) ?? nothing;
}

/** What is wrong with whoever speaks. @param {Ctx} ctx @param {View} view */
export function ofSpeaker(ctx, view) {
  const site = view.floor.turn?.site;
  if (site === undefined || !ctx.app.health.some((alarm) => alarm.site === site)) return null;
  return later(ctx, "health", () => import("./health.js"), false)?.ofSpeaker(ctx, site, siteCall(view, site)) ?? null;
}

/** Its picture is black for a reason. @param {View} view @param {SiteId} id */
function lostLine(view, id) {
  const link = view.sites.find((each) => each.site === id);
  if (!link || link.carrier !== null) return nothing;
  return html`<p class="used">${mark("lost", "cut", t(link.since === null ? "state-absent" : "state-lost"))} ${link.since === null ? nothing : html`<since-clock class="num" .since=${link.since}></since-clock>`}</p>`;
}

/** What of a site's link has no column of its own. @param {Ctx} ctx @param {SiteId} id */
function linkLine({ app }, id) {
  const told = figures(app.telemetry, id);
  if (!told?.link) return nothing;
  const { jitter_ms, freezes } = told.link;
  const words = [jitter_ms === null ? "" : t("strip-jitter", { n: number(jitter_ms) }), t("strip-freezes", { n: freezes })];
  return html`<p class="used num">${words.filter((part) => part !== "").join(" · ")}</p>`;
}

/** While nobody at the site has seen to it, it is not said again; then when it was seen. @param {Ctx} ctx @param {View} view @param {SiteId} id @param {PromptKind} kind */
function promptButton(ctx, view, id, kind) {
  const last = lastPrompt(view, id, kind);
  const waits = last !== null && last.handled === null;
  const seen = last?.handled ? html`<small class="num">${icon("check")}${t("prompt-seen", { time: shortTime(last.handled) })}</small>` : waits ? html`<small>${t("prompt-waits")}</small>` : nothing;
  return html`<button class="btn small ${waits ? "pressed" : ""}" type="button" ?disabled=${waits} @click=${() => promptSite(ctx.ask, id, kind)}><span>${t(`prompt-${kind}`)}${seen}</span></button>`;
}

/** What sites have said and nobody has seen to. @param {Ctx} ctx @param {View} view @param {number} most How many are written out. */
export function asked(ctx, view, most = 1) {
  const open = openFromSites(view);
  if (open.length === 0) return nothing;
  return html`<div role="status"><ul class="asked">${open.slice(0, most).map((prompt) => html`<li>${mark("weak", "warn", t(`prompt-${prompt.kind}`))} <b>${siteCall(view, prompt.site)}</b>
    <since-clock class="num" .since=${prompt.at}></since-clock>
    <button class="btn small" type="button" @click=${() => handlePrompt(ctx.ask, prompt.id)}>${icon("check")}${t("prompt-handled")}</button></li>`)}${open.length > most ? html`<li class="more num">+${open.length - most}</li>` : nothing}</ul></div>`;
}

/** The programme is fixed on a site: by whom, and the way back. @param {Ctx} ctx @param {View} view @param {boolean} may */
export function lock(ctx, view, may) {
  const { spotlight } = view.stage;
  if (!spotlight) return nothing;
  return html`<p class="lock">${icon("lock")}<span>${t("spotlight-by", { site: siteCall(view, spotlight.site), label: spotlight.by })}</span>${may ? html`<button class="btn small" type="button" @click=${() => setSpotlight(ctx.ask, null)}>${t("follow-floor")}</button>` : nothing}</p>`;
}
