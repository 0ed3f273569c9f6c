// A stand-in for the server while pages are drawn: files with the real content policy, a WebSocket by hand, rules in a
// few lines and no media. Development only: node tests/fake-server.mjs [port]

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { demoTelemetry, demoView } from "./demo-view.mjs";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const PORT = Number(process.argv[2] ?? 8090);
const STANDINS = process.env.STANDINS ?? "";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".ftl": "text/plain; charset=utf-8", ".json": "application/json" };
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PAGES = ["/", "/chair", "/secretary", "/site", "/technician", "/observer", "/stage"];

/** Tokens name the seat: "chair", "chair-room", "site-10", "phone-10", "stage", …; a "~state" after it sets the scene. */
const server = createServer(async (request, response) => {
  const path = new URL(request.url, "http://x").pathname;
  const file = PAGES.includes(path) ? "index.html" : path === "/demo" ? "demo.html" : path;
  if (path === "/demo/links.json") return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(demoLinks()));
  try {
    const from = STANDINS && path.startsWith("/standins/") ? join(STANDINS, path.slice(10)) : join(WEB, normalize(file));
    const body = await readFile(from);
    response.writeHead(200, { "content-type": TYPES[extname(from)] ?? "application/octet-stream", "content-security-policy": CSP, "cache-control": "no-store" }).end(body);
  } catch {
    response.writeHead(404).end("not found");
  }
});

let seq = 100;
let beat = 0;
const startedAt = Date.now();
let view = demoView(startedAt);
const clients = new Set();

function scene(name) {
  const now = Date.now();
  view = demoView(now);
  const { floor, stage } = view;
  if (name === "over") Object.assign(floor.turn, { running_since: now - 335_000, warned_s: 0 });
  if (name === "soon") Object.assign(floor.turn, { running_since: now - 252_000, warned_s: 60 });
  if (name === "paused") Object.assign(floor.turn, { paused: true, running_since: null, used_ms: 175_000 }), (stage.heard = []);
  if (name === "held") Object.assign(floor.turn, { held: true, running_since: null, used_ms: 175_000 }), (stage.heard = []), (view.sites[8] = { site: 8, carrier: null, since: now - 9_000 });
  if (name === "grid") stage.layout = "grid";
  if (name === "long") {
    floor.turn = { ...floor.turn, site: 12, words: floor.queue[2].words, running_since: now - 335_000 };
    Object.assign(stage, { heard: [12], programme: 12, lower_third: { site: 12, delegate: floor.queue[2].words.delegate, topic: "Chỉ tiêu 70%" } });
  }
  if (name === "quiet") Object.assign(floor, { turn: null, queue: [], on_deck: null }), Object.assign(stage, { heard: [], programme: null, on_deck: null, lower_third: null });
  if (name === "hall") Object.assign(floor, { turn: null, hall_microphone: true }), Object.assign(stage, { heard: [0], programme: 0, lower_third: null });
  if (name === "before") {
    view.agenda.current = null;
    for (const item of view.agenda.items) item.started = item.finished = null;
    Object.assign(floor, { turn: null, queue: [], on_deck: null, last: null });
    Object.assign(stage, { heard: [], programme: null, on_deck: null, lower_third: null });
    view.sites[7] = { site: 7, carrier: null, since: null };
  }
  if (name === "pending") floor.pending = [{ turn: 31, site: 4, words: { speech: "contribution", delegate: "Đại diện Hội Nông dân huyện", topic: "Nguồn kết nạp", paragraph: null }, at: now - 20_000 }, { turn: 32, site: 9, words: { speech: "point_of_order", delegate: "", topic: "Thời lượng", paragraph: null }, at: now - 5_000 }];
  if (name === "call10") Object.assign(floor, { turn: { ...floor.turn, turn: 21, site: 10, words: floor.queue[0].words, started: now, running_since: now }, queue: floor.queue.slice(1), on_deck: 22 }), Object.assign(stage, { heard: [10], programme: 10, on_deck: 11, lower_third: { site: 10, delegate: floor.turn.words.delegate, topic: "" } });
  broadcast([{ kind: "sites", sites: view.sites }, { kind: "agenda", agenda: view.agenda }, { kind: "floor", floor }, { kind: "stage", stage }]);
}

function broadcast(facts) {
  seq += 1;
  for (const client of clients) client.say({ type: "facts", seq, now: Date.now(), facts });
}

