import assert from "node:assert/strict";
import { test } from "node:test";
import { needed } from "../src/state/quorum.js";

test("as many are needed as make the share, and not one fewer", () => {
  const of = (of, percent) => needed({ base: "summoned", percent, of, there: 0, reached: false });
  assert.deepEqual([of(220, 67), of(13, 67), of(100, 50), of(3, 100), of(0, 67)], [148, 9, 50, 3, 0]);
  assert.equal(of(100, 7), 7, "a share in whole numbers is not rounded up by the way it is reckoned");
});
