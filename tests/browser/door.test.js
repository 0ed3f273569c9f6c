// The door in real browsers: a link binds the first machine, others wait with a code, PINs, and who was sent away.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { grave } from "./axe.js";
import { Server, breakable, browser, conferenceFile, joined, machine, stranger, until, visit } from "./harness.js";

const PICTURES = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const PIN = "4821";
/** The demo's last site has the longest name; its second machine has no picture and no sound. */
const FAR = 12;
/** The only site with a PIN. */
const GUARDED = 1;
const PHONE = { width: 390, height: 844 };

let server, chromium, folder, link, desk, room, locked;

const view = (page) => page.evaluate(() => globalThis.diemcau.view());
/** What the server calls the seat of a link. */
const seatOf = (of, site) => of.seats.find((seat) => seat.site === site && seat.carries === "nothing");
const heading = (page) => page.locator(".plain-sheet h1");
/** The sentence a page stands with, once it stands at the door or outside of it. */
const stands = (page, words) => page.locator(".plain-sheet h1", { hasText: words }).waitFor();
const code = async (page) => (await page.locator(".door-code").textContent()).trim();
const atDoor = (page, digits) => page.locator(".at-door", { hasText: digits });

async function none(...looks) {
  const found = (await Promise.all(looks)).flat();
  assert.equal(found.length, 0, `\n${found.join("\n")}`);
}

/** A page in both languages, by its own button; it goes back to the first. */
async function inBoth(page, name) {
  const found = [];
  for (const at of ["en", "vi"]) {
    await page.locator("button.lang").click();
    await until(`the page speaks ${at}`, () => page.evaluate((at) => document.documentElement.lang === at, at));
    assert.ok(!/[a-z]+-[a-z]+(-[a-z]+)*$/.test(await heading(page).textContent()), `${name}: a text is missing in ${at}`);
    found.push(...await grave(page, name));
  }
  return found;
}

/** The link in a browser that has never been here. */
const comes = async (url = link, viewport = PHONE, first) => visit(await stranger(chromium, viewport), url, first);
const leaves = (page) => page.context().close();

async function typed(page, pin) {
  await page.locator("#pin:enabled").fill(pin);
  await page.keyboard.press("Enter");
}

/** The row of the seat in the technician's list, with its buttons. */
const row = (page, label) => page.locator(".seats li", { has: page.locator("b", { hasText: new RegExp(`^${label}$`) }) });

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  const text = (await conferenceFile(60)).replace(/^admission = "open"$/m, "").replace('level = "TP"', `level = "TP"\npin = "${PIN}"`);
  server = await Server.start(text);
  chromium = await browser();
  folder = await mkdtemp(join(tmpdir(), "diemcau-profile-"));
  link = server.link("moderator", FAR, "nothing");
  desk = await joined(await comes(server.link("technician"), { width: 1366, height: 625 }));
  await desk.locator("[data-tab=seats]").click();
});

