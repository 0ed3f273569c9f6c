// Facts fold into the view: each replaces a slice. Joining anew gives the same view.

/** @import { Comment, CommentId, Fact, TurnId, View } from "../../generated/protocol.ts" */

/** @param {View} view @param {Fact[]} facts @returns {View} */
export function applyFacts(view, facts) {
  return facts.reduce(applyFact, view);
}

/** @param {View} view @param {Fact} fact @returns {View} */
export function applyFact(view, fact) {
  switch (fact.kind) {
    case "sites": return { ...view, sites: fact.sites };
    case "agenda": return { ...view, agenda: fact.agenda };
    case "floor": return { ...view, floor: fact.floor };
    case "stage": return { ...view, stage: fact.stage };
    case "comment": return { ...view, feed: withComment(view.feed, fact.comment) };
    case "comment_gone": return { ...view, feed: withoutComment(view.feed, fact.comment) };
    case "seats": return { ...view, seats: fact.seats };
    case "attendance": return { ...view, attendance: fact.attendance };
    case "prompts": return { ...view, prompts: fact.prompts };
    case "speech": return { ...view, speeches: [...withoutSpeech(view, fact.speech.turn), fact.speech].sort((a, b) => a.turn - b.turn) };
    case "speech_gone": return { ...view, speeches: withoutSpeech(view, fact.turn) };
    case "door": return { ...view, door: fact.door };
    default: return unreachable(fact);
  }
}

/** @param {View} view @param {TurnId} turn */
const withoutSpeech = ({ speeches }, turn) => speeches.filter((each) => each.turn !== turn);

/** A comment keeps its place by its number; one that comes back after being held does too. @param {Comment[]} feed @param {Comment} comment */
function withComment(feed, comment) {
  const before = feed.filter((each) => each.id < comment.id);
  const after = feed.filter((each) => each.id > comment.id);
  return [...before, comment, ...after];
}

/** @param {Comment[]} feed @param {CommentId} id */
function withoutComment(feed, id) {
  return feed.filter((each) => each.id !== id);
}

/** A new kind of fact breaks the type check here until it is handled. @param {never} fact @returns {never} */
function unreachable(fact) {
  throw new Error(`unknown fact ${JSON.stringify(fact)}`);
}
