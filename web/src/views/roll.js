// Điểm danh: the roll call as a procedure, the quorum, and the attendance sheet. Loaded when it is first opened.

/** @import { Headcount, SiteAttendance, View } from "../../generated/protocol.ts" */
/** @import { Ctx } from "./pieces.js" */

import { Directive, directive } from "../../vendor/directive.js";
import { noChange } from "../../vendor/lit-html.js";
import { callNextSite, callSite, endRollCall, passOverSite, setHeadcount, startRollCall } from "../actions/roll.js";
import { tidy } from "../actions/words.js";
import { presides } from "../state/app.js";
import { cell } from "../state/sheet.js";
import { figures, isLinked, siteCall, siteName } from "../state/sites.js";
import { addTexts, number } from "../text.js";
import { dateText, serverNow, shortTime } from "../time.js";
import { nextAct } from "./chair/next.js";
import { html, icon, kbd, mark, nothing, rich, t } from "./pieces.js";
import { quorumMark } from "./quorum.js";

// The words of the quorum are the observers' and the wall's too.
await addTexts("quorum");

/** The site the sheet was last scrolled to. @type {number | null} */
let shown = null;

/** What is drawn over the chair's desk. @param {Ctx} ctx @param {View} view @param {unknown} close */
export function rollPanel(ctx, view, close) {
  const { attendance } = view;
  const done = attendance.sites.filter((line) => line.how !== null).length;
  const may = presides(ctx.app, view);
  showRow(attendance.calling);
  return html`<div class="zone-head"><h2>${t("roll-title")}</h2><span class="faint num">${t("roll-progress", { n: done, of: view.fixed.sites.length })}</span>${quorum(view)}${close}</div>
    ${attendance.calling === null
      ? html`<p class="roll-start"><button class="btn primary" type="button" ?disabled=${!may || view.floor.turn !== null} @click=${() => (done > 0 ? ctx.ui({ confirm: { what: "roll-again", id: done } }) : startRollCall(ctx.ask))}>${t(done > 0 ? "roll-again" : "roll-start")}</button>
          ${view.floor.turn === null ? nothing : html`<span>${t("roll-wait")}</span>`}</p>`
      : calling(ctx, view, attendance.calling, may)}
    ${sheet(ctx, view, may)}`;
}

/** The called row comes into view once; after that the sheet stays where a person has scrolled it. @param {number | null} calling */
function showRow(calling) {
  if (calling === shown) return;
  shown = calling;
  requestAnimationFrame(() => {
    const sheet = document.querySelector(".over .sheet");
    const row = sheet?.querySelector(".is-called");
    const head = sheet?.querySelector("thead")?.getBoundingClientRect().height ?? 0;
    // Only the sheet is scrolled: the desk under it stays where it is.
    sheet?.scrollBy(0, row ? row.getBoundingClientRect().top - sheet.getBoundingClientRect().top - head : -sheet.scrollTop);
  });
}

/** The called site, large: the fixed call and answer, and what the server measures. @param {Ctx} ctx @param {View} view @param {number} site @param {boolean} may */
function calling(ctx, view, site, may) {
  const link = figures(ctx.app.telemetry, site)?.link ?? null;
  const line = view.attendance.sites.find((each) => each.site === site);
  const level = link?.level_dbov ?? null;
  const name = siteCall(view, site);
  return html`<section class="calling" role="status"><div>${microphone(view, site)}<h3>${siteName(view, site)}</h3>
    <p class="say">${t("roll-call-words", { site: name })}</p><p class="say answer">${t("roll-answer-words", { site: name })}</p></div>
    <div><dl class="num"><div><dt>${t("level")}</dt><dd>${level === null ? "–" : t("dbov", { n: level })}</dd></div><div><dt>${t("delay")}</dt><dd>${link?.rtt_ms == null ? "–" : `${number(link.rtt_ms)} ms`}</dd></div><div><dt>${t("loss")}</dt><dd>${link ? `${number(link.loss_percent, 1)}%` : "–"}</dd></div></dl>
    <p>${line?.heard ? mark("", "check", t("roll-heard")) : mark("weak", "warn", t("roll-not-heard"))}</p><p>${line?.headcount ? rich("roll-count", { n: line.headcount.present + line.headcount.online, of: line.headcount.summoned }) : t("roll-no-count")}</p></div>
    ${may ? html`<p class="roll-acts"><button class="btn primary" type="button" @click=${() => callNextSite(ctx.ask, site)}>${nextAct(ctx, view).words} ${kbd("F2")}</button>
    <button class="btn" type="button" @click=${() => passOverSite(ctx.ask, site)}>${t("pass-over")}</button><button class="btn" type="button" @click=${() => endRollCall(ctx.ask)}>${t("roll-end")}</button></p>` : nothing}</section>`;
}

