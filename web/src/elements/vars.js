// Style values set one by one on the element: an attribute with style text is forbidden by the content policy.

import { Directive, directive } from "../../vendor/directive.js";
import { noChange } from "../../vendor/lit-html.js";

class Vars extends Directive {
  /** @param {{ element: HTMLElement }} part @param {[Record<string, string>]} args */
  update(part, [values]) {
    for (const [name, value] of Object.entries(values)) part.element.style.setProperty(name, value);
    return noChange;
  }
}

/** `<i ${vars({ "--level": "40%" })}>` */
export const vars = directive(Vars);
