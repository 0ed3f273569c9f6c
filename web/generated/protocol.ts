// The frames between server and browser. Written from Rust by `cargo xtask generate`; do not edit.

export type ClientFrame = { "type": "join", protocol: number, token: string, } | { "type": "proof", device: DeviceProof | null, pin: string | null, } | { "type": "ping", sent: number, } | { "type": "command", id: string, command: ClientCommand, } | { "type": "uplink_offer", sdp: string, } | { "type": "presentation_offer", sdp: string, } | { "type": "open_downlink", } | { "type": "downlink_answer", sdp: string, } | { "type": "downlink_offer", sdp: string, } | { "type": "screen", slots: ScreenSlots, } | { "type": "listen", sound: boolean, } | { "type": "acknowledge_health", alarm: HealthId, };

export type ClientCommand = { "type": "start_item", item: ItemId, waiting?: Waiting, } | { "type": "finish_item", item: ItemId, } | { "type": "next_item", after: ItemId | null, expect: ItemId, waiting?: Waiting, } | { "type": "start_break", minutes: number, } | { "type": "end_break", } | { "type": "move_item", item: ItemId, before: ItemId | null, } | { "type": "set_list", open: boolean, } | { "type": "request_floor", words: RequestWords, 
/**
 * The item that was running when the words were written: they may have waited for a link, and are refused when
 * another item's list is open by then.
 */
item?: ItemId, 
/**
 * The speech that a reply, question or response hangs under, of this item; without it the one at hand.
 */
about?: TurnId, } | { "type": "withdraw_request", turn: TurnId, } | { "type": "accept_request", turn: TurnId, } | { "type": "deny_request", turn: TurnId, reason: string, } | { "type": "move_request", turn: TurnId, before: TurnId | null, } | { "type": "stage", turns: Array<TurnId>, } | { "type": "set_ready", turn: TurnId, ready: Readiness, } | { "type": "grant_next", after: TurnId | null, expect: TurnId, } | { "type": "grant", after: TurnId | null, turn: TurnId, } | { "type": "undo", turn: TurnId, } | { "type": "pause_turn", turn: TurnId, } | { "type": "resume_turn", turn: TurnId, } | { "type": "extend_turn", turn: TurnId, minutes: number, } | { "type": "keep_turn", turn: TurnId, } | { "type": "end_turn", turn: TurnId, } | { "type": "return_call", turn: TurnId, } | { "type": "revoke_turn", turn: TurnId, } | { "type": "set_hall_microphone", open: boolean, } | { "type": "set_priority", on: boolean, } | { "type": "close_microphones", } | { "type": "open_microphones", } | { "type": "take_chair", } | { "type": "return_chair", } | { "type": "start_roll_call", } | { "type": "call_next_site", after: SiteId, } | { "type": "call_site", site: SiteId, } | { "type": "pass_over_site", site: SiteId, } | { "type": "end_roll_call", } | { "type": "set_headcount", site: SiteId, headcount: Headcount, } | { "type": "prompt_site", site: SiteId, prompt: PromptKind, } | { "type": "prompt_desks", prompt: PromptKind, } | { "type": "handle_prompt", prompt: PromptId, } | { "type": "set_blank", on: boolean, } | { "type": "set_layout", layout: Layout, } | { "type": "preview_layout", layout: Layout | null, } | { "type": "take_preview", expect: Layout, } | { "type": "set_notice", text: string, } | { "type": "show_paragraph", at: ParagraphRef | null, } | { "type": "set_spotlight", site: SiteId | null, } | { "type": "set_carousel", seconds: number | null, } | { "type": "set_page", page: number, } | { "type": "ask_to_present", } | { "type": "let_present", seat: SeatId, } | { "type": "end_presentation", seat: SeatId, } | { "type": "post_comment", kind: CommentKind, words: CommentWords, } | { "type": "hold_comment", comment: CommentId, } | { "type": "publish_comment", comment: CommentId, } | { "type": "withdraw_comment", comment: CommentId, } | { "type": "revoke_seat", seat: SeatId, } | { "type": "admit_device", wait: WaitId, } | { "type": "refuse_device", wait: WaitId, ban: boolean, } | { "type": "expel_seat", seat: SeatId, ban: boolean, } | { "type": "restore_seat", seat: SeatId, } | { "type": "allow_device", device: DeviceId, };

