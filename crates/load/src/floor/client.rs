//! The sites of the floor: the same packets at the same moments, without WebRTC around them.

use super::{Cipher, HEADER_BYTES, HELLO_DOWNLINK, HELLO_UPLINK, PICTURE, SOUND};
use crate::packets::{micros, read};
use crate::rhythm::{Packet, Programme, Rhythm};
use crate::tally::{Outcome, Stream, Tally};
use anyhow::{Context, Result, ensure};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

const SOCKET_BUFFER_BYTES: usize = 2 * 1024 * 1024;
const SLEEP_MAX: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(10);
/// After a window, what is still under way arrives.
const TAIL: Duration = Duration::from_millis(500);

/// The sites and their sockets.
pub struct Sites {
    poll: Poll,
    uplinks: Vec<UdpSocket>,
    downlinks: Vec<UdpSocket>,
    cipher: Cipher,
    rhythm: Rhythm,
    tally: Tally,
    number: u64,
}

impl Sites {
    /// Makes the sockets and says hello with each.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn connect(
        ip: IpAddr,
        server: SocketAddr,
        sites: u16,
        programme: Programme,
    ) -> Result<Self> {
        let mut uplinks = vec![];
        let mut downlinks = vec![];
        for site in 0..sites {
            uplinks.push(hello(ip, server, HELLO_UPLINK, site)?);
            downlinks.push(hello(ip, server, HELLO_DOWNLINK, site)?);
        }
        let poll = Poll::new()?;
        for (site, socket) in downlinks.iter_mut().enumerate() {
            poll.registry()
                .register(socket, Token(site), Interest::READABLE)?;
        }
        let mut rhythm = Rhythm::new(programme);
        for site in 0..sites {
            rhythm.start(site, Instant::now());
        }
        Ok(Self {
            poll,
            uplinks,
            downlinks,
            cipher: Cipher::new()?,
            rhythm,
            tally: Tally::default(),
            number: 0,
        })
    }

    /// Sends and receives for so long.
    ///
    /// # Errors
    /// The system gives no more events.
    pub fn run(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        let mut events = Events::with_capacity(64);
        while Instant::now() < end {
            let mut packets = vec![];
            self.rhythm
                .due(Instant::now(), |packet| packets.push(packet));
            for packet in packets {
                self.send(packet)?;
            }
            let due = self.rhythm.deadline().unwrap_or(end).min(end);
            let wait = due.saturating_duration_since(Instant::now()).min(SLEEP_MAX);
            self.poll.poll(&mut events, Some(wait))?;
            for event in &events {
                self.receive(event.token().0);
            }
        }
        Ok(())
    }

    /// The same, as a measuring window; `within` is called at its beginning and its end.
    ///
    /// # Errors
    /// As `run` does, or what `within` says.
    pub fn measure(
        &mut self,
        time: Duration,
        sites: u16,
        shown: impl Fn(Stream, u16) -> bool,
        mut within: impl FnMut() -> Result<()>,
    ) -> Result<Outcome> {
        self.rhythm.window = 1;
        self.tally.open(1);
        within()?;
        self.run(time)?;
        within()?;
        self.rhythm.window = 0;
        self.run(TAIL)?;
        Ok(self.tally.outcome(sites, shown))
    }

    fn send(&mut self, mut packet: Packet) -> Result<()> {
        self.number += 1;
        let kind = if packet.is_video() { PICTURE } else { SOUND };
        let mut datagram = vec![kind, 0, 0];
        datagram.extend(self.number.to_be_bytes());
        datagram.resize(HEADER_BYTES, 0);
        let payload = packet.payload(Instant::now());
        self.tally.sent(&packet.stamp);
        datagram.extend(payload);
        self.cipher.seal(&mut datagram, 0)?;
        let socket = self.uplinks.get(usize::from(packet.stamp.site));
        // A full buffer is loss, and loss shows in the figures.
        let _ = socket.context("no such site")?.send(&datagram);
        Ok(())
    }

    fn receive(&mut self, site: usize) {
        let Some(socket) = self.downlinks.get(site) else {
            return;
        };
        let mut buffer = [0; 2_048];
        while let Ok(length) = socket.recv(&mut buffer) {
            let now = Instant::now();
            let Some(datagram) = buffer.get_mut(..length) else {
                continue;
            };
            let is_video = datagram.first() == Some(&PICTURE);
            let Ok(length) = self.cipher.open(datagram) else {
                continue;
            };
            let payload = datagram.get(HEADER_BYTES..length);
            if let Some(stamp) = payload.and_then(|payload| read(payload, is_video)) {
                self.tally.received(site as u16, &stamp, micros(now));
            }
        }
    }
}

fn hello(ip: IpAddr, server: SocketAddr, kind: u8, site: u16) -> Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(SocketAddr::new(ip, 0))?;
    let sized = socket2::SockRef::from(&socket);
    sized.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    sized.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let [high, low] = site.to_be_bytes();
    let begun = Instant::now();
    let mut answer = [0; 16];
    loop {
        // The floor may not listen yet.
        let _ = socket.send(&[kind, high, low]);
        if socket.recv(&mut answer).is_ok() {
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "the floor does not answer");
    }
    socket.set_nonblocking(true)?;
    Ok(UdpSocket::from_std(socket))
}
