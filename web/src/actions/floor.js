// What the buttons about the floor do: one function, one frame.

/** @import { ClientCommand, Floor, RequestWords, SpeechType, TurnId } from "../../generated/protocol.ts" */
/** @typedef {(command: ClientCommand) => string} Ask */

import { tidy } from "./words.js";

/** @param {Ask} ask @param {{ speech: SpeechType, delegate: string, topic: string, paragraph: RequestWords["paragraph"] }} form */
export const requestFloor = (ask, form) =>
  ask({ type: "request_floor", words: { ...form, delegate: tidy(form.delegate), topic: tidy(form.topic) } });

/** @param {Ask} ask @param {TurnId} turn */
export const withdrawRequest = (ask, turn) => ask({ type: "withdraw_request", turn });

/** @param {Ask} ask @param {TurnId} turn */
export const acceptRequest = (ask, turn) => ask({ type: "accept_request", turn });

/** @param {Ask} ask @param {TurnId} turn @param {string} [reason] */
export const denyRequest = (ask, turn, reason = "") => ask({ type: "deny_request", turn, reason: tidy(reason) });

/** @param {Ask} ask @param {TurnId} turn @param {TurnId | null} before */
export const moveRequest = (ask, turn, before) => ask({ type: "move_request", turn, before });

/** @param {Ask} ask @param {TurnId} turn */
export const prepare = (ask, turn) => ask({ type: "prepare", turn });

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
