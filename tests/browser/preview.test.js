// The chair looks at a site that the wall's page does not show, and nobody else does.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { Server, browser, conferenceFile, endpoints, frames, open, until } from "./harness.js";

const PICTURES = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
/** The thirteenth site has the last tile of the first page; the sixteenth stands on the second. */
const [LAST_TILE, THERE, ELSEWHERE] = [13, 12, 15];

let server, chromium, rooms, chair, stage;

const view = (page) => page.evaluate(() => globalThis.diemcau?.view());
const slots = (page) => page.evaluate(() => globalThis.diemcau.state().slots);
const lastTile = async (page) => (await frames(page)).find((slot) => slot.slot === LAST_TILE)?.framesDecoded ?? 0;
const chip = (site) => chair.getByRole("button", { name: new RegExp(site) }).first();

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  server = await Server.start(await conferenceFile(60, 4));
  chromium = await browser();
  rooms = endpoints([THERE, ELSEWHERE].map((site) => server.link("moderator", site, "room")));
  chair = await open(chromium, server.links_of("chair")[1]);
  stage = await open(chromium, server.link("stage"), { width: 1920, height: 1080 });
  await until("both rooms are linked", async () => (await view(chair)).sites.filter((site) => site.carrier !== null).length === 2, 120);
});

after(async () => {
  await chromium?.close();
  await rooms?.stop();
  await server?.stop();
});

test("the chair sees a site of the other page; the wall's last tile stays whose it was", async () => {
  // A linked room is shown by its name alone until its first picture is here.
  const tiles = async () => Promise.all([chair, stage].map(async (page) => (await slots(page))[LAST_TILE]));
  await until("both show it", async () => (await tiles()).every((site) => site === THERE));
  await chip("Phú Điền 15").click();
  await until("the server shows it to the chair", async () => (await slots(chair))[LAST_TILE] === ELSEWHERE);
  const before = await lastTile(chair);
  await until("its picture moves", async () => await lastTile(chair) > before + 10);
  await until("it is seen", () => chair.locator(".site-strip room-picture:not([empty])").isVisible());
  assert.equal((await slots(stage))[LAST_TILE], THERE);
  await chair.screenshot({ path: `${PICTURES}/chair-preview-other-page.png` });
});

test("put away, the chair's last tile is again whose it was", async () => {
  await chair.keyboard.press("Escape");
  await until("the strip is gone", async () => await chair.locator(".site-strip").count() === 0);
  await until("the tile is everybody's", async () => (await slots(chair))[LAST_TILE] === THERE);
});
