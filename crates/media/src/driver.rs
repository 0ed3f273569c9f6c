//! The one task that owns every peer: it waits, hands the time and the input down, and carries the output away.

mod asks;
#[cfg(test)]
mod budget;
mod outgoing;
mod packets;
mod places;
mod refusals;
mod routes;
#[cfg(test)]
mod tests;
mod tries;

pub use asks::TOO_MANY_TRIES;
pub use places::WATCHERS_MAX;
pub use tries::Recent;

use crate::counters::{Counters, add};
use crate::demux::{Demux, LegId};
use crate::engine::{Engine, Layer, LegEvent, Outlet};
use crate::gate;
use crate::keyframes::{KeyFrames, Picture, side_of};
use crate::peers::{Line, Peer};
use crate::port::Port;
use crate::post::Post;
use crate::stats::STATS_INTERVAL;
use diemcau_model::{Carries, LinkReport, PeerAsk, PeerId, PeerSay, SeatId, Side, SiteId, Stage};
use outgoing::Cores;
use places::Places;
use refusals::Refusals;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tries::Tries;

/// An uplink that brought no datagram at all for so long is down.
pub const LINK_SILENT: Duration = Duration::from_secs(5);
/// A downlink may be quieter: a browser that receives nothing says little.
const DOWNLINK_SILENT: Duration = Duration::from_secs(15);
/// A leg that is not connected after so long has failed.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// How often silence, layers and unsent messages are looked after.
const HOUSEKEEPING: Duration = Duration::from_millis(200);
/// How soon a full channel is tried again.
const RETRY: Duration = Duration::from_millis(5);
/// Asks taken before anything else gets a turn; the others wait in their channel, and who asks waits for it.
const ASKS_AT_ONCE: usize = 64;
/// Batches read before anything else gets a turn.
const BATCHES_MAX: usize = 4;
/// How long what has come waits for what comes with it, so that the parts of a picture leave in one call. The thread is the
/// media plane's own and sleeps: the runtime's clock counts whole milliseconds, which would be three times as long.
const GATHER: Duration = Duration::from_micros(300);
/// Datagrams in one reading that are a crowd: the next reading does not wait, or the kernel's buffer would overflow.
const CROWD: usize = 48;
/// The engine may ask for the time at once, again and again; this keeps the loop from spinning.
const TICK_MIN: Duration = Duration::from_millis(1);

/// The channels to the world.
pub struct Doors {
    pub stage: watch::Receiver<Stage>,
    pub asks: mpsc::Receiver<PeerAsk>,
    pub says: Post<PeerSay>,
    pub reports: Post<LinkReport>,
}

pub struct Driver {
    port: Port,
    engine: Engine,
    doors: Doors,
    counters: Arc<Counters>,
    stage: Stage,
    stage_open: bool,
    /// Who may ask for media.
    admitted: BTreeMap<PeerId, (SeatId, Option<SiteId>, Carries)>,
    /// Those who did.
    peers: BTreeMap<PeerId, Peer>,
    places: Places,
    tries: Tries,
    refusals: Refusals,
    demux: Demux,
    voices: gate::Voices,
    /// The uplinks that may be forwarded at all.
    carriers: BTreeSet<PeerId>,
    /// The presentation that may be.
    presenter: Option<PeerId>,
    feeds: BTreeMap<PeerId, Feeds>,
    key_frames: KeyFrames,
    connections: u64,
    /// The routes must be made anew.
    dirty: bool,
    /// They must because the rules say so, not a screen or a link.
    staged: bool,
    touched: Vec<LegId>,
    wet: Vec<LegId>,
    events: Vec<LegEvent>,
    /// Packets that wait in the legs since the last sending.
    noted: u64,
    /// Where runs of datagrams are written.
    buffer: Vec<u8>,
    cores: Cores,
    /// The last reading was a crowd.
    crowded: bool,
    housekeeping_at: Instant,
    stats_at: Instant,
}

/// The slots one sender's packets are offered to.
#[derive(Default)]
struct Feeds {
    pictures: Vec<(PeerId, usize)>,
    voices: Vec<(PeerId, usize)>,
}

