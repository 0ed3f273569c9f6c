//! Which viewer may hear which event, in one place and without a wildcard.
//!
//! An event touches slices of the view; a fact carries the slice as this viewer sees it after the event. So a fact
//! needs no history to be understood, and snapshot + facts = next snapshot holds by construction of the slices and
//! is tested for the table below.

use crate::{
    Fact, Viewer,
    view::{
        Agenda, Comment, Fixed, Floor, Item, LastTurn, LowerThird, Request, SeatView, SiteLink,
        StageView, Turn, View,
    },
};
use diemcau_conference::{self as rules, Conference, Event};
use diemcau_model::CommentId;
use std::collections::BTreeSet;

/// A part of the view that a fact replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slice {
    /// The sites' links.
    Sites,
    /// The agenda.
    Agenda,
    /// The floor.
    Floor,
    /// The stage.
    Stage,
    /// One comment.
    Comment(CommentId),
    /// The seats.
    Seats,
}

/// The slices an event touches.
#[must_use]
pub fn touches(event: &Event) -> Vec<Slice> {
    match event {
        // Nobody is connected before it, and everyone gets a snapshot after.
        Event::ConferenceOpened { .. } => vec![],
        Event::CommandRefused { .. } => vec![],
        Event::ItemStarted { .. } | Event::ItemFinished { .. } | Event::ItemMoved { .. } => {
            vec![Slice::Agenda]
        }
        Event::ListSet { .. } => vec![Slice::Floor],
        Event::FloorRequested { .. }
        | Event::RequestWithdrawn { .. }
        | Event::RequestAccepted { .. }
        | Event::RequestDenied { .. }
        | Event::RequestMoved { .. }
        | Event::RequestPrepared { .. }
        | Event::TurnStarted { .. }
        | Event::TurnPaused { .. }
        | Event::TurnResumed { .. }
        | Event::TurnHeld { .. }
        | Event::TurnUnheld { .. }
        | Event::TurnExtended { .. }
        | Event::TurnMuted { .. }
        | Event::TurnEnded { .. }
        | Event::HallMicrophoneSet { .. } => vec![Slice::Floor, Slice::Stage],
        Event::TurnWarned { .. } | Event::TurnRanOut { .. } => vec![Slice::Floor],
        Event::LayoutSet { .. } => vec![Slice::Stage],
        Event::CommentPosted { comment, .. }
        | Event::CommentHeld { comment }
        | Event::CommentPublished { comment }
        | Event::CommentWithdrawn { comment } => vec![Slice::Comment(*comment)],
        Event::SeatRevoked { .. } => vec![Slice::Seats],
        Event::EndpointLinked { .. } | Event::EndpointLost { .. } => vec![Slice::Sites],
    }
}

/// The facts a viewer is told after events that touched `slices`. May be empty.
#[must_use]
pub fn facts(conference: &Conference, slices: &BTreeSet<Slice>, viewer: Viewer) -> Vec<Fact> {
    slices
        .iter()
        .filter_map(|slice| fact(conference, *slice, viewer))
        .collect()
}

/// Everything a viewer sees.
#[must_use]
pub fn view(conference: &Conference, viewer: Viewer) -> View {
    View {
        fixed: fixed(conference),
        sites: sites(conference),
        agenda: agenda(conference),
        floor: floor(conference, viewer),
        stage: stage(conference),
        feed: feed(conference, viewer),
        seats: seats(conference, viewer),
    }
}

impl View {
    /// Folds facts into the view, as every client does.
    pub fn apply(&mut self, facts: &[Fact]) {
        for fact in facts.iter().cloned() {
            match fact {
                Fact::Sites { sites } => self.sites = sites,
                Fact::Agenda { agenda } => self.agenda = agenda,
                Fact::Floor { floor } => self.floor = floor,
                Fact::Stage { stage } => self.stage = stage,
                Fact::Seats { seats } => self.seats = seats,
                Fact::CommentGone { comment } => self.feed.retain(|other| other.id != comment),
                Fact::Comment { comment } => match self
                    .feed
                    .binary_search_by_key(&comment.id, |other| other.id)
                {
                    Ok(at) => self.feed[at] = comment,
                    Err(at) => self.feed.insert(at, comment),
                },
            }
        }
    }
}

