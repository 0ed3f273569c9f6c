import assert from "node:assert/strict";
import { test } from "node:test";
import { notTaken, postsOf } from "../src/state/unsent.js";

const at = { draft: 1, paragraph: 2 };
const words = (text, proposed = "") => ({ at, text, proposed, delegate: "" });
const sent = (id, text, proposed) => ({ id, at: 0, command: { type: "post_comment", kind: "wording", words: words(text, proposed) } });
const comment = (id, text, proposed) => ({ id, site: 4, kind: "wording", words: words(text, proposed), at: 0, held: false });
const texts = (posts) => posts.map((post) => post.words.text);

test("what the server refused comes back, and nothing else does", () => {
  const before = postsOf([sent("a", "Bỏ câu này"), sent("b", "Thêm năm"), { id: "c", at: 0, command: { type: "end_break" } }, sent("d", "Còn trên đường")]);
  const now = postsOf([sent("d", "Còn trên đường")]);
  assert.deepEqual(texts(notTaken(before, now, [comment(1, "Thêm năm")])), ["Bỏ câu này"]);
});

test("the same words on another paragraph, or with another wording, are another comment", () => {
  const before = postsOf([sent("a", "Sửa câu", "Đến năm 2030")]);
  const elsewhere = { ...comment(1, "Sửa câu", "Đến năm 2030"), words: { ...words("Sửa câu", "Đến năm 2030"), at: { draft: 1, paragraph: 3 } } };
  assert.deepEqual(texts(notTaken(before, [], [elsewhere, comment(2, "Sửa câu", "Đến năm 2029")])), ["Sửa câu"]);
});

test("what the server took without characters that have no shape is taken", () => {
  const before = postsOf([sent("a", "Nhất trí\u202e\u0007,\nbổ sung")]);
  assert.deepEqual(notTaken(before, [], [comment(1, "Nhất trí,\nbổ sung")]), []);
});

/** A page of which the form may be open or not. */
async function page(open) {
  const kept = new Map();
  const fields = new Map(open.map((name) => [name, { value: "" }]));
  Object.assign(globalThis, {
    location: { pathname: "/site" },
    sessionStorage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) },
    document: { createTreeWalker: () => ({}), getElementsByName: (name) => (fields.has(name) ? [fields.get(name)] : []) },
  });
  return { kept, fields, ...(await import("../src/elements/keep.js")) };
}

test("words come back into the form, before what is being typed by now", async () => {
  const { fields, kept, putBack } = await page(["text", "proposed"]);
  putBack("text", "Bỏ câu này");
  putBack("proposed", "");
  assert.equal(fields.get("text").value, "Bỏ câu này");
  assert.equal(fields.get("proposed").value, "");
  kept.set("diemcau.typed./site.text", "Ý kiến khác");
  putBack("text", "Bỏ câu này");
  assert.equal(fields.get("text").value, "Bỏ câu này\n\nÝ kiến khác");
});

test("words come back though the form is closed: it shows them when it is opened", async () => {
  const { kept, putBack } = await page([]);
  putBack("text", "Bỏ câu này");
  assert.equal(kept.get("diemcau.typed./site.text"), "Bỏ câu này");
});
