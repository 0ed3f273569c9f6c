// The chairman unit on a morning: the chair by keyboard, a site's desk, a phone beside another room, the wall.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { Server, browser, endpoints, entered, open, until } from "./harness.js";

const PICTURES = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const DISCUSSION = 5;
/** Who is linked beside the browsers, without one: three rooms and the one the phone belongs to. */
const ROOMS = [2, 3, 4, 12];

let server, chromium, rooms, chair, site, phone, stage;

const view = (page) => page.evaluate(() => globalThis.diemcau.view());
const picture = (page, name) => page.screenshot({ path: `${PICTURES}/${name}.png` });
const order = async (page) => (await view(page)).floor.queue.map((request) => request.turn);
const heard = async () => (await view(stage)).stage.heard;

/** Every page shows the same list; how long after the chair's own page is told, not asserted. */
async function sameOrder(wanted) {
  const begun = Date.now();
  await until("every page shows the same order", async () => {
    const orders = await Promise.all([chair, site, phone, stage].map(order));
    return orders.every((each) => each.join() === wanted.join());
  });
  return Date.now() - begun;
}

/** A site asks with a delegate of its own; `page` is its desk or its phone. */
async function ask(page, delegate, kind) {
  const another = page.getByRole("button", { name: /^(Lượt nữa|Đăng ký thêm)/ });
  await (await another.count() ? another : page.getByRole("button", { name: "Đăng ký phát biểu" })).first().click();
  await until("the form is there", () => page.locator("form.ask").count());
  if (kind) await page.getByLabel(kind, { exact: true }).check();
  await page.getByLabel("Người phát biểu").fill(delegate);
  await page.getByLabel("Chức danh, đơn vị").fill("Phó Chủ tịch Uỷ ban Mặt trận Tổ quốc");
  await page.locator("form.ask button[type=submit]").click();
}

async function show(layout) {
  const panel = chair.getByRole("button", { name: /^Màn hình lớn/ });
  if (await panel.getAttribute("aria-expanded") !== "true") await panel.click();
  await chair.getByRole("button", { name: layout, exact: true }).click();
  await chair.getByRole("button", { name: /^Đưa lên màn hình/ }).click();
  await chair.keyboard.press("Escape");
}

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  server = await Server.start();
  chromium = await browser();
  rooms = endpoints(ROOMS.map((each) => server.link("moderator", each, "room")));
  chair = await entered(await open(chromium, server.link("chair")));
  site = await entered(await open(chromium, server.link("moderator", 1, "room")));
  phone = await open(chromium, server.link("moderator", 12, "nothing"), { width: 390, height: 844 });
  stage = await open(chromium, server.link("stage"), { width: 1920, height: 1080 });
  const linked = async () => (await view(chair)).sites.filter((link) => link.carrier !== null).length;
  await until("hall, site and rooms are linked", async () => await linked() === ROOMS.length + 2, 120);
});

after(async () => {
  await chromium?.close();
  await rooms?.stop();
  await server?.stop();
});

test("the waiting picture before it begins", async () => {
  await show("Màn hình chờ");
  await until("the wall waits", () => stage.locator("main.waiting").count());
  await picture(stage, "stage-waiting-1920x1080");
  await show("Diễn giả");
});

