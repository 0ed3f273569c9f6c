// The only file that knows RTCPeerConnection and getUserMedia: the room's camera and microphone go up one connection,
// the fixed slots of the conference come down another. Nothing here knows what is on the screen.

/** @import { ClientFrame, ServerFrame, SiteId } from "../generated/protocol.ts" */

import { AUDIO_SLOTS, SLOTS, VIDEO_SLOTS, onSizes, putStream, shownHeights } from "./slots.js";

const GATHERING_MOST_MS = 1_000;
const SIZES_SETTLE_MS = 150;
const OLD_KEPT_MS = 2_500;
const DISCONNECTED_PATIENCE_MS = 4_000;
const CONNECTING_PATIENCE_MS = 12_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 10_000;

/** Simulcast, smallest first: quarter for tiles, half, full for the programme. */
const ENCODINGS = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 100_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 350_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
];

/** @typedef {"off" | "connecting" | "connected" | "failed"} LinkState */
/** @typedef {"refused" | "missing" | "busy" | "insecure" | "other"} DeviceTrouble Keys of the texts that explain it. */

/**
 * @typedef {object} MediaState
 * @property {LinkState} uplink
 * @property {LinkState} downlink
 * @property {boolean} capturing The devices are being opened.
 * @property {MediaStream | null} picture The room's own camera.
 * @property {boolean} hasMicrophone
 * @property {boolean} microphoneOpen Closed by the room itself: then silence leaves this machine.
 * @property {DeviceTrouble | null} cameraTrouble
 * @property {DeviceTrouble | null} microphoneTrouble
 * @property {MediaDeviceInfo[]} cameras
 * @property {MediaDeviceInfo[]} microphones
 * @property {string} cameraId
 * @property {string} microphoneId
 * @property {boolean} sound This machine plays the conference.
 * @property {(SiteId | null)[]} slots Which site each video slot shows.
 */

/** @returns {MediaState} */
const nothingYet = () => ({
  uplink: "off", downlink: "off", capturing: false, picture: null, hasMicrophone: false, microphoneOpen: true,
  cameraTrouble: null, microphoneTrouble: null, cameras: [], microphones: [], cameraId: "", microphoneId: "",
  sound: false, slots: [],
});

export class Media {
  state = nothingYet();
  /** @type {RTCPeerConnection | null} */ #uplink = null;
  /** @type {RTCPeerConnection | null} */ #downlink = null;
  /** @type {RTCPeerConnection | null} The one on its way to replace `#downlink`. */ #nextDownlink = null;
  /** @type {MediaStreamTrack | null} */ #camera = null;
  /** @type {MediaStreamTrack | null} */ #microphone = null;
  /** @type {AudioContext | null} */ #audio = null;
  /** @type {AnalyserNode | null} */ #analyser = null;
  /** @type {MediaStreamTrack | null} The microphone as heard by the meter, also while the room has closed it. */ #metered = null;
  #linked = false;
  #sends = false;
  #receives = false;
  #alwaysShown = false;
  #tries = { uplink: 0, downlink: 0 };
  /** @type {Record<"uplink" | "downlink", number | undefined>} */ #retry = { uplink: undefined, downlink: undefined };
  /** @type {number | undefined} */ #sizesTimer;
  #sizesTold = "";

