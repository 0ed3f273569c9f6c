//! The UDP port: batches in, segmented sends out.

use crate::engine::{Path, Run};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// What we ask the kernel to buffer each way; it may give less. A full receive buffer loses packets.
const SOCKET_BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// The longest datagram we read; a longer one is cut and fails to decrypt.
const DATAGRAM_MAX_BYTES: usize = 2_048;

pub struct UdpPort {
    socket: UdpSocket,
    state: UdpSocketState,
    buffer: Vec<u8>,
    buffer_each: usize,
    listens_on_all: bool,
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
        let buffer_each = DATAGRAM_MAX_BYTES * state.gro_segments().max(1);
        Ok(Self {
            buffer: vec![0; buffer_each * BATCH_SIZE],
            buffer_each,
            listens_on_all: address.ip().is_unspecified(),
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
    pub fn receive(&mut self, mut take: impl FnMut(&[u8], Path)) -> io::Result<usize> {
        let Self {
            socket,
            state,
            buffer,
            buffer_each,
            listens_on_all,
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
            let from = Path {
                client: meta.addr,
                ours: meta.dst_ip.filter(|_| *listens_on_all),
            };
            for datagram in bytes[..meta.len].chunks(meta.stride.max(1)) {
                datagrams += 1;
                take(datagram, from);
            }
        }
        Ok(datagrams)
    }

    /// Datagrams the kernel takes in one call.
    pub fn segments_max(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Sends a run; gives how many of its datagrams were dropped because the kernel had no room: a lost packet is
    /// repaired like one lost on the way.
    pub fn send(&self, run: Run<'_>) -> u64 {
        let segments = run.bytes.len().div_ceil(run.segment.max(1));
        let transmit = Transmit {
            destination: run.to.client,
            ecn: None,
            contents: run.bytes,
            segment_size: (segments > 1).then_some(run.segment),
            src_ip: run.to.ours,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_sent_leaves_from_the_address_of_ours_that_its_path_leads_to() {
        let mut port = UdpPort::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let number = port.local_addr().unwrap().port();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let ours = [2, 3].map(|last| SocketAddr::from(([127, 0, 0, last], number)));
        let mut paths = vec![];
        for ours in ours {
            client.send_to(b"who is there?", ours).await.unwrap();
            while paths
                .last()
                .is_none_or(|path: &Path| path.ours != Some(ours.ip()))
            {
                port.readable().await.unwrap();
                port.receive(|_, from| paths.push(from)).unwrap();
            }
        }
        let mut answer = [0; 16];
        for place in [0, 1, 0] {
            assert_eq!(paths[place].client, client.local_addr().unwrap());
            assert_eq!(port.send(Run::one(paths[place], b"we are")), 0);
            let came = client.recv_from(&mut answer).await.unwrap();
            assert_eq!(came, (6, ours[place]));
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
                to: address.into(),
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