test("the roll is called with one key, and the called site is heard", async () => {
  await chair.getByRole("button", { name: "Điểm danh" }).click();
  await chair.getByRole("button", { name: "Bắt đầu điểm danh" }).click();
  await until("the hall is called", async () => (await view(chair)).attendance.calling === 0);
  await chair.keyboard.press("F2");
  await until("the site is called", async () => (await view(site)).attendance.calling === 1);
  await until("it is heard with the hall", async () => (await heard()).join() === "0,1");
  await until("the server has heard it", async () => (await view(chair)).attendance.sites[1].heard !== null);
  await picture(chair, "chair-roll-1366x625");
  await picture(site, "site-called-1366x625");
  await picture(stage, "stage-roll-1920x1080");
  const observer = await open(chromium, server.link("observer"), { width: 390, height: 844 });
  await observer.getByText("đã gọi 1/13").waitFor();
  await picture(observer, "observer-roll-390x844");
  await observer.context().close();
  await site.getByLabel("Có mặt trực tiếp").fill("17");
  await site.getByLabel("Vắng mặt, lý do").fill("01 đồng chí đi công tác");
  assert.equal(await site.locator(".headcount output").textContent(), String(Math.max(0, Number(await site.getByLabel("Triệu tập").inputValue()) - 17)));
  await site.getByRole("button", { name: "Gửi quân số" }).click();
  await until("the chair has it", async () => (await view(chair)).attendance.present === 17);
  await phone.getByRole("button", { name: "Quân số", exact: true }).click();
  await phone.getByLabel("Có mặt trực tiếp").fill("9");
  await phone.getByRole("button", { name: "Gửi quân số" }).click();
  await until("the chair has the phone's too", async () => (await view(chair)).attendance.present === 26);
  await phone.getByRole("button", { name: "Trở lại" }).click();
  for (let called = 1; called !== null; called = (await view(chair)).attendance.calling) {
    await chair.keyboard.press("F2");
    await until("the next is called", async () => (await view(chair)).attendance.calling !== called);
  }
  const lines = (await view(chair)).attendance.sites;
  assert.deepEqual([lines[1].how, lines[5].how], ["answered", "no_answer"], "who was heard, and who is not linked");
  assert.deepEqual(await heard(), [], "nobody is heard after the roll call");
  assert.equal((await view(stage)).attendance.sites[1].headcount.absent, "", "who is absent is not the wall's business");
  await picture(chair, "chair-sheet-1366x625");
  await chair.keyboard.press("Escape");
});

test("a site confirms with one key, and is called", async () => {
  for (let item = 1; item <= DISCUSSION; item += 1) {
    await chair.getByRole("button", { name: item === 1 ? /Bắt đầu/ : `Sang nội dung ${item}` }).first().click();
    await until("the item runs", async () => (await view(chair)).agenda.current === item);
  }
  await ask(site, "Bà H'Linh Êban");
  await until("it is in the list", async () => (await view(chair)).floor.queue.length === 1);
  await ask(phone, "Ngô Quốc Đạt".normalize("NFD"));
  await until("it is in the list", async () => (await view(chair)).floor.queue.length === 2);
  await site.keyboard.press("F2");
  await until("it is ready", async () => (await view(chair)).floor.queue[0].ready === "ready");
  await picture(site, "site-ready-1366x625");
  await picture(phone, "phone-second-390x844");
  await picture(chair, "chair-ready-1366x625");
  await chair.keyboard.press("F2");
  await until("it is heard", async () => (await heard()).join() === "1");
  await until("the invitation fills the desk", () => site.locator(".summons").count());
  await picture(site, "site-summoned-1366x625");
  await site.keyboard.press("F2");
  await until("the desk shows the clock", async () => await site.locator(".summons").count() === 0);
});

test("priority silences it while the key is held, and the clock stands", async () => {
  await chair.keyboard.down("F9");
  await until("only the hall is heard", async () => (await heard()).join() === "0");
  const { turn } = (await view(stage)).floor;
  assert.deepEqual([turn.silenced, turn.running_since], [true, null]);
  await picture(stage, "stage-priority-1920x1080");
  await chair.keyboard.up("F9");
  await until("the site is heard again", async () => (await heard()).join() === "1");
});

test("a question is put into the speech, which then goes on", async () => {
  await ask(phone, "Bà Trần Thị Q", "Hỏi thêm");
  await until("it comes before the others", async () => (await view(chair)).floor.queue[0]?.words.speech === "question");
  await chair.keyboard.press("F2");
  await until("the question is heard", async () => (await heard()).join() === "12");
  assert.equal((await view(site)).floor.others[0].interrupted, true);
  await picture(stage, "stage-question-1920x1080");
  await picture(site, "site-interrupted-1366x625");
  await chair.keyboard.press("F4");
  await until("the speech goes on", async () => (await heard()).join() === "1");
});