export type DeviceProof = { 
/**
 * The public key: a point of P-256, uncompressed (65 bytes), base64url without padding.
 */
key: string, 
/**
 * ECDSA with SHA-256 over [`crate::signed`], `r` and `s` of 32 bytes each, base64url without padding.
 */
signature: string, };

export type ServerFrame = { "type": "prove", 
/**
 * 32 random bytes, base64url, for this connection only.
 */
challenge: string, 
/**
 * Whether a PIN is asked of a device that the seat does not know.
 */
pin: boolean, 
/**
 * No PIN is looked at for so long: too many were wrong.
 */
locked_ms: number, } | { "type": "waiting", 
/**
 * Four digits; chair and technician see the same.
 */
code: string, 
/**
 * The conference's title.
 */
title: string, 
/**
 * The seat's site; null for a seat without one.
 */
site: string | null, 
/**
 * What people call the seat.
 */
label: string, } | { "type": "welcome", 
/**
 * Who this connection is.
 */
me: Me, 
/**
 * The last event the view contains.
 */
seq: number, 
/**
 * The server's clock.
 */
now: Millis, 
/**
 * Everything this viewer sees.
 */
view: View, } | { "type": "facts", 
/**
 * The event as of which they are told. It never falls from frame to frame, but that comments may come to
 * observers after facts of a later event.
 */
seq: number, 
/**
 * The server's clock at the decision.
 */
now: Millis, 
/**
 * Each replaces a slice of the view.
 */
facts: Array<Fact>, } | { "type": "ok", 
/**
 * The command's id.
 */
id: string, 
/**
 * Its last event.
 */
seq: number, } | { "type": "refused", 
/**
 * The command's id.
 */
id: string, 
/**
 * Why.
 */
why: Refusal, 
/**
 * The same in English, for logs.
 */
text: string, } | { "type": "error", 
/**
 * Why.
 */
why: ErrorWhy, 
/**
 * The command's id, when one could be read.
 */
id: string | null, 
/**
 * The same in English.
 */
text: string, 
/**
 * Whether the server closes the connection now.
 */
fatal: boolean, } | { "type": "pong", 
/**
 * As it came.
 */
sent: number, 
/**
 * The server's clock.
 */
now: Millis, } | { "type": "uplink_answer", sdp: string, } | { "type": "presentation_answer", sdp: string, } | { "type": "downlink_answer", sdp: string, } | { "type": "downlink_offer", sdp: string, } | { "type": "slots", video: Array<SiteId | null>, step: LinkStep, } | { "type": "media_failed", side: Side, reason: string, } | { "type": "telemetry", sites: Array<SiteTelemetry>, 
/**
 * Connections of the chair's seats: with none, the deputy may have to take the chair.
 */
chairs: number, } | { "type": "alarms", alarms: Array<Alarm>, } | { "type": "health", alarms: Array<HealthAlarm>, } | { "type": "stopping" };

export type Fact = { "kind": "sites", sites: Array<SiteLink>, } | { "kind": "agenda", agenda: Agenda, } | { "kind": "floor", floor: Floor, } | { "kind": "stage", stage: StageView, } | { "kind": "comment", comment: Comment, } | { "kind": "comment_gone", comment: CommentId, } | { "kind": "seats", seats: Array<SeatView>, } | { "kind": "attendance", attendance: Attendance, } | { "kind": "prompts", prompts: Array<Prompt>, } | { "kind": "speech", speech: Speech, } | { "kind": "speech_gone", turn: TurnId, } | { "kind": "door", door: Door, };

export type Me = { 
/**
 * The seat.
 */
seat: SeatId, 
/**
 * Its role.
 */
role: Role, 
/**
 * Its site.
 */
site: SiteId | null, 
/**
 * What its machine carries.
 */
carries: Carries, 
/**
 * What people call it.
 */
label: string, };

export type ErrorWhy = "malformed" | "too_large" | "not_admitted" | "revoked" | "expelled" | "not_let_in" | "lobby_full" | "replaced" | "join_first" | "wrong_protocol" | "too_fast" | "storage_failed" | "server_fault" | "media_refused" | "no_such_alarm" | "not_for_this_seat";

export type SiteTelemetry = { 
/**
 * The site.
 */
site: SiteId, 
/**
 * Connections of its seats that are open now.
 */
connections: number, 
/**
 * How good its link is, as bars beside its name: 0 none, 1 weak (a limit of the settings is passed), 4 best.
 */
bars: number, 
/**
 * Which of its figures are past their limits in this very second; an alarm is what lasts.
 */
bad: Array<HealthKind>, 
/**
 * Figures of the endpoint that carries it; null while none does.
 */
link: LinkStats | null, };

