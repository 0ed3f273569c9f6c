// What this machine presents: a screen or a window, on a connection of its own. The only file that knows
// getDisplayMedia; fetched by a machine that presents.

/** @import { ClientFrame } from "../generated/protocol.ts" */
/** @typedef {"off" | "picking" | "picked" | "connecting" | "on"} ShareState */
/** @typedef {(by: "browser" | "others") => void} Over Who ended it, when this page did not: the browser's own button, or another desk. */

import { preferVp8 } from "./capture.js";
import { gathered } from "./media.js";
import { PRESENTATION_SLOT, putOwn } from "./slots.js";

/** Text is read, not watched: sharp before smooth. */
const PICTURE = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 10 } };
/** What the server keeps free for it on a thin line, less what carries it. */
const ENCODING = { maxBitrate: 1_000_000, maxFramerate: 10 };
const CONNECTING_PATIENCE_MS = 12_000;
const RETRY_MS = 2_000;

/** Who picks before it presents is shown within this time, or the picture is let go: nothing waits to go on the walls later. */
const EXPECTED_MS = 5_000;
/** After so long without the server the screen is let go: nobody remembers by then that it would be shown again (`PRESENTER_AWAY_S`). */
const LOST_MS = 30_000;
/** The server's word that another machine of this seat presents now. */
const ANOTHER = "another machine of this seat presents";

export class ScreenShare {
  /** @type {RTCPeerConnection | null} */ #pc = null;
  /** @type {MediaStreamTrack | null} */ #track = null;
  #holds = false;
  /** Of which picking a dialog is: one that comes back late picks nothing. */ #picking = 0;
  /** @type {number | undefined} */ #again;
  /** @type {number | undefined} */ #letGo;
  /** @type {Over} */ #over = () => {};
  #tell;
  #changed;

  /** @param {(frame: ClientFrame) => boolean} tell @param {(state: ShareState) => void} changed */
  constructor(tell, changed) {
    this.#tell = tell;
    this.#changed = changed;
  }

  /** What is shown stays until another is picked. @param {Over} over */
  async pick(over) {
    const picking = ++this.#picking;
    const held = this.#holds;
    if (!this.#track) this.#changed("picking");
    const track = await picked();
    // Meanwhile the chair has stopped it, or another dialog was opened.
    if (picking !== this.#picking || held !== this.#holds) {
      track?.stop();
      if (picking === this.#picking && !this.#track) this.#changed("off");
      return false;
    }
    if (!track) {
      if (!this.#track) this.#changed("off");
      return false;
    }
    this.stop();
    this.#track = track;
    this.#over = over;
    this.#changed("picked");
    track.contentHint = "text";
    track.onended = () => {
      this.stop();
      over("browser");
    };
    if (this.#holds) void this.#connect();
    else this.#letGo = setTimeout(() => this.stop(), EXPECTED_MS);
    return true;
  }

  /** Nothing of the screen leaves this machine any more. */
  stop() {
    this.#picking += 1;
    clearTimeout(this.#again);
    this.#keep();
    this.#pc?.close();
    this.#pc = null;
    this.#track?.stop();
    this.#track = null;
    putOwn(PRESENTATION_SLOT, null);
    this.#changed("off");
  }

  /** @param {boolean} holds */
  follow(holds) {
    if (holds === this.#holds) return;
    this.#holds = holds;
    if (!holds) {
      const taken = this.#track !== null;
      this.stop();
      if (taken) this.#over("others");
      return;
    }
    this.#keep();
    if (this.#track) void this.#connect();
  }

  /** The server has a new peer for us and knows nothing of the old one. */
  linkUp() {
    // What was picked before it may be shown is let go in its own time, whatever the link does.
    if (!this.#holds || !this.#track) return;
    this.#keep();
    void this.#connect();
  }

  /** Also each time that the server is tried in vain. */
  linkDown() {
    if (!this.#holds || !this.#track) return;
    this.#letGo ??= setTimeout(() => this.stop(), LOST_MS);
  }

  /** What was to be let go stays. */
  #keep() {
    clearTimeout(this.#letGo);
    this.#letGo = undefined;
  }

  /** @param {string} sdp */
  answered(sdp) {
    this.#pc?.setRemoteDescription({ type: "answer", sdp }).catch(() => this.failed());
  }

  /** @param {string} [reason] */
  failed(reason) {
    if (reason === ANOTHER) return this.stop();
    clearTimeout(this.#again);
    this.#pc?.close();
    this.#pc = null;
    // What the walls do not show is not shown here as if they did.
    putOwn(PRESENTATION_SLOT, null);
    if (!this.#track) return;
    this.#changed("connecting");
    this.#again = setTimeout(() => this.#holds && void this.#connect(), RETRY_MS);
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
    if (this.#track) putOwn(PRESENTATION_SLOT, new MediaStream([this.#track]));
    this.#changed("on");
  }
}

/** With little room the picture comes less often, never blurred. @param {RTCRtpSender} sender */
async function keepSharp(sender) {
  const parameters = sender.getParameters();
  await sender.setParameters(Object.assign(parameters, { degradationPreference: "maintain-resolution" }));
}

/** The browser's own dialog; null when the person thought better of it, or there is nothing to pick from. */
async function picked() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: PICTURE, audio: false });
    return stream.getVideoTracks()[0] ?? null;
  } catch {
    return null;
  }
}
