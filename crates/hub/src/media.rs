//! The lines to the media plane. The server joins their other ends; this crate builds and tests without WebRTC.

use diemcau_model::{LinkReport, PeerAsk, PeerSay, Stage};
use tokio::sync::{mpsc, watch};

/// Three values, four channels.
#[derive(Debug)]
pub struct MediaLines {
    /// Who is heard and seen; the latest wins.
    pub stage: watch::Sender<Stage>,
    /// Offers, answers and screens of admitted connections. Full: the sender waits, and its socket is not read.
    pub asks: mpsc::Sender<PeerAsk>,
    /// Answers and offers for connections.
    pub says: mpsc::Receiver<PeerSay>,
    /// Links that came and went, and their figures.
    pub reports: mpsc::Receiver<LinkReport>,
}
