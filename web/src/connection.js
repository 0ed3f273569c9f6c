// The only file that knows WebSocket: joins, rejoins, and sees every command to its answer.

/** @import { ClientCommand, ClientFrame, DeviceProof, ErrorWhy, ServerFrame } from "../generated/protocol.ts" */

import { guessServerTime, learnServerTime } from "./time.js";

const PROTOCOL = 1;
const PING_EVERY_MS = 5_000;
const DEAD_AFTER_MS = 10_000;
const RETRY_FIRST_MS = 300;
const RETRY_MOST_MS = 5_000;
/** When words that a full disk refused are said again. */
const SAY_AGAIN_MS = 3_000;

/** A person must be able to read why; trying again would only be refused again. @type {ErrorWhy[]} */
const FINAL = ["not_admitted", "revoked", "expelled", "not_let_in", "lobby_full", "replaced", "wrong_protocol"];

/** What may wait for the link: words a person has written. Orders about the floor may not: they belong to their moment. */
const MAY_WAIT = ["post_comment", "withdraw_comment", "hold_comment", "publish_comment", "request_floor", "withdraw_request"];

/** A held key: a press that did not arrive is never said again, for the key may be up by then; its release always is. @param {ClientCommand} command */
const isPress = (command) => command.type === "set_priority" && command.on;
/** @param {ClientCommand} command */
const isRelease = (command) => command.type === "set_priority" && !command.on;

/** @param {ClientCommand} command */
const mayWait = (command) => MAY_WAIT.includes(command.type) || isRelease(command);

/** An order that waited longer for the link is not given again: the hall has moved on, and its microphone would open out of turn. */
const ORDER_STALE_MS = 15_000;

/** @typedef {{ id: string, command: ClientCommand, at: number }} Pending */
/** @typedef {{ how: "ok" } | { how: "refused", why: string } | { how: "error", why: string } | { how: "offline" } | { how: "unknown" }} Answer `unknown`: sent, and never heard of again. */

/**
 * @typedef {object} Listeners
 * @property {(frame: ServerFrame) => void} frame Every frame except pong, in order.
 * @property {(challenge: string) => Promise<DeviceProof | null>} prove
 * @property {(open: boolean) => void} link The link went up (before the welcome is told) or down.
 * @property {(why: ErrorWhy) => void} ended No further attempt is made.
 * @property {(pending: Pending[]) => void} pending The commands without an answer yet.
 * @property {(command: ClientCommand, answer: Answer, id: string) => void} answered
 * @property {(rttMs: number) => void} measured
 */

export class Connection {
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {Pending[]} */ #pending;
  /** What a person typed, kept for the next start of the link only. @type {string | null} */ #pin = null;
  #welcomed = false;
  #waiting = false;
  #ended = false;
  #tries = 0;
  #heardAt = 0;
  /** For a welcome, by the last one. */ #patience = DEAD_AFTER_MS;
  /** @type {number | undefined} */ #retry;
  /** @type {number | undefined} */ #beat;
  /** @type {number | undefined} */ #again;

