//! Takes connections in: limits before anything is read, TLS, and one HTTP conversation of bounded length each.

use crate::{
    addresses::{Addresses, Permit, Turned},
    stream::Stream,
};
use axum::{Router, http::StatusCode, response::IntoResponse};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

/// Connections that may wait to be accepted: after a restart everybody is back within a second.
const BACKLOG: u32 = 4_096;
/// How long a client may take for its TLS handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long a client may take for the head of a request, and be idle before it.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long requests follow each other on one connection: then the last is answered, and the browser makes a new one.
const TALK_MAX: Duration = Duration::from_secs(60);
/// How long the last answer may take to be read.
const LAST_WITHIN: Duration = Duration::from_secs(60);
/// The largest head of a request.
const HEAD_MAX_BYTES: usize = 16 * 1024;
/// How long to wait when the machine has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(100);
/// How often it is said that connections are turned away.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// What every connection is served with.
pub struct Front {
    /// The limits.
    pub addresses: Arc<Addresses>,
    /// Encrypts, when the server has a certificate.
    pub tls: Option<TlsAcceptor>,
    /// Answers.
    pub router: Router,
    /// Answers who is one too many.
    pub crowded: Router,
}

/// A listening socket.
///
/// # Errors
/// The address is not this machine's, or is taken.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address.ip() {
        IpAddr::V4(_) => TcpSocket::new_v4(),
        IpAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A server that starts again does not wait for the connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until told to stop, and then until every request is answered or `within` is over.
pub async fn serve(
    listener: TcpListener,
    front: Front,
    mut stop: watch::Receiver<bool>,
    within: Duration,
) {
    let front = Arc::new(front);
    let mut talks = JoinSet::new();
    let mut said = None;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = talks.join_next() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (tcp, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                debug!(%error, "a connection could not be accepted");
                sleep(NO_ROOM).await;
                continue;
            }
        };
        match front.addresses.admit(peer.ip(), Instant::now()) {
            Ok(permit) => {
                talks.spawn(talk(tcp, permit, Arc::clone(&front), stop.clone()));
            }
            Err(why) => say_turned_away(peer.ip(), why, &mut said),
        }
    }
    drop(listener);
    let _ = timeout(within, async { while talks.join_next().await.is_some() {} }).await;
}

/// One line now and then; the counter knows all.
fn say_turned_away(address: IpAddr, why: Turned, said: &mut Option<Instant>) {
    if said.is_some_and(|said| said.elapsed() < SAID_EVERY) {
        return;
    }
    *said = Some(Instant::now());
    warn!(%address, ?why, "connections are turned away");
}

async fn talk(tcp: TcpStream, permit: Permit, front: Arc<Front>, mut stop: watch::Receiver<bool>) {
    // A browser opens connections before it needs them. One that stays silent is closed without a word: the 408 that
    // hyper says would be taken for the answer to the next request.
    if front.tls.is_none() {
        let speaks = tokio::select! {
            spoke = timeout(HEAD_WITHIN, tcp.readable()) => matches!(spoke, Ok(Ok(()))),
            _ = stop.wait_for(|stop| *stop) => false,
        };
        if !speaks {
            return;
        }
    }
    let router = match permit.crowded {
        true => front.crowded.clone(),
        false => front.router.clone(),
    };
    match encrypt(tcp, permit, &front).await {
        Ok(stream) => answer(stream, router, stop).await,
        Err(error) => {
            front.addresses.count(Turned::Handshake);
            debug!(%error, "no TLS");
        }
    }
}

async fn encrypt(tcp: TcpStream, permit: Permit, front: &Front) -> io::Result<Stream> {
    // Facts and the answer are two small writes: without it the answer waits 40 ms for the client's delayed ACK.
    tcp.set_nodelay(true)?;
    match &front.tls {
        None => Ok(Stream::plain(tcp, permit)),
        Some(tls) => {
            let tls = timeout(HANDSHAKE_WITHIN, tls.accept(tcp)).await??;
            Ok(Stream::encrypted(tls, permit))
        }
    }
}

/// Answers requests, until there are none, one becomes a WebSocket, or time is up.
async fn answer(stream: Stream, router: Router, mut stop: watch::Receiver<bool>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_MAX_BYTES);
    let service = TowerToHyperService::new(router);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection.with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = sleep(TALK_MAX) => None,
        _ = stop.wait_for(|stop| *stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            match timeout(LAST_WITHIN, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended badly");
    }
}

/// What somebody is told who is one too many.
pub async fn too_many() -> impl IntoResponse {
    let text = "too many connections from this address, or to this server; close some, or try again later\n";
    (StatusCode::SERVICE_UNAVAILABLE, text)
}
