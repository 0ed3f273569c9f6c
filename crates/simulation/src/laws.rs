//! The laws, each looked at after every step, and those that hold at rest. Here: what a client is told.

mod door;
mod packets;
mod rest;

use crate::{
    faults::AGAIN_AFTER,
    machine::{Answer, Connection},
    trace,
    world::World,
};
use anyhow::{Context, Result, bail, ensure};
use diemcau_conference::Refusal;
use diemcau_model::Role;
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, Fact, ServerFrame, View};
use std::time::Duration;
use tokio::time::Instant;

/// How long the server waits for a proof.
const PROOF_WITHIN: Duration = Duration::from_secs(5);
/// How long somebody may stand on the list whose connection went silent before it was told so, which a disk that hangs makes
/// longer.
const UNHEARD: Duration = Duration::from_secs(60);

fn is_comment(fact: &Fact) -> bool {
    matches!(fact, Fact::Comment { .. } | Fact::CommentGone { .. })
}

impl World {
    /// One client hears one frame.
    pub(crate) fn take_frame(&mut self, at: usize, frame: &ServerFrame) -> Result<()> {
        let link = self.machines[at].link.as_ref();
        ensure!(
            link.is_some_and(|link| link.joined) || is_for_strangers(frame),
            "told to somebody who is not in: {frame:?}"
        );
        match frame {
            ServerFrame::Welcome { me, seq, view, .. } => {
                let machine = &self.machines[at];
                let link = machine.link.as_ref().context("welcomed without a link")?;
                ensure!(!link.joined, "welcomed twice");
                ensure!(me.seat == machine.seat.id, "welcomed as seat {}", me.seat);
                ensure!(
                    *seq >= link.behind,
                    "welcomed as of {seq}, though {} was answered before it connected",
                    link.behind
                );
                let (name, waited) = (machine.name().to_owned(), link.waits);
                self.enter(at, *seq)?;
                if waited {
                    self.trace.count("let in at the door");
                }
                self.trace.say(&name, format!("is welcomed as of {seq}"));
                self.trace.count("joined");
                self.show(at, *seq, (**view).clone());
                self.welcomed(at);
                Ok(())
            }
            ServerFrame::Facts { seq, facts, .. } => {
                self.check_reader(at, *seq)?;
                let machine = &mut self.machines[at];
                // Only an observer's comments are gathered, and overtaken by the floor.
                let overtaken = machine.seat.role == Role::Observer && facts.iter().all(is_comment);
                ensure!(
                    *seq >= machine.seq || overtaken,
                    "facts of {seq} after those of {}",
                    machine.seq
                );
                machine.seq = machine.seq.max(*seq);
                let view = machine.view.as_mut().context("facts before the welcome")?;
                view.apply(facts);
                Ok(())
            }
            ServerFrame::Ok { id, seq } => {
                self.check_reader(at, *seq)?;
                self.take_answer(at, id, Answer::Ok(*seq))
            }
            ServerFrame::Refused { id, why, .. } => self.take_answer(at, id, Answer::Refused(*why)),
            ServerFrame::Error { why, id, fatal, .. } => {
                self.take_error(at, *why, id.as_deref(), *fatal)
            }
            ServerFrame::Prove { pin, locked_ms, .. } => self.prove(at, *pin, *locked_ms),
            ServerFrame::Waiting {
                code,
                site,
                label,
                title: _,
            } => self.wait(at, code, site.as_deref(), label),
            ServerFrame::DownlinkOffer { .. } => {
                if let Some(link) = &self.machines[at].link {
                    let sdp = link.number.to_string();
                    link.send(&ClientFrame::DownlinkAnswer { sdp });
                }
                Ok(())
            }
            ServerFrame::MediaFailed { .. } => {
                if let Some(link) = &self.machines[at].link {
                    let sdp = link.number.to_string();
                    link.send(&ClientFrame::UplinkOffer { sdp });
                }
                Ok(())
            }
            ServerFrame::Pong { .. }
            | ServerFrame::UplinkAnswer { .. }
            | ServerFrame::PresentationAnswer { .. }
            | ServerFrame::DownlinkAnswer { .. }
            | ServerFrame::Slots { .. }
            | ServerFrame::Telemetry { .. }
            | ServerFrame::Alarms { .. }
            | ServerFrame::Health { .. }
            | ServerFrame::Stopping => Ok(()),
        }
    }

    fn show(&mut self, at: usize, seq: u64, view: View) {
        let machine = &mut self.machines[at];
        (machine.seq, machine.view) = (seq, Some(view));
    }

    /// An answer is in the record, is the only one, and came after everything that was answered before it was asked.
    fn take_answer(&mut self, at: usize, id: &str, answer: Answer) -> Result<()> {
        let machine = &mut self.machines[at];
        let seat = machine.seat.id;
        let told = format!("{id} is answered {answer:?}");
        self.trace.say(machine.name(), &told);
        let pending = machine.answered(id);
        let effect = self.history.effect(seat, id);
        match (answer, effect) {
            (Answer::Ok(seq), Some(effect)) => ensure!(
                effect.last == seq && effect.refused.is_none(),
                "{told}, the record says {effect:?}"
            ),
            (Answer::Refused(why), Some(effect)) => ensure!(
                effect.refused == Some(why),
                "{told}, the record says {effect:?}"
            ),
            // What a role may never do leaves no record.
            (Answer::Refused(Refusal::NotAllowed), None) => {}
            (_, None) => bail!("{told}, but nothing of it is in the record"),
        }
        let before = self.answers.insert((seat, id.to_owned()), answer);
        ensure!(
            before.is_none_or(|before| before == answer),
            "{told}, and before it was {before:?}"
        );
        let Some(pending) = pending else {
            self.trace.count("answered again");
            let asked = before.is_some() || self.machines[at].given_up.contains(id);
            ensure!(asked, "{told}, but it was never asked");
            return Ok(());
        };
        let name = trace::name(&pending.command);
        match answer {
            Answer::Ok(seq) => {
                let behind = pending.behind.unwrap_or_default();
                ensure!(
                    before.is_some() || seq > behind,
                    "{told}, though {behind} was answered before it was asked"
                );
                ensure!(
                    !shows_at_once(&pending.command) || self.machines[at].seq >= seq,
                    "{told}, but the screen shows {} only",
                    self.machines[at].seq
                );
                self.answered = self.answered.max(seq);
                self.trace.count(format!("ok {name}"));
            }
            Answer::Refused(why) => self.trace.count(format!("refused {why:?}")),
        }
        Ok(())
    }

