//! The laws, each looked at after every step, and those that hold at rest.

use crate::{
    disk::Append,
    door::Guest,
    faults::AGAIN_AFTER,
    history::History,
    machine::{Answer, Connection, Machine},
    plane::{Peer, Plane},
    setup, trace,
    world::World,
};
use anyhow::{Context, Result, bail, ensure};
use diemcau_conference::{Conference, Event, Refusal, Visitor};
use diemcau_media::gate::{Route, Stream};
use diemcau_model::{Carries, Millis, PeerId, Role, SiteId, Stage, limits};
use diemcau_protocol::{
    ClientCommand, ClientFrame, ErrorWhy, Fact, ServerFrame, View, Viewer, view,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// How long the server waits for a proof.
const PROOF_WITHIN: Duration = Duration::from_secs(5);
/// How long somebody may stand on the list whose connection went silent before it was told so, which a disk that hangs makes
/// longer.
const UNHEARD: Duration = Duration::from_secs(60);

// ---------------------------------------------------------------- frames

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
            ServerFrame::Ok { id, seq } => self.take_answer(at, id, Answer::Ok(*seq)),
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

// ---------------------------------------------------------------- the door

impl World {
    fn connection(&mut self, at: usize) -> Result<&mut Connection> {
        let link = self.machines[at].link.as_ref().context("no link")?;
        let connection = self.connections.get_mut(&link.number);
        connection.context("nobody's connection")
    }

    /// Asked who it is: only where there is a reason to ask.
    fn prove(&mut self, at: usize, pin: bool, locked_ms: u32) -> Result<()> {
        let machine = &self.machines[at];
        let (seat, device) = (machine.seat.id, machine.device);
        ensure!(
            self.history.door().may_ask(seat) || self.disk_ever_failed,
            "an open door asks nothing"
        );
        // Who does not know the PIN guesses, until somebody tells it.
        let right = machine.knows_pin || self.chance.percent(40);
        let pin = pin.then(|| match right {
            true => setup::pin(seat),
            false => "0000".into(),
        });
        let pin_right = pin.as_ref().map(|_| right && locked_ms == 0);
        let machine = &mut self.machines[at];
        machine.knows_pin |= right;
        if let Some(link) = &machine.link {
            let device = None;
            link.send(&ClientFrame::Proof { device, pin });
        }
        if pin_right == Some(false) {
            self.pins_tried.insert(seat);
            self.trace.count("wrong PIN");
        }
        self.trace.count("proved");
        let connection = self.connection(at)?;
        (connection.guest.device, connection.pin) = (device, pin_right);
        Ok(())
    }

    /// Told to wait: it stands on the list that chair and technician see, and hears its own seat's name and nobody else's.
    fn wait(&mut self, at: usize, code: &str, site: Option<&str>, label: &str) -> Result<()> {
        let machine = &mut self.machines[at];
        let seat = machine.seat.clone();
        let own = self.history.setup().sites.iter();
        let own = own.filter(|one| Some(one.id) == seat.site);
        let own = own.map(|site| site.name.as_str()).next();
        ensure!(
            (site, label) == (own, seat.label.as_str()),
            "it waits and hears of {site:?}, {label}"
        );
        let wait = self.history.door().waits_as(seat.id, code);
        ensure!(wait.is_some(), "it waits, and nobody knows of it");
        let link = machine.link.as_mut().context("no link")?;
        ensure!(!link.joined && !link.waits, "it waits though it is in");
        link.waits = true;
        self.trace.say(machine.name(), "waits at the door");
        self.trace.count("waits at the door");
        self.connection(at)?.guest.wait = wait;
        Ok(())
    }

    /// Welcomed: the record lets this link on this device in, and where a PIN is asked it was given.
    fn enter(&mut self, at: usize, seq: u64) -> Result<()> {
        let device = self.machines[at].device;
        let connection = *self.connection(at)?;
        let (guest, door) = (connection.guest, self.history.door());
        let entered = door.entered(&guest, seq);
        ensure!(
            entered.is_some(),
            "welcomed as of {seq}, and the record does not let it in: {guest:?}"
        );
        // Whatever the server was told of it.
        let truly = Guest { device, ..guest };
        ensure!(!door.is_banned(&truly, seq), "{guest:?} is shut out");
        // As of its coming: by this very entrance it may have become known.
        let is_known = door.knew(&guest, connection.made);
        ensure!(
            !door.asks_pin(guest.seat) || is_known || connection.pin == Some(true),
            "{guest:?} came in without the PIN"
        );
        self.connection(at)?.entered = entered;
        Ok(())
    }

    /// Whoever was sent away hears no more than what was decided at once with it.
    fn check_reader(&mut self, at: usize, seq: u64) -> Result<()> {
        let connection = *self.connection(at)?;
        let entered = connection.entered.context("facts before the welcome")?;
        let away = self.history.door().sent_away(&connection.guest, entered);
        ensure!(
            away.is_none_or(|word| seq <= *word.round.numbers.end()),
            "facts of {seq} go to {:?}, which was sent away: {away:?}",
            connection.guest
        );
        Ok(())
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "for another reason nobody is turned away"
    )]
    fn check_turned_away(&self, why: ErrorWhy, connection: Connection) -> Result<()> {
        let Connection { guest, made, .. } = connection;
        let door = self.history.door();
        let stranger = door.asks_pin(guest.seat) && !door.knew(&guest, made);
        let without_pin = stranger && self.pins_tried.contains(&guest.seat);
        let fair = match why {
            ErrorWhy::Revoked => door.was_shut_out(&guest, made),
            ErrorWhy::NotAdmitted => door.was_shut_out(&guest, made) || without_pin,
            ErrorWhy::Expelled => door.was_expelled(guest.seat, made),
            ErrorWhy::NotLetIn => door.was_refused(&guest),
            ErrorWhy::LobbyFull => door.visitors_of(guest.seat) >= limits::LOBBY_PER_SEAT_MAX,
            _ => false,
        };
        ensure!(fair, "{guest:?} is turned away for nothing: {why:?}");
        Ok(())
    }
}

