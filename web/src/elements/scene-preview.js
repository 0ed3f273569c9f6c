// <scene-preview>: the wall in small, as it would look: a document of its own, so that the wall's measures and colours are
// the wall's, drawn by the very code that draws the wall.

import { render } from "../../vendor/lit-html.js";
import { sizeChanged } from "../slots.js";

const STYLES = ["tokens", "components", "shell", "stage", "break"];

export class ScenePreview extends HTMLElement {
  #frame = document.createElement("iframe");
  /** @type {HTMLElement | null} */ #root = null;
  /** @type {unknown} */ #scene = null;

  /** What is drawn: a template of the wall's view. @param {unknown} scene */
  set scene(scene) {
    this.#scene = scene;
    this.#draw();
  }

  connectedCallback() {
    this.#frame.tabIndex = -1;
    this.#frame.title = this.getAttribute("aria-label") ?? "";
    this.replaceChildren(this.#frame);
    const inside = this.#frame.contentDocument;
    if (!inside) return;
    inside.documentElement.lang = document.documentElement.lang;
    Object.assign(inside.documentElement.dataset, { theme: "dark", page: "stage" });
    this.#root = inside.createElement("div");
    this.#root.id = "page";
    this.#root.hidden = true;
    inside.body.replaceChildren(this.#root);
    this.#draw();
    this.#dress(inside, this.#root);
  }

  /** Shown once it looks like the wall. @param {Document} inside @param {HTMLElement} root */
  #dress(inside, root) {
    const links = STYLES.map((name) => {
      const link = inside.createElement("link");
      link.rel = "stylesheet";
      link.href = new URL(`/styles/${name}.css`, location.href).href;
      return link;
    });
    const there = Promise.all(links.map((link) => new Promise((done) => (link.onload = link.onerror = done))));
    inside.head.replaceChildren(...links);
    void there.then(() => {
      root.hidden = false;
      sizeChanged();
    });
  }

  disconnectedCallback() {
    this.#root = null;
  }

  #draw() {
    if (this.#root) render(this.#scene, this.#root);
  }
}

customElements.define("scene-preview", ScenePreview);