function me(token) {
  const [kind, number] = token.split("-");
  const role = { chair: "chair", secretary: "secretary", site: "moderator", phone: "moderator", technician: "technician", observer: "observer", stage: "stage" }[kind];
  if (!role) return null;
  const site = kind === "site" || kind === "phone" ? Number(number) : kind === "secretary" || number === "room" ? 0 : null;
  const carries = kind === "phone" ? "nothing" : kind === "site" || number === "room" ? "room" : "watch";
  return { seat: 2, role, site, carries, label: token };
}

let nextTurn = 40;
let nextComment = 40;
function rule(command, who) {
  const now = Date.now();
  const { floor, stage, agenda } = view;
  const start = (request) => {
    floor.queue = floor.queue.filter((each) => each !== request);
    floor.last = floor.turn && { turn: floor.turn.turn, site: floor.turn.site, how: "succeeded" };
    floor.turn = { turn: request.turn, site: request.site, words: request.words, started: now, allotted_ms: 300_000, used_ms: 0, running_since: now, paused: false, held: false, muted: false, warned_s: null };
  };
  const end = (how) => {
    floor.last = { turn: floor.turn.turn, site: floor.turn.site, how };
    floor.turn = null;
  };
  const request = floor.queue.find((each) => each.turn === command.turn) ?? floor.pending.find((each) => each.turn === command.turn);
  switch (command.type) {
    case "request_floor": floor.queue = [...floor.queue, { turn: nextTurn++, site: who.site, words: command.words, at: now }]; break;
    case "grant_next": {
      if ((floor.turn?.turn ?? null) !== command.after || floor.on_deck !== command.expect) return { refused: "stale" };
      start(floor.queue.find((each) => each.turn === command.expect));
      break;
    }
    case "grant": start(request); break;
    case "withdraw_request":
    case "deny_request":
      floor.queue = floor.queue.filter((each) => each !== request);
      floor.pending = floor.pending.filter((each) => each !== request);
      break;
    case "accept_request":
      floor.pending = floor.pending.filter((each) => each !== request);
      floor.queue = [...floor.queue, request];
      break;
    case "move_request": {
      const rest = floor.queue.filter((each) => each !== request);
      const at = command.before === null ? rest.length : rest.findIndex((each) => each.turn === command.before);
      floor.queue = [...rest.slice(0, at), request, ...rest.slice(at)];
      break;
    }
    case "prepare": floor.on_deck = command.turn; break;
    case "pause_turn": Object.assign(floor.turn, { paused: true, used_ms: floor.turn.used_ms + now - floor.turn.running_since, running_since: null }); break;
    case "resume_turn": Object.assign(floor.turn, { paused: false, running_since: now }); break;
    case "extend_turn": floor.turn.allotted_ms += command.minutes * 60_000; break;
    case "end_turn": end("released"); break;
    case "revoke_turn": end("revoked"); break;
    case "set_list": floor.open = command.open; break;
    case "set_hall_microphone": floor.hall_microphone = command.open; break;
    case "set_layout": stage.layout = command.layout; break;
    case "next_item": {
      const next = agenda.items.find((item) => item.started === null);
      agenda.items.find((item) => item.id === agenda.current).finished = now;
      if (floor.turn) end("item_finished");
      next.started = now;
      agenda.current = next.id;
      break;
    }
    case "start_item": agenda.current = command.item; agenda.items.find((item) => item.id === command.item).started = now; break;
    case "finish_item": agenda.current = null; agenda.items.find((item) => item.id === command.item).finished = now; break;
    case "post_comment": return { facts: [{ kind: "comment", comment: { id: nextComment++, site: who.site, kind: command.kind, words: command.words, at: now, held: false } }] };
    case "hold_comment":
    case "publish_comment": return { facts: [{ kind: "comment", comment: { ...view.feed.find((each) => each.id === command.comment), held: command.type === "hold_comment" } }] };
    case "withdraw_comment": return { facts: [{ kind: "comment_gone", comment: command.comment }] };
    case "revoke_seat":
      view.seats = view.seats.map((seat) => (seat.id === command.seat ? { ...seat, revoked: true } : seat));
      return { facts: [{ kind: "seats", seats: view.seats }] };
    default: return { refused: "not_allowed" };
  }
  if (!floor.queue.some((each) => each.turn === floor.on_deck)) floor.on_deck = floor.queue[0]?.turn ?? null;
  stage.on_deck = floor.queue.find((each) => each.turn === floor.on_deck)?.site ?? null;
  stage.heard = [...(floor.turn && !floor.turn.paused ? [floor.turn.site] : []), ...(floor.hall_microphone ? [0] : [])];
  stage.programme = floor.turn?.site ?? (floor.hall_microphone ? 0 : stage.programme);
  stage.lower_third = floor.turn && { site: floor.turn.site, delegate: floor.turn.words.delegate, topic: floor.turn.words.topic };
  return { facts: [{ kind: "floor", floor }, { kind: "agenda", agenda }, { kind: "stage", stage }] };
}

