import assert from "node:assert/strict";
import { test } from "node:test";
import { allTurns, leftMs, myFloor, nextTurn, placeOf, siteState, turnPhase } from "../src/state/floor.js";
import { nextItem } from "../src/state/agenda.js";
import { wordChanges } from "../src/state/changes.js";
import { charsOf } from "../src/state/comments.js";
import { durationText } from "../src/time.js";
import { cell } from "../src/state/sheet.js";
import { tidy } from "../src/actions/words.js";
import { demoView } from "./demo-view.mjs";

const NOW = 10_000_000;
const SEEN = { deniedSeen: null, endSeen: null };

test("a turn's clock counts down, stands while paused, and passes zero", () => {
  const { turn } = demoView(NOW).floor;
  assert.equal(leftMs(turn, NOW), 192_000);
  assert.equal(turnPhase(turn, NOW), "running");
  assert.equal(turnPhase(turn, NOW + 140_000), "last_minute");
  assert.equal(turnPhase(turn, NOW + 180_000), "last_seconds");
  assert.equal(turnPhase(turn, NOW + 193_000), "over");
  const paused = { ...turn, paused: true, running_since: null, used_ms: 100_000 };
  assert.equal(leftMs(paused, NOW + 999_999), 200_000);
  assert.equal(turnPhase(paused, NOW), "paused");
  assert.equal(turnPhase({ ...paused, held: true }, NOW), "held");
});

test("durations are written as a hall reads them", () => {
  assert.deepEqual([192_000, 191_001, 1, 0, -400, -1_000, -35_000, 3_850_000].map(durationText), ["03:12", "03:12", "00:01", "00:00", "00:00", "−00:01", "−00:35", "1:04:10"]);
});

test("every site knows where it stands", () => {
  const { floor } = demoView(NOW);
  assert.equal(myFloor(floor, 8, SEEN).is, "speaking");
  assert.equal(myFloor(floor, 10, SEEN).is, "on_deck");
  const waiting = myFloor(floor, 12, SEEN);
  assert.deepEqual([waiting.is, waiting.place, waiting.before], ["waiting", 3, 2]);
  assert.deepEqual(myFloor(floor, 4, SEEN), { is: "ended", how: "released" });
  assert.equal(myFloor(floor, 4, { deniedSeen: null, endSeen: 19 }).is, "idle");
  const denied = { ...floor, denied: [{ turn: 18, site: 7, reason: "đã có ý kiến", item_over: false }] };
  assert.deepEqual(myFloor(denied, 7, SEEN), { is: "denied", denied: denied.denied[0] });
  assert.equal(myFloor(denied, 7, { deniedSeen: 18, endSeen: null }).is, "idle");
});

test("whom next calls, or which speech it goes back to, is what the server says", () => {
  const { floor } = demoView(NOW);
  assert.equal(nextTurn({ ...floor, next: { does: "call", turn: 23 } }).site, 12);
  assert.equal(nextTurn({ ...floor, next: { does: "take_up", turn: floor.turn.turn } }).site, 8);
  assert.equal(nextTurn({ ...floor, next: null }), null);
  assert.equal(placeOf(floor, 3), 4);
});

test("a question put into a speech leaves the speaker speaking", () => {
  const { floor } = demoView(NOW);
  const asked = { ...floor, turn: { ...floor.turn, turn: 30, site: 5 }, others: [{ ...floor.turn, interrupted: true }] };
  assert.equal(myFloor(asked, 8, SEEN).is, "speaking");
  assert.deepEqual(allTurns(asked).map((turn) => turn.turn), [30, 20]);
});

test("a site's state: the most urgent word wins", () => {
  const view = demoView(NOW);
  assert.deepEqual([0, 6, 8, 10, 12].map((site) => siteState(view, site)), ["ready", "lost", "live", "deck", "queued"]);
  const never = { ...view, sites: view.sites.map((link) => ({ ...link, carrier: null, since: null })), stage: { ...view.stage, heard: [] } };
  assert.equal(siteState(never, 1), "absent");
  assert.equal(siteState(view, 1, true), "weak");
});

test("the agenda knows what follows", () => {
  const { agenda } = demoView(NOW);
  assert.equal(nextItem(agenda).id, 6);
});

test("what is typed is normalised, and counted as people count", () => {
  assert.equal(tidy("  Ngô Quốc Đạt ".normalize("NFD")), "Ngô Quốc Đạt".normalize("NFC"));
  assert.equal(tidy("H'Linh Êban"), "H'Linh Êban");
  assert.equal(charsOf("a𐍈b"), 3);
});

test("a proposed wording is compared word by word and loses nothing", () => {
  const before = "70% chi hội được xếp loại khá trở lên.";
  const after = "mỗi loại hình có 70% chi hội được xếp loại khá.";
  const pieces = wordChanges(before, after);
  assert.equal(pieces.filter((piece) => piece.how !== "new").map((piece) => piece.text).join(""), before);
  assert.equal(pieces.filter((piece) => piece.how === "new").map((piece) => piece.text).join("").trim(), "mỗi loại hình có khá.");
});

test("the attendance sheet cannot run a formula, and keeps its quotes", () => {
  assert.deepEqual(["=1+1", "+84", "-5", "@x", 'a "b"', 12].map(cell), ["\"'=1+1\"", "\"'+84\"", "\"'-5\"", "\"'@x\"", '"a ""b"""', '"12"']);
});
