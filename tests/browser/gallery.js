// Every desk and every scene of the wall at its design sizes, in Vietnamese with the long names, into target/screenshots:
// `npm run pictures`. Made to be looked at by a person; what must hold is tested elsewhere.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Seats, Server, browser, conferenceFile, endpoints, entered, open, until } from "./harness.js";

const FOLDER = fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const [LAPTOP, HALL, TABLET, UPRIGHT, PHONE] = ["1366x625", "1920x1080", "1024x768", "768x1024", "390x844"];
const ROOMS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12];
const TITLE = "Uỷ viên Ban Thường vụ, Trưởng Ban Tổ chức Đảng uỷ Khối các cơ quan và doanh nghiệp tỉnh";
const WHO = { 12: ["H'Linh Êban", TITLE], 8: ["Ngô Quốc Đạt".normalize("NFD"), "Đại diện Ban Tổ chức Huyện uỷ"], 10: ["Bà Trần Thị Thu Hương", "Phó Chủ tịch Uỷ ban Mặt trận Tổ quốc huyện"] };

const size = (name) => ({ width: Number(name.split("x")[0]), height: Number(name.split("x")[1]) });
const view = (page) => page.evaluate(() => globalThis.diemcau.view());

/** A page at each of its sizes, drawn and still. */
async function look(page, name, ...sizes) {
  for (const each of sizes) {
    await page.setViewportSize(size(each));
    await page.evaluate(async () => {
      await document.fonts.ready;
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    });
    await page.screenshot({ path: `${FOLDER}/${name}-${each}.png` });
  }
  if (sizes.length > 0) await page.setViewportSize(size(sizes[0]));
}

/** The demo conference with thirteen rooms; item 5 begins when it is planned. */
class Hall {
  static async open() {
    const hall = new Hall();
    hall.server = await Server.start(await conferenceFile(60));
    hall.chromium = await browser();
    const { server, chromium } = hall;
    const room = (site, carries = "room") => server.link("moderator", site, carries);
    hall.rooms = endpoints([...ROOMS.map((site) => room(site)), room(0, "standby")].filter(Boolean));
    hall.leaver = endpoints([room(11)]);
    const desk = (url, at) => open(chromium, url, size(at));
    hall.chair = await desk(server.links_of("chair")[1], LAPTOP);
    hall.deputy = await desk(server.link("deputy"), LAPTOP);
    hall.secretary = await desk(server.link("secretary"), LAPTOP);
    hall.technician = await desk(server.link("technician"), HALL);
    hall.observer = await desk(server.link("observer"), LAPTOP);
    hall.stage = await desk(server.link("stage"), HALL);
    hall.site = await entered(await desk(room(1), LAPTOP));
    hall.phone = await desk(room(12, "nothing"), PHONE);
    hall.seats = await Seats.open(chromium, server);
    await hall.seats.join("chair", server.links_of("chair")[1]);
    for (let site = 1; site <= 12; site += 1) await hall.seats.join(site, room(site, "nothing"));
    return hall;
  }

  async do(seat, command) {
    const answer = await this.seats.ask(seat, command);
    if (answer.type !== "ok") throw new Error(`${JSON.stringify(command)}: ${JSON.stringify(answer)}`);
  }

  /** The chair's seat does it, and every page has seen it. */
  async chairs(command, seen) {
    await this.do("chair", command);
    for (const page of [this.chair, this.deputy, this.stage, this.site, this.phone, this.observer, this.secretary, this.technician]) {
      await until(`${command.type} is seen`, async () => seen(await view(page)));
    }
  }

  async request(site, speech = "contribution", more = {}) {
    const [delegate, title] = WHO[site] ?? ["Đại diện Ban Thường vụ", "Huyện uỷ"];
    await this.do(site, { type: "request_floor", words: { speech, delegate, title, topic: "Chỉ tiêu kết nạp đảng viên giai đoạn 2021–2025", paragraph: null, ...more } });
  }

  async layout(layout) {
    await this.chairs({ type: "set_layout", layout }, ({ stage }) => stage.layout === layout);
  }

  /** The next of the list, called as the list has it. */
  async callNext() {
    const floor = await until("somebody is next", async () => {
      const now = await this.seats.floor("chair");
      return now.next && now;
    });
    await this.chairs({ type: "grant_next", after: floor.turn?.turn ?? null, expect: floor.next.turn }, (now) => now.floor.turn?.turn === floor.next.turn);
  }