  /** @param {string} token @param {Listeners} listeners */
  constructor(token, listeners) {
    this.token = token;
    this.listeners = listeners;
    this.#pending = readPending(token);
    this.listeners.pending(this.#pending);
    addEventListener("online", () => this.tryNow());
  }

  get open() {
    return this.#welcomed;
  }

  tryNow() {
    if (this.#ended || this.#welcomed) return;
    clearTimeout(this.#retry);
    this.#patience = DEAD_AFTER_MS;
    this.#drop();
    this.#connect();
  }

  /** @param {string} pin What a person typed. */
  givePin(pin) {
    this.#pin = pin;
    this.#ended = false;
    this.tryNow();
  }

  /** For tests, and for a page that was asleep. */
  restart() {
    this.#lost();
  }

  /** A frame without an answer; false when there is no link. @param {ClientFrame} frame */
  tell(frame) {
    if (!this.#welcomed || !this.#socket) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** One intent. It keeps its id until the server has answered it. @param {ClientCommand} command @returns {string} */
  ask(command) {
    const id = newId();
    if (!this.#welcomed && !mayWait(command)) {
      this.listeners.answered(command, { how: "offline" }, id);
      return id;
    }
    // Pressed anew, a key's former release is not said again.
    const others = this.#pending.filter((one) => !(isPress(command) && isRelease(one.command)));
    this.#keep([...others, { id, command, at: Date.now() }]);
    this.tell({ type: "command", id, command });
    return id;
  }

  #connect() {
    const url = new URL("/ws", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.onopen = () => {
      this.#heardAt = performance.now();
      socket.send(JSON.stringify({ type: "join", protocol: PROTOCOL, token: this.token }));
    };
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#hear(JSON.parse(event.data));
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
    clearInterval(this.#beat);
    this.#beat = setInterval(() => this.#keepAlive(), 1_000);
  }

  #lastPing = 0;
  #keepAlive() {
    const now = performance.now();
    const isIn = this.#welcomed || this.#waiting;
    const isEntering = !isIn && this.#socket?.readyState === 1;
    if (now - this.#heardAt > (isEntering ? this.#patience : DEAD_AFTER_MS)) {
      if (isEntering && this.#patience < 64e4) this.#patience *= 2;
      return this.#lost();
    }
    if (!isIn || now - this.#lastPing < PING_EVERY_MS) return;
    this.#lastPing = now;
    this.#socket?.send(JSON.stringify({ type: "ping", sent: now }));
  }

  /** @param {ServerFrame} frame */
  #hear(frame) {
    const heardAt = this.#heardAt;
    this.#heardAt = performance.now();
    switch (frame.type) {
      case "prove":
        this.listeners.frame(frame);
        return void this.#prove(frame.challenge);
      case "waiting":
        this.#waiting = true;
        this.#tries = 0;
        return this.listeners.frame(frame);
      case "welcome":
        guessServerTime(frame.now);
        this.#welcomed = true;
        this.#waiting = false;
        this.#tries = this.#lastPing = 0;
        this.#patience = Math.min(64e4, Math.max(DEAD_AFTER_MS, 2 * (this.#heardAt - heardAt)));
        this.listeners.link(true);
        this.listeners.frame(frame);
        return this.#askAgain();
      case "pong":
        // At the door the clock stays the page's own: the minutes of the wait must not jump.
        if (!this.#welcomed) return;
        learnServerTime(frame.sent, this.#heardAt, frame.now);
        this.listeners.measured(this.#heardAt - frame.sent);
        return;
      case "ok":
        return this.#settle(frame.id, { how: "ok" });
      case "refused":
        return this.#settle(frame.id, { how: "refused", why: frame.why });
      case "error":
        if (frame.id !== null) this.#fail(frame.id, frame.why);
        if (FINAL.includes(frame.why)) return this.#end(frame.why);
        return this.listeners.frame(frame);
      default:
        this.listeners.frame(frame);
    }
  }

  /** @param {string} challenge */
  async #prove(challenge) {
    const socket = this.#socket;
    const device = await this.listeners.prove(challenge);
    if (socket && socket === this.#socket) socket.send(JSON.stringify({ type: "proof", device, pin: this.#pin }));
  }

  #askAgain() {
    for (const pending of [...this.#pending]) {
      if (isStale(pending)) this.#settle(pending.id, { how: "unknown" });
      else this.tell({ type: "command", id: pending.id, command: pending.command });
    }
  }

  /** Nothing was done: words are kept until the disk takes them. @param {string} id @param {ErrorWhy} why */
  #fail(id, why) {
    const asked = this.#pending.find((pending) => pending.id === id);
    if (!asked) return;
    if (why !== "storage_failed" || !mayWait(asked.command)) return this.#settle(id, { how: "error", why });
    this.listeners.answered(asked.command, { how: "error", why }, id);
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      for (const { id, command } of this.#pending) if (mayWait(command)) this.tell({ type: "command", id, command });
    }, SAY_AGAIN_MS);
  }

  /** @param {string} id @param {Answer} answer */
  #settle(id, answer) {
    const asked = this.#pending.find((pending) => pending.id === id);
    if (!asked) return;
    this.#keep(this.#pending.filter((pending) => pending !== asked));
    this.listeners.answered(asked.command, answer, id);
  }

  /** @param {Pending[]} pending */
  #keep(pending) {
    this.#pending = pending;
    writePending(this.token, pending);
    this.listeners.pending(pending);
  }

  #lost() {
    this.#drop();
    if (this.#ended) return;
    this.listeners.link(false);
    const pause = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.#tries);
    this.#tries += 1;
    clearTimeout(this.#retry);
    // Chance, so that thirteen rooms do not knock at once.
    this.#retry = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() * 0.5));
  }

  /** @param {ErrorWhy} why */
  #end(why) {
    // A PIN was wrong: only the next question says how long none is looked at, and it is asked for that.
    if (why === "not_admitted" && this.#pin !== null) {
      this.#pin = null;
      this.#drop();
      return this.#connect();
    }
    this.#ended = true;
    this.#drop();
    this.listeners.ended(why);
  }

  #drop() {
    clearInterval(this.#beat);
    clearTimeout(this.#again);
    this.#again = undefined;
    this.#welcomed = this.#waiting = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}

/** A clock set back says nothing about the age: then the order is taken for an old one. @param {Pending} pending */
function isStale({ command, at }) {
  const age = Date.now() - at;
  return isPress(command) || (!mayWait(command) && !(age >= 0 && age < ORDER_STALE_MS));
}

/** randomUUID exists only on secure pages. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} token */
const pendingKey = (token) => `diemcau.pending.${token}`;

/** @param {string} token @returns {Pending[]} */
function readPending(token) {
  try {
    return JSON.parse(sessionStorage.getItem(pendingKey(token)) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {string} token @param {Pending[]} pending */
function writePending(token, pending) {
  try {
    sessionStorage.setItem(pendingKey(token), JSON.stringify(pending));
  } catch (error) {
    // A full or forbidden storage costs a reload its unanswered words; it must not keep them from being sent now.
    console.warn("unanswered commands cannot be kept", error);
  }
}
