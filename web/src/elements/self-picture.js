// <self-picture>: the room's own camera, as it leaves this machine.

class SelfPicture extends HTMLElement {
  #video = document.createElement("video");

  /** @param {MediaStream | null} stream */
  set stream(stream) {
    if (this.#video.srcObject === stream) return;
    this.#video.srcObject = stream;
    this.toggleAttribute("empty", stream === null);
    if (stream && this.isConnected) void this.#video.play().catch(() => {});
  }

  connectedCallback() {
    this.#video.muted = true;
    this.#video.autoplay = true;
    this.#video.playsInline = true;
    this.#video.setAttribute("aria-hidden", "true");
    this.append(this.#video);
    this.toggleAttribute("empty", this.#video.srcObject === null);
    if (this.#video.srcObject) void this.#video.play().catch(() => {});
  }
}

customElements.define("self-picture", SelfPicture);