export type HealthAlarm = { 
/**
 * Its number: an alarm that ends and comes again is another one.
 */
alarm: HealthId, 
/**
 * The site.
 */
site: SiteId, 
/**
 * What is wrong.
 */
kind: HealthKind, 
/**
 * Since when it has been wrong, on the server's clock.
 */
since: Millis, 
/**
 * The latest figure past its limit: percent for `loss` and `loss_down`; milliseconds for `round_trip` and `jitter`; frames a second
 * for `few_frames`; times in ten seconds for `freezes`; dBov for `silent` (null when no sound comes at all) and
 * `clipping`; null for the others.
 */
value: number | null, 
/**
 * The limit of the settings, in the same unit.
 */
limit: number | null, 
/**
 * For `less_shown`: what the link makes of the site's screen.
 */
step: LinkStep | null, 
/**
 * Who sees to it; null while nobody has said so.
 */
acknowledged: Acknowledged | null, };

export type Acknowledged = { 
/**
 * The seat that said so.
 */
seat: SeatId, 
/**
 * What people call the seat.
 */
by: string, 
/**
 * When, on the server's clock.
 */
at: Millis, };

export type View = { 
/**
 * What never changes.
 */
fixed: Fixed, 
/**
 * The sites' links, in protocol order.
 */
sites: Array<SiteLink>, 
/**
 * The agenda, in its present order.
 */
agenda: Agenda, 
/**
 * Who has the floor and who waits.
 */
floor: Floor, 
/**
 * What the big screens show and who is heard.
 */
stage: StageView, 
/**
 * The comments this viewer may see, in the order of their numbers.
 */
feed: Array<Comment>, 
/**
 * Seats; empty for those who do not manage them.
 */
seats: Array<SeatView>, 
/**
 * Who is present, and the roll call.
 */
attendance: Attendance, 
/**
 * Private prompts between desks and sites; a site sees its own.
 */
prompts: Array<Prompt>, 
/**
 * The speeches that are over, in the order of their numbers.
 */
speeches: Array<Speech>, 
/**
 * Who waits at the door; empty for those who let nobody in.
 */
door: Door, };

export type Fixed = { 
/**
 * Title of the conference.
 */
title: string, 
/**
 * Who convenes it.
 */
organizer: string, 
/**
 * Minutes after midnight, local time, at which it is to begin; null: planned times count from its beginning.
 */
starts: number | null, 
/**
 * Sites in protocol order.
 */
sites: Array<Site>, 
/**
 * Drafts under comment.
 */
drafts: Array<Draft>, 
/**
 * The kinds of speech with their rights, in the order of their ranks.
 */
kinds: Array<Kind>, };

export type SiteLink = { 
/**
 * The site.
 */
site: SiteId, 
/**
 * The endpoint that carries it now; none while its link is lost or not yet made.
 */
carrier: EndpointKind | null, 
/**
 * Since when it is so; null before it was ever linked.
 */
since: Millis | null, };

export type Agenda = { 
/**
 * The running item.
 */
current: ItemId | null, 
/**
 * The item that comes next; null when none is left.
 */
next: ItemId | null, 
/**
 * All items in their present order.
 */
items: Array<Item>, 
/**
 * The break that is on; null while none is.
 */
on_break: Break | null, };

export type Item = { 
/**
 * Its number as planned.
 */
id: ItemId, 
/**
 * The item it is a part of.
 */
part_of: ItemId | null, 
/**
 * Percent of `quorum_base` that must be there for it; null: no quorum is asked.
 */
quorum_percent: number | null, 
/**
 * Of what that is a share.
 */
quorum_base: QuorumBase, 
/**
 * Its title.
 */
title: string, 
/**
 * At most 24 characters, for narrow columns; the title where none was given.
 */
short: string, 
/**
 * What happens in it.
 */
kind: ItemKind, 
/**
 * Who presents it.
 */
presenter: string, 
/**
 * Planned minutes.
 */
minutes: number, 
/**
 * How turns run in it.
 */
turns: TurnRules, 
/**
 * The drafts it is about.
 */
drafts: Array<DraftId>, 
/**
 * When it began.
 */
started: Millis | null, 
/**
 * When it was finished.
 */
finished: Millis | null, 
/**
 * Milliseconds between its end and its being opened again: no time of the item.
 */
idle_ms: number, };

