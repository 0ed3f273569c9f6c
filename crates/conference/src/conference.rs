//! The whole: one command in, events or a refusal out; one event in, the next state.

use crate::{
    Actor, Command, Event, PlannedItem, Refusal, Setup, Signal,
    agenda::Agenda,
    feed::{self, Feed},
    floor::{self, Floor},
    permits::permits,
    roster::Roster,
    screen::Screen,
    words::TurnEnd,
};
use diemcau_model::{Millis, Stage, TurnId};

/// A conference as of its last applied event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conference {
    setup: Setup,
    roster: Roster,
    agenda: Agenda,
    floor: Floor,
    feed: Feed,
    screen: Screen,
    seq: u64,
}

impl Conference {
    /// What it started from.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Sites, seats and links.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The agenda.
    #[must_use]
    pub fn agenda(&self) -> &Agenda {
        &self.agenda
    }

    /// The floor.
    #[must_use]
    pub fn floor(&self) -> &Floor {
        &self.floor
    }

    /// The comments.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The big screens and the hall's microphone.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// The number of the last applied event.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What every room is to see and hear.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.screen.stage(self)
    }

    /// Decides a command. Reads only; a refusal leaves nothing behind.
    ///
    /// # Errors
    /// The refusal to tell the asker.
    pub fn decide(
        &self,
        actor: &Actor,
        command: &Command,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        // A command may still wait in line when the seat that sent it is revoked.
        if self.roster.is_revoked(actor.seat) || !permits(actor.role, command) {
            return Err(Refusal::NotAllowed);
        }
        let floor = &self.floor;
        match command {
            Command::StartItem { item } => {
                self.ending_turn(self.agenda.decide_start(*item, now), now)
            }
            Command::FinishItem { item } => {
                self.ending_turn(self.agenda.decide_finish(*item, now), now)
            }
            Command::NextItem { after } => {
                self.ending_turn(self.agenda.decide_next(*after, now), now)
            }
            Command::MoveItem { item, before } => self.agenda.decide_move(*item, *before),
            Command::SetList { open } => floor.decide_list(*open),
            Command::RequestFloor { words } => {
                if words
                    .paragraph
                    .is_some_and(|at| !self.setup.has_paragraph(at))
                {
                    return Err(Refusal::UnknownParagraph);
                }
                floor.decide_request(actor, self.current_item(), words, now)
            }
            Command::WithdrawRequest { turn } => floor.decide_withdraw(actor, *turn),
            Command::AcceptRequest { turn } => floor.decide_accept(*turn),
            Command::DenyRequest { turn, reason } => floor.decide_deny(*turn, reason),
            Command::MoveRequest { turn, before } => floor.decide_move(*turn, *before),
            Command::Prepare { turn } => floor.decide_prepare(*turn),
            Command::GrantNext { after, expect } => {
                let turn = floor.decide_next(*after, *expect)?;
                self.decide_grant(*after, turn, now)
            }
            Command::Grant { after, turn } => self.decide_grant(*after, *turn, now),
            Command::PauseTurn { turn } => floor.decide_pause(*turn, now),
            Command::ResumeTurn { turn } => floor.decide_resume(*turn, now),
            Command::ExtendTurn { turn, minutes } => floor.decide_extend(*turn, *minutes, now),
            Command::EndTurn { turn } => floor.decide_end(actor, *turn, TurnEnd::Released, now),
            Command::RevokeTurn { turn } => floor.decide_end(actor, *turn, TurnEnd::Revoked, now),
            Command::SetHallMicrophone { open } => self.screen.decide_microphone(*open),
            Command::SetLayout { layout } => self.screen.decide_layout(*layout),
            Command::PostComment { kind, words } => {
                self.feed.decide_post(&self.setup, actor, *kind, words, now)
            }
            Command::HoldComment { comment } => self.feed.decide_hold(*comment, true),
            Command::PublishComment { comment } => self.feed.decide_hold(*comment, false),
            Command::WithdrawComment { comment } => self.feed.decide_withdraw(actor, *comment),
            Command::RevokeSeat { seat } => self.roster.decide_revoke(&self.setup, actor, *seat),
        }
    }

    /// Decides what something outside the room means for it.
    #[must_use]
    pub fn decide_signal(&self, signal: Signal, now: Millis) -> Vec<Event> {
        match signal {
            Signal::LinkUp { site, .. } | Signal::LinkDown { site, .. }
                if self.setup.site(site).is_none() =>
            {
                vec![]
            }
            Signal::LinkUp { site, kind } => {
                let mut events = self.roster.decide_up(site, kind, now);
                events.extend(self.floor.unhold(site, now));
                events
            }
            Signal::LinkDown { site, kind } => {
                let hold = if self.roster.is_last(site, kind) {
                    self.floor.hold(site, now)
                } else {
                    None
                };
                let mut events = self.roster.decide_down(site, kind, now);
                events.extend(hold);
                events
            }
            Signal::Restarted { last_alive } => {
                let held = self
                    .floor
                    .turn
                    .as_ref()
                    .and_then(|turn| self.floor.hold(turn.site, last_alive));
                let mut events = self.roster.decide_all_down(last_alive);
                events.extend(held);
                events
            }
        }
    }

    /// Decides what has become due; empty when nothing has. Called again until it is.
    #[must_use]
    pub fn decide_time(&self, now: Millis) -> Vec<Event> {
        self.floor.decide_time(now)
    }

    /// When `decide_time` will have something to say, if nothing else happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.floor.next_deadline()
    }

    /// Applies an event. Cannot refuse: running live and replaying are this same code.
    pub fn apply(&mut self, event: &Event) {
        self.seq += 1;
        let floor = &mut self.floor;
        match event {
            Event::ConferenceOpened { setup } => {
                self.setup = (**setup).clone();
                self.agenda = Agenda::open(setup);
            }
            Event::CommandRefused { .. } => {}
            Event::ItemStarted { item, at } => self.agenda.start(*item, *at),
            Event::ItemFinished { item, at } => self.agenda.finish(*item, *at),
            Event::ItemMoved { item, before } => self.agenda.reorder(*item, *before),
            Event::ListSet { open } => floor.open = *open,
            Event::FloorRequested {
                turn,
                site,
                seat,
                item: _,
                words,
                pending,
                at,
            } => floor.requested(
                floor::Request {
                    turn: *turn,
                    site: *site,
                    seat: *seat,
                    words: words.clone(),
                    at: *at,
                },
                *pending,
            ),
            Event::RequestAccepted { turn } => floor.accepted(*turn),
            Event::RequestWithdrawn { turn } | Event::RequestDenied { turn, .. } => {
                floor.gone(*turn)
            }
            Event::RequestMoved { turn, before } => floor.reordered(*turn, *before),
            Event::RequestPrepared { turn } => floor.prepared(*turn),
            Event::TurnStarted {
                turn,
                allotted_ms,
                at_zero,
                at,
            } => floor.started(*turn, *allotted_ms, *at_zero, *at),
            Event::TurnPaused { turn, at } => floor.change(*turn, |turn| {
                turn.stop_clock(*at);
                turn.paused = true;
            }),
            Event::TurnResumed { turn, at } => floor.change(*turn, |turn| {
                turn.paused = false;
                turn.start_clock(*at);
            }),
            Event::TurnHeld { turn, at } => floor.change(*turn, |turn| {
                turn.stop_clock(*at);
                turn.held = true;
            }),
            Event::TurnUnheld { turn, at } => floor.change(*turn, |turn| {
                turn.held = false;
                turn.start_clock(*at);
            }),
            Event::TurnExtended { turn, by_ms, at } => floor.change(*turn, |turn| {
                turn.allotted_ms += by_ms;
                turn.muted = false;
                turn.set_warned(*at);
            }),
            Event::TurnWarned { turn, left_s } => {
                floor.change(*turn, |turn| turn.warned_s = Some(*left_s))
            }
            Event::TurnRanOut { turn } => floor.change(*turn, |turn| turn.warned_s = Some(0)),
            Event::TurnMuted { turn } => floor.change(*turn, |turn| turn.muted = true),
            Event::TurnEnded {
                turn: _,
                how,
                at: _,
            } => floor.ended(*how),
            Event::HallMicrophoneSet { open } => self.screen.hall_microphone = *open,
            Event::LayoutSet { layout } => self.screen.layout = *layout,
            Event::CommentPosted {
                comment,
                site,
                seat,
                kind,
                words,
                at,
            } => self.feed.posted(feed::Comment {
                id: *comment,
                site: *site,
                seat: *seat,
                kind: *kind,
                words: words.clone(),
                at: *at,
                held: false,
            }),
            Event::CommentHeld { comment } => self.feed.set_held(*comment, true),
            Event::CommentPublished { comment } => self.feed.set_held(*comment, false),
            Event::CommentWithdrawn { comment } => self.feed.withdrawn(*comment),
            Event::SeatRevoked { seat } => self.roster.revoke(*seat),
            Event::EndpointLinked { site, kind, at } => self.roster.linked(*site, *kind, *at),
            Event::EndpointLost { site, kind, at } => self.roster.lost(*site, *kind, *at),
        }
    }

    /// The running item as planned.
    #[must_use]
    pub fn current_item(&self) -> Option<&PlannedItem> {
        self.agenda.current.and_then(|item| self.setup.item(item))
    }

    fn decide_grant(
        &self,
        after: Option<TurnId>,
        turn: TurnId,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let linked = |site| self.roster.carrier(site).is_some();
        self.floor
            .decide_grant(after, turn, self.current_item(), linked, now)
    }

    /// A speech belongs to its item: changing the item ends the turn first.
    fn ending_turn(
        &self,
        decided: Result<Vec<Event>, Refusal>,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let mut events: Vec<Event> = self
            .floor
            .end(TurnEnd::ItemFinished, now)
            .into_iter()
            .collect();
        events.extend(decided?);
        Ok(events)
    }
}
