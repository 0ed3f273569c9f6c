import assert from "node:assert/strict";
import { test } from "node:test";
import { requestFloor } from "../src/actions/floor.js";
import { rightsOf } from "../src/state/kinds.js";
import { speechesHere } from "../src/state/speeches.js";
import { demoView } from "./demo-view.mjs";

const FORM = { speech: "reply", delegate: " Ngô Quốc Đạt ".normalize("NFD"), title: "", topic: "", paragraph: null, minutes: null, about: null };

test("what a kind of speech may do is read from the server's table", () => {
  const view = demoView(0);
  assert.equal(rightsOf(view, "question").interposes, true);
  const changed = { ...view, fixed: { ...view.fixed, kinds: [{ speech: "question", rights: { rank: 1, though_closed: false, under_a_speech: true, interposes: false } }] } };
  assert.equal(rightsOf(changed, "question").interposes, false);
  assert.equal(rightsOf(changed, "paper"), null);
});

test("a reply may be about what is said now, else about what was said last in this item", () => {
  const view = demoView(10_000_000);
  const turns = (each) => speechesHere(each).map((one) => one.turn);
  assert.deepEqual(turns(view), [20, 19, 18]);
  assert.deepEqual(turns({ ...view, floor: { ...view.floor, turn: null } }), [19, 18]);
  assert.deepEqual(turns({ ...view, agenda: { ...view.agenda, current: 6 }, floor: { ...view.floor, turn: null } }), []);
});

test("a request says which speech it is about only when one was chosen", () => {
  const said = (form) => requestFloor((command) => command, form);
  assert.deepEqual(said(FORM), { type: "request_floor", words: { speech: "reply", delegate: "Ngô Quốc Đạt", title: "", topic: "", paragraph: null } });
  assert.equal(said({ ...FORM, about: 19 }).about, 19);
  assert.equal(said({ ...FORM, item: 5 }).item, 5, "and in which item it was written");
});
