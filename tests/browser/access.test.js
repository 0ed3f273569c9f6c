// Every page by axe-core, in both languages and in the states a conference goes through: nothing serious, nothing critical.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { grave, language } from "./axe.js";
import { Server, browser, conferenceFile, endpoints, entered, open, press, until } from "./harness.js";

const DISCUSSION = 5;
const DESK = { width: 1366, height: 625 };
const PHONE = { width: 390, height: 844 };
const WALL = { width: 1920, height: 1080 };

let server, chromium, rooms, leaver, chair, deputy, secretary, site, companion, technician, observer, stages;
let checks = 0;

const view = (page) => page.evaluate(() => globalThis.diemcau.view());

/** The grave findings on a page as it stands; each look is counted. */
function findings(page, name) {
  checks += 1;
  return grave(page, name);
}

/** The same in the other language too, by the page's own button. */
async function inBoth(page, name) {
  const found = await findings(page, name);
  const was = await language(page);
  await page.locator("button.lang").click();
  await until("the page speaks the other language", async () => await language(page) !== was);
  return [...found, ...await findings(page, name)];
}

/** The wall has no button for the language, so there are two walls. */
const onTheWalls = async (name) => (await Promise.all(stages.map((stage) => findings(stage, name)))).flat();

async function none(...looks) {
  const found = (await Promise.all(looks)).flat();
  assert.equal(found.length, 0, `\n${found.join("\n")}`);
}

/** Under a system that wishes less motion, so that nothing is measured on its way. */
async function calm(page) {
  await page.emulateMedia({ reducedMotion: "reduce" });
  return page;
}

const desk = async (url, viewport = DESK) => calm(await open(chromium, url, viewport));

/** A page without a conference. */
async function plain(path, base = server.base) {
  const page = await calm(await chromium.newPage({ viewport: DESK }));
  await page.goto(`${base}${path}`);
  await page.locator("h1").first().waitFor();
  return page;
}

/** What a person should press or fill in and cannot, because it lies under something or outside its window. */
const covered = (page, selector) => page.evaluate((wanted) => [...document.querySelectorAll(wanted)].filter((each) => each.checkVisibility()).filter((each) => {
  each.scrollIntoView({ block: "nearest" });
  const { left, top, width, height } = each.getBoundingClientRect();
  return !each.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}).map((each) => each.textContent.trim() || each.id), selector);

/** On a laptop, a small tablet and a phone. */
async function nothingCovered(page, selector) {
  const was = page.viewportSize();
  for (const size of [DESK, { width: 1024, height: 768 }, PHONE]) {
    await page.setViewportSize(size);
    assert.deepEqual(await covered(page, selector), [], `covered at ${size.width}x${size.height}`);
  }
  await page.setViewportSize(was);
}

/** A request for the floor by the page's own form, left open for a look before it is sent. */
async function ask(page, look) {
  await page.locator(".btn.primary.big").click();
  await page.locator("form.ask").waitFor();
  const found = await look();
  await page.locator("#delegate").fill("Đại diện Ban Thường vụ");
  await page.locator("#title").fill("Phó Chủ tịch Uỷ ban Mặt trận Tổ quốc huyện");
  await page.locator("#topic").fill("Thời hạn hoàn thành");
  await page.locator("form.ask [type=submit]").click();
  return found;
}

