//! Snapshot + facts = next snapshot, for every viewer, in every run; and nobody is told what is not for them.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../../conference/tests/support/mod.rs"]
mod support;

use diemcau_conference::{Command, Conference, Headcount};
use diemcau_model::{Role, SiteId};
use diemcau_protocol::{Fact, Lane, Slice, View, Viewer, facts, touches, view};
use std::collections::BTreeSet;
use support::{
    chance::{Step, Tally, begin, runs, take},
    play::perform,
    room::{Decision, Room, actor, setup},
};

const VIEWERS: [Viewer; 8] = [
    Viewer::Chair,
    Viewer::Secretary,
    Viewer::Technician,
    Viewer::Site(SiteId(0)),
    Viewer::Site(SiteId(1)),
    Viewer::Site(SiteId(2)),
    Viewer::Site(SiteId(3)),
    Viewer::Public,
];

#[test]
fn folding_facts_gives_what_joining_anew_gives() {
    runs(|item, steps| {
        let room = run(item, steps);
        for viewer in VIEWERS {
            let mut folded = view(&room.decisions[0].after, viewer);
            for decision in &room.decisions[1..] {
                folded.apply(&facts(&decision.after, &slices(decision), viewer));
                assert_eq!(folded, view(&decision.after, viewer), "{viewer:?}");
            }
        }
    });
}

#[test]
fn several_decisions_told_at_once_give_the_same() {
    // The hub syncs many commands together and then tells what they came to, in one frame.
    runs(|item, steps| {
        let room = run(item, steps);
        for viewer in VIEWERS {
            let mut folded = view(&room.decisions[0].after, viewer);
            for round in room.decisions[1..].chunks(3) {
                let after = &round[round.len() - 1].after;
                let touched = round.iter().flat_map(slices).collect();
                folded.apply(&facts(after, &touched, viewer));
                assert_eq!(folded, view(after, viewer), "{viewer:?}");
            }
        }
    });
}

#[test]
fn comments_that_the_floor_overtakes_give_the_same() {
    // To those who only watch the hub tells the floor at once; comments are gathered, encoded when their lane is free,
    // and may then still be overtaken on their way. Every distance between the two is tried.
    runs(|item, steps| {
        let room = run(item, steps);
        let decisions = &room.decisions[1..];
        for (gathered, late) in [(1, 0), (2, 1), (3, 3), (5, 2)] {
            let mut folded = view(&room.decisions[0].after, Viewer::Public);
            let mut pending = BTreeSet::new();
            let mut on_its_way: Option<(usize, Vec<Fact>)> = None;
            for (n, decision) in decisions.iter().enumerate() {
                let (floor, feed): (BTreeSet<Slice>, BTreeSet<Slice>) = slices(decision)
                    .into_iter()
                    .partition(|slice| slice.lane() == Lane::Floor);
                pending.extend(feed);
                folded.apply(&facts(&decision.after, &floor, Viewer::Public));
                if let Some((_, told)) = on_its_way.take_if(|(due, _)| *due <= n) {
                    folded.apply(&told);
                }
                if on_its_way.is_none() && n % gathered == 0 {
                    let told = facts(
                        &decision.after,
                        &std::mem::take(&mut pending),
                        Viewer::Public,
                    );
                    on_its_way = Some((n + late, told));
                }
                // What is seen and heard now is never late.
                let shown = view(&decision.after, Viewer::Public);
                let feed = folded.feed.clone();
                assert_eq!(folded, View { feed, ..shown });
            }
            let end = &room.decisions[room.decisions.len() - 1].after;
            let (_, told) = on_its_way.unwrap_or_default();
            folded.apply(&told);
            folded.apply(&facts(end, &pending, Viewer::Public));
            assert_eq!(folded, view(end, Viewer::Public));
        }
    });
}

