// The demo conference's morning, as its script has it: thirteen rooms, the chair by the keyboard alone, a site's desk, a
// phone beside another room, the wall. Eleven rooms are endpoints without a browser; their moderators are bare sockets.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { Seats, Server, browser, clockSpread, endpoints, entered, listen, open, press, reach, until, watchList } from "./harness.js";

const PICTURES = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const DISCUSSION = 5;
/** The room that comes late, the one whose link breaks in the middle of its speech, the site with a phone, and all rooms without a browser. */
const [LATE, BREAKS, PHONE] = [11, 3, 12];
const ROOMS = [2, 4, 5, 6, 7, 8, 9, 10, 12];
/** Moderators that are sockets; the first site has a desk, the twelfth a phone. */
const MODERATORS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const COMMENTS = 120;

let server, chromium, seats, rooms, late, breaks, chair, site, phone, stage;

const view = (page) => page.evaluate(() => globalThis.diemcau.view());
const picture = (page, name) => page.screenshot({ path: `${PICTURES}/${name}.png` });
const order = async (page) => (await view(page)).floor.queue.map((request) => request.turn);
const heard = async (page = stage) => (await view(page)).stage.heard;
const turn = async (page = chair) => (await view(page)).floor.turn;
const room = (number, carries = "room") => server.link("moderator", number, carries);
const notes = (page) => page.evaluate(() => globalThis.notes);
const linked = async () => (await view(chair)).sites.filter((link) => link.carrier !== null).length;

/** The chair presses, and every page shows the list wanted; how long after the answer the last of them drew it is told, not asserted. */
async function sameOrder(act, wanted) {
  await chair.evaluate(() => (globalThis.noted.answered = 0));
  await act();
  const pages = [chair, site, phone, stage];
  const shown = await until("every page shows the same order", async () => {
    const lists = await Promise.all(pages.map((page) => page.evaluate(() => globalThis.noted.lists.at(-1))));
    return lists.every((each) => each?.list === wanted.join()) && lists;
  });
  const answered = await until("the press was answered", () => chair.evaluate(() => globalThis.noted.answered));
  return Math.round(Math.max(...shown.map(({ at }) => at)) - answered);
}

/** No two pictures of the wall are of one room: each shows the stream of its own slot. */
async function ownPictures() {
  await until("every picture of the wall is its own", () => stage.evaluate(() => {
    const fronts = [...document.querySelectorAll("room-picture:not([empty])")].map((each) => each.lastElementChild.srcObject);
    return fronts.length > 2 && new Set(fronts).size === fronts.length;
  }));
}

/** A site asks with a delegate of its own; `page` is its desk or its phone. */
async function fill(page, delegate, kind) {
  const another = page.getByRole("button", { name: /^(Lượt nữa|Đăng ký thêm)/ });
  await (await another.count() ? another : page.getByRole("button", { name: "Đăng ký phát biểu" })).first().click();
  await until("the form is there", () => page.locator("form.ask").count());
  if (kind) await page.getByLabel(kind, { exact: true }).check();
  await page.getByLabel("Người phát biểu").fill(delegate);
  await page.getByLabel("Chức danh, đơn vị").fill("Phó Chủ tịch Uỷ ban Mặt trận Tổ quốc");
}

async function ask(page, delegate, kind) {
  await fill(page, delegate, kind);
  await page.locator("form.ask button[type=submit]").click();
}

/** A request of a site whose moderator is a socket. */
async function request(number, speech = "contribution", more = {}) {
  const words = { speech, delegate: `Đại biểu ${crypto.randomUUID().slice(0, 4)}`, topic: "Chỉ tiêu kết nạp đảng viên", ...more };
  const answer = await seats.ask(number, { type: "request_floor", words });
  assert.equal(answer.type, "ok", JSON.stringify(answer));
}

