//! Makes the peers and forwards packets until reality matches the stage.
//!
//! `Stage` comes in as a value, notes of the clients come in as `PeerAsk`; answers go out as `PeerSay`, facts and
//! figures as `LinkReport`. One task owns every peer and the one port. It alone reads the clock; everything below
//! it is told the time.
//!
//! ```text
//! port -> demux -> engine (decrypt) -> forward (rewrite) -> engine (protect) -> port
//!                                        ^
//!             Stage, who is there -> gate (pure) -> routes
//! ```
//!
//! Nothing here knows the hub, the protocol or a rule of the conference: why a site is heard is not our business, that
//! nobody else is heard is.

mod allowance;
#[cfg(test)]
mod callgrind;
mod counters;
mod demux;
mod driver;
mod engine;
mod forward;
#[cfg(test)]
mod fuzz;
pub mod gate;
mod h264;
mod keyframes;
mod peers;
mod port;
mod post;
mod rates;
mod rewrite;
mod stats;
mod vp8;

/// Connections over TCP that clients who watch may have at once, by as many addresses as each may have, and those that are
/// nobody's: each is an open file. Rooms are few beside them.
pub const TCP_CONNECTIONS_MAX: usize =
    driver::WATCHERS_MAX * demux::ADDRESSES_PER_LEG_MAX + port::CONNECTIONS_MAX;

pub use counters::Counters;
pub use driver::TOO_MANY_TRIES;
pub use engine::{EngineError, Layer, check_player_offer, check_uplink_offer, ice_ufrag};

use diemcau_model::{LinkReport, PeerAsk, PeerSay, Stage};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};

/// Where the media plane listens.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// The one UDP port of the server, and the same one of TCP for networks that block UDP.
    pub listen: SocketAddr,
    /// The addresses clients are told to send to. Empty: the address in `listen`.
    pub advertise: Vec<IpAddr>,
}

/// Why the media plane could not start.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("cannot open UDP {address}")]
    Bind {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot open TCP {address} for media")]
    BindTcp {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot start the thread of the media plane")]
    Thread(#[source] io::Error),
    #[error("cannot make the certificate of the media plane: {0}")]
    Identity(String),
    #[error("media listens on every address ({0}), so the addresses to advertise must be named")]
    NothingToAdvertise(IpAddr),
}

/// The running media plane. It ends when the sender of `asks` is dropped.
#[derive(Debug)]
pub struct Media {
    local_addr: SocketAddr,
    counters: Arc<Counters>,
    ended: oneshot::Receiver<Result<(), MediaError>>,
}

/// Opens the port and starts the one task, on a thread of its own: nothing else may make a packet wait.
pub async fn start(
    config: MediaConfig,
    stage: watch::Receiver<Stage>,
    asks: mpsc::Receiver<PeerAsk>,
    says: mpsc::Sender<PeerSay>,
    reports: mpsc::Sender<LinkReport>,
) -> Result<Media, MediaError> {
    let listen = config.listen;
    if config.advertise.is_empty() && listen.ip().is_unspecified() {
        return Err(MediaError::NothingToAdvertise(listen.ip()));
    }
    let counters = Arc::new(Counters::default());
    let counted = Arc::clone(&counters);
    let doors = driver::Doors {
        stage,
        asks,
        says: post::Post::new("says", says),
        reports: post::Post::new("reports", reports),
    };
    let (opened, open) = oneshot::channel();
    let (over, ended) = oneshot::channel();
    // The runtime lives and dies on the thread: one that is dropped among other tasks would take them with it.
    std::thread::Builder::new()
        .name("media".to_owned())
        .spawn(move || {
            let ran = run(config, doors, counted, opened);
            // Nobody waits any more if this fails.
            let _ = over.send(ran);
        })
        .map_err(MediaError::Thread)?;
    let Ok(local_addr) = open.await else {
        return Err(match ended.await {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => MediaError::Thread(io::Error::other("it ended at once")),
        });
    };
    tracing::info!(%local_addr, "media is listening");
    Ok(Media {
        local_addr,
        counters,
        ended,
    })
}

/// Opens the port, says where, and serves until nobody asks any more.
fn run(
    config: MediaConfig,
    doors: driver::Doors,
    counters: Arc<Counters>,
    opened: oneshot::Sender<SocketAddr>,
) -> Result<(), MediaError> {
    let listen = config.listen;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(MediaError::Thread)?;
    let _entered = runtime.enter();
    let port = port::Port::bind(listen).map_err(|closed| MediaError::closed(closed, listen))?;
    let local_addr = port
        .local_addr()
        .map_err(|source| MediaError::closed(port::Closed::Udp(source), listen))?;
    let advertise = if config.advertise.is_empty() {
        vec![local_addr.ip()]
    } else {
        config.advertise
    };
    let addresses = advertise
        .iter()
        .map(|ip| SocketAddr::new(*ip, local_addr.port()))
        .collect();
    let engine = engine::Engine::new(engine::Addresses(addresses), Instant::now());
    let engine = engine.map_err(|error| MediaError::Identity(error.to_string()))?;
    let engine = engine.with_tcp(port.tcp_port());
    let driver = driver::Driver::new(port, engine, doors, counters);
    // Whoever started it may have given up.
    let _ = opened.send(local_addr);
    runtime.block_on(driver.run());
    Ok(())
}

impl MediaError {
    fn closed(closed: port::Closed, address: SocketAddr) -> Self {
        match closed {
            port::Closed::Udp(source) => Self::Bind { address, source },
            port::Closed::Tcp(source) => Self::BindTcp { address, source },
        }
    }
}

impl Media {
    /// The UDP address that was opened.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Figures for the technician, to be read at any time.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Waits until the task has said good-bye to every peer.
    pub async fn closed(self) {
        if self.ended.await.is_err() {
            tracing::error!("the media task ended badly");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use diemcau_model::Stage;

    #[tokio::test]
    async fn a_port_that_is_taken_is_told_by_its_name() {
        let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let config = MediaConfig {
            listen: taken.local_addr().unwrap(),
            advertise: Vec::new(),
        };
        let (_stage, stage) = watch::channel(Stage::default());
        let (_asks, asks) = mpsc::channel(1);
        let (says, _said) = mpsc::channel(1);
        let (reports, _reported) = mpsc::channel(1);
        let failure = start(config, stage, asks, says, reports).await.unwrap_err();
        assert!(matches!(failure, MediaError::Bind { .. }), "{failure}");
    }
}
