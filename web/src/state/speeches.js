// Questions about the speeches of the running item.

/** @import { Speech, Turn, View } from "../../generated/protocol.ts" */

import { allTurns } from "./floor.js";

/** What a reply may be about, the speech at hand first: those that have the floor, then those that are over, the last one first. @param {View} view @returns {(Speech | Turn)[]} */
export function speechesHere(view) {
  const over = view.speeches.filter((speech) => speech.item === view.agenda.current);
  return [...allTurns(view.floor), ...over.sort((a, b) => b.ended - a.ended)];
}
