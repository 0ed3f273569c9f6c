// Keys and buttons that act while they are held, and let go of by themselves when the page loses them.

/**
 * @typedef {object} Hold
 * @property {() => void} press
 * @property {() => void} release
 * @property {() => void} [twice] Pressed twice within half a second, instead of a second press.
 */

const TWICE_MS = 500;
/** @type {{ hold: Hold, by: string | number } | null} What is held, and the key or the pointer that holds it. */
let held = null;
let lastPress = -TWICE_MS;

/** @param {Hold} hold @param {string | number} by The key, or the number of the pointer. */
export function press(hold, by) {
  if (held) return;
  const now = performance.now();
  if (hold.twice && now - lastPress < TWICE_MS) hold.twice();
  else {
    held = { hold, by };
    hold.press();
  }
  lastPress = now;
}

/** Lets go of what a key or a pointer holds; another one that is let go of meanwhile holds nothing. @param {string | number} by */
export const release = (by) => void (held?.by === by && letGo());

function letGo() {
  held?.hold.release();
  held = null;
}

/** @param {(key: string) => Hold | undefined} of What a key holds now. */
export function holdKeys(of) {
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const hold = of(event.key);
    if (!hold) return;
    event.preventDefault();
    if (!event.repeat) press(hold, event.key);
  });
  addEventListener("keyup", (event) => release(event.key));
  addEventListener("pointerup", (event) => release(event.pointerId));
  addEventListener("pointercancel", (event) => release(event.pointerId));
  addEventListener("blur", letGo);
  document.addEventListener("visibilitychange", () => document.hidden && letGo());
}
