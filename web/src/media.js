// The only file that knows RTCPeerConnection: the room's camera and microphone (capture.js) go up one connection, the
// fixed slots of the conference come down another. Nothing here knows what is on the screen.

/** @import { ClientFrame, ServerFrame } from "../generated/protocol.ts" */
/** @import { MediaState } from "./capture.js" */

import { SLOTS, onSizes, putStream, shownHeights, shownPreview, tellSites } from "./slots.js";

const GATHERING_MOST_MS = 1_000;
const SIZES_SETTLE_MS = 150;
const OLD_KEPT_MS = 2_500;
const DISCONNECTED_PATIENCE_MS = 4_000;
const CONNECTING_PATIENCE_MS = 12_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 2_500;

/** @returns {MediaState} */
const nothingYet = () => ({
  uplink: "off", downlink: "off", capturing: false, picture: null, hasMicrophone: false, microphoneOpen: true,
  cameraTrouble: null, microphoneTrouble: null, cameras: [], microphones: [], cameraId: "", microphoneId: "",
  sound: false, slots: [], step: "full", share: "off",
});

export class Media {
  state = nothingYet();
  /** @type {RTCPeerConnection | null} */ #uplink = null;
  /** @type {RTCPeerConnection | null} */ #downlink = null;
  /** @type {RTCPeerConnection | null} The one on its way to replace `#downlink`. */ #nextDownlink = null;
  /** @type {import("./capture.js").Capture | null} This machine's devices, once it opens them. */ #capture = null;
  /** @type {import("./screen-share.js").ScreenShare | null} This machine's screen, once it has presented. */ #share = null;
  #holds = false;
  #linked = false;
  #stops = 0;
  #sends = false;
  #receives = false;
  #alwaysShown = false;
  #tries = { uplink: 0, downlink: 0 };
  /** @type {Record<"uplink" | "downlink", number | undefined>} */ #retry = { uplink: undefined, downlink: undefined };
  /** @type {number | undefined} */ #sizesTimer;
  #sizesTold = "";
  /** For a downlink. */ #asked = false;
  /** @type {number | undefined} */ #again;

