// What this machine presents: a screen or a window, on a connection of its own. The only file that knows
// getDisplayMedia; fetched by a machine that presents.

/** @import { ClientFrame } from "../generated/protocol.ts" */
/** @typedef {"off" | "picking" | "picked" | "connecting" | "on"} ShareState */

import { preferVp8 } from "./capture.js";
import { gathered } from "./media.js";

/** Text is read, not watched: sharp before smooth. */
const PICTURE = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 10 } };
/** What the server keeps free for it on a thin line, less what carries it. */
const ENCODING = { maxBitrate: 1_000_000, maxFramerate: 10 };
const CONNECTING_PATIENCE_MS = 12_000;
const RETRY_MS = 2_000;

export class ScreenShare {
  /** @type {RTCPeerConnection | null} */ #pc = null;
  /** @type {MediaStreamTrack | null} */ #track = null;
  #holds = false;
  /** @type {number | undefined} */ #again;
  #tell;
  #changed;

  /** @param {(frame: ClientFrame) => boolean} tell @param {(state: ShareState) => void} changed */
  constructor(tell, changed) {
    this.#tell = tell;
    this.#changed = changed;
  }

  /** @param {() => void} over */
  async pick(over) {
    this.stop();
    this.#changed("picking");
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: PICTURE, audio: false });
      this.#track = stream.getVideoTracks()[0] ?? null;
    } catch {
      // The person thought better of it, or the browser has nothing to pick from.
      this.#track = null;
    }
    const track = this.#track;
    this.#changed(track ? "picked" : "off");
    if (!track) return false;
    track.contentHint = "text";
    track.onended = () => {
      this.stop();
      over();
    };
    if (this.#holds) void this.#connect();
    return true;
  }

  /** Nothing of the screen leaves this machine any more. */
  stop() {
    clearTimeout(this.#again);
    this.#pc?.close();
    this.#pc = null;
    this.#track?.stop();
    this.#track = null;
    this.#changed("off");
  }

  /** @param {boolean} holds */
  follow(holds) {
    if (holds === this.#holds) return;
    this.#holds = holds;
    if (!holds) this.stop();
    else if (this.#track) void this.#connect();
  }

  /** The server has a new peer for us and knows nothing of the old one. */
  linkUp() {
    if (this.#holds && this.#track) void this.#connect();
  }

  /** @param {string} sdp */
  answered(sdp) {
    this.#pc?.setRemoteDescription({ type: "answer", sdp }).catch(() => this.failed());
  }

  failed() {
    clearTimeout(this.#again);
    this.#pc?.close();
    this.#pc = null;
    if (!this.#track) return;
    this.#changed("connecting");
    this.#again = setTimeout(() => this.linkUp(), RETRY_MS);
  }

  async #connect() {
    if (!this.#track) return;
    clearTimeout(this.#again);
    this.#pc?.close();
    const pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.#pc = pc;
    this.#changed("connecting");
    const picture = pc.addTransceiver(this.#track, { direction: "sendonly", sendEncodings: [ENCODING] });
    preferVp8(picture);
    pc.onconnectionstatechange = () => {
      if (pc !== this.#pc) return;
      if (pc.connectionState === "connected") this.#up();
      else if (pc.connectionState === "failed") this.failed();
    };
    this.#again = setTimeout(() => pc === this.#pc && this.failed(), CONNECTING_PATIENCE_MS);
    try {
      await keepSharp(picture.sender);
      await pc.setLocalDescription(await pc.createOffer());
      await gathered(pc);
      if (pc === this.#pc && pc.localDescription) this.#tell({ type: "presentation_offer", sdp: pc.localDescription.sdp });
    } catch (error) {
      console.error("presentation", error);
      this.failed();
    }
  }

  #up() {
    clearTimeout(this.#again);
    this.#changed("on");
  }
}

/** With little room the picture comes less often, never blurred. @param {RTCRtpSender} sender */
async function keepSharp(sender) {
  const parameters = sender.getParameters();
  await sender.setParameters(Object.assign(parameters, { degradationPreference: "maintain-resolution" }));
}
