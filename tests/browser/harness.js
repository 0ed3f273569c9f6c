// A real server, real native endpoints and real browsers, started for one test and ended by their process ids.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, firefox } from "playwright-core";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BINARY = process.env.DIEMCAU_BIN ?? join(ROOT, "target/debug/diemcau");
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=display-media-type=monitor",
];

/** Waits until `probe` gives something truthy, and returns it. The bound is a liveness bound, not a measure. */
export async function until(what, probe, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > end) throw new Error(`in ${seconds} s it did not come to: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** A demo server on free ports with a data folder of its own. */
export class Server {
  /** The demo conference, or one of its own when its file's text is given; with settings from the environment; `host` is where it listens. */
  static async start(conference, settings = {}, host = "127.0.0.1") {
    const server = new Server();
    server.settings = settings;
    server.host = host;
    server.data = await mkdtemp(join(tmpdir(), "diemcau-"));
    server.port = await freePort();
    server.mediaPort = await freePort();
    server.base = `http://127.0.0.1:${server.port}`;
    server.task = conference === undefined ? [] : ["serve"];
    const folder = conference === undefined ? join(server.data, "demo") : server.data;
    if (conference !== undefined) await server.begin(conference);
    await server.up();
    // Whatever address it tells others: pages here are opened from this machine, which browsers trust without a certificate.
    const here = (link) => ({ ...link, url: link.url.replace(/^[^/]+\/\/[^/]+/, server.base) });
    server.links = JSON.parse(await readFile(join(folder, "links.json"), "utf8")).map(here);
    return server;
  }

  async begin(conference) {
    const file = join(this.data, "conference.toml");
    await writeFile(file, conference);
    const child = spawn(BINARY, ["new", file, "--data", this.data, "--listen", `${this.host}:${this.port}`], { stdio: ["ignore", "ignore", "inherit"] });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`the conference's file was not taken: ${code}`);
  }

  /** Starts it, or starts it again on the same folder and ports. */
  async up() {
    const flags = [...this.task, "--data", this.data, "--listen", `${this.host}:${this.port}`, "--media-port", String(this.mediaPort)];
    this.process = spawn(BINARY, flags, { env: { ...process.env, ...this.settings }, stdio: ["ignore", "ignore", process.env.VERBOSE ? "inherit" : "ignore"] });
    await until("the server answers", async () => {
      if (this.process.exitCode !== null) throw new Error(`the server ended with ${this.process.exitCode}`);
      return fetch(`${this.base}/healthz`).then((answer) => answer.ok, () => false);
    });
  }

  /** The link of a seat: by role, and for sites by site number and what it carries. */
  link(role, site, carries) {
    const fits = (link) => link.role === role && (site === undefined || link.site === site)
      && (carries === undefined || link.carries === carries);
    return this.links.find(fits).url;
  }

  links_of(role) {
    return this.links.filter((link) => link.role === role).map((link) => link.url);
  }

  async kill() {
    const ended = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await ended;
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = once(this.process, "exit");
      this.process.kill("SIGTERM");
      await ended;
    }
    await rm(this.data, { recursive: true, force: true });
  }

  async metric(name) {
    const text = await (await fetch(`${this.base}/metrics`)).text();
    return Number(text.match(new RegExp(`^${name} (.*)$`, "m"))?.[1] ?? NaN);
  }
}

/** The demo conference's file, so planned that what begins `minutes` after its beginning begins now, with `more` sites after its own. */
export async function conferenceFile(minutes, more = 0) {
  const text = await readFile(join(ROOT, "config/demo.toml"), "utf8");
  const planned = new Date(Date.now() - minutes * 60_000).toLocaleTimeString("en-GB", { timeZone: "Asia/Ho_Chi_Minh", hour: "2-digit", minute: "2-digit" });
  const first = text.match(/\[\[sites\]\]/g).length;
  const added = Array.from({ length: more }, (_, k) => first + k);
  const site = (n) => `[[sites]]\nname = "Xã Phú Điền ${n}"\nshort = "Phú Điền ${n}"\nlevel = "Xã"\nsummoned = 12\n\n`;
  const seat = (n) => `[[seats]]\nrole = "moderator"\nsite = ${n}\ncarries = "room"\nlabel = "Xã Phú Điền ${n} – Phòng họp"\n\n`;
  return text.replace(/starts = "[\d:]+"/, `starts = "${planned}"`)
    .replace("[[seats]]", `${added.map(site).join("")}[[seats]]`).replace("[[agenda]]", `${added.map(seat).join("")}[[agenda]]`);
}

