//! Laws that hold in every run, whoever asks for what in whatever order.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a law is about some events and lets the others pass"
)]

mod support;

use diemcau_conference::{
    AtZero, Conference, Event, Floor, Next, Place, Precedence, QueueMode, Readiness, SpeechType,
    Turn, Why,
};
use diemcau_model::{SiteId, TurnId, limits};
use std::collections::{BTreeMap, BTreeSet};
use support::{
    chance::{Step, Tally, begin, busy_runs, runs, take},
    room::{Decision, Room, replay},
};

#[test]
fn the_journal_played_again_gives_the_same_conference() {
    runs(|item, steps| {
        let room = run(item, steps);
        assert!(replay(&room.journal) == room.live);
        assert_eq!(room.live.seq(), room.journal.len() as u64);
    });
}

#[test]
fn every_event_survives_being_written_and_read() {
    let seen = Tally::default();
    runs(|item, steps| {
        for event in run(item, steps).journal {
            let written = serde_json::to_string(&event).unwrap();
            let read: Event = serde_json::from_str(&written).unwrap();
            assert_eq!(read, event);
            seen.saw(kind(&event));
        }
    });
    // Runs that never meet a kind of event prove nothing about it. A refusal is written by the hub, not decided.
    let all = "break_ended break_started call_returned called carousel_set carousel_turned chair_taken comment_held comment_posted comment_published \
        comment_withdrawn conference_opened device_admitted device_allowed device_banned device_bound device_gone \
        device_refused device_waits endpoint_linked endpoint_lost floor_requested hall_microphone_set \
        headcount_set item_finished item_moved item_started layout_previewed layout_set list_set microphone_heard microphones_set notice_set \
        paragraph_shown presentation_asked presentation_ended presentation_given priority_set prompt_handled prompted readiness_set request_accepted request_denied \
        request_moved request_withdrawn roll_call_ended roll_call_started seat_expelled seat_restored seat_revoked site_answered site_called \
        site_heard spotlight_set staged step_undone turn_ended turn_extended turn_held turn_interrupted turn_kept \
        turn_muted turn_paused turn_ran_out turn_resumed turn_started turn_taken_up turn_unheld turn_warned";
    assert_eq!(seen.names().join(" "), all);
}

#[test]
fn only_live_speakers_the_called_site_and_the_halls_open_microphone_are_heard() {
    let seen = Tally::default();
    each_decision(|decision| {
        let after = &decision.after;
        let floor = after.floor();
        let hall = after.setup().hall().unwrap();
        let called = after.roll().calling.map(|(site, _)| site);
        let mut may = BTreeSet::new();
        if floor.priority.is_some() {
            may.insert(hall);
            seen.saw("priority");
        } else {
            let live = floor.turns.iter().filter(|turn| turn.is_live());
            may.extend(live.map(|turn| turn.site));
            let linked = |site: &SiteId| after.roster().carrier(*site).is_some();
            may.extend(called.filter(|_| !after.roll().closed).filter(linked));
            may.extend((after.screen().hall_microphone || called.is_some()).then_some(hall));
        }
        assert_eq!(after.stage().heard, may);
        seen.saw(format!("{} heard", may.len()));
    });
    for voices in ["0 heard", "1 heard", "2 heard", "3 heard", "priority"] {
        assert!(seen.of(voices) > 0, "no run had {voices}");
    }
}

#[test]
fn nobody_is_at_two_places_of_the_floor() {
    each_decision(|decision| {
        let floor = decision.after.floor();
        let places = places(floor);
        let different: BTreeSet<TurnId> = places.iter().copied().collect();
        assert_eq!(places.len(), different.len(), "{places:?}");
    });
}

#[test]
fn what_the_chair_closed_opens_at_its_word_only() {
    let seen = Tally::default();
    each_decision(|decision| {
        let (before, after) = (&decision.before, &decision.after);
        if !before.microphones_closed() {
            return;
        }
        let word = |event: &Event| {
            matches!(
                event,
                Event::Called { .. }
                    | Event::MicrophonesSet { .. }
                    | Event::SiteCalled { .. }
                    | Event::RollCallEnded { .. }
                    | Event::ItemStarted { .. }
                    | Event::StepUndone { .. }
                    | Event::HallMicrophoneSet { .. }
                    | Event::PrioritySet { .. }
                    | Event::TurnResumed { .. }
                    | Event::TurnUnheld { .. }
                    | Event::TurnExtended { .. }
                    | Event::TurnTakenUp { .. }
            )
        };
        if !decision.events.iter().any(word) {
            let (before, after) = (before.stage().heard, after.stage().heard);
            assert!(after.is_subset(&before), "{:?}", decision.events);
            seen.saw("closed");
        }
    });
    assert!(seen.of("closed") > 0);
}

