//! The media plane without media: it does what the hub asks, tells links, and says what would be forwarded, by the
//! gate that forwards in the real one. Every room that has an uplink sends all the time.

use diemcau_media::{
    Layer,
    gate::{self, Costs, Route, Screen, Source, Voices},
};
use diemcau_model::{
    Carries, LinkReport, LinkStats, PeerAsk, PeerId, PeerSay, ScreenSlots, Side, SiteId, Stage,
    limits,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval},
};

/// How often figures are told.
const STATS_EVERY: Duration = Duration::from_secs(1);

/// The ends of the hub's lines.
pub struct Lines {
    /// Who is heard and seen.
    pub stage: watch::Receiver<Stage>,
    /// What the hub asks for clients.
    pub asks: mpsc::Receiver<PeerAsk>,
    /// Answers to clients.
    pub says: mpsc::Sender<PeerSay>,
    /// Links and figures.
    pub reports: mpsc::Sender<LinkReport>,
}

/// The plane of one server.
#[derive(Clone, Default)]
pub struct Plane(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    peers: BTreeMap<PeerId, Peer>,
    /// Every stage that was wanted, and when.
    stages: Vec<(Instant, Stage)>,
    voices: Voices,
    connections: u64,
    waiting: Vec<LinkReport>,
    says: Vec<PeerSay>,
}

/// A peer, as the hub admitted it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its site, as the hub said.
    pub site: Option<SiteId>,
    /// What it carries, as the hub said.
    pub carries: Carries,
    /// The connection that made its uplink, and the uplink's number.
    pub up: Option<(u64, u64)>,
    /// The connection that made its downlink.
    pub down: Option<u64>,
    slots: ScreenSlots,
    listens: bool,
}

