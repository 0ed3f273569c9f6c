// A dialog that is drawn is open. Esc closes it and never acts.

import { Directive, directive } from "../../vendor/directive.js";
import { noChange } from "../../vendor/lit-html.js";

class Modal extends Directive {
  /** @param {{ element: HTMLDialogElement }} part */
  update(part) {
    queueMicrotask(() => {
      if (part.element.isConnected && !part.element.open) part.element.showModal();
    });
    return noChange;
  }
}

/** `<dialog ${modal()}>` */
export const modal = directive(Modal);
