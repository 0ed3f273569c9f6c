//! The one UDP port: batches in, segmented sends out.

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// What we ask the kernel to buffer each way; it may give less. A full receive buffer loses packets.
const SOCKET_BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// The longest datagram we read; a longer one is cut and fails to decrypt.
const DATAGRAM_MAX_BYTES: usize = 2_048;
/// The kernel takes no more in one segmented send.
const SEND_MAX_BYTES: usize = 60_000;

pub struct Port {
    socket: UdpSocket,
    state: UdpSocketState,
    buffer: Vec<u8>,
    buffer_each: usize,
    run: Run,
}

/// Datagrams to one address that leave in one call: equal lengths, only the last may be shorter.
#[derive(Default)]
struct Run {
    to: Option<SocketAddr>,
    segment: usize,
    segments: usize,
    closed: bool,
    bytes: Vec<u8>,
}

impl Port {
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
        let buffer_each = DATAGRAM_MAX_BYTES * state.gro_segments().max(1);
        Ok(Self {
            buffer: vec![0; buffer_each * BATCH_SIZE],
            buffer_each,
            socket,
            state,
            run: Run::default(),
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
            ..
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
            for datagram in bytes[..meta.len].chunks(meta.stride.max(1)) {
                datagrams += 1;
                take(datagram, meta.addr);
            }
        }
        Ok(datagrams)
    }

    /// Queues a datagram; it leaves with its neighbours to the same address. Gives how many datagrams were dropped
    /// because the kernel had no room: a lost packet is repaired like one lost on the way.
    pub fn send(&mut self, to: SocketAddr, datagram: &[u8]) -> u64 {
        let mut dropped = 0;
        if !self
            .run
            .takes(to, datagram.len(), self.state.max_gso_segments())
        {
            dropped = self.flush();
            self.run.to = Some(to);
            self.run.segment = datagram.len();
        }
        self.run.closed = datagram.len() < self.run.segment;
        self.run.segments += 1;
        self.run.bytes.extend_from_slice(datagram);
        dropped
    }

    /// Sends what is queued; gives how many datagrams were dropped.
    pub fn flush(&mut self) -> u64 {
        let Some(destination) = self.run.to.take() else {
            return 0;
        };
        let transmit = Transmit {
            destination,
            ecn: None,
            contents: &self.run.bytes,
            segment_size: (self.run.segments > 1).then_some(self.run.segment),
            src_ip: None,
        };
        // Straight to the kernel: a full buffer means a drop, so nobody ever waits to become writable.
        let sent = self.state.try_send((&self.socket).into(), &transmit);
        let dropped = match sent {
            Ok(()) => 0,
            // A kernel or card without segmentation: `quinn-udp` has noticed and offers one segment from now on.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock && self.run.segments > 1 => {
                self.send_singly(destination)
            }
            Err(_) => self.run.segments as u64,
        };
        self.run.segments = 0;
        self.run.closed = false;
        self.run.bytes.clear();
        dropped
    }

    fn send_singly(&self, destination: SocketAddr) -> u64 {
        let fails = |contents: &&[u8]| {
            let transmit = Transmit {
                destination,
                ecn: None,
                contents,
                segment_size: None,
                src_ip: None,
            };
            self.state
                .try_send((&self.socket).into(), &transmit)
                .is_err()
        };
        self.run
            .bytes
            .chunks(self.run.segment.max(1))
            .filter(fails)
            .count() as u64
    }
}

impl Run {
    fn takes(&self, to: SocketAddr, length: usize, segments_max: usize) -> bool {
        self.to == Some(to)
            && !self.closed
            && length <= self.segment
            && self.segments < segments_max
            && self.bytes.len() + length <= SEND_MAX_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn datagrams_arrive_whole_and_in_order_whatever_their_lengths() {
        let mut from = Port::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut to = Port::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = to.local_addr().unwrap();
        let lengths = [1200, 1200, 1200, 700, 700, 900, 1, 1200, 1200];
        for (n, length) in lengths.iter().enumerate() {
            from.send(address, &vec![n as u8; *length]);
        }
        assert_eq!(from.flush(), 0);

        let mut got = vec![];
        while got.len() < lengths.len() {
            to.readable().await.unwrap();
            to.receive(|datagram, _| got.push((datagram[0], datagram.len())))
                .unwrap();
        }
        let sent: Vec<_> = lengths
            .iter()
            .enumerate()
            .map(|(n, length)| (n as u8, *length))
            .collect();
        assert_eq!(got, sent);
    }
}
