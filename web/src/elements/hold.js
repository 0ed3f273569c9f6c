// Keys and buttons that act while they are held, and let go of by themselves when the page loses them.

/**
 * @typedef {object} Hold
 * @property {() => void} press
 * @property {() => void} release
 * @property {() => void} [twice] Pressed twice within half a second, instead of a second press.
 */

const TWICE_MS = 500;
/** @type {Hold | null} */
let held = null;
let lastPress = -TWICE_MS;

/** @param {Hold} hold */
export function press(hold) {
  if (held) return;
  const now = performance.now();
  if (hold.twice && now - lastPress < TWICE_MS) hold.twice();
  else {
    held = hold;
    hold.press();
  }
  lastPress = now;
}

export function release() {
  held?.release();
  held = null;
}

/** @param {(key: string) => Hold | undefined} of What a key holds now. */
export function holdKeys(of) {
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const hold = of(event.key);
    if (!hold) return;
    event.preventDefault();
    if (!event.repeat) press(hold);
  });
  addEventListener("keyup", release);
  addEventListener("pointerup", release);
  addEventListener("pointercancel", release);
  addEventListener("blur", release);
  document.addEventListener("visibilitychange", () => document.hidden && release());
}