/** Whether the called site can be heard. @param {View} view @param {number} site */
function microphone(view, site) {
  if (!isLinked(view, site)) return mark("weak", "cut", t("row-unlinked-call"));
  return view.stage.heard.includes(site) ? mark("live", "mic", t("state-live")) : mark("", "mic-off", t("microphone-closed"));
}

/** @param {View} view */
function quorum(view) {
  const { attendance } = view;
  const { present, online, summoned } = attendance;
  const words = rich("roll-sum", { n: number(present + online), of: number(summoned), present: number(present), online: number(online) });
  return html`<span class="quorum"><span>${words}</span> ${quorumMark(attendance.quorum)}</span>`;
}

/** The sheet: a page to print, and a file. @param {Ctx} ctx @param {View} view @param {boolean} may */
export function sheet(ctx, view, may) {
  const role = ctx.app.me?.role;
  return html`<div class="sheet"><table><caption>${t("sheet-title")} · ${view.fixed.title} · ${dateText(serverNow())}</caption>
    <thead><tr><th scope="col">${t("number")}</th><th scope="col">${t("sheet-site")}</th><th scope="col">${t("summoned")}</th><th scope="col">${t("present")}</th><th scope="col">${t("online")}</th><th scope="col">${t("absent")}</th><th scope="col">${t("roll-title")}</th></tr></thead>
    <tbody>${view.attendance.sites.map((line, place) => sheetRow(ctx, view, line, place, may, role === "secretary"))}</tbody>
    <tfoot><tr><td></td><th scope="row">${t("sum")}</th><td class="num">${number(view.attendance.summoned)}</td><td class="num">${number(view.attendance.present)}</td><td class="num">${number(view.attendance.online)}</td><td></td><td></td></tr></tfoot></table>
    <p class="sheet-sum">${quorum(view)}</p><p class="roll-acts"><button class="btn small" type="button" @click=${() => print()}>${icon("doc")}${t("print")}</button>
    <button class="btn small" type="button" @click=${() => download(view)}>${icon("down")}${t("download-csv")}</button></p></div>`;
}

/** @param {Ctx} ctx @param {View} view @param {SiteAttendance} line @param {number} place @param {boolean} may @param {boolean} edits */
function sheetRow(ctx, view, line, place, may, edits) {
  const count = line.headcount;
  const summoned = summonedOf(view, line);
  const calling = view.attendance.calling;
  const result = line.how === null ? (calling === line.site ? t("roll-now") : t("not-called")) : t(`call-${line.how}`);
  const field = (/** @type {"summoned" | "present" | "online"} */ name, /** @type {number | null} */ value) => (edits ? figureField(ctx, view, line, name, value) : value === null ? "–" : number(value));
  return html`<tr class=${calling === line.site ? "is-called" : ""}><td class="num">${place + 1}</td><th scope="row">${siteName(view, line.site)}</th>
    <td class="num">${field("summoned", summoned)}</td><td class="num">${field("present", count?.present ?? null)}</td><td class="num">${field("online", count?.online ?? null)}</td>
    <td>${count ? html`<span class="num">${away(count)}</span>` : html`<span class="faint">${t("roll-no-count")}</span>`}${edits ? reasonField(ctx, view, line) : count?.absent ? ` · ${count.absent}` : nothing}</td>
    <td class="how">${result}${line.at === null ? "" : ` ${shortTime(line.at)}`}${line.heard ? html` <span class="num">${t("dbov", { n: line.heard.level_dbov })}</span>` : nothing}
      ${may && calling !== line.site ? callButton(ctx, view, line) : nothing}</td></tr>`;
}