export type Floor = { 
/**
 * Whether the list takes requests.
 */
open: boolean, 
/**
 * The turn that has the floor: the one everybody looks at.
 */
turn: Turn | null, 
/**
 * Further turns: open microphones of an open discussion, and the speech a question was put into.
 */
others: Array<Turn>, 
/**
 * Accepted requests in the order of the list; each says why it stands there.
 */
queue: Array<Request>, 
/**
 * Requests waiting for the chair's word. Desks see all, a site its own, others none.
 */
pending: Array<Request>, 
/**
 * Requests kept with another item, until it is taken up again. Pending ones as above.
 */
kept: Array<Kept>, 
/**
 * The requests told to prepare, at most two of `queue`, in its order.
 */
on_deck: Array<TurnId>, 
/**
 * What `grant_next` does now; null when there is nobody to call.
 */
next: Next | null, 
/**
 * Who was staged to be called next.
 */
staged: Array<TurnId>, 
/**
 * Whether the hall's own microphone is open.
 */
hall_microphone: boolean, 
/**
 * Whether the chair closed the microphones that else would open by themselves: in an open discussion, or the called
 * site's.
 */
microphones_closed: boolean, 
/**
 * Whether the chair holds the priority key: nobody but the hall is heard.
 */
priority: boolean, 
/**
 * How the last turn ended. Desks see it, and its own site.
 */
last: LastTurn | null, 
/**
 * Requests that were not taken, the last of each site. Desks see all, a site its own.
 */
denied: Array<Denied>, 
/**
 * What each site used of each item, speeches that are over.
 */
used: Array<Used>, 
/**
 * The chair's last step, which can be undone until the moment it says. Chairs and deputies only.
 */
undo: Undo | null, 
/**
 * The deputy who has the chair in the chair's place; null: the chair has it.
 */
deputy: Deputy | null, };

export type Request = { 
/**
 * Its id.
 */
turn: TurnId, 
/**
 * The site.
 */
site: SiteId, 
/**
 * Who, on what.
 */
words: RequestWords, 
/**
 * The speech it replies to.
 */
about: TurnId | null, 
/**
 * When the server took it.
 */
at: Millis, 
/**
 * Why it stands where it does; null while it is pending.
 */
why: Why | null, 
/**
 * Whether its site is there.
 */
ready: Readiness, 
/**
 * When its site's microphone was heard, on the link it has now, while it was told to prepare; null before.
 */
heard: Millis | null, };

export type Turn = { 
/**
 * Its id.
 */
turn: TurnId, 
/**
 * The site.
 */
site: SiteId, 
/**
 * Who, on what.
 */
words: RequestWords, 
/**
 * The speech it replies to.
 */
about: TurnId | null, 
/**
 * When it was granted.
 */
started: Millis, 
/**
 * Milliseconds allotted, extensions included.
 */
allotted_ms: number, 
/**
 * Milliseconds used before `running_since`.
 */
used_ms: number, 
/**
 * Since when the clock runs; null while it stands.
 */
running_since: Millis | null, 
/**
 * The chair paused it.
 */
paused: boolean, 
/**
 * The site's link is lost.
 */
held: boolean, 
/**
 * A question was put in between.
 */
interrupted: boolean, 
/**
 * The chair holds the priority key.
 */
silenced: boolean, 
/**
 * The item's rule closed its microphone.
 */
muted: boolean, 
/**
 * When the turn of a site whose link is lost ends by itself; null: not, or the chair waits as long as it takes.
 */
away_until: Millis | null, 
/**
 * The last warning given, in seconds left; 0 when time is used up; null before the first.
 */
warned_s: number | null, };

export type LastTurn = { 
/**
 * The turn.
 */
turn: TurnId, 
/**
 * Its site.
 */
site: SiteId, 
/**
 * How it ended.
 */
how: TurnEnd, };

