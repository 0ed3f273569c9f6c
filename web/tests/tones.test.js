import assert from "node:assert/strict";
import { test } from "node:test";
import { applyFrame, newApp } from "../src/state/app.js";
import { toneDue } from "../src/state/tones.js";
import { demoView } from "./demo-view.mjs";

const CHAIR = { seat: 1, role: "chair", site: 0, carries: "nothing", label: "" };
const SPEAKER = { seat: 2, role: "moderator", site: 8, carries: "room", label: "" };
const LISTENER = { seat: 3, role: "moderator", site: 12, carries: "room", label: "" };

const join = (me, view) => applyFrame(newApp("chair", {}), { type: "welcome", me, seq: 1, now: 0, view });
const change = (app, floor) => applyFrame(app, { type: "facts", seq: app.seq + 1, now: 0, facts: [{ kind: "floor", floor }] });
/** What a desk hears when its floor becomes this. */
const heard = (app, floor) => toneDue(app, change(app, floor));

test("the chair hears each new request once, and nobody else does", () => {
  const view = demoView(0);
  const asked = { ...view.floor, queue: [...view.floor.queue, { ...view.floor.queue[0], turn: 30, site: 5 }] };
  const pending = { ...view.floor, pending: [{ ...view.floor.queue[0], turn: 30, site: 5 }] };
  assert.equal(heard(join(CHAIR, view), asked), "request");
  assert.equal(heard(join(CHAIR, view), pending), "request");
  assert.equal(heard(join(LISTENER, view), asked), null);
  assert.equal(heard(change(join(CHAIR, view), asked), { ...asked }), null, "told once");
  assert.equal(heard(change(join(CHAIR, view), pending), asked), null, "accepting is the chair's own act");
});

test("a reordered list, a call taken back and a desk that has just come are silent", () => {
  const view = demoView(0);
  const chair = join(CHAIR, view);
  assert.equal(heard(chair, { ...view.floor, queue: view.floor.queue.toReversed() }), null);
  const called = { ...view.floor, turn: { ...view.floor.turn, turn: 25, site: 2 }, queue: view.floor.queue.slice(0, 4) };
  assert.equal(heard(change(chair, called), view.floor), null);
  assert.equal(toneDue(newApp("chair", {}), chair), null);
  const withdrawn = { ...view.floor, queue: view.floor.queue.slice(0, 2) };
  assert.equal(heard(change(chair, withdrawn), { ...view.floor, queue: view.floor.queue.slice(0, 1) }), null);
});

test("the clock's warnings reach who speaks and who presides, each once", () => {
  const view = demoView(0);
  const warned = (s) => ({ ...view.floor, turn: { ...view.floor.turn, warned_s: s } });
  for (const me of [CHAIR, SPEAKER]) {
    const steps = [60, 15, 0].reduce(([app, tones], s) => [change(app, warned(s)), [...tones, heard(app, warned(s))]], [join(me, view), []])[1];
    assert.deepEqual(steps, ["last_minute", "last_seconds", "over"]);
    assert.equal(heard(change(join(me, view), warned(60)), { ...warned(60), open: false }), null);
  }
  assert.equal(heard(join(LISTENER, view), warned(60)), null);
});

test("the deputy who has taken the chair hears what the chair heard", () => {
  const view = demoView(0);
  const deputy = { seat: 9, role: "deputy", site: 0, carries: "nothing", label: "" };
  const taken = { ...view, floor: { ...view.floor, deputy: { seat: 9, label: "Phó" } } };
  const asked = { ...taken.floor, queue: [...taken.floor.queue, { ...taken.floor.queue[0], turn: 30, site: 5 }] };
  assert.equal(heard(join(deputy, taken), asked), "request");
  assert.equal(heard(join(CHAIR, taken), asked), null);
});
