//! The whole: one command in, events or a refusal out; one event in, the next state.

use crate::{
    Actor, Command, Event, PlannedItem, QueueMode, Refusal, Setup, Signal,
    agenda::Agenda,
    door::{Door, Knock},
    feed::Feed,
    floor::{Floor, Request, open_microphones},
    line::{self, Place},
    presenting::Presenting,
    prompts::Prompts,
    roll::{Present, Quorum, Roll},
    roster::Roster,
    screen::Screen,
    turn::Turn,
    words::{Heard, Next, TurnEnd, Waiting},
};
use diemcau_model::{DeviceId, ItemId, Millis, SeatId, SiteId, Stage, TurnId, limits};
use std::sync::Arc;

/// A conference as of its last applied event. A copy is made to see what would be, also for each command while nothing can be
/// written: it shares what is long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conference {
    pub(crate) setup: Arc<Setup>,
    pub(crate) roster: Roster,
    pub(crate) agenda: Agenda,
    pub(crate) floor: Floor,
    pub(crate) feed: Arc<Feed>,
    pub(crate) roll: Roll,
    pub(crate) prompts: Prompts,
    pub(crate) screen: Screen,
    pub(crate) presenting: Presenting,
    pub(crate) door: Door,
    pub(crate) seq: u64,
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

    /// Who is present.
    #[must_use]
    pub fn roll(&self) -> &Roll {
        &self.roll
    }

    /// Private messages between desks and sites.
    #[must_use]
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// The big screens and the hall's microphone.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Who shows a screen or a window.
    #[must_use]
    pub fn presenting(&self) -> &Presenting {
        &self.presenting
    }

    /// Who may come in, who waits, and who was sent away.
    #[must_use]
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// What becomes of a device that comes with a seat's link.
    #[must_use]
    pub fn knock(&self, seat: SeatId, device: Option<DeviceId>) -> Knock {
        match self.setup.seat(seat) {
            Some(seat) if !self.roster.is_revoked(seat.id) => self.door.knock(seat, device),
            Some(_) | None => Knock::ShutOut,
        }
    }

    /// The number of the last applied event.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// All sites together.
    #[must_use]
    pub fn present(&self) -> Present {
        self.roll.present(&self.setup)
    }

    /// Whether enough are there for the running item; none when it asks for no quorum.
    #[must_use]
    pub fn quorum(&self) -> Option<Quorum> {
        self.roll.quorum(&self.setup, self.current_item()?)
    }

    /// What every room is to see and hear.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.screen.stage(self)
    }

    /// The running item as planned.
    #[must_use]
    pub fn current_item(&self) -> Option<&PlannedItem> {
        self.agenda.current.and_then(|item| self.setup.item(item))
    }

    /// The list in its order, with the reason of each place.
    #[must_use]
    pub fn line(&self) -> Vec<Place<'_>> {
        line::line(&self.floor, self.queue_mode(), self.turn_ms())
    }

    /// The same as the rules and the chair order it, whoever is staged.
    pub(crate) fn list(&self) -> Vec<&Request> {
        line::list(&self.floor, self.queue_mode(), self.turn_ms())
    }

    /// Those who are told to prepare: the first is the one that is called next.
    #[must_use]
    pub fn on_deck(&self) -> Vec<TurnId> {
        // Between items nobody can be called, so nobody is told to prepare.
        if self.agenda.current.is_none() {
            return vec![];
        }
        let there = self.there().take(limits::ON_DECK_MAX);
        there.map(|request| request.turn).collect()
    }

    /// What "next" does now; none when there is nobody to call.
    #[must_use]
    pub fn next(&self) -> Option<Next> {
        self.floor.next(&self.on_deck())
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
        self.check_may(actor, command)?;
        let (floor, setup) = (&self.floor, &self.setup);
        match command {
            Command::StartItem { item, waiting } => {
                let becomes = waiting.unwrap_or_default();
                let events = self.agenda.decide_start(*item, becomes, now)?;
                self.check_waiting(*item, *waiting)?;
                self.changing_item(events, now)
            }
            Command::FinishItem { item } => {
                self.changing_item(self.agenda.decide_finish(*item, now)?, now)
            }
            Command::NextItem {
                after,
                expect,
                waiting,
            } => {
                let becomes = waiting.unwrap_or_default();
                let events = self.agenda.decide_next(*after, *expect, becomes, now)?;
                self.check_waiting(*expect, *waiting)?;
                self.changing_item(events, now)
            }
            Command::StartBreak { .. } if self.roll.calling.is_some() => Err(Refusal::RollCallRuns),
            Command::StartBreak { .. } if !floor.turns.is_empty() => Err(Refusal::FloorTaken),
            Command::StartBreak { minutes } => self.agenda.decide_break(*minutes, now),
            Command::EndBreak => self.agenda.decide_end_break(now),
            Command::MoveItem { item, before } => self.agenda.decide_move(*item, *before),
            Command::SetList { open } => floor.decide_list(*open),
            Command::RequestFloor { item, words, about } => {
                if item.is_some_and(|item| !self.floor.is_list_of(item)) {
                    return Err(Refusal::OtherItem);
                }
                let item = self.current_item();
                floor.decide_request(actor, setup, item, words, *about, now)
            }
            Command::WithdrawRequest { turn } => floor.decide_withdraw(*turn),
            Command::AcceptRequest { turn } => floor.decide_accept(*turn),
            Command::DenyRequest { turn, reason } => floor.decide_deny(*turn, reason, now),
            Command::MoveRequest { turn, before } => {
                floor.decide_move(&self.list(), *turn, *before, now)
            }
            Command::Stage { turns } => floor.decide_stage(turns),
            Command::SetReady { turn, ready } => floor.decide_ready(*turn, *ready),
            Command::GrantNext { after, expect } => self.decide_next(*after, *expect, now),
            Command::Grant { after, turn } => self.decide_grant(*after, *turn, now),
            Command::Undo { turn } => floor.decide_undo(*turn, |site| self.is_linked(site), now),
            Command::PauseTurn { turn } => floor.decide_pause(*turn, now),
            Command::ResumeTurn { turn } => floor.decide_resume(*turn, now),
            Command::ExtendTurn { turn, minutes } => floor.decide_extend(*turn, *minutes, now),
            Command::KeepTurn { turn } => floor.decide_keep(*turn),
            Command::ReturnCall { turn } => floor.decide_return_call(*turn, now),
            Command::EndTurn { turn } => floor.decide_end(*turn, TurnEnd::Released, now),
            Command::RevokeTurn { turn } => floor.decide_end(*turn, TurnEnd::Revoked, now),
            Command::SetHallMicrophone { open } => self.screen.decide_microphone(*open),
            Command::SetPriority { on } => floor.decide_priority(actor, *on, now),
            Command::CloseMicrophones => self.decide_microphones(false, now),
            Command::OpenMicrophones => self.decide_microphones(true, now),
            Command::TakeChair => self.roster.decide_take_chair(actor, now),
            Command::ReturnChair => self.roster.decide_return_chair(now),
            Command::StartRollCall => self.calling(self.roll.decide_start(setup, now)?, now),
            Command::CallNextSite { after } => self.roll.decide_next(setup, *after, now),
            Command::CallSite { site } => {
                self.calling(self.roll.decide_call(setup, *site, now)?, now)
            }
            Command::PassOverSite { site } => self.roll.decide_pass_over(setup, *site, now),
            Command::EndRollCall => self.roll.decide_end(now),
            Command::SetHeadcount { site, headcount } => {
                self.roll.decide_headcount(setup, *site, headcount, now)
            }
            Command::PromptSite { site, prompt } => {
                self.prompts.decide_prompt(setup, *site, *prompt, now)
            }
            Command::PromptDesks { prompt } => {
                let site = actor.site.ok_or(Refusal::NotAllowed)?;
                self.prompts.decide_prompt(setup, site, *prompt, now)
            }
            Command::HandlePrompt { prompt } => self.prompts.decide_handle(*prompt, now),
            Command::SetBlank { on } => self.screen.decide_blank(*on),
            Command::SetLayout { layout } => self.screen.decide_layout(*layout),
            Command::PreviewLayout { layout } => self.screen.decide_preview(*layout),
            Command::TakePreview { expect } => self.screen.decide_take(*expect),
            Command::SetNotice { text } => self.screen.decide_notice(text),
            Command::ShowParagraph { at } => self.screen.decide_paragraph(setup, *at),
            Command::SetSpotlight { site } => {
                self.screen.decide_spotlight(setup, actor.seat, *site)
            }
            Command::SetCarousel { seconds } => self.screen.decide_carousel(*seconds, now),
            Command::SetPage { page } => self.screen.decide_page(setup, *page),
            Command::AskToPresent => {
                let presides = self.roster.presides(actor);
                self.presenting.decide_ask(setup, actor, presides, now)
            }
            Command::LetPresent { seat } => self.presenting.decide_give(*seat, now),
            Command::EndPresentation { seat } => self.presenting.decide_end(*seat, now),
            Command::PostComment { kind, words } => {
                self.feed.decide_post(setup, actor, *kind, words, now)
            }
            Command::HoldComment { comment } => self.feed.decide_hold(*comment, true),
            Command::PublishComment { comment } => self.feed.decide_hold(*comment, false),
            Command::WithdrawComment { comment } => self.feed.decide_withdraw(*comment),
            Command::RevokeSeat { seat } => {
                let mut events = self.let_go(*seat, now);
                events.extend(self.roster.decide_revoke(setup, *seat)?);
                events.extend(self.door.refuse_all_of(*seat, now));
                Ok(events)
            }
            Command::ExpelSeat { seat, ban, present } => {
                let mut events = self.let_go(*seat, now);
                let spared = self.door.spared(setup, actor, present);
                events.extend(self.door.decide_expel(setup, &spared, *seat, *ban, now)?);
                Ok(events)
            }
            Command::RestoreSeat { seat, is_there } => {
                self.decide_restore(actor, *seat, *is_there, now)
            }
            Command::AdmitDevice { wait } => self.door.decide_admit(*wait, now),
            Command::RefuseDevice { wait, ban, present } => {
                let spared = self.door.spared(setup, actor, present);
                self.door.decide_refuse(&spared, *wait, *ban, now)
            }
            Command::AllowDevice { device } => self.door.decide_allow(*device, now),
        }
    }

    /// Decides what something outside the room means for it.
    #[must_use]
    pub fn decide_signal(&self, signal: Signal, now: Millis) -> Vec<Event> {
        match signal {
            Signal::LinkUp { site, .. }
            | Signal::LinkDown { site, .. }
            | Signal::Measured { site, .. }
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
                let mut events = self.roster.decide_down(site, kind, now);
                if self.roster.is_last(site, kind) {
                    events.extend(self.floor.hold(site, now));
                }
                events
            }
            Signal::Knocked { seat, device, code } => match self.setup.seat(seat) {
                Some(seat) if !self.roster.is_revoked(seat.id) => {
                    self.door.decide_knock(seat, device, code, now)
                }
                Some(_) | None => vec![],
            },
            Signal::WaitOver { wait } => self.door.decide_gone(wait),
            Signal::SeatGone { seat } => self.floor.release_priority(seat, now),
            Signal::StayedAway { seat } => self.presenting.release(seat, now),
            Signal::Measured {
                site,
                level_dbov,
                rtt_ms,
                loss_permille,
            } => {
                let heard = Heard {
                    level_dbov,
                    rtt_ms,
                    loss_permille,
                    at: now,
                };
                let mut events = self.roll.decide_measured(site, heard);
                events.extend(self.decide_heard(site, level_dbov, now));
                events
            }
            Signal::Restarted { last_alive } => {
                let mut events = self.roster.decide_all_down(last_alive);
                events.extend(self.floor.hold_all(last_alive, now));
                if let Some(seat) = self.floor.priority {
                    events.extend(self.floor.release_priority(seat, now));
                }
                events.extend(self.door.decide_all_gone());
                events
            }
        }
    }

    /// What a seat held is free when it may not come any more: the priority key, and the presentation.
    fn let_go(&self, seat: SeatId, now: Millis) -> Vec<Event> {
        let mut events = self.floor.release_priority(seat, now);
        events.extend(self.presenting.release(seat, now));
        events
    }

    /// Decides what has become due; empty when nothing has. Called again until it is.
    #[must_use]
    pub fn decide_time(&self, now: Millis) -> Vec<Event> {
        let due = self.floor.decide_time(self.away_ms(), now, now);
        if !due.is_empty() {
            return due;
        }
        if let Some(event) = self.decide_open(now) {
            return vec![event];
        }
        self.screen.decide_time(self, now)
    }

    /// Decides `now` what the clocks of the speeches have brought until a moment that is past, but for absences, which may have
    /// ended since. What goes on by it begins now.
    #[must_use]
    pub fn decide_past(&self, until: Millis, now: Millis) -> Vec<Event> {
        self.floor.decide_time(None, until, now)
    }

    /// When `decide_time` will have something to say, if nothing else happens before; a moment that is past means now.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        let opens = self.decide_open(Millis(0)).map(|_| Millis(0));
        let floor = self.floor.next_deadline(self.away_ms());
        let screen = self.screen.next_deadline();
        opens.into_iter().chain(floor).chain(screen).min()
    }

    /// When the turn of a site whose link is lost ends by itself.
    #[must_use]
    pub fn away_until(&self, turn: &Turn) -> Option<Millis> {
        turn.away_until(self.away_ms())
    }

    /// Whoever is told to prepare is heard once before it is called.
    fn decide_heard(&self, site: SiteId, level_dbov: i8, now: Millis) -> Vec<Event> {
        if level_dbov < limits::HEARD_FROM_DBOV {
            return vec![];
        }
        let on_deck = self.on_deck().into_iter();
        on_deck
            .filter_map(|turn| self.floor.find(turn))
            .filter(|request| request.site == site && request.heard.is_none())
            .map(|request| Event::MicrophoneHeard {
                turn: request.turn,
                at: now,
            })
            .collect()
    }

    pub(crate) fn on_deck_sites(&self) -> Vec<SiteId> {
        let mut sites = vec![];
        for request in self
            .on_deck()
            .iter()
            .filter_map(|turn| self.floor.find(*turn))
        {
            if !sites.contains(&request.site) {
                sites.push(request.site);
            }
        }
        sites
    }

    /// Whoever changes the item says what becomes of those who wait.
    fn check_waiting(&self, to: ItemId, waiting: Option<Waiting>) -> Result<(), Refusal> {
        let asks = self.floor.is_waited_in() && !self.floor.is_list_of(to);
        match asks && waiting.is_none() {
            true => Err(Refusal::ListWaiting),
            false => Ok(()),
        }
    }

    /// A speech belongs to its item: changing the item ends it first.
    fn changing_item(&self, decided: Vec<Event>, now: Millis) -> Result<Vec<Event>, Refusal> {
        if self.roll.calling.is_some() {
            return Err(Refusal::RollCallRuns);
        }
        let begins = |event: &Event| matches!(event, Event::ItemStarted { item, .. } if !self.floor.is_list_of(*item));
        // A list is closed for its item.
        let opens = !self.floor.open && decided.iter().any(begins);
        let mut events = self.floor.end_all(TurnEnd::ItemFinished, now);
        events.extend(decided);
        events.extend(opens.then_some(Event::ListSet { open: true }));
        Ok(events)
    }

    /// Sites are called while nobody speaks; that ends a break.
    fn calling(&self, decided: Vec<Event>, now: Millis) -> Result<Vec<Event>, Refusal> {
        if !self.floor.turns.is_empty() {
            return Err(Refusal::FloorTaken);
        }
        let mut events = self.agenda.go_on(now);
        events.extend(decided);
        Ok(events)
    }

    /// The asker must see the floor as it is: two consoles may press at once.
    fn decide_next(
        &self,
        after: Option<TurnId>,
        expect: TurnId,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        self.floor.check_after(after)?;
        self.current_item().ok_or(Refusal::NoItem)?;
        let next = self.next().ok_or(Refusal::NobodyWaiting)?;
        if next.turn() != expect {
            return Err(Refusal::Stale);
        }
        match next {
            Next::Call { turn } => self.decide_grant(after, turn, now),
            Next::TakeUp { .. } => self.floor.decide_take_up(now),
        }
    }

    fn decide_restore(
        &self,
        actor: &Actor,
        seat: SeatId,
        is_there: bool,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let planned = self.setup.seat(seat).ok_or(Refusal::UnknownSeat)?;
        if !self.roster.is_revoked(seat) && !self.door.remembers(seat) {
            return Err(Refusal::AlreadySo);
        }
        let guarded = self.door.is_in_doubt(planned, is_there);
        let mut events = match guarded && seat != actor.seat {
            true => self.let_go(seat, now),
            false => vec![],
        };
        let at = now;
        events.push(Event::SeatRestored { seat, guarded, at });
        Ok(events)
    }

    fn decide_grant(
        &self,
        after: Option<TurnId>,
        turn: TurnId,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        if self.roll.calling.is_some() {
            return Err(Refusal::RollCallRuns);
        }
        self.floor.check_after(after)?;
        let request = self.floor.waits(turn)?;
        let item = self.current_item().ok_or(Refusal::NoItem)?;
        if !self.is_linked(request.site) {
            return Err(Refusal::NotLinked);
        }
        // Where the chair picks, whoever it picks is next, unless it staged another.
        let picks = self.queue_mode() == QueueMode::ChairPicks && self.floor.staged.is_empty();
        let is_next = picks || self.on_deck().first() == Some(&turn);
        let hall = self.setup.hall();
        let granted = self.floor.decide_grant(request, item, hall, is_next, now)?;
        let mut events = self.agenda.go_on(now);
        events.extend(granted);
        Ok(events)
    }

    fn decide_open(&self, now: Millis) -> Option<Event> {
        if self.roll.calling.is_some() || self.agenda.on_break.is_some() {
            return None;
        }
        let item = self.current_item()?;
        self.floor
            .decide_open(item, self.setup.hall(), self.there(), now)
    }

    /// Closes every microphone but the hall's, also the called site's, or opens them again; what is closed stays closed
    /// until then.
    fn decide_microphones(&self, open: bool, now: Millis) -> Result<Vec<Event>, Refusal> {
        let opens = self.current_item().and_then(open_microphones).is_some();
        let may_open = opens || self.roll.calling.is_some();
        let mut events: Vec<Event> = self.floor.pause_all(!open, now).collect();
        if may_open && self.microphones_closed() == open {
            events.push(Event::MicrophonesSet { open, at: now });
        }
        match events.is_empty() {
            true => Err(Refusal::AlreadySo),
            false => Ok(events),
        }
    }

    /// Whether the chair closed the microphones that else would open by themselves: the called site's while the roll is
    /// called, those of an open discussion otherwise.
    #[must_use]
    pub fn microphones_closed(&self) -> bool {
        match self.roll.calling {
            Some(_) => self.roll.closed,
            None => self.floor.microphones_closed,
        }
    }

    /// Everyone of the line who may be called, in its order.
    fn there(&self) -> impl Iterator<Item = &Request> {
        line::there(self.line(), self.queue_mode(), |site| self.is_linked(site))
    }

    /// The order of the list stays that of its item, also when that is over and none runs.
    fn queue_mode(&self) -> QueueMode {
        self.list_item()
            .map_or(QueueMode::default(), |item| item.turns.queue)
    }

    /// What the list's item allots to a turn.
    fn turn_ms(&self) -> u64 {
        let turns = self.list_item().map(|item| item.turns);
        u64::from(turns.map_or(0, |turns| turns.minutes)) * 60_000
    }

    fn list_item(&self) -> Option<&PlannedItem> {
        self.floor.item().and_then(|item| self.setup.item(item))
    }

    fn away_ms(&self) -> Option<u64> {
        let seconds = u64::from(self.setup.away_seconds);
        (seconds > 0).then_some(seconds * 1_000)
    }

    fn is_linked(&self, site: SiteId) -> bool {
        self.roster.carrier(site).is_some()
    }
}
