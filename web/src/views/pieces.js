// The pieces every desk is built from.

/** @import { ClientCommand, ClientFrame, Item, Request, RequestWords, SiteTelemetry, View } from "../../generated/protocol.ts" */
/** @import { App, Ui } from "../state/app.js" */
/** @import { Media } from "../media.js" */

import "../elements/clocks.js";
import "../elements/room-picture.js";
import { modal } from "../elements/modal.js";
import { html, nothing } from "../../vendor/lit-html.js";
import { allTurns } from "../state/floor.js";
import { PRESENTATION_SLOT, PROGRAMME_SLOT } from "../slots.js";
import { callName, figures, site, siteCall, siteName } from "../state/sites.js";
import { draftOf } from "../state/comments.js";
import { later } from "./later.js";
import { language, otherLanguage, rich, t } from "../text.js";
import { durationText } from "../time.js";

/**
 * @typedef {object} Ctx What a view is drawn from, and the few things it can do.
 * @property {App} app
 * @property {(command: ClientCommand) => string} ask
 * @property {(frame: ClientFrame) => void} tell What is no command and waits for no answer.
 * @property {(change: Partial<Ui>) => void} ui
 * @property {Media} media
 * @property {() => void} tryNow
 * @property {(pin: string) => void} givePin
 * @property {(text: string, alarming?: boolean) => void} notice
 * @property {(code: string) => void} speak Changes the language.
 * @property {() => void} enter Leaves the green room.
 * @property {() => void} startSound
 */

/** A name short enough for a heading, the full one where it fits. @param {View} view @param {number} id @param {number} [most] */
export function fittingName(view, id, most = 34) {
  const name = siteName(view, id);
  return [...name].length <= most ? name : callName(site(view, id));
}

/** @param {string} name */
export const icon = (name) => html`<i class="icon icon-${name}" aria-hidden="true"></i>`;

/** @param {string} key */
export const kbd = (key) => html`<kbd class="key">${key}</kbd>`;

/** @param {number} count */
export const bars = (count) => html`<span class="bars" aria-hidden="true">${[1, 2, 3, 4].map((each) => html`<i class=${each <= count ? "on" : ""}></i>`)}</span>`;

/** @param {number} count */
export const barsWord = (count) => t(["link-none", "link-weak", "link-fair", "link-good", "link-good"][count] ?? "link-none");

/** @param {SiteTelemetry | null} told @param {boolean} linked */
export const siteBars = (told, linked) => (!linked ? 0 : told?.link ? told.bars : 4);

/** The mark of a state: colour, shape and word. @param {string} kind @param {string} iconName @param {unknown} word */
export const mark = (kind, iconName, word) => html`<span class="state ${kind}">${iconName === "" ? nothing : icon(iconName)}${word}</span>`;

/** How good this page's own link is. @param {App} app */
function ownBars(app) {
  if (app.link !== "joined") return 0;
  const mine = app.me?.site == null ? null : figures(app.telemetry, app.me.site);
  const carries = app.me?.carries === "room" || app.me?.carries === "standby";
  if (carries && mine?.link) return mine.bars;
  return app.rtt === null || app.rtt < 150 ? 4 : app.rtt < 400 ? 2 : 1;
}

/** @param {Ctx} ctx @param {unknown} title @param {unknown} what @param {unknown} [more] */
export function topbar(ctx, title, what, more = nothing) {
  const count = ownBars(ctx.app);
  return html`<header class="topbar">
    ${icon("mark")}<h1 class="role">${title}</h1><p class="what">${what}</p><span class="push"></span>
    ${more}
    <span class="item link-item" title=${t("own-link")}>${bars(count)}<span>${barsWord(count)}</span></span>
    <wall-clock></wall-clock>
    <button class="lang" type="button" lang=${otherLanguage()} @click=${() => ctx.speak(otherLanguage())}
      aria-label=${language() === "vi" ? "EN, English" : "VI, Tiếng Việt"}>${otherLanguage().toUpperCase()}</button>
  </header><div class="banners">${lostBanner(ctx)}${presenting(ctx)?.bar(ctx)}</div>`;
}

/** Only while somebody presents, or would like to. @param {Ctx} ctx */
function presenting(ctx) {
  const stage = ctx.app.view?.stage;
  return stage && (stage.presentation || stage.presentation_asks[0]) ? later(ctx, "presenting", () => import("./presenting.js")) : null;
}