  async close() {
    await this.chromium.close();
    await Promise.all([this.rooms.stop(), this.leaver.stop()]);
    await this.server.stop();
  }
}

async function beforeItBegins(hall) {
  await until("the rooms are linked", async () => (await view(hall.chair)).sites.filter((link) => link.carrier !== null).length >= 12, 120);
  await hall.layout("waiting");
  await look(hall.stage, "stage-waiting", HALL);
  await look(hall.observer, "observer-before", LAPTOP, PHONE);
  await look(hall.chair, "chair-idle", LAPTOP);
  await look(hall.site, "site-no-item", LAPTOP);
  await hall.layout("speaker");
}

async function roll(hall) {
  await hall.chairs({ type: "start_item", item: 1 }, ({ agenda }) => agenda.current === 1);
  await hall.chairs({ type: "start_roll_call" }, ({ attendance }) => attendance.calling === 0);
  await hall.do(2, { type: "set_headcount", site: 2, headcount: { summoned: 17, present: 15, online: 1, absent: "01 đồng chí đi công tác" } });
  await hall.chairs({ type: "call_next_site", after: 0 }, ({ attendance }) => attendance.calling === 1);
  await hall.chair.getByRole("button", { name: /điểm danh/i }).first().click();
  await hall.chair.locator(".over .sheet").waitFor();
  await look(hall.chair, "chair-roll", LAPTOP, HALL, TABLET, UPRIGHT, PHONE);
  await hall.chair.keyboard.press("Escape");
  await look(hall.site, "site-called", LAPTOP);
  await look(hall.stage, "stage-roll", HALL);
  await look(hall.observer, "observer-roll", LAPTOP, PHONE);
  await hall.chairs({ type: "call_site", site: 12 }, ({ attendance }) => attendance.calling === 12);
  await look(hall.phone, "phone-called", PHONE);
  await look(hall.stage, "stage-roll-long-name", HALL);
  await hall.secretary.getByRole("button", { name: "Điểm danh" }).click();
  await hall.secretary.locator(".sheet table").waitFor();
  await look(hall.secretary, "secretary-sheet", LAPTOP, HALL);
  await hall.secretary.getByRole("button", { name: "Dự thảo" }).first().click();
  await hall.chairs({ type: "end_roll_call" }, ({ attendance }) => attendance.calling === null);
}

/** The roll is over: a break, and one site called again. */
async function pause(hall) {
  await hall.chairs({ type: "start_break", minutes: 15 }, ({ agenda }) => agenda.on_break !== null);
  await look(hall.chair, "chair-break", LAPTOP, HALL, TABLET, UPRIGHT, PHONE);
  await look(hall.site, "site-break", LAPTOP);
  await look(hall.phone, "phone-break", PHONE);
  await look(hall.observer, "observer-break", LAPTOP, PHONE);
  await look(hall.secretary, "secretary-break", LAPTOP);
  await look(hall.stage, "stage-break", HALL);
  await hall.chairs({ type: "call_site", site: 12 }, ({ attendance }) => attendance.calling === 12);
  await hall.chair.getByRole("button", { name: /điểm danh/i }).first().click();
  await hall.chair.locator(".over .sheet").waitFor();
  await look(hall.chair, "chair-called-alone", LAPTOP, UPRIGHT);
  await hall.chair.keyboard.press("F2");
  await until("it is called no more", async () => (await view(hall.chair)).attendance.calling === null);
  await look(hall.chair, "chair-roll-over", LAPTOP, UPRIGHT);
  await hall.chair.keyboard.press("Escape");
}

async function list(hall) {
  for (let item = 2; item <= 5; item += 1) await hall.chairs({ type: "next_item", after: item - 1, expect: item }, ({ agenda }) => agenda.current === item);
  await look(hall.chair, "chair-empty-list", LAPTOP);
  await look(hall.site, "site-idle", LAPTOP);
  await look(hall.phone, "phone-idle", PHONE);
  await hall.site.getByRole("button", { name: "Đăng ký phát biểu" }).click();
  await hall.site.locator("form.ask").waitFor();
  await look(hall.site, "site-form", LAPTOP);
  await hall.site.keyboard.press("Escape");
  await hall.phone.getByRole("button", { name: "Đăng ký phát biểu" }).click();
  await hall.phone.locator("form.ask").waitFor();
  await look(hall.phone, "phone-form", PHONE);
  await hall.phone.keyboard.press("Escape");
  for (const site of [8, 10, 12, 3, 1, 5, 7]) await hall.request(site, "contribution", site === 12 ? { paragraph: { draft: 3, paragraph: 12 } } : {});
  await hall.request(2, "paper");
  await until("the list is there", async () => (await view(hall.chair)).floor.queue.length === 8);
  await look(hall.site, "site-waiting", LAPTOP);
  await look(hall.phone, "phone-waiting", PHONE);
}