#[test]
fn numbers_count_up_and_are_never_used_again() {
    runs(|item, steps| {
        let (mut turn, mut comment) = (0, 0);
        for event in run(item, steps).journal {
            if let Event::FloorRequested { turn: new, .. } = event {
                assert_eq!(new.0, turn + 1);
                turn = new.0;
            }
            if let Event::CommentPosted { comment: new, .. } = event {
                assert_eq!(new.0, comment + 1);
                comment = new.0;
            }
        }
    });
}

#[test]
fn whoever_is_on_deck_waits_in_the_list() {
    let seen = Tally::default();
    each_decision(|decision| {
        let after = &decision.after;
        let (line, on_deck) = (after.line(), after.on_deck());
        assert!(on_deck.len() <= limits::ON_DECK_MAX);
        for turn in &on_deck {
            let place = line.iter().find(|place| place.request.turn == *turn);
            let request = place.unwrap().request;
            assert!(after.roster().carrier(request.site).is_some());
            assert!(request.ready != Readiness::NotReady);
        }
        if on_deck.first() != line.first().map(|place| &place.request.turn) {
            seen.saw("out of order");
        }
    });
    assert!(seen.of("out of order") > 0);
}

#[test]
fn the_line_is_everyone_who_waits_once_and_points_of_order_first() {
    each_decision(|decision| {
        let after = &decision.after;
        let line = after.line();
        let turns: BTreeSet<TurnId> = line.iter().map(|place| place.request.turn).collect();
        let queue: BTreeSet<TurnId> = after.floor().queue().map(|request| request.turn).collect();
        assert_eq!((line.len(), turns), (queue.len(), queue));
        // Who is staged stands before them all, in the order of staging.
        let staged = &after.floor().staged;
        let (head, rest) = line.split_at(staged.len());
        assert!(head.iter().map(|place| &place.request.turn).eq(staged));
        assert!(head.iter().all(|place| place.why == Why::Staged));
        let first = |place: &&Place<'_>| Precedence::of(place.request.words.speech).is_first();
        let points = rest.iter().filter(first).count();
        assert_eq!(rest.iter().take_while(first).count(), points);
    });
}

#[test]
fn next_is_the_head_of_the_line_that_is_there() {
    let seen = Tally::default();
    each_decision(|decision| {
        let after = &decision.after;
        let line = after.line();
        let Some(Next::Call { turn }) = after.next() else {
            return;
        };
        let before = line.iter().take_while(|place| place.request.turn != turn);
        for place in before {
            let away = after.roster().carrier(place.request.site).is_none();
            assert!(away || place.request.ready == Readiness::NotReady);
            seen.saw("passed over");
        }
        seen.saw(if line[0].why == Why::Staged {
            "staged"
        } else {
            "head"
        });
    });
    for case in ["passed over", "staged", "head"] {
        assert!(seen.of(case) > 0, "no run had {case}");
    }
}

#[test]
fn who_leaves_changes_nobody_elses_order() {
    let seen = Tally::default();
    let law = |decision: &Decision| {
        let in_order = |live: &Conference| {
            let mode = live.current_item().map(|item| item.turns.queue);
            // Elsewhere a site's next request takes over the reason of the one that leaves, or time used counts.
            matches!(
                mode,
                Some(QueueMode::InOrder | QueueMode::ByDocument | QueueMode::ChairPicks)
            )
        };
        let (before, after) = (&decision.before, &decision.after);
        let leaves = |event: &Event| match event {
            Event::RequestWithdrawn { .. } => Some("withdrawn"),
            Event::RequestDenied { .. } => Some("denied"),
            Event::TurnStarted { .. } => Some("called"),
            _ => None,
        };
        let Some(how) = decision
            .events
            .iter()
            .find_map(leaves)
            .filter(|_| in_order(before))
        else {
            return;
        };
        let there = list_of(after);
        let stayed: Vec<_> = list_of(before)
            .into_iter()
            .filter(|turn| there.contains(turn))
            .collect();
        assert_eq!(stayed, there, "{how}");
        if after
            .line()
            .iter()
            .filter(|place| place.why == Why::Chair)
            .count()
            > 1
        {
            seen.saw(how);
        }
    };
    each_decision(law);
    each_busy_decision(law);
    for how in ["withdrawn", "denied", "called"] {
        assert!(
            seen.of(how) > 0,
            "nobody was {how} from a list the chair had ordered"
        );
    }
}

