//! A conference with its rooms around the table.

use anyhow::{Context, Result, ensure};
use diemcau_conference::{ItemKind, RequestWords, SpeechType};
use diemcau_model::{Carries, Role, SiteId, TurnId};
use diemcau_probe::{Probe, ProbeOptions};
use diemcau_protocol::{ClientCommand, Item};
use diemcau_tests::{
    Room, Server,
    bounds::within,
    room::{VOICES, plain, until},
};
use std::{
    collections::BTreeMap,
    ops::Range,
    time::{Duration, Instant},
};

/// Picture packets of a site that make a window: three frames. Its sound goes the same way every 20 ms, so at least
/// five packets of it were taken by the server meanwhile.
pub const WINDOW: u64 = 9;
/// The mark of the observer who listens.
pub const OBSERVER: u16 = 900;
/// A standby's packets carry its site's mark and this.
pub const STANDBY: u16 = 100;
/// How soon who is sent away is silent and deaf, as it is promised.
pub const SILENT_WITHIN: Duration = Duration::from_secs(1);
/// The slots of a screen, pictures and voices.
pub const ALL_SLOTS: Range<usize> = 0..VOICES.end;

pub struct Hall {
    pub server: Server,
    /// Rooms by site; the hall's own, site 0, is the chair's.
    pub rooms: BTreeMap<u16, Room>,
    /// Shows every tile and, once it listens, plays sound: it witnesses that a room's packets reach the server.
    pub observer: Room,
}

impl Hall {
    /// The hall and sites `1..=sites` connected, the first item begun.
    pub async fn open(sites: u16) -> Result<Self> {
        Self::open_with(sites, plain).await
    }

    /// The same, each room sending as `options` says.
    pub async fn open_with(sites: u16, options: impl Fn(u16) -> ProbeOptions) -> Result<Self> {
        let server = Server::start().await?;
        let token = server.token(Role::Observer, None, Some(Carries::Watch))?;
        let observer = Room::enter(&server, &token, plain(OBSERVER)).await?;
        observer.show(0, &[180; 13])?;
        let mut rooms = BTreeMap::new();
        for site in 0..=sites {
            let token = link(&server, site, Carries::Room)?;
            rooms.insert(site, Room::enter(&server, &token, options(site)).await?);
        }
        let hall = Self {
            server,
            rooms,
            observer,
        };
        let agenda = hall.chair().view().agenda;
        let discussed = |item: &&Item| item.kind == ItemKind::Discussion && !item.turns.approval;
        let item = agenda
            .items
            .iter()
            .find(discussed)
            .context("no discussion")?
            .id;
        hall.chair()
            .command(ClientCommand::StartItem {
                item,
                waiting: None,
            })
            .await?;
        for site in 0..=sites {
            hall.while_sending(site, WINDOW).await?;
        }
        Ok(hall)
    }

    pub fn chair(&self) -> &Room {
        &self.rooms[&0]
    }

    /// Everybody who can hear: the rooms and the observer.
    pub fn ears(&self) -> impl Iterator<Item = &Room> {
        self.rooms.values().chain([&self.observer])
    }

    /// Who is to hear a site: everybody but its own room.
    pub fn ears_for(&self, site: u16) -> impl Iterator<Item = &Room> {
        self.ears()
            .filter(move |room| room.me.site != Some(SiteId(site)))
    }

    /// All sound that reached anybody: packets by listener and sender.
    pub fn sounds(&self) -> BTreeMap<u16, BTreeMap<u16, u64>> {
        self.ears().map(|room| (room.mark, room.sounds())).collect()
    }

    /// The same without one sender.
    pub fn sounds_without(&self, mark: u16) -> BTreeMap<u16, BTreeMap<u16, u64>> {
        let mut sounds = self.sounds();
        sounds.values_mut().for_each(|heard| {
            heard.remove(&mark);
        });
        sounds
    }

    /// All packets of a sender that reached anybody, pictures and sound, by receiver.
    pub fn packets_of(&self, mark: u16) -> BTreeMap<u16, u64> {
        let packets = |room: &Room| room.seen().packets_in(ALL_SLOTS, mark);
        self.ears().map(|room| (room.mark, packets(room))).collect()
    }

    /// When anybody last got a packet of a sender without layers.
    pub fn last_of(&self, mark: u16) -> Option<Instant> {
        let last = |room: &Room| {
            let seen = room.seen();
            let tallies = ALL_SLOTS.filter_map(|slot| seen.tally(slot, mark, 0));
            tallies.map(|tally| tally.last_at).max()
        };
        self.ears().filter_map(last).max()
    }

