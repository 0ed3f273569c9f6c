import assert from "node:assert/strict";
import { test } from "node:test";
import { isInUse } from "../src/state/door.js";
import { demoView } from "./demo-view.mjs";

const seat = (id, site, carries) => ({ ...demoView().seats[0], id, site, carries });

test("a machine at the door replaces the one that carries its room with the same link, and no other", () => {
  const view = { ...demoView(), seats: [seat(1, 3, "room"), seat(2, 3, "standby"), seat(3, 3, "nothing"), seat(4, null, "watch")] };
  const replaces = (carrier) => [1, 2, 3, 4].filter((id) => isInUse({ ...view, sites: [{ ...view.sites[0], site: 3, carrier }] }, { seat: id }));
  assert.deepEqual(replaces("room"), [1]);
  assert.deepEqual(replaces("standby"), [2]);
  assert.deepEqual(replaces(null), []);
});
