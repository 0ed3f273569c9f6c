import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { applyFacts } from "../src/state/view.js";
import { demoView } from "./demo-view.mjs";

const RECORDED = new URL("../../tests/transcripts/", import.meta.url);

/** Facts folded onto the old view give exactly the view of joining anew: recorded from the server. */
test("recorded transcripts fold to the views the server would send", async () => {
  const files = (await readdir(RECORDED)).filter((name) => name.endsWith(".json"));
  assert.notEqual(files.length, 0, "no transcript recorded under tests/transcripts");
  for (const name of files) {
    const { viewer, start, steps } = JSON.parse(await readFile(new URL(name, RECORDED), "utf8"));
    let view = start;
    steps.forEach((step, place) => {
      view = applyFacts(view, step.facts);
      assert.deepEqual(view, { ...step.end, fixed: view.fixed }, `${name}, ${viewer}, step ${place}`);
    });
  }
});

test("each fact replaces its slice and nothing else", () => {
  const view = demoView(1_000_000_000);
  const floor = { ...view.floor, open: false };
  const after = applyFacts(view, [{ kind: "floor", floor }]);
  assert.deepEqual(after, { ...view, floor });
  assert.notEqual(after, view);
});

test("comments keep the order of their numbers, however they arrive", () => {
  const view = { ...demoView(0), feed: [] };
  const comment = (id, held = false) => ({ id, site: 1, kind: "agree", words: { at: { draft: 1, paragraph: 1 }, text: "x", proposed: "", delegate: "" }, at: 0, held });
  const after = applyFacts(view, [5, 2, 9].map((id) => ({ kind: "comment", comment: comment(id) })));
  assert.deepEqual(after.feed.map((each) => each.id), [2, 5, 9]);
  const held = applyFacts(after, [{ kind: "comment_gone", comment: 5 }, { kind: "comment", comment: comment(5, true) }]);
  assert.deepEqual(held.feed.map((each) => [each.id, each.held]), [[2, false], [5, true], [9, false]]);
});

test("an unknown fact is an error, not a silence", () => {
  assert.throws(() => applyFacts(demoView(0), [{ kind: "tomorrow" }]), /unknown fact/);
});
