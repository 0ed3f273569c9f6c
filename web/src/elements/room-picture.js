// <room-picture>: the picture of one slot. It owns its <video>, says how large it is shown, and keeps the last frame
// until the next stream has one.

import { bringsAnother, show, sizeChanged } from "../slots.js";

// The server lets a slot show its former site for at most this long (`HOLD_FORMER_MAX`).
const FORMER_MOST_MS = 1_000;
// Given to another site, a slot that brings no frame of it for this long shows nothing rather than the wrong room.
const WRONG_ROOM_MS = 1_500;

export class RoomPicture extends HTMLElement {
  #slot = -1;
  /** @type {number | null} */ #site = null;
  #preview = false;
  #frameAt = 0;
  #siteAt = 0;
  /** @type {MediaStream | null} What the slot brings; another one in front is on its way out. */ #stream = null;
  /** @type {HTMLVideoElement} */ #front = video();
  /** @type {HTMLVideoElement} */ #back = video();
  /** @type {(() => void) | null} */ #leave = null;
  #resize = new ResizeObserver(() => sizeChanged());
  /** @type {number | undefined} */ #check;

  /** The slot, 0 the programme, k + 1 tile k. @param {number} slot */
  set slotNumber(slot) {
    if (slot === this.#slot) return;
    this.#slot = slot;
    this.#from(performance.now());
    if (this.isConnected) this.#enter();
  }

  get slotNumber() {
    return this.#slot;
  }

  /** Whose picture it is; null hides it. @param {number | null} site */
  set site(site) {
    if (site === this.#site) return;
    this.#site = site;
    this.#from(performance.now());
    sizeChanged();
  }

  /** Whether it is asked for by this page alone, a preview. @param {boolean} preview */
  set preview(preview) {
    if (preview === this.#preview) return;
    this.#preview = preview;
    sizeChanged();
  }

  /** From now on it is another room's picture. @param {number} now */
  #from(now) {
    this.#siteAt = now;
    this.#look();
    clearTimeout(this.#check);
    this.#check = setTimeout(() => this.#look(), WRONG_ROOM_MS);
  }

  connectedCallback() {
    this.append(this.#back, this.#front);
    if (this.#front.srcObject) void this.#front.play().catch(() => {});
    this.#resize.observe(this);
    this.#enter();
  }

  disconnectedCallback() {
    this.#resize.disconnect();
    this.#leave?.();
    this.#leave = null;
    clearTimeout(this.#check);
  }

  #enter() {
    this.#leave?.();
    this.#leave = this.#slot < 0 ? null : show(this.#slot, { height: () => this.#height(), stream: (stream) => this.#take(stream), preview: () => (this.#preview ? this.#site : null), told: () => this.#look() });
  }

  #height() {
    const seen = this.checkVisibility?.() ?? this.offsetParent !== null;
    return seen ? Math.min(2160, Math.round(this.clientHeight * devicePixelRatio)) : 0;
  }

  /** @param {MediaStream | null} stream */
  #take(stream) {
    if (!stream) return;
    this.#stream = stream;
    if (this.#back.srcObject === stream) return;
    if (this.#front.srcObject === stream) {
      // Given back before the other had a frame: that one may not come to the front any more.
      this.#back.srcObject = null;
      return;
    }
    const next = this.#back;
    next.srcObject = stream;
    void next.play().catch(() => {});
    const firstFrame = () => {
      if (next !== this.#back || next.srcObject !== stream) return;
      this.#back = this.#front;
      this.#front = next;
      this.append(next);
      this.#back.srcObject = null;
      this.#followFrames(next);
    };
    if (next.requestVideoFrameCallback) next.requestVideoFrameCallback(firstFrame);
    else next.addEventListener("loadeddata", firstFrame, { once: true });
  }

  /** @param {HTMLVideoElement} from */
  #followFrames(from) {
    if (from.srcObject === this.#stream) this.#frameAt = performance.now();
    this.#look();
    // Moving a playing <video> in the tree may pause it.
    if (from.paused) void from.play().catch(() => {});
    from.requestVideoFrameCallback?.(() => from === this.#front && this.#followFrames(from));
  }

  #look() {
    const settled = performance.now() - this.#siteAt >= WRONG_ROOM_MS - 50;
    // What is left of another is not shown again under this one's name.
    if (!this.#preview && settled && bringsAnother(this.#slot, this.#site)) this.#frameAt = 0;
    const wrongRoom = settled && this.#frameAt < this.#siteAt + FORMER_MOST_MS;
    this.toggleAttribute("empty", this.#frameAt === 0 || this.#site === null || wrongRoom);
  }
}

function video() {
  const element = document.createElement("video");
  element.muted = true;
  element.autoplay = true;
  element.playsInline = true;
  element.disablePictureInPicture = true;
  element.setAttribute("aria-hidden", "true");
  element.tabIndex = -1;
  return element;
}

customElements.define("room-picture", RoomPicture);
