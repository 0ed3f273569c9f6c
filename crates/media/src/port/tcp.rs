//! Media over TCP, for networks that let nothing else out: each datagram is a frame (RFC 4571) on a connection that the
//! client opens (RFC 6544, passive).
//!
//! To everything above, a connection is one more address that datagrams come from and go to: one out of 240.0.0.0/4,
//! which no network routes (RFC 1112, section 4), so that it is never taken for an address of the UDP port. What a
//! connection does not take at once waits in its `Outbox`, and what has no room there is dropped like a packet that is lost
//! on the way: the estimate of the link follows.

use super::open::{Counted, Open};
use super::outbox::Outbox;
use crate::engine::{Path, Run};
use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, BufReader, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

/// The longest frame that is read; a client that sends a longer one is cut.
const FRAME_MAX_BYTES: usize = 2_048;
/// Frames without a byte are taken for nothing (RFC 4571, section 2), so they bring nobody else's turn; no client sends many.
const EMPTY_MAX: u32 = 16;
/// Bytes the kernel keeps that have not left: nothing overtakes them, and at 100 kbit/s they are a third of a second. What
/// has left is not bounded here, or a far road would carry little.
const UNSENT_MAX_BYTES: u32 = 4 * 1024;
/// `MSG_EOR`: Linux looks at the bound only where it begins a new piece, and a piece may be 64 KiB; this ends it.
const END_OF_RECORD: i32 = if cfg!(target_os = "linux") { 0x80 } else { 0 };
/// A client that says nothing for so long is cut: a living one proves itself every few seconds (RFC 7675).
const SILENT_MAX: Duration = Duration::from_secs(30);
/// A connection that no leg answered for so long, or answers any more, is cut, whatever comes over it: a client's first
/// frame is a check.
const NOBODYS_MAX: Duration = Duration::from_secs(5);
/// The same of one that a leg has left: time for its last words. Its client comes back by another one, which may need the place.
const FORGOTTEN_MAX: Duration = Duration::from_millis(500);
/// Datagrams that wait to be looked at; then their connections wait.
const INBOX: usize = 1_024;
/// How long to wait when the machine has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// The open connections.
pub struct TcpPort {
    local_addr: SocketAddr,
    news: mpsc::Receiver<News>,
    /// The next datagram, when it was taken from the tasks already.
    waiting: Option<(Bytes, SocketAddr)>,
    ways_out: HashMap<SocketAddr, Arc<WayOut>>,
}

enum News {
    Opened(SocketAddr, Arc<WayOut>),
    Datagram(SocketAddr, Bytes),
    Closed(SocketAddr),
}

/// To one client: between who sends and the task that writes.
#[derive(Default)]
struct WayOut {
    outbox: Mutex<Outbox>,
    more: Notify,
    /// A leg answered it.
    is_clients: watch::Sender<bool>,
}

impl TcpPort {
    /// Listens; the connections are read by tasks of the runtime that is entered.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let local_addr = listener.local_addr()?;
        let (tell, news) = mpsc::channel(INBOX);
        tokio::spawn(accept(listener, tell));
        Ok(Self {
            local_addr,
            news,
            waiting: None,
            ways_out: HashMap::new(),
        })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Something has come. Safe to cancel: what was taken from the tasks is kept.
    pub async fn readable(&mut self) {
        while self.waiting.is_none() {
            match self.news.recv().await {
                Some(news) => self.hear(news),
                // Nobody accepts any more: nothing comes.
                None => std::future::pending().await,
            }
        }
    }

    /// Hands out at most so many datagrams without waiting; gives how many there were.
    pub fn receive(&mut self, most: usize, mut take: impl FnMut(&[u8], Path)) -> usize {
        let mut datagrams = 0;
        while datagrams < most {
            if let Some((datagram, from)) = self.waiting.take() {
                datagrams += 1;
                take(&datagram, from.into());
            }
            match self.news.try_recv() {
                Ok(news) => self.hear(news),
                Err(_) => break,
            }
        }
        datagrams
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Datagram(from, datagram) => self.waiting = Some((datagram, from)),
            News::Opened(client, way_out) => _ = self.ways_out.insert(client, way_out),
            News::Closed(client) => _ = self.ways_out.remove(&client),
        }
    }

    /// A leg answered to an address.
    pub fn keep(&self, client: SocketAddr) {
        self.is_clients(client, true);
    }

    /// No leg answers there any more.
    pub fn forget(&self, client: SocketAddr) {
        self.is_clients(client, false);
    }

    fn is_clients(&self, client: SocketAddr, is: bool) {
        if let Some(way_out) = self.ways_out.get(&client) {
            way_out.is_clients.send_replace(is);
        }
    }

    #[cfg(test)]
    pub fn is_kept(&self, client: SocketAddr) -> Option<bool> {
        let way_out = self.ways_out.get(&client)?;
        Some(*way_out.is_clients.borrow())
    }

    /// Whether an address stands for a connection.
    pub fn is_tcp(address: SocketAddr) -> bool {
        matches!(address.ip(), IpAddr::V4(ip) if ip.octets()[0] >= 240 && !ip.is_broadcast())
    }

    /// Sends a run; gives how many of its datagrams were dropped.
    pub fn send(&self, run: Run<'_>) -> u64 {
        let datagrams = run.bytes.chunks(run.segment.max(1));
        let Some(way_out) = self.ways_out.get(&run.to.client) else {
            return datagrams.len() as u64;
        };
        way_out.send(datagrams)
    }
}

