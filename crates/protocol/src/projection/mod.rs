//! Which viewer may hear which event, in one place and without a wildcard.
//!
//! An event touches slices of the view; a fact carries the slice as this viewer sees it after the event. So a fact
//! needs no history to be understood, and snapshot + facts = next snapshot holds by construction of the slices and
//! is tested for the table below.

mod floor;
mod stage;

use crate::{
    Fact, Viewer,
    view::{
        Agenda, Attendance, BannedDevice, Break, Comment, Door, Fixed, Item, Kind, Prompt,
        SeatView, SiteAttendance, SiteLink, View, Visitor,
    },
};
use diemcau_conference::{self as rules, Conference, Event, Headcount, Precedence, SpeechType};
use diemcau_model::{CommentId, DeviceId, TurnId};
use floor::{floor, speech};
use stage::stage;
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
    /// Who is present.
    Attendance,
    /// The private prompts.
    Prompts,
    /// One speech that is over.
    Speech(TurnId),
    /// Who waits at the door.
    Door,
}

/// What a slice is told beside: facts of one lane arrive in the order of their events, those of the floor may overtake
/// those of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Told at once: floor, stage and everything else that is seen or heard now.
    Floor,
    /// May be gathered before it is told to those who only watch: comments.
    Feed,
}

impl Slice {
    /// The lane it is told in.
    #[must_use]
    pub fn lane(self) -> Lane {
        match self {
            Self::Sites
            | Self::Agenda
            | Self::Floor
            | Self::Stage
            | Self::Seats
            | Self::Speech(_)
            | Self::Attendance
            | Self::Prompts
            | Self::Door => Lane::Floor,
            Self::Comment(_) => Lane::Feed,
        }
    }
}

