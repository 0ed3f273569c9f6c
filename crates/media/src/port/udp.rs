//! The UDP port: batches in, segmented sends out.

use crate::engine::Run;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// What we ask the kernel to buffer each way; it may give less. A full receive buffer loses packets.
const SOCKET_BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// Clients whose way in is remembered where the machine has several addresses; a client that takes another's place there
/// sends that one's answers by the way the kernel would choose.
const WAYS: usize = 4_096;
/// The longest datagram we read; a longer one is cut and fails to decrypt.
const DATAGRAM_MAX_BYTES: usize = 2_048;

pub struct UdpPort {
    socket: UdpSocket,
    state: UdpSocketState,
    buffer: Vec<u8>,
    buffer_each: usize,
    /// Which address of ours a client sent to, if we listen on all: it takes answers from no other. Empty if on one.
    ways: Vec<Option<(SocketAddr, IpAddr)>>,
}

impl UdpPort {
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        let state = UdpSocketState::new((&socket).into())?;
        for sized in [
            state.set_recv_buffer_size((&socket).into(), SOCKET_BUFFER_BYTES),
            state.set_send_buffer_size((&socket).into(), SOCKET_BUFFER_BYTES),
        ] {
            if let Err(error) = sized {
                tracing::warn!(%error, "the kernel refused the size of a socket buffer");
            }
        }
        let listens_on_all = address.ip().is_unspecified();
        let buffer_each = DATAGRAM_MAX_BYTES * state.gro_segments().max(1);
        Ok(Self {
            buffer: vec![0; buffer_each * BATCH_SIZE],
            buffer_each,
            ways: vec![None; if listens_on_all { WAYS } else { 0 }],
            socket,
            state,
        })
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Reads one batch without waiting and hands out its datagrams; gives how many there were.
    pub fn receive(&mut self, mut take: impl FnMut(&[u8], SocketAddr)) -> io::Result<usize> {
        let Self {
            socket,
            state,
            buffer,
            buffer_each,
            ways,
        } = self;
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let read = socket.try_io(Interest::READABLE, || {
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] = {
                let mut chunks = buffer.chunks_mut(*buffer_each);
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()))
            };
            state.recv((&*socket).into(), &mut slices, &mut metas)
        });
        let filled = match read {
            Ok(filled) => filled,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut datagrams = 0;
        for (meta, bytes) in metas.iter().zip(buffer.chunks(*buffer_each)).take(filled) {
            let way = place(meta.addr, ways.len()).and_then(|place| ways.get_mut(place));
            if let (Some(way), Some(ours)) = (way, meta.dst_ip) {
                *way = Some((meta.addr, ours));
            }
            for datagram in bytes[..meta.len].chunks(meta.stride.max(1)) {
                datagrams += 1;
                take(datagram, meta.addr);
            }
        }
        Ok(datagrams)
    }

    /// Datagrams the kernel takes in one call.
    pub fn segments_max(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Which address of ours a client sends to.
    fn way_in(&self, client: SocketAddr) -> Option<IpAddr> {
        let way = self.ways.get(place(client, self.ways.len())?)?;
        way.filter(|(of, _)| *of == client).map(|(_, ours)| ours)
    }

    /// Sends a run; gives how many of its datagrams were dropped because the kernel had no room: a lost packet is
    /// repaired like one lost on the way.
    pub fn send(&self, run: Run<'_>) -> u64 {
        let segments = run.bytes.len().div_ceil(run.segment.max(1));
        let transmit = Transmit {
            destination: run.to,
            ecn: None,
            contents: run.bytes,
            segment_size: (segments > 1).then_some(run.segment),
            src_ip: self.way_in(run.to),
        };
        // Straight to the kernel: a full buffer means a drop, so nobody ever waits to become writable.
        match self.state.try_send((&self.socket).into(), &transmit) {
            Ok(()) => 0,
            // A kernel or card without segmentation: `quinn-udp` has noticed and offers one segment from now on.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock && segments > 1 => run
                .bytes
                .chunks(run.segment.max(1))
                .map(|datagram| self.send(Run::one(run.to, datagram)))
                .sum(),
            Err(_) => segments as u64,
        }
    }
}

/// Where a client's way is kept among so many.
fn place(client: SocketAddr, of: usize) -> Option<usize> {
    let mut hasher = DefaultHasher::new();
    client.hash(&mut hasher);
    (of > 0).then(|| hasher.finish() as usize % of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_leaves_from_the_address_that_was_asked() {
        let mut port = UdpPort::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let number = port.local_addr().unwrap().port();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for ours in ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.2"] {
            let ours = SocketAddr::new(ours.parse().unwrap(), number);
            client.send_to(b"who is there?", ours).await.unwrap();
            port.readable().await.unwrap();
            let mut from = None;
            while from.is_none() {
                port.receive(|_, client| from = Some(client)).unwrap();
            }
            assert_eq!(port.send(Run::one(from.unwrap(), b"we are")), 0);
            let mut answer = [0; 16];
            assert_eq!(client.recv_from(&mut answer).await.unwrap(), (6, ours));
        }
    }

    #[tokio::test]
    async fn datagrams_arrive_whole_and_in_order_whatever_their_lengths() {
        let from = UdpPort::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut to = UdpPort::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = to.local_addr().unwrap();
        let runs = [
            vec![1200, 1200, 1200, 700],
            vec![700, 700, 1],
            vec![900],
            vec![1200],
        ];
        let mut sent = vec![];
        for run in &runs {
            let mut bytes = vec![];
            for length in run {
                let n = sent.len() as u8;
                bytes.resize(bytes.len() + length, n);
                sent.push((n, *length));
            }
            let run = Run {
                to: address,
                segment: run[0],
                bytes: &bytes,
            };
            assert_eq!(from.send(run), 0);
        }

        let mut got = vec![];
        while got.len() < sent.len() {
            to.readable().await.unwrap();
            to.receive(|datagram, _| got.push((datagram[0], datagram.len())))
                .unwrap();
        }
        assert_eq!(got, sent);
    }
}
