//! A conference of synthetic peers around a real media plane, on loopback. The test plays the hub.

#![allow(dead_code, reason = "every test file uses another part")]
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails should stop here"
)]

pub mod keyed;
pub mod nat;
mod no_udp;

use diemcau_media::{Counters, Media, MediaConfig, start};
use diemcau_model::limits::{AUDIO_SLOTS, PICTURE_SLOTS};
use diemcau_model::{
    Carries, EndpointKind, LinkReport, PeerAsk, PeerId, PeerSay, ScreenSlots, SeatId, Side, SiteId,
    Stage,
};
use diemcau_probe::{Mark, Probe, ProbeOptions, Seen};
use nat::Nat;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// How long anything may take on a busy machine before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(2);
/// The voice slots, behind the programme and the tiles.
pub const VOICES: std::ops::Range<usize> = PICTURE_SLOTS..PICTURE_SLOTS + AUDIO_SLOTS;

pub struct Hall {
    pub media: Media,
    pub counters: Arc<Counters>,
    pub stage: watch::Sender<Stage>,
    asks: mpsc::Sender<PeerAsk>,
    says: mpsc::Receiver<PeerSay>,
    reports: mpsc::Receiver<LinkReport>,
    pub peers: BTreeMap<PeerId, Probe>,
    /// Whoever connects from now on reaches the server over TCP only.
    pub no_udp: bool,
    /// Everything that was said or reported and not waited for yet.
    pub heard: Vec<PeerSay>,
    pub reported: Vec<LinkReport>,
}

