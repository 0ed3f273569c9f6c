//! Notes between a connection (hub) and its peer (media). Bounded, never journalled.

use crate::{Carries, LinkStep, PeerId, SeatId, SiteId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which of a browser's connections is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Client to server: microphone and camera.
    Uplink,
    /// Server to client: the fixed slots.
    Downlink,
    /// Client to server: the screen or window it presents.
    Presentation,
}

impl Side {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Uplink, Self::Downlink, Self::Presentation];
}

/// What a screen shows, as the height in pixels of each slot; 0 is "not shown".
/// The forwarder sends nothing into a slot of height 0 and picks the simulcast layer by the height.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ScreenSlots {
    /// Height of the programme picture.
    pub programme: u16,
    /// Height of every tile `k`, in protocol order of the sites; missing ones are 0.
    pub tiles: Vec<u16>,
    /// Height of the presentation.
    #[serde(default)]
    pub presentation: u16,
    /// The site a desk looks at for itself: while no tile shows it, this client's last tile does. Only for who sees to
    /// the installation.
    #[serde(default)]
    #[ts(optional)]
    pub preview: Option<SiteId>,
}

/// Hub to media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerAsk {
    /// The seat is admitted; before this nothing of this peer exists.
    Admit {
        peer: PeerId,
        seat: SeatId,
        site: Option<SiteId>,
        carries: Carries,
    },
    /// The client's one offer for its uplink; answered by `PeerSay::Answer`.
    UplinkOffer { peer: PeerId, sdp: String },
    /// The offer of a presentation, one picture; answered by `PeerSay::Answer`. A second one makes it anew. It is shown
    /// while the stage names the peer's seat.
    PresentationOffer { peer: PeerId, sdp: String },
    /// The client is ready to receive; answered by `PeerSay::Offer`. A second one makes the downlink anew.
    OpenDownlink { peer: PeerId },
    /// The client's answer to the downlink offer.
    DownlinkAnswer { peer: PeerId, sdp: String },
    /// The client's one offer for a downlink of its own making: one picture, which is the programme, and one to
    /// `AUDIO_SLOTS` sounds; answered by `PeerSay::Answer`. A second one makes the downlink anew.
    DownlinkOffer { peer: PeerId, sdp: String },
    /// What the client's screen shows now.
    Screen { peer: PeerId, slots: ScreenSlots },
    /// Whether the client plays sound. Off until asked, except for endpoints that send.
    Listen { peer: PeerId, sound: bool },
    /// The connection is gone or its seat was revoked: forget everything at once.
    Leave { peer: PeerId },
}

/// Media to hub, for one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerSay {
    /// The answer to an offer of the client.
    Answer {
        peer: PeerId,
        side: Side,
        sdp: String,
    },
    /// The offer of the downlink with its fixed slots.
    Offer { peer: PeerId, sdp: String },
    /// Which site each slot shows: index 0 is the programme, `k + 1` is tile `k`, the last one the presentation. A slot is
    /// an m-line of the downlink offer, in order: `PICTURE_SLOTS` pictures, `AUDIO_SLOTS` voices. And what the client's link
    /// makes of its screen.
    Slots {
        peer: PeerId,
        video: Vec<Option<SiteId>>,
        step: LinkStep,
    },
    /// One side could not be made or has failed; the client makes it anew.
    Failed {
        peer: PeerId,
        side: Side,
        reason: String,
    },
}