export type StageView = { 
/**
 * The layout.
 */
layout: Layout, 
/**
 * The layout laid ready by chair or technician.
 */
preview: Layout | null, 
/**
 * The text of the notice layout.
 */
notice: string, 
/**
 * The paragraph of the document layout.
 */
paragraph: ParagraphRef | null, 
/**
 * Whether somebody chose that paragraph, instead of following the speech.
 */
paragraph_chosen: boolean, 
/**
 * The picture somebody fixed as the programme.
 */
spotlight: Spotlight | null, 
/**
 * Seconds of each picture of the carousel; null while it stands.
 */
carousel: number | null, 
/**
 * The page of the grid, from 0, and how many there are.
 */
page: number, 
/**
 * Pages of the grid.
 */
pages: number, 
/**
 * Tile `k` of every screen shows `tiles[k]`; the hall first.
 */
tiles: Array<SiteId>, 
/**
 * Sites whose microphone is open.
 */
heard: Array<SiteId>, 
/**
 * The site whose picture is the programme.
 */
programme: SiteId | null, 
/**
 * The sites told to prepare.
 */
on_deck: Array<SiteId>, 
/**
 * Dải tên; null when the programme is nobody's speech.
 */
lower_third: LowerThird | null, 
/**
 * Trình chiếu: the screen or window that is shown where the paragraph would be.
 */
presentation: PresentationView | null, 
/**
 * Who asked to present, in the order of asking.
 */
presentation_asks: Array<PresentationAsk>, };

export type LowerThird = { 
/**
 * The site.
 */
site: SiteId, 
/**
 * Who speaks; may be empty, then the site's name is the first line.
 */
delegate: string, 
/**
 * The speaker's title and unit; may be empty.
 */
title: string, 
/**
 * On what; may be empty.
 */
topic: string, };

export type Comment = { 
/**
 * Its number.
 */
id: CommentId, 
/**
 * The site it comes from.
 */
site: SiteId, 
/**
 * What kind.
 */
kind: CommentKind, 
/**
 * Where and what.
 */
words: CommentWords, 
/**
 * When the server took it.
 */
at: Millis, 
/**
 * Whether it is held: seen by desks and its own site only.
 */
held: boolean, };

export type SeatView = { 
/**
 * Its id.
 */
id: SeatId, 
/**
 * Its role.
 */
role: Role, 
/**
 * Its site.
 */
site: SiteId | null, 
/**
 * What its machine carries.
 */
carries: Carries, 
/**
 * What people call it.
 */
label: string, 
/**
 * Whether its link was revoked.
 */
revoked: boolean, 
/**
 * Whether it was asked to leave, and nobody was let in since.
 */
expelled: boolean, 
/**
 * Whether whoever it does not know waits at the door, also the first, also where the link opens for everybody.
 */
guarded: boolean, 
/**
 * Whether the link opens for devices it knows only.
 */
bound: boolean, 
/**
 * How many devices it knows.
 */
devices: number, };

export type Used = { 
/**
 * The item.
 */
item: ItemId, 
/**
 * The site.
 */
site: SiteId, 
/**
 * Speeches.
 */
turns: number, 
/**
 * Milliseconds they took.
 */
ms: number, };

export type Undo = { 
/**
 * What was done.
 */
step: StepKind, 
/**
 * The request it was done to.
 */
turn: TurnId, 
/**
 * Its site.
 */
site: SiteId, 
/**
 * Until when it can be undone.
 */
until: Millis, };

export type Kept = { 
/**
 * The item it waits for.
 */
item: ItemId, 
/**
 * Its id.
 */
turn: TurnId, 
/**
 * The site.
 */
site: SiteId, 
/**
 * Who, on what.
 */
words: RequestWords, 
/**
 * When the server took it.
 */
at: Millis, };

export type Kind = { 
/**
 * Which.
 */
speech: SpeechType, 
/**
 * What it may do in the list.
 */
rights: Precedence, };

export type Break = { 
/**
 * When it began.
 */
since: Millis, 
/**
 * Until when it was announced; it lasts until somebody goes on.
 */
until: Millis, };

export type Speech = { 
/**
 * Its id.
 */
turn: TurnId, 
/**
 * The site that spoke.
 */
site: SiteId, 
/**
 * In which item.
 */
item: ItemId, 
/**
 * Who, on what.
 */
words: RequestWords, 
/**
 * The speech it replied to.
 */
about: TurnId | null, 
/**
 * When it was granted.
 */
started: Millis, 
/**
 * When it was over.
 */
ended: Millis, 
/**
 * Milliseconds it took by its clock.
 */
used_ms: number, 
/**
 * How it ended; null for those who are not told: desks see it, and its own site.
 */
how: TurnEnd | null, };