fn fact(conference: &Conference, slice: Slice, viewer: Viewer) -> Option<Fact> {
    Some(match slice {
        Slice::Sites => Fact::Sites {
            sites: sites(conference),
        },
        Slice::Agenda => Fact::Agenda {
            agenda: agenda(conference),
        },
        Slice::Floor => Fact::Floor {
            floor: floor(conference, viewer),
        },
        Slice::Stage => Fact::Stage {
            stage: stage(conference),
        },
        Slice::Seats if !viewer.may_see_seats() => return None,
        Slice::Seats => Fact::Seats {
            seats: seats(conference, viewer),
        },
        Slice::Comment(id) => {
            let found = conference
                .feed()
                .comments
                .get(&id)
                .filter(|comment| viewer.may_see_comment(comment));
            match found {
                Some(found) => Fact::Comment {
                    comment: comment(found),
                },
                None => Fact::CommentGone { comment: id },
            }
        }
    })
}

fn fixed(conference: &Conference) -> Fixed {
    let setup = conference.setup();
    Fixed {
        title: setup.title.clone(),
        organizer: setup.organizer.clone(),
        sites: setup.sites.clone(),
        drafts: setup.drafts.clone(),
    }
}

fn sites(conference: &Conference) -> Vec<SiteLink> {
    let roster = conference.roster();
    let link = |site: &rules::Site| SiteLink {
        site: site.id,
        carrier: roster.carrier(site.id),
        since: roster.since(site.id),
    };
    conference.setup().sites.iter().map(link).collect()
}

fn agenda(conference: &Conference) -> Agenda {
    let agenda = conference.agenda();
    let item = |planned: &rules::PlannedItem| Item {
        id: planned.id,
        title: planned.title.clone(),
        short: planned.short.clone(),
        kind: planned.kind,
        presenter: planned.presenter.clone(),
        minutes: planned.minutes,
        turns: planned.turns,
        drafts: planned.drafts.clone(),
        started: agenda.started.get(&planned.id).copied(),
        finished: agenda.finished.get(&planned.id).copied(),
    };
    let planned = |id| conference.setup().item(id);
    Agenda {
        current: agenda.current,
        items: agenda
            .order
            .iter()
            .copied()
            .filter_map(planned)
            .map(item)
            .collect(),
    }
}

fn floor(conference: &Conference, viewer: Viewer) -> Floor {
    let floor = conference.floor();
    Floor {
        open: floor.open,
        turn: floor.turn.as_ref().map(turn),
        queue: floor.queue.iter().map(request).collect(),
        pending: floor
            .pending
            .iter()
            .filter(|pending| viewer.may_see_pending(pending))
            .map(request)
            .collect(),
        on_deck: floor.on_deck().map(|request| request.turn),
        hall_microphone: conference.screen().hall_microphone,
        last: floor.last.map(|last| LastTurn {
            turn: last.turn,
            site: last.site,
            how: last.how,
        }),
    }
}

fn turn(turn: &rules::Turn) -> Turn {
    Turn {
        turn: turn.turn,
        site: turn.site,
        words: turn.words.clone(),
        started: turn.started,
        allotted_ms: turn.allotted_ms,
        used_ms: turn.used_ms,
        running_since: turn.running_since,
        paused: turn.paused,
        held: turn.held,
        muted: turn.muted,
        warned_s: turn.warned_s,
    }
}

fn request(request: &rules::Request) -> Request {
    Request {
        turn: request.turn,
        site: request.site,
        words: request.words.clone(),
        at: request.at,
    }
}

fn stage(conference: &Conference) -> StageView {
    let stage = conference.stage();
    let lower_third = conference.floor().turn.as_ref().map(|turn| LowerThird {
        site: turn.site,
        delegate: turn.words.delegate.clone(),
        topic: turn.words.topic.clone(),
    });
    StageView {
        layout: conference.screen().layout,
        heard: stage.heard.into_iter().collect(),
        programme: stage.programme,
        on_deck: stage.on_deck,
        lower_third,
    }
}

fn feed(conference: &Conference, viewer: Viewer) -> Vec<Comment> {
    let comments = conference.feed().comments.values();
    comments
        .filter(|found| viewer.may_see_comment(found))
        .map(comment)
        .collect()
}

fn comment(comment: &rules::Comment) -> Comment {
    Comment {
        id: comment.id,
        site: comment.site,
        kind: comment.kind,
        words: comment.words.clone(),
        at: comment.at,
        held: comment.held,
    }
}

fn seats(conference: &Conference, viewer: Viewer) -> Vec<SeatView> {
    if !viewer.may_see_seats() {
        return vec![];
    }
    let seat = |seat: &rules::Seat| SeatView {
        id: seat.id,
        role: seat.role,
        site: seat.site,
        carries: seat.carries,
        label: seat.label.clone(),
        revoked: conference.roster().is_revoked(seat.id),
    };
    conference.setup().seats.iter().map(seat).collect()
}