async function speech(hall) {
  await hall.callNext();
  await hall.request(4, "reply");
  await hall.do(3, { type: "post_comment", kind: "wording", words: { at: { draft: 1, paragraph: 4 }, text: "Đề nghị nêu rõ thời hạn hoàn thành và cơ quan chịu trách nhiệm.", proposed: "Đến năm 2025 đạt trên 4% dân số, cơ quan chịu trách nhiệm là cấp uỷ cơ sở.", delegate: "" } });
  await hall.do(6, { type: "prompt_desks", prompt: "cannot_hear" });
  await hall.leaver.stop();
  await until("one room is lost", async () => (await view(hall.chair)).sites[11].carrier === null);
  await until("the reply is seen", async () => (await view(hall.chair)).floor.queue.some((request) => request.words.speech === "reply"));
  await look(hall.chair, "chair-speaking", LAPTOP, HALL, TABLET, UPRIGHT, PHONE);
  await look(hall.stage, "stage-speaker", HALL);
  await look(hall.observer, "observer-speaking", LAPTOP, PHONE);
  await look(hall.technician, "technician", HALL, LAPTOP);
  await look(hall.secretary, "secretary", LAPTOP, HALL);
  await look(hall.deputy, "deputy", LAPTOP);
  await hall.secretary.getByRole("button", { name: "Danh sách đăng ký" }).click();
  await hall.secretary.locator(".qrow").nth(1).click();
  await hall.secretary.locator("#hall-form").waitFor();
  await look(hall.secretary, "secretary-list", LAPTOP, HALL, UPRIGHT, PHONE);
  await hall.site.getByRole("button", { name: /Đăng ký thêm/ }).click();
  await hall.site.getByText("Trao đổi lại", { exact: true }).first().click();
  await look(hall.site, "site-form-reply", LAPTOP);
  await hall.site.keyboard.press("Escape");
}

/** What a person has opened at the chair's desk. */
async function desk(hall) {
  const { chair } = hall;
  await chair.locator(".qrow").nth(2).click();
  await chair.locator(".to-place").waitFor();
  await look(chair, "chair-picked", LAPTOP, TABLET, PHONE);
  await chair.locator(".to-place input").fill("1");
  await chair.locator(".to-place button").click();
  await chair.locator(".undo").waitFor();
  await look(chair, "chair-undo", LAPTOP);
  await chair.keyboard.press("F3");
  await chair.getByRole("button", { name: /^Xem và nhắc điểm cầu Huyện Châu Thành/ }).click();
  await chair.locator(".site-strip").waitFor();
  await look(chair, "chair-site", LAPTOP, HALL, TABLET, UPRIGHT, PHONE);
  await chair.keyboard.press("Escape");
  await chair.getByRole("button", { name: "Đăng ký phát biểu tại hội trường" }).click();
  await chair.locator("#hall-form").waitFor();
  await look(chair, "chair-hall", LAPTOP, HALL, TABLET, UPRIGHT, PHONE);
  await chair.keyboard.press("Escape");
  await chair.getByRole("button", { name: "Thời lượng và thứ tự nội dung 7" }).click();
  await look(chair, "chair-item", LAPTOP, HALL);
  await chair.getByRole("button", { name: /^Màn hình lớn/ }).click();
  await chair.locator(".layouts").waitFor();
  await chair.locator(".layouts .btn").nth(2).click();
  await until("it is laid ready", async () => (await view(chair)).stage.preview !== null);
  await look(chair, "chair-screens", LAPTOP, HALL, TABLET, UPRIGHT, PHONE);
  await chair.keyboard.press("Escape");
  await chair.getByRole("button", { name: "Sang nội dung 6" }).click();
  await chair.getByRole("dialog").waitFor();
  await look(chair, "chair-next-item", LAPTOP);
  await chair.keyboard.press("Escape");
  await hall.technician.getByRole("button", { name: /^Huyện Châu Thành/ }).click();
  await hall.technician.locator(".site-strip").waitFor();
  await look(hall.technician, "technician-site", HALL);
  await hall.technician.keyboard.press("Escape");
  await hall.technician.getByRole("tab", { name: "Màn hình lớn" }).click();
  await look(hall.technician, "technician-screens", HALL);
  await hall.technician.getByRole("tab", { name: "Điểm cầu" }).click();
}