// ---------------------------------------------------------------- microphones

impl World {
    /// Nobody is wanted to be heard whom the record has not given the floor; not for one moment.
    pub(crate) fn look_at_record(&mut self) -> Result<()> {
        let appends = self.disk.appends_behind(self.appends_seen);
        self.appends_seen += appends.len();
        let server = self.server.as_ref();
        let stages = server.map_or(vec![], |server| {
            server.plane.stages_behind(self.stages_seen)
        });
        self.stages_seen += stages.len();

        let mut moments: BTreeMap<Instant, (Vec<&Append>, Vec<&Stage>)> = BTreeMap::new();
        for append in &appends {
            moments.entry(append.at).or_default().0.push(append);
        }
        for (at, stage) in &stages {
            moments.entry(*at).or_default().1.push(stage);
        }
        for (_, (appends, stages)) in moments {
            // Several rounds may be of one moment: what each of them let be heard counts.
            let mut may = self.history.may_be_heard();
            for append in appends {
                ensure!(
                    append.first == self.history.last() + 1,
                    "record {} follows {}",
                    append.first,
                    self.history.last()
                );
                for entry in &append.entries {
                    self.history.take(append, entry)?;
                    let at = self.history.last();
                    self.trace
                        .say("record", format!("{at} {}", told(&entry.event)));
                    self.trace.count_door(&entry.event);
                }
                may.extend(self.history.may_be_heard());
            }
            let after = self.history.may_be_heard();
            for stage in &stages {
                self.trace.say(
                    "stage",
                    format!("{} heard: {}", stage.seq, sites(&stage.heard)),
                );
                check_heard(&stage.heard, &may)?;
            }
            if let Some(last) = stages.last() {
                check_heard(&last.heard, &after)?;
            }
        }
        // Also when no new stage was wanted: what the record has closed meanwhile must be closed.
        let now = self
            .server
            .as_ref()
            .map(|server| server.plane.stage().heard);
        check_heard(&now.unwrap_or_default(), &self.history.may_be_heard())
    }