impl WayOut {
    /// Gives how many datagrams were dropped, be it of those that waited.
    fn send<'a>(&self, datagrams: impl Iterator<Item = &'a [u8]>) -> u64 {
        let now = Instant::now();
        let mut outbox = self.lock();
        for datagram in datagrams {
            outbox.put(datagram, now);
        }
        let dropped = outbox.take_dropped();
        drop(outbox);
        self.more.notify_one();
        dropped
    }

    async fn next(&self) -> Bytes {
        loop {
            let next = self.lock().next(Instant::now());
            match next {
                Some(frame) => return frame,
                None => self.more.notified().await,
            }
        }
    }

    // Every change is complete before the lock is left.
    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends when the port is dropped.
async fn accept(listener: TcpListener, tell: mpsc::Sender<News>) {
    let open = Arc::new(Open::default());
    for number in 0_u32.. {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = tell.closed() => return,
        };
        match accepted {
            Ok((stream, from)) => {
                let Some(counted) = Counted::one_more(&open, from.ip()) else {
                    tracing::debug!(%from, "too many media connections over TCP");
                    continue;
                };
                let client = stands_for(number, from.port());
                tokio::spawn(serve(stream, client, tell.clone(), counted));
            }
            Err(error) => {
                tracing::warn!(%error, "a media connection over TCP cannot be taken");
                sleep(NO_ROOM).await;
            }
        }
    }
}

/// The address of the `number`th connection.
fn stands_for(number: u32, port: u16) -> SocketAddr {
    // The last of the block is the broadcast address.
    let ip = Ipv4Addr::from(0xF000_0000 | (number % 0x0FFF_FFFF));
    (ip, port).into()
}

async fn serve(stream: TcpStream, client: SocketAddr, tell: mpsc::Sender<News>, counted: Counted) {
    // A frame that waits for the next one would be late.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    keep_little_unsent(&stream);
    let (reads, writes) = stream.into_split();
    let way_out = Arc::new(WayOut::default());
    let is_clients = way_out.is_clients.subscribe();
    let opened = News::Opened(client, Arc::clone(&way_out));
    if tell.send(opened).await.is_ok() {
        tokio::select! {
            () = read(reads, client, &tell) => {}
            () = write(writes.as_ref(), &way_out) => {}
            () = is_nobodys(is_clients, counted) => tracing::debug!(%client, "nobody's media connection is cut"),
            () = tell.closed() => {}
        }
        // The port is gone when nobody hears it.
        let _ = tell.send(News::Closed(client)).await;
    }
}

#[cfg(target_os = "linux")]
fn keep_little_unsent(stream: &TcpStream) {
    if let Err(error) = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_MAX_BYTES) {
        tracing::debug!(%error, "the kernel keeps as much unsent as it likes");
    }
}

/// Ends when a connection is no client's, not yet or not any more, for too long.
async fn is_nobodys(mut is_clients: watch::Receiver<bool>, mut counted: Counted) {
    let mut patience = NOBODYS_MAX;
    loop {
        let answered = timeout(patience, is_clients.wait_for(|is| *is));
        if !matches!(answered.await, Ok(Ok(_))) {
            return;
        }
        counted.is_clients();
        if is_clients.wait_for(|is| !*is).await.is_err() || !counted.is_nobodys() {
            return;
        }
        patience = FORGOTTEN_MAX;
    }
}

/// Reads frames until the client goes, is silent, or says something that is no frame of ours.
async fn read(reads: impl AsyncRead + Unpin, client: SocketAddr, tell: &mpsc::Sender<News>) {
    let mut reads = BufReader::new(reads);
    let mut empty = 0;
    while let Ok(Ok(length)) = timeout(SILENT_MAX, reads.read_u16()).await {
        let length = usize::from(length);
        empty += u32::from(length == 0);
        if length > FRAME_MAX_BYTES || empty > EMPTY_MAX {
            return;
        }
        let mut datagram = BytesMut::zeroed(length);
        let whole = timeout(SILENT_MAX, reads.read_exact(&mut datagram)).await;
        if !matches!(whole, Ok(Ok(_))) {
            return;
        }
        if length > 0
            && tell
                .send(News::Datagram(client, datagram.freeze()))
                .await
                .is_err()
        {
            return;
        }
    }
}

/// Writes what waits until the client takes nothing more.
async fn write(writes: &TcpStream, way_out: &WayOut) {
    loop {
        let frame = way_out.next().await;
        if write_whole(writes, &frame).await.is_err() {
            return;
        }
    }
}

/// A frame that was begun is finished, however late it becomes: its length says where the next one begins.
async fn write_whole(writes: &TcpStream, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        writes.writable().await?;
        match writes.try_io(Interest::WRITABLE, || send(writes, rest)) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn send(writes: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    SockRef::from(writes).send_with_flags(bytes, END_OF_RECORD)
}

#[cfg(test)]
mod tests;
