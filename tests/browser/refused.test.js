// What a person wrote is never lost: a comment or a request that the server refuses is back in the form, at a desk and on a phone,
// and the sheet has every figure that was typed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Seats, Server, breakable, browser, entered, joined, open, stranger, until, visit } from "./harness.js";

const SITE = 3;
/** The longest comment; a dozen of them are more than one site may have standing. */
const LONG = "ộ".repeat(4_000);
const WORDS = "Đề nghị nêu rõ thời hạn hoàn thành.";
const PROPOSED = "Hoàn thành trong quý này.";

let server, chromium, seats, desk, phone;

const post = (text) => ({ type: "post_comment", kind: "wording", words: { at: { draft: 1, paragraph: 2 }, text, proposed: text, delegate: "" } });
const typed = (page) => page.evaluate(() => ["#c-text", "#c-proposed"].map((field) => /** @type {HTMLTextAreaElement} */ (document.querySelector(field))?.value));

async function send(page, words) {
  await page.locator(".para").nth(1).click();
  await page.locator("#c-text").fill(words);
  await page.locator("#c-proposed").fill(PROPOSED);
  await page.locator("form.compose [type=submit]").click();
}

before(async () => {
  server = await Server.start();
  chromium = await browser();
  seats = await Seats.open(chromium, server);
  await seats.join("site", server.link("moderator", SITE, "nothing"));
  desk = await entered(await joined(await visit(await stranger(chromium), server.link("moderator", SITE, "room"), breakable)));
  phone = await open(chromium, server.link("moderator", SITE, "nothing"), { width: 390, height: 844 });
  await desk.getByRole("tab", { name: /^(Dự thảo|Drafts)/ }).click();
  await phone.locator(".foot button").click();
});

after(async () => {
  await chromium?.close();
  await server?.stop();
});

test("what is taken leaves an empty form", async () => {
  for (const page of [desk, phone]) {
    await send(page, "Nhất trí.");
    await until("it is in the list", async () => (await page.evaluate(() => globalThis.diemcau.state())).pending === 0);
    assert.deepEqual(await typed(page), ["", ""]);
  }
});

test("what is refused is back in the form, and the status line says why", async () => {
  let answer = null;
  for (let n = 0; n < 12 && answer?.type !== "refused"; n += 1) answer = await seats.ask("site", post(LONG));
  assert.equal(answer.why, "share_used", "the site's share is used up");
  // So little room is left that the shortest of these does not fit.
  for (let size = 4_000; size >= 1; size = Math.floor(size / 2)) {
    do answer = await seats.ask("site", post("a".repeat(size))); while (answer.type === "ok");
  }
  for (const page of [desk, phone]) {
    await send(page, WORDS);
    await until("the words are back", async () => (await typed(page))[0] === WORDS);
    assert.equal((await typed(page))[1], PROPOSED);
    await page.locator(".status-line.alarming").waitFor();
    await page.reload();
  }
});

test("they are there after a reload, and go once there is room", async () => {
  await phone.locator(".foot button").click();
  await phone.locator(".para").nth(1).click();
  assert.deepEqual(await typed(phone), [WORDS, PROPOSED]);
  const first = await phone.evaluate((long) => globalThis.diemcau.view().feed.find((comment) => comment.words.text === long).id, LONG);
  assert.equal((await seats.ask("site", { type: "withdraw_comment", comment: first })).type, "ok");
  await phone.locator("form.compose [type=submit]").click();
  await phone.locator(".status-line:not(.alarming) span").waitFor();
  await until("it is taken", async () => (await phone.evaluate(() => globalThis.diemcau.state())).pending === 0);
  assert.deepEqual(await typed(phone), ["", ""]);
});

const SPEAKER = ["Nguyễn Thị Hồng Nhung", "Phó Bí thư", "Chỉ tiêu kết nạp đảng viên"];
const FIELDS = ["#delegate", "#title", "#topic"];
const filled = (page) => page.evaluate((fields) => fields.map((field) => document.querySelector(field)?.value), FIELDS);

/** The request's form is filled in and sent. */
async function request(page) {
  for (const [place, field] of FIELDS.entries()) await page.locator(field).fill(SPEAKER[place]);
  await page.locator("form.ask [type=submit]").click();
}

const chairs = async (command) => assert.equal((await seats.ask("chair", command)).type, "ok", JSON.stringify(command));

test("a request that is refused keeps its words over a reload, and one that is taken leaves none", async () => {
  await seats.join("chair", server.link("chair"));
  await chairs({ type: "start_item", item: 5, waiting: "keep" });
  await desk.reload();
  await joined(desk);
  await desk.getByRole("button", { name: "Đăng ký phát biểu" }).click();
  await desk.locator("form.ask").waitFor();
  await chairs({ type: "set_list", open: false });
  await request(desk);
  await desk.locator(".status-line.alarming").waitFor();
  assert.deepEqual(await filled(desk), SPEAKER);
  await desk.reload();
  await joined(desk);
  await chairs({ type: "set_list", open: true });
  await desk.getByRole("button", { name: "Đăng ký phát biểu" }).click();
  await desk.locator("form.ask").waitFor();
  assert.deepEqual(await filled(desk), SPEAKER);
  // What is typed for the next one before the answer is there stays.
  await desk.evaluate(() => globalThis.line.hold(true));
  await desk.locator("form.ask [type=submit]").click();
  await until("it is on its way", () => desk.locator("form.ask [type=submit]").isDisabled());
  await desk.locator("#delegate").fill("Lê Thị Hoa");
  await desk.evaluate(() => globalThis.line.hold(false));
  await desk.getByRole("button", { name: "Đăng ký thêm" }).click();
  await desk.locator("form.ask").waitFor();
  assert.deepEqual(await filled(desk), ["Lê Thị Hoa", "", ""]);
  await desk.locator("form.ask [type=submit]").click();
  await until("both are in the list", async () => (await seats.floor("chair")).queue.filter((one) => one.site === SITE).length === 2);
  await desk.getByRole("button", { name: "Đăng ký thêm" }).click();
  await desk.locator("form.ask").waitFor();
  assert.deepEqual(await filled(desk), ["", "", ""]);
});

