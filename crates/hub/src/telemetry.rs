//! The last figures of every link. Told once a second, never journalled, not part of any view.

use diemcau_model::{LinkStats, PeerId};
use std::collections::BTreeMap;

/// The last figures by connection.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    last: BTreeMap<PeerId, LinkStats>,
}

impl Telemetry {
    pub(crate) fn seen(&mut self, peer: PeerId, stats: LinkStats) {
        self.last.insert(peer, stats);
    }

    pub(crate) fn forget(&mut self, peer: PeerId) {
        self.last.remove(&peer);
    }

    pub(crate) fn of(&self, peer: PeerId) -> Option<LinkStats> {
        self.last.get(&peer).copied()
    }
}