export type Deputy = { 
/**
 * Its seat.
 */
seat: SeatId, 
/**
 * What people call it.
 */
label: string, };

export type Spotlight = { 
/**
 * Whose picture.
 */
site: SiteId, 
/**
 * Who fixed it, as people call that seat.
 */
by: string, };

export type PresentationView = { 
/**
 * Whose machine sends it.
 */
seat: SeatId, 
/**
 * For which site.
 */
site: SiteId, 
/**
 * As people call that seat.
 */
by: string, 
/**
 * Since when.
 */
since: Millis, };

export type PresentationAsk = { 
/**
 * Which.
 */
seat: SeatId, 
/**
 * As people call it.
 */
by: string, 
/**
 * Since when.
 */
at: Millis, };

export type Attendance = { 
/**
 * The site that is called; null while no roll is called.
 */
calling: SiteId | null, 
/**
 * Since when.
 */
since: Millis | null, 
/**
 * Every site is called in turn; else the called one alone.
 */
walks: boolean, 
/**
 * Every site in protocol order.
 */
sites: Array<SiteAttendance>, 
/**
 * All sites together: those who did not report count as summoned only.
 */
summoned: number, 
/**
 * Có mặt trực tiếp.
 */
present: number, 
/**
 * Có mặt trực tuyến.
 */
online: number, 
/**
 * Whether enough are there for the running item; null when it asks for no quorum.
 */
quorum: Quorum | null, };

export type SiteAttendance = { 
/**
 * The site.
 */
site: SiteId, 
/**
 * What it reported; null before it did. Who is absent is told to the desks and the site itself.
 */
headcount: Headcount | null, 
/**
 * How its call ended; null before.
 */
how: CallEnd | null, 
/**
 * When its call ended.
 */
at: Millis | null, 
/**
 * What was measured when it was first heard in the call.
 */
heard: Heard | null, };

export type Prompt = { 
/**
 * Its number.
 */
id: PromptId, 
/**
 * The site it is to or from.
 */
site: SiteId, 
/**
 * What it says; says also which way it goes.
 */
kind: PromptKind, 
/**
 * When.
 */
at: Millis, 
/**
 * When it was seen to; null before.
 */
handled: Millis | null, };

export type Door = { 
/**
 * Devices that wait to be let in, in the order of their coming.
 */
waiting: Array<Visitor>, 
/**
 * Devices that are shut out.
 */
banned: Array<BannedDevice>, };

export type Visitor = { 
/**
 * Its number, for `admit_device` and `refuse_device`.
 */
wait: WaitId, 
/**
 * Whose link it brings; the seats say what people call it.
 */
seat: SeatId, 
/**
 * Four digits; the device shows the same.
 */
code: string, 
/**
 * Whether it has a key: without one it waits at every start.
 */
has_key: boolean, 
/**
 * Since when.
 */
at: Millis, };

export type BannedDevice = { 
/**
 * The device, for `allow_device`.
 */
device: DeviceId, 
/**
 * With whose link it had come.
 */
seat: SeatId, 
/**
 * When it was shut out.
 */
at: Millis, };

export type QueueMode = { "mode": "chair_picks" } | { "mode": "in_order" } | { "mode": "round_of_sites" } | { "mode": "least_time" } | { "mode": "by_document" } | { "mode": "open", 
/**
 * 1 to 3.
 */
microphones: number, };

export type Next = { "does": "call", 
/**
 * The request.
 */
turn: TurnId, } | { "does": "take_up", 
/**
 * The speech.
 */
turn: TurnId, };

export type Precedence = { 
/**
 * Its place among the kinds: a lower one stands before a higher one, whatever the item's order.
 */
rank: number, 
/**
 * It is taken though the list is closed.
 */
though_closed: boolean, 
/**
 * It hangs under a speech: the one that has the floor, or the last one.
 */
under_a_speech: boolean, 
/**
 * Called while somebody speaks whose kind ranks behind it, it is put in between: the speech stands, and goes on
 * afterwards. It takes the place of what was put in between and does not rank behind it.
 */
interposes: boolean, };

export type Quorum = { 
/**
 * Of what it is a share.
 */
base: QuorumBase, 
/**
 * The share in percent.
 */
percent: number, 
/**
 * Sites or persons there are.
 */
of: number, 
/**
 * Of them, there now: persons present in person or online; sites where anybody is.
 */
there: number, 
/**
 * Whether that is enough.
 */
reached: boolean, };

