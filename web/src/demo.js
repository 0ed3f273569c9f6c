// The page of links of the demo conference: open a few roles side by side, or scan a code with a phone.

/** @import { Carries, Role, SiteId } from "../generated/protocol.ts" */
/** @typedef {{ role: Role, site: SiteId | null, site_name?: string | null, label: string, url: string, qr: string, carries: Carries }} DemoLink `qr`: path data of the dark modules, or empty. */

import { html, nothing, render, svg } from "../vendor/lit-html.js";
import "./elements/clocks.js";
import { addTexts, language, loadTexts, otherLanguage, t, wantedLanguage } from "./text.js";

const ROLES = /** @type {const} */ (["chair", "deputy", "secretary", "stage", "technician", "observer"]);

await loadTexts(wantedLanguage());
await Promise.all(["demo", "plain", "secretary", "technician"].map(addTexts));
const root = /** @type {HTMLElement} */ (document.getElementById("page"));
/** @type {DemoLink[] | null} */
const links = await fetch("/demo/links.json").then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
draw();

function draw() {
  document.title = `${t("demo-title")} · diemcau`;
  render(html`<header class="topbar"><i class="icon icon-mark" aria-hidden="true"></i><h1 class="role">diemcau · điểm cầu</h1><p class="what">${t("demo-what")}</p><span class="push"></span><wall-clock></wall-clock>
    <button class="lang" type="button" lang=${otherLanguage()} @click=${speak} aria-label=${language() === "vi" ? "EN, English" : "VI, Tiếng Việt"}>${otherLanguage().toUpperCase()}</button></header>
    ${links ? page(links) : html`<main class="demo"><p class="empty">${t("demo-none")}</p></main>`}`, root);
}

async function speak() {
  await loadTexts(otherLanguage());
  draw();
}

/** @param {DemoLink[]} all */
function page(all) {
  const desks = ROLES.flatMap((role) => all.filter((link) => link.role === role));
  const sites = [...new Set(all.filter((link) => link.role === "moderator").map((link) => link.site))];
  return html`<main class="demo">
    <section class="intro"><h2>${t("demo-title")}</h2><p class="d">${t("demo-intro")}</p><p class="d">${t("demo-camera")}</p>
      <dl><div><dt>${t("sites")}</dt><dd class="num">${sites.length}</dd></div><div><dt>${t("server")}</dt><dd class="num">${location.host}</dd></div></dl>
      <p class="d"><a href="/trust.html">${t("landing-trust-link")}</a></p></section>
    <section class="roles" aria-label=${t("demo-roles")}>${desks.map(card)}</section>
    <section class="sites zone" aria-labelledby="h-sites"><div class="zone-head"><h2 id="h-sites">${t("sites-count", { n: sites.length })}</h2><span class="faint">${t("demo-sites-hint")}</span></div>
      <ul>${sites.map((site, place) => siteRow(all.filter((link) => link.role === "moderator" && link.site === site), place))}</ul></section></main>`;
}

/** @param {DemoLink} link */
function card(link) {
  return html`<article class="role-card"><h3>${link.label || t(`role-${link.role}`)}</h3><p class="dsc">${t(`demo-role-${link.role}`)}</p>
    ${link.qr === "" ? nothing : html`<svg class="qr" viewBox=${box(link.qr)} role="img" aria-label=${t("demo-qr", { label: link.label })} shape-rendering="crispEdges">${svg`<path d=${link.qr}></path>`}</svg>`}
    <a class="btn" href=${link.url} target="_blank" rel="noopener">${t("demo-open", { label: lowered(t(`page-${link.role}`)) })}</a></article>`;
}

/** @param {string} text */
function lowered(text) {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** A quiet border of four modules around the code, whatever its size. @param {string} path */
function box(path) {
  let most = 0;
  let x = 0;
  let y = 0;
  for (const [, how, numbers] of path.matchAll(/([MmHhVvLl])([^MmHhVvLlZz]*)/g)) {
    const values = (numbers?.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
    if (how === "M" || how === "L") [x, y] = [values[0] ?? 0, values[1] ?? 0];
    if (how === "m" || how === "l") [x, y] = [x + (values[0] ?? 0), y + (values[1] ?? 0)];
    if (how === "h") x += values[0] ?? 0;
    if (how === "H") x = values[0] ?? 0;
    if (how === "v") y += values[0] ?? 0;
    if (how === "V") y = values[0] ?? 0;
    most = Math.max(most, x, y);
  }
  return `-4 -4 ${most + 8} ${most + 8}`;
}

/** @param {DemoLink[]} seats @param {number} place */
function siteRow(seats, place) {
  const name = seats.find((seat) => seat.site_name)?.site_name ?? seats[0]?.label ?? "";
  const words = { room: "demo-desk", standby: "demo-standby", watch: "demo-desk", nothing: "demo-companion" };
  return html`<li><b class="num">${place + 1}</b><span>${name}</span><span class="links">${seats.map((seat) => html`<a href=${seat.url} target="_blank" rel="noopener" aria-label="${t(words[seat.carries])}: ${name}">${t(words[seat.carries])}</a>`)}</span></li>`;
}
