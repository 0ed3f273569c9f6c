//! The last figures of every link. Told once a second, never journalled, not part of any view.

use diemcau_conference::Conference;
use diemcau_model::{LinkStats, PeerId, SiteId};
use diemcau_protocol::SiteTelemetry;
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

    /// The figures of every site. `carriers` says which connection carries a site, `connections` how many it has.
    pub(crate) fn sites(
        &self,
        conference: &Conference,
        carriers: &BTreeMap<SiteId, PeerId>,
        connections: &BTreeMap<SiteId, u16>,
    ) -> Vec<SiteTelemetry> {
        let of = |site: SiteId| SiteTelemetry {
            site,
            connections: connections.get(&site).copied().unwrap_or(0),
            link: carriers
                .get(&site)
                .and_then(|peer| self.last.get(peer))
                .copied(),
        };
        conference
            .setup()
            .sites
            .iter()
            .map(|site| of(site.id))
            .collect()
    }
}
