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

test("the same words of another delegate are another comment", () => {
  const before = postsOf([sent("a", "Nhất trí"), { ...sent("b", "Nhất trí"), command: { type: "post_comment", kind: "wording", words: { ...words("Nhất trí"), delegate: "Trần A" } } }]);
  assert.deepEqual(notTaken(before, [], [comment(1, "Nhất trí")]).map((post) => post.id), ["b"]);
});

test("what the server took without characters that have no shape is taken", () => {
  const before = postsOf([sent("a", "Nhất trí\u202e\u0007,\nbổ sung")]);
  assert.deepEqual(notTaken(before, [], [comment(1, "Nhất trí,\nbổ sung")]), []);
});

const kept = new Map([["diemcau.token./site", "one"]]);
const fields = new Map(["text", "proposed", "speaker"].map((name) => [name, { value: "" }]));
Object.assign(globalThis, {
  HTMLElement: class {},
  customElements: { define: () => {} },
  location: { pathname: "/site" },
  sessionStorage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) },
  document: { createTreeWalker: () => ({}), createComment: () => ({}), querySelector: () => null, getElementsByName: (name) => (fields.has(name) ? [fields.get(name)] : []) },
});
const { forget, putBack, typed } = await import("../src/elements/keep.js");

/** A site's desk as it is after a reload: what is drawn with `pending`, and where it then stands. */
let reloads = 0;
async function desk() {
  const { composer } = await import(`../src/views/drafts.js?${(reloads += 1)}`);
  const ui = { draft: 1, paragraph: null };
  const draw = async (...pending) => {
    const app = { pending, ui, me: { seat: 2, site: 4 }, view: { feed: [] } };
    composer({ app, ui: (change) => Object.assign(ui, change) }, {}, false);
    await Promise.resolve();
  };
  return { draw, ui };
}

/** The form is emptied, as by sending it. */
function empty() {
  ["text", "proposed"].forEach(forget);
}

const about = (id, paragraph, text, delegate) => ({ id, at: 0, command: { type: "post_comment", kind: "wording", words: { at: { draft: 1, paragraph }, text, proposed: "", delegate } } });

test("refused words come back one after the other, each to its paragraph and its delegate, also over a reload", async () => {
  const { draw, ui } = await desk();
  await draw(about("a", 2, "Bỏ câu này", "Trần A"), about("b", 5, "Thêm năm", ""), about("c", 7, "Sửa câu", "Lê B"));
  await draw();
  assert.deepEqual([typed("text"), typed("speaker"), ui], ["Bỏ câu này", "Trần A", { draft: 1, paragraph: 2 }]);
  assert.equal(fields.get("text").value, "Bỏ câu này");

  const later = await desk();
  await later.draw();
  assert.equal(typed("text"), "Bỏ câu này");
  empty();
  await later.draw();
  assert.deepEqual([typed("text"), typed("speaker"), later.ui], ["Thêm năm", "", { draft: 1, paragraph: 5 }]);
  empty();
  await later.draw();
  assert.deepEqual([typed("text"), typed("speaker"), later.ui], ["Sửa câu", "Lê B", { draft: 1, paragraph: 7 }]);
  empty();
  await later.draw();
  assert.equal(typed("text"), "");
});

test("refused words wait for what is being typed, which stays as it is", async () => {
  const { draw, ui } = await desk();
  await draw(about("d", 3, "Bỏ câu này", ""));
  putBack("proposed", "Đang viết");
  ui.paragraph = 6;
  await draw();
  assert.deepEqual([typed("text"), typed("proposed"), ui.paragraph], ["", "Đang viết", 6]);
  empty();
  await draw();
  assert.deepEqual([typed("text"), ui.paragraph], ["Bỏ câu này", 3]);
  empty();
});

test("another link in the same tab gets nothing of what the first one's seat had sent or typed", async () => {
  const first = await desk();
  await first.draw(about("e", 3, "Bỏ câu này", ""));
  putBack("speaker", "Trần A");
  kept.set("diemcau.token./site", "two");
  const second = await desk();
  await second.draw();
  assert.deepEqual([typed("text"), typed("speaker")], ["", ""]);
  kept.set("diemcau.token./site", "one");
  await (await desk()).draw();
  assert.equal(typed("text"), "Bỏ câu này");
  empty();
});
