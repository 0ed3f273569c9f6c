//! What somebody asks for: what is known is answered again, what may not be decided is refused, the rest comes before the
//! rules and is noted for the round.

use super::{Asked, Owed, Room, Round, Shut};
use crate::answers::Answer;
use diemcau_conference::{Event, Refusal, permits};
use diemcau_journal::Entry;
use diemcau_model::PeerId;
use diemcau_protocol::ErrorWhy;
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};
use tracing::error;

impl Round {
    /// Whether who gave a command was sent away by something before it.
    fn sends_away(&self, asked: &Asked) -> bool {
        let stays = self.sent_away.get(&asked.actor.seat);
        let is_banned = |device| self.banned.contains(&device);
        stays.is_some_and(|stays| *stays != Some(asked.peer)) || asked.device.is_some_and(is_banned)
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the other events send nobody away"
    )]
    fn note_who_goes(&mut self, event: &Event, asker: PeerId) {
        match event {
            Event::SeatExpelled { seat, .. } | Event::SeatRevoked { seat } => {
                self.sent_away.insert(*seat, None);
            }
            // Whoever changes its own seat's machine goes on at its desk.
            Event::SeatRestored {
                seat,
                guarded: true,
                ..
            } => {
                self.sent_away.insert(*seat, Some(asker));
            }
            Event::DeviceBanned { device, .. } => {
                self.banned.insert(*device);
            }
            _ => {}
        }
    }
}

impl Room {
    /// Decides a command, or says why not.
    pub(super) async fn take_command(&mut self, asked: Asked, round: &mut Round) {
        if self.is_settled(&asked, round) {
            return;
        }
        if self.may_write() {
            return self.decide(asked, &BTreeSet::new(), round).await;
        }
        if self.is_in_pace(&asked) {
            self.take_unwritten(asked).await;
        }
    }

    /// Decides a command that had a place in the line: its pace was asked then, and what it closed stays closed.
    pub(super) async fn take_waited(
        &mut self,
        asked: Asked,
        shuts: &BTreeSet<Shut>,
        round: &mut Round,
    ) {
        if self.is_settled(&asked, round) {
            return;
        }
        match self.may_write() {
            true => self.decide(asked, shuts, round).await,
            false => self.take_unwritten(asked).await,
        }
    }

    /// Whether nothing is to be decided: who asked was sent away, or the answer is known, or never another.
    fn is_settled(&self, asked: &Asked, round: &mut Round) -> bool {
        let (peer, seat, id) = (asked.peer, asked.actor.seat, &asked.id);
        if round.sends_away(asked) {
            round.unheard.push((peer, id.clone()));
            return true;
        }
        // Memory that is ahead of the disk remembers answers that are not true; and what was found at a start may be on no
        // disk before that is written.
        let known = self.answers.get(seat, id);
        if let Some(answer) = known.filter(|_| self.is_in_step() && self.is_begun()) {
            self.metrics.repeated.inc();
            // Its events may still wait for this round's sync: the answer waits with them.
            round.answers.push((peer, id.clone(), answer));
            return true;
        }
        self.refuses(asked)
    }

    async fn decide(&mut self, asked: Asked, shuts: &BTreeSet<Shut>, round: &mut Round) {
        let (peer, seat, id) = (asked.peer, asked.actor.seat, asked.id.clone());
        let asked = self.see_who_is_there(asked);
        let Some(decided) = self.ask_rules(&asked) else {
            return self.drop_client(peer, ErrorWhy::ServerFault, id).await;
        };
        let decided = self.with_bans(decided, shuts);
        let pace = self.paces.entry(seat).or_default();
        if decided.is_ok() && !pace.taken.take() {
            return self.members.error(peer, ErrorWhy::TooFast, Some(id));
        }
        if decided.is_err() && !pace.refusals.take() {
            return self.drop_client(peer, ErrorWhy::TooFast, id).await;
        }
        self.decided(asked, decided, round);
        if let Some(answer) = self.answers.get(seat, &id) {
            round.answers.push((peer, id, answer));
        }
    }

    /// Refuses what a role may never do, without a record: the answer cannot change. False when it may.
    pub(super) fn refuses(&self, asked: &Asked) -> bool {
        let may = permits(asked.actor.role, &asked.command);
        if !may {
            let never = Answer::Refused(Refusal::NotAllowed);
            self.answer(asked.peer, asked.id.clone(), never);
        }
        !may
    }

    /// Takes a command that cannot be written: what it closes is closed, and whom it shuts out is shut out.
    pub(super) async fn take_unwritten(&mut self, asked: Asked) {
        let (peer, id) = (asked.peer, Some(asked.id.clone()));
        self.close_and_owe(asked).await;
        self.members.error(peer, ErrorWhy::StorageFailed, id);
    }

    /// Whether what cannot be written now may be looked at. Beyond its seat's pace it is not, and may be given again.
    pub(super) fn is_in_pace(&mut self, asked: &Asked) -> bool {
        let pace = self.paces.entry(asked.actor.seat).or_default();
        let is_in_pace = pace.unwritten.take();
        if !is_in_pace {
            let id = Some(asked.id.clone());
            self.members.error(asked.peer, ErrorWhy::TooFast, id);
        }
        is_in_pace
    }

    /// What the rules say to a command; none when they stumbled over it. They only read, so nothing is half done then, and
    /// whose command it was is the only one to suffer for our mistake.
    pub(super) fn ask_rules(&self, asked: &Asked) -> Option<Result<Vec<Event>, Refusal>> {
        let Asked { actor, command, .. } = asked;
        let decide = || self.conference.decide(actor, command, self.clock.now());
        let decided = catch_unwind(AssertUnwindSafe(decide)).ok();
        if decided.is_none() {
            self.metrics.panics.inc();
            let command = self.conference.deed(actor, command).name();
            error!(seat = %actor.seat, command, "the rules panicked over a command; its client is dropped");
        }
        decided
    }

    /// Cuts a client over what it asked for.
    async fn drop_client(&mut self, peer: PeerId, why: ErrorWhy, id: String) {
        self.members.dismiss(peer, why, Some(id));
        self.forget(peer).await;
    }

    /// Applies what was decided of a command; its last event stands for the answer.
    pub(super) fn decided(
        &mut self,
        asked: Asked,
        decided: Result<Vec<Event>, Refusal>,
        round: &mut Round,
    ) {
        let now = self.clock.now();
        let Asked { actor, id, .. } = &asked;
        let events = decided.unwrap_or_else(|why| vec![Event::CommandRefused { why }]);
        let shuts = Shut::all(&events, actor.seat);
        let before = self.conference.openings();
        for event in &events {
            self.apply(event, round);
            round.note_who_goes(event, asked.peer);
            self.answers
                .remember(actor.seat, id, self.conference.seq(), event);
        }
        self.note_room(&events, &before, round);
        round.entries.extend(events.into_iter().map(|event| Entry {
            at: now,
            seat: Some(actor.seat),
            command: Some(id.clone()),
            event,
        }));
        if !shuts.is_empty() {
            round.shutting.push(Owed { asked, shuts });
        }
    }
}
