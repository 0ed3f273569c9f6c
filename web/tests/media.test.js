// The two connections in a play: a server that refuses notes, and connections whose state the test says.

import assert from "node:assert/strict";
import { test } from "node:test";

// Newer versions of Node have one of their own.
globalThis.navigator ??= {};
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
  async createOffer() { return { type: "offer", sdp: "offer" }; }
  getTransceivers() { return []; }
  addTransceiver(track) {
    if (typeof track !== "string") this.sent = track;
    return { sender: { getParameters: () => ({}), setParameters: async () => {} } };
  }
  close() { this.connectionState = "closed"; }
  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange();
  }
}
class FakeTrack {
  readyState = "live";
  constructor(id) { this.id = id; }
  getSettings() { return { deviceId: this.id }; }
  stop() { this.readyState = "ended"; }
  clone() { return new FakeTrack(this.id); }
}
class FakeStream {
  constructor(tracks) { this.tracks = tracks; }
  getVideoTracks() { return this.tracks; }
  getAudioTracks() { return this.tracks; }
}
class FakeAudio {
  createMediaStreamSource() { return { connect() {} }; }
  async resume() {}
  async close() {}
}
Object.assign(globalThis, {
  RTCPeerConnection: FakeConnection, RTCRtpSender: { getCapabilities: () => null }, MediaStream: FakeStream, AudioContext: FakeAudio, AnalyserNode: class {},
});
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

/** Devices of these names, and what they gave. */
function devices(t, there) {
  const given = [];
  const give = async ({ audio, video }) => {
    for (const wanted of [audio, video]) {
      const exact = wanted?.deviceId?.exact;
      if (exact !== undefined && !there.includes(exact)) throw Object.assign(new Error(), { name: "OverconstrainedError" });
    }
    given.push(new FakeTrack(there[0]));
    return new FakeStream([given.at(-1)]);
  };
  const mediaDevices = { addEventListener: () => {}, enumerateDevices: async () => [], getUserMedia: give, getDisplayMedia: give };
  Object.defineProperty(navigator, "mediaDevices", { value: mediaDevices, configurable: true });
  t.after(() => delete navigator.mediaDevices);
  return given;
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

test("a page that was put out and comes back with a PIN opens its devices and its connections anew", async (t) => {
  const { media, words } = page(t);
  const given = devices(t, ["one"]);
  await media.capture();
  media.send();
  await settled();
  await connected(media);
  media.setMicrophone(false);
  media.listen(true);
  words();
  media.stop();
  assert.deepEqual([given.at(-1).readyState, media.state.picture, media.state.hasMicrophone, media.state.uplink, media.state.downlink], ["ended", null, false, "off", "off"]);
  assert.equal(media.state.microphoneOpen, false, "what the room closed itself stays closed");
  assert.equal(media.state.sound, true, "and what it switched on is on");
  media.linkUp();
  assert.deepEqual(words(), [], "the page says what it wants");
  await media.capture();
  media.receive({ receives: true, sound: true, alwaysShown: true });
  media.send();
  await settled();
  assert.deepEqual([given.at(-1).readyState, media.state.hasMicrophone], ["live", true]);
  assert.deepEqual(words(), ["open_downlink", "listen", "screen", "uplink_offer"]);
  assert.equal(last().sent, given.at(-1), "and not the track that has ended");
});

test("devices that open after the page was put out are closed again, or not opened at all", async (t) => {
  for (const begun of [true, false]) {
    const { media } = page(t);
    const given = devices(t, ["one"]);
    const opening = media.capture();
    if (begun) await settled();
    media.stop();
    await opening;
    assert.equal(given.length > 0, begun);
    assert.ok(given.every((track) => track.readyState === "ended"));
    assert.deepEqual([media.state.hasMicrophone, media.state.capturing], [false, false]);
    t.mock.timers.reset();
  }
});

test("a device that is gone is not waited for: another is opened in its place, but never in place of one that is chosen now", async (t) => {
  const { media } = page(t);
  const there = ["one"];
  devices(t, there);
  await media.capture();
  assert.equal(media.state.microphoneId, "one");
  there.splice(0, 1, "other");
  await media.capture();
  assert.deepEqual([media.state.hasMicrophone, media.state.microphoneId], [true, "other"]);
  await media.capture({ microphoneId: "third" });
  assert.equal(media.state.microphoneTrouble, "missing");
});

test("a screen is let go half a minute after the server, however often that is tried meanwhile", async (t) => {
  const { media } = page(t);
  const given = devices(t, ["screen"]);
  media.follow(true);
  assert.equal(await media.present(() => {}), true);
  t.mock.timers.tick(10_000);
  for (let tried = 0; tried < 3; tried += 1) {
    media.linkDown();
    assert.equal(given.at(-1).readyState, "live");
    t.mock.timers.tick(10_000);
  }
  assert.equal(given.at(-1).readyState, "ended");
  assert.equal(media.state.share, "off");
});

test("a screen that is seen again within half a minute stays, and has as long the next time", async (t) => {
  const { media } = page(t);
  const given = devices(t, ["screen"]);
  media.follow(true);
  await media.present(() => {});
  for (let cut = 0; cut < 3; cut += 1) {
    media.linkDown();
    t.mock.timers.tick(20_000);
    media.linkUp();
  }
  t.mock.timers.tick(60_000);
  assert.equal(given.at(-1).readyState, "live");
});
