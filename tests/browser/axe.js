// axe-core over a page as it stands: what would keep somebody out of it.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const GRAVE = ["serious", "critical"];

export const language = (page) => page.evaluate(() => document.documentElement.lang);

/** The grave findings, each with its rule, place and reason. */
export async function grave(page, name) {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  });
  // The source is evaluated from outside, so the page is checked under the policy it is served with.
  // The wall in small is a frame of its own, drawn without a script: it is looked at as the wall.
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(AXE);
  const violations = await page.evaluate(async (values) => {
    const told = await globalThis.axe.run(document, { iframes: false, runOnly: { type: "tag", values }, resultTypes: ["violations"] });
    return told.violations.flatMap(({ id, nodes }) => nodes.map(({ impact, target, failureSummary, html }) => ({ id, impact, target, failureSummary, html })));
  }, RULES);
  const told = `${name}, ${await language(page)}`;
  return violations.filter(({ impact }) => GRAVE.includes(impact)).map(({ id, impact, target, failureSummary, html }) =>
    `${told}: ${impact} ${id} at ${target.join(" ")}\n    ${failureSummary.replace(/\s+/g, " ")}\n    ${html.slice(0, 160)}`);
}