/** Native endpoints in one process. */
export function endpoints(links, more = []) {
  const flags = ["endpoint", ...links.flatMap((link) => ["--link", link]), ...more];
  const child = spawn(BINARY, flags, { stdio: ["ignore", process.env.VERBOSE ? "inherit" : "ignore", process.env.VERBOSE ? "inherit" : "ignore"] });
  return {
    child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** A browser with a fresh profile. */
export async function browser() {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
}

/**
 * Debian's Firefox. Its ICE takes no loopback address for a stranger's and, with a camera that is not real, no address but
 * the one its default route goes by: the server must listen on more than the loopback.
 */
export async function fox() {
  return firefox.launch({
    channel: "moz-firefox", executablePath: "/usr/bin/firefox-esr",
    firefoxUserPrefs: { "media.navigator.streams.fake": true, "media.navigator.permission.disabled": true, "media.autoplay.default": 0 },
  });
}

const manners = (viewport = { width: 1366, height: 625 }) => ({ viewport, permissions: ["camera", "microphone"], locale: "vi-VN", timezoneId: "Asia/Ho_Chi_Minh" });

/** A browser with a profile on disk, as a room's machine has it: started again on the same folder it is the same browser. */
export async function machine(folder, viewport) {
  return chromium.launchPersistentContext(folder, { executablePath: "/usr/bin/chromium", args: FLAGS, ...manners(viewport) });
}

/** A browser that has never been here. */
export const stranger = (browser, viewport) => browser.newContext(manners(viewport));

/** Opens a page and collects what it says; it may come to stand at the door. `first` runs in it before its own code. */
export async function visit(context, url, first = () => {}) {
  const page = context.pages().find((each) => each.url() === "about:blank") ?? await context.newPage();
  page.said = [];
  page.outside = [];
  page.on("console", (message) => page.said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => page.said.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && hostname !== "127.0.0.1") page.outside.push(request.url());
  });
  await page.addInitScript(typeof first === "string" ? { content: first } : first);
  await page.goto(url);
  return page;
}

/**
 * To be run in a page before its own code: `line.cut(true)` ends its link and lets no other come up, `line.hold(true)` keeps back
 * what the server says, each until it is called with false.
 */
export const breakable = () => {
  let [isCut, held] = [false, null];
  const sockets = new Set();
  const Made = globalThis.WebSocket;
  globalThis.WebSocket = class extends Made {
    constructor(url) {
      super(isCut ? new URL("/nowhere", url) : url);
      sockets.add(this);
    }

    set onmessage(hear) {
      super.onmessage = (event) => (held ? held.push(() => hear(event)) : hear(event));
    }
  };
  globalThis.line = {
    cut(is) {
      isCut = is;
      if (is) sockets.forEach((socket) => socket.close());
    },
    hold(is) {
      const said = held ?? [];
      held = is ? [] : null;
      said.forEach((hear) => hear());
    },
  };
};

/** Waits until a page has its first snapshot. */
export async function joined(page) {
  await until("the page has joined", () => page.evaluate(() => Boolean(globalThis.diemcau?.view()))).catch(async (error) => {
    const shown = await page.evaluate(() => document.body.innerText.slice(0, 300));
    throw new Error(`${error.message}; it says: ${page.said.slice(-5).join(" | ")}; it shows: ${shown}`);
  });
  return page;
}

/** Opens a page in a context of its own and waits until it has its first snapshot. */
export const open = async (browser, url, viewport) => joined(await visit(await stranger(browser, viewport), url));

