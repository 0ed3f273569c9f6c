import assert from "node:assert/strict";
import { test } from "node:test";
import { minutesBehind, plannedStarts } from "../src/state/plan.js";

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

test("begun far from its planned hour it is a rehearsal: the plan counts from its beginning", () => {
  const begun = (minute) => [...plannedStarts(agenda(item(1, 10, null, minute), item(2, 30, null)), 450, 0).values()].map((at) => at / MINUTE);
  assert.deepEqual(begun(470), [450, 460], "twenty minutes late is late");
  assert.deepEqual(begun(21), [21, 31]);
});

/** How far behind a plan from minute 450, at a minute, with an item running. */
const behind = (minute, current, ...items) => {
  const at = { ...agenda(...items), current, next: items.find((each) => each.started === null)?.id ?? null };
  return minutesBehind(at, plannedStarts(at, 450, 0), minute * MINUTE);
};

test("begun twenty minutes late, the agenda is twenty minutes late until time is saved", () => {
  const late = [item(1, 10, null, 470, 480), item(2, 30, null, 480)];
  assert.equal(behind(475, 1, item(1, 10, null, 470), item(2, 30, null)), 20);
  assert.equal(behind(485, 2, ...late), 20);
  assert.equal(behind(511, 2, ...late), 21, "over its planned end too");
  assert.equal(behind(486, 2, item(1, 10, null, 470, 475), item(2, 30, null, 475)), 15);
});

test("a gap between two items counts from the moment the next was to begin", () => {
  const done = [item(1, 10, null, 450, 455), item(2, 30, null)];
  assert.equal(behind(459, null, ...done), 0, "there is still time");
  assert.equal(behind(467, null, ...done), 7);
});

test("ahead of the plan is negative, at the end too; before the beginning nothing is known", () => {
  assert.equal(behind(452, 2, item(1, 10, null, 450, 452), item(2, 30, null, 452)), -8);
  assert.equal(behind(500, null, item(1, 10, null, 450, 455), item(2, 30, null, 455, 482)), -8);
  assert.equal(behind(500, null, item(1, 10, null)), null);
});

test("a part that runs over its planned end is late by that", () => {
  assert.equal(behind(473, 3, item(2, 30, null, 450, 450), item(3, 10, 2, 450, 462), item(4, 20, 2)), 13);
  assert.equal(behind(473, 4, item(2, 30, null, 450, 450), item(3, 10, 2, 450, 462), item(4, 20, 2, 462)), 2);
});
