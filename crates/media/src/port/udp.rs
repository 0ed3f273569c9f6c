//! The UDP port: batches in, segmented sends out.

use crate::engine::{Path, Run};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// What we ask the kernel to buffer each way; it may give less. A full receive buffer loses packets.
const SOCKET_BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// The longest datagram we read; a longer one is cut and fails to decrypt.
const DATAGRAM_MAX_BYTES: usize = 2_048;
/// What a card without segmentation says (`EIO`); a kernel without it calls the input invalid.
const CARD_FAILS: i32 = 5;

pub struct UdpPort {
    socket: UdpSocket,
    state: UdpSocketState,
    buffer: Vec<u8>,
    buffer_each: usize,
    listens_on_all: bool,
    segments_max: AtomicUsize,
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
            segments_max: AtomicUsize::new(state.max_gso_segments()),
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
            let from = Path {
                client: meta.addr,
                ours: meta.dst_ip.filter(|_| *listens_on_all),
            };
            let can_be_answered = can_be_answered(meta.addr, meta.dst_ip);
            for datagram in bytes[..meta.len].chunks(meta.stride.max(1)) {
                datagrams += 1;
                if can_be_answered {
                    take(datagram, from);
                }
            }
        }
        Ok(datagrams)
    }

    /// Datagrams the kernel takes in one call.
    pub fn segments_max(&self) -> usize {
        self.segments_max.load(Ordering::Relaxed)
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
            Err(error) if error.kind() != io::ErrorKind::WouldBlock && segments > 1 => {
                self.send_singly(run, &error)
            }
            Err(_) => segments as u64,
        }
    }

    /// What the kernel did not take together. If it takes it one by one, it or the card knows no segmentation, and gets no
    /// run any more. If not, the path leads nowhere, or its device takes no datagram of that length, and only a shorter tail
    /// goes: no reason to send everybody's datagrams one by one. `quinn-udp` takes it for one, and for good, so what it says is
    /// asked only at the start.
    fn send_singly(&self, run: Run<'_>, why: &io::Error) -> u64 {
        let mut singly = Singly::default();
        for datagram in run.bytes.chunks(run.segment.max(1)) {
            let dropped = self.send(Run::one(run.to, datagram));
            singly.sent(datagram.len(), dropped > 0);
        }
        if singly.shows_no_segmentation(why, run.segment) {
            tracing::info!(%why, "the kernel or the card takes datagrams only one by one");
            self.segments_max.store(1, Ordering::Relaxed);
        }
        singly.dropped
    }
}

/// What became of the datagrams of a run that the kernel did not take together.
#[derive(Default)]
struct Singly {
    dropped: u64,
    /// The longest that was taken.
    taken: usize,
}

impl Singly {
    fn sent(&mut self, bytes: usize, dropped: bool) {
        match dropped {
            true => self.dropped += 1,
            false => self.taken = self.taken.max(bytes),
        }
    }

    fn shows_no_segmentation(&self, why: &io::Error, segment: usize) -> bool {
        let may_be =
            why.kind() == io::ErrorKind::InvalidInput || why.raw_os_error() == Some(CARD_FAILS);
        may_be && self.taken >= segment
    }
}