test("the chair reorders, takes it back, and every page shows the same list", async () => {
  await ask(site, "Ông Lê Văn R");
  await until("two wait", async () => (await view(chair)).floor.queue.length === 2);
  const before = await order(chair);
  await chair.locator(".queue").focus();
  await chair.keyboard.press("End");
  await chair.getByRole("button", { name: "Đưa lên một bậc" }).click();
  const took = await sameOrder(before.toReversed());
  assert.deepEqual((await view(chair)).floor.queue[0].why, { why: "chair" });
  await chair.getByRole("button", { name: /^Hoàn tác/ }).click();
  const back = await sameOrder(before);
  console.log(`the same order on four pages ${took} and ${back} ms after it was looked for`);
});

test("the second request of a delegate is refused with a sentence, and the form stays", async () => {
  await ask(phone, "ngô quốc đạt");
  await until("it is said why", async () => (await phone.getByRole("status").allTextContents()).some((text) => text.includes("đã có trong danh sách")));
  assert.equal(await phone.getByLabel("Người phát biểu").inputValue(), "ngô quốc đạt");
  await phone.getByRole("button", { name: "Thôi" }).click();
});

test("a place is given up only after a question, and the desk says that it is", async () => {
  const waiting = (await order(chair)).length;
  await ask(phone, "Ông Phan Văn S");
  await until("one more waits", async () => (await order(chair)).length === waiting + 1);
  const withdraw = phone.getByRole("button", { name: "Rút đăng ký: Ông Phan Văn S" });
  await withdraw.click();
  await picture(phone, "phone-withdraw-390x844");
  await phone.getByRole("button", { name: "Giữ đăng ký" }).click();
  assert.equal((await order(chair)).length, waiting + 1);
  await withdraw.click();
  await phone.getByRole("dialog").getByRole("button", { name: "Rút đăng ký" }).click();
  await until("it is gone", async () => (await order(chair)).length === waiting);
  await phone.getByText("Đã bỏ đăng ký").waitFor();
});

test("prompts go to one site and back", async () => {
  await chair.getByRole("button", { name: /^Xem và nhắc điểm cầu TP Cao Lãnh/ }).click();
  await chair.getByRole("button", { name: "Nói chậm lại" }).click();
  await until("the site is told", () => site.getByRole("button", { name: "Đã rõ" }).count());
  await site.getByRole("button", { name: "Không nghe rõ" }).click();
  await until("the chair is told", () => chair.getByRole("button", { name: "Đã xử lý" }).count());
  assert.deepEqual((await view(phone)).prompts, [], "another site is not told");
  await picture(chair, "chair-prompts-1366x625");
  await picture(site, "site-prompt-1366x625");
  await chair.getByRole("button", { name: "Đã xử lý" }).click();
  await chair.getByRole("button", { name: "Đóng" }).click();
});

test("a deputy stages, takes the chair when the chair's machine goes, and calls", async () => {
  const deputy = await open(chromium, server.link("deputy"));
  await deputy.locator(".queue").focus();
  await deputy.keyboard.press("End");
  await deputy.getByRole("button", { name: /^Xếp gọi thứ 1/ }).click();
  const staged = (await order(chair)).at(-1);
  await until("the chair would call it", async () => (await view(chair)).floor.on_deck[0] === staged);
  await picture(deputy, "deputy-1366x625");
  await chair.context().close();
  await deputy.getByRole("button", { name: "Nhận quyền điều hành" }).click();
  await deputy.getByRole("dialog").getByRole("button", { name: "Nhận quyền điều hành" }).click();
  await until("the deputy presides", async () => (await view(deputy)).floor.deputy !== null);
  await deputy.keyboard.press("F2");
  await until("the staged one speaks", async () => (await view(deputy)).floor.turn?.turn === staged);
  chair = deputy;
  for (const [layout, name] of [["Dự thảo", "document"], ["Lưới điểm cầu", "grid"]]) {
    await show(layout);
    await until("the wall shows it", async () => (await view(stage)).stage.layout === name);
    await picture(stage, `stage-${name}-speaking-1920x1080`);
  }
});

test("no page asked anybody outside, and none complained", async () => {
  for (const page of [chair, site, phone, stage]) {
    assert.deepEqual(page.outside, []);
    assert.deepEqual(page.said.filter((line) => line.startsWith("error")), []);
  }
});
