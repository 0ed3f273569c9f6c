// Figures of the chairman unit, with real browsers: how long until every page shows a moved list, and until a granted
// speaker's full-size picture is on the wall. Outside the gate; `npm run measure`, or `npm run measure -- 50`.
import { Seats, Server, browser, clockSpread, endpoints, entered, joined, open, stranger, until, visit, watchList } from "./harness.js";
import { Road, byRoad } from "./road.js";

const TIMES = Number(process.argv[2] ?? 20);
const DISCUSSION = 5;
/** How long a site is on deck before it is called, and how long a speech is left to settle. */
const [ON_DECK_MS, SETTLE_MS] = [3_000, 2_000];
/** How a room is called: told to prepare or not, over which road. */
const CALLS = [
  { name: "cold" }, { name: "on deck", onDeck: true }, { name: "cold, uplink loses 5 %", road: { up: { loss: 0.05 } } },
];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const noted = (page) => page.evaluate(() => globalThis.noted);

/** Notes when the wall's programme presents a frame of another site or size. */
const watchProgramme = (page) => page.evaluate(() => {
  const noted = globalThis.noted = [];
  for (const video of document.querySelectorAll(".pgm video")) {
    const look = (_, { height }) => {
      noted.push({ height, site: globalThis.diemcau.state().slots[0], at: performance.timeOrigin + performance.now() });
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }
});

function sum(figures) {
  const sorted = figures.map(Math.round).sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return `n ${sorted.length}, least ${sorted[0]}, median ${at(0.5)}, p95 ${at(0.95)}, most ${sorted.at(-1)} ms`;
}

async function ask(seats, site) {
  const words = { speech: "contribution", delegate: "", topic: "" };
  const { answer } = await seats.timed(site, { type: "request_floor", words });
  if (answer.type !== "ok") throw new Error(JSON.stringify(answer));
}

/** Moves the last of the list to its head and takes it back, again and again; the slowest page counts. */
async function moves(server, chromium, seats) {
  const pages = [
    await open(chromium, server.links_of("chair")[1]), await entered(await open(chromium, server.link("moderator", 1, "room"))),
    await open(chromium, server.link("moderator", 12, "nothing"), { width: 390, height: 844 }),
    await open(chromium, server.link("stage"), { width: 1920, height: 1080 }),
  ];
  for (const page of pages) await watchList(page);
  const [fromPress, fromAnswer] = [[], []];
  for (let n = 0; n < TIMES; n += 1) {
    const { queue } = await seats.floor("chair");
    // There and back: moved to the head, then taken back.
    const command = n % 2 === 0 ? { type: "move_request", turn: queue.at(-1).turn, before: queue[0].turn } : { type: "undo", turn: queue[0].turn };
    const { sent, answered, answer } = await seats.timed("chair", command);
    if (answer.type !== "ok") throw new Error(JSON.stringify(answer));
    // The facts of a command come before its answer.
    const order = (await seats.floor("chair")).queue.map((request) => request.turn);
    const shown = await Promise.all(pages.map((page) => until("it is shown", async () => (await noted(page)).lists.findLast(({ list, at }) => at > sent && list === order.join()))));
    const last = Math.max(...shown.map(({ at }) => at));
    fromPress.push(last - sent);
    fromAnswer.push(last - answered);
    await pause(200);
  }
  console.log(`a moved list on the last of four pages, from the press:           ${sum(fromPress)}`);
  console.log(`                                        after the acknowledgement: ${sum(fromAnswer)}`);
  await clocks(seats, pages);
  await Promise.all(pages.slice(0, 3).map((page) => page.context().close()));
  return pages[3];
}

/** How far apart the pages turn the same second of a running speech. */
async function clocks(seats, pages) {
  const { queue, turn } = await seats.floor("chair");
  const { answer } = await seats.timed("chair", { type: "grant", after: turn?.turn ?? null, turn: queue[0].turn });
  if (answer.type !== "ok") throw new Error(JSON.stringify(answer));
  for (const page of pages) await page.locator("turn-clock, turn-time").first().waitFor();
  console.log(`the same second of a speech on four pages:                       ${sum(await clockSpread(pages, TIMES))}`);
}

/** A room whose media takes a road. */
async function roomOver(road, chromium, link) {
  const context = await stranger(chromium);
  await context.addInitScript(byRoad(road.port));
  return entered(await joined(await visit(context, link)));
}

/** Calls two rooms in turn, in each of the ways. */
async function grants(server, chromium, seats, wall) {
  const rooms = new Map();
  for (const site of [1, 2]) rooms.set(site, await roomOver(roads[site - 1], chromium, server.link("moderator", site, "room")));
  await until("both send their full layer", async () => {
    const sent = await Promise.all([...rooms.values()].map((page) => page.evaluate(() => globalThis.diemcau.sent())));
    return sent.every((layers) => layers.some((layer) => layer.rid === "f" && layer.framesEncoded > 0));
  });
  await watchProgramme(wall);
  const took = Object.fromEntries(CALLS.map(({ name }) => [name, []]));
  for (let n = 0; n < TIMES * CALLS.length; n += 1) {
    const call = CALLS[n % CALLS.length];
    const site = 1 + n % 2;
    roads.forEach((road) => road.set(call.road));
    await ask(seats, site);
    const floor = await until("the chair has it", async () => {
      const now = await seats.floor("chair");
      return now.queue.some((request) => request.site === site) && now;
    });
    const { turn } = floor.queue.find((request) => request.site === site);
    if (call.onDeck) {
      await seats.timed("chair", { type: "stage", turns: [turn] });
      await pause(ON_DECK_MS);
    }
    const layers = await rooms.get(site).evaluate(() => globalThis.diemcau.sent());
    const full = Math.max(...layers.filter((layer) => layer.kind === "video").map((layer) => layer.height));
    const { sent, answer } = await seats.timed("chair", { type: "grant", after: floor.turn?.turn ?? null, turn });
    if (answer.type !== "ok") throw new Error(JSON.stringify(answer));
    const frame = await until("its full picture is on the wall", async () => (await noted(wall)).find((each) => each.at > sent && each.site === site && each.height >= full));
    took[call.name].push(frame.at - sent);
    await pause(SETTLE_MS);
  }
  for (const [name, figures] of Object.entries(took)) console.log(`grant to the full-size frame on the wall, ${name.padEnd(22)}: ${sum(figures)}`);
}

const server = await Server.start();
const roads = [await Road.to(server.mediaPort, 7), await Road.to(server.mediaPort, 70)];
const chromium = await browser();
const native = endpoints([3, 4, 5].map((site) => server.link("moderator", site, "room")));
try {
  const seats = await Seats.open(chromium, server);
  await seats.join("chair", server.links_of("chair")[1]);
  for (let site = 1; site <= 5; site += 1) await seats.join(site, server.link("moderator", site, "nothing"));
  await seats.timed("chair", { type: "start_item", item: DISCUSSION });
  for (const site of [3, 4, 5]) await ask(seats, site);
  await until("the chair has the list", async () => (await seats.floor("chair")).queue.length === 3);
  const wall = await moves(server, chromium, seats);
  await grants(server, chromium, seats, wall);
} finally {
  await chromium.close();
  await native.stop();
  roads.forEach((road) => road.close());
  await server.stop();
}
