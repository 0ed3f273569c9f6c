//! Laws that hold in every run, whoever asks for what in whatever order.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a law is about some events and lets the others pass"
)]

mod support;

use diemcau_conference::{AtZero, Conference, Event, Floor};
use diemcau_model::{SiteId, TurnId};
use std::collections::{BTreeMap, BTreeSet};
use support::{
    chance::{Step, Tally, begin, runs, take},
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
    let all = "comment_held comment_posted comment_published comment_withdrawn conference_opened endpoint_linked \
        endpoint_lost floor_requested hall_microphone_set item_finished item_moved item_started layout_set list_set \
        request_accepted request_denied request_moved request_prepared request_withdrawn seat_revoked turn_ended \
        turn_extended turn_held turn_muted turn_paused turn_ran_out turn_resumed turn_started turn_unheld turn_warned";
    assert_eq!(seen.names().join(" "), all);
}

#[test]
fn only_the_live_speaker_and_the_halls_open_microphone_are_heard() {
    let seen = Tally::default();
    each_decision(|decision| {
        let after = &decision.after;
        let live = after.floor().turn.as_ref().filter(|turn| turn.is_live());
        let speaker = live.map(|turn| turn.site);
        let hall = after
            .setup()
            .hall()
            .filter(|_| after.screen().hall_microphone);
        let may: BTreeSet<SiteId> = speaker.into_iter().chain(hall).collect();
        assert_eq!(after.stage().heard, may);
        seen.saw(format!("{} heard", may.len()));
    });
    for voices in ["0 heard", "1 heard", "2 heard"] {
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
        let floor = decision.after.floor();
        let on_deck = floor.on_deck().map(|request| request.turn);
        let queue: Vec<TurnId> = floor.queue.iter().map(|request| request.turn).collect();
        assert_eq!(on_deck.is_some(), !queue.is_empty());
        assert!(on_deck.is_none_or(|turn| queue.contains(&turn)));
        if on_deck != queue.first().copied() {
            seen.saw("out of order");
        }
    });
    assert!(seen.of("out of order") > 0);
}

#[test]
fn a_turn_is_held_exactly_while_its_site_has_no_link() {
    let seen = Tally::default();
    each_decision(|decision| {
        let after = &decision.after;
        if let Some(turn) = &after.floor().turn {
            let linked = after.roster().carrier(turn.site).is_some();
            assert_eq!(turn.held, !linked);
            seen.saw(if linked { "linked" } else { "held" });
        }
    });
    assert!(seen.of("linked") > 0 && seen.of("held") > 0);
}

#[test]
fn the_clock_stands_exactly_while_the_turn_is_held_or_paused() {
    each_decision(|decision| {
        if let Some(turn) = &decision.after.floor().turn {
            assert_eq!(turn.running_since.is_none(), turn.held || turn.paused);
        }
    });
}

#[test]
fn used_time_never_runs_backwards() {
    runs(|item, steps| {
        let mut room = begin(item);
        let mut used = (None, 0);
        for step in steps {
            // A restart counts only up to the last sign of life; `take` gives the moment of the crash itself.
            take(&mut room, *step);
            let turn = room.live.floor().turn.as_ref();
            let now = turn.map_or((None, 0), |turn| (Some(turn.turn), turn.used_at(room.now)));
            if now.0 == used.0 {
                assert!(now.1 >= used.1, "{used:?} became {now:?} at {step:?}");
            }
            used = now;
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
        assert!(lame.floor().turn.is_none());
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

fn places(floor: &Floor) -> Vec<TurnId> {
    let waiting = floor.queue.iter().chain(&floor.pending);
    let speaking = floor.turn.iter().map(|turn| turn.turn);
    waiting
        .map(|request| request.turn)
        .chain(speaking)
        .collect()
}

fn kind(event: &Event) -> String {
    let written = serde_json::to_value(event).unwrap();
    written["type"].as_str().unwrap().to_owned()
}
