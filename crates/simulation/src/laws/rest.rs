//! When everything has come to rest, all views are the record's.

use super::UNHEARD;
use crate::{
    history::History,
    machine::{Answer, Machine},
    plane::{Peer, Plane},
    world::World,
};
use anyhow::{Context, Result, ensure};
use diemcau_conference::{Conference, Visitor};
use diemcau_media::gate::{Route, Stream};
use diemcau_model::{Millis, Role, SiteId};
use diemcau_protocol::{View, Viewer, view};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

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
        self.look_at_key(&replayed)?;
        self.look_at_links()?;
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

    /// The priority key is held by somebody who is there: while it is, nobody but the hall is heard.
    fn look_at_key(&mut self, replayed: &Conference) -> Result<()> {
        let Some(seat) = replayed.floor().priority else {
            return Ok(());
        };
        let mut connections = self.connections.values();
        let is_there = connections.any(|one| {
            let is_gone = one.gone_by.is_some_and(|by| Instant::now() > by);
            one.guest.seat == seat && one.entered.is_some() && !is_gone
        });
        ensure!(is_there, "seat {seat} holds the key, and nobody sits there");
        self.trace.count("key held at rest");
        Ok(())
    }

    /// A "never" beside its "does": whoever has the floor and a link is heard by every room and every wall but its own.
    fn look_at_hall(&mut self, replayed: &Conference) -> Result<()> {
        let server = self.server.as_ref().context("no server at rest")?;
        let (plane, wanted) = (&server.plane, replayed.stage());
        let stage = plane.stage();
        ensure!(
            stage == wanted,
            "the stage is {stage:?}, the record says {wanted:?}"
        );
        let due = self.history.may_be_heard();
        // The record's own word, by a fold that knows none of the rules' code: nobody more, nobody less.
        ensure!(
            stage.heard == due,
            "{:?} are heard, by the record {due:?} are to be",
            stage.heard
        );
        let of_sites = due.iter().filter(|site| self.history.is_linked(**site));
        let of_sites = of_sites.count() as u64;
        self.trace.count_many("on the stage at rest", of_sites);
        let heard = check_all_hear(plane, &stage.heard, &self.history, &self.machines)?;
        self.trace.count_many("heard at rest", heard);
        Ok(())
    }

    /// Who can send is who has an uplink.
    fn look_at_links(&self) -> Result<()> {
        let server = self.server.as_ref().context("no server at rest")?;
        let peers = server.plane.peers();
        let sends = |peer: &Peer| Some((peer.site?, peer.up.and(peer.carries.endpoint())?));
        let up: BTreeSet<_> = peers.values().filter_map(sends).collect();
        ensure!(
            up == *self.history.links(),
            "{up:?} can send, the record says {:?}",
            self.history.links()
        );
        Ok(())
    }
}

fn check_all_hear(
    plane: &Plane,
    heard: &BTreeSet<SiteId>,
    history: &History,
    machines: &[Machine],
) -> Result<u64> {
    let (peers, routes) = (plane.peers(), plane.routes());
    let mut count = 0;
    for site in heard.iter().filter(|site| history.is_linked(**site)) {
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
            count += 1;
        }
    }
    Ok(count)
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