/** The chair ends the turn that the wall shows, once the desk shows it too: a person presses by what the own desk says. */
async function end() {
  await until("the desk knows what the wall does", async () => (await heard(chair)).join() === (await heard()).join());
  await chair.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  await chair.keyboard.press("F4");
}

/** The chair picks a row of the list with the arrow keys. */
async function pick(wanted) {
  const at = (await order(chair)).indexOf(wanted);
  await reach(chair, "Danh sách đăng ký phát biểu");
  await chair.keyboard.press("Home");
  for (let n = 0; n < at; n += 1) await chair.keyboard.press("ArrowDown");
  await until("the row is picked", () => chair.locator(`#turn-${wanted}.is-picked`).count());
}

/** Calls a site out of its order. */
async function call(number) {
  const [wanted] = (await view(chair)).floor.queue.filter((each) => each.site === number);
  await pick(wanted.turn);
  await press(chair, /^Mời số/);
  return wanted.turn;
}

async function show(layout) {
  await press(chair, "Màn hình lớn");
  await press(chair, layout);
  await press(chair, "Đưa lên màn hình");
  await chair.keyboard.press("Escape");
}

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  server = await Server.start();
  chromium = await browser();
  rooms = endpoints([...ROOMS.map((each) => room(each)), room(4, "standby")]);
  breaks = endpoints([room(BREAKS)]);
  chair = await entered(await open(chromium, server.link("chair")));
  site = await entered(await open(chromium, room(1)));
  phone = await open(chromium, room(PHONE, "nothing"), { width: 390, height: 844 });
  stage = await open(chromium, server.link("stage"), { width: 1920, height: 1080 });
  await Promise.all([chair, site].map(listen));
  seats = await Seats.open(chromium, server);
  for (const each of MODERATORS) await seats.join(each, room(each, "nothing"));
});

after(async () => {
  await chromium?.close();
  await Promise.all([rooms, breaks, late].map((each) => each?.stop()));
  await server?.stop();
});

test("the rooms come in, one twice, one late; the wall waits", async () => {
  await until("all but the late one are linked", async () => await linked() === 12, 120);
  await show("Màn hình chờ");
  await until("the wall waits", () => stage.locator("main.waiting").count());
  await picture(stage, "stage-waiting-1920x1080");
  late = endpoints([room(LATE)]);
  await until("thirteen are linked", async () => await linked() === 13);
  assert.equal((await view(chair)).sites[4].carrier, "room", "a standby machine waits for the room's own to go");
  await show("Diễn giả");
});

/** What a site reports while it is called is its answer, also when it is sent by phone. */
async function reportByPhone() {
  await phone.getByLabel("Có mặt trực tiếp").fill("9");
  await phone.getByRole("button", { name: "Gửi quân số" }).click();
  await until("the chair has it", async () => (await view(chair)).attendance.sites[PHONE].headcount?.present === 9);
}

test("the roll of thirteen is called with one key, and the called site is heard", async () => {
  await press(chair, "Điểm danh");
  await press(chair, "Bắt đầu điểm danh");
  await until("the hall is called", async () => (await view(chair)).attendance.calling === 0);
  await until("the server has heard the hall", async () => (await view(chair)).attendance.sites[0].heard !== null);
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
  for (let called = 1; called !== null;) {
    if (MODERATORS.includes(called)) {
      const headcount = { summoned: 15, present: 14, online: 1, absent: "" };
      assert.equal((await seats.ask(called, { type: "set_headcount", site: called, headcount })).type, "ok");
    } else if (called === PHONE) {
      await reportByPhone();
    }
    await chair.keyboard.press("F2");
    called = await until("the next is called", async () => {
      const { calling } = (await view(chair)).attendance;
      return calling !== called && [calling];
    }).then(([calling]) => calling);
  }
  const { sites, present } = (await view(chair)).attendance;
  assert.deepEqual(sites.map((line) => line.how), Array(13).fill("answered"));
  assert.equal(present, 26 + 14 * MODERATORS.length);
  assert.deepEqual(await heard(), [], "nobody is heard after the roll call");
  assert.equal((await view(stage)).attendance.sites[1].headcount.absent, "", "who is absent is not the wall's business");
  await picture(chair, "chair-sheet-1366x625");
  await chair.keyboard.press("Escape");
});

