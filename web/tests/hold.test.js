import assert from "node:assert/strict";
import { test } from "node:test";
import { press, release } from "../src/elements/hold.js";

/** What a held key does, written down. */
function written() {
  /** @type {string[]} */
  const said = [];
  return { said, hold: { press: () => said.push("press"), release: () => said.push("release"), twice: () => said.push("twice") } };
}

test("only the key or the pointer that holds it lets go of it", () => {
  const { said, hold } = written();
  press(hold, "F9");
  release("F4");
  release(1);
  assert.deepEqual(said, ["press"], "another key and a click let go of nothing");
  press(hold, 1);
  release(1);
  assert.deepEqual(said, ["press"], "what is held is not pressed again");
  release("F9");
  release("F9");
  assert.deepEqual(said, ["press", "release"]);
});

test("pressed twice within half a second it does the other thing, and is not held", () => {
  const { said, hold } = written();
  const once = { ...hold, twice: undefined };
  press(once, "F9");
  release("F9");
  press(hold, "F9");
  release("F9");
  assert.deepEqual(said, ["press", "release", "twice"]);
});
