import assert from "node:assert/strict";
import { test } from "node:test";
import { acknowledge } from "../src/actions/health.js";
import { applyFrame, newApp } from "../src/state/app.js";
import { openBySite, seenTo } from "../src/state/health.js";
import { demoView } from "./demo-view.mjs";

const ME = { seat: 18, role: "technician", site: null, carries: "watch", label: "Kỹ thuật" };
const BY = { seat: 18, by: "Kỹ thuật", at: 2_000 };
const join = (app) => applyFrame(app, { type: "welcome", me: ME, seq: 1, now: 0, view: demoView(0) });
const tell = (app, ...alarms) => applyFrame(app, { type: "health", alarms });
const alarm = (number, site, kind, acknowledged = null) => ({ alarm: number, site, kind, since: 1_000, value: 7.2, limit: 5, step: null, acknowledged });

test("a desk shows what the server says is wrong, and forgets it with a new welcome", () => {
  const wrong = tell(join(newApp("technician", {})), alarm(1, 3, "loss"));
  assert.deepEqual(wrong.health.map((each) => each.kind), ["loss"]);
  assert.deepEqual(tell(wrong).health, []);
  assert.deepEqual(join(wrong).health, []);
});

test("an alarm somebody sees to leaves the rows and stays on the quiet line", () => {
  const app = tell(join(newApp("technician", {})), alarm(1, 3, "loss", BY), alarm(2, 3, "jitter"));
  assert.deepEqual(openBySite(app.health, app.view), [{ site: 3, alarms: [alarm(2, 3, "jitter")] }]);
  assert.deepEqual(seenTo(app.health), [alarm(1, 3, "loss", BY)]);
});

test("a site has one row, and who speaks comes first", () => {
  const view = demoView(0);
  const speaks = view.floor.turn.site;
  const other = speaks === 1 ? 2 : 1;
  const health = [alarm(1, other, "loss"), alarm(2, other, "freezes"), alarm(3, speaks, "silent")];
  assert.deepEqual(openBySite(health, view).map(({ site, alarms }) => [site, alarms.map((each) => each.kind)]), [[speaks, ["silent"]], [other, ["loss", "freezes"]]]);
});

test("seeing to a site's alarms is a frame for each", () => {
  const said = [];
  acknowledge((frame) => said.push(frame), [alarm(4, 1, "loss"), alarm(9, 1, "jitter")]);
  assert.deepEqual(said, [{ type: "acknowledge_health", alarm: 4 }, { type: "acknowledge_health", alarm: 9 }]);
});
