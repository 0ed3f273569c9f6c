// A room that nobody hears is not told that it is on air: without a microphone, when it is pulled out, when its road fails.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { Seats, Server, breakable, browser, entered, joined, stranger, until, visit } from "./harness.js";

const PICTURES = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const DISCUSSION = 5;
const [MUTE, PULLED] = [1, 3];
const WORDS = { speech: "contribution", delegate: "Trần Thị Bình", title: "", topic: "", paragraph: null };

let server, chromium, seats;

const ok = (answer) => assert.equal(answer.type, "ok", JSON.stringify(answer));
const room = async (site, first) => entered(await joined(await visit(await stranger(chromium), server.link("moderator", site, "room"), first)));
/** Everything on a site's own page that says it is on air. */
const live = (page) => page.locator(".panel.live, .is-live, .state.live, .summons.is-open").count();

/** The site asks, and is called. */
async function speaks(page, site) {
  await until("its uplink is there", () => page.evaluate(() => globalThis.diemcau.state().uplink === "connected"));
  ok(await seats.ask(site, { type: "request_floor", words: WORDS }));
  const { queue, turn } = await until("it waits", async () => {
    const floor = await seats.floor("chair");
    return floor.queue.some((request) => request.site === site) && floor;
  });
  ok(await seats.ask("chair", { type: "grant", after: turn?.turn ?? null, turn: queue.find((request) => request.site === site).turn }));
  await page.locator(".summons").waitFor();
}

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  server = await Server.start();
  chromium = await browser();
  seats = await Seats.open(chromium, server);
  await seats.join("chair", server.link("chair"));
  for (const site of [MUTE, PULLED]) await seats.join(site, server.link("moderator", site, "nothing"));
  ok(await seats.ask("chair", { type: "start_item", item: DISCUSSION, waiting: "keep" }));
});

after(async () => {
  await chromium?.close();
  await server?.stop();
});

test("a room without a microphone is invited, and never told that it speaks", async () => {
  const page = await room(MUTE, () => {
    const devices = globalThis.navigator.mediaDevices;
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
      if (wanted.audio) throw new DOMException("there is none", "NotFoundError");
      return open(wanted);
    };
  });
  await speaks(page, MUTE);
  assert.equal(await live(page), 0);
  await page.screenshot({ path: `${PICTURES}/site-summoned-no-microphone-1366x625.png` });
  await page.keyboard.press("F2");
  await page.locator(".panel.held", { hasText: "Không thấy micro" }).waitFor();
  assert.equal(await live(page), 0);
  await page.screenshot({ path: `${PICTURES}/site-speaking-no-microphone-1366x625.png` });
  assert.doesNotMatch(await page.title(), /Đang phát biểu/);
  await page.keyboard.press("F4");
});

test("a microphone that is pulled out in mid-speech takes the red away, and the road does too", async () => {
  const page = await room(PULLED, `(${breakable})(); (${() => {
    const devices = globalThis.navigator.mediaDevices;
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
      const stream = await open(wanted);
      globalThis.microphone = stream.getAudioTracks()[0] ?? globalThis.microphone;
      return stream;
    };
  }})()`);
  await speaks(page, PULLED);
  await page.locator(".summons.is-open").waitFor();
  await page.keyboard.press("F2");
  await page.locator(".panel.live").waitFor();
  await page.locator(".self .is-live").waitFor();

  await page.evaluate(() => {
    globalThis.microphone.stop();
    globalThis.microphone.dispatchEvent(new Event("ended"));
  });
  await page.locator(".panel.held", { hasText: "Không thấy micro" }).waitFor();
  assert.equal(await live(page), 0);

  await page.getByRole("button", { name: "Mở lại thiết bị" }).click();
  await page.locator(".panel.live").waitFor();
  await page.evaluate(() => globalThis.line.cut(true));
  await page.locator(".panel.held", { hasText: "Đang kết nối lại" }).waitFor();
  assert.equal(await page.locator(".panel.live, .self .is-live").count(), 0);
  // It may be heard as long as the server has its media: nothing says that the chair closed it.
  assert.doesNotMatch(await page.locator("main").innerText(), /Tạm tắt micro|chưa phát/);
  await page.evaluate(() => globalThis.line.cut(false));
  await page.locator(".panel.live").waitFor();
});