test("the hall's form says that a request is in the list when it is, and keeps the words of one that is not", async () => {
  const chair = await entered(await joined(await visit(await stranger(chromium), server.links_of("chair")[1], breakable)));
  const panel = async () => {
    await chair.getByRole("button", { name: "Đăng ký phát biểu tại hội trường" }).click();
    await chair.locator("#hall-form").waitFor();
  };
  await panel();
  // Another desk has registered the same speaker.
  await chairs({ type: "request_floor", words: { speech: "contribution", delegate: SPEAKER[0], title: "", topic: "", paragraph: null } });
  const own = await until("it is in the list", async () => (await seats.floor("chair")).queue.find((one) => one.words.delegate === SPEAKER[0] && one.site === 0));
  await chair.evaluate(() => globalThis.line.hold(true));
  await request(chair);
  await until("it is on its way", () => chair.locator("form.ask [type=submit]").isDisabled());
  // The panel is closed before the answer is there, and something else is done.
  await chair.keyboard.press("Escape");
  await chair.evaluate(() => globalThis.line.hold(false));
  await chair.locator(".status-line.alarming").waitFor();
  await chairs({ type: "withdraw_request", turn: own.turn });
  await chair.getByRole("button", { name: /^Màn hình lớn/ }).click();
  await chair.locator(".layouts .btn").nth(2).click();
  await until("the refusal is read", () => chair.locator(".status-line.alarming").count().then((count) => count === 0));
  await chair.keyboard.press("Escape");
  await panel();
  assert.deepEqual(await filled(chair), SPEAKER);
  assert.equal(await chair.locator(".status-line", { hasText: "Đã ghi vào danh sách" }).count(), 0);
  await chair.locator("form.ask [type=submit]").click();
  await chair.locator(".status-line:visible", { hasText: "Đã ghi vào danh sách" }).waitFor();
  assert.deepEqual(await filled(chair), ["", "", ""]);
});

test("two figures of one row, typed before the first is back, are both in the sheet; one that is not taken does not look reported", async () => {
  const secretary = await joined(await visit(await stranger(chromium), server.link("secretary"), breakable));
  await secretary.getByRole("button", { name: "Điểm danh" }).click();
  const [present, online] = ["Có mặt trực tiếp", "Có mặt trực tuyến"].map((word) => secretary.locator(".sheet tbody tr").nth(SITE).getByLabel(new RegExp(`^${word}`, "i")));
  const reported = () => secretary.evaluate((site) => globalThis.diemcau.view().attendance.sites.find((line) => line.site === site).headcount, SITE);
  const says = (field) => field.getAttribute("aria-invalid");
  await present.waitFor();
  const types = async (field, words) => {
    await field.fill(words);
    await field.press("Tab");
  };
  await secretary.evaluate(() => globalThis.line.hold(true));
  await types(present, "12");
  await types(online, "2");
  await secretary.evaluate(() => globalThis.line.hold(false));
  await until("both are there", async () => {
    const count = await reported();
    return count?.present === 12 && count.online === 2;
  });

  // The server's word for a field comes while somebody types in it.
  const [first, second] = ["Có mặt trực tiếp", "Có mặt trực tuyến"].map((word) => secretary.locator(".sheet tbody tr").nth(SITE + 1).getByLabel(new RegExp(`^${word}`, "i")));
  await secretary.evaluate(() => globalThis.line.hold(true));
  await types(first, "3");
  await second.focus();
  await secretary.keyboard.type("1");
  await secretary.evaluate(() => globalThis.line.hold(false));
  await until("the first is there", async () => await says(first) === null);
  await secretary.keyboard.type("0");
  await secretary.keyboard.press("Tab");
  await until("the second is as typed", async () => await says(second) === null);
  assert.equal(await second.inputValue(), "10");

  await secretary.evaluate(() => globalThis.line.hold(true));
  await types(present, "13");
  assert.deepEqual([await says(present), await says(online)], ["true", null], "nothing is reported before the server has it");
  await secretary.evaluate(() => globalThis.line.hold(false));
  await until("it stands as reported", async () => await says(present) === null);

  await secretary.evaluate(() => globalThis.line.cut(true));
  await secretary.getByRole("alert").filter({ hasText: "Đang kết nối lại" }).waitFor();
  await types(present, "11");
  await until("it says that it was not taken", async () => await says(present) === "true");
  await secretary.evaluate(() => globalThis.line.cut(false));
  await until("the link is back", () => secretary.evaluate(() => globalThis.diemcau.state().link === "joined"));
  assert.deepEqual([await says(present), (await reported()).present], ["true", 13]);
  await types(present, "14");
  await until("it is taken", async () => (await reported()).present === 14 && await says(present) === null);
});
