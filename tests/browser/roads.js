// What rooms in Chromium see over bad roads: a speaker's uplink and a listener's downlink, each over a road of the test's
// own. Outside the gate; `npm run roads`, or `npm run roads -- loses` for the roads whose names contain a word.
import { Seats, Server, browser, endpoints, entered, joined, open, stranger, until, visit } from "./harness.js";
import { Road, byRoad } from "./road.js";

const ONLY = process.argv[2] ?? "";
const SECONDS = 20;
const [SPEAKER, LISTENER, DISCUSSION] = [1, 2, 5];
/** Until a road shows in the picture, and until a bad one is forgotten. */
const [SETTLE_MS, RECOVER_MS] = [4_000, 8_000];
const FREEZE_MS = 500;

const far = { loss: 0.1, delay: 100 };
const ROADS = [
  { name: "good" },
  { name: "uplink loses 5 %", of: "speaker", up: { loss: 0.05 } },
  { name: "downlink loses 5 %", of: "listener", down: { loss: 0.05 } },
  { name: "speaker loses 10 %, round trip 200 ms", of: "speaker", up: far, down: far },
  { name: "listener loses 10 %, round trip 200 ms", of: "listener", up: far, down: far },
  { name: "downlink of 256 kbit/s", of: "listener", down: { rate: 256_000 } },
  { name: "speaker cut for 2 s", of: "speaker", cut: 2 },
  { name: "listener cut for 2 s", of: "listener", cut: 2 },
  { name: "speaker cut for 30 s", of: "speaker", cut: 30 },
  { name: "listener cut for 30 s", of: "listener", cut: 30 },
];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Notes when the programme presents a frame; a connection made anew may bring another element. */
const watch = (page) => page.evaluate(() => {
  globalThis.shown = [];
  const known = new WeakSet();
  const follow = (video) => {
    known.add(video);
    const look = (_, { height }) => {
      globalThis.shown.push({ at: performance.timeOrigin + performance.now(), height });
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  };
  setInterval(() => [...document.querySelectorAll(".pgm video")].filter((video) => !known.has(video)).forEach(follow), 50);
});

/** Samples of sound so far: those that were played, and those that had to be invented. */
async function heard(page) {
  const voices = (await page.evaluate(() => globalThis.diemcau.frames())).filter((slot) => slot.kind === "audio");
  const sum = (what) => voices.reduce((all, slot) => all + slot[what], 0);
  return { samples: sum("samplesReceived"), invented: sum("concealedSamples") };
}

/** What a page saw between two moments. */
async function seen(page, from, to, before) {
  const shown = (await page.evaluate(() => globalThis.shown)).filter(({ at }) => at >= from && at <= to);
  const moments = [from, ...shown.map(({ at }) => at), to];
  const gaps = moments.slice(1).map((at, n) => at - moments[n]);
  const after = await heard(page);
  const [samples, invented] = [after.samples - before.samples, after.invented - before.invented];
  return {
    fps: shown.length * 1_000 / (to - from), freezes: gaps.filter((gap) => gap > FREEZE_MS).length, longest: Math.max(...gaps),
    sound: samples > 0 ? 100 * (1 - invented / samples) : 0, heights: [...new Set(shown.map(({ height }) => height))].sort((a, b) => b - a),
  };
}

const firstAfter = (page, moment) => until("a picture comes back", () => page.evaluate((moment) => globalThis.shown.find(({ at }) => at >= moment)?.at, moment), 90);

async function over(road, rooms, pages) {
  const bad = rooms[road.of];
  const cut = { up: { cut: true }, down: { cut: true } };
  if (bad) bad.set(road.cut ? cut : road);
  if (!road.cut) await pause(SETTLE_MS);
  const from = Date.now();
  const before = await Promise.all(pages.map(heard));
  let back = "";
  if (road.cut) {
    await pause(road.cut * 1_000);
    bad.set();
    const good = Date.now();
    const page = road.of === "speaker" ? pages[1] : pages[0];
    back = `, picture back after ${Math.round(await firstAfter(page, good) - good)} ms`;
    await pause(SETTLE_MS);
  } else {
    await pause(SECONDS * 1_000);
  }
  const to = Date.now();
  const [listener, wall] = await Promise.all(pages.map((page, n) => seen(page, from, to, before[n])));
  bad?.set();
  const told = (name, { fps, freezes, longest, sound, heights }) => `${name} ${fps.toFixed(1)} fps (${heights.join(", ")}), ${freezes} freezes, longest ${Math.round(longest)} ms, sound ${sound.toFixed(1)} %`;
  console.log(`${road.name.padEnd(40)} ${told("listener", listener)}; ${told("wall", wall)}${back}`);
  await pause(bad ? RECOVER_MS : 0);
}

const server = await Server.start();
const chromium = await browser();
const native = endpoints([3, 4].map((site) => server.link("moderator", site, "room")));
const rooms = { speaker: await Road.to(server.mediaPort, 7), listener: await Road.to(server.mediaPort, 70) };
try {
  const room = async (site, road) => {
    const context = await stranger(chromium);
    await context.addInitScript(byRoad(road.port));
    return entered(await joined(await visit(context, server.link("moderator", site, "room"))));
  };
  const speaker = await room(SPEAKER, rooms.speaker);
  const listener = await room(LISTENER, rooms.listener);
  const wall = await open(chromium, server.link("stage"), { width: 1280, height: 720 });
  const seats = await Seats.open(chromium, server);
  await seats.join("chair", server.links_of("chair")[1]);
  await seats.join("speaker", server.link("moderator", SPEAKER, "nothing"));
  await seats.timed("chair", { type: "start_item", item: DISCUSSION });
  await seats.timed("speaker", { type: "request_floor", words: { speech: "contribution", delegate: "", topic: "" } });
  const floor = await until("the chair has the request", async () => {
    const now = await seats.floor("chair");
    return now.queue.length > 0 && now;
  });
  await seats.timed("chair", { type: "grant", after: floor.turn?.turn ?? null, turn: floor.queue[0].turn });
  await until("the speaker sends its full layer", async () => (await speaker.evaluate(() => globalThis.diemcau.sent())).some((layer) => layer.rid === "f" && layer.framesEncoded > 0));
  for (const page of [listener, wall]) await watch(page);
  await until("both see the speaker", async () => (await Promise.all([listener, wall].map((page) => page.evaluate(() => globalThis.shown.length)))).every((frames) => frames > 10));
  const asked = ROADS.filter(({ name }) => name.includes(ONLY));
  if (asked.length === 0) throw new Error(`no road is called ${ONLY}: ${ROADS.map(({ name }) => name).join("; ")}`);
  for (const road of asked) await over(road, rooms, [listener, wall]);
} finally {
  await chromium.close();
  await native.stop();
  Object.values(rooms).forEach((road) => road.close());
  await server.stop();
}