    /// What would be forwarded, if everybody who has an uplink sent now.
    pub(crate) fn look_at_packets(&mut self) -> Result<()> {
        let Some(server) = &self.server else {
            return Ok(());
        };
        let (plane, may) = (&server.plane, self.history.may_be_heard());
        let peers = plane.peers();
        let roster = Roster {
            peers: &peers,
            connections: &self.connections,
            machines: &self.machines,
            history: &self.history,
        };
        roster.check_peers()?;
        let routes = plane.routes();
        let mut voices = 0;
        for route in &routes {
            let (from, to) = (roster.source(route)?, roster.recipient(route)?);
            if route.stream == Stream::Voice {
                voices += 1;
                ensure!(
                    from.is_some_and(|site| may.contains(&site)),
                    "a packet of site {from:?} is forwarded, which has no floor: {route:?}"
                );
                ensure!(from != to, "a room hears itself: {route:?}");
            }
        }
        self.trace.count_many("voice forwarded", voices);
        self.trace
            .count_many("picture forwarded", routes.len() as u64 - voices);
        Ok(())
    }
}

fn check_heard(heard: &BTreeSet<SiteId>, may: &BTreeSet<SiteId>) -> Result<()> {
    ensure!(
        heard.is_subset(may),
        "heard without the floor: {} of {}",
        sites(&(heard - may)),
        sites(heard)
    );
    Ok(())
}

/// Whose peers these are, by what the simulation knows of its own connections.
struct Roster<'a> {
    peers: &'a BTreeMap<PeerId, Peer>,
    connections: &'a BTreeMap<u64, Connection>,
    machines: &'a [Machine],
    history: &'a History,
}

impl Roster<'_> {
    /// Everybody who has a link is a member now, whom the record lets in; and of a seat that is a site's endpoint there is
    /// one at most.
    fn check_peers(&self) -> Result<()> {
        let mut endpoints = BTreeSet::new();
        for (id, peer) in self.peers {
            for connection in [peer.up.map(|(connection, _)| connection), peer.down] {
                let Some(connection) = connection else {
                    continue;
                };
                self.check_member(connection)?;
                let seat = self.seat(connection)?;
                ensure!(
                    (peer.site, peer.carries) == (seat.site, seat.carries),
                    "peer {id} is admitted as another than seat {}",
                    seat.id
                );
            }
            let seat = peer.down.map(|connection| self.seat(connection));
            if let Some(seat) = seat.transpose()?
                && seat.carries.endpoint().is_some()
            {
                ensure!(endpoints.insert(seat.id), "seat {} has two peers", seat.id);
            }
        }
        Ok(())
    }

    fn source(&self, route: &Route) -> Result<Option<SiteId>> {
        let peer = self.peers.get(&route.source);
        let connection = peer
            .and_then(|peer| peer.up)
            .map(|(connection, _)| connection);
        let seat = self.seat(connection.context("a source without an uplink")?)?;
        Ok(seat.site)
    }

    fn recipient(&self, route: &Route) -> Result<Option<SiteId>> {
        let peer = self.peers.get(&route.to).and_then(|peer| peer.down);
        let seat = self.seat(peer.context("a recipient without a downlink")?)?;
        ensure!(
            seat.carries != Carries::Nothing,
            "a packet goes to a telephone"
        );
        Ok(seat.site)
    }

    /// A member is there or was a moment ago, has entered by the record, and was not sent away by it since.
    fn check_member(&self, connection: u64) -> Result<()> {
        let Connection {
            guest,
            entered,
            gone_by,
            ..
        } = self.connection(connection)?;
        let now = Instant::now();
        ensure!(
            gone_by.is_none_or(|by| now <= by),
            "a ghost: c{connection} of {guest:?} was let go long ago and still has a peer"
        );
        let entered =
            entered.with_context(|| format!("c{connection} has a link before it is in"))?;
        let away = self.history.door().sent_away(guest, entered);
        // Whoever is sent away in this very moment is on the way out.
        ensure!(
            away.is_none_or(|word| word.round.at == now),
            "c{connection} of {guest:?} has a link, and was sent away: {away:?}"
        );
        Ok(())
    }

    fn connection(&self, connection: u64) -> Result<&Connection> {
        let known = self.connections.get(&connection);
        known.with_context(|| format!("nobody made connection {connection}"))
    }

    /// Whose connection it is.
    fn seat(&self, connection: u64) -> Result<&diemcau_conference::Seat> {
        let seat = self.connection(connection)?.guest.seat;
        let machine = self.machines.iter().find(|machine| machine.seat.id == seat);
        Ok(&machine.context("a seat without a machine")?.seat)
    }
}

