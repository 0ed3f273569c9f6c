// What people type is text on every page: names, topics, comments, notices and reasons that would be a page's code.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Seats, Server, browser, entered, open, until } from "./harness.js";

const DISCUSSION = 5;
/** Each would leave `globalThis.hurt` behind, or an element of its own, if it were taken for HTML. */
const HOSTILE = (where) => `<img src=x onerror="globalThis.hurt='${where}'"><b class=hurt>${where}</b><script>globalThis.hurt=1</script>`;

let server, chromium, seats, chair, pages;

const ok = (answer) => assert.equal(answer.type, "ok", JSON.stringify(answer));
const shows = (page, text) => page.evaluate((text) => document.body.textContent.includes(text), text);

before(async () => {
  server = await Server.start();
  chromium = await browser();
  seats = await Seats.open(chromium, server);
  chair = await entered(await open(chromium, server.link("chair")));
  await seats.join("site", server.link("moderator", 3));
  await seats.join("chair", server.links_of("chair")[1]);
  const desk = await entered(await open(chromium, server.link("moderator", 1, "room")));
  const secretary = await open(chromium, server.link("secretary"));
  const observer = await open(chromium, server.link("observer"), { width: 390, height: 844 });
  const wall = await open(chromium, server.link("stage"), { width: 1920, height: 1080 });
  pages = { chair, desk, secretary, observer, wall };
});

after(async () => {
  await chromium?.close();
  await server?.stop();
});

test("names, topics, comments, notices and reasons are text on every page", async () => {
  ok(await seats.ask("chair", { type: "start_item", item: DISCUSSION, waiting: "keep" }));
  const words = { speech: "contribution", delegate: HOSTILE("delegate").slice(0, 120), title: HOSTILE("title").slice(0, 120), topic: HOSTILE("topic"), paragraph: null };
  ok(await seats.ask("site", { type: "request_floor", words }));
  const at = { draft: 1, paragraph: 2 };
  ok(await seats.ask("site", { type: "post_comment", kind: "wording", words: { at, text: HOSTILE("comment"), proposed: HOSTILE("proposed"), delegate: HOSTILE("author").slice(0, 120) } }));
  ok(await seats.ask("site", { type: "set_headcount", site: 3, headcount: { summoned: 9, present: 8, online: 0, absent: HOSTILE("absent") } }));
  ok(await seats.ask("chair", { type: "set_notice", text: HOSTILE("notice").slice(0, 200) }));
  ok(await seats.ask("chair", { type: "set_layout", layout: "notice" }));

  await until("the wall shows the notice as it was typed", () => shows(pages.wall, "<b class=hurt>notice"));
  await until("the chair's list shows the name as it was typed", () => shows(pages.chair, "<img src=x onerror="));
  await until("the secretary reads the comment as it was typed", () => shows(pages.secretary, "<b class=hurt>comment"));
  await pages.observer.getByRole("tab").nth(2).click();
  for (const page of [pages.secretary, pages.observer]) {
    await until("the proposed wording is read as it was typed", () => page.evaluate((words) => [...document.querySelectorAll(".proposed")].some((each) => each.textContent.includes(words)), HOSTILE("proposed")));
  }
  await until("everybody has it all", async () => {
    const views = await Promise.all(Object.values(pages).map((page) => page.evaluate(() => globalThis.diemcau.view())));
    return views.every((view) => view.feed.length > 0 && view.stage.notice.includes("hurt"));
  });
});

test("nothing of it has run, and nothing became an element", async () => {
  for (const [name, page] of Object.entries(pages)) {
    const found = await page.evaluate(() => ({ hurt: globalThis.hurt ?? null, elements: document.querySelectorAll(".hurt, img[src=x]").length }));
    assert.deepEqual(found, { hurt: null, elements: 0 }, name);
    assert.deepEqual(page.said.filter((line) => line.includes("Content Security Policy")), [], name);
    assert.deepEqual(page.outside, [], name);
  }
});

test("the policy holds what a mistake of ours would let in", async () => {
  // Beside the silence above: the same text as HTML does become an element, and its code still does not run.
  const page = pages.observer;
  await page.evaluate((html) => document.body.insertAdjacentHTML("beforeend", html), HOSTILE("mistake"));
  await until("the policy has spoken", () => page.said.some((line) => line.includes("Content Security Policy")));
  assert.deepEqual(await page.evaluate(() => [globalThis.hurt ?? null, document.querySelectorAll(".hurt").length]), [null, 1]);
});