/** What a page receives in each of its slots. */
export const frames = (page) => page.evaluate(() => globalThis.diemcau.frames());

/** Sound of every voice slot together: it grows only while packets of somebody's microphone arrive. */
export async function soundPackets(page) {
  const voices = (await frames(page)).filter((slot) => slot.kind === "audio");
  return voices.reduce((sum, slot) => sum + slot.packetsReceived, 0);
}

/** Writes down every note the page sounds from now on: `globalThis.notes`, in hertz. */
export const listen = (page) => page.evaluate(() => {
  globalThis.notes = [];
  const { start } = AudioScheduledSourceNode.prototype;
  AudioScheduledSourceNode.prototype.start = function (...when) {
    if (this instanceof OscillatorNode) globalThis.notes.push(Math.round(this.frequency.value));
    return start.apply(this, when);
  };
});

/** Notes, at every frame a page draws, when its list has changed, and when the server last answered a command of it. */
export const watchList = (page) => page.evaluate(() => {
  const noted = globalThis.noted = { lists: [], answered: 0 };
  const now = () => performance.timeOrigin + performance.now();
  const { send } = WebSocket.prototype;
  const heard = new WeakSet();
  WebSocket.prototype.send = function (text) {
    if (!heard.has(this)) this.addEventListener("message", ({ data }) => JSON.parse(data).type === "ok" && (noted.answered = now()));
    heard.add(this);
    return send.call(this, text);
  };
  let seq = -1;
  const look = () => {
    // The view is copied for whoever asks: only after a new event, and only as long as somebody notes.
    const state = globalThis.diemcau.state();
    const list = state.seq === seq ? noted.lists.at(-1)?.list : globalThis.diemcau.view().floor.queue.map((request) => request.turn).join();
    seq = state.seq;
    if (list !== noted.lists.at(-1)?.list) noted.lists.push({ list, at: now() });
    if (globalThis.noted === noted) requestAnimationFrame(look);
  };
  look();
});

/** Notes from now on when the page's clock of the turn shows which digits. */
const watchClock = (page) => page.evaluate(() => {
  const digits = document.querySelector("turn-clock .digits, turn-time > span");
  globalThis.seconds = {};
  globalThis.clockNoter?.disconnect();
  globalThis.clockNoter = new MutationObserver(() => (globalThis.seconds[digits.textContent] = performance.timeOrigin + performance.now()));
  globalThis.clockNoter.observe(digits, { childList: true, characterData: true, subtree: true });
});

/** How far apart the pages' clocks come to the same second, in milliseconds, for so many seconds. */
export async function clockSpread(pages, seconds = 4) {
  await Promise.all(pages.map(watchClock));
  return until("the clocks have shown the same seconds", async () => {
    const noted = await Promise.all(pages.map((page) => page.evaluate(() => globalThis.seconds)));
    const shared = Object.keys(noted[0]).filter((text) => noted.every((each) => text in each));
    if (shared.length < seconds) return null;
    return shared.map((text) => Math.max(...noted.map((each) => each[text])) - Math.min(...noted.map((each) => each[text])));
  });
}

/** Takes the page past the green room. */
export async function entered(page) {
  const enter = page.locator("button.enter-go");
  await page.locator("button.enter-go, main:not(.plain, .greenroom)").first().waitFor();
  if (await enter.count()) await enter.first().click();
  return page;
}

/** The chair of the demo conference begins it and comes to its discussion, item 5. */
export async function discuss(chair) {
  const current = () => chair.evaluate(() => globalThis.diemcau.view().agenda.current);
  await chair.getByRole("button", { name: /Bắt đầu/ }).first().click();
  for (let item = 2; item <= 5; item += 1) {
    await until("the item before runs", async () => await current() === item - 1);
    await chair.getByRole("button", { name: `Sang nội dung ${item}` }).click();
  }
  await until("the discussion runs", async () => await current() === 5);
}

