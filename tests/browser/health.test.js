// What is wrong with a site comes to two technicians from its own packets; one of them sees to it, and both know.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, browser, endpoints, open, until } from "./harness.js";

const [SITE, LEAVER, LONG] = [1, 2, 12];
let server, chromium, rooms, leaver, technician, other, chair;

const text = (page, selector) => page.evaluate((selector) => [...document.querySelectorAll(selector)].map((each) => each.innerText.replace(/\s+/g, " ")), selector);
const row = (page, words) => until(`a row says ${words}`, async () => (await text(page, ".banner.health")).find((said) => words.test(said)));

before(async () => {
  // A native endpoint sends far fewer frames than this, so each of them is an alarm.
  server = await Server.start(undefined, { DIEMCAU_ALARM_LEAST_FPS: "60", DIEMCAU_ALARM_AFTER_SECONDS: "2" });
  chromium = await browser();
  rooms = endpoints([SITE, LONG].map((site) => server.link("moderator", site, "room")));
  leaver = endpoints([server.link("moderator", LEAVER, "room")]);
  technician = await open(chromium, server.link("technician"));
  other = await open(chromium, server.link("technician"), { width: 1920, height: 1080 });
  chair = await open(chromium, server.links_of("chair")[1]);
});

after(async () => {
  await chromium?.close();
  await Promise.all([rooms?.stop(), leaver?.stop()]);
  await server?.stop();
});

test("a site with too few frames is told with its limit and since when", async () => {
  for (const page of [technician, other]) await row(page, /^TP Cao Lãnh Chỉ còn \d+ hình\/giây \(ngưỡng 60\) từ \d\d:\d\d\./);
  assert.match(await technician.title(), /^\d cảnh báo/);
});

test("no page of a technician is wider than its window", async () => {
  await row(technician, /hình\/giây/);
  for (const page of [technician, other]) {
    const wide = await page.evaluate(() => [document.documentElement, document.querySelector(".sites-table")].map((each) => each.scrollWidth - each.clientWidth));
    assert.deepEqual(wide, [0, 0]);
  }
});

test("who sees to it is known at the other desk, and it stays there quietly", async () => {
  await technician.getByRole("button", { name: "Nhận xử lý: TP Cao Lãnh" }).click();
  for (const page of [technician, other]) {
    await until("it is quiet", async () => (await text(page, ".seen-to li")).some((said) => /^TP Cao Lãnh Chỉ còn .* · Kỹ thuật nhận lúc \d\d:\d\d$/.test(said)));
    assert.ok(!(await text(page, ".banner.health")).some((said) => said.startsWith("TP Cao Lãnh")));
  }
});

test("the chair sees to one at the site it looks at", async () => {
  await chair.getByRole("button", { name: /^Xem và nhắc điểm cầu Huyện Châu Thành/ }).click();
  await chair.locator(".site-strip .wrong").getByRole("button", { name: "Nhận xử lý" }).click();
  for (const page of [technician, other]) await until("who did is told", async () => (await text(page, ".seen-to li")).some((said) => /^Huyện Châu Thành .* · Bàn chủ trì thứ hai nhận lúc/.test(said)));
  await until("the button is gone", async () => (await text(chair, ".site-strip .wrong")).some((said) => said.includes("Bàn chủ trì thứ hai nhận lúc")));
});

test("a room that goes is told at once, and is no picture that stands still any more", async () => {
  await row(other, /^TP Sa Đéc .*hình\/giây/);
  await leaver.stop();
  const said = await row(other, /^TP Sa Đéc Mất kết nối từ/);
  assert.doesNotMatch(said, /hình\/giây/);
});