impl Plane {
    /// Does what it is asked until the hub lets go of its lines.
    pub async fn run(self, mut lines: Lines) {
        let mut stats = interval(STATS_EVERY);
        stats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let first = lines.stage.borrow_and_update().clone();
        self.inside().staged(first);
        loop {
            tokio::select! {
                biased;
                changed = lines.stage.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let stage = lines.stage.borrow_and_update().clone();
                    self.inside().staged(stage);
                }
                ask = lines.asks.recv() => match ask {
                    Some(ask) => self.inside().ask(ask),
                    None => return,
                },
                _ = stats.tick() => self.inside().report_figures(),
            }
            let (reports, says) = self.inside().outgoing();
            // Never waits: the hub may be waiting for this very task. What does not fit is lost, as on a real machine
            // that is out of memory; the lines are far wider than a simulation needs.
            for report in reports {
                let _ = lines.reports.try_send(report);
            }
            for say in says {
                let _ = lines.says.try_send(say);
            }
        }
    }

    /// The stage that is wanted now.
    #[must_use]
    pub fn stage(&self) -> Stage {
        let inside = self.inside();
        let last = inside.stages.last();
        last.map(|(_, stage)| stage.clone()).unwrap_or_default()
    }

    /// The stages behind the first `count`.
    #[must_use]
    pub fn stages_behind(&self, count: usize) -> Vec<(Instant, Stage)> {
        self.inside()
            .stages
            .get(count..)
            .unwrap_or_default()
            .to_vec()
    }

    /// The peers that are there.
    #[must_use]
    pub fn peers(&self) -> BTreeMap<PeerId, Peer> {
        self.inside().peers.clone()
    }

    /// Where a packet of every sender would go now.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        self.inside().routes()
    }

    /// The uplink of a connection fails by itself; false if it has none.
    pub fn fail_uplink(&self, connection: u64) -> bool {
        let mut inside = self.inside();
        let of = |(peer, found): (&PeerId, &Peer)| {
            let (made_by, _) = found.up?;
            (made_by == connection).then_some(*peer)
        };
        let Some(peer) = inside.peers.iter().find_map(of) else {
            return false;
        };
        inside.hang_up(peer);
        inside.says.push(failed(peer, Side::Uplink));
        true
    }

    // Every change is complete before the lock is left.
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn staged(&mut self, stage: Stage) {
        self.stages.push((Instant::now(), stage));
    }

    fn ask(&mut self, ask: PeerAsk) {
        match ask {
            PeerAsk::Admit {
                peer,
                seat: _,
                site,
                carries,
            } => {
                self.leave(peer);
                self.peers.insert(
                    peer,
                    Peer {
                        site,
                        carries,
                        up: None,
                        down: None,
                        slots: ScreenSlots::default(),
                        listens: false,
                    },
                );
            }
            PeerAsk::UplinkOffer { peer, sdp } => self.uplink(peer, &sdp),
            PeerAsk::OpenDownlink { peer } => {
                let receives = self
                    .peers
                    .get(&peer)
                    .is_some_and(|found| gate::receives(found.carries));
                self.says.push(match receives {
                    true => PeerSay::Offer {
                        peer,
                        sdp: "offer".into(),
                    },
                    false => failed(peer, Side::Downlink),
                });
            }
            // Nobody here is a player, or shows a screen.
            PeerAsk::DownlinkOffer { .. } | PeerAsk::PresentationOffer { .. } => {}
            PeerAsk::DownlinkAnswer { peer, sdp } => {
                if let (Some(found), Ok(connection)) = (self.peers.get_mut(&peer), sdp.parse()) {
                    found.down = Some(connection);
                }
            }
            PeerAsk::Screen { peer, slots } => {
                if let Some(found) = self.peers.get_mut(&peer) {
                    found.slots = slots;
                }
            }
            PeerAsk::Listen { peer, sound } => {
                if let Some(found) = self.peers.get_mut(&peer) {
                    found.listens = sound;
                }
            }
            PeerAsk::Leave { peer } => self.leave(peer),
        }
    }

    fn uplink(&mut self, peer: PeerId, sdp: &str) {
        let found = self.peers.get(&peer);
        let sends = found.is_some_and(|found| found.carries.endpoint().is_some());
        let (true, Ok(connection)) = (sends, sdp.parse()) else {
            return self.says.push(failed(peer, Side::Uplink));
        };
        self.hang_up(peer);
        self.connections += 1;
        let Some(found) = self.peers.get_mut(&peer) else {
            return;
        };
        found.up = Some((connection, self.connections));
        if let (Some(site), Some(kind)) = (found.site, found.carries.endpoint()) {
            self.waiting.push(LinkReport::Up { site, kind, peer });
        }
        self.says.push(PeerSay::Answer {
            peer,
            side: Side::Uplink,
            sdp: "answer".into(),
        });
    }

    fn hang_up(&mut self, peer: PeerId) {
        let Some(found) = self.peers.get_mut(&peer) else {
            return;
        };
        if found.up.take().is_some()
            && let (Some(site), Some(kind)) = (found.site, found.carries.endpoint())
        {
            self.waiting.push(LinkReport::Down { site, kind, peer });
        }
    }

    fn leave(&mut self, peer: PeerId) {
        self.hang_up(peer);
        self.peers.remove(&peer);
    }

    fn report_figures(&mut self) {
        let senders = self.peers.iter().filter(|(_, found)| found.up.is_some());
        let figures = senders.map(|(peer, found)| LinkReport::Stats {
            peer: *peer,
            site: found.site,
            stats: LinkStats {
                level_dbov: Some(-30),
                rtt_ms: Some(20.0),
                ..LinkStats::default()
            },
        });
        self.waiting.extend(figures);
    }

    fn outgoing(&mut self) -> (Vec<LinkReport>, Vec<PeerSay>) {
        (
            std::mem::take(&mut self.waiting),
            std::mem::take(&mut self.says),
        )
    }

    fn routes(&mut self) -> Vec<Route> {
        let Some((_, stage)) = self.stages.last() else {
            return vec![];
        };
        let source = |(id, peer): (&PeerId, &Peer)| {
            Some(Source {
                peer: *id,
                site: peer.site?,
                kind: peer.carries.endpoint()?,
                order: peer.up?.1,
                layers: Layer::ALL.to_vec(),
                costs: Costs::PLANNED,
            })
        };
        let screen = |(id, peer): (&PeerId, &Peer)| {
            peer.down?;
            Some(Screen {
                peer: *id,
                site: peer.site,
                carries: peer.carries,
                listens: peer.listens,
                slots: peer.slots.clone(),
                ears: limits::AUDIO_SLOTS,
                bears: None,
            })
        };
        let sources: Vec<Source> = self.peers.iter().filter_map(source).collect();
        let screens: Vec<Screen> = self.peers.iter().filter_map(screen).collect();
        self.voices.seat(stage, &gate::carriers(stage, &sources));
        gate::routes(stage, &sources, None, &screens, &self.voices).0
    }
}

fn failed(peer: PeerId, side: Side) -> PeerSay {
    let reason = "simulated".into();
    PeerSay::Failed { peer, side, reason }
}