test("the items go on, and the paragraph presented is on the wall", async () => {
  for (let item = 1; item <= DISCUSSION; item += 1) {
    await press(chair, item === 1 ? "Bắt đầu nội dung 1" : `Sang nội dung ${item}`);
    await until("the item runs", async () => (await view(chair)).agenda.current === item);
    if (item !== 3) continue;
    await show("Dự thảo");
    await until("the wall shows the draft", () => stage.locator("main.document .shown").count());
    await picture(stage, "stage-document-1920x1080");
    await show("Diễn giả");
  }
});

test("eleven sites ask, and everybody sees one list with its reasons", async () => {
  await ask(site, "Bà H'Linh Êban");
  await until("it is in the list", async () => (await order(chair)).length === 1);
  assert.deepEqual(await notes(chair), [659, 880], "the chair is told by ear");
  assert.deepEqual(await notes(site), [], "a site is not");
  await press(chair, "Chuông: nhỏ");
  await until("the tones are off", () => chair.getByRole("button", { name: "Chuông: tắt" }).count());
  await request(2);
  await until("it is in the list too", async () => (await order(chair)).length === 2);
  assert.equal((await notes(chair)).length, 2, "nothing sounds on a desk that wants none");
  await press(chair, "Chuông: tắt");
  await press(chair, "Chuông: vừa");
  for (const number of [3, 4]) await request(number);
  await request(5, "contribution", { minutes: 1 });
  for (const number of [6, 7, 8, 9, 11]) await request(number);
  await ask(phone, "Ngô Quốc Đạt".normalize("NFD"));
  await until("eleven wait", async () => (await order(chair)).length === 11);
  for (const number of [2, 4, 5, 6, 9]) await request(number);
  await request(7, "point_of_order");
  await until("seventeen wait", async () => (await order(chair)).length === 17);
  const list = (await view(chair)).floor.queue;
  assert.deepEqual(list.map((each) => each.site), [7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 2, 4, 5, 6, 9], "second turns after everyone's first");
  assert.ok(list.every((each) => each.why !== null), "each place has its reason");
  const gone = list.at(-1).turn;
  assert.equal((await seats.ask(9, { type: "withdraw_request", turn: gone })).type, "ok");
  await until("every page shows it gone", async () => (await Promise.all([chair, site, phone, stage].map(order))).every((each) => each.length === 16 && !each.includes(gone)));
  await picture(chair, "chair-list-1366x625");
  await picture(stage, "stage-list-1920x1080");
});

test("the chair reorders, takes it back, and every page shows the same list", async () => {
  const before = await order(chair);
  for (const page of [chair, site, phone, stage]) await watchList(page);
  await pick(before.at(-1));
  const took = await sameOrder(() => press(chair, "Đưa lên một bậc"), [...before.slice(0, -2), before.at(-1), before.at(-2)]);
  assert.deepEqual((await view(chair)).floor.queue.at(-2).why, { why: "chair" });
  const undo = () => chair.keyboard.press("F3");
  const back = await sameOrder(undo, before);
  console.log(`the same order on four pages ${took} and ${back} ms after the acknowledgement (wanted: 300)`);
  await pick(before[9]);
  await reach(chair, "Số");
  await chair.keyboard.type("2");
  await sameOrder(() => chair.keyboard.press("Enter"), [before[0], before[9], ...before.slice(1, 9), ...before.slice(10)]);
  await sameOrder(undo, before);
  await pick(before[2]);
  await sameOrder(() => press(chair, "Đưa lên một bậc"), [before[0], before[2], before[1], ...before.slice(3)]);
  const second = await stage.locator(".band ol li").nth(1).textContent();
  assert.match(second, /Sa Đéc/, "the wall names the new second");
  await picture(stage, "stage-reordered-1920x1080");
  await sameOrder(undo, before);
  for (const page of [chair, site, phone, stage]) await page.evaluate(() => (globalThis.noted = null));
});

