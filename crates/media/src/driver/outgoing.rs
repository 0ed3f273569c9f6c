//! What leaves. Each leg writes, protects and sends for itself, so what is a crowd is shared between the cores.

use super::Driver;
use crate::counters::{Counters, add};
use crate::demux::{LegId, is_stun};
use crate::engine::Outlet;
use crate::peers::{Line, Peer};
use crate::port::Port;
use diemcau_model::{PeerId, Side};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Packets that wait for sending and are a crowd: fewer are sent before another core has woken.
pub(super) const CROWD: u64 = 256;
/// Cores that help at most; more than a few wait for each other in the kernel.
const HELPERS_MAX: usize = 7;

/// The other cores, if there are any.
pub struct Cores(Option<ThreadPool>);

impl Cores {
    pub fn of_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::helped_by((cores - 1).min(HELPERS_MAX))
    }

    pub fn helped_by(helpers: usize) -> Self {
        let pool = ThreadPoolBuilder::new()
            .num_threads(helpers)
            .thread_name(|helper| format!("media-{}", helper + 1));
        let pool = (helpers > 0).then(|| pool.build());
        Self(pool.and_then(|pool| {
            pool.inspect_err(|error| tracing::warn!(%error, "media stays on one core"))
                .ok()
        }))
    }
}

/// What a leg's sending needs of the rest.
struct Way<'a> {
    port: &'a Port,
    counters: &'a Counters,
    now: Instant,
}

/// An address whose check was answered.
type Answered = Vec<(LegId, SocketAddr)>;

impl Driver {
    /// Sends what waits in the legs.
    pub(super) fn send_all(&mut self, now: Instant) {
        let way = Way {
            port: &self.port,
            counters: &self.counters,
            now,
        };
        let crowd = std::mem::take(&mut self.noted) >= CROWD;
        let mut answered = vec![];
        match self.cores.0.as_ref().filter(|_| crowd) {
            Some(pool) => {
                self.wet.clear();
                answered = way.send_by_all(pool, &mut self.peers, &mut self.buffer);
            }
            None => {
                for leg in self.wet.drain(..) {
                    if let Some(peer) = self.peers.get_mut(&leg.0) {
                        way.send(leg, peer, &mut self.buffer, &mut answered);
                    }
                }
            }
        }
        for (leg, address) in answered {
            self.port.keep(address);
            if self.is_anothers(leg, address, now) {
                continue;
            }
            let peer = self.peers.get_mut(&leg.0);
            let path = peer.and_then(|peer| peer.line(leg.1)?.leg.path());
            let path = path.map(|path| path.client);
            if let Some(left) = self.demux.answered(leg, address, path) {
                self.port.forget(left);
            }
        }
    }

    /// Whether another leg's client is at an address: who only writes it as its own takes nothing from that one. Keys show
    /// more than a check does.
    fn is_anothers(&mut self, leg: LegId, address: SocketAddr, now: Instant) -> bool {
        let Some(owner) = self.demux.owner(address).filter(|owner| *owner != leg) else {
            return false;
        };
        let has_keys = self.line(leg).is_some_and(|line| line.connected);
        let owner = self.line(owner);
        owner.is_some_and(|owner| owner.is_at(address, now) && (owner.connected || !has_keys))
    }

    fn line(&mut self, (peer, side): LegId) -> Option<&mut Line> {
        self.peers.get_mut(&peer)?.line(side)
    }
}

impl Way<'_> {
    /// Every core takes the next peer until there is none.
    fn send_by_all(
        &self,
        pool: &ThreadPool,
        peers: &mut BTreeMap<PeerId, Peer>,
        buffer: &mut Vec<u8>,
    ) -> Answered {
        let peers = Mutex::new(peers.iter_mut());
        let all = Mutex::new(vec![]);
        let work = |buffer: &mut Vec<u8>| {
            let mut answered = vec![];
            loop {
                let next = peers.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((id, peer)) = next else { break };
                for side in Side::ALL {
                    self.send((*id, side), peer, buffer, &mut answered);
                }
            }
            all.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .append(&mut answered);
        };
        pool.in_place_scope(|scope| {
            for _ in 0..pool.current_num_threads() {
                scope.spawn(|_| work(&mut vec![]));
            }
            work(buffer);
        });
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits in one leg, if anything does.
    fn send(&self, leg: LegId, peer: &mut Peer, buffer: &mut Vec<u8>, answered: &mut Answered) {
        let Some((line, meter)) = peer.line_and_meter(leg.1) else {
            return;
        };
        if !std::mem::take(&mut line.wet) {
            return;
        }
        let asked = std::mem::take(&mut line.asked_by_stun);
        let Line {
            leg: writes,
            over_tcp,
            ..
        } = line;
        writes.drain_datagrams(&mut Outlet {
            now: self.now,
            segments_max: self.port.segments_max(),
            buffer,
            send: &mut |run| {
                if asked && is_stun(run.bytes) {
                    *over_tcp = Port::is_tcp(run.to.client);
                    answered.push((leg, run.to.client));
                }
                meter.sent(run.bytes.len());
                let drops = self.port.send(run);
                if drops > 0 {
                    add(&self.counters.send_drops, drops);
                }
            },
        });
    }
}
