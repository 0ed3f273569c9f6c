//! One event in, the next state. Cannot refuse: running live and replaying are this same code.

use crate::{
    Conference, Event,
    agenda::Agenda,
    door::{Ban, Visitor},
    feed::Comment,
    floor::Request,
    precedence::Precedence,
    prompts::Prompt,
    roster::Roster,
    screen::{Carousel, Spotlight},
    share::Sharer,
    turn::Turn,
    words::{Denied, Readiness, StepKind},
};
use diemcau_model::{Millis, SiteId, TurnId};
use std::sync::Arc;

impl Conference {
    /// Applies an event.
    pub fn apply(&mut self, event: &Event) {
        self.seq += 1;
        match event {
            Event::ConferenceOpened { setup } => {
                self.setup = Arc::new((**setup).clone());
                self.agenda = Agenda::open(setup);
            }
            Event::CommandRefused { .. } => {}
            Event::ItemStarted { item, waiting, at } => {
                self.agenda.start(*item, self.setup.item(*item), *at);
                match self.agenda.on_break {
                    Some(_) => self.screen.rest(),
                    None => self.screen.wake(),
                }
                self.floor.item_started(*item, *waiting);
                self.screen.paragraph = None;
            }
            Event::ItemFinished { item, at } => self.agenda.finish(*item, *at),
            Event::BreakStarted { until, at } => {
                self.agenda.break_started(*until, *at);
                self.screen.rest();
            }
            Event::BreakEnded { .. } => {
                self.agenda.on_break = None;
                self.screen.wake();
            }
            Event::ItemMoved { item, before } => self.agenda.reorder(*item, *before),
            Event::SeatRevoked { seat } => self.roster.revoke(*seat),
            Event::SeatExpelled { seat, .. } => {
                self.roster.leave_chair(*seat);
                self.door.expel(*seat);
            }
            Event::SeatRestored { seat, guarded, .. } => {
                self.roster.restore(*seat);
                self.door.restore(*seat, *guarded);
                if *guarded {
                    self.roster.leave_chair(*seat);
                }
            }
            Event::DeviceBound { seat, device, .. } => self.door.bind(*seat, *device),
            Event::DeviceWaits {
                wait,
                seat,
                device,
                code,
                at,
            } => self.door.waits(Visitor {
                id: *wait,
                seat: *seat,
                device: *device,
                code: *code,
                at: *at,
            }),
            Event::DeviceAdmitted { wait, .. } => self.door.admitted(*wait),
            Event::DeviceGone { wait } | Event::DeviceRefused { wait, .. } => self.door.gone(*wait),
            Event::DeviceBanned { device, seat, at } => {
                let ban = Ban {
                    seat: *seat,
                    at: *at,
                };
                self.door.banned.insert(*device, ban);
            }
            Event::DeviceAllowed { device, .. } => {
                self.door.banned.remove(device);
            }
            Event::ChairTaken { deputy, at } => {
                self.roster.deputy = *deputy;
                self.floor.set_priority(None, *at);
            }
            Event::EndpointLinked { site, kind, at } => {
                self.on_link(*site, |roster| roster.linked(*site, *kind, *at));
            }
            Event::EndpointLost { site, kind, at } => {
                self.on_link(*site, |roster| roster.lost(*site, *kind, *at));
            }
            Event::RollCallStarted { .. } => self.roll.started(),
            Event::SiteCalled { site, at } => {
                self.roll.site_called(*site, *at);
                self.screen.wake();
            }
            Event::SiteHeard { site, heard } => self.roll.heard(*site, *heard),
            Event::SiteAnswered { site, how, at } => self.roll.answered(*site, *how, *at),
            Event::RollCallEnded { .. } => self.roll.ended(),
            Event::HeadcountSet {
                site,
                headcount,
                at,
            } => self.roll.reported(*site, headcount.clone(), *at),
            Event::Prompted {
                prompt,
                site,
                kind,
                at,
            } => self.prompts.prompted(Prompt {
                id: *prompt,
                site: *site,
                kind: *kind,
                at: *at,
                handled: None,
            }),
            Event::PromptHandled { prompt, at } => self.prompts.handled(*prompt, *at),
            Event::ListSet { .. }
            | Event::FloorRequested { .. }
            | Event::RequestWithdrawn { .. }
            | Event::RequestAccepted { .. }
            | Event::RequestDenied { .. }
            | Event::RequestMoved { .. }
            | Event::Staged { .. }
            | Event::ReadinessSet { .. }
            | Event::MicrophoneHeard { .. }
            | Event::Called { .. }
            | Event::StepUndone { .. } => self.apply_to_list(event),
            Event::TurnStarted { .. }
            | Event::TurnPaused { .. }
            | Event::TurnResumed { .. }
            | Event::TurnHeld { .. }
            | Event::TurnUnheld { .. }
            | Event::TurnInterrupted { .. }
            | Event::TurnTakenUp { .. }
            | Event::TurnKept { .. }
            | Event::TurnExtended { .. }
            | Event::TurnWarned { .. }
            | Event::TurnRanOut { .. }
            | Event::TurnMuted { .. }
            | Event::TurnEnded { .. }
            | Event::CallReturned { .. }
            | Event::MicrophonesSet { .. }
            | Event::PrioritySet { .. } => self.apply_to_turns(event),
            Event::HallMicrophoneSet { .. }
            | Event::LayoutSet { .. }
            | Event::LayoutPreviewed { .. }
            | Event::NoticeSet { .. }
            | Event::ParagraphShown { .. }
            | Event::SpotlightSet { .. }
            | Event::CarouselSet { .. }
            | Event::CarouselTurned { .. }
            | Event::PageSet { .. } => self.apply_to_screen(event),
            Event::PresentationAsked { seat, at } => self.presenting.ask(*seat, *at),
            Event::PresentationGiven { seat, at } => {
                self.presenting.give(&self.setup, *seat, *at);
                self.screen.present();
            }
            Event::PresentationEnded { seat, .. } => {
                self.presenting.end(*seat);
                if self.presenting.shown.is_none() {
                    self.screen.presented();
                }
            }
            Event::CommentPosted { .. }
            | Event::CommentHeld { .. }
            | Event::CommentPublished { .. }
            | Event::CommentWithdrawn { .. } => self.apply_to_feed(event),
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "`apply` names every event and sends those of the list here"
    )]
    fn apply_to_list(&mut self, event: &Event) {
        match event {
            Event::ListSet { open } => self.floor.open = *open,
            Event::FloorRequested {
                turn,
                site,
                seat,
                item,
                words,
                pending,
                about,
                at,
            } => {
                let request = Request {
                    turn: *turn,
                    site: *site,
                    seat: *seat,
                    item: *item,
                    words: words.clone(),
                    about: *about,
                    pending: *pending,
                    ready: Readiness::Unknown,
                    heard: None,
                    at: *at,
                };
                let by = Sharer::of(&self.setup, *seat, *site);
                self.floor.requested(request, by);
            }
            Event::RequestAccepted { turn } => {
                self.floor.edit(*turn, |request| request.pending = false);
            }
            Event::RequestWithdrawn { turn } => {
                self.take(*turn);
            }
            Event::RequestDenied { turn, reason, at } => {
                self.note_step(StepKind::Denied, *turn, &[], *at);
                if let Some(request) = self.take(*turn) {
                    let denied = Denied {
                        turn: *turn,
                        site: request.site,
                        reason: reason.clone(),
                        item_over: false,
                    };
                    self.floor.denied.insert(request.site, denied);
                }
            }
            Event::RequestMoved { turn, place, at } => {
                self.note_step(StepKind::Moved, *turn, &[], *at);
                self.put(*turn, usize::from(*place));
            }
            Event::Staged { turns } => self.floor.staged.clone_from(turns),
            Event::ReadinessSet { turn, ready } => {
                self.floor.edit(*turn, |request| request.ready = *ready);
            }
            Event::MicrophoneHeard { turn, at } => {
                self.floor.edit(*turn, |request| request.heard = Some(*at));
            }
            Event::Called {
                turn, replaces, at, ..
            } => self.note_step(StepKind::Called, *turn, replaces, *at),
            Event::StepUndone { at, .. } => self.floor.undone(*at),
            _ => {}
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "`apply` names every event and sends those of speeches here"
    )]
    fn apply_to_turns(&mut self, event: &Event) {
        let floor = &mut self.floor;
        match event {
            Event::TurnStarted { .. } => self.turn_started(event),
            Event::CallReturned { turn, .. } => {
                let returned = floor.call_returned(*turn);
                if let Some(place) = returned.and_then(|turn| turn.put_at) {
                    self.put(*turn, place);
                }
            }
            Event::MicrophonesSet { open, .. } => match self.roll.calling {
                Some(_) => self.roll.closed = !open,
                None => floor.microphones_closed = !open,
            },
            Event::TurnPaused { turn, at } => {
                floor.change(*turn, |turn| turn.hold(*at, |turn| turn.paused = true));
            }
            Event::TurnResumed { turn, at } => {
                floor.change(*turn, |turn| turn.hold(*at, |turn| turn.paused = false));
            }
            Event::TurnHeld {
                turn,
                at,
                away_from,
            } => floor.change(*turn, |turn| {
                turn.hold(*at, |turn| turn.held = true);
                turn.away_from = Some(*away_from);
            }),
            Event::TurnUnheld { turn, at } => floor.change(*turn, |turn| {
                turn.hold(*at, |turn| turn.held = false);
                (turn.away_from, turn.kept) = (None, false);
            }),
            Event::TurnInterrupted { turn, at } => {
                floor.change(*turn, |turn| turn.hold(*at, |turn| turn.interrupted = true));
            }
            Event::TurnTakenUp { turn, at } => {
                floor.change(*turn, |turn| {
                    turn.hold(*at, |turn| turn.interrupted = false);
                });
            }
            Event::TurnKept { turn } => floor.change(*turn, |turn| turn.kept = true),
            Event::TurnExtended { turn, by_ms, at } => floor.change(*turn, |turn| {
                turn.allotted_ms += by_ms;
                turn.muted = false;
                turn.set_warned(*at);
            }),
            Event::TurnWarned { turn, left_s } => {
                floor.change(*turn, |turn| turn.warned_s = Some(*left_s));
            }
            Event::TurnRanOut { turn } => floor.change(*turn, |turn| turn.warned_s = Some(0)),
            Event::TurnMuted { turn } => floor.change(*turn, |turn| turn.muted = true),
            Event::TurnEnded { turn, how, at } => floor.ended(*turn, *how, *at),
            Event::PrioritySet { seat, at } => floor.set_priority(*seat, *at),
            _ => {}
        }
    }