test("the point of order is heard first; then a site confirms with one key, and is called", async () => {
  await chair.keyboard.press("F2");
  await until("the point of order is heard", async () => (await heard()).join() === "7");
  await end();
  await until("it is over", async () => (await turn()) === null);
  await until("the desk is told to prepare", async () => (await view(site)).floor.on_deck.length > 0);
  await site.keyboard.press("F2");
  await until("it is ready", async () => (await view(chair)).floor.queue[0].ready === "ready");
  await picture(site, "site-ready-1366x625");
  await picture(phone, "phone-waiting-390x844");
  await picture(chair, "chair-ready-1366x625");
  await chair.keyboard.press("F2");
  await until("it is heard", async () => (await heard()).join() === "1");
  await until("the invitation fills the desk", () => site.locator(".summons").count());
  await picture(site, "site-summoned-1366x625");
  await site.keyboard.press("F2");
  await until("the desk shows the clock", async () => await site.locator(".summons").count() === 0);
});

test("the same clock runs on every page, and a minute more is a minute more on all", async () => {
  const offsets = await Promise.all([chair, site, phone, stage].map((page) => page.evaluate(() => globalThis.diemcau.state().now - Date.now())));
  const spread = await clockSpread([chair, site, phone, stage]);
  console.log(`the four pages' guesses of the server's clock differ by ${Math.round(Math.max(...offsets) - Math.min(...offsets))} ms, the same second appears on all within ${spread.map(Math.round).join(", ")} ms (wanted: 50)`);
  const { allotted_ms: allotted } = await turn();
  await chair.keyboard.press("F6");
  for (const page of [chair, site, phone, stage]) {
    await until("it has a minute more", async () => (await turn(page)).allotted_ms === allotted + 60_000);
  }
  await chair.keyboard.press("F8");
  await until("the clock stands", async () => (await turn(stage)).running_since === null);
  const shown = (page) => page.locator("turn-clock .digits").first().textContent();
  await until("every clock shows the same second", async () => new Set(await Promise.all([chair, site, stage].map(shown))).size === 1);
  await chair.keyboard.press("F8");
  await until("the clock runs", async () => (await turn(stage)).running_since !== null);
});

test("priority silences it while the key is held, and the clock stands", async () => {
  await chair.keyboard.down("F9");
  await until("only the hall is heard", async () => (await heard()).join() === "0");
  const silenced = await turn(stage);
  assert.deepEqual([silenced.silenced, silenced.running_since], [true, null]);
  await picture(stage, "stage-priority-1920x1080");
  await picture(chair, "chair-priority-1366x625");
  await chair.keyboard.up("F9");
  await until("the site is heard again", async () => (await heard()).join() === "1");
});

test("a question is put into the speech, which then goes on; a reply hangs under it", async () => {
  const speech = (await turn()).turn;
  await request(8, "reply");
  await until("the reply hangs under it", async () => (await view(chair)).floor.queue.find((each) => each.words.speech === "reply")?.about === speech);
  await chair.getByText("về phát biểu của TP Cao Lãnh").waitFor();
  await ask(phone, "Bà Trần Thị Q", "Hỏi thêm");
  await until("it comes before the others", async () => (await view(chair)).floor.queue[0]?.words.speech === "question");
  await chair.keyboard.press("F2");
  await until("the question is heard", async () => (await heard()).join() === "12");
  assert.equal((await view(site)).floor.others[0].interrupted, true);
  await picture(stage, "stage-question-1920x1080");
  await picture(site, "site-interrupted-1366x625");
  await end();
  await until("the speech goes on", async () => (await heard()).join() === "1");
  await end();
  await until("it is over", async () => (await turn()) === null);
});