/** A room asks for the floor, with the form as it opens. */
export async function asks(room) {
  await room.getByRole("button", { name: "Đăng ký phát biểu" }).click();
  await until("the form has the focus", () => room.evaluate(() => Boolean(document.activeElement?.closest("form"))));
  await room.keyboard.press("Enter");
}

/** The keyboard alone: Tab from where the focus is until the control of this name has it, as a person does who has no mouse. */
export async function reach(page, name) {
  const told = () => page.evaluate(() => {
    const at = document.activeElement;
    return (at?.getAttribute("aria-label") ?? at?.labels?.[0]?.textContent ?? at?.textContent ?? "").trim().replace(/\s+/g, " ");
  });
  const passed = new Set();
  for (let n = 0; n < 200; n += 1) {
    const at = await told();
    if (typeof name === "string" ? at.startsWith(name) : name.test(at)) return;
    passed.add(at.slice(0, 40));
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not come to ${name}; it passed ${[...passed].join(" | ")}`);
}

/** Reaches a control by Tab and presses it. */
export async function press(page, name) {
  await until(`${name} is reached`, () => reach(page, name).then(() => true, () => false), 20);
  await page.keyboard.press("Enter");
}

/** Seats nobody looks at: their sockets live in one bare page of the server, so that origin and policy are a browser's. */
export class Seats {
  static async open(browser, server) {
    const seats = new Seats();
    seats.page = await (await browser.newContext()).newPage();
    await seats.page.goto(server.base);
    await seats.page.evaluate(() => {
      globalThis.seats = new Map();
      globalThis.join = (name, token) => new Promise((joined) => {
        const seat = { socket: new WebSocket(`ws://${location.host}/ws`), answers: new Map(), seq: 0, floor: null };
        const wake = (frame) => seat.answers.get(frame.id)?.(frame);
        seat.socket.onopen = () => seat.socket.send(JSON.stringify({ type: "join", protocol: 1, token }));
        seat.socket.onmessage = ({ data }) => {
          const frame = JSON.parse(data);
          if (frame.seq !== undefined) seat.seq = frame.seq;
          if (frame.type === "welcome") seat.floor = frame.view.floor;
          if (frame.type === "facts") seat.floor = frame.facts.find((fact) => fact.kind === "floor")?.floor ?? seat.floor;
          if (frame.type === "welcome") joined();
          if (frame.type === "ok" || frame.type === "refused" || frame.type === "error") wake(frame);
        };
        globalThis.seats.set(name, seat);
      });
      globalThis.ask = (name, command, id) => new Promise((answered) => {
        const seat = globalThis.seats.get(name);
        seat.answers.set(id, answered);
        seat.socket.send(JSON.stringify({ type: "command", id, command }));
      });
      setInterval(() => globalThis.seats.forEach(({ socket }) => socket.readyState === 1 && socket.send(JSON.stringify({ type: "ping", sent: 0 }))), 5_000);
    });
    return seats;
  }

  /** Joins, or joins again after `leave`. */
  async join(name, link) {
    await this.page.evaluate(([name, token]) => globalThis.join(name, token), [name, new URL(link).hash.slice(1)]);
  }

  async leave(name) {
    await this.page.evaluate((name) => globalThis.seats.get(name).socket.close(), name);
  }

  /** The server's answer to a command; said again with the same `id`, it must be the same answer. */
  async ask(name, command, id) {
    return this.page.evaluate(([name, command, id]) => globalThis.ask(name, command, id), [name, command, id ?? crypto.randomUUID()]);
  }

  /** The same, with the moments it was said and answered, in milliseconds since 1970 as every page of this machine counts them. */
  async timed(name, command) {
    return this.page.evaluate(async ([name, command]) => {
      const now = () => performance.timeOrigin + performance.now();
      const sent = now();
      const answer = await globalThis.ask(name, command, crypto.randomUUID());
      return { sent, answered: now(), answer };
    }, [name, command]);
  }

  /** The list as this seat knows it now. */
  async floor(name) {
    return this.page.evaluate((name) => globalThis.seats.get(name).floor, name);
  }
}
