import assert from "node:assert/strict";
import { test } from "node:test";
import { applyFrame, newApp } from "../src/state/app.js";
import { asHeard, followOwn, silence } from "../src/state/own.js";
import { demoView } from "./demo-view.mjs";

const ME = { seat: 2, role: "moderator", site: 12, carries: "room", label: "" };

/** The desk of site 12, whose request 23 waits for a named delegate. */
function joined() {
  const view = demoView(0);
  return { view, app: hear(newApp("site", {}), { type: "welcome", me: ME, seq: 1, now: 0, view }) };
}

/** A frame as the site's page takes it. */
const hear = (app, frame) => followOwn(app, applyFrame(app, frame));
const floorFact = (seq, floor) => ({ type: "facts", seq, now: 0, facts: [{ kind: "floor", floor }] });

test("a site's desk knows whose request was denied, and forgets what is over", () => {
  const { app, view } = joined();
  const delegate = view.floor.queue[2].words.delegate;
  assert.deepEqual(app.ui.asked, { 23: delegate });
  const queue = view.floor.queue.filter((request) => request.turn !== 23);
  const denied = hear(app, floorFact(2, { ...view.floor, queue, denied: [{ turn: 23, site: 12, reason: "", item_over: false }] }));
  assert.deepEqual(denied.ui.asked, { 23: delegate });
  const gone = hear(denied, floorFact(3, { ...view.floor, queue, denied: [] }));
  assert.deepEqual(gone.ui.asked, {});
});

test("a desk that comes later does not guess a name", () => {
  const view = demoView(0);
  const floor = { ...view.floor, queue: [], denied: [{ turn: 23, site: 12, reason: "", item_over: false }] };
  const app = hear(newApp("site", {}), { type: "welcome", me: ME, seq: 1, now: 0, view: { ...view, floor } });
  assert.deepEqual(app.ui.asked, { 23: "" });
});

test("the question before a withdrawal goes with its request, and when the site is invited", () => {
  const { app, view } = joined();
  const asked = { ...app, ui: { ...app.ui, confirm: { what: "withdraw", id: 23 } } };
  assert.notEqual(hear(asked, floorFact(2, { ...view.floor })).ui.confirm, null);
  const queue = view.floor.queue.filter((request) => request.turn !== 23);
  assert.equal(hear(asked, floorFact(2, { ...view.floor, queue })).ui.confirm, null);
  assert.equal(hear(asked, floorFact(2, { ...view.floor, turn: { ...view.floor.turn, turn: 40, site: 12 } })).ui.confirm, null);
});

test("a turn that begins invites, one that runs when the desk joins does not", () => {
  const { app, view } = joined();
  const turn = { ...view.floor.turn, turn: 23, site: 12 };
  const queue = view.floor.queue.filter((request) => request.turn !== 23);
  const called = hear({ ...app, ui: { ...app.ui, asking: "speech" } }, floorFact(2, { ...view.floor, queue, turn }));
  assert.deepEqual([called.ui.summoned, called.ui.asking], [23, ""]);
  const late = hear(newApp("site", {}), { type: "welcome", me: ME, seq: 1, now: 0, view: { ...view, floor: { ...view.floor, queue, turn } } });
  assert.equal(late.ui.summoned, null);
});

test("a machine is on air only while all of its way is: link, uplink, microphone and the server's word", () => {
  const { app, view } = joined();
  const heard = { ...view, sites: [{ ...view.sites[0], site: 12, carrier: "room" }], stage: { ...view.stage, heard: [4, 12] } };
  const media = { uplink: "connected", capturing: false, hasMicrophone: true, microphoneOpen: true, microphoneTrouble: null };
  const on = { ...app, view: heard, media };
  const but = (change) => silence({ ...on, media: { ...media, ...change } });
  assert.equal(silence(on), "");
  assert.equal(asHeard(on, heard), heard);
  assert.equal(silence({ ...on, link: "lost" }), "reconnecting");
  assert.equal(but({ hasMicrophone: false, microphoneTrouble: "missing" }), "microphone-missing");
  assert.equal(but({ hasMicrophone: false, capturing: true }), "opening-device");
  assert.equal(but({ microphoneOpen: false }), "microphone-closed");
  assert.equal(but({ uplink: "failed" }), "uplink-failed");
  assert.equal(but({ uplink: "connecting" }), "uplink-connecting");
  const unheard = { ...heard, stage: { ...heard.stage, heard: [4] } };
  assert.equal(silence({ ...on, view: unheard }), "microphone-ready");
  assert.equal(asHeard({ ...on, link: "lost" }, heard), heard, "the server's last word");
  assert.deepEqual(asHeard({ ...on, media: { ...media, uplink: "failed" } }, heard).stage.heard, [4]);
});

test("a machine whose site is carried by another one has the server's word, whatever its own microphone is", () => {
  const { app, view } = joined();
  const media = { uplink: "failed", capturing: false, hasMicrophone: false, microphoneOpen: true, microphoneTrouble: "missing" };
  const as = (carries, carrier, heard) => {
    const told = { ...view, sites: [{ ...view.sites[0], site: 12, carrier }], stage: { ...view.stage, heard } };
    return silence({ ...app, me: { ...ME, carries }, media, view: told });
  };
  assert.equal(as("room", "standby", [12]), "");
  assert.equal(as("standby", "room", [12]), "");
  assert.equal(as("nothing", "room", [12]), "");
  assert.equal(as("nothing", null, [12]), "");
  assert.equal(as("nothing", "room", [4]), "microphone-ready");
  assert.equal(as("room", null, [12]), "microphone-missing", "its own microphone is what is missing");
});