#[test]
fn no_more_microphones_are_open_than_the_item_allows() {
    let seen = Tally::default();
    let law = |decision: &Decision| {
        let after = &decision.after;
        let mode = after.current_item().map(|item| item.turns.queue);
        let most = match mode {
            Some(QueueMode::Open { microphones }) => usize::from(microphones),
            Some(_) | None => 1,
        };
        let floor = after.floor();
        let hall = after.setup().hall().filter(|_| most > 1);
        let open = floor.turns.iter().filter(|turn| !turn.interrupted);
        // Where requests open their microphones, the hall's is beside them, and what cannot wait is too.
        let presses = |turn: &&Turn| Precedence::of(turn.words.speech).interposes;
        let open = open.filter(|turn| Some(turn.site) != hall && (most == 1 || !presses(turn)));
        let open = open.count();
        assert!(open <= most, "{open} of {most}");
        let of_hall = floor.turns.iter().filter(|turn| Some(turn.site) == hall);
        assert!(of_hall.count() <= 1);
        seen.saw(format!("{open}"));
        // Only the last one is live where there is one microphone: whatever it was put into stands.
        let live = floor.turns.iter().rposition(|turn| !turn.interrupted);
        assert!(most > 1 || live.is_none_or(|place| place + 1 == floor.turns.len()));
        let called = |event: &Event| match event {
            Event::Called { turn, replaces, .. } => Some((*turn, replaces.clone())),
            _ => None,
        };
        if let Some((turn, replaces)) = decision.events.iter().find_map(called) {
            let of = |floor: &Floor, turn| {
                let speech = floor.turns.iter().find(|one| one.turn == turn);
                speech.map(|one| one.words.speech)
            };
            let is_question = |floor: &Floor, turn| of(floor, turn) == Some(SpeechType::Question);
            let ended = replaces
                .iter()
                .filter(|old| is_question(decision.before.floor(), **old));
            if is_question(floor, turn) && floor.turns.len() > 1 && ended.count() == 1 {
                seen.saw("a question after a question");
            }
        }
        if floor.turns.len() > 2 {
            seen.saw("a point of order in a question in a speech");
        }
    };
    each_decision(law);
    each_busy_decision(law);
    for case in [
        "2",
        "a question after a question",
        "a point of order in a question in a speech",
    ] {
        assert!(seen.of(case) > 0, "no run had {case}");
    }
}

#[test]
fn what_was_undone_is_as_it_was() {
    let seen = Tally::default();
    let law = |item: u16, steps: &[Step]| {
        // How it stood before the step that can be undone now; none when more has happened since.
        let mut stood: Option<Conference> = None;
        for decision in &run(item, steps).decisions {
            let (before, after) = (decision.before.floor(), decision.after.floor());
            if matches!(decision.events[0], Event::StepUndone { .. }) {
                let Some(stood) = stood.take() else {
                    continue;
                };
                assert_eq!(reasons(&decision.after), reasons(&stood));
                assert_eq!(decision.after.on_deck(), stood.on_deck());
                assert_eq!(decision.after.next(), stood.next());
                assert!(after.pending().eq(stood.floor().pending()));
                assert_eq!(after.denied, stood.floor().denied);
                assert_eq!(after.last, stood.floor().last);
                assert!(after.speeches == stood.floor().speeches);
                let kind = before.step.as_ref().unwrap().kind;
                let staged = if after.staged == before.staged {
                    ""
                } else {
                    ", staged"
                };
                seen.saw(format!("{kind:?}{staged}"));
            } else if after.step.is_some() && after.step != before.step {
                stood = Some(decision.before.clone());
            } else if reasons(&decision.before) != reasons(&decision.after)
                || places(before) != places(after)
                || decision.before.on_deck() != decision.after.on_deck()
                || before.denied != after.denied
                || !before.queue().eq(after.queue())
                || !before.pending().eq(after.pending())
                || decision.before.roster() != decision.after.roster()
                || decision.before.agenda().current != decision.after.agenda().current
            {
                stood = None;
            }
        }
    };
    runs(law);
    busy_runs(law);
    for kind in [
        "Moved",
        "Denied",
        "Called",
        "Moved, staged",
        "Denied, staged",
        "Called, staged",
    ] {
        assert!(seen.of(kind) > 0, "no run undid {kind}: {:?}", seen.names());
    }
}

#[test]
fn a_turn_is_held_exactly_while_its_site_has_no_link() {
    let seen = Tally::default();
    each_decision(|decision| {
        let after = &decision.after;
        for turn in &after.floor().turns {
            let linked = after.roster().carrier(turn.site).is_some();
            assert_eq!(turn.held, !linked);
            seen.saw(if linked { "linked" } else { "held" });
        }
    });
    assert!(seen.of("linked") > 0 && seen.of("held") > 0);
}

#[test]
fn the_clock_stands_exactly_while_something_holds_the_turn() {
    each_decision(|decision| {
        let floor = decision.after.floor();
        for turn in &floor.turns {
            assert_eq!(turn.running_since.is_none(), turn.stands());
            assert_eq!(turn.silenced, floor.priority.is_some());
        }
    });
}

