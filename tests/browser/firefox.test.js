// A room in Firefox beside a room and a wall in Chromium: each sees and hears the other, by the pages alone.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Server, asks, browser, discuss, entered, fox, frames, joined, open, soundPackets, until, visit } from "./harness.js";

const PICTURES = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const FIREFOX = 1;
const CHROMIUM = 2;
let server, chromium, firefox, chair, wall, other, room;

const view = (page) => page.evaluate(() => globalThis.diemcau?.view());
/** What a page decodes as the programme, if that is the site. */
const programme = async (page, site) => (await frames(page)).find((slot) => slot.slot === 0 && slot.site === site);
const decoded = async (page, site) => (await programme(page, site))?.framesDecoded ?? 0;

/** The site speaks: whoever listens has it as the programme and hears it, the wall in its full size. */
async function speaks(speaker, site, listeners) {
  await asks(speaker);
  await until("the chair sees its request", async () => (await view(chair)).floor.queue.some((request) => request.site === site));
  await chair.keyboard.press("F2");
  await until("it has the floor", async () => (await view(speaker)).floor.turn?.site === site);
  for (const listener of listeners) {
    await until("it is the programme", () => programme(listener, site));
    const [sound, picture] = [await soundPackets(listener), await decoded(listener, site)];
    await until("its sound arrives", async () => await soundPackets(listener) > sound + 50);
    await until("its picture is decoded", async () => await decoded(listener, site) > picture + 10);
  }
  await until("the wall has its full size", async () => (await programme(wall, site))?.width === 1280);
  await chair.keyboard.press("F4");
  await until("the chair's desk has no turn", async () => (await view(chair)).floor.turn === null);
}

before(async () => {
  server = await Server.start(undefined, {}, "0.0.0.0");
  [chromium, firefox] = await Promise.all([browser(), fox()]);
  chair = await entered(await open(chromium, server.link("chair")));
  wall = await open(chromium, server.link("stage"), { width: 1280, height: 720 });
  other = await entered(await open(chromium, server.link("moderator", CHROMIUM, "room")));
  const context = await firefox.newContext({ viewport: { width: 1366, height: 625 }, locale: "vi-VN", timezoneId: "Asia/Ho_Chi_Minh" });
  room = await entered(await joined(await visit(context, server.link("moderator", FIREFOX, "room"))));
});

after(async () => {
  await firefox?.close();
  await chromium?.close();
  await server?.stop();
});

test("both rooms are linked, and Firefox sends three sizes", async () => {
  await until("both sites are linked", async () => {
    const { sites } = await view(chair);
    return [FIREFOX, CHROMIUM].every((site) => sites.some((each) => each.site === site && each.carrier !== null));
  });
  await until("all three layers are encoded", async () => {
    const layers = (await room.evaluate(() => globalThis.diemcau.sent())).filter((layer) => layer.kind === "video");
    return layers.length === 3 && layers.every((layer) => layer.framesEncoded > 5);
  });
});

test("Firefox speaks: the wall and the room in Chromium see and hear it", async () => {
  await discuss(chair);
  await speaks(room, FIREFOX, [wall, other]);
});

test("Chromium speaks: the room in Firefox sees and hears it", async () => {
  await speaks(other, CHROMIUM, [room]);
});

test("nothing went wrong on the page, and it has no bar to scroll by", async () => {
  assert.deepEqual(room.said.filter((line) => /^error/.test(line)), []);
  assert.deepEqual(room.outside, []);
  const { scrolls, shown } = await room.evaluate(() => ({ scrolls: document.documentElement.scrollHeight, shown: innerHeight }));
  assert.equal(scrolls, shown);
  // Last, for taking it puts a style into the page that the page's policy does not take.
  await mkdir(PICTURES, { recursive: true });
  await room.screenshot({ path: join(PICTURES, "firefox-room.png") });
});
