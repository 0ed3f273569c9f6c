// The first load of each page: what a browser fetches before the desk can be used, compressed, without fonts.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const WEB = new URL("..", import.meta.url);
const MOST_KB = 75;

/** @param {string} file @param {Set<string>} into */
async function withImports(file, into) {
  if (into.has(file)) return into;
  into.add(file);
  if (!file.endsWith(".js")) return into;
  const code = await readFile(new URL(file, WEB), "utf8");
  for (const [, from] of code.matchAll(/(?:^|[;}\s])(?:import|export)(?:[^"'();]*?from)?\s*"(\.[^"]+)"/gm)) {
    await withImports(new URL(from, new URL(file, WEB)).href.slice(WEB.href.length), into);
  }
  return into;
}

/** @param {string} page */
async function filesOf(page) {
  const main = await readFile(new URL("src/main.js", WEB), "utf8");
  const [, styles, texts = "", view] = main.match(new RegExp(`"/${page}": \\{[^}]*styles: \\[([^\\]]*)\\](?:, texts: \\[([^\\]]*)\\])?[^}]*import\\("\\./([^"]+)"\\)`)) ?? [];
  const all = new Set(["index.html", "locales/vi.ftl", "styles/icons.svg", "styles/tokens.css", "styles/components.css", "styles/shell.css"]);
  for (const [, name] of styles.matchAll(/"(\w+)"/g)) all.add(`styles/${name}.css`);
  for (const [, name] of texts.matchAll(/"(\w+)"/g)) all.add(`locales/vi-${name}.ftl`);
  await withImports("src/main.js", all);
  await withImports(`src/${view}`, all);
  return all;
}

/** A site's page is the room's own desk or a phone beside it: what only one of them draws is fetched by that one. */
const FIRST = [["chair"], ["secretary"], ["site", "desk"], ["site", "companion"], ["technician"], ["observer"], ["stage"]];

for (const [page, part] of FIRST) {
  test(`/${page}${part ? ` as ${part}` : ""} loads in at most ${MOST_KB} KB`, async (t) => {
    let bytes = 0;
    const files = await filesOf(page);
    if (part) await withImports(`src/views/${page}/${part}.js`, files);
    for (const file of files) bytes += gzipSync(await readFile(new URL(file, WEB)), { level: 9 }).length;
    t.diagnostic(`${part ?? page}: ${(bytes / 1024).toFixed(1)} KB`);
    assert.ok(bytes <= MOST_KB * 1024, `${(bytes / 1024).toFixed(1)} KB`);
  });
}

test("no page asks anything outside, and none carries inline script or style", async () => {
  for (const file of ["index.html", "demo.html", "trust.html"]) {
    const text = await readFile(new URL(file, WEB), "utf8");
    assert.doesNotMatch(text, /(?:src|href)="(?:https?:)?\/\//, file);
    assert.doesNotMatch(text, /<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/, file);
  }
  for (const page of ["chair", "secretary", "site", "technician", "observer", "stage"]) {
    for (const file of await filesOf(page)) {
      if (file.startsWith("vendor/")) continue;
      const text = await readFile(new URL(file, WEB), "utf8");
      assert.doesNotMatch(text.replaceAll("http://www.w3.org/2000/svg", ""), /https?:\/\/|\sstyle=|innerHTML|unsafeHTML/, file);
    }
  }
});