  /** @param {(frame: ClientFrame) => boolean} tell @param {(state: MediaState) => void} changed */
  constructor(tell, changed) {
    this.tell = tell;
    this.changed = changed;
    onSizes(() => this.#sizesSoon());
    document.addEventListener("visibilitychange", () => this.#sizesSoon());
  }

  // What the page asks for.

  /** @param {{ receives: boolean, sound: boolean, alwaysShown: boolean }} wants */
  receive({ receives, sound, alwaysShown }) {
    this.#receives = receives;
    this.#alwaysShown = alwaysShown;
    this.#set({ sound });
    if (this.#linked) this.#openDownlink();
  }

  /** From now on the room's picture and sound reach the server. */
  send() {
    if (this.#sends) return;
    this.#sends = true;
    if (this.#linked) void this.#makeUplink();
  }

  /** @param {boolean} sound */
  listen(sound) {
    this.#set({ sound });
    this.tell({ type: "listen", sound });
  }

  /** @param {boolean} open */
  setMicrophone(open) {
    if (this.#capture?.microphone) this.#capture.microphone.enabled = open;
    this.#set({ microphoneOpen: open });
  }

  /** Opens camera and microphone, each for itself: a room without one still has the other. @param {{ cameraId?: string, microphoneId?: string }} [choice] */
  async capture(choice = {}) {
    const stops = this.#stops;
    const current = () => stops === this.#stops;
    const set = (/** @type {Partial<MediaState>} */ change) => void (current() && this.#set(change));
    set({ capturing: true });
    try {
      const { Capture } = await import("./capture.js");
      if (!current()) return;
      const capture = (this.#capture ??= new Capture(() => this.state, set, (kind) => (current() ? this.#sender(kind) : undefined)));
      await capture.open(choice);
      if (!current()) capture.stop();
    } catch (error) {
      console.error("devices", error);
      set({ cameraTrouble: "other", microphoneTrouble: "other" });
    } finally {
      set({ capturing: false });
    }
  }

  /** A person picks what this machine presents; false if nothing. @param {import("./screen-share.js").Over} over */
  async present(over) {
    const { ScreenShare } = await import("./screen-share.js");
    this.#share ??= new ScreenShare(this.tell, (share) => this.#set({ share }));
    this.#share.follow(this.#holds);
    return this.#share.pick(over);
  }

  stopPresenting() {
    this.#share?.stop();
  }

  /** Whether this seat presents now. @param {boolean} holds */
  follow(holds) {
    this.#holds = holds;
    this.#share?.follow(holds);
  }

  /** The level of the room's own microphone in dBFS, −60 to 0; null while it cannot be measured. @returns {number | null} */
  level() {
    return this.#capture?.level() ?? null;
  }

  /** Browsers start sound only after a click or a key. */
  wakeAudio() {
    this.#capture?.wake();
  }

  /** Two notes from this machine's loudspeaker. */
  chime() {
    this.#capture?.chime();
  }

  // What the connection tells.

  /** The server has a new peer for us and knows nothing of the old one. */
  linkUp() {
    this.#linked = true;
    this.#tries = { uplink: 0, downlink: 0 };
    if (this.#receives) this.#openDownlink();
    if (this.#sends) void this.#makeUplink();
    this.#share?.linkUp();
  }

  /** Media that still works is left alone: the next welcome replaces it. */
  linkDown() {
    this.#linked = false;
    this.#share?.linkDown();
    clearTimeout(this.#retry.uplink);
    clearTimeout(this.#retry.downlink);
    clearTimeout(this.#again);
  }

  /** Put out: nothing of this room leaves the machine any more. Who comes back, with a PIN, begins anew. */
  stop() {
    this.linkDown();
    [this.#uplink, this.#downlink, this.#nextDownlink].forEach((pc) => pc?.close());
    this.#capture?.stop();
    this.#share?.stop();
    this.#uplink = this.#downlink = this.#nextDownlink = this.#capture = null;
    this.#sends = this.#receives = false;
    this.#stops += 1;
    const { microphoneOpen, cameraId, microphoneId, sound } = this.state;
    this.#set({ ...nothingYet(), microphoneOpen, cameraId, microphoneId, sound });
  }

  /** @param {ServerFrame} frame */
  hear(frame) {
    switch (frame.type) {
      case "uplink_answer": return void this.#uplinkAnswered(frame.sdp);
      case "downlink_offer": return void this.#downlinkOffered(frame.sdp);
      case "slots":
        tellSites(frame.video);
        return this.#set({ slots: frame.video, step: frame.step });
      case "presentation_answer": return this.#share?.answered(frame.sdp);
      case "error":
        // It had no time, and nothing else would say it again.
        if (frame.why !== "media_refused") return;
        clearTimeout(this.#again);
        return void (this.#again = setTimeout(() => (this.#asked ? this.#openDownlink() : this.#tellWishes()), RETRY_FIRST_MS));
      case "media_failed": return frame.side === "presentation" ? this.#share?.failed(frame.reason) : this.#failed(frame.side);
      default: return;
    }
  }

  // Uplink: one offer, never renegotiated.

  async #makeUplink() {
    const old = this.#uplink;
    // One that works goes on until the new one does; one that failed would only be kept for nothing.
    if (old?.connectionState !== "connected") old?.close();
    const pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.#uplink = pc;
    if (this.state.uplink !== "connected") this.#set({ uplink: "connecting" });
    this.#watch(pc, "uplink", () => {
      old?.close();
      this.#set({ uplink: "connected" });
    });
    try {
      (await import("./capture.js")).addRoom(pc, this.#capture);
      await pc.setLocalDescription(await pc.createOffer());
      await gathered(pc);
      if (pc === this.#uplink && pc.localDescription) this.tell({ type: "uplink_offer", sdp: pc.localDescription.sdp });
    } catch (error) {
      console.error("uplink", error);
      this.#failed("uplink");
    }
  }

  /** @param {string} sdp */
  async #uplinkAnswered(sdp) {
    try {
      await this.#uplink?.setRemoteDescription({ type: "answer", sdp });
    } catch (error) {
      console.error("uplink answer", error);
      this.#failed("uplink");
    }
  }

  // Downlink: the server offers, slots are m-lines.

  #openDownlink() {
    if (!this.#receives) return;
    if (this.state.downlink !== "connected") this.#set({ downlink: "connecting" });
    this.#asked = true;
    this.tell({ type: "open_downlink" });
    this.#tellWishes();
  }

  #tellWishes() {
    if (!this.#receives) return;
    this.#sizesTold = "";
    this.tell({ type: "listen", sound: this.state.sound });
    this.#tellSizes();
  }

  /** @param {string} sdp */
  async #downlinkOffered(sdp) {
    this.#asked = false;
    this.#nextDownlink?.close();
    const pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.#nextDownlink = pc;
    this.#watch(pc, "downlink", () => this.#downlinkUp(pc, sdp));
    try {
      await pc.setRemoteDescription({ type: "offer", sdp });
      await pc.setLocalDescription(await pc.createAnswer());
      await gathered(pc);
      if (pc === this.#nextDownlink && pc.localDescription) this.tell({ type: "downlink_answer", sdp: pc.localDescription.sdp });
    } catch (error) {
      console.error("downlink", error);
      this.#failed("downlink");
    }
  }

  /** @param {RTCPeerConnection} pc @param {string} sdp */
  #downlinkUp(pc, sdp) {
    const old = this.#downlink;
    this.#downlink = pc;
    this.#nextDownlink = null;
    slotReceivers(pc, sdp).forEach((receiver, slot) => putStream(slot, receiver ? new MediaStream([receiver.track]) : null));
    this.#set({ downlink: "connected" });
    // The screen keeps the last picture until the new one has a frame; closing at once would blank it.
    if (old) setTimeout(() => old.close(), OLD_KEPT_MS);
  }

  // One connection's fate.

  /** @param {RTCPeerConnection} pc @param {"uplink" | "downlink"} side @param {() => void} up */
  #watch(pc, side, up) {
    const current = () => pc === this.#uplink || pc === this.#downlink || pc === this.#nextDownlink;
    /** @type {number | undefined} */
    let patience = setTimeout(() => current() && this.#failed(side), CONNECTING_PATIENCE_MS);
    let wasUp = false;
    pc.onconnectionstatechange = () => {
      if (!current()) return clearTimeout(patience);
      clearTimeout(patience);
      switch (pc.connectionState) {
        case "connected":
          this.#tries[side] = 0;
          clearTimeout(this.#retry[side]);
          if (wasUp) this.#set({ [side]: "connected" });
          else up();
          wasUp = true;
          return;
        case "failed":
          return this.#failed(side);
        case "disconnected":
          patience = setTimeout(() => current() && this.#failed(side), DISCONNECTED_PATIENCE_MS);
          return;
        case "connecting":
          patience = setTimeout(() => current() && this.#failed(side), CONNECTING_PATIENCE_MS);
          return;
        default:
          return;
      }
    };
  }

  /** @param {"uplink" | "downlink"} side */
  #failed(side) {
    // What failed may only have been to replace it.
    if (this.connections()[side]?.connectionState !== "connected") this.#set({ [side]: "failed" });
    clearTimeout(this.#retry[side]);
    if (!this.#linked) return;
    const pause = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.#tries[side]);
    this.#tries[side] += 1;
    this.#retry[side] = setTimeout(() => (side === "uplink" ? void this.#makeUplink() : this.#openDownlink()), pause);
  }

  // Sizes.

  #sizesSoon() {
    clearTimeout(this.#sizesTimer);
    this.#sizesTimer = setTimeout(() => this.#tellSizes(), SIZES_SETTLE_MS);
  }

  #tellSizes() {
    if (!this.#receives || !this.#linked) return;
    const asleep = document.hidden && !this.#alwaysShown;
    const heights = asleep ? shownHeights().map(() => 0) : shownHeights();
    const preview = shownPreview() ?? undefined;
    const text = `${heights.join()}/${preview}`;
    if (text === this.#sizesTold) return;
    const [programme = 0, ...tiles] = heights;
    const presentation = tiles.pop() ?? 0;
    if (this.tell({ type: "screen", slots: { programme, tiles, presentation, ...(preview === undefined ? {} : { preview }) } })) this.#sizesTold = text;
  }

  /** @param {"audio" | "video"} kind */
  #sender(kind) {
    const place = kind === "audio" ? 0 : 1;
    return this.#uplink?.signalingState === "closed" ? undefined : this.#uplink?.getTransceivers()[place]?.sender;
  }

  /** @param {Partial<MediaState>} change */
  #set(change) {
    this.state = { ...this.state, ...change };
    this.changed(this.state);
  }

  /** The two connections, for `figures.js`. */
  connections() {
    return { uplink: this.#uplink, downlink: this.#downlink };
  }
}

/** The server has one address and learns ours from the packets: what was gathered in a second is enough. @param {RTCPeerConnection} pc */
export function gathered(pc) {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((done) => {
    const timer = setTimeout(done, GATHERING_MOST_MS);
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      done(undefined);
    });
  });
}

/** The mids of an offer in the order of its m-lines. @param {string} sdp */
export const mLines = (sdp) => [...sdp.matchAll(/^a=mid:(\S+)/gm)].map((match) => match[1] ?? "");

/** A receiver has its track from the offer on, whether or not a packet ever came. @param {RTCPeerConnection} pc @param {string} sdp */
function slotReceivers(pc, sdp) {
  const byMid = new Map(pc.getTransceivers().map((transceiver) => [transceiver.mid, transceiver.receiver]));
  return mLines(sdp).slice(0, SLOTS).map((mid) => byMid.get(mid) ?? null);
}