  /** @param {(frame: ClientFrame) => boolean} tell @param {(state: MediaState) => void} changed */
  constructor(tell, changed) {
    this.tell = tell;
    this.changed = changed;
    onSizes(() => this.#sizesSoon());
    document.addEventListener("visibilitychange", () => this.#sizesSoon());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#devicesChanged());
  }

  // ---------------------------------------------------------------- what the page asks for

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
    if (this.#microphone) this.#microphone.enabled = open;
    this.#set({ microphoneOpen: open });
  }

  /** Opens camera and microphone, each for itself: a room without one still has the other. @param {{ cameraId?: string, microphoneId?: string }} [choice] */
  async capture(choice = {}) {
    const cameraId = choice.cameraId ?? this.state.cameraId;
    const microphoneId = choice.microphoneId ?? this.state.microphoneId;
    this.#set({ capturing: true, cameraId, microphoneId });
    const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 }, ...exact(cameraId) };
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...exact(microphoneId) };
    // A camera in use elsewhere cannot be opened twice on some systems: let go before choosing again.
    if (choice.cameraId !== undefined) this.#camera?.stop();
    const both = choice.cameraId === undefined && choice.microphoneId === undefined ? await open({ audio, video }) : null;
    if (both?.stream) {
      this.#useCamera(both.stream.getVideoTracks()[0] ?? null, null);
      this.#useMicrophone(both.stream.getAudioTracks()[0] ?? null, null);
    } else {
      if (choice.microphoneId === undefined) {
        const camera = await open({ video });
        this.#useCamera(camera.stream?.getVideoTracks()[0] ?? null, camera.trouble);
      }
      if (choice.cameraId === undefined) {
        const microphone = await open({ audio });
        this.#useMicrophone(microphone.stream?.getAudioTracks()[0] ?? null, microphone.trouble);
      }
    }
    this.#set({ capturing: false });
    await this.#devicesChanged();
  }

  /** The level of the room's own microphone in dBFS, −60 to 0; null while it cannot be measured. @returns {number | null} */
  level() {
    if (!this.#analyser || this.#audio?.state !== "running") return null;
    const samples = new Float32Array(this.#analyser.fftSize);
    this.#analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    return Math.max(-60, Math.min(0, 10 * Math.log10(power + 1e-9)));
  }

  /** Browsers start sound only after a click or a key. */
  wakeAudio() {
    void this.#audio?.resume();
  }

  /** Two notes from this machine's loudspeaker. */
  chime() {
    const audio = this.#context();
    void audio.resume();
    [523.25, 783.99].forEach((hertz, place) => {
      const start = audio.currentTime + 0.05 + place * 0.45;
      const tone = new OscillatorNode(audio, { frequency: hertz });
      const volume = new GainNode(audio, { gain: 0 });
      volume.gain.setTargetAtTime(0.25, start, 0.02);
      volume.gain.setTargetAtTime(0, start + 0.35, 0.12);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 1.2);
    });
  }

  // ---------------------------------------------------------------- what the connection tells

  /** The server has a new peer for us and knows nothing of the old one. */
  linkUp() {
    this.#linked = true;
    this.#tries = { uplink: 0, downlink: 0 };
    if (this.#receives) this.#openDownlink();
    if (this.#sends) void this.#makeUplink();
  }

  /** Media that still works is left alone: the next welcome replaces it. */
  linkDown() {
    this.#linked = false;
    clearTimeout(this.#retry.uplink);
    clearTimeout(this.#retry.downlink);
  }

  /** The link will not come back: nothing of this room leaves the machine any more. */
  stop() {
    this.linkDown();
    [this.#uplink, this.#downlink, this.#nextDownlink].forEach((pc) => pc?.close());
    [this.#camera, this.#microphone, this.#metered].forEach((track) => track?.stop());
    void this.#audio?.close();
  }

  /** @param {ServerFrame} frame */
  hear(frame) {
    switch (frame.type) {
      case "uplink_answer": return void this.#uplinkAnswered(frame.sdp);
      case "downlink_offer": return void this.#downlinkOffered(frame.sdp);
      case "slots": return this.#set({ slots: frame.video });
      case "media_failed": return this.#failed(frame.side);
      default: return;
    }
  }

  // ---------------------------------------------------------------- uplink: one offer, never renegotiated

  async #makeUplink() {
    const old = this.#uplink;
    // One that works goes on until the new one does; one that failed would only be kept for nothing.
    if (old?.connectionState !== "connected") old?.close();
    const pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.#uplink = pc;
    if (this.state.uplink !== "connected") this.#set({ uplink: "connecting" });
    // Made even without a device: a camera plugged in later is put into the sender without a new offer.
    pc.addTransceiver(this.#microphone ?? "audio", { direction: "sendonly" });
    const picture = pc.addTransceiver(this.#camera ?? "video", { direction: "sendonly", sendEncodings: ENCODINGS });
    preferVp8(picture);
    this.#watch(pc, "uplink", () => {
      old?.close();
      this.#set({ uplink: "connected" });
    });
    try {
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

  // ---------------------------------------------------------------- downlink: the server offers, slots are m-lines

  #openDownlink() {
    if (!this.#receives) return;
    if (this.state.downlink !== "connected") this.#set({ downlink: "connecting" });
    this.#sizesTold = "";
    this.tell({ type: "open_downlink" });
    this.tell({ type: "listen", sound: this.state.sound });
    this.#tellSizes();
  }

  /** @param {string} sdp */
  async #downlinkOffered(sdp) {
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

  // ---------------------------------------------------------------- one connection's fate

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
    this.#set({ [side]: "failed" });
    clearTimeout(this.#retry[side]);
    if (!this.#linked) return;
    const pause = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.#tries[side]);
    this.#tries[side] += 1;
    this.#retry[side] = setTimeout(() => (side === "uplink" ? void this.#makeUplink() : this.#openDownlink()), pause);
  }

  // ---------------------------------------------------------------- sizes

  #sizesSoon() {
    clearTimeout(this.#sizesTimer);
    this.#sizesTimer = setTimeout(() => this.#tellSizes(), SIZES_SETTLE_MS);
  }

  #tellSizes() {
    if (!this.#receives || !this.#linked) return;
    const asleep = document.hidden && !this.#alwaysShown;
    const heights = asleep ? shownHeights().map(() => 0) : shownHeights();
    const text = heights.join();
    if (text === this.#sizesTold) return;
    const [programme = 0, ...tiles] = heights;
    if (this.tell({ type: "screen", slots: { programme, tiles } })) this.#sizesTold = text;
  }

  // ---------------------------------------------------------------- devices

  /** @param {MediaStreamTrack | null} track @param {DeviceTrouble | null} trouble */
  #useCamera(track, trouble) {
    if (this.#camera !== track) this.#camera?.stop();
    this.#camera = track;
    if (track) track.onended = () => track === this.#camera && this.#useCamera(null, "missing");
    void this.#sender("video")?.replaceTrack(track);
    this.#set({ picture: track && new MediaStream([track]), cameraTrouble: trouble, cameraId: track?.getSettings().deviceId ?? this.state.cameraId });
  }

  /** @param {MediaStreamTrack | null} track @param {DeviceTrouble | null} trouble */
  #useMicrophone(track, trouble) {
    if (this.#microphone !== track) this.#microphone?.stop();
    this.#microphone = track;
    if (track) {
      track.enabled = this.state.microphoneOpen;
      track.onended = () => track === this.#microphone && this.#useMicrophone(null, "missing");
    }
    void this.#sender("audio")?.replaceTrack(track);
    this.#meter(track);
    this.#set({ hasMicrophone: track !== null, microphoneTrouble: trouble, microphoneId: track?.getSettings().deviceId ?? this.state.microphoneId });
  }

  /** @param {"audio" | "video"} kind */
  #sender(kind) {
    const place = kind === "audio" ? 0 : 1;
    return this.#uplink?.signalingState === "closed" ? undefined : this.#uplink?.getTransceivers()[place]?.sender;
  }

  /** @param {MediaStreamTrack | null} track */
  #meter(track) {
    this.#metered?.stop();
    this.#analyser = null;
    this.#metered = track?.clone() ?? null;
    if (!this.#metered) return;
    this.#metered.enabled = true;
    const audio = this.#context();
    this.#analyser = new AnalyserNode(audio, { fftSize: 1024 });
    audio.createMediaStreamSource(new MediaStream([this.#metered])).connect(this.#analyser);
    void audio.resume();
  }

  #context() {
    return (this.#audio ??= new AudioContext());
  }

  async #devicesChanged() {
    if (!navigator.mediaDevices) return;
    const devices = await navigator.mediaDevices.enumerateDevices();
    const known = devices.filter((device) => device.deviceId !== "" && device.deviceId !== "communications");
    this.#set({
      cameras: known.filter((device) => device.kind === "videoinput"),
      microphones: known.filter((device) => device.kind === "audioinput"),
    });
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

/** @param {string} deviceId */
const exact = (deviceId) => (deviceId === "" ? {} : { deviceId: { exact: deviceId } });

/** @param {MediaStreamConstraints} wanted @returns {Promise<{ stream: MediaStream | null, trouble: DeviceTrouble | null }>} */
async function open(wanted) {
  // Outside a secure page the browser hides the devices altogether.
  if (!navigator.mediaDevices) return { stream: null, trouble: "insecure" };
  try {
    return { stream: await navigator.mediaDevices.getUserMedia(wanted), trouble: null };
  } catch (error) {
    return { stream: null, trouble: troubleOf(error instanceof Error ? error.name : "") };
  }
}

/** @param {string} name @returns {DeviceTrouble} */
function troubleOf(name) {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError": return "refused";
    case "NotFoundError":
    case "OverconstrainedError": return "missing";
    case "NotReadableError":
    case "AbortError": return "busy";
    default: return "other";
  }
}

/** @param {RTCRtpTransceiver} transceiver */
function preferVp8(transceiver) {
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const isVp8 = (/** @type {{ mimeType: string }} */ codec) => codec.mimeType.toLowerCase() === "video/vp8";
  if (!codecs.some(isVp8) || !transceiver.setCodecPreferences) return;
  transceiver.setCodecPreferences([...codecs.filter(isVp8), ...codecs.filter((codec) => !isVp8(codec))]);
}

/** The server has one address and learns ours from the packets: what was gathered in a second is enough. @param {RTCPeerConnection} pc */
function gathered(pc) {
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
  const receivers = mLines(sdp).map((mid) => byMid.get(mid) ?? null);
  if (receivers.length !== SLOTS) console.warn(`downlink has ${receivers.length} slots, expected ${VIDEO_SLOTS} + ${AUDIO_SLOTS}`);
  return receivers.slice(0, SLOTS);
}