// ---------------------------------------------------------------- rest

impl World {
    /// Everybody of a class sees the same, which is what the record gives when it is played again, and what whoever joins
    /// now gets; and whoever has the floor is heard.
    pub(crate) async fn look_at_rest(&mut self) -> Result<()> {
        let records = self.disk.records()?;
        ensure!(
            records.len() as u64 == self.history.last(),
            "the record has {} entries, {} were synced",
            records.len(),
            self.history.last()
        );
        let mut replayed = Conference::default();
        let mut last = Millis(0);
        for record in &records {
            ensure!(
                record.at >= last,
                "time runs backwards at {}",
                record.number
            );
            last = record.at;
            replayed.apply(&record.event);
        }
        self.look_at_screens(&replayed)?;
        self.look_at_lobby(&replayed, last)?;
        self.look_at_hall(&replayed)?;
        for at in 0..self.machines.len() {
            // A second endpoint would take the place of the first; everybody else may join once more.
            let machine = &self.machines[at];
            if machine.is_joined() && machine.seat.carries.endpoint().is_none() {
                self.hang_up(at);
                self.machines[at].view = None;
            }
        }
        self.trace.count("rested");
        Ok(())
    }

    fn look_at_screens(&self, replayed: &Conference) -> Result<()> {
        for machine in self.machines.iter().filter(|machine| machine.is_joined()) {
            let seat = &machine.seat;
            let wanted = view(replayed, Viewer::of(seat.role, seat.site));
            let shown = machine.view.as_ref().context("no view")?;
            ensure!(
                *shown == wanted,
                "{} does not see what the record says: {}",
                machine.name(),
                difference(shown, &wanted)
            );
        }
        for (seat, id) in self.answers.keys() {
            let answer = self.answers.get(&(*seat, id.clone()));
            if let (Some(Answer::Ok(seq)), effect) = (answer, self.history.effect(*seat, id)) {
                ensure!(
                    effect.is_some_and(|effect| effect.last == *seq),
                    "{id} was acknowledged as {seq}, the record has {effect:?}"
                );
            }
        }
        Ok(())
    }

    /// Whoever waits is on the list; and whoever is on the list waits, but for those whose connection went silent.
    fn look_at_lobby(&self, replayed: &Conference, now: Millis) -> Result<()> {
        let waits = |machine: &Machine| {
            let link = machine.link.as_ref().filter(|link| link.waits)?;
            self.connections.get(&link.number)?.guest.wait
        };
        let waiting: BTreeSet<_> = self.machines.iter().filter_map(waits).collect();
        let visitors = &replayed.door().waiting;
        let listed: BTreeSet<_> = visitors.iter().map(|visitor| visitor.id).collect();
        ensure!(
            waiting.is_subset(&listed),
            "{waiting:?} wait, and {listed:?} are on the list"
        );
        let is_there = |visitor: &Visitor| {
            let guests = self.connections.values();
            let mut guests = guests.filter(|one| one.guest.wait == Some(visitor.id));
            match guests.next() {
                Some(guest) => guest.gone_by.is_none_or(|by| Instant::now() <= by),
                // It was gone before it heard that it waits.
                None => Duration::from_millis(now.since(visitor.at)) < UNHEARD,
            }
        };
        let forgotten = visitors.iter().find(|visitor| !is_there(visitor));
        ensure!(forgotten.is_none(), "nobody waits as {forgotten:?}");
        Ok(())
    }

