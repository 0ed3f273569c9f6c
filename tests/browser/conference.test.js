// The conference as people see it: three pages, ten rooms without a browser, one big screen.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { Server, browser, endpoints, entered, frames, open, soundPackets, until } from "./harness.js";

const PICTURES = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const SITES = 13;
const DISCUSSION = 5;

let server, chromium, rooms, chair, caolanh, sadec, stage;

const view = (page) => page.evaluate(() => globalThis.diemcau?.view());
const state = (page) => page.evaluate(() => globalThis.diemcau.state());
const picture = (page, name) => page.screenshot({ path: `${PICTURES}/${name}.png` });
const linked = (seen) => seen.sites.filter((site) => site.carrier !== null).length;
/** The names of every site whose microphone a page believes to be open. */
const heard = async (page) => (await view(page)).stage.heard;

/** Lays a layout ready and takes it, as a chair does. */
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
  rooms = endpoints(Array.from({ length: 10 }, (_, k) => server.link("moderator", k + 3, "room")));
  chair = await entered(await open(chromium, server.link("chair")));
  caolanh = await entered(await open(chromium, server.link("moderator", 1, "room")));
  sadec = await entered(await open(chromium, server.link("moderator", 2, "room")));
  stage = await open(chromium, server.link("stage"), { width: 1920, height: 1080 });
});

after(async () => {
  await chromium?.close();
  await rooms?.stop();
  await server?.stop();
});

test("thirteen sites come in", async () => {
  await until("thirteen sites are linked", async () => linked(await view(chair)) === SITES, 120);
  await picture(chair, "chair-thirteen-1366x625");
});

test("the wall decodes the programme and every tile it shows", async () => {
  await show("Lưới điểm cầu");
  await until("the wall shows the grid", async () => (await view(stage)).stage.layout === "grid");
  const decoded = async () => (await frames(stage)).filter((slot) => slot.kind === "video" && slot.slot > 0);
  await until("every tile has a picture", async () => {
    const tiles = await decoded();
    return tiles.length === SITES && tiles.every((slot) => slot.framesDecoded > 0);
  }, 120);
  const first = await decoded();
  await until("every tile moves", async () => {
    const now = await decoded();
    return now.every((slot, k) => slot.framesDecoded > first[k].framesDecoded);
  });
  await picture(stage, "stage-grid-1920x1080");

  await show("Diễn giả");
  await until("the wall shows the speaker", async () => (await view(stage)).stage.layout === "speaker");
  const programme = async () => (await frames(stage))[0]?.framesDecoded ?? 0;
  const before = await programme();
  await until("the programme moves", async () => await programme() > before);
  await picture(stage, "stage-speaker-1920x1080");
});

test("a site asks, the chair calls, that site and only that site is heard", async () => {
  await chair.getByRole("button", { name: /Bắt đầu|Sang nội dung/ }).first().click();
  for (let item = 2; item <= DISCUSSION; item += 1) {
    await until("the item runs", async () => (await view(chair)).agenda.current === item - 1);
    await chair.getByRole("button", { name: `Sang nội dung ${item}` }).click();
  }
  await until("the discussion runs", async () => (await view(caolanh)).agenda.current === DISCUSSION);

  const silence = await soundPackets(sadec);
  await caolanh.getByRole("button", { name: "Đăng ký phát biểu" }).click();
  await until("the form has the focus", () => caolanh.evaluate(() => Boolean(document.activeElement?.closest("form"))));
  await caolanh.keyboard.press("Enter");
  await until("the chair sees the request", async () => (await view(chair)).floor.queue.length === 1);
  await picture(caolanh, "site-on-deck-1366x625");
  assert.deepEqual(await heard(chair), [], "nobody is heard while waiting");
  assert.equal(await soundPackets(sadec), silence, "not one packet of sound before the grant");

  await chair.keyboard.press("F2");
  await until("Cao Lãnh is heard", async () => (await heard(sadec)).includes(1));
  await until("its sound arrives at Sa Đéc", async () => await soundPackets(sadec) > silence + 20);
  assert.deepEqual(await heard(sadec), [1]);
  assert.equal(await soundPackets(caolanh), 0, "a room never hears itself");
  await until("its picture is the programme", async () => (await state(stage)).slots[0] === 1);
  await picture(chair, "chair-speaking-1366x625");
  await picture(caolanh, "site-invited-1366x625");
  await picture(sadec, "site-listening-1366x625");
  await picture(stage, "stage-speaking-1920x1080");
});

test("a comment written at a site arrives at the secretary", async () => {
  const secretary = await open(chromium, server.link("secretary"));
  const before = (await view(secretary)).feed.length;
  await sadec.getByRole("tab", { name: "Dự thảo, góp ý" }).click();
  await sadec.getByRole("button", { name: /^Đoạn 2/ }).first().click();
  await sadec.getByRole("textbox", { name: "Nội dung ý kiến" }).fill("Đề nghị nêu rõ thời hạn hoàn thành.");
  await sadec.getByRole("button", { name: "Gửi ý kiến" }).click();
  await until("it is there", async () => (await view(secretary)).feed.length === before + 1);
  await picture(secretary, "secretary-1366x625");
  await picture(sadec, "site-comment-1366x625");
  await secretary.context().close();
});

test("the server is killed in mid-turn and everything comes back by itself", async () => {
  const before = await view(chair);
  await server.kill();
  await until("the chair is told", async () => (await state(chair)).link !== "joined");
  await picture(chair, "chair-reconnecting-1366x625");
  await server.up();
  for (const page of [chair, caolanh, sadec, stage]) {
    await until("the page is back", async () => (await state(page)).link === "joined");
    const now = await view(page);
    assert.equal(now.floor.turn.turn, before.floor.turn.turn, "the same turn");
    assert.equal(now.agenda.current, before.agenda.current, "the same item");
    assert.deepEqual(now.feed, before.feed, "the same comments");
  }
  await until("Cao Lãnh is heard again", async () => {
    const { turn } = (await view(chair)).floor;
    return turn.running_since !== null && !turn.held;
  });
  const sound = await soundPackets(sadec);
  await until("its sound arrives again", async () => await soundPackets(sadec) > sound + 20);
  await chair.keyboard.press("F4");
  await until("the floor is free", async () => (await view(chair)).floor.turn === null);
  const last = await until("the last packets are in", async () => {
    const now = await soundPackets(sadec);
    return now === await new Promise((resolve) => setTimeout(async () => resolve(await soundPackets(sadec)), 300)) && now;
  });
  await until("the programme goes on", async () => (await state(stage)).slots[0] === 0);
  assert.equal(await soundPackets(sadec), last, "nothing after the end");
});

test("no page asked anybody outside, and none complained", async () => {
  for (const page of [chair, caolanh, sadec, stage]) {
    assert.deepEqual(page.outside, []);
    const complaints = page.said.filter((line) => line.startsWith("error") && !line.includes("ERR_CONNECTION_REFUSED"));
    assert.deepEqual(complaints, []);
  }
});