    fn turn_started(&mut self, event: &Event) {
        let Event::TurnStarted {
            turn,
            item,
            allotted_ms,
            at_zero,
            at,
        } = event
        else {
            return;
        };
        let put_at = self.floor.put_at(*turn);
        let Some(request) = self.take(*turn) else {
            return;
        };
        let turn = Turn {
            turn: *turn,
            site: request.site,
            seat: request.seat,
            item: *item,
            words: request.words,
            about: request.about,
            asked: request.at,
            put_at,
            started: *at,
            allotted_ms: *allotted_ms,
            at_zero: *at_zero,
            used_ms: 0,
            running_since: None,
            paused: false,
            held: false,
            interrupted: false,
            silenced: false,
            muted: false,
            away_from: None,
            kept: false,
            warned_s: None,
        };
        self.floor.started(turn, *at);
        self.screen.wake();
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "`apply` names every event and sends those of the screens here"
    )]
    fn apply_to_screen(&mut self, event: &Event) {
        let screen = &mut self.screen;
        match event {
            Event::HallMicrophoneSet { open } => screen.hall_microphone = *open,
            Event::LayoutSet { layout } => screen.set_layout(*layout),
            Event::LayoutPreviewed { layout } => screen.preview = *layout,
            Event::NoticeSet { text } => screen.notice.clone_from(text),
            Event::ParagraphShown { at } => screen.paragraph = *at,
            Event::SpotlightSet { site, seat } => {
                screen.spotlight = site.map(|site| Spotlight { site, seat: *seat });
            }
            Event::CarouselSet { seconds, at } => {
                screen.carousel = seconds.map(|seconds| Carousel {
                    seconds,
                    site: None,
                    since: *at,
                });
            }
            Event::CarouselTurned { site, at } => {
                if let Some(carousel) = &mut screen.carousel {
                    (carousel.site, carousel.since) = (Some(*site), *at);
                }
            }
            Event::PageSet { page } => screen.page = *page,
            _ => {}
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "`apply` names every event and sends those of comments here"
    )]
    fn apply_to_feed(&mut self, event: &Event) {
        let feed = Arc::make_mut(&mut self.feed);
        match event {
            Event::CommentPosted {
                comment,
                site,
                seat,
                kind,
                words,
                at,
            } => {
                let comment = Comment {
                    id: *comment,
                    site: *site,
                    seat: *seat,
                    kind: *kind,
                    words: words.clone(),
                    at: *at,
                    held: false,
                };
                let by = Sharer::of(&self.setup, *seat, *site);
                feed.posted(comment, by);
            }
            Event::CommentHeld { comment } => feed.set_held(*comment, true),
            Event::CommentPublished { comment } => feed.set_held(*comment, false),
            Event::CommentWithdrawn { comment } => feed.withdrawn(&self.setup, *comment),
            _ => {}
        }
    }

    fn on_link(&mut self, site: SiteId, change: impl FnOnce(&mut Roster)) {
        let before = self.roster.carrier(site);
        change(&mut self.roster);
        if self.roster.carrier(site) != before {
            self.floor.carrier_changed(site);
        }
    }

    /// Takes a request out of the list.
    fn take(&mut self, turn: TurnId) -> Option<Request> {
        let list = turns(&self.list());
        self.floor.take(turn, &list)
    }

    /// Puts a request at a place, counted among those of its rank.
    fn put(&mut self, turn: TurnId, place: usize) {
        let list = self.list();
        let is_first = |request: &Request| Precedence::of(request.words.speech).is_first();
        let Some(own) = list.iter().find(|request| request.turn == turn) else {
            return;
        };
        let own = is_first(own);
        let mut rest = list.clone();
        rest.retain(|request| request.turn != turn);
        // Points of order come first, so the others' places are counted behind them.
        let before = rest.iter().filter(|request| !own && is_first(request));
        let at = before.count() + place;
        let mut list = turns(&rest);
        list.insert(at.min(list.len()), turn);
        let put: Vec<TurnId> = self.floor.put().chain([turn]).collect();
        self.floor.set_order(list, &put);
    }

    fn note_step(&mut self, kind: StepKind, turn: TurnId, replaces: &[TurnId], at: Millis) {
        let list = turns(&self.list());
        self.floor.note_step(kind, turn, list, replaces, at);
    }
}

fn turns(list: &[&Request]) -> Vec<TurnId> {
    list.iter().map(|request| request.turn).collect()
}
