// What a person is typing survives a reload: fields are restored when they first appear and kept at every key.

import { Directive, directive } from "../../vendor/directive.js";
import { noChange } from "../../vendor/lit-html.js";

const key = (/** @type {string} */ name) => `diemcau.typed.${location.pathname}.${name}`;

class Keep extends Directive {
  #name = "";

  /** @param {{ element: HTMLInputElement | HTMLTextAreaElement }} part @param {[string]} args */
  update({ element }, [name]) {
    if (this.#name !== "") return noChange;
    this.#name = name;
    element.value = sessionStorage.getItem(key(name)) ?? "";
    element.addEventListener("input", () => sessionStorage.setItem(key(name), element.value));
    return noChange;
  }
}

/** `<textarea ${keep("comment")}>` */
export const keep = directive(Keep);

/** Words that were sent and not taken stand again where they were typed, before what was typed since. @param {string} name @param {string} text */
export function putBack(name, text) {
  if (text === "") return;
  const typed = sessionStorage.getItem(key(name)) ?? "";
  const words = typed === "" ? text : `${text}\n\n${typed}`;
  sessionStorage.setItem(key(name), words);
  for (const field of document.getElementsByName(name)) /** @type {HTMLTextAreaElement} */ (field).value = words;
}

/** @param {string} name */
export const forget = (name) => sessionStorage.removeItem(key(name));
