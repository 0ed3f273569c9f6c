// A bad road for a page's media, in user space: between Chromium and the server lies a port that loses, delays, narrows and
// cuts. Its bad luck follows from a seed.
import { createSocket } from "node:dgram";
import { once } from "node:events";

/** Ethernet, IP and UDP around a datagram, which a line's rate counts too. */
const OVERHEAD_BYTES = 42;
const LATE_MS = 40;

/** mulberry32: a number from 0 to 1. */
function luck(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * One direction. `loss` is a part of 1, `delay` in milliseconds, `rate` in bits a second with `queue` milliseconds of room,
 * `late` is the part of 1 that is overtaken for `LATE_MS`, `cut` lets nothing pass.
 */
class Way {
  #draw;
  #freeAt = 0;
  road = {};

  constructor(seed) {
    this.#draw = luck(seed);
  }

  enter(datagram, leave) {
    const { loss = 0, delay = 0, late = 0, rate = 0, queue = 300, cut = false } = this.road;
    const [lost, overtaken] = [this.#draw() < loss, this.#draw() < late];
    if (cut || lost) return;
    const now = performance.now();
    let at = now + delay + (overtaken ? LATE_MS : 0);
    if (rate > 0) {
      const begins = Math.max(this.#freeAt, now);
      if (begins - now > queue) return;
      this.#freeAt = begins + ((datagram.length + OVERHEAD_BYTES) * 8_000) / rate;
      at = this.#freeAt + delay;
    }
    if (at <= now) leave(datagram);
    else setTimeout(leave, at - now, datagram);
  }
}

export class Road {
  #port;
  #clients = new Map();
  #closed = false;
  up;
  down;

  /** A road to a port of this machine. */
  static async to(serverPort, seed) {
    const road = new Road();
    [road.up, road.down] = [new Way(seed), new Way(seed + 1)];
    road.#port = createSocket("udp4");
    road.#port.on("message", (datagram, from) => {
      const server = road.#client(from);
      road.up.enter(datagram, (each) => road.#closed || server.send(each, serverPort, "127.0.0.1"));
    });
    road.#port.bind(0, "127.0.0.1");
    await once(road.#port, "listening");
    road.port = road.#port.address().port;
    return road;
  }

  /** Each port of the browser comes to the server from a port of its own. */
  #client(from) {
    const known = this.#clients.get(from.port);
    if (known) return known;
    const socket = createSocket("udp4");
    socket.on("message", (datagram) => this.down.enter(datagram, (each) => this.#closed || this.#port.send(each, from.port, from.address)));
    this.#clients.set(from.port, socket);
    return socket;
  }

  set({ up = {}, down = {} } = {}) {
    [this.up.road, this.down.road] = [up, down];
  }

  close() {
    this.#closed = true;
    this.#port.close();
    this.#clients.forEach((socket) => socket.close());
  }
}

/** To be run in a page before its own code: what it sends to the server's media goes by this port, and by UDP alone. */
export const byRoad = (port) => `
  const Made = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Made {
    setRemoteDescription({ type, sdp }) {
      const lines = sdp.split("\\r\\n").filter((line) => !/^a=candidate:.* tcp /i.test(line));
      return super.setRemoteDescription({ type, sdp: lines.join("\\r\\n").replace(/( udp \\d+ \\S+) \\d+ typ/gi, "$1 ${port} typ") });
    }
  };`;

/** The same for a page behind a wall that lets no UDP out: what it sends there goes to a port that is deaf. */
export const byTcp = `
  const Made = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Made {
    setRemoteDescription({ type, sdp }) {
      return super.setRemoteDescription({ type, sdp: sdp.replace(/( udp \\d+ \\S+) \\d+ typ/gi, "$1 9 typ") });
    }
  };`;
