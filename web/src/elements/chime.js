// The tones of a desk: soft, short, synthesized. How loud is this machine's own choice, kept on it.

/** @import { Tone } from "../state/tones.js" */

const KEPT = "diemcau.tones";
/** Louder ones come first when the button goes round. */
const GAINS = { normal: 0.12, soft: 0.04, off: 0 };

/** @typedef {keyof typeof GAINS} Loudness */

/** Hertz of the notes, one after the other: upward for a request, falling and longer the nearer the end. @type {Record<Tone, number[]>} */
const NOTES = { request: [659.25, 880], last_minute: [587.33], last_seconds: [587.33, 587.33], over: [587.33, 493.88, 392] };
const NOTE_S = 0.22;

/** @type {AudioContext | null} */
let audio = null;

/** A room's own machine and the chair's desk sound; a phone beside it, or a desk that only watches, asks first. @param {boolean} carries @returns {Loudness} */
export function loudness(carries) {
  const kept = localStorage.getItem(KEPT);
  return kept === "off" || kept === "soft" || kept === "normal" ? kept : carries ? "soft" : "off";
}

/** The next of normal, soft, off. @param {Loudness} now @returns {Loudness} */
export function turnLoudness(now) {
  const next = now === "normal" ? "soft" : now === "soft" ? "off" : "normal";
  localStorage.setItem(KEPT, next);
  return next;
}

/** @param {Tone} tone @param {Loudness} how */
export function play(tone, how) {
  const gain = GAINS[how];
  if (gain === 0) return;
  audio ??= new AudioContext();
  const context = audio;
  // Before the first click or key a browser keeps it suspended: then nothing sounds, and nothing is made up for later.
  void context.resume();
  if (context.state !== "running" && !navigator.userActivation?.hasBeenActive) return;
  NOTES[tone].forEach((hertz, place) => note(context, hertz, context.currentTime + 0.02 + place * NOTE_S, gain));
}

/** @param {AudioContext} context @param {number} hertz @param {number} start @param {number} gain */
function note(context, hertz, start, gain) {
  const tone = new OscillatorNode(context, { frequency: hertz });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setTargetAtTime(gain, start, 0.015);
  volume.gain.setTargetAtTime(0, start + NOTE_S * 0.6, 0.06);
  tone.connect(volume).connect(context.destination);
  tone.start(start);
  tone.stop(start + NOTE_S * 3);
}