#[test]
fn what_changes_who_is_heard_or_what_is_presented_touches_the_stage() {
    // While the record cannot be written, the hub closes what a command closes: it looks at those that touch the stage.
    let seen = Tally::default();
    runs(|item, steps| {
        for decision in &run(item, steps).decisions {
            let (before, after) = (decision.before.stage(), decision.after.stage());
            if (before.heard, before.presentation) != (after.heard, after.presentation) {
                assert!(slices(decision).contains(&Slice::Stage));
                seen.saw("changed");
            }
        }
    });
    assert!(seen.of("changed") > 0);
}

#[test]
fn facts_survive_being_written_and_read() {
    runs(|item, steps| {
        let room = run(item, steps);
        for decision in &room.decisions {
            for fact in facts(&decision.after, &slices(decision), Viewer::Chair) {
                let written = serde_json::to_string(&fact).unwrap();
                assert_eq!(serde_json::from_str::<Fact>(&written).unwrap(), fact);
            }
        }
    });
}

#[test]
fn in_every_run_each_viewer_sees_what_is_theirs_and_nothing_else() {
    let seen = Tally::default();
    runs(|item, steps| {
        for decision in &run(item, steps).decisions {
            let after = &decision.after;
            for viewer in VIEWERS {
                check_privacy(after, viewer, &seen);
                let shown = view(after, viewer);
                check_speeches(after, viewer, &shown, &seen);
                for kept in after.floor().kept() {
                    let does = shown.floor.kept.iter().any(|one| one.turn == kept.turn);
                    assert_eq!(does, !kept.pending || owns(viewer, kept.site));
                    seen.saw("kept");
                }
                for fact in facts(after, &slices(decision), viewer) {
                    check_fact(after, viewer, &fact);
                }
            }
        }
    });
    for what in [
        "held seen",
        "held hidden",
        "pending seen",
        "pending hidden",
        "last",
        "denied",
        "prompt",
        "how",
        "not how",
        "kept",
        "waiting",
    ] {
        assert!(seen.of(what) > 0, "no run had: {what}");
    }
}

#[test]
fn a_held_comment_is_seen_by_its_site_and_the_desks_that_read_it() {
    let room = after_play(
        "00:00  Sa Đéc     comments on 2 chưa công bố
         00:10  secretary  holds comment 1",
    );
    let sees = |viewer| view(&room.live, viewer).feed.len() == 1;
    let told = |viewer| {
        let last = room.decisions.last().unwrap();
        facts(&last.after, &slices(last), viewer)
    };
    for viewer in [Viewer::Chair, Viewer::Secretary, Viewer::Site(SiteId(2))] {
        assert!(sees(viewer), "{viewer:?}");
        assert!(matches!(&told(viewer)[..], [Fact::Comment { comment }] if comment.held));
    }
    for viewer in [Viewer::Technician, Viewer::Site(SiteId(1)), Viewer::Public] {
        assert!(!sees(viewer), "{viewer:?}");
        assert!(matches!(&told(viewer)[..], [Fact::CommentGone { .. }]));
        let heard = serde_json::to_string(&told(viewer)).unwrap();
        assert!(!heard.contains("chưa công bố"), "{viewer:?} heard {heard}");
    }
}

#[test]
fn a_published_comment_is_seen_by_everyone_in_its_old_place() {
    let room = after_play(
        "00:00  Sa Đéc     comments on 2 một
         00:05  Tháp Mười  comments on 2 hai
         00:10  secretary  holds comment 1
         00:20  secretary  publishes comment 1",
    );
    for viewer in VIEWERS {
        let feed = view(&room.live, viewer).feed;
        let words: Vec<&str> = feed.iter().map(|one| one.words.text.as_str()).collect();
        assert_eq!(words, ["một", "hai"], "{viewer:?}");
    }
}

#[test]
fn a_pending_request_is_seen_by_its_site_chair_and_secretary() {
    let room = after_play(
        "00:00  chair   opens item 4
         00:10  Sa Đéc  requests",
    );
    let sees = |viewer| view(&room.live, viewer).floor.pending.len() == 1;
    for viewer in [Viewer::Chair, Viewer::Secretary, Viewer::Site(SiteId(2))] {
        assert!(sees(viewer), "{viewer:?}");
    }
    for viewer in [Viewer::Technician, Viewer::Site(SiteId(1)), Viewer::Public] {
        assert!(!sees(viewer), "{viewer:?}");
    }
}

