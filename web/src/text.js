// Every text on the screen comes from locales/*.ftl through here.

import { FluentBundle } from "../vendor/fluent/bundle.js";
import { FluentResource } from "../vendor/fluent/resource.js";
import { html } from "../vendor/lit-html.js";

const LANGUAGES = ["vi", "en"];
const KEPT = "diemcau.lang";

/** A message's `<b>` or `</b>`; nobody's words hold it, for the server drops what has no shape. */
const BOLD = "\u0001";

/** @param {string} code */
const newBundle = (code) => new FluentBundle(code, { useIsolating: false, transform: (/** @type {string} */ text) => text.replace(/<\/?b>/g, BOLD) });

let bundle = newBundle("vi");
let current = "vi";

/** The language asked for by the address, else the one chosen before, else Vietnamese. */
export function wantedLanguage() {
  const asked = new URLSearchParams(location.search).get("lang");
  const kept = localStorage.getItem(KEPT);
  return [asked, kept].find((code) => code !== null && LANGUAGES.includes(code)) ?? "vi";
}

/** Texts that come with a part of a page that is loaded later. @type {Set<string>} */
const parts = new Set();

/** @param {string} file */
const resource = async (file) => new FluentResource(await (await fetch(`/locales/${file}.ftl`)).text());

/** The texts of a part, before the part is drawn: `locales/vi-<part>.ftl`. @param {string} part */
export async function addTexts(part) {
  if (parts.has(part)) return;
  bundle.addResource(await resource(`${current}-${part}`));
  parts.add(part);
}

/** @param {string} code */
export async function loadTexts(code) {
  const files = [code, ...[...parts].map((part) => `${code}-${part}`)];
  const next = newBundle(code);
  for (const each of await Promise.all(files.map(resource))) next.addResource(each);
  bundle = next;
  current = code;
  document.documentElement.lang = code;
  localStorage.setItem(KEPT, code);
}

export const language = () => current;
export const otherLanguage = () => (current === "vi" ? "en" : "vi");

/** @param {string} id @param {Record<string, string | number>} [args] @returns {string} */
export function t(id, args) {
  const message = bundle.getMessage(id);
  if (!message) return id;
  return bundle.formatPattern(message.value, args ?? null, []);
}

/** The same with `<b>…</b>` in the message shown as strong text. @param {string} id @param {Record<string, string | number>} [args] */
export function rich(id, args) {
  return t(id, args).split(BOLD).map((part, place) => (place % 2 ? html`<b>${part}</b>` : part));
}

/** "1.234,5" @param {number} value @param {number} [digits] */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(current, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}
