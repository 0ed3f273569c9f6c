//! The record against what people were told.

use crate::people::Told;
use diemcau_conference::Event;
use diemcau_journal::Record;
use diemcau_model::{CommentId, SeatId};
use diemcau_protocol::ServerFrame;
use std::collections::{BTreeMap, BTreeSet};

/// A day in which no more have spoken proves little.
pub const SPEECHES_MIN: usize = 20;

/// Nothing acknowledged is lost, doubled or out of order. That the record is whole and its hashes follow was checked as it was read.
pub fn audit(records: &[Record], told: &BTreeMap<SeatId, Vec<Told>>) {
    let numbers: Vec<u64> = records.iter().map(|record| record.number).collect();
    assert_eq!(numbers, (1..=records.len() as u64).collect::<Vec<_>>());

    // One unbroken run of events for each command, and no event without a command that changes the floor.
    let mut effects: BTreeMap<(SeatId, &str), Vec<&Record>> = BTreeMap::new();
    for record in records {
        match (record.seat, &record.command) {
            (Some(seat), Some(id)) => effects.entry((seat, id)).or_default().push(record),
            _ => assert!(
                matches!(
                    record.event,
                    Event::ConferenceOpened { .. }
                        | Event::EndpointLinked { .. }
                        // The server measures the site that is called, and hears who prepares.
                        | Event::SiteHeard { .. }
                        | Event::MicrophoneHeard { .. }
                        | Event::EndpointLost { .. }
                        | Event::TurnHeld { .. }
                        | Event::TurnUnheld { .. }
                        // Who comes to the door asks nothing of the floor.
                        | Event::DeviceBound { .. }
                        | Event::DeviceWaits { .. }
                        | Event::DeviceGone { .. }
                ),
                "nobody asked for {:?}",
                record.event
            ),
        }
    }
    for (command, effect) in &effects {
        let run = effect
            .windows(2)
            .all(|pair| pair[0].number + 1 == pair[1].number);
        assert!(run, "{command:?} was carried out in pieces, or twice");
    }

    let mut answered = BTreeSet::new();
    for (seat, answers) in told {
        let mut last = 0;
        for Told { id, answer, .. } in answers {
            assert!(answered.insert((*seat, &**id)), "{id} was answered twice");
            let effect = effects.get(&(*seat, &**id));
            let effect =
                effect.unwrap_or_else(|| panic!("{id} of seat {seat} is lost: {answer:?}"));
            let end = effect[effect.len() - 1];
            match answer {
                ServerFrame::Ok { seq, .. } => {
                    assert_eq!(*seq, end.number, "{id} of seat {seat}");
                    assert!(*seq > last, "{id} of seat {seat} overtook");
                    last = *seq;
                    let refused =
                        |record: &&&Record| matches!(record.event, Event::CommandRefused { .. });
                    assert_eq!(effect.iter().find(refused), None);
                }
                ServerFrame::Refused { why, .. } => {
                    assert_eq!(effect.len(), 1);
                    assert_eq!(end.event, Event::CommandRefused { why: *why });
                }
                other => panic!("{id} of seat {seat}: {other:?}"),
            }
        }
    }
    for (seat, id) in effects.keys() {
        let known = answered.contains(&(*seat, *id));
        assert!(known, "seat {seat} never sent {id}");
    }

    // Doubled or lost comments would show in their numbers or their words.
    let (mut words, mut comments, mut turns, mut starts) = (BTreeSet::new(), 0, 0, BTreeSet::new());
    for record in records {
        match &record.event {
            Event::CommentPosted {
                comment,
                words: said,
                ..
            } => {
                comments += 1;
                assert_eq!(*comment, CommentId(comments));
                assert!(words.insert(&said.text), "{} is there twice", said.text);
            }
            Event::FloorRequested { turn, .. } => {
                turns += 1;
                assert_eq!(turn.0, turns);
            }
            Event::TurnStarted { turn, .. } => assert!(starts.insert(*turn)),
            _ => {}
        }
    }
    assert!(
        comments > 100 && starts.len() > SPEECHES_MIN,
        "too quiet a day: {comments} comments, {} turns",
        starts.len()
    );
}
