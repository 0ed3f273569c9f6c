// The same second on every screen: what a page learns of the server's clock, and when it turns its digits.

import assert from "node:assert/strict";
import { test } from "node:test";
import { everyTick, untilNext } from "../src/ticker.js";
import { guessServerTime, learnServerTime, serverNow } from "../src/time.js";

/** How far the page's guess is from a server whose clock is `ahead` of the page's. */
const error = (ahead) => serverNow() - (performance.now() + ahead);
const close = (ms, to = 0) => assert.ok(Math.abs(ms - to) < 2, `${ms} is not ${to}`);

test("the offset is measured over the quickest of the last answers, half of its way back", () => {
  const AHEAD = 1_000_000;
  guessServerTime(performance.now() + AHEAD - 80);
  close(error(AHEAD), -80);
  const answer = (sent, there, back) => learnServerTime(sent, sent + there + back, sent + there + AHEAD);
  answer(5_000, 90, 10);
  close(error(AHEAD), 40);
  answer(10_000, 6, 4);
  close(error(AHEAD), 1);
  answer(15_000, 300, 20);
  close(error(AHEAD), 1);
  for (let n = 0; n < 8; n += 1) answer(20_000 + n, 60, 20);
  close(error(AHEAD), 20);
});

test("a second welcome forgets what was learned of the former server", () => {
  guessServerTime(performance.now() + 5_000);
  close(error(5_000));
});

test("a clock that has moved, or a page that has slept, is believed at the next answer", () => {
  const answer = (sent, rtt, ahead) => learnServerTime(sent, sent + rtt, sent + rtt / 2 + ahead);
  guessServerTime(performance.now() + 5_000);
  for (let n = 0; n < 8; n += 1) answer(n * 5_000, 4, 5_000);
  close(error(5_000));
  answer(40_000, 60, 25_000);
  close(error(25_000));
  answer(45_000, 300, 25_100);
  close(error(25_000), 0);
  answer(50_000, 60, -15_000);
  close(error(-15_000));
});

test("digits that count down or up change when their own second turns", () => {
  assert.equal(untilNext(192_400, -1), 400);
  assert.equal(untilNext(192_000, -1), 1_000, "a whole second is shown until it is over");
  assert.equal(untilNext(-250, -1), 750);
  assert.equal(untilNext(7_300, 1), 700);
  assert.equal(untilNext(7_000, 1), 1_000);
});

test("the loop wakes at the soonest change, and at the latest after a second", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const told = { soon: 0, never: 0 };
  const stop = [everyTick(() => (told.soon += 1, 300)), everyTick(() => (told.never += 1, Infinity))];
  const [soon, never] = [told.soon, told.never];
  t.mock.timers.tick(299);
  assert.deepEqual([told.soon, told.never], [soon, never]);
  t.mock.timers.tick(1);
  assert.deepEqual([told.soon, told.never], [soon + 1, never + 1]);
  stop[0]();
  t.mock.timers.tick(300);
  t.mock.timers.tick(1_000);
  assert.equal(told.soon, soon + 1, "who has gone is not woken");
  assert.equal(told.never, never + 3);
  stop[1]();
  t.mock.timers.tick(5_000);
  assert.equal(told.never, never + 3, "nothing listens, nothing runs");
});