impl Hall {
    pub async fn open() -> Self {
        Self::start(MediaConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            advertise: vec![],
        })
        .await
    }

    /// It listens on all addresses of this machine; the first of these is told first.
    pub async fn on(addresses: &[IpAddr]) -> Self {
        Self::start(MediaConfig {
            listen: "0.0.0.0:0".parse().unwrap(),
            advertise: addresses.to_vec(),
        })
        .await
    }

    async fn start(config: MediaConfig) -> Self {
        let (stage, stage_seen) = watch::channel(Stage::default());
        let (asks, inbox) = mpsc::channel(64);
        let (says_out, says) = mpsc::channel(64);
        let (reports_out, reports) = mpsc::channel(64);
        let media = start(config, stage_seen, inbox, says_out, reports_out)
            .await
            .unwrap();
        Self {
            counters: media.counters(),
            media,
            stage,
            asks,
            says,
            reports,
            peers: BTreeMap::new(),
            no_udp: false,
            heard: vec![],
            reported: vec![],
        }
    }

    /// Rooms 0.. connected both ways, carriers set as the rules would.
    pub async fn with_rooms(rooms: u16) -> Self {
        let mut hall = Self::open().await;
        for site in 0..rooms {
            hall.enter(
                u64::from(site),
                site,
                Carries::Room,
                ProbeOptions::new(site),
            )
            .await;
        }
        hall.set_stage(|stage| {
            stage.tiles = (0..rooms).map(SiteId).collect();
            stage.carriers = (0..rooms)
                .map(|site| (SiteId(site), EndpointKind::Room))
                .collect();
        });
        hall
    }

    /// Admits a peer and connects what it may have.
    pub async fn enter(&mut self, peer: u64, site: u16, carries: Carries, options: ProbeOptions) {
        self.admit(peer, Some(site), carries).await;
        self.peers.insert(PeerId(peer), Probe::start(options));
        if carries.endpoint().is_some() {
            self.connect_uplink(peer).await;
        }
        self.connect_downlink(peer).await;
    }

    pub async fn admit(&self, peer: u64, site: Option<u16>, carries: Carries) {
        self.ask(PeerAsk::Admit {
            peer: PeerId(peer),
            // Whoever is admitted here has a seat of its own.
            seat: SeatId(u32::try_from(peer).unwrap()),
            site: site.map(SiteId),
            carries,
        })
        .await;
    }

    pub async fn connect_uplink(&mut self, peer: u64) {
        let answer = self.uplink_answer(peer).await;
        let answer = self.told(answer).await;
        self.accept_uplink(peer, answer).await;
    }

    /// Connects an uplink whose peer may be given another address.
    pub async fn connect_uplink_behind_a_router(&mut self, peer: u64) -> Nat {
        let answer = self.uplink_answer(peer).await;
        let nat = Nat::before(&answer).await;
        self.accept_uplink(peer, nat.told.clone()).await;
        nat
    }

    /// The server's answer to a peer's uplink.
    async fn uplink_answer(&mut self, peer: u64) -> String {
        let sdp = self.probe(peer).uplink_offer().await;
        let id = PeerId(peer);
        self.ask(PeerAsk::UplinkOffer { peer: id, sdp }).await;
        self.said(|say| match say {
            PeerSay::Answer { peer, sdp, .. } if *peer == id => Some(sdp.clone()),
            _ => None,
        })
        .await
    }

    async fn accept_uplink(&mut self, peer: u64, answer: String) {
        let id = PeerId(peer);
        self.probe(peer).uplink_answer(answer);
        self.reported(|report| matches!(report, LinkReport::Up { peer, .. } if *peer == id))
            .await;
        self.until("the peer's uplink is connected", |hall| {
            hall.seen(peer).uplink_connected
        })
        .await;
    }

    /// A peer shows a screen, which sends under a mark of its own; gives what sends it.
    pub async fn present(&mut self, peer: u64, mark: u16) -> Probe {
        let screen = Probe::start(ProbeOptions {
            sound: false,
            layers: vec![],
            ..ProbeOptions::new(mark)
        });
        let (id, sdp) = (PeerId(peer), screen.uplink_offer().await);
        self.ask(PeerAsk::PresentationOffer { peer: id, sdp }).await;
        let answer = self
            .said(|say| match say {
                PeerSay::Answer {
                    peer,
                    side: Side::Presentation,
                    sdp,
                } if *peer == id => Some(sdp.clone()),
                _ => None,
            })
            .await;
        screen.uplink_answer(self.told(answer).await);
        self.until("the presentation is connected", |_| {
            screen.seen().uplink_connected
        })
        .await;
        screen
    }

    pub async fn connect_downlink(&mut self, peer: u64) {
        let sdp = self.downlink_answer(peer).await;
        self.accept_downlink(peer, sdp).await;
    }

    /// Asks for a downlink; gives the peer's answer.
    pub async fn downlink_answer(&mut self, peer: u64) -> String {
        let id = PeerId(peer);
        self.ask(PeerAsk::OpenDownlink { peer: id }).await;
        let offer = self
            .said(|say| match say {
                PeerSay::Offer { peer, sdp } if *peer == id => Some(sdp.clone()),
                _ => None,
            })
            .await;
        let offer = self.told(offer).await;
        self.probe(peer).downlink_offer(offer).await
    }

    async fn told(&self, sdp: String) -> String {
        match self.no_udp {
            true => no_udp::told(&sdp).await,
            false => sdp,
        }
    }

    pub async fn accept_downlink(&mut self, peer: u64, sdp: String) {
        let id = PeerId(peer);
        self.ask(PeerAsk::DownlinkAnswer { peer: id, sdp }).await;
        self.until("the peer's downlink is connected", |hall| {
            hall.seen(peer).downlink_connected
        })
        .await;
    }

    pub async fn ask(&self, ask: PeerAsk) {
        self.asks.send(ask).await.unwrap();
    }

    pub async fn screen(&self, peer: u64, programme: u16, tiles: &[u16]) {
        let slots = ScreenSlots {
            programme,
            tiles: tiles.to_vec(),
            ..ScreenSlots::default()
        };
        self.ask(PeerAsk::Screen {
            peer: PeerId(peer),
            slots,
        })
        .await;
    }

    pub fn set_stage(&self, change: impl FnOnce(&mut Stage)) {
        self.stage.send_modify(change);
    }

    /// Gives the floor: the site is heard and is the programme.
    pub fn grant(&self, site: u16) {
        self.set_stage(|stage| {
            stage.heard = BTreeSet::from([SiteId(site)]);
            stage.programme = Some(SiteId(site));
        });
    }

    /// Takes the floor.
    pub fn revoke(&self) {
        self.set_stage(|stage| {
            stage.heard.clear();
            stage.programme = None;
        });
    }

    pub fn probe(&self, peer: u64) -> &Probe {
        &self.peers[&PeerId(peer)]
    }

    pub fn seen(&self, peer: u64) -> Seen {
        self.probe(peer).seen()
    }

    /// Sound packets of a site at a peer, in whatever slot.
    pub fn sounds(&self, peer: u64, of: u16) -> u64 {
        self.seen(peer).packets_in(VOICES, of)
    }

    /// The first packet of a site's full layer in the programme slot after a moment, and when it came.
    pub async fn full_picture(&mut self, peer: u64, of: u16, after: Instant) -> (Mark, Instant) {
        let first = |hall: &Self| {
            let seen = hall.seen(peer);
            let firsts = &seen.slots.get(&0)?.firsts;
            let full =
                |(mark, at): &&(Mark, Instant)| mark.from == of && mark.layer == 2 && *at >= after;
            firsts.iter().find(full).copied()
        };
        self.until("the full picture comes", |hall| first(hall).is_some())
            .await;
        first(self).unwrap()
    }

    pub fn count(&self, counter: fn(&Counters) -> &AtomicU64) -> u64 {
        counter(&self.counters).load(Ordering::Relaxed)
    }

    /// Waits for a condition; takes what is said and reported meanwhile.
    pub async fn until(&mut self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !condition(self) {
            assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
            self.take_mail();
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Waits for a word of the media plane.
    pub async fn said<T>(&mut self, mut wanted: impl FnMut(&PeerSay) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            self.take_mail();
            let found = self.heard.iter().position(|say| wanted(say).is_some());
            if let Some(place) = found {
                return wanted(&self.heard.remove(place)).unwrap();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the media plane did not say it; it said {:#?}",
                self.heard
            );
            tokio::time::sleep(GLANCE).await;
        }
    }

    pub async fn failed(&mut self, of: u64, on: Side) -> String {
        self.said(|say| match say {
            PeerSay::Failed { peer, side, reason } if *peer == PeerId(of) && *side == on => {
                Some(reason.clone())
            }
            _ => None,
        })
        .await
    }

    /// Waits for a report.
    pub async fn reported(&mut self, wanted: impl Fn(&LinkReport) -> bool) -> LinkReport {
        let start = Instant::now();
        loop {
            self.take_mail();
            if let Some(place) = self.reported.iter().position(&wanted) {
                return self.reported.remove(place);
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain for a report");
            tokio::time::sleep(GLANCE).await;
        }
    }

    pub fn take_mail(&mut self) {
        while let Ok(say) = self.says.try_recv() {
            self.heard.push(say);
        }
        while let Ok(report) = self.reports.try_recv() {
            self.reported.push(report);
        }
    }

    /// Waits until a site's endpoint has sent so many more packets: a time that passes in packets.
    pub async fn while_sending(&mut self, peer: u64, packets: u64) {
        let start = self.seen(peer).sent;
        self.until("it has sent more", |hall| {
            hall.seen(peer).sent >= start + packets
        })
        .await;
    }

    pub async fn close(self) {
        drop(self.asks);
        self.media.closed().await;
    }
}