test("a link that breaks in mid-speech keeps the turn, and its clock stands on every page", async () => {
  const called = await call(BREAKS);
  await until("it is heard", async () => (await heard()).join() === String(BREAKS));
  await breaks.stop();
  await until("the turn is held", async () => (await turn())?.held);
  const { used_ms: used, running_since } = await turn();
  assert.equal(running_since, null);
  assert.deepEqual(await heard(), [], "nobody is heard in its place");
  for (const page of [site, phone, stage]) {
    await until("every page holds it at the same second", async () => {
      const { held, used_ms } = await turn(page);
      return held && used_ms === used;
    });
  }
  await chair.locator(".held-strip").waitFor();
  await picture(chair, "chair-held-1366x625");
  await picture(stage, "stage-held-1920x1080");
  await picture(phone, "phone-held-390x844");
  breaks = endpoints([room(BREAKS)]);
  await until("it is heard again", async () => (await heard()).join() === String(BREAKS));
  const back = await turn();
  assert.deepEqual([back.turn, back.used_ms, back.held], [called, used, false], "the same turn goes on where it stood");
  await end();
  await until("it is over", async () => (await turn()) === null);
});

test("a speaker runs over time while the sites write, and is given a minute", async () => {
  const called = await call(5);
  await until("it speaks", async () => (await turn())?.turn === called);
  await ownPictures();
  const before = (await view(chair)).feed.length;
  const comment = (n) => ({ type: "post_comment", kind: n % 4 === 0 ? "wording" : "substance", words: { at: { draft: 1 + n % 4, paragraph: 2 + n % 7 }, text: `Ý kiến số ${n} của điểm cầu`, proposed: n % 4 === 0 ? "Đến năm 2025 đạt trên 4%" : "", delegate: "" } });
  const cut = MODERATORS[0];
  for (let n = 0; n < COMMENTS; n += 1) {
    const from = MODERATORS[n % MODERATORS.length];
    if (from === cut && n === 60) {
      await seats.leave(cut);
      await seats.join(cut, room(cut, "nothing"));
    }
    const first = await seats.ask(from, comment(n), `comment-${n}`);
    assert.equal(first.type, "ok", JSON.stringify(first));
    // Three are said twice, by clients that lost the link before they heard the answer.
    if (n % 50 === 0) assert.deepEqual(await seats.ask(from, comment(n), `comment-${n}`), first);
  }
  await until("each comment is there once", async () => (await view(chair)).feed.length === before + COMMENTS);
  await picture(chair, "chair-last-minute-1366x625");
  await chair.evaluate(() => (globalThis.notes = []));
  await until("its time is over", () => chair.locator("turn-clock.over").count(), 120);
  assert.deepEqual((await notes(chair)).slice(-3), [587, 494, 392], "the chair hears that it is over");
  assert.deepEqual((await notes(site)).filter((hertz) => hertz < 600), [], "a site hears only of its own time");
  await picture(chair, "chair-over-1366x625");
  await picture(stage, "stage-over-1920x1080");
  await press(chair, "+1 phút");
  await until("a minute is left", async () => await chair.locator("turn-clock.over").count() === 0);
  assert.equal((await heard()).join(), "5", "over time or not, it is heard");
});

test("the next is called over it, and is stopped after a question", async () => {
  await chair.keyboard.press("F2");
  await until("another speaks", async () => (await turn())?.site !== 5);
  await press(chair, "Dừng lượt…");
  await chair.getByRole("dialog").waitFor();
  await picture(chair, "chair-stop-1366x625");
  await press(chair, /^Dừng lượt$/);
  await until("it is stopped", async () => (await turn()) === null);
  assert.deepEqual(await heard(), []);
});

