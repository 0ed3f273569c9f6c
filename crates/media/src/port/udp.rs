//! The UDP port: batches in, segmented sends out.

use crate::engine::Run;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
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
    /// Which address of ours the senders of the last reading sent to, if we listen on all: they take answers from no other.
    asked: Option<HashMap<SocketAddr, IpAddr>>,
    /// The same of those who are clients.
    ways: HashMap<SocketAddr, IpAddr>,
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
            asked: listens_on_all.then(HashMap::new),
            ways: HashMap::new(),
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
            asked,
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
            if let (Some(asked), Some(ours)) = (&mut *asked, meta.dst_ip) {
                asked.insert(meta.addr, ours);
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

    /// A new reading begins: what is known of strangers is forgotten.
    pub fn begin_reading(&mut self) {
        if let Some(asked) = &mut self.asked {
            asked.clear();
        }
    }

    /// Who was just read is a client: its answers leave from the address it asked.
    pub fn keep_way(&mut self, client: SocketAddr) {
        let ours = self.asked.as_ref().and_then(|asked| asked.get(&client));
        if let Some(ours) = ours {
            self.ways.insert(client, *ours);
        }
    }

    pub fn forget_way(&mut self, client: SocketAddr) {
        self.ways.remove(&client);
    }

    /// Which address of ours somebody sends to.
    fn way_in(&self, client: SocketAddr) -> Option<IpAddr> {
        let asked = self.asked.as_ref()?;
        let way = self.ways.get(&client).or_else(|| asked.get(&client));
        way.copied()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_leave_from_the_address_that_was_asked_and_strangers_change_no_clients_way() {
        let mut port = UdpPort::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let number = port.local_addr().unwrap().port();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let from = client.local_addr().unwrap();
        let mut answer = [0; 16];
        for (ours, is_client) in [("127.0.0.3", false), ("127.0.0.2", true)] {
            let ours = SocketAddr::new(ours.parse().unwrap(), number);
            client.send_to(b"who is there?", ours).await.unwrap();
            port.readable().await.unwrap();
            port.begin_reading();
            while port.receive(|_, _| {}).unwrap() == 0 {}
            assert_eq!(port.send(Run::one(from, b"we are")), 0);
            assert_eq!(client.recv_from(&mut answer).await.unwrap(), (6, ours));
            if is_client {
                port.keep_way(from);
            }
            port.begin_reading();
        }
        let ours = SocketAddr::new("127.0.0.2".parse().unwrap(), number);
        for stranger in 0..50 {
            let stranger = UdpSocket::bind((IpAddr::from([127, 0, 1, stranger]), 0));
            let elsewhere = SocketAddr::new("127.0.0.9".parse().unwrap(), number);
            stranger
                .await
                .unwrap()
                .send_to(b"?", elsewhere)
                .await
                .unwrap();
        }
        port.readable().await.unwrap();
        port.receive(|_, _| {}).unwrap();
        assert_eq!(port.send(Run::one(from, b"media")), 0);
        assert_eq!(client.recv_from(&mut answer).await.unwrap(), (5, ours));
        port.begin_reading();
        port.forget_way(from);
        assert_eq!(port.way_in(from), None);
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
