// One loop moves everything that moves with time, at the moments something changes: every page of the conference turns
// its digits when the server's second turns. It stops by itself when nothing listens.

// The server's clock may be learned better meanwhile: nobody sleeps longer than this.
const MOST_MS = 1_000;
// A timer may come a moment early; a digit that has not changed yet is looked at again after this.
const LEAST_MS = 4;

/** @typedef {() => number} Listener Draws, and says in how many milliseconds it will look different. */

/** @type {Set<Listener>} */
const listeners = new Set();
/** @type {number | undefined} */
let timer;

/** @param {Listener} listener @returns {() => void} Stops listening. */
export function everyTick(listener) {
  listeners.add(listener);
  wake();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearTimeout(timer);
  };
}

/** Something a listener counts from has changed: looked at now, and the pause measured anew. */
export function wake() {
  clearTimeout(timer);
  let pause = MOST_MS;
  for (const listener of listeners) pause = Math.min(pause, listener());
  timer = setTimeout(wake, Math.max(LEAST_MS, pause));
}

/** Milliseconds until a figure that counts whole seconds down, or up when `by` is 1, shows another. @param {number} ms @param {-1 | 1} by */
export const untilNext = (ms, by) => {
  const part = ((ms % 1_000) + 1_000) % 1_000;
  return by < 0 ? part || 1_000 : 1_000 - part;
};
