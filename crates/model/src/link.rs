//! What the media plane tells about the links: facts for the rules, and figures for the technician.

use crate::{EndpointKind, PeerId, SiteId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something about a link that the media plane saw.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkReport {
    /// The uplink of a site's endpoint works: ICE and DTLS are up.
    Up {
        site: SiteId,
        kind: EndpointKind,
        peer: PeerId,
    },
    /// The uplink of a site's endpoint is gone: it left, failed, or was silent for the time-out.
    Down {
        site: SiteId,
        kind: EndpointKind,
        peer: PeerId,
    },
    /// Figures of one connection, at most once a second. Never journalled.
    Stats {
        peer: PeerId,
        site: Option<SiteId>,
        stats: LinkStats,
    },
}

/// How far a downlink's link makes its screen do with less: the worst of what it misses.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "snake_case")]
pub enum LinkStep {
    /// Everything the screen asks for.
    #[default]
    Full,
    /// Tiles are smaller or fewer.
    FewerTiles,
    /// The programme is smaller.
    SmallerProgramme,
    /// What is presented is missing: it has one size, for text that is not sharp is of no use.
    NoPresentation,
    /// No picture, sound goes on.
    SoundOnly,
    /// Neither picture nor sound: the link bears the page alone.
    ControlOnly,
}

/// Figures of a connection over the last second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct LinkStats {
    /// Packets of the uplink that did not arrive, in percent of those expected.
    pub loss_percent: f32,
    /// Packets of the downlink that did not arrive the first time, in percent of those the client spoke of; missing while it
    /// speaks of none.
    pub down_loss_percent: Option<f32>,
    /// Round-trip time in milliseconds, when known.
    pub rtt_ms: Option<f32>,
    /// How unevenly the sound arrives, in milliseconds (interarrival jitter of RFC 3550, section 6.4.1); missing while no
    /// sound does.
    pub jitter_ms: Option<f32>,
    /// Loudness of the microphone in dBov, -127 (silence) to 0, when the sender says it (RFC 6464): the loudest moment.
    pub level_dbov: Option<i8>,
    /// Loudness in dBov that a tenth of the second reached: near 0 it is sound that clips, and not one clap.
    pub loud_dbov: Option<i8>,
    /// Bits received a second from this endpoint.
    #[ts(type = "number")]
    pub up_bps: u64,
    /// Bits sent a second to this endpoint.
    #[ts(type = "number")]
    pub down_bps: u64,
    /// Video frames received a second on the best layer.
    pub fps: f32,
    /// How often the picture stood still within the last ten seconds (`freezeCount` of W3C's webrtc-stats).
    pub freezes: u16,
    /// Bits a second that the link to this endpoint bears, as far as is known: it is taken to be good until it shows
    /// otherwise. Missing for a client that does not tell when packets arrive.
    #[ts(type = "number | null")]
    pub bears_bps: Option<u64>,
    /// What the link makes of its screen.
    pub step: LinkStep,
}