impl Driver {
    pub fn new(port: Port, engine: Engine, mut doors: Doors, counters: Arc<Counters>) -> Self {
        let now = Instant::now();
        let stage = doors.stage.borrow_and_update().clone();
        Self {
            port,
            engine,
            doors,
            counters,
            stage,
            stage_open: true,
            admitted: BTreeMap::new(),
            peers: BTreeMap::new(),
            places: Places::default(),
            tries: Tries::default(),
            refusals: Refusals::default(),
            demux: Demux::default(),
            voices: gate::Voices::default(),
            carriers: BTreeSet::new(),
            presenter: None,
            feeds: BTreeMap::new(),
            key_frames: KeyFrames::default(),
            connections: 0,
            dirty: false,
            staged: false,
            touched: vec![],
            wet: vec![],
            events: vec![],
            noted: 0,
            buffer: vec![],
            cores: Cores::of_this_machine(),
            crowded: false,
            housekeeping_at: now + HOUSEKEEPING,
            stats_at: now + STATS_INTERVAL,
        }
    }

    pub async fn run(mut self) {
        let mut asks = Vec::with_capacity(ASKS_AT_ONCE);
        loop {
            let deadline = self.deadline(Instant::now());
            tokio::select! {
                // The stage first: a closed gate must not wait for packets.
                biased;
                changed = self.doors.stage.changed(), if self.stage_open => self.set_stage(changed.is_ok()),
                count = self.doors.asks.recv_many(&mut asks, ASKS_AT_ONCE) => match count {
                    0 => break,
                    _ => self.take_asks(&mut asks).await,
                },
                () = tokio::time::sleep_until(deadline.into()) => self.tick(Instant::now()),
                readable = self.port.readable() => self.gather(readable),
            }
            self.settle(Instant::now());
        }
        self.say_goodbye(Instant::now());
    }

    /// Some may ask without end: so many asks cost one making of routes, and then packets and the time have their turn.
    async fn take_asks(&mut self, asks: &mut Vec<PeerAsk>) {
        let now = Instant::now();
        for ask in asks.drain(..) {
            self.ask(ask, now);
        }
        self.settle(now);
        // The runtime looks at the port only while this task stands back.
        tokio::task::yield_now().await;
        if self.doors.stage.has_changed().unwrap_or(true) {
            return;
        }
        let now = Instant::now();
        self.tick(now);
        self.read(now);
    }

    fn set_stage(&mut self, open: bool) {
        self.stage_open = open;
        // Without rules nobody is heard.
        self.stage = if open {
            self.doors.stage.borrow_and_update().clone()
        } else {
            Stage::default()
        };
        self.end_presentations(Instant::now());
        self.dirty = true;
        self.staged = true;
    }

    fn gather(&mut self, readable: std::io::Result<()>) {
        match readable {
            Ok(()) if self.crowded => self.read(Instant::now()),
            Ok(()) => {
                std::thread::sleep(GATHER);
                self.read(Instant::now());
            }
            Err(error) => tracing::warn!(%error, "the UDP port is in trouble"),
        }
    }

    fn read(&mut self, now: Instant) {
        let mut datagrams = 0;
        for _ in 0..BATCHES_MAX {
            let Self {
                port,
                demux,
                peers,
                touched,
                counters,
                ..
            } = self;
            let read = port.receive(|datagram, from| {
                add(&counters.datagrams_in, 1);
                let leg = demux.find(datagram, from.client);
                let found = leg.and_then(|leg| Some((leg, peers.get_mut(&leg.0)?)));
                let Some((leg, peer)) = found else {
                    add(&counters.malformed, 1);
                    return;
                };
                peer.meter.received(datagram.len());
                let Some(line) = peer.line(leg.1) else { return };
                match line.comes(datagram, from, now) {
                    true => touch(line, leg, touched),
                    false => add(&counters.flooded, 1),
                }
            });
            match read {
                Ok(0) => break,
                Ok(more) => datagrams += more,
                Err(error) => {
                    tracing::debug!(%error, "a batch could not be read");
                    break;
                }
            }
            if self.doors.stage.has_changed().unwrap_or(true) {
                break;
            }
        }
        self.crowded = datagrams >= CROWD;
    }

