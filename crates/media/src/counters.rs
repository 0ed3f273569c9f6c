//! What the media plane has done since its start, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// Written by the one task, read by anybody; figures only, so no order between them is promised.
#[derive(Debug, Default)]
pub struct Counters {
    /// Datagrams that arrived.
    pub datagrams_in: AtomicU64,
    /// Media packets put into a slot; one packet to twelve rooms counts twelve.
    pub forwarded: AtomicU64,
    /// Media packets that arrived and went to nobody, because the stage or the screens allow nothing.
    pub gated: AtomicU64,
    /// Datagrams the kernel had no room for.
    pub send_drops: AtomicU64,
    /// Datagrams and packets that belong to nobody or make no sense.
    pub malformed: AtomicU64,
    /// Datagrams of a client that sent too many, thrown away unread.
    pub flooded: AtomicU64,
    /// Key frames receivers wished for.
    pub key_frames_wanted: AtomicU64,
    /// Key frames we asked senders for.
    pub key_frames_asked: AtomicU64,
    /// Times packets of a picture were lost for good, however often they were asked for.
    pub given_up: AtomicU64,
    /// Admitted peers, now.
    pub peers: AtomicU64,
    /// Connections that media goes over now, by UDP: two of a room, one of an encoder or a player.
    pub links_udp: AtomicU64,
    /// The same by TCP.
    pub links_tcp: AtomicU64,
}

pub fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}
