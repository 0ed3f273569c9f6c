//! Nobody is heard without the floor, and nothing goes to or comes from anybody whom the record does not let in.

use crate::{
    disk::Append,
    history::History,
    machine::{Connection, Machine},
    plane::Peer,
    world::World,
};
use anyhow::{Context, Result, ensure};
use diemcau_conference::Event;
use diemcau_media::gate::{Route, Stream};
use diemcau_model::{Carries, PeerId, SiteId, Stage};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

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
                    self.check_asker(entry)?;
                    self.count_interrupted(&entry.event);
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
                self.trace
                    .say("stage", format!("heard: {}", sites(&stage.heard)));
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
        // What it asked for at the door may come behind the word that lets it in, and before it hears that.
        let (door, last) = (self.history.door(), self.history.last());
        let entered = entered
            .or_else(|| door.entered(guest, last))
            .with_context(|| format!("c{connection} has a link before it is in"))?;
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