    fn tick(&mut self, now: Instant) {
        for (id, peer) in &mut self.peers {
            for side in Side::ALL {
                let Some(line) = peer.line(side) else {
                    continue;
                };
                if line.deadline.is_some_and(|deadline| deadline <= now) {
                    line.leg.tick(now);
                    touch(line, (*id, side), &mut self.touched);
                }
            }
        }
        if now >= self.housekeeping_at {
            self.housekeeping_at = now + HOUSEKEEPING;
            self.look_after_links(now);
            self.count_links();
        }
        if now >= self.stats_at {
            self.stats_at = now + STATS_INTERVAL;
            self.report_stats(now);
        }
    }

    /// Handles what the input led to, until nothing is left but to wait.
    fn settle(&mut self, now: Instant) {
        loop {
            while let Some(leg) = self.touched.pop() {
                self.drain_events(leg, now);
            }
            if self.dirty {
                self.make_routes(now);
            }
            self.ask_for_key_frames(now);
            if self.touched.is_empty() && !self.dirty {
                break;
            }
        }
        self.send_all(now);
        self.doors.says.retry();
        self.doors.reports.retry();
        self.counters
            .peers
            .store(self.peers.len() as u64, Ordering::Relaxed);
    }

    fn deadline(&mut self, now: Instant) -> Instant {
        let mut deadline = self.housekeeping_at.min(self.stats_at);
        for peer in self.peers.values_mut() {
            for side in Side::ALL {
                let line = peer.line(side).and_then(|line| line.deadline);
                deadline = line.map_or(deadline, |line| deadline.min(line));
            }
        }
        let key_frames = self.key_frames.deadline(now);
        let retry = (self.doors.says.is_waiting() || self.doors.reports.is_waiting())
            .then_some(now + RETRY);
        let deadline = key_frames
            .into_iter()
            .chain(retry)
            .fold(deadline, Instant::min);
        deadline.max(now)
    }

    fn ask_for_key_frames(&mut self, now: Instant) {
        for (id, layer) in self.key_frames.due(now) {
            let side = side_of(layer);
            // On a connection of its own the only picture is the full one.
            let layer = match side {
                Side::Presentation => Layer::Full,
                Side::Uplink | Side::Downlink => layer,
            };
            let line = self.peers.get_mut(&id).and_then(|peer| peer.line(side));
            let Some(line) = line else { continue };
            if line.leg.ask_key_frame(layer, now) {
                add(&self.counters.key_frames_asked, 1);
                wet(line, (id, side), &mut self.wet);
            }
        }
    }

    fn look_after_links(&mut self, now: Instant) {
        let mut failed = vec![];
        for (id, peer) in &mut self.peers {
            for (side, silent) in [
                (Side::Uplink, LINK_SILENT),
                (Side::Downlink, DOWNLINK_SILENT),
                (Side::Presentation, LINK_SILENT),
            ] {
                let Some(line) = peer.line(side) else {
                    continue;
                };
                if line.connected && now.saturating_duration_since(line.heard) >= silent {
                    failed.push(((*id, side), "it fell silent".to_owned()));
                } else if !line.connected && now.saturating_duration_since(line.made) >= CONNECT_MAX
                {
                    failed.push(((*id, side), line.why_not()));
                }
            }
            self.dirty |= peer.up.as_mut().is_some_and(|up| up.age(now));
            self.dirty |= peer.presents.as_mut().is_some_and(|up| up.weigh(now));
            self.dirty |= peer.down.as_mut().is_some_and(|down| down.weigh(now));
            for slot in peer.down.iter().flat_map(|down| &down.pictures) {
                if let Some(picture) = slot.waits_for() {
                    self.key_frames.wish(picture, now);
                }
            }
        }
        for (leg, why) in failed {
            self.fail(leg, &why, now);
        }
        self.refusals.tell(now, &mut self.doors.says);
    }

