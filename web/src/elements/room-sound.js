// <room-sound>: the voices of the conference. One for the page; it tells when the browser wants a click first.

import { AUDIO_SLOTS, VIDEO_SLOTS, show } from "../slots.js";

export class RoomSound extends HTMLElement {
  #voices = Array.from({ length: AUDIO_SLOTS }, () => document.createElement("audio"));
  /** @type {(() => void)[]} */ #leave = [];
  #wanted = false;
  /** @type {(blocked: boolean) => void} */ blockedChanged = () => {};

  /** @param {boolean} wanted */
  set wanted(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    for (const voice of this.#voices) voice.muted = !wanted;
    if (wanted) this.start();
  }

  connectedCallback() {
    this.hidden = true;
    this.append(...this.#voices);
    this.#leave = this.#voices.map((voice, place) => show(VIDEO_SLOTS + place, {
      height: () => 0,
      stream: (stream) => {
        voice.srcObject = stream;
        voice.muted = !this.#wanted;
        if (stream && this.#wanted) this.start();
      },
    }));
  }

  disconnectedCallback() {
    this.#leave.forEach((leave) => leave());
  }

  start() {
    const plays = this.#voices.filter((voice) => voice.srcObject !== null).map((voice) => voice.play());
    if (plays.length === 0) return;
    Promise.allSettled(plays).then((ends) => {
      const refused = ends.some((end) => end.status === "rejected" && end.reason?.name === "NotAllowedError");
      const silent = this.#voices.some((voice) => voice.srcObject !== null && voice.paused);
      this.blockedChanged(refused || silent);
    });
  }
}

customElements.define("room-sound", RoomSound);
