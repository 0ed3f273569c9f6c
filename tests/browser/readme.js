// Takes the README's pictures from a running demo of thirteen rooms: `npm run pictures`.
import { fileURLToPath } from "node:url";
import { readFile } from "node:fs/promises";
import { Server, browser, endpoints, open, until } from "./harness.js";

const DOCS = fileURLToPath(new URL("../../docs", import.meta.url));
const SPEAKING = 8;
const WAITING = [10, 11, 12, 3];

const server = await Server.start();
const chromium = await browser();
const links = Array.from({ length: 12 }, (_, k) => server.link("moderator", k + 1, "room"));
const rooms = endpoints([...links, server.link("moderator", 0, "standby")], ["--tiles"]);
try {
  const chair = await open(chromium, server.links_of("chair")[1]);
  const stage = await open(chromium, server.link("stage"), { width: 1920, height: 1080 });
  const view = () => chair.evaluate(() => globalThis.diemcau?.view());
  await until("thirteen sites are linked", async () => (await view())?.sites.every((site) => site.carrier !== null), 120);
  for (let item = 1; item <= 5; item += 1) {
    await chair.getByRole("button", { name: item === 1 ? /Bắt đầu/ : `Sang nội dung ${item}` }).first().click();
    await until("the item runs", async () => (await view()).agenda.current === item);
  }
  const who = ["Đại diện Ban Tổ chức Huyện uỷ", "Đại diện Ban Thường vụ Huyện uỷ", "Đại diện Uỷ ban Mặt trận Tổ quốc", "Đại diện Ban Dân vận Thành uỷ", "Đại diện Thường trực Huyện uỷ"];
  for (const [k, site] of [SPEAKING, ...WAITING].entries()) {
    const phone = await open(chromium, server.link("moderator", site, "nothing"), { width: 390, height: 844 });
    await phone.getByRole("button", { name: "Đăng ký phát biểu" }).click();
    await phone.getByRole("textbox").first().fill(who[k]);
    await phone.keyboard.press("Enter");
    await until("it is in the list", async () => (await view()).floor.queue.length === k + 1);
    await phone.context().close();
  }
  await chair.keyboard.press("F2");
  await until("the speaker is on the wall", () => stage.evaluate(() => globalThis.diemcau.state().slots[0] === 8));
  await until("every picture moves", async () => (await stage.evaluate(() => globalThis.diemcau.frames()))
    .filter((slot) => slot.kind === "video" && slot.slot !== SPEAKING + 1).every((slot) => slot.framesDecoded > 20), 120);
  await until("some seconds are spoken", async () => (await chair.evaluate(() => globalThis.diemcau.state().now)) - (await view()).floor.turn.started > 20_000);
  await stage.screenshot({ path: `${DOCS}/stage.png` });
  await chair.screenshot({ path: `${DOCS}/chair.png` });
  const status = await readFile(`/proc/${server.process.pid}/status`, "utf8");
  console.log(status.match(/VmRSS:.*/)[0], "with thirteen rooms that show every tile");
} finally {
  await chromium.close();
  await rooms.stop();
  await server.stop();
}
