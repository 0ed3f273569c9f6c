import { Server, endpoints, browser, open, entered, until } from "./harness.js";
const server = await Server.start();
const b = await browser();
const natives = endpoints(Array.from({length: Number(process.argv[2]??3)}, (_, i) => server.link("moderator", i+3, "room")));
try {
  const chair = await entered(await open(b, server.link("chair")));
  const site1 = await entered(await open(b, server.link("moderator", 1, "room")));
  const site2 = await entered(await open(b, server.link("moderator", 2, "room")));
  const stage = await open(b, server.link("stage"), { width: 1920, height: 1080 });
  await until("stage in", () => stage.evaluate(() => Boolean(window.diemcau?.view())));
  const show = async (tag) => { for (const [n, p] of Object.entries({chair, site1, site2, stage})) { await p.screenshot({ path: `/tmp/s-${tag}-${n}.png` }); } };
  try { await until("linked", async () => (await chair.evaluate(() => window.diemcau.view().sites.filter(s => s.carrier).length)) >= 3 + Number(process.argv[2]??3), 40); } catch (e) { console.log(e.message); }
  console.log(JSON.stringify(await chair.evaluate(() => [window.diemcau.state(), window.diemcau.view().sites])).slice(0,1500));
  await new Promise(r => setTimeout(r, 4000));
  console.log("stage", JSON.stringify(await stage.evaluate(() => window.diemcau.frames())));
  console.log("site1", JSON.stringify(await site1.evaluate(() => window.diemcau.frames())));
  await show("a");
  await chair.getByRole("button", { name: /Bắt đầu|Sang nội dung/ }).first().click();
  await site1.getByRole("button", { name: "Đăng ký phát biểu" }).click();
  await show("b");
  await site1.keyboard.press("Enter");
  await until("queued", () => chair.evaluate(() => window.diemcau.view().floor.queue.length === 1), 10).catch(e => console.log(e.message));
  await show("c");
  await chair.keyboard.press("F2");
  await until("speaking", () => chair.evaluate(() => window.diemcau.view().floor.turn !== null), 10).catch(e => console.log(e.message));
  await new Promise(r => setTimeout(r, 3000));
  console.log("stage", JSON.stringify(await stage.evaluate(() => window.diemcau.frames())).slice(0,600));
  await show("d");
  for (const [n, p] of Object.entries({chair, site1, site2, stage})) console.log(n, p.said.slice(0,8), p.outside);
  console.log(await (await fetch(server.base + "/metrics")).text().then(t => t.split("\n").filter(l => !l.startsWith("#")).join("\n")));
} finally { await b.close(); await natives.stop(); await server.stop(); }