/// The slices an event touches.
#[must_use]
pub fn touches(event: &Event) -> Vec<Slice> {
    match event {
        // Nobody is connected before it, and everyone gets a snapshot after.
        Event::ConferenceOpened { .. } => vec![],
        Event::CommandRefused { .. } => vec![],
        // The list, who is on deck, the paragraph and the quorum are the running item's.
        Event::ItemStarted { .. } | Event::ItemFinished { .. } => {
            vec![Slice::Agenda, Slice::Floor, Slice::Stage, Slice::Attendance]
        }
        Event::BreakStarted { .. } | Event::BreakEnded { .. } => vec![Slice::Agenda, Slice::Stage],
        Event::ItemMoved { .. } => vec![Slice::Agenda],
        Event::ListSet { .. } | Event::TurnKept { .. } => vec![Slice::Floor],
        Event::FloorRequested { .. }
        | Event::RequestWithdrawn { .. }
        | Event::RequestAccepted { .. }
        | Event::RequestDenied { .. }
        | Event::RequestMoved { .. }
        | Event::Staged { .. }
        | Event::ReadinessSet { .. }
        | Event::MicrophoneHeard { .. }
        | Event::Called { .. }
        | Event::CallReturned { .. }
        | Event::MicrophonesSet { .. }
        | Event::ChairTaken { .. }
        | Event::PrioritySet { .. }
        | Event::TurnInterrupted { .. }
        | Event::TurnTakenUp { .. }
        | Event::TurnStarted { .. }
        | Event::TurnPaused { .. }
        | Event::TurnResumed { .. }
        | Event::TurnHeld { .. }
        | Event::TurnUnheld { .. }
        | Event::TurnExtended { .. }
        | Event::TurnMuted { .. }
        | Event::HallMicrophoneSet { .. } => vec![Slice::Floor, Slice::Stage],
        Event::TurnEnded { turn, .. } => vec![Slice::Floor, Slice::Stage, Slice::Speech(*turn)],
        Event::StepUndone { back, .. } => {
            let back = back.iter().copied().map(Slice::Speech);
            [Slice::Floor, Slice::Stage]
                .into_iter()
                .chain(back)
                .collect()
        }
        Event::TurnWarned { .. } | Event::TurnRanOut { .. } => vec![Slice::Floor],
        Event::LayoutSet { .. }
        | Event::LayoutPreviewed { .. }
        | Event::NoticeSet { .. }
        | Event::ParagraphShown { .. }
        | Event::SpotlightSet { .. }
        | Event::CarouselSet { .. }
        | Event::CarouselTurned { .. }
        | Event::PageSet { .. }
        | Event::PresentationAsked { .. }
        | Event::PresentationGiven { .. }
        | Event::PresentationEnded { .. } => vec![Slice::Stage],
        Event::RollCallStarted { .. }
        | Event::SiteCalled { .. }
        | Event::SiteAnswered { .. }
        | Event::RollCallEnded { .. } => vec![Slice::Attendance, Slice::Floor, Slice::Stage],
        Event::SiteHeard { .. } | Event::HeadcountSet { .. } => vec![Slice::Attendance],
        Event::Prompted { .. } | Event::PromptHandled { .. } => vec![Slice::Prompts],
        Event::CommentPosted { comment, .. }
        | Event::CommentHeld { comment }
        | Event::CommentPublished { comment }
        | Event::CommentWithdrawn { comment } => vec![Slice::Comment(*comment)],
        // A deputy who is sent away has the chair no longer.
        Event::SeatRevoked { .. }
        | Event::SeatExpelled { .. }
        | Event::SeatRestored { guarded: true, .. } => vec![Slice::Seats, Slice::Floor],
        Event::SeatRestored { guarded: false, .. } | Event::DeviceBound { .. } => {
            vec![Slice::Seats]
        }
        Event::DeviceAdmitted { .. } => vec![Slice::Seats, Slice::Door],
        Event::DeviceWaits { .. }
        | Event::DeviceGone { .. }
        | Event::DeviceRefused { .. }
        | Event::DeviceBanned { .. }
        | Event::DeviceAllowed { .. } => vec![Slice::Door],
        // Only a linked site is on deck.
        Event::EndpointLinked { .. } | Event::EndpointLost { .. } => {
            vec![Slice::Sites, Slice::Floor, Slice::Stage]
        }
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
        attendance: attendance(conference, viewer),
        prompts: prompts(conference, viewer),
        speeches: conference
            .floor()
            .speeches
            .values()
            .map(|over| speech(over, viewer))
            .collect(),
        door: door(conference, viewer),
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
                Fact::Attendance { attendance } => self.attendance = attendance,
                Fact::Prompts { prompts } => self.prompts = prompts,
                Fact::SpeechGone { turn } => self.speeches.retain(|other| other.turn != turn),
                Fact::Speech { speech } => match self
                    .speeches
                    .binary_search_by_key(&speech.turn, |other| other.turn)
                {
                    Ok(at) => self.speeches[at] = speech,
                    Err(at) => self.speeches.insert(at, speech),
                },
                Fact::Door { door } => self.door = door,
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
        Slice::Attendance => Fact::Attendance {
            attendance: attendance(conference, viewer),
        },
        Slice::Prompts if viewer == Viewer::Public => return None,
        Slice::Prompts => Fact::Prompts {
            prompts: prompts(conference, viewer),
        },
        Slice::Speech(turn) => match conference.floor().speeches.get(&turn) {
            Some(over) => Fact::Speech {
                speech: speech(over, viewer),
            },
            None => Fact::SpeechGone { turn },
        },
        Slice::Door if !viewer.may_see_seats() => return None,
        Slice::Door => Fact::Door {
            door: door(conference, viewer),
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

/// What never changes.
#[must_use]
pub fn fixed(conference: &Conference) -> Fixed {
    let setup = conference.setup();
    Fixed {
        title: setup.title.clone(),
        organizer: setup.organizer.clone(),
        starts: setup.starts,
        sites: setup.sites.clone(),
        drafts: setup.drafts.clone(),
        kinds: SpeechType::ALL
            .map(|speech| Kind {
                speech,
                rights: Precedence::of(speech),
            })
            .to_vec(),
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
        part_of: planned.part_of,
        quorum_percent: planned.quorum_percent,
        quorum_base: planned.quorum_base,
        title: planned.title.clone(),
        short: planned.short.clone(),
        kind: planned.kind,
        presenter: planned.presenter.clone(),
        minutes: planned.minutes,
        turns: planned.turns,
        drafts: planned.drafts.clone(),
        started: agenda.started.get(&planned.id).copied(),
        finished: agenda.finished.get(&planned.id).copied(),
        idle_ms: agenda.idle_ms.get(&planned.id).copied().unwrap_or_default(),
    };
    let planned = |id| conference.setup().item(id);
    Agenda {
        current: agenda.current,
        next: agenda.next(),
        items: agenda
            .order
            .iter()
            .copied()
            .filter_map(planned)
            .map(item)
            .collect(),
        on_break: agenda.on_break.map(|on| Break {
            since: on.since,
            until: on.until,
        }),
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
    let known = |seat: &rules::Seat| conference.door().devices.get(&seat.id);
    let seat = |seat: &rules::Seat| SeatView {
        id: seat.id,
        role: seat.role,
        site: seat.site,
        carries: seat.carries,
        label: seat.label.clone(),
        revoked: conference.roster().is_revoked(seat.id),
        expelled: conference.door().expelled.contains(&seat.id),
        guarded: conference.door().guarded.contains(&seat.id),
        bound: seat.bound,
        devices: known(seat).map_or(0, |known| u8::try_from(known.len()).unwrap_or(u8::MAX)),
    };
    conference.setup().seats.iter().map(seat).collect()
}

fn door(conference: &Conference, viewer: Viewer) -> Door {
    if !viewer.may_see_seats() {
        return Door::default();
    }
    let state = conference.door();
    let visitor = |visitor: &rules::Visitor| Visitor {
        wait: visitor.id,
        seat: visitor.seat,
        code: code(visitor.code),
        has_key: visitor.device.is_some(),
        at: visitor.at,
    };
    let banned = |(device, ban): (&DeviceId, &rules::Ban)| BannedDevice {
        device: *device,
        seat: ban.seat,
        at: ban.at,
    };
    Door {
        waiting: state.waiting.iter().map(visitor).collect(),
        banned: state.banned.iter().map(banned).collect(),
    }
}

/// The digits of a waiting device as both sides show them.
#[must_use]
pub fn code(code: u16) -> String {
    format!("{code:04}")
}

fn attendance(conference: &Conference, viewer: Viewer) -> Attendance {
    let (setup, roll) = (conference.setup(), conference.roll());
    let all = conference.present();
    Attendance {
        calling: roll.calling.map(|(site, _)| site),
        since: roll.calling.map(|(_, since)| since),
        walks: roll.walks,
        sites: setup
            .sites
            .iter()
            .map(|site| site_attendance(conference, site, viewer))
            .collect(),
        summoned: all.summoned,
        present: all.present,
        online: all.online,
        quorum: conference.quorum(),
    }
}

fn site_attendance(conference: &Conference, site: &rules::Site, viewer: Viewer) -> SiteAttendance {
    let roll = conference.roll();
    let call = roll.called.get(&site.id).copied().unwrap_or_default();
    let shown = |headcount: &Headcount| match viewer.may_see_absent_of(site.id) {
        true => headcount.clone(),
        false => Headcount {
            absent: String::new(),
            ..headcount.clone()
        },
    };
    SiteAttendance {
        site: site.id,
        headcount: roll.headcounts.get(&site.id).map(shown),
        how: call.end.map(|(how, _)| how),
        at: call.end.map(|(_, at)| at),
        heard: call.heard,
    }
}

fn prompts(conference: &Conference, viewer: Viewer) -> Vec<Prompt> {
    let prompts = conference.prompts().prompts.iter();
    prompts
        .filter(|prompt| viewer.may_see_prompts_of(prompt.site))
        .map(|prompt| Prompt {
            id: prompt.id,
            site: prompt.site,
            kind: prompt.kind,
            at: prompt.at,
            handled: prompt.handled,
        })
        .collect()
}
