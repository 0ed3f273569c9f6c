// The camera and the microphone of this machine, and their level. The only file that knows getUserMedia; fetched by a
// machine that sends.

/** @import { LinkStep, SiteId } from "../generated/protocol.ts" */

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
 * @property {LinkStep} step What this machine's link makes of them.
 * @property {import("./screen-share.js").ShareState} share What this machine presents.
 */

/** Simulcast, smallest first: quarter for tiles, half, full for the programme. */
const ENCODINGS = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 100_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 350_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
];

/** What a room sends. Made even without a device: a camera plugged in later is put into the sender without a new offer. @param {RTCPeerConnection} pc @param {Capture | null} capture */
export function addRoom(pc, capture) {
  pc.addTransceiver(capture?.microphone ?? "audio", { direction: "sendonly" });
  preferVp8(pc.addTransceiver(capture?.camera ?? "video", { direction: "sendonly", sendEncodings: ENCODINGS }));
}

/** @param {RTCRtpTransceiver} transceiver */
export function preferVp8(transceiver) {
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const isVp8 = (/** @type {{ mimeType: string }} */ codec) => codec.mimeType.toLowerCase() === "video/vp8";
  if (!codecs.some(isVp8) || !transceiver.setCodecPreferences) return;
  transceiver.setCodecPreferences([...codecs.filter(isVp8), ...codecs.filter((codec) => !isVp8(codec))]);
}

export class Capture {
  /** @type {MediaStreamTrack | null} */ camera = null;
  /** @type {MediaStreamTrack | null} */ microphone = null;
  /** @type {AudioContext | null} */ #audio = null;
  /** @type {AnalyserNode | null} */ #analyser = null;
  /** @type {MediaStreamTrack | null} The microphone as heard by the meter, also while the room has closed it. */ #metered = null;
  #state;
  #changed;
  #sender;

  /** @param {() => MediaState} state @param {(change: Partial<MediaState>) => void} changed @param {(kind: "audio" | "video") => RTCRtpSender | undefined} sender Where it goes now. */
  constructor(state, changed, sender) {
    this.#state = state;
    this.#changed = changed;
    this.#sender = sender;
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#devicesChanged());
  }

  stop() {
    [this.camera, this.microphone, this.#metered].forEach((track) => track?.stop());
    void this.#audio?.close();
  }

  /** Opens camera and microphone, each for itself: a room without one still has the other. @param {{ cameraId?: string, microphoneId?: string }} choice */
  async open(choice) {
    const cameraId = choice.cameraId ?? this.#state().cameraId;
    const microphoneId = choice.microphoneId ?? this.#state().microphoneId;
    this.#changed({ cameraId, microphoneId });
    const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 }, ...exact(cameraId) };
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...exact(microphoneId) };
    // A camera in use elsewhere cannot be opened twice on some systems: let go before choosing again.
    if (choice.cameraId !== undefined) this.camera?.stop();
    const both = choice.cameraId === undefined && choice.microphoneId === undefined ? await open({ audio, video }) : null;
    if (both?.stream) {
      this.#useCamera(both.stream.getVideoTracks()[0] ?? null, null);
      this.#useMicrophone(both.stream.getAudioTracks()[0] ?? null, null);
    } else {
      if (choice.microphoneId === undefined) {
        const camera = await open({ video }, choice.cameraId === undefined && { video: { ...video, deviceId: undefined } });
        this.#useCamera(camera.stream?.getVideoTracks()[0] ?? null, camera.trouble);
      }
      if (choice.cameraId === undefined) {
        const microphone = await open({ audio }, choice.microphoneId === undefined && { audio: { ...audio, deviceId: undefined } });
        this.#useMicrophone(microphone.stream?.getAudioTracks()[0] ?? null, microphone.trouble);
      }
    }
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
  wake() {
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

  /** @param {MediaStreamTrack | null} track @param {DeviceTrouble | null} trouble */
  #useCamera(track, trouble) {
    if (this.camera !== track) this.camera?.stop();
    this.camera = track;
    if (track) track.onended = () => track === this.camera && this.#useCamera(null, "missing");
    void this.#sender("video")?.replaceTrack(track);
    this.#changed({ picture: track && new MediaStream([track]), cameraTrouble: trouble, cameraId: track?.getSettings().deviceId ?? this.#state().cameraId });
  }

  /** @param {MediaStreamTrack | null} track @param {DeviceTrouble | null} trouble */
  #useMicrophone(track, trouble) {
    if (this.microphone !== track) this.microphone?.stop();
    this.microphone = track;
    if (track) {
      track.enabled = this.#state().microphoneOpen;
      track.onended = () => track === this.microphone && this.#useMicrophone(null, "missing");
    }
    void this.#sender("audio")?.replaceTrack(track);
    this.#meter(track);
    this.#changed({ hasMicrophone: track !== null, microphoneTrouble: trouble, microphoneId: track?.getSettings().deviceId ?? this.#state().microphoneId });
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
    this.#changed({
      cameras: known.filter((device) => device.kind === "videoinput"),
      microphones: known.filter((device) => device.kind === "audioinput"),
    });
  }
}

/** @param {string} deviceId */
const exact = (deviceId) => (deviceId === "" ? {} : { deviceId: { exact: deviceId } });

/** The one that is chosen now and no other; the one from before, or else `another`. @param {MediaStreamConstraints} wanted @param {MediaStreamConstraints | false} [another] @returns {Promise<{ stream: MediaStream | null, trouble: DeviceTrouble | null }>} */
async function open(wanted, another = false) {
  // Outside a secure page the browser hides the devices altogether.
  if (!navigator.mediaDevices) return { stream: null, trouble: "insecure" };
  try {
    return { stream: await navigator.mediaDevices.getUserMedia(wanted), trouble: null };
  } catch (error) {
    const trouble = troubleOf(error instanceof Error ? error.name : "");
    return another && trouble === "missing" ? open(another) : { stream: null, trouble };
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
