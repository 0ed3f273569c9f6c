// What a person is typing survives a reload: fields are restored when they first appear and kept at every key.

import { Directive, directive } from "../../vendor/directive.js";
import { noChange } from "../../vendor/lit-html.js";

/** Another link pasted into the tab is another seat, which gets nothing of this one's. @param {string} what */
export const own = (what) => `diemcau.${what}.${sessionStorage.getItem(`diemcau.token.${location.pathname.replace(/\/$/, "")}`)}`;
const key = (/** @type {string} */ name) => own(`typed.${name}`);

class Keep extends Directive {
  #name = "";

  /** @param {{ element: HTMLInputElement | HTMLTextAreaElement }} part @param {[string]} args */
  update({ element }, [name]) {
    if (this.#name !== "") return noChange;
    this.#name = name;
    element.value = typed(name);
    element.addEventListener("input", () => sessionStorage.setItem(key(name), element.value));
    return noChange;
  }
}

/** `<textarea ${keep("comment")}>` */
export const keep = directive(Keep);

/** What stands in a field, whether that is shown now or not. @param {string} name */
export const typed = (name) => sessionStorage.getItem(key(name)) ?? "";

/** Words stand again where they were typed. @param {string} name @param {string} text */
export function putBack(name, text) {
  sessionStorage.setItem(key(name), text);
  for (const field of document.getElementsByName(name)) /** @type {HTMLTextAreaElement} */ (field).value = text;
}

/** @param {string} name */
export const forget = (name) => sessionStorage.removeItem(key(name));