    /// What a sender sends since `told` reaches nobody, though it sends on and its packets come to the server. Time passes
    /// in the packets of the site beside it.
    pub async fn fell_silent(
        &self,
        (mark, sender): (u16, &Probe),
        told: Instant,
        beside: u16,
    ) -> Result<()> {
        self.while_sending(beside, 2 * WINDOW).await?;
        let (sent, quiet) = (sender.seen().sent, self.packets_of(mark));
        let last = self.last_of(mark).context("it reached nobody before")?;
        let took = last.saturating_duration_since(told);
        within("the last packet", took, SILENT_WITHIN)?;
        self.while_sending(beside, 5 * WINDOW).await?;
        ensure!(self.packets_of(mark) == quiet, "it still reaches somebody");
        // That it is silent is the server's doing.
        self.nobodys(10 * WINDOW).await?;
        ensure!(self.packets_of(mark) == quiet, "it reaches somebody again");
        ensure!(sender.seen().sent >= sent + 10 * WINDOW, "it sends no more");
        Ok(())
    }

    /// Waits until so many more datagrams have come to the server that are nobody's.
    pub async fn nobodys(&self, datagrams: u64) -> Result<()> {
        let metric = "diemcau_media_malformed_total";
        let before = self.server.metric(metric).await?;
        let come = |now| now >= before + datagrams as f64;
        self.server.shows(metric, come).await
    }

    /// Waits until the server has taken so many more picture packets of a room, seen in its tile at the observer: a
    /// time that passes in the room's own packets.
    pub async fn while_sending(&self, site: u16, packets: u64) -> Result<()> {
        let tile = || self.observer.tile(SiteId(site), site);
        let before = tile();
        let goes_on = until("the room's picture goes on", || tile() >= before + packets).await;
        goes_on.with_context(|| format!("the room of site {site}, {before} packets so far"))
    }

    /// Waits until everybody who should has `packets` more sound packets of a sender.
    pub async fn all_hear(&self, site: u16, mark: u16, packets: u64) -> Result<()> {
        let before: Vec<_> = self
            .ears_for(site)
            .map(|room| (room, room.sounds_of(mark)))
            .collect();
        for (room, before) in before {
            until("everybody hears it", || {
                room.sounds_of(mark) >= before + packets
            })
            .await?;
        }
        Ok(())
    }

    /// A site asks for the floor.
    pub async fn request(&self, site: u16) -> Result<TurnId> {
        let words = RequestWords {
            speech: SpeechType::Contribution,
            delegate: String::new(),
            topic: String::new(),
            paragraph: None,
            title: String::new(),
            minutes: None,
        };
        let known: Vec<TurnId> = queue(self.chair());
        self.rooms[&site]
            .command(ClientCommand::RequestFloor {
                item: None,
                words,
                about: None,
            })
            .await?;
        let view = self
            .chair()
            .sees("the chair sees the request", |view| {
                view.floor.queue.len() > known.len()
            })
            .await?;
        let new = view
            .floor
            .queue
            .iter()
            .find(|request| !known.contains(&request.turn));
        new.map(|request| request.turn)
            .context("the request is lost")
    }

    /// The chair gives the floor, nobody having it.
    pub async fn grant(&self, turn: TurnId) -> Result<()> {
        let after = None;
        self.chair()
            .command(ClientCommand::Grant { after, turn })
            .await
    }
}

/// The turns in the list, as a room sees them.
pub fn queue(room: &Room) -> Vec<TurnId> {
    let view = room.view();
    view.floor
        .queue
        .iter()
        .map(|request| request.turn)
        .collect()
}

/// Brings in a site's room or its standby.
pub async fn enter(server: &Server, site: u16, carries: Carries) -> Result<Room> {
    let mark = match carries {
        Carries::Standby => STANDBY + site,
        Carries::Room | Carries::Watch | Carries::Nothing => site,
    };
    Room::enter(server, &link(server, site, carries)?, plain(mark)).await
}

/// The link of a site's room or its standby; the hall's room is the chair's.
fn link(server: &Server, site: u16, carries: Carries) -> Result<String> {
    let role = match (site, carries) {
        (0, Carries::Room) => Role::Chair,
        (_, Carries::Room | Carries::Standby | Carries::Watch | Carries::Nothing) => {
            Role::Moderator
        }
    };
    server.token(role, Some(SiteId(site)), Some(carries))
}
