// A room's picture never comes under another room's name: slots are given back and forth faster than frames come.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, browser, open, until } from "./harness.js";

let server, chromium, page;

before(async () => {
  server = await Server.start();
  chromium = await browser();
  // A phone beside a room: it has no media of its own that would take the slots.
  page = await open(chromium, server.link("moderator", 1, "nothing"));
  await page.evaluate(async () => {
    const { putStream } = await import("/src/slots.js");
    globalThis.rooms = ["red", "blue"].map((colour, slot) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [64, 36];
      const paint = canvas.getContext("2d");
      const stream = canvas.captureStream(0);
      putStream(slot + 5, stream);
      const [track] = stream.getVideoTracks();
      return { stream, draw: () => ((paint.fillStyle = colour), paint.fillRect(0, 0, 64, 36), track.requestFrame()) };
    });
    globalThis.picture = document.createElement("room-picture");
    globalThis.picture.slotNumber = 5;
    globalThis.picture.site = 1;
    Object.assign(globalThis.picture.style, { position: "fixed", inset: "0 auto auto 0", width: "640px", height: "360px", zIndex: 9 });
    document.body.append(globalThis.picture);
  });
});

after(async () => {
  await chromium?.close();
  await server?.stop();
});

/** The rooms bring a frame each until `probe` holds. */
const drawn = (what, probe) => until(what, async () => {
  await page.evaluate(() => globalThis.rooms.forEach((room) => room.draw()));
  return page.evaluate(probe);
});
const front = (n) => `globalThis.picture.lastElementChild.srcObject === globalThis.rooms[${n}].stream && !globalThis.picture.hasAttribute("empty")`;

test("a picture follows its slot", async () => {
  await drawn("the first room is shown", front(0));
  await page.evaluate(() => Object.assign(globalThis.picture, { slotNumber: 6, site: 2 }));
  await drawn("the second room is shown", front(1));
  await page.evaluate(() => Object.assign(globalThis.picture, { slotNumber: 5, site: 1 }));
  await drawn("the first is shown again", front(0));
});

test("a slot taken and given back before it had a frame does not come to the front later", async () => {
  await page.evaluate(() => {
    Object.assign(globalThis.picture, { slotNumber: 6, site: 2 });
    Object.assign(globalThis.picture, { slotNumber: 5, site: 1 });
  });
  const shows = await page.evaluate(async () => {
    const seen = new Set();
    for (let n = 0; n < 40; n += 1) {
      globalThis.rooms.forEach((room) => room.draw());
      await new Promise((next) => requestAnimationFrame(next));
      seen.add(globalThis.rooms.findIndex((room) => room.stream === globalThis.picture.lastElementChild.srcObject));
    }
    return [...seen];
  });
  assert.deepEqual(shows, [0]);
});

test("a room that brings no frame under its new name is not shown with the former's", async () => {
  await page.evaluate(() => (globalThis.picture.site = 3));
  await until("nothing is shown", () => page.evaluate(() => globalThis.picture.hasAttribute("empty")));
  await drawn("its first frame brings it back", front(0));
});
