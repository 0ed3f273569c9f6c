// The link in a play: sockets that can be cut at any moment, and a clock that is real but short.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const kept = new Map();
globalThis.sessionStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
globalThis.addEventListener ??= () => {};
globalThis.location = { href: "https://hall.example/chair", protocol: "https:" };
class FakeSocket {
  static all = [];
  readyState = 0;
  sent = [];
  constructor(url) {
    this.url = String(url);
    FakeSocket.all.push(this);
  }
  send(text) { this.sent.push(JSON.parse(text)); }
  close() {}
  open() { this.readyState = 1; this.onopen(); }
  say(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
  welcome() { this.say({ type: "welcome", me: {}, seq: 1, now: Date.now(), view: {} }); }
  enter() { this.open(); this.welcome(); }
}
globalThis.WebSocket = FakeSocket;
const { Connection } = await import("../src/connection.js");

const END = { type: "end_turn", turn: 1 };
const COMMENT = { type: "post_comment", kind: "agree", words: { at: { draft: 1, paragraph: 1 }, text: "Nhất trí", proposed: "", delegate: "" } };
let told;
let open = [];
const last = () => FakeSocket.all.at(-1);
const commands = (socket) => socket.sent.filter((frame) => frame.type === "command");

beforeEach(() => {
  open.forEach((connection) => connection.restart && (connection.tryNow = () => {}));
  kept.clear();
  FakeSocket.all = [];
  told = { frames: [], answered: [], ended: [], link: [], pending: [] };
});

function start(token = "t") {
  const connection = new Connection(token, {
    frame: (frame) => told.frames.push(frame.type), prove: async (challenge) => ({ key: "k", signature: challenge }), link: (up) => told.link.push(up), ended: (why) => told.ended.push(why), pending: (pending) => (told.pending = pending),
    answered: (command, answer) => told.answered.push([command.type, answer.how]), measured: () => {},
  });
  open.push(connection);
  connection.tryNow();
  return connection;
}

const stop = () => last().say({ type: "error", why: "revoked", id: null, text: "", fatal: true });

test("joins first, over the same origin", () => {
  start("secret");
  assert.equal(last().url, "wss://hall.example/ws");
  last().enter();
  assert.deepEqual(last().sent[0], { type: "join", protocol: 1, token: "secret" });
  stop();
});

test("says who it is when it is asked, and pings while it waits at the door", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "Date"] });
  const connection = start("secret");
  last().onopen();
  last().say({ type: "prove", challenge: "c", pin: true, locked_ms: 0 });
  await new Promise((settled) => setImmediate(settled));
  assert.deepEqual(last().sent[1], { type: "proof", device: { key: "k", signature: "c" }, pin: null });
  last().say({ type: "error", why: "not_admitted", id: null, text: "", fatal: true });
  assert.deepEqual(told.ended, ["not_admitted"]);
  connection.givePin("4821");
  last().onopen();
  last().say({ type: "prove", challenge: "d", pin: true, locked_ms: 0 });
  await new Promise((settled) => setImmediate(settled));
  assert.deepEqual(last().sent[1], { type: "proof", device: { key: "k", signature: "d" }, pin: "4821" });
  last().say({ type: "waiting", code: "4711", title: "", site: null, label: "" });
  t.mock.method(performance, "now", () => 1_000_000_000);
  last().say({ type: "pong", sent: 0, now: 0 });
  t.mock.timers.tick(1_000);
  assert.equal(last().sent.at(-1).type, "ping");
  last().say({ type: "welcome", me: {}, seq: 1, now: Date.now(), view: {} });
  assert.deepEqual(told.frames, ["prove", "prove", "waiting", "welcome"]);
  stop();
});

test("after a wrong PIN it asks once more, to hear how long none is looked at", async () => {
  const connection = start("secret");
  const knocks = async (locked_ms) => {
    last().onopen();
    last().say({ type: "prove", challenge: "c", pin: true, locked_ms });
    await new Promise((settled) => setImmediate(settled));
    last().say({ type: "error", why: "not_admitted", id: null, text: "", fatal: true });
    return last().sent.at(-1).pin;
  };
  assert.equal(await knocks(0), null);
  assert.deepEqual([told.ended.length, FakeSocket.all.length], [1, 1]);
  connection.givePin("0000");
  const before = FakeSocket.all.length;
  last().onopen();
  last().say({ type: "prove", challenge: "d", pin: true, locked_ms: 0 });
  await new Promise((settled) => setImmediate(settled));
  assert.equal(last().sent.at(-1).pin, "0000");
  last().say({ type: "error", why: "not_admitted", id: null, text: "", fatal: true });
  assert.deepEqual([told.ended.length, FakeSocket.all.length], [1, before + 1], "the person is told when it is known");
  assert.equal(await knocks(30_000), null, "the wrong PIN is not said again");
  assert.deepEqual([told.ended.length, FakeSocket.all.length], [2, before + 1]);
});

test("a command without an answer is sent again with the same id after every welcome, and only until the answer", () => {
  const connection = start();
  last().enter();
  const id = connection.ask(END);
  connection.restart();
  connection.tryNow();
  last().enter();
  assert.deepEqual(commands(last()), [{ type: "command", id, command: END }]);
  last().say({ type: "ok", id, seq: 2 });
  last().say({ type: "ok", id, seq: 2 });
  assert.deepEqual(told.answered, [["end_turn", "ok"]]);
  connection.restart();
  connection.tryNow();
  last().enter();
  assert.deepEqual(commands(last()), []);
  stop();
});