before(async () => {
  // In the discussion a request waits for the chair's word.
  server = await Server.start((await conferenceFile(60)).replace(/(kind = "discussion"[^[]*?)approval = false/, "$1approval = true"));
  chromium = await browser();
  rooms = endpoints([2, 3, 4].map((id) => server.link("moderator", id, "room")));
  leaver = endpoints([server.link("moderator", 5, "room")]);
  [chair, deputy, site, companion, secretary, technician, observer, ...stages] = await Promise.all([
    desk(server.link("chair")), desk(server.link("deputy")), desk(server.link("moderator", 1, "room")), desk(server.link("moderator", 2, "nothing"), PHONE),
    desk(server.link("secretary")), desk(server.link("technician")), desk(server.link("observer")),
    desk(server.link("stage"), WALL), desk(server.link("stage").replace("#", "?lang=en#"), WALL),
  ]);
});

after(async () => {
  await chromium?.close();
  await Promise.all([rooms?.stop(), leaver?.stop()]);
  await server?.stop();
});

test("each page has one theme, whatever the system prefers", async () => {
  const themes = await Promise.all([chair, secretary, site, companion, observer, technician, ...stages].map((page) => page.evaluate(() => {
    const rules = (list) => [...list].flatMap((rule) => [rule, ...rules(rule.cssRules ?? [])]);
    const asks = [...document.styleSheets].flatMap((sheet) => rules(sheet.cssRules)).some((rule) => rule.conditionText?.includes("prefers-color-scheme"));
    return asks ? "both" : getComputedStyle(document.documentElement).colorScheme;
  })));
  // A page that follows the system one day has to be looked at in both schemes here.
  assert.deepEqual(themes, ["light", "light", "light", "light", "light", "dark", "dark", "dark"]);
});

test("pages without a conference", async () => {
  // Only the demo's server shows its links.
  const demoServer = await Server.start();
  const demo = await plain("/demo", demoServer.base);
  const [trust, landing, noLink, ended] = await Promise.all(["/trust.html", "/", "/site", "/site#no-such-seat"].map((path) => plain(path)));
  const inEnglish = async (path, name) => findings(await plain(`${path.replace(/#|$/, "?lang=en$&")}`), name);
  await none(
    inBoth(demo, "the demo's links"), findings(trust, "trust"), findings(landing, "landing"), findings(noLink, "no link"), findings(ended, "unknown link"),
    inEnglish("/", "landing"), inEnglish("/site", "no link"), inEnglish("/site#no-such-seat", "unknown link"),
  );
  await Promise.all([demo, trust, landing, noLink, ended].map((page) => page.close()));
  await demoServer.stop();
});

test("the green rooms", async () => {
  await none(inBoth(chair, "green room of the chair"), inBoth(site, "green room of a site"));
});

test("nothing has begun", async () => {
  await Promise.all([entered(chair), entered(site)]);
  await until("the rooms are linked", async () => (await view(chair)).sites.filter((each) => each.carrier !== null).length === 6);
  await leaver.stop();
  await until("one room is lost", async () => (await view(chair)).sites.filter((each) => each.carrier !== null).length === 5);
  await none(
    inBoth(chair, "chair, idle"), inBoth(site, "site, idle"), inBoth(companion, "companion, idle"), inBoth(secretary, "secretary, idle"),
    inBoth(technician, "technician, idle"), inBoth(observer, "observer, idle"), onTheWalls("stage, idle"),
  );
});

test("the roll is called", async () => {
  await chair.locator(".desk-foot > .btn[aria-expanded]").first().click();
  await chair.locator(".roll-start .primary").click();
  await until("the hall is called", async () => (await view(chair)).attendance.calling === 0);
  await chair.keyboard.press("F2");
  await site.locator("main.called").waitFor();
  await secretary.locator(".on-bar").nth(2).click();
  await secretary.locator(".sheet table").waitFor();
  await until("the walls follow", async () => (await Promise.all(stages.map(view))).every(({ attendance }) => attendance.calling === 1));
  await none(inBoth(chair, "chair, roll"), inBoth(site, "site, called"), inBoth(secretary, "secretary, sheet"), inBoth(observer, "observer, roll"), onTheWalls("stage, roll"));
  await secretary.locator(".on-bar").first().click();
  await chair.locator(".calling .roll-acts .btn").last().click();
  await until("it is over", async () => (await view(chair)).attendance.calling === null);
  await chair.keyboard.press("Escape");
});

test("a break", async () => {
  await chair.locator(".break-form select").selectOption("5");
  await chair.locator(".break-form button").click();
  await Promise.all([chair, site, companion, secretary, observer, ...stages].map((page) => page.locator("until-clock").first().waitFor()));
  const { since, until: end } = (await view(chair)).agenda.on_break;
  assert.equal(end - since, 5 * 60_000);
  await none(inBoth(chair, "chair, break"), inBoth(site, "site, break"), inBoth(companion, "companion, break"), inBoth(secretary, "secretary, break"), inBoth(observer, "observer, break"), onTheWalls("stage, break"));
  await chair.locator(".break-acts .btn").first().click();
  await until("it is over", async () => (await view(chair)).agenda.on_break === null);
});

test("drafts, comments, lists and dialogs", async () => {
  await site.getByRole("tab").nth(1).click();
  const agenda = await inBoth(site, "site, agenda");
  await site.getByRole("tab", { name: /^(Dự thảo|Drafts)/ }).click();
  await site.locator(".para").nth(1).click();
  await site.locator("#c-text").fill("Đề nghị nêu rõ thời hạn hoàn thành.");
  await site.locator("#c-proposed").fill("Hoàn thành trong quý này.");
  await site.locator("form.compose [type=submit]").click();
  await until("the comment is in", async () => (await view(secretary)).feed.length === 1);
  await none(agenda,
    inBoth(site, "site, drafts"),
    (async () => {
      await companion.locator(".foot button").click();
      await companion.locator(".para").nth(1).click();
      const found = await inBoth(companion, "companion, drafts");
      await companion.locator(".quietbtn").click();
      return found;
    })(),
    (async () => {
      await secretary.locator(".compare").click();
      const found = await inBoth(secretary, "secretary, a comment against the draft");
      await secretary.locator(".row-acts button").nth(1).click();
      return [...found, ...await findings(secretary, "secretary, dialog")];
    })(),
    (async () => {
      const lists = await inBoth(observer, "observer, what happens now");
      await observer.getByRole("tab").nth(2).click();
      const feed = await inBoth(observer, "observer, comments");
      await observer.getByRole("tab").nth(1).click();
      await observer.locator(".docs button").first().click();
      return [...lists, ...feed, ...await inBoth(observer, "observer, reading")];
    })(),
    (async () => {
      await technician.getByRole("tab").nth(1).click();
      const found = await inBoth(technician, "technician, seats");
      await technician.locator(".seats li button").first().click();
      const dialog = await findings(technician, "technician, dialog");
      await technician.keyboard.press("Escape");
      await technician.getByRole("tab").nth(0).click();
      return [...found, ...dialog];
    })(),
  );
  await secretary.keyboard.press("Escape");
});

test("one site on deck, one waiting", async () => {
  for (let item = 1; item <= DISCUSSION; item += 1) {
    await chair.locator(".agenda > .btn").click();
    await until("the item runs", async () => (await view(chair)).agenda.current === item);
  }
  // A speaker of the hall is registered by the keyboard alone: the form is there to be typed into, and empty for the next one.
  await press(chair, /tại hội trường$|in the hall$/);
  await until("the form has the focus", () => chair.evaluate(() => document.activeElement?.id === "delegate"));
  const hall = await inBoth(chair, "chair, speakers of the hall");
  await chair.locator("#delegate").focus();
  await chair.keyboard.type("Bà Lê Thị E");
  await chair.keyboard.press("Enter");
  await until("it is registered", async () => (await view(chair)).floor.pending.length === 1);
  await until("the form is empty", () => chair.evaluate(() => document.getElementById("delegate").value === ""));
  await chair.locator(".hall-places .btn").click();
  await chair.getByRole("dialog").locator("[type=submit]").click();
  await until("it is withdrawn", async () => (await view(chair)).floor.pending.length === 0);
  await chair.keyboard.press("Escape");
  const forms = await ask(site, async () => {
    await nothingCovered(site, ".ask label, .ask .input, .ask .btn, .tabs button, .help .btn");
    return inBoth(site, "site, request form");
  });
  await chair.locator(".prow").waitFor();
  forms.push(...await inBoth(chair, "chair, pending"), ...await inBoth(site, "site, pending"));
  await chair.locator(".prow .btn").first().click();
  await until("the request is in", async () => (await view(chair)).floor.queue.length === 1);
  forms.push(...await ask(companion, () => inBoth(companion, "companion, request form")));
  await chair.locator(".prow .btn").first().click();
  await until("both are in the list", async () => (await view(chair)).floor.queue.length === 2);
  await secretary.locator(".on-bar").nth(1).click();
  await secretary.locator(".qrow").first().click();
  await secretary.locator("#hall-form").waitFor();
  forms.push(...await inBoth(secretary, "secretary, list"), ...await inBoth(deputy, "deputy, waiting"));
  await secretary.locator(".on-bar").first().click();
  await until("one is on deck", async () => (await view(chair)).floor.on_deck.length > 0);
  await chair.locator(".qrow").nth(1).click();
  await chair.locator(".pick .btn").nth(1).click();
  await chair.locator(".undo").waitFor();
  forms.push(...await findings(chair, "chair, undo"));
  await chair.keyboard.press("F3");
  await chair.locator(".agenda > .btn").click();
  await chair.getByRole("dialog").waitFor();
  forms.push(...await findings(chair, "chair, next item"));
  await chair.keyboard.press("Escape");
  await chair.locator(".chip-open").last().click();
  await chair.locator(".site-strip").waitFor();
  forms.push(...await inBoth(chair, "chair, one site"));
  await chair.keyboard.press("Escape");
  await technician.locator("button.nm").first().click();
  await technician.locator(".site-strip").waitFor();
  forms.push(...await inBoth(technician, "technician, one site"));
  await technician.keyboard.press("Escape");
  await nothingCovered(site, ".big-pair .btn, .tabs button, .help .btn, .mic-acts .btn");
  await site.getByRole("tab", { name: /^(Danh sách|Speakers)/ }).click();
  forms.push(...await inBoth(site, "site, list"));
  await nothingCovered(site, ".places .btn");
  await site.getByRole("tab").first().click();
  await none(hall, forms,
    inBoth(chair, "chair, waiting"), inBoth(site, "site, on deck"), inBoth(companion, "companion, waiting"),
    inBoth(technician, "technician, waiting"), onTheWalls("stage, waiting"),
  );
});

test("a site is invited and speaks", async () => {
  await chair.keyboard.press("F2");
  await site.locator(".summons").waitFor();
  const invited = await inBoth(site, "site, invited");
  await site.keyboard.press("F2");
  await site.locator(".panel.live").waitFor();
  await until("its microphone is open", async () => (await view(chair)).stage.heard.includes(1));
  for (const page of [site, observer]) await page.locator(".lower-third .from", { hasText: "Phó Chủ tịch Uỷ ban Mặt trận Tổ quốc huyện" }).waitFor();
  await none(invited,
    inBoth(chair, "chair, speaking"), inBoth(site, "site, speaking"), inBoth(companion, "companion, on deck"), inBoth(secretary, "secretary, speaking"),
    inBoth(technician, "technician, speaking"), inBoth(observer, "observer, speaking"), onTheWalls("stage, speaking"),
  );
});

test("every layout of the wall, and a phone that observes", async () => {
  const found = [];
  await chair.locator(".desk-foot > .btn[aria-expanded]").nth(1).click();
  const speaker = chair.locator(".layouts .btn").nth(0);
  await speaker.waitFor();
  for (const [place, layout] of ["grid", "document", "waiting", "notice"].entries()) {
    await chair.locator(".layouts .btn").nth(place + 1).click();
    await until("it is laid ready", async () => (await view(chair)).stage.preview === layout);
    if (place === 0) found.push(...await inBoth(chair, "chair, screens"));
    await chair.locator(".take .primary").click();
    await until("the walls follow", async () => (await Promise.all(stages.map(view))).every(({ stage }) => stage.layout === layout));
    found.push(...await onTheWalls(`stage, ${layout}`));
  }
  await chair.keyboard.press("F7");
  await Promise.all(stages.map((stage) => stage.locator("main.blank").waitFor()));
  found.push(...await onTheWalls("stage, blank"));
  await chair.keyboard.press("F7");
  await speaker.click();
  await until("it is laid ready", async () => (await view(chair)).stage.preview === "speaker");
  await chair.locator(".take .primary").click();
  await until("the walls show the speaker", async () => (await Promise.all(stages.map(view))).every(({ stage }) => stage.layout === "speaker"));
  await observer.setViewportSize(PHONE);
  await chair.keyboard.press("Escape");
  await none(found, inBoth(observer, "observer, phone"));
});

test("the last minute, over time, a pause and a closed microphone", async () => {
  const clocks = [chair, site, ...stages];
  const found = [];
  for (const look of ["soon", "over"]) {
    // The clock touches its look only when the phase changes: minutes need not pass here.
    await Promise.all(clocks.map((page) => page.evaluate((name) => document.querySelectorAll("turn-clock").forEach((clock) => clock.classList.add(name)), look)));
    found.push(...await Promise.all(clocks.map((page) => findings(page, `${new URL(page.url()).pathname}, clock ${look}`))));
  }
  await chair.keyboard.press("F8");
  await site.locator(".panel.held").waitFor();
  found.push(...await Promise.all([inBoth(chair, "chair, paused"), inBoth(site, "site, paused"), onTheWalls("stage, paused")]));
  await chair.keyboard.press("F8");
  await site.locator(".panel.live").waitFor();
  await site.locator(".mic-acts button").first().click();
  await site.locator(".panel.held").waitFor();
  await chair.locator(".acts .btn").nth(3).click();
  found.push(...await Promise.all([findings(site, "site, own microphone closed"), findings(chair, "chair, dialog")]));
  await chair.keyboard.press("Escape");
  await none(...found);
});

test("the turn goes to a companion's site", async () => {
  await chair.keyboard.press("F4");
  await site.locator(".panel .btn").waitFor();
  // F2 says after whom it calls: pressed on a console that still shows the old turn it is refused as stale.
  await until("the chair's console shows the end", async () => (await view(chair)).floor.turn === null);
  await chair.keyboard.press("F2");
  await companion.locator(".summons").waitFor();
  const found = await Promise.all([inBoth(companion, "companion, invited"), inBoth(site, "site, ended")]);
  await companion.locator(".summons .primary-act").click();
  await companion.locator(".panel.live").waitFor();
  await none(...found, inBoth(companion, "companion, speaking"));
});

test("the speaking room's link is lost", async () => {
  await rooms.stop();
  await chair.locator(".held-strip").waitFor();
  await companion.locator(".panel.held").waitFor();
  await none(inBoth(chair, "chair, held"), inBoth(deputy, "deputy, held"), inBoth(companion, "companion, held"), onTheWalls("stage, held"));
});

test("the server is gone", async () => {
  await server.kill();
  const pages = [chair, site, companion, secretary, technician, observer];
  await Promise.all(pages.map((page) => page.locator(".banner[role=alert]").waitFor()));
  await none(...pages.map((page) => findings(page, `${new URL(page.url()).pathname}, no link`)), onTheWalls("stage, no link"));
});

test("no page stopped drawing on the way", (told) => {
  told.diagnostic(`${checks} looks`);
  for (const page of [chair, deputy, site, companion, secretary, technician, observer, ...stages]) {
    assert.deepEqual(page.said.filter((line) => line.startsWith("error") && !line.includes("ERR_CONNECTION_REFUSED")), []);
  }
});
