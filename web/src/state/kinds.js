// The kinds of speech: what each may do, as the server's table says.

/** @import { SpeechType, View } from "../../generated/protocol.ts" */

/** @param {View} view @param {SpeechType} speech */
export const rightsOf = (view, speech) => view.fixed.kinds.find((kind) => kind.speech === speech)?.rights ?? null;