#[test]
fn an_accepted_request_is_seen_by_everyone() {
    let room = after_play(
        "00:00  chair   opens item 4
         00:10  Sa Đéc  requests
         00:20  chair   accepts 1",
    );
    for viewer in VIEWERS {
        let floor = view(&room.live, viewer).floor;
        assert_eq!(
            (floor.queue.len(), floor.pending.len()),
            (1, 0),
            "{viewer:?}"
        );
    }
}

#[test]
fn seats_are_seen_by_those_who_may_revoke_them() {
    let room = after_play("00:00  chair  revokes seat 9");
    for viewer in VIEWERS {
        let seats = view(&room.live, viewer).seats;
        let told = facts(&room.live, &BTreeSet::from([Slice::Seats]), viewer);
        if matches!(viewer, Viewer::Chair | Viewer::Technician) {
            let revoked: Vec<bool> = seats.iter().map(|seat| seat.revoked).collect();
            assert_eq!(revoked.len(), setup().seats.len());
            assert_eq!(revoked.iter().filter(|revoked| **revoked).count(), 1);
            assert_eq!(told, [Fact::Seats { seats }]);
        } else {
            assert!(seats.is_empty() && told.is_empty(), "{viewer:?}");
        }
    }
}

#[test]
fn nobody_sees_what_opens_a_seat() {
    let mut secret = setup();
    for seat in &mut secret.seats {
        seat.token_sha256 = "5ec4e7".repeat(10);
        seat.pin_sha256 = Some("5ec4e7".repeat(10));
    }
    let room = Room::linked(secret);
    for viewer in VIEWERS {
        let seen = serde_json::to_string(&view(&room.live, viewer)).unwrap();
        assert!(!seen.contains("5ec4e7"), "{viewer:?}");
    }
}

#[test]
fn a_seat_belongs_to_the_class_of_its_role() {
    let site = Some(SiteId(1));
    for (role, class) in [
        (Role::Chair, Viewer::Chair),
        (Role::Deputy, Viewer::Chair),
        (Role::Secretary, Viewer::Secretary),
        (Role::Moderator, Viewer::Site(SiteId(1))),
        (Role::Technician, Viewer::Technician),
        (Role::Observer, Viewer::Public),
        (Role::Stage, Viewer::Public),
    ] {
        assert_eq!(Viewer::of(role, site), class);
    }
    assert_eq!(Viewer::of(Role::Moderator, None), Viewer::Public);
}

fn check_privacy(conference: &Conference, viewer: Viewer, seen: &Tally) {
    let shown: View = view(conference, viewer);
    for comment in conference.feed().comments.values() {
        let may = !comment.held || owns(viewer, comment.site);
        let does = shown.feed.iter().any(|other| other.id == comment.id);
        assert_eq!(does, may, "{viewer:?}, {comment:?}");
        if comment.held {
            seen.saw(if does { "held seen" } else { "held hidden" });
        }
    }
    for request in conference.floor().pending() {
        let may = owns(viewer, request.site);
        let pending = &shown.floor.pending;
        let does = pending.iter().any(|other| other.turn == request.turn);
        assert_eq!(does, may, "{viewer:?}, {request:?}");
        seen.saw(if does {
            "pending seen"
        } else {
            "pending hidden"
        });
    }
    check_own_affairs(conference, viewer, &shown, seen);
    let manages = matches!(viewer, Viewer::Chair | Viewer::Technician);
    assert_eq!(!shown.seats.is_empty(), manages, "{viewer:?}");
    let waiting = conference.door().waiting.len();
    assert_eq!(shown.door.waiting.len(), if manages { waiting } else { 0 });
    if waiting > 0 {
        seen.saw("waiting");
    }
}