test("who asks when the list is closed reads why; a point of order is still taken", async () => {
  await fill(site, "Ông Lê Văn R");
  await press(chair, "Khoá đăng ký");
  await until("the list is closed", async () => !(await view(chair)).floor.open);
  await site.locator("form.ask button[type=submit]").click();
  await until("it is said why", async () => (await site.getByRole("status").allTextContents()).some((text) => text.includes("Danh sách đăng ký đang khoá")));
  await picture(site, "site-list-closed-1366x625");
  assert.equal((await seats.ask(10, { type: "request_floor", words: { speech: "contribution", delegate: "", topic: "" } })).why, "list_closed");
  await request(10, "point_of_order");
  await site.getByRole("button", { name: "Huỷ" }).click();
  await press(chair, "Mở đăng ký");
  await until("the list is open", async () => (await view(chair)).floor.open);
});

test("the second request of a delegate is refused with a sentence, and the form stays", async () => {
  await ask(phone, "Ngô Quốc Đạt");
  await until("it is said why", async () => (await phone.getByRole("status").allTextContents()).some((text) => text.includes("đã có trong danh sách")));
  assert.equal(await phone.getByLabel("Người phát biểu").inputValue(), "Ngô Quốc Đạt");
  await picture(phone, "phone-delegate-waits-390x844");
  await phone.getByRole("button", { name: "Huỷ" }).click();
});

test("a site whose room is not linked cannot be called, and the chair reads why", async () => {
  await late.stop();
  await until("it is gone", async () => (await view(chair)).sites[LATE].carrier === null);
  const before = await turn();
  await call(LATE);
  await until("it is said why", async () => (await chair.getByRole("status").allTextContents()).some((text) => text.includes("chưa kết nối thiết bị phòng họp")));
  assert.deepEqual(await turn(), before);
  await picture(chair, "chair-not-linked-1366x625");
});

test("the second console presses a moment late, is refused, and knows the present list", async () => {
  await seats.join("second console", server.links_of("chair")[1]);
  const { turn: has, on_deck } = await seats.floor("second console");
  await chair.keyboard.press("F2");
  await until("the first console's is called", async () => (await turn())?.turn === on_deck[0]);
  const answer = await seats.ask("second console", { type: "grant_next", after: has?.turn ?? null, expect: on_deck[0] });
  assert.deepEqual([answer.type, answer.why], ["refused", "stale"]);
  assert.equal((await seats.floor("second console")).turn.turn, on_deck[0], "it was told what is so now");
  assert.equal((await turn()).turn, on_deck[0], "nobody was called twice");
  await end();
  await until("it is over", async () => (await turn()) === null);
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
  await phone.getByText("Đã rút đăng ký").waitFor();
});

test("prompts go to one site and back", async () => {
  await press(chair, "Xem và nhắc điểm cầu TP Cao Lãnh");
  await press(chair, "Nói chậm lại");
  await until("the site is told", () => site.getByRole("button", { name: "Đã rõ" }).count());
  await site.getByRole("button", { name: "Không nghe rõ" }).click();
  await until("the chair is told", () => chair.getByRole("button", { name: "Đã xử lý" }).count());
  assert.deepEqual((await view(phone)).prompts, [], "another site is not told");
  await picture(chair, "chair-prompts-1366x625");
  await picture(site, "site-prompt-1366x625");
  await press(chair, "Đã xử lý");
  await site.getByRole("button", { name: "Đã rõ" }).click();
  await chair.getByText(/^đã rõ/).waitFor();
  await chair.keyboard.press("Escape");
  await until("the strip is gone", async () => await chair.locator(".site-strip").count() === 0);
});

