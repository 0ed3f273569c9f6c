// A room's downlink becomes narrow: what it is shown goes step by step, sound last; the room reads each step in a sentence,
// and the technician in its row and as an alarm. The road is a real one in user space, nothing is told to the server.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { Seats, Server, browser, discuss, entered, frames, joined, open, soundPackets, stranger, until, visit } from "./harness.js";
import { Road, byRoad } from "./road.js";

const PICTURES = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const [ROOM, SPEAKER, PRESENTATION_SLOT] = [1, 3, 14];
const NAME = "TP Cao Lãnh";

let server, chromium, road, room, technician, chair;

const text = (page, selector) => page.evaluate((selector) => [...document.querySelectorAll(selector)].map((each) => each.innerText.replace(/\s+/g, " ")), selector);
const says = (words) => until(`the room reads "${words}"`, async () => (await text(room, ".strips")).some((said) => said.includes(words)), 90);
const saysNothing = () => until("the room reads nothing of its link", async () => !(await text(room, ".strips")).some((said) => said.includes("Đường truyền")), 90);
const alarm = (words) => until(`the technician is told "${words}"`, async () => (await text(technician, ".banner.health")).some((said) => said.startsWith(`${NAME} `) && said.includes(words)), 90);
const row = (words) => until(`the room's row says "${words}"`, async () => (await text(technician, ".sites-table tbody tr")).some((said) => said.includes(NAME) && said.includes(words)), 90);
const decoded = async (slot) => (await frames(room)).find((each) => each.slot === slot).framesDecoded;
const moves = async (slot) => {
  const before = await decoded(slot);
  await until(`slot ${slot} moves`, async () => await decoded(slot) > before + 10, 90);
};
const narrow = (rate) => road.set({ down: { rate } });

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  server = await Server.start(undefined, { DIEMCAU_ALARM_AFTER_SECONDS: "2" });
  chromium = await browser();
  // A speaker whose picture fills a line: what is sent sparingly finds room on any.
  await entered(await open(chromium, server.link("moderator", SPEAKER, "room")));
  road = await Road.to(server.mediaPort, 7);
  const context = await stranger(chromium);
  await context.addInitScript(byRoad(road.port));
  room = await entered(await joined(await visit(context, server.link("moderator", ROOM, "room"))));
  technician = await open(chromium, server.link("technician"), { width: 1920, height: 1080 });
  chair = await open(chromium, server.links_of("chair")[1]);
  const seats = await Seats.open(chromium, server);
  await seats.join("speaker", server.link("moderator", SPEAKER, "nothing"));
  await discuss(chair);
  await seats.ask("speaker", { type: "request_floor", words: { speech: "contribution", delegate: "", topic: "" } });
  await chair.getByRole("button", { name: /^Mời tiếp: .*Hồng Ngự/ }).click();
  await moves(0);
});

after(async () => {
  await chromium?.close();
  road?.close();
  await server?.stop();
});

test("256 kbit/s: the programme is smaller and goes on, and both desks know", async () => {
  narrow(256_000);
  await says("đã giảm cả hình phát chung, âm thanh vẫn giữ");
  await alarm("Đường truyền xuống yếu: hình chung nhỏ");
  await row("hình chung nhỏ");
  await moves(0);
  await room.screenshot({ path: `${PICTURES}/site-smaller-programme-1366x625.png` });
  await technician.screenshot({ path: `${PICTURES}/technician-less-shown-1920x1080.png` });
});

test("100 kbit/s: the picture goes, the sound stays", async () => {
  narrow(100_000);
  await says("đã tắt hình, âm thanh vẫn giữ");
  await row("chỉ còn tiếng");
  await until("two seconds of sound come without a picture", async () => {
    const [picture, sound] = [await decoded(0), await soundPackets(room)];
    await until("sound goes on", async () => await soundPackets(room) > sound + 100);
    return await decoded(0) === picture;
  });
  await until("the last picture is not left standing", () => room.locator(".pgm > room-picture:not(.shared)[empty]").count());
  await room.screenshot({ path: `${PICTURES}/site-sound-only-1366x625.png` });
});

test("the road is wide again: all of it comes back, and nobody is told of anything", async () => {
  road.set();
  await moves(0);
  await saysNothing();
  await until("the alarm is over", async () => !(await text(technician, ".banner.health")).some((said) => said.startsWith(`${NAME} `)), 90);
});

test("300 kbit/s beside a presentation: it goes before the speaker does, and comes back with the road", async () => {
  await chair.getByRole("button", { name: /Màn hình lớn/ }).click();
  await chair.getByRole("button", { name: "Trình chiếu màn hình máy này", exact: true }).click();
  // The limit of before is still felt for a while.
  await moves(PRESENTATION_SLOT);
  await saysNothing();
  narrow(300_000);
  await says("không hiện được trình chiếu");
  await alarm("không có trình chiếu");
  await moves(0);
  await until("the speaker has the place of what is not shown", () => room.locator(".shared[empty]").count());
  await room.screenshot({ path: `${PICTURES}/site-no-presentation-1366x625.png` });
  road.set();
  await moves(PRESENTATION_SLOT);
});