/// What is between a site and the desks: how its turn ended, why it was not called, prompts, who is absent.
fn check_own_affairs(conference: &Conference, viewer: Viewer, shown: &View, seen: &Tally) {
    let floor = conference.floor();
    if let Some(last) = floor.last {
        assert_eq!(shown.floor.last.is_some(), owns(viewer, last.site));
        seen.saw("last");
    }
    for denied in floor.denied.values() {
        let does = shown.floor.denied.contains(denied);
        assert_eq!(does, owns(viewer, denied.site));
        seen.saw("denied");
    }
    for prompt in &conference.prompts().prompts {
        let does = shown.prompts.iter().any(|other| other.id == prompt.id);
        let may = owns(viewer, prompt.site) || viewer == Viewer::Technician;
        assert_eq!(does, may);
        seen.saw("prompt");
    }
    assert_eq!(
        shown.floor.undo.is_some(),
        floor.undoable().is_some() && viewer == Viewer::Chair
    );
}

#[test]
fn who_is_absent_is_told_to_the_desks_and_the_site_alone() {
    let mut room = Room::linked(setup());
    let headcount = Headcount {
        summoned: 10,
        present: 8,
        online: 1,
        absent: "Bà Nguyễn Thị B, ốm".into(),
    };
    let site = SiteId(1);
    let command = Command::SetHeadcount { site, headcount };
    room.ask(&actor("Tháp Mười").unwrap(), &command).unwrap();
    for viewer in VIEWERS {
        let shown = view(&room.live, viewer).attendance;
        let reported = shown.sites[1].headcount.clone().unwrap();
        assert_eq!(reported.present, 8, "figures are everybody's");
        assert_eq!(
            reported.absent.is_empty(),
            !owns(viewer, site),
            "{viewer:?}"
        );
    }
}

/// How a speech ended is told to the desks and its own site; what it was, to everybody.
fn check_speeches(conference: &Conference, viewer: Viewer, shown: &View, seen: &Tally) {
    let over = conference.floor().speeches.values();
    assert!(
        over.map(|one| one.turn)
            .eq(shown.speeches.iter().map(|one| one.turn))
    );
    for speech in &shown.speeches {
        assert_eq!(speech.how.is_some(), owns(viewer, speech.site));
        seen.saw(if speech.how.is_some() {
            "how"
        } else {
            "not how"
        });
    }
}

fn check_fact(conference: &Conference, viewer: Viewer, fact: &Fact) {
    let shown = view(conference, viewer);
    match fact {
        Fact::Comment { comment } => assert!(shown.feed.contains(comment), "{viewer:?}"),
        Fact::CommentGone { comment } => {
            assert!(shown.feed.iter().all(|other| other.id != *comment));
        }
        Fact::Speech { speech } => assert!(shown.speeches.contains(speech), "{viewer:?}"),
        Fact::SpeechGone { turn } => {
            assert!(shown.speeches.iter().all(|other| other.turn != *turn));
        }
        Fact::Floor { floor } => assert_eq!(*floor, shown.floor),
        Fact::Seats { seats } => assert_eq!(*seats, shown.seats),
        Fact::Sites { sites } => assert_eq!(*sites, shown.sites),
        Fact::Agenda { agenda } => assert_eq!(*agenda, shown.agenda),
        Fact::Stage { stage } => assert_eq!(*stage, shown.stage),
        Fact::Attendance { attendance } => assert_eq!(*attendance, shown.attendance),
        Fact::Prompts { prompts } => assert_eq!(*prompts, shown.prompts),
        Fact::Door { door } => assert_eq!(*door, shown.door),
    }
}

/// Written anew here, so that a slip in the table of viewers is seen.
fn owns(viewer: Viewer, site: SiteId) -> bool {
    viewer == Viewer::Chair || viewer == Viewer::Secretary || viewer == Viewer::Site(site)
}

fn slices(decision: &Decision) -> BTreeSet<Slice> {
    decision.events.iter().flat_map(touches).collect()
}

fn run(item: u16, steps: &[Step]) -> Room {
    let mut room = begin(item);
    for step in steps {
        take(&mut room, *step);
    }
    room
}

fn after_play(play: &str) -> Room {
    let mut room = Room::linked(setup());
    perform(&mut room, play, &mut vec![]);
    room
}
