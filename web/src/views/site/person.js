// Who speaks for a site: the name with the title.

/** @import { RequestWords } from "../../../generated/protocol.ts" */

/** @param {RequestWords} words */
export const person = ({ delegate, title }) => [delegate, title ?? ""].filter((part) => part !== "").join(", ");
