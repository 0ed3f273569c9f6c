import assert from "node:assert/strict";
import { test } from "node:test";
import { minutesLate, plannedStarts } from "../src/state/agenda.js";

const MINUTE = 60_000;
/** An item, with its beginning and its end in minutes after the conference's. */
const item = (id, minutes, part_of, from = null, to = null) => ({ id, minutes, part_of, started: from === null ? null : from * MINUTE, finished: to === null ? null : to * MINUTE });
const agenda = (...items) => ({ items, current: null, next: null });

test("parts are planned within their whole, one after the other", () => {
  const planned = plannedStarts(agenda(item(1, 10, null), item(2, 30, null), item(3, 10, 2), item(4, 20, 2), item(5, 5, null)), 450, 0);
  assert.deepEqual([...planned].map(([id, at]) => [id, at / MINUTE]), [[1, 450], [2, 460], [3, 460], [4, 470], [5, 490]]);
});

test("without a planned hour the plan begins with the first item that began", () => {
  const planned = plannedStarts(agenda(item(1, 10, null, 100), item(2, 30, null)), null, 0);
  assert.deepEqual([...planned.values()].map((at) => at / MINUTE), [100, 110]);
  assert.equal(plannedStarts(agenda(item(1, 10, null)), null, 0).size, 0);
});

test("a minute too long in a part is counted once, and time saved makes up for it", () => {
  const whole = (partsEnd) => agenda(item(2, 30, null, 0, 0), item(3, 10, 2, 0, 12), item(4, 20, 2, 12, partsEnd));
  assert.equal(minutesLate(whole(33), 60 * MINUTE), 3);
  assert.equal(minutesLate(whole(28), 60 * MINUTE), -2);
});

test("what still runs, or has parts to come, is late only beyond its whole", () => {
  const running = agenda(item(2, 30, null, 0, 0), item(3, 10, 2, 0, 12), item(4, 20, 2));
  assert.equal(minutesLate(running, 12 * MINUTE), 0);
  assert.equal(minutesLate(agenda(item(1, 10, null, 0)), 9 * MINUTE), 0);
  assert.equal(minutesLate(agenda(item(1, 10, null, 0)), 14 * MINUTE), 4);
});