    fn count_links(&self) {
        let lines = self.peers.values().flat_map(Peer::lines);
        let (mut udp, mut tcp) = (0, 0);
        for line in lines.filter(|line| line.connected) {
            match line.over_tcp {
                false => udp += 1,
                true => tcp += 1,
            }
        }
        self.counters.links_udp.store(udp, Ordering::Relaxed);
        self.counters.links_tcp.store(tcp, Ordering::Relaxed);
    }

    fn report_stats(&mut self, now: Instant) {
        for (id, peer) in &mut self.peers {
            let wants = peer.down.is_none() || peer.meter.wants_round_trip(now);
            let asked = peer.up.as_mut().filter(|_| wants);
            if let Some(up) = asked.filter(|up| up.line.connected) {
                up.line.leg.measure(now);
                wet(&mut up.line, (*id, Side::Uplink), &mut self.wet);
            }
            let mut stats = peer.meter.read(now);
            if let Some(down) = &peer.down {
                (stats.bears_bps, stats.step) = (down.bears, down.step);
            }
            if peer.up.is_some() || peer.down.is_some() {
                self.doors.reports.send_or_drop(LinkReport::Stats {
                    peer: *id,
                    site: peer.site,
                    stats,
                });
            }
        }
    }

    /// Ends a leg for good, with a last datagram to say so. True if it was there.
    fn hang_up(&mut self, leg: LegId, now: Instant) -> bool {
        self.refusals.forget(leg);
        let Some(peer) = self.peers.get_mut(&leg.0) else {
            return false;
        };
        let site = peer.site;
        let kind = peer.carries.endpoint();
        let Some(mut line) = peer.take_line(leg.1) else {
            return false;
        };
        line.leg.close(now);
        let Self {
            port,
            counters,
            buffer,
            ..
        } = self;
        line.leg.drain_datagrams(&mut Outlet {
            now,
            segments_max: port.segments_max(),
            buffer,
            send: &mut |run| add(&counters.send_drops, port.send(run)),
        });
        for address in self.demux.remove(leg) {
            self.port.forget(address);
        }
        self.dirty = true;
        self.key_frames.forget(leg.0, leg.1);
        if leg.1 == Side::Uplink {
            peer.meter.forget_streams();
        }
        if leg.1 == Side::Uplink
            && line.connected
            && let (Some(site), Some(kind)) = (site, kind)
        {
            tracing::info!(peer = %leg.0, %site, ?kind, "uplink is down");
            self.doors.reports.send(LinkReport::Down {
                site,
                kind,
                peer: leg.0,
            });
        }
        true
    }

    /// Ends a leg and tells its client to make it anew.
    fn fail(&mut self, leg: LegId, why: &str, now: Instant) {
        if self.hang_up(leg, now) {
            let (peer, side) = leg;
            let reason = why.to_owned();
            tracing::info!(%peer, ?side, why, "a leg failed");
            self.doors.says.send(PeerSay::Failed { peer, side, reason });
        }
    }

    /// Nothing comes of what was asked. One link may ask without end, and would fill a disk with a log of it.
    fn refuse(&mut self, leg: LegId, why: &str, now: Instant) {
        let (peer, side) = leg;
        tracing::debug!(%peer, ?side, why, "what was asked is refused");
        self.refusals.add(leg, why, now, &mut self.doors.says);
    }

    fn say_goodbye(&mut self, now: Instant) {
        let ids: Vec<PeerId> = self.peers.keys().copied().collect();
        for id in ids {
            self.leave(id, now);
        }
        self.settle(now);
    }
}

fn touch(line: &mut Line, leg: LegId, touched: &mut Vec<LegId>) {
    if !std::mem::replace(&mut line.touched, true) {
        touched.push(leg);
    }
}

fn wet(line: &mut Line, leg: LegId, list: &mut Vec<LegId>) {
    if !std::mem::replace(&mut line.wet, true) {
        list.push(leg);
    }
}

/// The layer of a picture a packet belongs to.
fn picture(peer: PeerId, packet: &crate::engine::RtpIn) -> Picture {
    (peer, packet.layer)
}
