// A screen is shown to all rooms: asked for, let, seen, taken away.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { Server, browser, frames, open, until } from "./harness.js";

const PICTURES = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const PRESENTATION_SLOT = 14;
const SITE = 2;

let server, chromium, chair, room, stage;

const view = (page) => page.evaluate(() => globalThis.diemcau?.view());
const presented = async (page) => (await frames(page)).find((slot) => slot.slot === PRESENTATION_SLOT);
const shot = (page, name) => page.screenshot({ path: `${PICTURES}/${name}.png` });
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  server = await Server.start();
  chromium = await browser();
  stage = await open(chromium, server.link("stage"), { width: 1920, height: 1080 });
  chair = await open(chromium, server.links_of("chair")[1]);
  room = await open(chromium, server.link("moderator", SITE, "room"));
  await press(room, "Vào hội nghị");
});

after(async () => {
  await chromium?.close();
  await server?.stop();
});

test("a site asks, and the chair is told so over the desk", async () => {
  await press(room, "Xin trình chiếu");
  await room.getByText("Đã xin trình chiếu, chờ chủ trì cho phép.").waitFor();
  await chair.getByText("xin trình chiếu").waitFor();
  await shot(chair, "chair-presentation-asked");
  await shot(room, "site-presentation-asked");
});

test("let, it picks its screen, and the wall shows it in the place of the paragraph", async () => {
  const before = (await view(stage)).stage.layout;
  assert.equal(before, "speaker");
  await press(chair, "Cho trình chiếu");
  await room.getByRole("button", { name: "Chọn màn hình" }).waitFor();
  await shot(room, "site-presentation-let");
  await press(room, "Chọn màn hình");
  await room.getByText("Mọi điểm cầu đang xem màn hình của máy này.").waitFor();
  for (const page of [stage, chair]) await until("it is seen", async () => (await presented(page)).framesDecoded > 3);
  assert.equal((await view(stage)).stage.layout, "document");
  assert.equal((await presented(stage)).codec, "video/VP8");
  assert.ok((await presented(stage)).height >= 300);
  await until("the wall draws it", () => stage.locator(".presented room-picture:not([empty])").isVisible());
  assert.equal((await presented(room)).framesDecoded, 0, "who presents is not sent it");
  await chair.getByRole("button", { name: "Màn hình lớn: Trình chiếu" }).waitFor();
  for (const [page, name] of [[stage, "stage"], [chair, "chair"], [room, "site"]]) await shot(page, `${name}-presentation`);
});

test("the control line breaks and comes back: the presentation goes on by itself", async () => {
  const { seat } = (await view(chair)).stage.presentation;
  await server.kill();
  await server.up();
  await until("all are back", async () => (await Promise.all([stage, chair, room].map((page) => page.evaluate(() => globalThis.diemcau.state().link)))).every((link) => link === "joined"));
  assert.equal((await view(chair)).stage.presentation.seat, seat);
  const before = (await presented(stage)).framesDecoded;
  await until("it moves again", async () => (await presented(stage)).framesDecoded > before + 3);
});

test("the chair stops it: nothing of the screen arrives any more, and the wall shows what it did before", async () => {
  await press(chair, "Dừng trình chiếu");
  await until("the wall is as before", async () => (await view(stage)).stage.layout === "speaker");
  await until("the room's machine shows no screen any more", () => room.evaluate(() => globalThis.diemcau.state().share === "off"));
  await room.getByText("Chủ trì hoặc kỹ thuật đã dừng trình chiếu của máy này.").waitFor();
  const before = (await presented(stage)).framesDecoded;
  const own = async () => (await frames(chair)).find((slot) => slot.slot === SITE + 1).framesDecoded;
  const picture = await own();
  await chair.getByRole("button", { name: /Sa Đéc/ }).first().click();
  await until("the room's own picture goes on meanwhile", async () => await own() > picture + 20);
  await chair.keyboard.press("Escape");
  assert.equal((await presented(stage)).framesDecoded, before);
  await until("the chair's page shows nothing of it", () => chair.evaluate((slot) => globalThis.diemcau.state().slots[slot] === null, PRESENTATION_SLOT));
});

test("whoever presides begins with one press, on the panel of the big screens", async () => {
  await chair.getByRole("button", { name: /Màn hình lớn/ }).click();
  await press(chair, "Trình chiếu màn hình máy này");
  await until("the room sees it", async () => (await presented(room)).framesDecoded > 3);
  await until("the room draws it", () => room.locator(".shared:not([empty])").isVisible());
  const small = chair.frameLocator("scene-preview iframe").locator(".presented room-picture:not([empty]) video");
  await until("its own picture of the wall has it too", async () => await small.count() > 0 && small.last().evaluate((video) => video.videoWidth > 0));
  await shot(chair, "chair-presents");
  await shot(room, "site-is-shown");
  await press(chair, "Dừng trình chiếu");
  await until("it is over", async () => (await view(room)).stage.presentation === null);
});

test("the secretary presents too, and its own stop needs nobody: the screen is gone before the server answers", async () => {
  const secretary = await open(chromium, server.link("secretary"));
  await press(secretary, "Xin trình chiếu");
  await press(chair, "Cho trình chiếu");
  await press(secretary, "Chọn màn hình");
  await secretary.getByText("Mọi điểm cầu đang xem màn hình của máy này.").waitFor();
  await until("the room sees it", async () => (await presented(room)).framesDecoded > 3);
  await shot(secretary, "secretary-presents");
  const second = await open(chromium, server.link("secretary"));
  await second.getByText("Máy khác của ghế này đang trình chiếu.").waitFor();
  assert.equal((await view(second)).stage.presentation.seat, (await view(room)).stage.presentation.seat);
  await second.close();
  const sharing = await secretary.evaluate(() => {
    document.querySelector(".presenting .acts-of-bar .btn:last-child").click();
    return globalThis.diemcau.state().share;
  });
  assert.equal(sharing, "off");
  await until("all know", async () => (await view(room)).stage.presentation === null);
});

test("blank hides it from everybody, and it comes back with the screens", async () => {
  await press(chair, "Trình chiếu màn hình máy này");
  await until("the room is sent it", () => room.evaluate((slot) => globalThis.diemcau.state().slots[slot] !== null, PRESENTATION_SLOT));
  await chair.keyboard.press("F7");
  await until("nobody is sent it", () => room.evaluate((slot) => globalThis.diemcau.state().slots[slot] === null, PRESENTATION_SLOT));
  // It is hidden before the record says so, and the key shows the screens again once the chair's desk knows that they are blank.
  await until("the chair knows", async () => (await view(chair)).stage.layout === "blank");
  await chair.keyboard.press("F7");
  await until("the room is sent it again", () => room.evaluate((slot) => globalThis.diemcau.state().slots[slot] !== null, PRESENTATION_SLOT));
  await press(chair, "Dừng trình chiếu");
});

test("a presenter whose link is lost is told of at the desks", async () => {
  await press(room, "Xin trình chiếu");
  await press(chair, "Cho trình chiếu");
  await press(room, "Chọn màn hình");
  await until("it is seen", async () => (await presented(chair)).framesDecoded > 3);
  await room.close();
  await chair.getByText(/đang trình chiếu nhưng mất kết nối: hình trên màn hình đứng yên\./).waitFor();
  await shot(chair, "chair-presenter-lost");
  await until("it is taken off when nobody comes back", async () => (await view(stage)).stage.presentation === null, 90);
});
