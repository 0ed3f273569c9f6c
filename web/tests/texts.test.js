import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { FluentBundle } from "../vendor/fluent/bundle.js";
import { FluentResource } from "../vendor/fluent/resource.js";

const WEB = new URL("..", import.meta.url);

/** All texts of a language: those every page loads, and those of the parts that are loaded later. */
async function source(code) {
  const files = (await readdir(new URL("locales/", WEB))).filter((file) => file === `${code}.ftl` || file.startsWith(`${code}-`));
  return (await Promise.all(files.sort().map((file) => readFile(new URL(`locales/${file}`, WEB), "utf8")))).join("\n");
}

const keysOf = (text) => new FluentResource(text).body.map((message) => message.id);

async function files(folder) {
  const entries = await readdir(new URL(folder, WEB), { withFileTypes: true });
  const inside = await Promise.all(entries.map((entry) => (entry.isDirectory() ? files(`${folder}${entry.name}/`) : [`${folder}${entry.name}`])));
  return inside.flat();
}

test("both languages have the same keys, each once, and the same arguments", async () => {
  const [vi, en] = await Promise.all([source("vi"), source("en")]);
  assert.deepEqual([...keysOf(vi)].sort(), [...keysOf(en)].sort());
  assert.equal(new Set(keysOf(vi)).size, keysOf(vi).length);
  const parse = (text) => new Map([...text.matchAll(/^([\w-]+) = ((?:.*)(?:\n[ \t]+.*)*(?:\n\})?)/gm)].map(([, key, value]) => [key, [...new Set(value.match(/\$\w+/g) ?? [])].sort().join()]));
  const english = parse(en);
  for (const [key, args] of parse(vi)) assert.equal(english.get(key), args, key);
});

test("every text can be formatted", async () => {
  for (const code of ["vi", "en"]) {
    const bundle = new FluentBundle(code, { useIsolating: false });
    assert.deepEqual(bundle.addResource(new FluentResource(await source(code))), []);
    const args = { n: 2, of: 3, site: "X", label: "X", draft: "X", title: "X", word: "X", left: "X", how: "X", layout: "X", most: 5, time: "X", text: "X", hall: "X", code: "4711", count: 1, proposed: 1, revoked: 1, what: "X", from: "X", to: "X", present: 1, online: 1 };
    for (const key of keysOf(await source(code))) {
      const errors = [];
      bundle.formatPattern(bundle.getMessage(key).value, args, errors);
      assert.deepEqual(errors, [], `${code}: ${key}`);
    }
  }
});

test("every key used in the pages exists, and every key is used", async () => {
  const keys = new Set(keysOf(await source("vi")));
  const code = (await Promise.all((await files("src/")).map((file) => readFile(new URL(file, WEB), "utf8")))).join("\n");
  const used = [...code.matchAll(/\b(?:t|rich)\(\s*"([\w-]+)"/g)].map((match) => match[1]);
  for (const key of used) assert.ok(keys.has(key), `missing: ${key}`);
  const families = [...code.matchAll(/`([a-z-]+-)\$\{/g)].map((match) => match[1]);
  const quoted = new Set([...code.matchAll(/"([a-z][\w-]+)"/g)].map((match) => match[1]));
  for (const key of keys) assert.ok(quoted.has(key) || families.some((family) => key.startsWith(family)), `unused: ${key}`);
});

test("every value of the protocol's lists has a word", async () => {
  const keys = new Set(keysOf(await source("vi")));
  const protocol = await readFile(new URL("generated/protocol.ts", WEB), "utf8");
  const lists = { Refusal: "refusal-", ErrorWhy: "error-", SpeechType: "speech-", CommentKind: "kind-", Layout: "layout-", QueueMode: "queue-", Why: "why-", PromptKind: "prompt-", CallEnd: "call-", Waiting: "waiting-", StepKind: "step-", HealthKind: "wrong-", Readiness: "ready-", Role: "role-", Carries: "carries-", TurnEnd: "end-" };
  for (const [type, family] of Object.entries(lists)) {
    const listed = protocol.match(new RegExp(`export type ${type} = ([^]+?);\n(?:\n|$)`))[1];
    // A list whose values carry figures is tagged; the others are bare words.
    const tagged = [...listed.matchAll(/"(?:mode|why)": "(\w+)"/g)].map((match) => match[1]);
    const values = tagged.length > 0 ? tagged : listed.match(/"(\w+)"/g).map((value) => value.slice(1, -1));
    for (const value of values) assert.ok(keys.has(family + value), `${family}${value}`);
  }
  for (const how of ["released", "revoked", "succeeded", "time_up", "item_finished", "away"]) assert.ok(keys.has(`my-ended-${how}`) && keys.has(`my-ended-${how}-what`), how);
});

test("words that mislead are not on the screen", async () => {
  const text = (await source("vi")).toLowerCase();
  for (const word of ["phòng họp con", "quản trị viên", "người kiểm duyệt", "giơ tay", "bật tiếng phát", "tắt tiếng", "mở tiếng", "nghị trình", "bình luận", "sân khấu", "khán giả", "mất mạng", "hết hạn"]) {
    assert.ok(!text.includes(word), word);
  }
});

test("the page of the demo's links has every word that it says of a role", async () => {
  const demo = await readFile(new URL("src/demo.js", WEB), "utf8");
  const [, parts] = demo.match(/\[((?:"\w+",? ?)+)\]\.map\(addTexts\)/);
  const loaded = await Promise.all(["vi.ftl", ...[...parts.matchAll(/\w+/g)].map(([part]) => `vi-${part}.ftl`)].map((file) => readFile(new URL(`locales/${file}`, WEB), "utf8")));
  const keys = new Set(keysOf(loaded.join("\n")));
  const [, roles] = demo.match(/ROLES = [^[]*\[([^\]]*)\]/);
  for (const [role] of roles.matchAll(/\w+/g)) for (const family of ["role", "demo-role", "page"]) assert.ok(keys.has(`${family}-${role}`), `${family}-${role}`);
});