test("a deputy stages two, the chair approves with one key", async () => {
  const deputy = await open(chromium, server.link("deputy"));
  const wanted = (await view(chair)).floor.queue.slice(-2).map((each) => each.turn);
  const presiding = chair;
  chair = deputy;
  for (const [n, each] of wanted.entries()) {
    await pick(each);
    await press(deputy, `Xếp mời thứ ${n + 1}`);
    await until("it is staged", async () => (await view(deputy)).floor.staged[n] === each);
  }
  chair = presiding;
  await until("the chair would call them", async () => (await view(chair)).floor.on_deck.join() === wanted.join());
  await picture(deputy, "deputy-1366x625");
  await chair.keyboard.press("F2");
  await until("the first staged one speaks", async () => (await turn())?.turn === wanted[0]);

  await chair.context().close();
  chair = deputy;
  await press(chair, "Nhận quyền điều hành");
  await chair.getByRole("dialog").waitFor();
  await press(chair, /^Nhận quyền điều hành$/);
  await until("the deputy presides", async () => (await view(chair)).floor.deputy !== null);
  await chair.keyboard.press("F2");
  await until("the second staged one speaks", async () => (await turn())?.turn === wanted[1]);
});

test("draft and grid follow the speaker", async () => {
  for (const [layout, name] of [["Dự thảo", "document"], ["Lưới điểm cầu", "grid"]]) {
    await show(layout);
    await until("the wall shows it", async () => (await view(stage)).stage.layout === name);
    const shown = name === "grid" ? 11 : 1;
    await until("its pictures are there", () => stage.evaluate((least) => [...document.querySelectorAll("room-picture video")].filter((video) => video.readyState >= 2 && video.videoWidth > 0).length >= least, shown));
    await picture(stage, `stage-${name}-speaking-1920x1080`);
    await stage.setViewportSize({ width: 3840, height: 2160 });
    await picture(stage, `stage-${name}-speaking-3840x2160`);
    await stage.setViewportSize({ width: 1920, height: 1080 });
  }
});

test("one key makes the wall blank, and takes it back", async () => {
  await chair.keyboard.press("F7");
  await until("the wall is blank", () => stage.locator("main.blank").count());
  await picture(stage, "stage-blank-1920x1080");
  await chair.keyboard.press("F7");
  await until("the grid is back", async () => (await view(stage)).stage.layout === "grid");
  assert.equal(await stage.locator("main.blank").count(), 0);
});

test("an item that has not begun is opened and moved, and the plan follows", async () => {
  const items = async () => (await view(chair)).agenda.items.map((item) => item.id);
  const before = await items();
  await press(chair, "Thời lượng và thứ tự nội dung 8");
  await picture(chair, "chair-item-1366x625");
  await press(chair, "Đưa nội dung 8 lên trước");
  await until("it comes before the seventh", async () => (await items()).join() === [...before.slice(0, 6), 8, 7].join());
  await press(chair, "Đưa nội dung 8 xuống sau");
  await until("it is the last again", async () => (await items()).join() === before.join());
});

test("what waits is kept with its item, and is there again when that is taken up", async () => {
  const waiting = (await view(chair)).floor.queue.map((request) => request.turn).sort();
  await press(chair, "Sang nội dung 6");
  await chair.getByRole("dialog").waitFor();
  await chair.keyboard.press("ArrowDown");
  await picture(chair, "chair-next-item-1366x625");
  await press(chair, /^Sang nội dung 6$/);
  await until("the sixth runs", async () => (await view(chair)).agenda.current === 6);
  const { queue, kept } = (await view(chair)).floor;
  assert.deepEqual([queue, kept.map((request) => request.turn).sort()], [[], waiting]);
  await press(chair, "Xem nội dung 5");
  await chair.getByText("Đăng ký giữ lại").waitFor();
  await picture(chair, "chair-item-kept-1366x625");
  await press(chair, "Mở lại nội dung 5");
  await chair.getByRole("dialog").waitFor();
  await press(chair, /^Mở lại$/);
  await until("they wait again", async () => (await order(chair)).toSorted().join() === waiting.join());
  assert.equal((await view(chair)).agenda.current, 5);
});

test("no page asked anybody outside, and none complained", async () => {
  for (const page of [chair, site, phone, stage]) {
    assert.deepEqual(page.outside, []);
    assert.deepEqual(page.said.filter((line) => line.startsWith("error")), []);
  }
});
