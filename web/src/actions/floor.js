// What the buttons about the floor do: one function, one frame.

/** @import { ClientCommand, Floor, ItemId, Readiness, RequestWords, SpeechType, TurnId } from "../../generated/protocol.ts" */
/** @typedef {(command: ClientCommand) => string} Ask */

import { tidy } from "./words.js";

/** @param {Ask} ask @param {{ speech: SpeechType, delegate: string, title: string, topic: string, paragraph: RequestWords["paragraph"], minutes: number | null, about: TurnId | null, item: ItemId | null }} form In which item it was written: it may wait for the link. */
export const requestFloor = (ask, { minutes, about, item, ...form }) =>
  ask({ type: "request_floor", words: { ...form, delegate: tidy(form.delegate), title: tidy(form.title), topic: tidy(form.topic), ...(minutes && { minutes }) }, ...(about && { about }), ...(item && { item }) });

/** @param {Ask} ask @param {TurnId} turn */
export const withdrawRequest = (ask, turn) => ask({ type: "withdraw_request", turn });

/** @param {Ask} ask @param {TurnId} turn */
export const acceptRequest = (ask, turn) => ask({ type: "accept_request", turn });

/** @param {Ask} ask @param {TurnId} turn @param {string} [reason] */
export const denyRequest = (ask, turn, reason = "") => ask({ type: "deny_request", turn, reason: tidy(reason) });

/** @param {Ask} ask @param {TurnId} turn @param {TurnId | null} before */
export const moveRequest = (ask, turn, before) => ask({ type: "move_request", turn, before });

/** Who is to be called next, and after that. @param {Ask} ask @param {TurnId[]} turns */
export const stage = (ask, turns) => ask({ type: "stage", turns });

/** @param {Ask} ask @param {TurnId} turn @param {Readiness} ready */
export const setReady = (ask, turn, ready) => ask({ type: "set_ready", turn, ready });

/** @param {Ask} ask @param {TurnId} turn */
export const undo = (ask, turn) => ask({ type: "undo", turn });

/** @param {Ask} ask @param {TurnId} turn */
export const keepTurn = (ask, turn) => ask({ type: "keep_turn", turn });

/** @param {Ask} ask @param {boolean} on */
export const setPriority = (ask, on) => ask({ type: "set_priority", on });

/** @param {Ask} ask */
export const closeMicrophones = (ask) => ask({ type: "close_microphones" });

/** @param {Ask} ask */
export const openMicrophones = (ask) => ask({ type: "open_microphones" });

/** The call is given back: the request waits where it did. @param {Ask} ask @param {TurnId} turn */
export const returnCall = (ask, turn) => ask({ type: "return_call", turn });

/** @param {Ask} ask */
export const takeChair = (ask) => ask({ type: "take_chair" });

/** @param {Ask} ask */
export const returnChair = (ask) => ask({ type: "return_chair" });

/** Says whom the console believes to speak and to be next: two consoles may press at once. @param {Ask} ask @param {Floor} floor @param {TurnId} expect */
export const grantNext = (ask, floor, expect) => ask({ type: "grant_next", after: floor.turn?.turn ?? null, expect });

/** @param {Ask} ask @param {Floor} floor @param {TurnId} turn */
export const grant = (ask, floor, turn) => ask({ type: "grant", after: floor.turn?.turn ?? null, turn });

/** @param {Ask} ask @param {TurnId} turn */
export const pauseTurn = (ask, turn) => ask({ type: "pause_turn", turn });

/** @param {Ask} ask @param {TurnId} turn */
export const resumeTurn = (ask, turn) => ask({ type: "resume_turn", turn });

/** @param {Ask} ask @param {TurnId} turn @param {number} minutes */
export const extendTurn = (ask, turn, minutes) => ask({ type: "extend_turn", turn, minutes });

/** @param {Ask} ask @param {TurnId} turn */
export const endTurn = (ask, turn) => ask({ type: "end_turn", turn });

/** @param {Ask} ask @param {TurnId} turn */
export const revokeTurn = (ask, turn) => ask({ type: "revoke_turn", turn });

/** @param {Ask} ask @param {boolean} open */
export const setList = (ask, open) => ask({ type: "set_list", open });

/** @param {Ask} ask @param {boolean} open */
export const setHallMicrophone = (ask, open) => ask({ type: "set_hall_microphone", open });
