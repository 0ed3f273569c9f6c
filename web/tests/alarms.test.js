import assert from "node:assert/strict";
import { test } from "node:test";
import { applyFrame, newApp } from "../src/state/app.js";
import { demoView } from "./demo-view.mjs";

const ME = { seat: 0, role: "chair", site: 0, carries: "watch", label: "" };
const join = (app) => applyFrame(app, { type: "welcome", me: ME, seq: 1, now: 0, view: demoView(0) });
const tell = (app, ...alarms) => applyFrame(app, { type: "alarms", alarms });
const knows = (app, known) => ({ ...app, ui: { ...app.ui, known } });

test("a desk knows what is wrong with the record, and forgets it with a new welcome", () => {
  const wrong = tell(join(newApp("chair", {})), "record_full", "mirror_fails");
  assert.deepEqual(wrong.alarms, ["record_full", "mirror_fails"]);
  assert.deepEqual(tell(wrong).alarms, []);
  assert.deepEqual(join(wrong).alarms, []);
});

test("alarms that were seen are shown again when something changes", () => {
  const seen = knows(tell(join(newApp("technician", {})), "record_rebuilt"), ["record_rebuilt"]);
  assert.deepEqual(tell(seen, "record_rebuilt", "mirror_fails").ui.known, []);
});
