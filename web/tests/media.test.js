// The two connections in a play: a server that refuses notes, and connections whose state the test says.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document ??= { hidden: false, addEventListener: () => {} };
class FakeConnection {
  static all = [];
  connectionState = "new";
  iceGatheringState = "complete";
  localDescription = null;
  constructor() { FakeConnection.all.push(this); }
  async setRemoteDescription() {}
  async createAnswer() { return { type: "answer", sdp: "answer" }; }
  async setLocalDescription(description) { this.localDescription = description; }
  getTransceivers() { return []; }
  close() { this.connectionState = "closed"; }
  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange();
  }
}
globalThis.RTCPeerConnection = FakeConnection;
const { Media } = await import("../src/media.js");

const REFUSED = { type: "error", why: "media_refused", id: null, text: "", fatal: false };
const OFFER = { type: "downlink_offer", sdp: "" };
const settled = () => new Promise((done) => setImmediate(done));
const last = () => FakeConnection.all.at(-1);

/** A page that watches, and what it said since it was last asked. */
function page(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  FakeConnection.all = [];
  let said = [];
  const media = new Media((frame) => said.push(frame.type) > 0, () => {});
  media.linkUp();
  media.receive({ receives: true, sound: true, alwaysShown: true });
  const words = () => said.splice(0);
  return { media, words };
}

async function connected(media) {
  media.hear(OFFER);
  await settled();
  last().become("connected");
}

test("what the media plane had no time for is said again, and the downlink is asked for again until it is offered", (t) => {
  const { media, words } = page(t);
  assert.deepEqual(words(), ["open_downlink", "listen", "screen"]);
  media.hear(REFUSED);
  media.hear(REFUSED);
  assert.deepEqual(words(), [], "not at once: it had no time");
  t.mock.timers.tick(1_000);
  assert.deepEqual(words(), ["open_downlink", "listen", "screen"], "once, however many notes were refused");
  media.hear(OFFER);
  media.hear(REFUSED);
  t.mock.timers.tick(1_000);
  assert.deepEqual(words(), ["listen", "screen"], "it is coming");
  media.hear({ ...REFUSED, why: "too_fast" });
  t.mock.timers.tick(10_000);
  assert.ok(!words().includes("screen"), "another error is about something else");
});

test("nothing is said again to a link that is gone", (t) => {
  const { media, words } = page(t);
  words();
  media.hear(REFUSED);
  media.linkDown();
  t.mock.timers.tick(20_000);
  assert.deepEqual(words(), []);
});

test("a downlink that comes back by itself is not replaced", async (t) => {
  const { media, words } = page(t);
  await connected(media);
  const first = last();
  first.become("failed");
  assert.equal(media.state.downlink, "failed");
  first.become("connected");
  words();
  t.mock.timers.tick(20_000);
  assert.deepEqual(words(), []);
  assert.equal(media.state.downlink, "connected");
});

test("a downlink that works is not said to have failed when another in its place is refused", async (t) => {
  const { media, words } = page(t);
  await connected(media);
  words();
  media.hear({ type: "media_failed", side: "downlink", reason: "too many connections in a short time" });
  assert.equal(media.state.downlink, "connected");
  t.mock.timers.tick(1_000);
  assert.deepEqual(words(), ["open_downlink", "listen", "screen"], "or it would never be made anew if it is gone at the server");
  last().become("failed");
  assert.equal(media.state.downlink, "failed");
});