/** Out of its turn while the roll is called; before and after that the site is called alone, once nobody speaks. @param {Ctx} ctx @param {View} view @param {SiteAttendance} line */
function callButton(ctx, view, line) {
  const again = line.how !== null;
  return html`<button class="btn small" type="button" ?disabled=${view.floor.turn !== null} aria-label=${t(again ? "call-site-again" : "call-site", { site: siteCall(view, line.site) })} @click=${() => callSite(ctx.ask, line.site)}>${t(again ? "call-again" : "call")}</button>`;
}

/** @param {View} view @param {SiteAttendance} line */
const summonedOf = (view, line) => line.headcount?.summoned ?? view.fixed.sites.find((each) => each.id === line.site)?.summoned ?? 0;

/** @param {Headcount} count */
const away = (count) => Math.max(0, count.summoned - count.present - count.online);

/** What nobody has reported stands empty: it is not none. @param {Ctx} ctx @param {View} view @param {SiteAttendance} line @param {"summoned" | "present" | "online"} name @param {number | null} value */
function figureField(ctx, view, line, name, value) {
  return html`<input class="input num" type="number" inputmode="numeric" min="0" max="9999" aria-label=${`${t(name)}, ${siteCall(view, line.site)}`} placeholder="–"
    ${told(value === null ? "" : String(value))} name=${name} @change=${report(ctx, line)}>`;
}

/** @param {Ctx} ctx @param {View} view @param {SiteAttendance} line */
function reasonField(ctx, view, line) {
  return html`<input class="input reason" maxlength="400" autocomplete="off" aria-label=${`${t("absent-who")}, ${siteCall(view, line.site)}`} placeholder=${t("absent-who")} ?disabled=${line.headcount === null}
    ${told(line.headcount?.absent ?? "")} name="absent" @change=${report(ctx, line)}>`;
}

/** What the server has, but for a field in which somebody types. It is marked from the moment it is changed until it says that. */
const told = directive(class extends Directive {
  /** @type {string | undefined} */
  #was;

  /** @param {{ element: HTMLInputElement }} part @param {[string]} args */
  update({ element }, [value]) {
    if (this.#was === undefined) element.addEventListener("blur", () => this.#left(element));
    if (value !== this.#was && (element !== document.activeElement || element.value === this.#was)) element.value = value;
    this.#was = value;
    if (element.value === value) element.removeAttribute("aria-invalid");
    return noChange;
  }

  /** Typed in and given up, it is as the server has it. @param {HTMLInputElement} element */
  #left(element) {
    if (!element.hasAttribute("aria-invalid")) element.value = this.#was ?? "";
  }
});

/**
 * What a secretary has heard by telephone stands in the sheet like a site's own report. It is the row as it stands: of two figures
 * typed after each other the server may not have the first yet. @param {Ctx} ctx @param {SiteAttendance} line
 */
const report = (ctx, line) => (/** @type {Event} */ event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  const row = /** @type {HTMLElement} */ (field.closest("tr"));
  const typed = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (row.querySelector(`[name=${name}]`)).value;
  const count = (/** @type {string} */ name) => Math.max(0, Math.trunc(Number(typed(name)))) || 0;
  field.value = field.name === "absent" ? tidy(field.value) : String(count(field.name));
  field.setAttribute("aria-invalid", "true");
  setHeadcount(ctx.ask, line.site, { summoned: count("summoned"), present: count("present"), online: count("online"), absent: tidy(typed("absent")) });
};

/** UTF-8 with a byte-order mark, so that spreadsheets read Vietnamese. @param {View} view */
export function csv(view) {
  const head = ["number", "sheet-site", "summoned", "present", "online", "absent", "absent-who", "roll-title", "level", "delay", "loss"].map((word) => t(word));
  const rows = view.attendance.sites.map((line, place) => {
    const { headcount: count, heard } = line;
    return [place + 1, siteName(view, line.site), summonedOf(view, line), count?.present ?? "", count?.online ?? "", count ? away(count) : "", count?.absent ?? "",
      line.how === null ? t("not-called") : t(`call-${line.how}`), heard?.level_dbov ?? "", heard?.rtt_ms ?? "", heard ? number(heard.loss_permille / 10, 1) : ""];
  });
  return `\ufeff${[head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** @param {View} view */
function download(view) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv(view)], { type: "text/csv;charset=utf-8" }));
  link.download = "diem-danh.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}
