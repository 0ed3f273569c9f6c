// Where pictures and voices meet the screen: media.js puts streams in, elements show them and say how large they are.

/** @typedef {{ height: () => number, stream: (stream: MediaStream | null) => void, preview?: () => number | null, told?: () => void }} Shower `preview`: the site it shows to this page alone. */

export const PROGRAMME_SLOT = 0;
export const TILE_SLOTS = 13;
export const AUDIO_SLOTS = 4;
export const PREVIEW_SLOT = TILE_SLOTS;
export const PRESENTATION_SLOT = 1 + TILE_SLOTS;
export const VIDEO_SLOTS = 2 + TILE_SLOTS;
export const SLOTS = VIDEO_SLOTS + AUDIO_SLOTS;

/** @type {(MediaStream | null)[]} */
const streams = new Array(SLOTS).fill(null);
/** @type {Set<Shower>[]} */
const showers = Array.from({ length: SLOTS }, () => new Set());
/** @type {(number | null)[]} Which site each picture slot shows, as the server last told this page. */
let told = [];
/** @type {() => void} */
let sizesChanged = () => {};

/** @type {(MediaStream | null)[]} What this machine sends itself. */
const own = [];

/** @param {number} slot */
const streamOf = (slot) => own[slot] ?? streams[slot] ?? null;

/** @param {number} slot @param {MediaStream | null} stream */
export const putStream = (slot, stream) => put(streams, slot, stream);

/** @param {number} slot @param {MediaStream | null} stream */
export const putOwn = (slot, stream) => put(own, slot, stream);

/** @param {(MediaStream | null)[]} into @param {number} slot @param {MediaStream | null} stream */
function put(into, slot, stream) {
  into[slot] = stream;
  for (const shower of showers[slot] ?? []) shower.stream(streamOf(slot));
}

/** @param {number} slot @param {Shower} shower @returns {() => void} Stops showing. */
export function show(slot, shower) {
  showers[slot]?.add(shower);
  shower.stream(streamOf(slot));
  sizesChanged();
  return () => {
    showers[slot]?.delete(shower);
    sizesChanged();
  };
}

/** An element has a new size or went out of sight. */
export const sizeChanged = () => sizesChanged();

/** @param {() => void} listener */
export function onSizes(listener) {
  sizesChanged = listener;
}

/** @param {(number | null)[]} sites */
export function tellSites(sites) {
  told = sites;
  for (const set of showers) for (const shower of set) shower.told?.();
}

/** Whether a slot does not bring a site's picture: the last tile while a desk previews another, and what has no room on a thin link. @param {number} slot @param {number | null} site */
export const bringsAnother = (slot, site) => !own[slot] && told[slot] !== undefined && told[slot] !== site && (slot > PROGRAMME_SLOT || told[slot] === null);

/** The site that this page looks at for itself. @returns {number | null} */
export function shownPreview() {
  const wished = [...(showers[PREVIEW_SLOT] ?? [])].map((shower) => shower.preview?.() ?? null);
  return wished.find((site) => site !== null) ?? null;
}

/** The height each video slot is shown at, in device pixels; 0 when it is not shown. @returns {number[]} */
export function shownHeights() {
  return showers.slice(0, VIDEO_SLOTS).map((set) => Math.max(0, ...[...set].map((shower) => shower.height())));
}