async function walls(hall) {
  await hall.layout("grid");
  await look(hall.stage, "stage-grid", HALL);
  await hall.chairs({ type: "show_paragraph", at: { draft: 3, paragraph: 12 } }, ({ stage }) => stage.paragraph?.paragraph === 12);
  await hall.layout("document");
  await look(hall.stage, "stage-document", HALL);
  await hall.chairs({ type: "set_notice", text: "Hội nghị nghỉ giải lao, tiếp tục lúc 09:45" }, ({ stage }) => stage.notice !== "");
  await hall.layout("notice");
  await look(hall.stage, "stage-notice", HALL);
  await hall.layout("blank");
  await look(hall.stage, "stage-blank", HALL);
  await hall.layout("speaker");
  await hall.chairs({ type: "set_spotlight", site: 5 }, ({ stage }) => stage.spotlight !== null);
  await look(hall.chair, "chair-spotlight", LAPTOP, HALL);
  await hall.chairs({ type: "set_spotlight", site: null }, ({ stage }) => stage.spotlight === null);
}

/** The site with the long name, and the one with a desk, are called. */
async function called(hall) {
  const { queue } = await hall.seats.floor("chair");
  const of = (site) => queue.find((request) => request.site === site).turn;
  await hall.chairs({ type: "stage", turns: [of(12), of(1)] }, ({ floor }) => floor.on_deck[0] === of(12));
  await look(hall.site, "site-on-deck", LAPTOP);
  await look(hall.phone, "phone-on-deck", PHONE);
  await look(hall.chair, "chair-staged", LAPTOP);
  await hall.callNext();
  await hall.phone.locator(".summons").waitFor();
  await look(hall.phone, "phone-summoned", PHONE);
  await hall.phone.locator(".summons .primary-act").click();
  await look(hall.phone, "phone-speaking", PHONE);
  await look(hall.chair, "chair-long-name", LAPTOP, HALL, TABLET, UPRIGHT, PHONE);
  await look(hall.stage, "stage-speaker-long-name", HALL);
  await look(hall.observer, "observer-long-name", LAPTOP, PHONE);
  await hall.callNext();
  await hall.site.locator(".summons").waitFor();
  await look(hall.site, "site-summoned", LAPTOP);
  await hall.site.keyboard.press("F2");
  await hall.site.locator(".panel.live").waitFor();
  await look(hall.site, "site-speaking", LAPTOP);
  await hall.request(3, "question", { delegate: "Bà Võ Thị Kim Ngân" });
  await until("the question is first", async () => (await view(hall.chair)).floor.queue[0].words.speech === "question");
  await hall.callNext();
  await look(hall.chair, "chair-question", LAPTOP);
  await look(hall.stage, "stage-question", HALL);
  await look(hall.site, "site-interrupted", LAPTOP);
}

/** More rooms than one grid shows. */
async function pages() {
  const server = await Server.start(await conferenceFile(60, 4));
  const chromium = await browser();
  const rooms = endpoints([1, 2, 13, 14, 15].map((site) => server.link("moderator", site, "room")));
  try {
    const chair = await open(chromium, server.links_of("chair")[1]);
    const stage = await open(chromium, server.link("stage"), size(HALL));
    await until("the rooms are linked", async () => (await view(stage)).sites.filter((link) => link.carrier !== null).length === 5, 120);
    const seats = await Seats.open(chromium, server);
    await seats.join("chair", server.links_of("chair")[1]);
    await seats.ask("chair", { type: "set_layout", layout: "grid" });
    await until("the wall has pages", async () => (await view(stage)).stage.layout === "grid");
    await look(stage, "stage-grid-first-page", HALL);
    await look(chair, "chair-17-sites", LAPTOP, HALL);
    await seats.ask("chair", { type: "set_page", page: 1 });
    await until("the second page is there", async () => (await view(stage)).stage.page === 1);
    await look(stage, "stage-grid-second-page", HALL);
  } finally {
    await chromium.close();
    await rooms.stop();
    await server.stop();
  }
}

await mkdir(FOLDER, { recursive: true });
const hall = await Hall.open();
try {
  for (const part of [beforeItBegins, roll, pause, list, speech, desk, walls, called]) {
    console.log(part.name);
    await part(hall);
  }
} finally {
  await hall.close();
}
await pages();