/// Whether an answer can go back: it cannot leave from an address that is everybody's (broadcast, multicast), nor go to port
/// 0. No client sends so; who repeats what one has sent may.
fn can_be_answered(client: SocketAddr, ours: Option<IpAddr>) -> bool {
    let is_everybodys = |ip: IpAddr| match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_broadcast() || ip.is_multicast(),
        IpAddr::V6(ip) => ip.is_multicast(),
    };
    client.port() != 0 && !ours.is_some_and(is_everybodys)
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

    /// A whole network's own address (127.255.255.255) is told from a machine's by nothing but the kernel's refusal.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_is_sent_to_everybody_switches_segmentation_off_for_nobody() {
        let mut port = UdpPort::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let number = port.local_addr().unwrap().port();
        let segments_max = port.segments_max();
        assert!(segments_max > 1, "this kernel segments");
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        client.set_broadcast(true).unwrap();
        socket2::SockRef::from(&client)
            .bind_device(Some(b"lo"))
            .unwrap();
        let mut paths: Vec<Path> = vec![];
        for to in [
            [127, 255, 255, 255],
            [255, 255, 255, 255],
            [224, 0, 0, 1],
            [127, 0, 0, 1],
        ] {
            client
                .send_to(b"check", SocketAddr::from((to, number)))
                .await
                .unwrap();
        }
        let ours = Some(IpAddr::from([127, 0, 0, 1]));
        while paths.last().is_none_or(|path| path.ours != ours) {
            port.readable().await.unwrap();
            port.receive(|_, from| paths.push(from)).unwrap();
        }
        let everybodys: Vec<_> = paths.iter().filter(|path| path.ours != ours).collect();
        assert_eq!(everybodys.len(), 1, "the rest is not read: {everybodys:?}");
        for path in paths {
            answers(&port, path);
        }
        assert_eq!(port.segments_max(), segments_max);
        let mut answer = [0; 16];
        for expected in [&b"four"[..], b"four", b"end"] {
            let came = client.recv(&mut answer).await.unwrap();
            assert_eq!(&answer[..came], expected);
        }
    }

    /// Sends a run of three; gives how many were dropped.
    fn answers(port: &UdpPort, to: Path) -> u64 {
        port.send(Run {
            to,
            segment: 4,
            bytes: b"fourfourend",
        })
    }

    #[tokio::test]
    async fn a_path_that_leads_nowhere_switches_segmentation_off_for_nobody() {
        let port = UdpPort::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let segments_max = port.segments_max();
        let near: SocketAddr = "127.0.0.1:9".parse().unwrap();
        for (client, ours) in [
            (near, Some([255, 255, 255, 255])),
            (near, Some([224, 0, 0, 5])),
            (near, Some([127, 255, 255, 255])),
            // An address that the machine has no more.
            (near, Some([203, 0, 113, 77])),
            ("127.0.0.1:0".parse().unwrap(), None),
        ] {
            let ours = ours.map(IpAddr::from);
            assert_eq!(
                answers(&port, Path { client, ours }),
                3,
                "{client} {ours:?}"
            );
        }
        assert_eq!(port.segments_max(), segments_max);
    }

    /// More than Linux takes in one call: what a kernel without segmentation says of any run.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_kernel_that_takes_only_single_datagrams_gets_single_ones() {
        let port = UdpPort::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert!(port.segments_max() > 1, "this kernel segments");
        let run = Run {
            to: client.local_addr().unwrap().into(),
            segment: 1,
            bytes: &[7; 200],
        };
        assert_eq!(port.send(run), 0);
        assert_eq!(port.segments_max(), 1);
        for _ in 0..200 {
            assert_eq!(client.recv(&mut [0; 16]).await.unwrap(), 1);
        }
    }

    #[test]
    fn a_segment_that_its_road_does_not_take_shows_nothing_of_segmentation() {
        let (invalid, card) = (
            io::Error::from(io::ErrorKind::InvalidInput),
            io::Error::from_raw_os_error(CARD_FAILS),
        );
        let shows = |why: &io::Error, results: &[(usize, bool)]| {
            let mut singly = Singly::default();
            results
                .iter()
                .for_each(|(bytes, dropped)| singly.sent(*bytes, *dropped));
            singly.shows_no_segmentation(why, 1_240)
        };
        for why in [&invalid, &card] {
            // A device takes less than a segment: the tail goes, and what is longer does not.
            assert!(!shows(why, &[(1_240, true), (700, false)]));
            assert!(!shows(why, &[(1_240, true), (1_240, true)]));
            assert!(shows(why, &[(1_240, false), (700, false)]));
            assert!(shows(why, &[(1_240, true), (1_240, false), (700, true)]));
        }
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(!shows(&refused, &[(1_240, false), (1_240, false)]));
    }

    #[test]
    fn nothing_is_answered_from_an_address_of_everybodys_or_to_no_port() {
        let may = |to: &str, port| {
            let client = SocketAddr::from(([192, 0, 2, 1], port));
            can_be_answered(client, Some(to.parse().unwrap()))
        };
        for ours in ["192.0.2.2", "::ffff:192.0.2.2", "2001:db8::1", "fe80::1"] {
            assert!(may(ours, 9), "{ours}");
            assert!(!may(ours, 0), "{ours}");
        }
        for everybodys in [
            "255.255.255.255",
            "::ffff:255.255.255.255",
            "224.0.0.5",
            "::ffff:224.0.0.1",
            "ff02::1",
        ] {
            assert!(!may(everybodys, 9), "{everybodys}");
        }
        assert!(can_be_answered(([192, 0, 2, 1], 9).into(), None));
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