#[test]
fn used_time_never_runs_backwards() {
    runs(|item, steps| {
        let mut room = begin(item);
        let mut used: BTreeMap<TurnId, u64> = BTreeMap::new();
        for step in steps {
            // A restart counts only up to the last sign of life; `take` gives the moment of the crash itself.
            take(&mut room, *step);
            let turns = &room.live.floor().turns;
            // A call that was taken back has not been, and is counted anew.
            let speaks = |turn: &TurnId| turns.iter().any(|other| other.turn == *turn);
            used.retain(|turn, _| speaks(turn));
            for turn in turns {
                let now = turn.used_at(room.now);
                let before = used.insert(turn.turn, now).unwrap_or_default();
                assert!(now >= before, "{before} became {now} at {step:?}");
            }
        }
    });
}

#[test]
fn each_warning_is_given_once_unless_more_time_is_given() {
    let seen = Tally::default();
    runs(|item, steps| {
        let mut given: BTreeSet<(TurnId, u16)> = BTreeSet::new();
        for event in run(item, steps).journal {
            match event {
                Event::TurnWarned { turn, left_s } => {
                    assert!(given.insert((turn, left_s)), "{turn} heard {left_s} twice");
                    seen.saw("warned");
                }
                Event::TurnRanOut { turn } => {
                    assert!(given.insert((turn, 0)), "{turn} ran out twice");
                    seen.saw("ran out");
                }
                Event::TurnExtended { turn, .. } => given.retain(|(other, _)| *other != turn),
                // A call that is taken back has not been: the request and its warnings are as before.
                Event::StepUndone { .. } => given.clear(),
                _ => {}
            }
        }
    });
    assert!(seen.of("warned") > 0 && seen.of("ran out") > 0);
}

#[test]
fn the_rule_at_zero_is_the_one_of_the_item_the_turn_was_granted_in() {
    let seen = Tally::default();
    runs(|item, steps| {
        let mut rules = BTreeMap::new();
        for event in run(item, steps).journal {
            match event {
                Event::TurnStarted { turn, at_zero, .. } => {
                    rules.insert(turn, at_zero);
                }
                Event::TurnMuted { turn } => {
                    assert_eq!(rules[&turn], AtZero::Mute { grace_seconds: 30 });
                    seen.saw("muted");
                }
                Event::TurnEnded {
                    turn,
                    how: diemcau_conference::TurnEnd::TimeUp,
                    ..
                } => {
                    assert_eq!(rules[&turn], AtZero::Cut);
                    seen.saw("cut");
                }
                _ => {}
            }
        }
    });
    assert!(seen.of("muted") > 0 && seen.of("cut") > 0);
}

#[test]
fn a_seat_that_was_revoked_changes_nothing_any_more() {
    let seen = Tally::default();
    each_decision(|decision| {
        for event in &decision.events {
            let by = match event {
                Event::FloorRequested { seat, .. } | Event::CommentPosted { seat, .. } => *seat,
                _ => continue,
            };
            assert!(!decision.before.roster().is_revoked(by), "{event:?}");
            seen.saw("said");
        }
    });
    assert!(seen.of("said") > 0);
}

#[test]
fn applying_what_another_conference_decided_does_not_panic() {
    // A journal that was cut or is another's is refused before it is applied; but even then nothing falls over.
    runs(|item, steps| {
        let room = run(item, steps);
        let kept = room
            .journal
            .iter()
            .filter(|event| !matches!(event, Event::FloorRequested { .. }));
        let mut lame = Conference::default();
        for event in kept {
            lame.apply(event);
        }
        assert!(lame.floor().turns.is_empty());
    });
}

fn run(item: u16, steps: &[Step]) -> Room {
    let mut room = begin(item);
    for step in steps {
        take(&mut room, *step);
    }
    room
}

fn each_decision(law: impl Fn(&Decision)) {
    runs(|item, steps| run(item, steps).decisions.iter().for_each(&law));
}

fn each_busy_decision(law: impl Fn(&Decision)) {
    busy_runs(|item, steps| run(item, steps).decisions.iter().for_each(&law));
}

fn list_of(live: &Conference) -> Vec<TurnId> {
    live.line().iter().map(|place| place.request.turn).collect()
}

fn reasons(live: &Conference) -> Vec<(TurnId, Why)> {
    let line = live.line();
    line.iter()
        .map(|place| (place.request.turn, place.why))
        .collect()
}

fn places(floor: &Floor) -> Vec<TurnId> {
    let waiting = floor.queue().chain(floor.pending());
    let speaking = floor.turns.iter().map(|turn| turn.turn);
    waiting
        .map(|request| request.turn)
        .chain(speaking)
        .collect()
}

fn kind(event: &Event) -> String {
    let written = serde_json::to_value(event).unwrap();
    written["type"].as_str().unwrap().to_owned()
}