/** Takes its own row and goes away by itself. @param {Ctx} ctx */
function lostBanner(ctx) {
  const { app } = ctx;
  if (app.link !== "lost") return app.stopping ? html`<div class="banner" role="alert">${icon("warn")}<p>${t("server-stopping")}</p></div>` : (app.alarms[0] && later(ctx, "record", () => import("./record.js"), false)?.banner(ctx)) || nothing;
  return html`<div class="banner" role="alert">${icon("warn")}
    <p><b>${t("lost-control")} <since-clock class="num" .since=${app.lostAt}></since-clock>.</b> ${t(app.me?.carries === "nothing" ? "lost-trying" : "lost-media")}</p>
    <button class="btn small" type="button" @click=${ctx.tryNow}>${t("try-now")}</button></div>`;
}

/** For desks that only watch. @param {Ctx} ctx */
export function soundToggle(ctx) {
  const on = ctx.app.media.sound;
  return html`<button class="btn small on-bar" type="button" aria-pressed=${on} @click=${() => ctx.media.listen(!on)}>${icon("speaker")}${t(on ? "sound-on" : "sound-off")}</button>`;
}

/** @param {Ctx} ctx */
export function soundBlocked(ctx) {
  if (!ctx.app.ui.soundBlocked) return nothing;
  return html`<button class="btn sound-blocked" type="button" @click=${ctx.startSound}>${icon("speaker")}${t("sound-blocked")}</button>`;
}

/** "Ý kiến · Dự thảo Kết luận, đoạn 12" @param {View} view @param {RequestWords} words */
export function topicLine(view, words) {
  return [t(`speech-${words.speech}`), subject(view, words)].filter((part) => part !== "").join(" · ");
}

/** The topic in the speaker's words, and the paragraph. @param {View} view @param {RequestWords} words */
export function subject(view, words) {
  const draft = words.paragraph && draftOf(view, words.paragraph.draft);
  const place = draft && words.paragraph ? t("draft-paragraph", { draft: draft.short, n: words.paragraph.paragraph }) : "";
  return [words.topic, place].filter((part) => part !== "").join(" · ");
}

/** Why a request stands where it does. @param {Request} request */
export function whyWords({ why }) {
  if (!why) return "";
  switch (why.why) {
    case "round": return t("why-round", { n: why.turns + 1 });
    case "least_time": return t("why-least_time", { time: durationText(why.used_ms) });
    default: return t(`why-${why.why}`);
  }
}

/** How many minutes it asks for, when it does. @param {{ words: RequestWords }} request */
export const minutesWords = ({ words: { minutes } }) => (minutes ? t("asks-minutes", { n: minutes }) : "");

/** What another machine presents: the programme goes into its corner. @param {Ctx} ctx @param {View} view */
export function withShared({ app }, view) {
  return programmePicture(view, view.stage.programme, PROGRAMME_SLOT, app.media.share === "off" ? shared(view) : nothing);
}

/** @param {View} view */
export const shared = ({ stage }) => (stage.presentation && stage.layout !== "blank" ? html`<room-picture class="shared" .slotNumber=${PRESENTATION_SLOT} .site=${stage.presentation.site} role="img" aria-label=${t("presented", { label: stage.presentation.by })}></room-picture>` : nothing);

/** What the wall shows: a presentation stands where the paragraph would be. @param {View["stage"]} stage */
export const onWall = ({ presentation, layout }) => t(`layout-${presentation && layout === "document" ? "presentation" : layout}`);

/** Framed red while it is heard; never what could pass for live while its room has no link. @param {View} view @param {number | null} site @param {number} [slot] @param {unknown} [over] Another picture, that takes its place. */
export function programmePicture(view, site, slot = PROGRAMME_SLOT, over = nothing) {
  const link = view.sites.find((each) => each.site === site);
  const cut = link !== undefined && link.carrier === null;
  if (over !== nothing && (cut || site === null)) return html`<figure class="tile pgm">${over}</figure>`;
  return html`<figure class="tile pgm ${cut ? "is-lost" : isHeard(view, site) ? "is-live" : ""} ${over === nothing ? "" : "has-shared"}">${over}<room-picture .slotNumber=${slot} .site=${site} role="img"
      aria-label=${t("programme-picture", { site: siteCall(view, site) })}></room-picture>${cut ? html`<p class="no-picture cut-off"><b>${icon("cut")} ${t(link.since === null ? "state-absent" : "state-lost")}</b></p>`
      : over === nothing ? html`<p class="no-picture">${t(site === null ? "no-programme" : "no-picture")}</p>` : nothing}</figure>`;
}

/** Under which speech it hangs. @param {View} view @param {Request} request */
export function aboutWords(view, { about }) {
  const speech = [...allTurns(view.floor), ...view.speeches].find((each) => each.turn === about);
  return speech ? t("about-speech", { site: [siteCall(view, speech.site), speech.words.delegate].filter((part) => part !== "").join(", ") }) : "";
}

