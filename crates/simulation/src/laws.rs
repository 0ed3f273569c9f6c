//! The laws, each looked at after every step, and those that hold at rest.

use crate::{
    disk::Append,
    faults::AGAIN_AFTER,
    history::History,
    machine::{Answer, Machine},
    plane::{Peer, Plane},
    trace,
    world::World,
};
use anyhow::{Context, Result, bail, ensure};
use diemcau_conference::{Conference, Refusal};
use diemcau_media::gate::{Route, Stream};
use diemcau_model::{Carries, Millis, PeerId, Role, SeatId, SiteId, Stage};
use diemcau_protocol::{
    ClientCommand, ClientFrame, ErrorWhy, Fact, ServerFrame, View, Viewer, view,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// How long the server may take to see that a client is gone that did not say so: what it bears of silence, and what a disk
/// keeps it busy with.
const GHOST_MAX: Duration = Duration::from_secs(35);

// ---------------------------------------------------------------- frames

fn is_comment(fact: &Fact) -> bool {
    matches!(fact, Fact::Comment { .. } | Fact::CommentGone { .. })
}

impl World {
    /// One client hears one frame.
    pub(crate) fn take_frame(&mut self, at: usize, frame: &ServerFrame) -> Result<()> {
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
                let name = machine.name().to_owned();
                self.trace.say(&name, format!("is welcomed as of {seq}"));
                self.trace.count("joined");
                self.show(at, *seq, (**view).clone());
                self.welcomed(at);
                Ok(())
            }
            ServerFrame::Facts { seq, facts, .. } => {
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
            ServerFrame::Prove { .. } | ServerFrame::Waiting { .. } => {
                bail!("an open door asks nothing: {frame:?}")
            }
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
                let Some(id) = id else { return Ok(()) };
                ensure!(
                    self.disk_ever_failed,
                    "the disk is said to fail, and never did"
                );
                let pending = machine.pending.iter_mut().find(|one| one.id == id);
                match pending {
                    Some(pending) if again => pending.again_at = Some(Instant::now() + AGAIN_AFTER),
                    Some(_) | None => {
                        machine.pending.retain(|one| one.id != id);
                        machine.given_up.insert(id.to_owned());
                    }
                }
            }
            ErrorWhy::Revoked | ErrorWhy::NotAdmitted => {
                ensure!(
                    fatal && self.history.is_revoked(seat),
                    "turned away for nothing"
                );
                machine.joins_at = None;
                machine.pending.clear();
            }
            ErrorWhy::Expelled | ErrorWhy::NotLetIn | ErrorWhy::LobbyFull => {
                bail!("nobody here sends anyone away from an open door: {why:?}")
            }
            ErrorWhy::Replaced => {
                let newer = |(other, of): (&u64, &SeatId)| *of == seat && *other > number;
                ensure!(
                    fatal && self.connections.iter().any(newer),
                    "replaced by nobody"
                );
                // It says so on its screen, and leaves the seat to the other.
                machine.joins_at = None;
                machine.pending.clear();
            }
            ErrorWhy::Malformed | ErrorWhy::TooLarge | ErrorWhy::JoinFirst => {
                ensure!(rude, "a proper client is called {why:?}");
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
                    self.history.take(entry)?;
                    let at = self.history.last();
                    self.trace
                        .say("record", format!("{at} {}", told(&entry.event)));
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
            let_go: &self.let_go,
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
    connections: &'a BTreeMap<u64, SeatId>,
    let_go: &'a BTreeMap<u64, Instant>,
    machines: &'a [Machine],
    history: &'a History,
}

impl Roster<'_> {
    /// Of a seat that is a site's endpoint there is one peer at most.
    fn check_peers(&self) -> Result<()> {
        let mut endpoints = BTreeSet::new();
        for (id, peer) in self.peers {
            for connection in [peer.up.map(|(connection, _)| connection), peer.down] {
                let Some(connection) = connection else {
                    continue;
                };
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
        ensure!(
            !self.history.is_revoked(seat.id),
            "a packet of revoked seat {} is forwarded",
            seat.id
        );
        Ok(seat.site)
    }

    fn recipient(&self, route: &Route) -> Result<Option<SiteId>> {
        let peer = self.peers.get(&route.to).and_then(|peer| peer.down);
        let seat = self.seat(peer.context("a recipient without a downlink")?)?;
        ensure!(
            !self.history.is_revoked(seat.id),
            "a packet goes to revoked seat {}",
            seat.id
        );
        ensure!(
            seat.carries != Carries::Nothing,
            "a packet goes to a telephone"
        );
        Ok(seat.site)
    }

    /// Whose connection it is, of which the server still has a peer: one that is there, or was a moment ago.
    fn seat(&self, connection: u64) -> Result<&diemcau_conference::Seat> {
        let seat = self.connections.get(&connection);
        let seat = seat.with_context(|| format!("nobody made connection {connection}"))?;
        let let_go = self.let_go.get(&connection);
        ensure!(
            let_go.is_none_or(|at| at.elapsed() <= GHOST_MAX),
            "a ghost: c{connection} of seat {seat} was let go long ago and still has a peer"
        );
        let machine = self
            .machines
            .iter()
            .find(|machine| machine.seat.id == *seat);
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

fn told(event: &diemcau_conference::Event) -> String {
    const LONG: usize = 160;
    let told = serde_json::to_string(event).unwrap_or_default();
    told.chars().take(LONG).collect()
}
