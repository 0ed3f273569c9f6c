// What rooms in Chromium see over bad roads: a speaker's uplink and a listener's downlink, each over a road of the test's
// own. Outside the gate; `npm run roads`, or `npm run roads -- loses` for the roads whose names contain a word.
import { Seats, Server, browser, endpoints, entered, joined, open, stranger, until, visit } from "./harness.js";
import { Road, byRoad, byTcp } from "./road.js";

const ONLY = process.argv[2] ?? "";
const SECONDS = 20;
const [SPEAKER, LISTENER, WALLED, DISCUSSION] = [1, 2, 5, 5];
/** Until a road shows in the picture, and until a bad one is forgotten. */
const [SETTLE_MS, RECOVER_MS] = [4_000, 8_000];
const FREEZE_MS = 500;

/**
 * `least` is what whoever depends on the road must see, of a picture that is shown 17 times a second on a good one:
 * far from what was measured, near to what a room would complain about.
 */
const steady = { fps: 12, longest: 1_000, sound: 85 };
const far = { loss: 0.1, delay: 100 };
const ROADS = [
  { name: "good", least: { fps: 14, longest: 600, sound: 98 } },
  // One page more than the others have, and all of them are slower for it on two cores.
  { name: "UDP blocked, all over TCP", of: "walled", least: { ...steady, fps: 8 } },
  { name: "uplink loses 5 %", of: "speaker", up: { loss: 0.05 }, least: steady },
  { name: "downlink loses 5 %", of: "listener", down: { loss: 0.05 }, least: steady },
  { name: "uplink reorders 5 %", of: "speaker", up: { late: 0.05 }, least: steady },
  { name: "downlink reorders 5 %", of: "listener", down: { late: 0.05 }, least: steady },
  { name: "speaker loses 10 %, round trip 200 ms", of: "speaker", up: far, down: far, least: { fps: 5, longest: 2_000, sound: 80 } },
  { name: "listener loses 10 %, round trip 200 ms", of: "listener", up: far, down: far, least: { fps: 5, longest: 2_000, sound: 80 } },
  { name: "downlink of 256 kbit/s", of: "listener", down: { rate: 256_000 }, least: { fps: 8, longest: 3_000, sound: 90 } },
  { name: "speaker cut for 2 s", of: "speaker", cut: 2, least: { back: 1_000, after: 1_000 } },
  { name: "listener cut for 2 s", of: "listener", cut: 2, least: { back: 1_000, after: 1_000 } },
  { name: "speaker cut for 6 s", of: "speaker", cut: 6, least: { back: 3_000, after: 1_000 } },
  { name: "listener cut for 6 s", of: "listener", cut: 6, least: { back: 3_000, after: 1_000 } },
  { name: "speaker cut for 30 s", of: "speaker", cut: 30, least: { back: 5_000, after: 1_000 } },
  { name: "listener cut for 30 s", of: "listener", cut: 30, least: { back: 5_000, after: 1_000 } },
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

/** Who depends on a road: the wall sees the speaker, a room itself. */
const eyes = { speaker: "wall", listener: "listener", walled: "walled" };

async function over(road, roads, pages) {
  const bad = roads[road.of];
  const cut = { up: { cut: true }, down: { cut: true } };
  if (bad) bad.set(road.cut ? cut : road);
  if (!road.cut) await pause(SETTLE_MS);
  const from = Date.now();
  const all = Object.entries(pages);
  const before = await Promise.all(all.map(([, page]) => heard(page)));
  let [back, good] = [undefined, from];
  if (road.cut) {
    await pause(road.cut * 1_000);
    bad.set();
    good = Date.now();
    back = Math.round(await firstAfter(pages[eyes[road.of]], good) - good);
    await pause(SETTLE_MS);
  } else {
    await pause(SECONDS * 1_000);
  }
  const to = Date.now();
  const saw = Object.fromEntries(await Promise.all(all.map(async ([name, page], n) => [name, await seen(page, from, to, before[n])])));
  const eye = pages[eyes[road.of] ?? "listener"];
  // A picture that comes back and stands still again has not come back.
  const after = road.cut && (await seen(eye, good + back, to, before[0])).longest;
  bad?.set();
  const told = Object.entries(saw).map(([name, { fps, freezes, longest, sound, heights }]) => `${name} ${fps.toFixed(1)} fps (${heights.join(", ")}), ${freezes} freezes, longest ${Math.round(longest)} ms, sound ${sound.toFixed(1)} %`);
  const poor = wanting(road.least, { ...saw[eyes[road.of] ?? "listener"], back, after });
  console.log(`${road.name.padEnd(40)} ${told.join("; ")}${back === undefined ? "" : `, picture back after ${back} ms, then longest ${Math.round(after)} ms`}${poor.map((each) => ` TOO POOR: ${each}`).join("")}`);
  if (poor.length > 0) process.exitCode = 1;
  await pause(bad ? RECOVER_MS : 0);
}

/** What falls short of the least. @returns {string[]} */
const wanting = (least, saw) => Object.entries(least)
  .filter(([what, bound]) => (what === "fps" || what === "sound" ? saw[what] < bound : saw[what] > bound))
  .map(([what, bound]) => `${what} ${saw[what].toFixed(1)}, wanted ${bound}`);

const server = await Server.start();
const chromium = await browser();
const native = endpoints([3, 4].map((site) => server.link("moderator", site, "room")));
const roads = { speaker: await Road.to(server.mediaPort, 7), listener: await Road.to(server.mediaPort, 70) };
try {
  const room = async (site, way) => {
    const context = await stranger(chromium);
    await context.addInitScript(way);
    return entered(await joined(await visit(context, server.link("moderator", site, "room"))));
  };
  const speaker = await room(SPEAKER, byRoad(roads.speaker.port));
  const listener = await room(LISTENER, byRoad(roads.listener.port));
  const asked = ROADS.filter(({ name }) => name.includes(ONLY));
  if (asked.length === 0) throw new Error(`no road is called ${ONLY}: ${ROADS.map(({ name }) => name).join("; ")}`);
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
  const sees = async (page) => {
    await watch(page);
    await until("it sees the speaker", async () => await page.evaluate(() => globalThis.shown.length) > 10);
  };
  for (const page of [listener, wall]) await sees(page);
  for (const road of asked) {
    if (road.of !== "walled") {
      await over(road, roads, { listener, wall });
      continue;
    }
    const walled = await room(WALLED, byTcp);
    await sees(walled);
    await over(road, roads, { listener, wall, walled });
    await walled.close();
  }
} finally {
  await chromium.close();
  await native.stop();
  Object.values(roads).forEach((road) => road.close());
  await server.stop();
}