    /// A "never" beside its "does": whoever has the floor and a link is heard by every room and every wall but its own.
    fn look_at_hall(&mut self, replayed: &Conference) -> Result<()> {
        let server = self.server.as_ref().context("no server at rest")?;
        let (plane, wanted) = (&server.plane, replayed.stage());
        let stage = plane.stage();
        // What could not be written may stay closed until the record has it too.
        let (heard, presentation) = match self.disk_failed {
            true => (
                stage.heard.clone(),
                stage.presentation.and(wanted.presentation),
            ),
            false => (wanted.heard.clone(), wanted.presentation),
        };
        let wanted = Stage {
            heard,
            presentation,
            ..wanted
        };
        ensure!(
            stage == wanted,
            "the stage is {stage:?}, the record says {wanted:?}"
        );
        let heard = check_all_hear(plane, &stage, &self.machines)?;
        self.trace.count_many("heard at rest", heard);
        Ok(())
    }
}

fn check_all_hear(plane: &Plane, stage: &Stage, machines: &[Machine]) -> Result<u64> {
    let (peers, routes) = (plane.peers(), plane.routes());
    let mut heard = 0;
    for site in stage
        .heard
        .iter()
        .filter(|site| stage.carriers.contains_key(site))
    {
        let rooms = machines.iter().filter(|machine| {
            let seat = &machine.seat;
            let hears = seat.carries.endpoint().is_some() || seat.role == Role::Stage;
            machine.is_joined() && hears && seat.site != Some(*site)
        });
        for room in rooms {
            let number = room.link.as_ref().map(|link| link.number);
            let is_to = |route: &&Route| {
                let to = peers.get(&route.to).and_then(|peer| peer.down);
                let from = peers.get(&route.source).and_then(|peer| peer.site);
                route.stream == Stream::Voice && to == number && from == Some(*site)
            };
            ensure!(
                routes.iter().any(|route| is_to(&route)),
                "site {site} has the floor, and {} does not hear it",
                room.name()
            );
            heard += 1;
        }
    }
    Ok(heard)
}

fn difference(shown: &View, wanted: &View) -> String {
    const LONG: usize = 2_000;
    let (shown, wanted) = (serde_json::to_value(shown), serde_json::to_value(wanted));
    let (Ok(shown), Ok(wanted)) = (shown, wanted) else {
        return String::new();
    };
    let slices = shown.as_object().into_iter().flatten();
    let differing = slices.filter(|(name, shown)| wanted.get(name) != Some(shown));
    let told = differing.map(|(name, shown)| {
        let wanted = wanted.get(name).cloned().unwrap_or_default();
        format!("{name} is {shown}, and should be {wanted}")
    });
    let told = told.collect::<Vec<_>>().join("; ");
    told.chars().take(LONG).collect()
}

fn sites(sites: &BTreeSet<SiteId>) -> String {
    let sites: Vec<String> = sites.iter().map(ToString::to_string).collect();
    format!("{{{}}}", sites.join(" "))
}

fn told(event: &Event) -> String {
    const LONG: usize = 160;
    let mut event = event.clone();
    // Drawn by lot, and no two runs of a seed are to differ.
    if let Event::DeviceWaits { code, .. } = &mut event {
        *code = 0;
    }
    let told = serde_json::to_string(&event).unwrap_or_default();
    told.chars().take(LONG).collect()
}
