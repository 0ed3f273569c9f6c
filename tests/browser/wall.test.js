// What a hall reads on the wall is there as a whole, however long the words are: nothing stands outside, or is cut.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { Seats, Server, browser, conferenceFile, endpoints, open, until } from "./harness.js";

const PICTURES = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const LONG_TITLE = "Hội nghị trực tuyến toàn tỉnh sơ kết 06 tháng đầu năm 2026 và triển khai nhiệm vụ trọng tâm 06 tháng cuối năm về cải cách hành chính, chuyển đổi số";
const NOTICE = "Đề nghị các đồng chí đại biểu ".repeat(7).slice(0, 200);
const SPEAKER = 12;
/** Whose microphones are open in the discussion of item 6. */
const TALKERS = [3, 4, 5];

let server, chromium, rooms, seats, stage;

const view = () => stage.evaluate(() => globalThis.diemcau.view());

async function chairs(command, seen) {
  const answer = await seats.ask("chair", command);
  assert.equal(answer.type, "ok", JSON.stringify(answer));
  await until(`the wall shows ${command.type}`, async () => seen(await view()));
}

const layout = (layout) => chairs({ type: "set_layout", layout }, ({ stage }) => stage.layout === layout);

/** Words of the wall that are not wholly on it, or not wholly in their box. */
const cut = () => stage.evaluate(async () => {
  await document.fonts.ready;
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const page = document.querySelector("#page").getBoundingClientRect();
  const strip = document.querySelector(".speaks")?.getBoundingClientRect().top ?? page.bottom;
  const wanted = [...document.querySelectorAll("main :is(p, h2, li, .state)")].filter((each) => each.textContent.trim() !== "" && !each.closest(".vh"));
  return wanted.filter((each) => {
    const box = each.getBoundingClientRect();
    const bottom = each.closest(".speaks") ? page.bottom : strip;
    return box.left < page.left - 1 || box.right > page.right + 1 || box.top < page.top - 1 || box.bottom > bottom + 1;
  }).map((each) => `${each.className || each.tagName}: ${each.textContent.trim().slice(0, 60)}`);
});

async function whole(name) {
  const found = await cut();
  await stage.screenshot({ path: `${PICTURES}/wall-${name}-1920x1080.png` });
  assert.deepEqual(found, [], name);
}

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  const file = (await conferenceFile(60)).replace(/^title = ".*"$/m, `title = "${LONG_TITLE}"`)
    .replace('short = "Phát biểu chỉ đạo"', 'short = "Phát biểu chỉ đạo"\nqueue = "open"\nmicrophones = 3');
  server = await Server.start(file);
  chromium = await browser();
  rooms = endpoints([SPEAKER, ...TALKERS].map((site) => server.link("moderator", site, "room")));
  seats = await Seats.open(chromium, server);
  await seats.join("chair", server.link("chair"));
  for (const site of [SPEAKER, ...TALKERS]) await seats.join(site, server.link("moderator", site, "nothing"));
  stage = await open(chromium, server.link("stage"), { width: 1920, height: 1080 });
  await until("the rooms are linked", async () => (await view()).sites.filter((link) => link.carrier !== null).length > TALKERS.length);
});

after(async () => {
  await chromium?.close();
  await rooms?.stop();
  await server?.stop();
});

test("a long title, a long item and all sites stand on the waiting picture, and on that of a break", async () => {
  await chairs({ type: "start_item", item: 2 }, ({ agenda }) => agenda.current === 2);
  await layout("waiting");
  await whole("waiting");
  await chairs({ type: "start_break", minutes: 15 }, ({ agenda }) => agenda.on_break !== null);
  await whole("break");
  await chairs({ type: "end_break" }, ({ agenda }) => agenda.on_break === null);
});

test("a site that waits to be called is named on the wall with its mark", async () => {
  await chairs({ type: "start_item", item: 5 }, ({ agenda }) => agenda.current === 5);
  await until("the item brings its layout", async () => (await view()).stage.layout === "speaker");
  const words = { speech: "contribution", delegate: "Nguyễn Thị Hồng Nhung", title: "Phó Bí thư Thường trực", topic: "Chỉ tiêu kết nạp đảng viên", paragraph: null };
  assert.equal((await seats.ask(SPEAKER, { type: "request_floor", words })).type, "ok");
  await until("it is next", async () => (await view()).floor.queue.length === 1);
  const { turn } = (await view()).floor.queue[0];
  await chairs({ type: "stage", turns: [turn] }, ({ floor }) => floor.on_deck[0] === turn);
  await whole("next");
  await chairs({ type: "grant_next", after: null, expect: turn }, ({ floor }) => floor.turn?.turn === turn);
});

test("the longest notice is read as a whole, and who speaks below it", async () => {
  await chairs({ type: "set_notice", text: NOTICE }, ({ stage }) => stage.notice === NOTICE.trim() || stage.notice === NOTICE);
  await layout("notice");
  await whole("notice");
  await layout("waiting");
  await whole("waiting-speaker");
  await layout("document");
  await whole("document-empty");
});

test("an open discussion shows an open microphone of nobody who is not heard", async () => {
  await chairs({ type: "start_item", item: 6 }, ({ agenda }) => agenda.current === 6);
  await layout("speaker");
  const words = { speech: "contribution", delegate: "", title: "", topic: "", paragraph: null };
  for (const site of TALKERS) {
    assert.equal((await seats.ask(site, { type: "request_floor", words })).type, "ok");
    await until("its microphone opens by itself", async () => (await view()).stage.heard.includes(site));
  }
  const also = stage.locator(".also");
  const marks = () => also.locator(".state").evaluateAll((all) => all.map((each) => [each.classList.contains("live"), each.textContent.trim()]));
  assert.deepEqual(await marks(), [[true, "Micro đang mở"], [true, "Micro đang mở"]]);
  await whole("discussion");
  await chairs({ type: "close_microphones" }, ({ stage }) => stage.heard.length === 0);
  assert.deepEqual(await marks(), [[false, "Tạm dừng"], [false, "Tạm dừng"]]);
  assert.equal(await also.locator(".icon-mic").count(), 0);
  await whole("discussion-closed");
  await chairs({ type: "open_microphones" }, ({ stage }) => stage.heard.length === TALKERS.length);
  await chairs({ type: "set_priority", on: true }, ({ floor }) => floor.priority);
  assert.deepEqual(await marks(), [[false, "Tạm tắt micro"], [false, "Tạm tắt micro"]]);
  await chairs({ type: "set_priority", on: false }, ({ floor }) => !floor.priority);
});