const answers = new Map();
function hear(client, frame) {
  switch (frame.type) {
    case "join": {
      const [seat, name] = frame.token.split("~");
      if (name !== undefined) scene(name);
      client.me = me(seat);
      if (!client.me) return client.say({ type: "error", why: "not_admitted", id: null, text: "no such link", fatal: true });
      clients.add(client);
      return client.say({ type: "welcome", me: client.me, seq, now: Date.now(), view });
    }
    case "ping": return client.say({ type: "pong", sent: frame.sent, now: Date.now() });
    case "open_downlink": return client.say({ type: "slots", video: [view.stage.programme, ...view.fixed.sites.map((site) => site.id)] });
    case "command": {
      const known = answers.get(frame.id);
      if (known) return client.say(known);
      const outcome = rule(frame.command, client.me);
      const answer = outcome.refused ? { type: "refused", id: frame.id, why: outcome.refused, text: outcome.refused } : { type: "ok", id: frame.id, seq: seq + 1 };
      answers.set(frame.id, answer);
      if (outcome.facts) {
        const comment = outcome.facts.find((fact) => fact.kind === "comment")?.comment;
        if (comment) view.feed = [...view.feed.filter((each) => each.id !== comment.id), comment].sort((a, b) => a.id - b.id);
        const gone = outcome.facts.find((fact) => fact.kind === "comment_gone")?.comment;
        if (gone) view.feed = view.feed.filter((each) => each.id !== gone);
        broadcast(outcome.facts);
      }
      return client.say(answer);
    }
    default: return;
  }
}

server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  const client = { me: null, say: (frame) => socket.writable && socket.write(text(JSON.stringify(frame))) };
  let held = Buffer.alloc(0);
  socket.on("data", (data) => {
    held = Buffer.concat([held, data]);
    for (let message = take(); message !== null; message = take()) {
      if (message.opcode === 8) return socket.end();
      if (message.opcode === 1) hear(client, JSON.parse(message.body.toString()));
    }
  });
  socket.on("close", () => clients.delete(client));
  socket.on("error", () => clients.delete(client));

  function take() {
    if (held.length < 2) return null;
    let length = held[1] & 127;
    let at = 2;
    if (length === 126) (length = held.length >= 4 ? held.readUInt16BE(2) : Infinity), (at = 4);
    else if (length === 127) (length = held.length >= 10 ? Number(held.readBigUInt64BE(2)) : Infinity), (at = 10);
    if (held.length < at + 4 + length) return null;
    const mask = held.subarray(at, at + 4);
    const body = Buffer.from(held.subarray(at + 4, at + 4 + length).map((byte, place) => byte ^ mask[place % 4]));
    const opcode = held[0] & 15;
    held = held.subarray(at + 4 + length);
    return { opcode, body };
  }
});

function text(message) {
  const body = Buffer.from(message);
  const head = body.length < 126 ? Buffer.from([0x81, body.length]) : body.length < 65_536 ? Buffer.from([0x81, 126, body.length >> 8, body.length & 255]) : Buffer.concat([Buffer.from([0x81, 127]), bigLength(body.length)]);
  return Buffer.concat([head, body]);
}

function bigLength(length) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

function demoLinks() {
  const qr = "M0 0h7v7h-7zM18 0h7v7h-7zM0 18h7v7h-7zM9 2h2v3h-2zM12 9h4v2h-4zM20 12h3v3h-3zM9 18h5v2h-5z";
  return view.seats.map((seat) => ({ role: seat.role, site: seat.site, label: seat.label, url: `/${seat.role === "moderator" ? "site" : seat.role}#${seat.role}`, qr: seat.role === "moderator" ? "" : qr, carries: seat.carries }));
}

setInterval(() => {
  beat += 1;
  for (const client of clients) {
    const all = client.me.role === "chair" || client.me.role === "technician";
    if (all || client.me.site !== null) client.say({ type: "telemetry", sites: demoTelemetry(beat).filter((each) => all || each.site === client.me.site) });
  }
}, 1_000);
process.on("SIGUSR2", () => {
  for (const client of clients) client.say({ type: "stopping" });
});
server.listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}/chair#chair  (pid ${process.pid})`));