export type QuorumBase = "summoned" | "sites";

export type Why = { "why": "staged" } | { "why": "chair" } | { "why": "precedence" } | { "why": "arrival" } | { "why": "round", 
/**
 * Turns had, and waiting before this one.
 */
turns: number, } | { "why": "least_time", 
/**
 * Milliseconds, counting what waits before this one as if it took its time.
 */
used_ms: number, } | { "why": "document" };

export type Readiness = "unknown" | "ready" | "not_ready";

export type Waiting = "keep" | "clear" | "carry";

export type StepKind = "moved" | "denied" | "called";

export type Headcount = { 
/**
 * Triệu tập.
 */
summoned: number, 
/**
 * Có mặt trực tiếp.
 */
present: number, 
/**
 * Có mặt trực tuyến.
 */
online: number, 
/**
 * Who is absent and why; may be empty.
 */
absent: string, };

export type CallEnd = "answered" | "no_answer" | "passed_over";

export type Heard = { 
/**
 * Loudness of its microphone in dBov.
 */
level_dbov: number, 
/**
 * Round-trip time in milliseconds; none when not known.
 */
rtt_ms: number | null, 
/**
 * Packets lost, in tenths of a percent.
 */
loss_permille: number, 
/**
 * When.
 */
at: Millis, };

export type PromptKind = "near_microphone" | "slower" | "one_minute_left" | "prepare" | "need_help" | "cannot_hear" | "cannot_see";

export type Denied = { 
/**
 * The request.
 */
turn: TurnId, 
/**
 * Its site.
 */
site: SiteId, 
/**
 * In the chair's words; may be empty.
 */
reason: string, 
/**
 * Nobody denied it: its item was over.
 */
item_over: boolean, };

export type Site = { 
/**
 * Its id; equals its place in protocol order.
 */
id: SiteId, 
/**
 * The full name, as on a letter.
 */
name: string, 
/**
 * At most 16 characters, for tiles and chips, with the level left out.
 */
short: string, 
/**
 * The level as people say it ("TP", "Huyện", "Xã"): data, never code.
 */
level: string, 
/**
 * Whether this is the main hall.
 */
hall: boolean, 
/**
 * Persons summoned to this site; 0: not known.
 */
summoned: number, };

export type ItemKind = "opening" | "presentation" | "discussion" | "directing" | "decision" | "closing" | "break";

export type TurnRules = { 
/**
 * Minutes of a turn.
 */
minutes: number, 
/**
 * What happens when they are used up.
 */
at_zero: AtZero, 
/**
 * Whether a request waits for the chair's word before it joins the list.
 */
approval: boolean, 
/**
 * In which order the list is called.
 */
queue: QueueMode, };

export type AtZero = { "rule": "warn" } | { "rule": "mute", 
/**
 * Seconds between zero and silence.
 */
grace_seconds: number, } | { "rule": "cut" };

export type Draft = { 
/**
 * Its id.
 */
id: DraftId, 
/**
 * Its title.
 */
title: string, 
/**
 * At most 24 characters, for rows.
 */
short: string, 
/**
 * Its paragraphs; number `n` is at place `n - 1`.
 */
paragraphs: Array<Paragraph>, };

export type Paragraph = { 
/**
 * The number as printed ("I.", "1.", "a)"); may be empty.
 */
label: string, 
/**
 * Whether it is a heading.
 */
heading: boolean, 
/**
 * Its text.
 */
text: string, };

export type SpeechType = "paper" | "contribution" | "reply" | "response" | "question" | "point_of_order" | "directing" | "conclusion";

export type RequestWords = { 
/**
 * What kind of speech.
 */
speech: SpeechType, 
/**
 * Who will speak; may be empty.
 */
delegate: string, 
/**
 * The speaker's title and unit; may be empty.
 */
title?: string, 
/**
 * On what; may be empty.
 */
topic: string, 
/**
 * Which paragraph, if one.
 */
paragraph: ParagraphRef | null, 
/**
 * Minutes asked for, 1 to 120; none: what the item gives.
 */
minutes?: number, };

export type CommentKind = "agree" | "substance" | "wording" | "add" | "delete" | "target" | "recommendation";

export type CommentWords = { 
/**
 * Where.
 */
at: ParagraphRef, 
/**
 * What; never empty.
 */
text: string, 
/**
 * "Đề nghị sửa thành"; may be empty.
 */
proposed: string, 
/**
 * Who says it, with title; may be empty.
 */
delegate: string, };

