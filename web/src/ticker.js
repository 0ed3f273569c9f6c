// One loop moves everything that moves with time. It stops by itself when nothing listens.

const STEP_MS = 250;

/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {number | undefined} */
let timer;

/** @param {() => void} listener @returns {() => void} Stops listening. */
export function everyTick(listener) {
  listeners.add(listener);
  timer ??= setInterval(() => listeners.forEach((each) => each()), STEP_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
