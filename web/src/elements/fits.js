// What is too much for a scene of the wall is set smaller, all of it alike, until it is there as a whole.

import { Directive, directive } from "../../vendor/directive.js";
import { noChange } from "../../vendor/lit-html.js";

const STEP = 0.04;
const LEAST = 0.4;

class Fits extends Directive {
  /** @type {HTMLElement | null} */ #element = null;
  #words = "";

  /** @param {{ element: HTMLElement }} part */
  update({ element }) {
    if (element !== this.#element) {
      this.#element = element;
      // A preview gets its measures after its words.
      new ResizeObserver(() => fit(element)).observe(element);
    }
    // What it holds is drawn after this.
    queueMicrotask(() => this.#look(element));
    return noChange;
  }

  /** Clocks run on without a change of size. @param {HTMLElement} element */
  #look(element) {
    const words = element.textContent?.replace(/\d/g, "") ?? "";
    if (words === this.#words) return;
    this.#words = words;
    fit(element);
    // Letters that no word had before have only now been asked for.
    void element.ownerDocument.fonts.ready.then(() => fit(element));
  }
}

/** @param {HTMLElement} element */
function fit(element) {
  for (let size = 1; size >= LEAST; size -= STEP) {
    element.style.setProperty("--fit", String(size));
    if (element.scrollHeight <= element.clientHeight) return;
  }
}

/** `<main ${fits()}>`: what stands in it scales by `--fit`. */
export const fits = directive(Fits);