export type Layout = "waiting" | "grid" | "speaker" | "document" | "notice" | "blank";

export type TurnEnd = "released" | "revoked" | "succeeded" | "time_up" | "item_finished" | "away";

export type Refusal = "not_allowed" | "other_site" | "unknown_item" | "unknown_turn" | "unknown_paragraph" | "unknown_comment" | "carries_nothing" | "unknown_seat" | "stale" | "no_item" | "item_begun" | "no_next_item" | "list_closed" | "queue_full" | "share_used" | "nobody_waiting" | "list_waiting" | "delegate_waits" | "no_speech" | "points_of_order_first" | "staged_first" | "not_linked" | "microphones_full" | "speech_begun" | "roll_call_runs" | "not_called" | "floor_taken" | "other_item" | "priority_held" | "nothing_to_undo" | "deputy_presides" | "not_presiding" | "too_many_present" | "unknown_prompt" | "unknown_site" | "already_so" | "text_too_long" | "text_empty" | "out_of_range" | "unknown_device" | "device_in_use" | "feed_full";

export type SiteId = number;

export type SeatId = number;

export type ItemId = number;

export type TurnId = number;

export type DraftId = number;

export type CommentId = number;

export type PromptId = number;

export type WaitId = number;

export type DeviceId = string;

export type Millis = number;

export type ParagraphRef = { 
/**
 * The draft.
 */
draft: DraftId, 
/**
 * The paragraph's number within the draft, from 1.
 */
paragraph: number, };

export type Role = "chair" | "deputy" | "secretary" | "moderator" | "technician" | "observer" | "stage";

export type Carries = "room" | "standby" | "watch" | "nothing";

export type EndpointKind = "room" | "standby";

export type ScreenSlots = { 
/**
 * Height of the programme picture.
 */
programme: number, 
/**
 * Height of every tile `k`, in protocol order of the sites; missing ones are 0.
 */
tiles: Array<number>, 
/**
 * Height of the presentation.
 */
presentation: number, 
/**
 * The site a desk looks at for itself: while no tile shows it, this client's last tile does. Only for who sees to
 * the installation.
 */
preview?: SiteId, };

export type LinkStats = { 
/**
 * Packets of the uplink that did not arrive, in percent of those expected.
 */
loss_percent: number, 
/**
 * Packets of the downlink that did not arrive the first time, in percent of those the client spoke of; missing while it
 * speaks of none.
 */
down_loss_percent: number | null, 
/**
 * Round-trip time in milliseconds, when known.
 */
rtt_ms: number | null, 
/**
 * How unevenly the sound arrives, in milliseconds (interarrival jitter of RFC 3550, section 6.4.1); missing while no
 * sound does.
 */
jitter_ms: number | null, 
/**
 * Loudness of the microphone in dBov, -127 (silence) to 0, when the sender says it (RFC 6464): the loudest moment.
 */
level_dbov: number | null, 
/**
 * Loudness in dBov that a tenth of the second reached: near 0 it is sound that clips, and not one clap.
 */
loud_dbov: number | null, 
/**
 * Bits received a second from this endpoint.
 */
up_bps: number, 
/**
 * Bits sent a second to this endpoint.
 */
down_bps: number, 
/**
 * Video frames received a second on the best layer.
 */
fps: number, 
/**
 * How often the picture stood still within the last ten seconds (`freezeCount` of W3C's webrtc-stats).
 */
freezes: number, 
/**
 * Bits a second that the link to this endpoint bears, as far as is known: it is taken to be good until it shows
 * otherwise. Missing for a client that does not tell when packets arrive.
 */
bears_bps: number | null, 
/**
 * What the link makes of its screen.
 */
step: LinkStep, };

export type LinkStep = "full" | "fewer_tiles" | "smaller_programme" | "no_presentation" | "sound_only" | "control_only";

export type Side = "uplink" | "downlink" | "presentation";

export type Alarm = "record_fails" | "record_full" | "record_on_mirror" | "record_may_lack" | "record_rebuilt" | "mirror_fails" | "mirror_rebuilt";

export type HealthId = number;

export type HealthKind = "link_lost" | "silent" | "no_sound" | "clipping" | "loss" | "loss_down" | "round_trip" | "jitter" | "few_frames" | "freezes" | "less_shown";