    fn take_error(
        &mut self,
        at: usize,
        why: ErrorWhy,
        id: Option<&str>,
        fatal: bool,
    ) -> Result<()> {
        self.trace.count(format!("error {why:?}"));
        let again = self.chance.percent(70);
        let machine = &mut self.machines[at];
        let (seat, number) = (
            machine.seat.id,
            machine.link.as_ref().map_or(0, |link| link.number),
        );
        let rude = machine.link.as_ref().is_some_and(|link| link.rude);
        self.trace
            .say(machine.name(), format!("c{number} gets error {why:?}"));
        match why {
            ErrorWhy::StorageFailed => {
                ensure!(
                    self.disk_ever_failed,
                    "the disk is said to fail, and never did"
                );
                let Some(id) = id else { return Ok(()) };
                let pending = machine.pending.iter_mut().find(|one| one.id == id);
                match pending {
                    Some(pending) if again => pending.again_at = Some(Instant::now() + AGAIN_AFTER),
                    Some(_) | None => {
                        machine.pending.retain(|one| one.id != id);
                        machine.given_up.insert(id.to_owned());
                    }
                }
            }
            ErrorWhy::Revoked
            | ErrorWhy::NotAdmitted
            | ErrorWhy::Expelled
            | ErrorWhy::NotLetIn
            | ErrorWhy::LobbyFull => {
                ensure!(fatal, "turned away, and not cut");
                // Who was asked to leave may ask to be let in again; the others need somebody's help first.
                let joins_at = machine
                    .joins_at
                    .filter(|_| why == ErrorWhy::Expelled && again);
                machine.give_up();
                machine.joins_at = joins_at;
                let connection = self.connections.get(&number);
                self.check_turned_away(why, *connection.context("nobody's connection")?)?;
            }
            ErrorWhy::Replaced => {
                // Who is let in at the door comes later than anybody, however long it has been waiting.
                let later = |(other, of): (&u64, &Connection)| {
                    let is_later = *other > number || of.guest.wait.is_some();
                    of.guest.seat == seat && *other != number && is_later
                };
                ensure!(
                    fatal && self.connections.iter().any(later),
                    "replaced by nobody"
                );
                // It says so on its screen, and leaves the seat to the other.
                machine.give_up();
            }
            ErrorWhy::Malformed | ErrorWhy::TooLarge | ErrorWhy::JoinFirst => {
                // The server waits so long for a proof, which a slow network or a sleeping machine brings later.
                let link = machine.link.as_ref().context("no link")?;
                let is_late =
                    !link.joined && !link.waits && link.pinged_at.elapsed() >= PROOF_WITHIN;
                ensure!(
                    rude || why == ErrorWhy::JoinFirst && is_late,
                    "a proper client is called {why:?}"
                );
            }
            // The first frame may have come too late; the uplink may be offered by a peer that is gone.
            ErrorWhy::MediaRefused => {}
            ErrorWhy::WrongProtocol
            | ErrorWhy::ServerFault
            | ErrorWhy::TooFast
            | ErrorWhy::NoSuchAlarm
            | ErrorWhy::NotForThisSeat => {
                bail!("a proper client is called {why:?}")
            }
        }
        Ok(())
    }
}

/// What may be told to who is not in.
fn is_for_strangers(frame: &ServerFrame) -> bool {
    match frame {
        ServerFrame::Prove { .. }
        | ServerFrame::Waiting { .. }
        | ServerFrame::Welcome { .. }
        | ServerFrame::Error { .. }
        | ServerFrame::Pong { .. }
        | ServerFrame::Stopping => true,
        ServerFrame::Facts { .. }
        | ServerFrame::Ok { .. }
        | ServerFrame::Refused { .. }
        | ServerFrame::DownlinkOffer { .. }
        | ServerFrame::MediaFailed { .. }
        | ServerFrame::UplinkAnswer { .. }
        | ServerFrame::PresentationAnswer { .. }
        | ServerFrame::DownlinkAnswer { .. }
        | ServerFrame::Slots { .. }
        | ServerFrame::Telemetry { .. }
        | ServerFrame::Alarms { .. }
        | ServerFrame::Health { .. } => false,
    }
}

/// Whether whoever asked this sees what it did before the answer comes: all but comments, which may wait for others.
fn shows_at_once(command: &ClientCommand) -> bool {
    !matches!(
        command,
        ClientCommand::PostComment { .. }
            | ClientCommand::HoldComment { .. }
            | ClientCommand::PublishComment { .. }
            | ClientCommand::WithdrawComment { .. }
    )
}