for (const [late, how] of [[14_000, "again"], [16_000, "unknown"]]) {
  test(`an order that waited ${late / 1000} s for the link is ${how === "again" ? "given again" : "dropped, and the desk told so"}`, (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
    const connection = start();
    last().enter();
    const order = connection.ask({ type: "set_hall_microphone", open: true });
    const words = connection.ask(COMMENT);
    connection.restart();
    t.mock.timers.tick(late);
    connection.tryNow();
    last().enter();
    assert.deepEqual(commands(last()).map((frame) => frame.id), how === "again" ? [order, words] : [words]);
    assert.deepEqual(told.answered, how === "again" ? [] : [["set_hall_microphone", "unknown"]]);
    assert.deepEqual(told.pending.map((pending) => pending.id), how === "again" ? [order, words] : [words]);
    stop();
  });
}

test("a held key that did not reach the server is not pressed again after the link, and its release is", () => {
  const connection = start();
  last().enter();
  connection.ask({ type: "set_priority", on: true });
  connection.restart();
  const release = connection.ask({ type: "set_priority", on: false });
  assert.deepEqual(told.answered, [], "the release waits");
  connection.tryNow();
  last().enter();
  assert.deepEqual(commands(last()), [{ type: "command", id: release, command: { type: "set_priority", on: false } }]);
  assert.deepEqual(told.answered, [["set_priority", "unknown"]]);
  stop();
});

test("a comment written without a link waits, also through a reload; an order about the floor does not", () => {
  const connection = start();
  const id = connection.ask(COMMENT);
  connection.ask(END);
  assert.deepEqual(told.answered, [["end_turn", "offline"]]);
  stop();
  start();
  assert.deepEqual(told.pending.map((pending) => pending.id), [id]);
  last().enter();
  assert.deepEqual(commands(last()).map((frame) => frame.id), [id]);
  stop();
});

test("what another seat left unanswered stays with that seat", () => {
  start("a").ask(COMMENT);
  stop();
  start("b");
  last().enter();
  assert.deepEqual(commands(last()), []);
  stop();
});

test("refusals and errors with an id settle the command", () => {
  const connection = start();
  last().enter();
  last().say({ type: "refused", id: connection.ask(END), why: "stale", text: "" });
  last().say({ type: "error", id: connection.ask(END), why: "storage_failed", text: "", fatal: false });
  assert.deepEqual(told.answered, [["end_turn", "refused"], ["end_turn", "error"]]);
  assert.deepEqual(told.pending, []);
  stop();
});

test("words outlive a full disk, orders do not", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const connection = start();
  last().enter();
  const id = connection.ask(COMMENT);
  last().say({ type: "error", id, why: "storage_failed", text: "", fatal: false });
  assert.deepEqual(told.pending.map((pending) => pending.id), [id]);
  t.mock.timers.tick(5_000);
  assert.deepEqual(commands(last()).map((frame) => frame.id), [id, id], "said again on the same link, under its name");
  last().say({ type: "ok", id, seq: 9 });
  t.mock.timers.tick(5_000);
  assert.equal(commands(last()).length, 2, "once it is taken, never again");
  assert.deepEqual(told.pending, []);
  stop();
});

test("a key pressed anew is not undone by its former release that a full disk refused", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const connection = start();
  last().enter();
  const release = connection.ask({ type: "set_priority", on: false });
  last().say({ type: "error", id: release, why: "storage_failed", text: "", fatal: false });
  const press = connection.ask({ type: "set_priority", on: true });
  t.mock.timers.tick(4_000);
  assert.deepEqual(told.pending.map((pending) => pending.id), [press], "what is on its way is not taken for lost");
  last().say({ type: "ok", id: press, seq: 9 });
  t.mock.timers.tick(4_000);
  assert.deepEqual(commands(last()).map((frame) => frame.id), [release, press]);
  stop();
});

test("what a person must read ends the attempts; anything else tries again", () => {
  for (const why of ["not_admitted", "revoked", "replaced", "wrong_protocol"]) {
    const connection = start();
    last().say({ type: "error", why, id: null, text: "", fatal: true });
    const before = FakeSocket.all.length;
    connection.tryNow();
    assert.equal(FakeSocket.all.length, before, why);
  }
  assert.deepEqual(told.ended, ["not_admitted", "revoked", "replaced", "wrong_protocol"]);
});

test("a closed socket is opened again after a short pause, without anybody asking", async () => {
  start();
  last().enter();
  const first = last();
  first.onclose();
  assert.deepEqual(told.link, [true, false]);
  await new Promise((done) => setTimeout(done, 400));
  assert.notEqual(last(), first);
  stop();
});

test("a welcome that a thin road does not carry in ten seconds is waited for longer each time, a dead road is not", (t) => {
  let [now, beat, again] = [1_000_000, null, null];
  t.mock.method(performance, "now", () => now);
  t.mock.method(globalThis, "setInterval", (each) => ((beat = each), 1));
  t.mock.method(globalThis, "setTimeout", (then) => ((again = then), 1));
  t.mock.method(globalThis, "clearInterval", () => (beat = null));
  /** Seconds until the link is given up. */
  const given = (opens) => {
    if (opens) last().open();
    for (let seconds = 0; seconds < 1_000; seconds++) {
      if (!beat) return again(), seconds;
      now += 1_000;
      beat();
    }
    return Infinity;
  };
  const connection = start();
  const ways = [true, true, false, true, true, true, true, true, true];
  assert.deepEqual(ways.map(given), [11, 21, 11, 41, 81, 161, 321, 641, 641]);
  last().open();
  now += 40_000;
  last().welcome();
  assert.deepEqual([false, true].map(given), [11, 81], "it is the same road");
  last().open();
  last().welcome();
  assert.deepEqual([false, true].map(given), [11, 11], "it was no thin road");
  connection.tryNow();
  assert.deepEqual([true, true].map(given), [11, 21], "somebody knows better");
  last().open();
  stop();
});
