//! What the rules want every room to see and hear: the value the media plane makes true.

use crate::{EndpointKind, SeatId, SiteId};
use std::collections::{BTreeMap, BTreeSet};

/// The wanted state of sound and picture. Sent as a value, the latest wins; a lost one is replaced by the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// The sites whose microphone is open. Nobody else's sound is forwarded to anyone.
    pub heard: BTreeSet<SiteId>,
    /// The site whose picture is the programme.
    pub programme: Option<SiteId>,
    /// The sites, at most `ON_DECK_MAX`, that are told to prepare. Their full layer flows already; a key frame asked for
    /// before the grant would make Chromium deaf to the one that counts, so the media plane asks at the grant alone.
    pub on_deck: Vec<SiteId>,
    /// Tile `k` of every screen shows `tiles[k]`: the hall first, then one page of the sites.
    pub tiles: Vec<SiteId>,
    /// Which endpoint carries each linked site. A packet from a site's other endpoint is dropped.
    pub carriers: BTreeMap<SiteId, EndpointKind>,
    /// Whose screen or window is shown to all rooms. No other presentation is forwarded to anyone.
    pub presentation: Option<Presentation>,
}

/// A screen or window that is shown to all rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// Whose machine sends it.
    pub seat: SeatId,
    /// For which site.
    pub site: SiteId,
}
