// What is opened takes the keyboard along, and gives it back where it came from.

/** What is open, from where it was opened, and whether the keyboard still has to go there. @type {{ what: string, from: Element | null, waits: boolean }} */
let open = { what: "", from: null, waits: false };

/** @param {string} what What is open now; nothing when it is empty. @param {string} where The selector of it, which may come into the page later. */
export function followFocus(what, where) {
  if (what !== open.what) {
    const from = open.what === "" ? document.activeElement : open.from;
    open = { what, from, waits: true };
  }
  if (!open.waits) return;
  requestAnimationFrame(() => {
    const to = open.what === "" ? open.from : document.querySelector(where);
    if (!open.waits || !(to instanceof HTMLElement)) return;
    open.waits = false;
    // A form that is opened to be typed into has the keyboard already.
    if (!to.contains(document.activeElement)) to.focus({ preventScroll: true });
  });
}