after(async () => {
  await room?.context().close();
  await chromium?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("the first browser is remembered, and comes back without being asked", async () => {
  assert.equal(seatOf(await view(desk), FAR).devices, 0);
  room = await joined(await visit(await machine(folder, PHONE), link));
  await until("the seat knows one device", async () => seatOf(await view(desk), FAR).devices === 1);
  await room.reload();
  await joined(room);
  await room.context().close();
  room = await joined(await visit(await machine(folder, PHONE), link));
  const seen = await view(desk);
  assert.deepEqual([seatOf(seen, FAR).devices, seen.door.waiting.length], [1, 0]);
  await room.context().close();
  room = null;
});

test("a copy of the link waits with a code that chair and technician read too, and is let in", async () => {
  const second = await comes();
  await stands(second, "Đang chờ");
  const digits = await code(second);
  assert.match(digits, /^\d{4}$/);
  const chair = await joined(await comes(server.links_of("chair")[1], { width: 1366, height: 625 }));
  const { name } = (await view(chair)).fixed.sites[FAR];
  assert.ok((await second.locator(".door-who").textContent()).includes(name), "the machine says whose link it has");
  assert.equal(await second.evaluate(() => globalThis.diemcau.view()), null, "and sees nothing of the conference");
  for (const each of [desk, chair]) {
    await atDoor(each, digits).waitFor();
    assert.ok((await atDoor(each, digits).textContent()).includes(name), "the strip names the site");
  }
  await none(grave(chair, "chair, somebody at the door"), grave(desk, "technician, somebody at the door"), inBoth(second, "waiting"));
  await atDoor(chair, digits).getByRole("button", { name: /^Cho vào/ }).click();
  await joined(second);
  await until("nobody waits any more", async () => (await view(desk)).door.waiting.length === 0);
  assert.equal(seatOf(await view(desk), FAR).devices, 2);
  await second.reload();
  await joined(second);
  await Promise.all([leaves(second), leaves(chair)]);
});

test("a machine is refused, asks again, and is shut out", async () => {
  const second = await comes();
  await stands(second, "Đang chờ");
  const first = await code(second);
  await atDoor(desk, first).getByRole("button", { name: /^Từ chối/ }).click();
  await none(grave(desk, "technician, refusing"));
  await desk.locator("dialog [type=submit]").click();
  await stands(second, "Chưa được cho vào");
  await none(inBoth(second, "refused"));
  await second.locator(".plain-sheet .btn.primary").click();
  await stands(second, "Đang chờ");
  const again = await code(second);
  await atDoor(desk, again).getByRole("button", { name: /^Từ chối/ }).click();
  await desk.locator("#ban-device").check();
  await desk.locator("dialog [type=submit]").click();
  await stands(second, "Chưa được cho vào");
  await second.reload();
  await stands(second, "không mở được");
  await until("it is in the technician's list", async () => (await view(desk)).door.banned.length === 1);
  // Whoever is shut out does not come to the door any more, with no link.
  await second.goto(server.link("moderator", 3, "nothing"));
  await stands(second, "không mở được");
  assert.deepEqual((await view(desk)).door.waiting, []);
  await desk.getByRole("button", { name: /^Bỏ cấm/ }).click();
  await second.reload();
  await joined(second);
  await leaves(second);
});

test("a PIN is asked of a stranger: a wrong one, the right one, and none after that", async () => {
  const guarded = server.link("moderator", GUARDED, "nothing");
  const page = await comes(guarded);
  await stands(page, "PIN");
  assert.equal(await page.locator(".door-plain").count(), 0, "nothing was wrong yet");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "pin");
  await none(inBoth(page, "PIN"));
  await page.locator("#pin").focus();
  await typed(page, "0000");
  await page.getByRole("alert").filter({ hasText: "không đúng" }).waitFor();
  await until("the next one can be typed at once", () => page.evaluate(() => document.activeElement?.id === "pin"));
  await none(inBoth(page, "PIN, wrong"));
  await typed(page, PIN);
  await joined(page);
  await page.reload();
  await joined(page);
  await leaves(page);
});

test("after five wrong PINs the page says how long none is looked at", async () => {
  locked = await comes(server.link("moderator", GUARDED, "nothing"));
  for (let n = 1; n <= 5; n += 1) {
    await stands(locked, "PIN");
    await typed(locked, `000${n}`);
    await locked.getByRole("alert").filter({ hasText: n < 5 ? "không đúng" : "nhiều lần" }).waitFor();
  }
  assert.ok(await locked.locator("#pin").isDisabled(), "nothing is asked that nobody looks at");
  assert.match(await locked.locator("until-clock").textContent(), /^00:[0-3]\d$/);
  await none(inBoth(locked, "PIN, locked"));
  await locked.reload();
  await locked.locator(".door-plain", { hasText: "nhiều lần" }).waitFor();
});

test("who is asked to leave and shut out stays out, also after a restart, until the technician opens again", async () => {
  const label = seatOf(await view(desk), FAR).label;
  room = await joined(await visit(await machine(folder, PHONE), link));
  await row(desk, label).getByRole("button", { name: /^Mời ra/ }).click();
  await desk.locator("#ban-device").check();
  await none(grave(desk, "technician, asking to leave"));
  await desk.locator("dialog [type=submit]").click();
  await stands(room, /mời ra|thu hồi/);
  await none(inBoth(room, "asked to leave"));
  await room.reload();
  await stands(room, "không mở được");
  await none(inBoth(room, "shut out"));

  await server.kill();
  await server.up();
  await room.reload();
  await stands(room, "không mở được");
  await until("the technician is back", async () => desk.evaluate(() => globalThis.diemcau.state().link === "joined"));
  assert.equal((await view(desk)).door.banned.length, 2, "both machines the link knew");

  await row(desk, label).getByRole("button", { name: /^Mở lại/ }).click();
  await desk.locator("dialog [type=submit]").click();
  await until("the link is as new", async () => !seatOf(await view(desk), FAR).expelled);
  for (const left of [1, 0]) {
    await desk.getByRole("button", { name: /^Bỏ cấm/ }).first().click();
    await until("one less is shut out", async () => (await view(desk)).door.banned.length === left);
  }
  await room.reload();
  await joined(room);
  assert.equal(seatOf(await view(desk), FAR).devices, 1);
});

test("when the time is over the page takes a PIN again", async () => {
  await until("the field is open again", () => locked.locator("#pin").isEnabled());
  await typed(locked, PIN);
  // The seat knows another machine: a stranger with the PIN waits for all that.
  await stands(locked, "Đang chờ");
});

test("whose machine is changed waits beside the other, and a person decides", async () => {
  const label = seatOf(await view(desk), FAR).label;
  const other = await comes();
  await stands(other, "Đang chờ");
  const digits = await code(other);
  await row(desk, label).getByRole("button", { name: /^Đổi máy/ }).click();
  await none(grave(desk, "technician, changing a machine"));
  await desk.locator("dialog [type=submit]").click();
  await stands(room, "mời ra");
  await room.reload();
  await stands(room, "Đang chờ");
  await row(desk, label).filter({ hasText: "máy lạ phải chờ ở cửa" }).waitFor();
  await atDoor(desk, digits).getByRole("button", { name: /^Cho vào/ }).click();
  await joined(other);
  assert.equal(seatOf(await view(desk), FAR).devices, 1);
  await leaves(other);
});

test("whose machine is changed while its road is cut waits at the door with its digits, and not with the desk of before", async () => {
  const label = seatOf(await view(desk), FAR).label;
  // The strip shows two: nobody else stands at the door.
  await Promise.all([room, locked].map((page) => page.goto("about:blank")));
  await until("the door is free", async () => (await view(desk)).door.waiting.length === 0);
  const cut = await comes(link, PHONE, breakable);
  await stands(cut, "Đang chờ");
  await atDoor(desk, await code(cut)).getByRole("button", { name: /^Cho vào/ }).click();
  await joined(cut);
  await cut.evaluate(() => globalThis.line.cut(true));
  await cut.getByRole("alert").filter({ hasText: "Đang kết nối lại" }).waitFor();
  await row(desk, label).getByRole("button", { name: /^Đổi máy/ }).click();
  await desk.locator("dialog [type=submit]").click();
  await until("the seat knows no machine", async () => seatOf(await view(desk), FAR).devices === 0);
  // Another machine is there first, so that the one of before is a stranger.
  const other = await joined(await comes());
  await cut.evaluate(() => globalThis.line.cut(false));
  await stands(cut, "Đang chờ");
  const digits = await code(cut);
  await cut.screenshot({ path: `${PICTURES}/phone-at-the-door-390x844.png` });
  await cut.keyboard.press("F2");
  assert.equal(await cut.locator(".banner, .big").count(), 0, "nothing of the desk is left");
  // Nor does it come back when the road of who waits is cut.
  await cut.evaluate(() => globalThis.line.cut(true));
  await until("it waits no more", () => cut.evaluate(() => globalThis.diemcau.state().waiting === null));
  assert.equal(await cut.locator(".big, main.companion").count(), 0);
  await until("the door knows", async () => (await view(desk)).door.waiting.every((one) => !digits.includes(one.code)));
  await cut.evaluate(() => globalThis.line.cut(false));
  await stands(cut, "Đang chờ");
  await atDoor(desk, await code(cut)).getByRole("button", { name: /^Cho vào/ }).click();
  await cut.locator("main.companion").waitFor();
  assert.equal(await cut.evaluate(() => globalThis.diemcau.state().waiting), null);
  await Promise.all([leaves(cut), leaves(other)]);
});

test("a browser that keeps no key comes to the door, and is let in", async () => {
  const page = await comes(link, PHONE, () => {
    IDBObjectStore.prototype.add = () => { throw new DOMException("this browser stores no keys", "DataCloneError"); };
  });
  await stands(page, "Đang chờ");
  await atDoor(desk, await code(page)).getByRole("button", { name: /^Cho vào/ }).click();
  await joined(page);
  await leaves(page);
});

test("no page said that anything was wrong", () => {
  const wrong = (page) => page.said.filter((line) => /^(error|warning)/.test(line) && !line.includes("ERR_CONNECTION_REFUSED"));
  assert.deepEqual([desk, room, locked].flatMap(wrong), []);
  assert.deepEqual([desk, room, locked].flatMap((page) => page.outside), []);
});
