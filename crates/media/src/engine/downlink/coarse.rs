//! What a downlink bears, of a client that does not tell when packets arrived: from how many it missed, which its reports
//! say (RFC 3550, 6.4), and from what it thinks itself, where it does (draft-alvestrand-rmcat-remb). Coarse, and seconds late.
//!
//! What comes when it is sent again hides a loss in its reports, and fills its road besides. So each sending is counted as a
//! packet, and each one that was sent again as a loss; but what we send is what is sent for the first time, for less of
//! the rest is no less of ours.

use super::estimate::road::{Road, Seen};
use super::estimate::{IDLE, OVERHEAD_BYTES};
use crate::engine::Cargo;
use std::time::{Duration, Instant};

/// Reports come once a second and more often; a judgement needs so much time and so many packets.
const WINDOW: Duration = Duration::from_millis(500);
const WINDOW_PACKETS: u32 = 8;

pub struct Coarse {
    road: Road,
    /// What was sent since when, for the first time and again, and what the client says of it.
    bytes: u64,
    picture_bytes: u64,
    again_bytes: u64,
    again: u32,
    since: Option<Instant>,
    packets: u32,
    lost: u32,
    /// Bits a second that were sent in the window before.
    sent_bps: f64,
    last_sent: Option<Instant>,
}

impl Coarse {
    pub fn new() -> Self {
        Self {
            road: Road::new(),
            bytes: 0,
            picture_bytes: 0,
            again_bytes: 0,
            again: 0,
            since: None,
            packets: 0,
            lost: 0,
            sent_bps: 0.0,
            last_sent: None,
        }
    }

    /// What may be sent; `None` while the link has shown no limit, or has grown out of it.
    pub fn bears(&mut self, now: Instant) -> Option<u64> {
        let passed = |at| now.saturating_duration_since(at) >= IDLE;
        if self.last_sent.is_none_or(passed) {
            self.road.idle(now);
        }
        self.road.limit().map(|bps| bps as u64)
    }

    /// Whether the link has more to carry than it can, by the last judgement.
    pub fn is_full(&self) -> bool {
        self.road.is_full()
    }

    /// Whether a link that had lost what it could not carry has room again, once.
    pub fn take_eased(&mut self) -> bool {
        self.road.take_eased()
    }

    /// A datagram of so many bytes leaves, for the first time or again.
    pub fn sent(&mut self, bytes: usize, cargo: Cargo, again: bool, at: Instant) {
        self.since.get_or_insert(at);
        self.again = self.again.saturating_add(again.into());
        let sum = match again {
            true => &mut self.again_bytes,
            false => &mut self.bytes,
        };
        let bytes = (bytes + OVERHEAD_BYTES) as u64;
        *sum = sum.saturating_add(bytes);
        if cargo == Cargo::Picture && !again {
            self.picture_bytes = self.picture_bytes.saturating_add(bytes);
        }
        self.last_sent = Some(at);
    }

    /// The client speaks of so many packets, and missed so many of them.
    pub fn missed(&mut self, packets: u32, lost: u32, now: Instant) {
        self.packets = self.packets.saturating_add(packets);
        self.lost = self.lost.saturating_add(lost);
        let Some(since) = self.since else { return };
        let passed = now.saturating_duration_since(since);
        if passed < WINDOW || self.packets < WINDOW_PACKETS {
            return;
        }
        let rate = |bytes: u64| bytes as f64 * 8.0 / passed.as_secs_f64();
        let sent = rate(self.bytes);
        let arrived = self.packets.saturating_sub(self.lost);
        let packets = self.packets.saturating_add(self.again);
        let all = rate(self.bytes.saturating_add(self.again_bytes));
        let seen = Seen {
            sent,
            delivered: all * f64::from(arrived) / f64::from(packets),
            pictures: rate(self.picture_bytes),
            packets,
            lost: packets - arrived,
            queue_us: 0,
        };
        (self.bytes, self.since, self.sent_bps) = (0, Some(now), sent);
        (self.picture_bytes, self.again_bytes, self.again) = (0, 0, 0);
        (self.packets, self.lost) = (0, 0);
        self.road.judge(&seen, now);
    }

    /// The client says what it thinks the link bears.
    pub fn client_thinks(&mut self, bps: u64, now: Instant) {
        self.road.client_thinks(bps as f64, self.sent_bps, now);
    }
}