/** Under the programme: who speaks, from where, how long. @param {Ctx} ctx @param {View} view */
export function lowerThird(ctx, view) {
  const { turn, hall_microphone } = view.floor;
  const third = view.stage.lower_third;
  if (!turn || !third) {
    // In a roll call a site is heard though nobody has the floor.
    const heard = isHeard(view, view.stage.programme);
    return html`<div class="lower-third quiet-third">${hall_microphone ? mark("live", "mic", t("hall-open")) : heard ? mark("live", "mic", t("state-live")) : html`<span></span>`}
      <div><p class="who">${view.stage.programme === null ? view.fixed.title : siteName(view, view.stage.programme)}</p><p class="from">${heard ? nothing : presenting(ctx)?.caption(view) ?? t("nobody-speaks")}</p></div></div>`;
  }
  const place = subject(view, turn.words);
  return html`<div class="lower-third">${turnMark(view)}
    <div><p class="who">${third.delegate || siteName(view, third.site)}</p>
    <p class="from">${[third.title, third.delegate === "" ? "" : fittingName(view, third.site), place].filter((part) => part !== "").join(" · ")}</p></div>
    <turn-time class="pclk num" .turn=${turn}></turn-time></div>`;
}

/** What the microphone of the turn is: red only while it is open. @param {View} view */
export function turnMark(view) {
  const turn = view.floor.turn;
  if (!turn) return mark("", "mic-off", t("nobody-speaks"));
  if (turn.held) return mark("held", "pause", t("turn-held"));
  if (turn.paused) return mark("held", "pause", t("turn-paused"));
  if (turn.silenced) return mark("held", "mic-off", t("turn-silenced"));
  if (turn.interrupted) return mark("held", "pause", t("turn-interrupted"));
  if (turn.muted) return mark("", "mic-off", t("turn-muted"));
  return isHeard(view, turn.site) ? mark("live", "mic", t("speaking")) : mark("held", "mic-off", t("turn-muted"));
}

/** Whether a site's microphone is open now. @param {View} view @param {number | null} id */
export const isHeard = (view, id) => id !== null && view.stage.heard.includes(id);

/** @param {{ request: Request, place: number }[]} rows @param {View} view @param {number | null} [me] */
export function nextList(rows, view, me = null) {
  if (rows.length === 0) return html`<p class="next empty">${t("list-empty")}</p>`;
  return html`<ol class="next" aria-label=${t("next-up")}>${rows.map(({ request, place }) => html`<li class=${request.site === me ? "me" : ""}>
    <b class="num">${place}</b><span>${fittingName(view, request.site)}${request.site === me ? ` ${t("you")}` : ""}<small>${request.words.delegate || t(`speech-${request.words.speech}`)}</small></span></li>`)}</ol>`;
}

/** What the last order came to, in a fixed place. @param {Ctx} ctx */
export function statusLine(ctx) {
  const { notice } = ctx.app;
  return html`<p class="status-line ${notice?.alarming ? "alarming" : ""}" role="status">${notice ? html`${icon(notice.alarming ? "warn" : "check")}<span>${notice.text}</span>` : nothing}</p>`;
}

/**
 * Says what will happen; the safe way out first.
 * @param {Ctx} ctx @param {{ title: string, text: unknown, stay: string, go: string, act: () => void, field?: unknown }} words
 */
export function dialog(ctx, { title, text, stay, go, act, field = nothing }) {
  const close = () => ctx.ui({ confirm: null });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    act();
    close();
  };
  return html`<dialog class="dialog" ${modal()} @close=${close} aria-labelledby="dialog-title">
    <form @submit=${submit}><h2 id="dialog-title">${title}</h2><p>${text}</p>${field}
    <div class="acts"><button class="btn" type="button" @click=${close}>${stay}</button><button class="btn primary" type="submit">${go}</button></div></form></dialog>`;
}

/** Numbers of documents stay on one line: "03-NQ/TU". @param {string} text */
export const numbered = (text) => text.split(/(\d+-\p{Lu}+(?:\/\p{Lu}+)*)/u).map((part, place) => (place % 2 ? html`<span class="nb">${part}</span>` : part));

/** The short title, and the full one where it fits. @param {Item} item */
export const itemTitle = (item) => (item.short === item.title ? numbered(item.title) : html`<span class="title-short">${numbered(item.short)}</span><span class="title-full">${numbered(item.title)}</span>`);

/** @param {View} view */
export function itemLine(view) {
  const place = view.agenda.items.findIndex((item) => item.id === view.agenda.current);
  const item = view.agenda.items[place];
  return item ? html`${t("item-of", { n: item.id, of: view.agenda.items.length })} · ${itemTitle(item)}` : t("no-item");
}

export { html, nothing, rich, t };
