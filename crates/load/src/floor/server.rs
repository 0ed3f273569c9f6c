//! The forwarder that does the least that must be done.

use super::{Cipher, HEADER_BYTES, HELLO_DOWNLINK, HELLO_UPLINK, PICTURE, SOUND};
use anyhow::{Context, Result};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::time::Duration;

const SOCKET_BUFFER_BYTES: usize = 8 * 1024 * 1024;
const DATAGRAM_MAX_BYTES: usize = 2_048;
/// The kernel takes no more in one segmented send.
const SEND_MAX_BYTES: usize = 60_000;
/// What leaves in segments is gathered for so long: a frame's packets come one by one.
const GATHER: Duration = Duration::from_millis(1);

/// How it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Sends {
    /// One call for each packet.
    Singly,
    /// One call for each run of equally long packets to one receiver (UDP_SEGMENT).
    Segmented,
}

struct Floor {
    socket: UdpSocket,
    state: UdpSocketState,
    cipher: Cipher,
    sends: Sends,
    heard: Box<dyn Fn(u16) -> bool>,
    sites: BTreeMap<SocketAddr, u16>,
    receivers: Vec<Receiver>,
}

struct Receiver {
    site: u16,
    address: SocketAddr,
    bytes: Vec<u8>,
    lengths: Vec<usize>,
}

/// Forwards until it is ended. `heard` says whose sound is forwarded.
///
/// # Errors
/// The port cannot be had.
pub fn run(listen: SocketAddr, sends: Sends, heard: impl Fn(u16) -> bool + 'static) -> Result<()> {
    let mut socket = UdpSocket::bind(listen).with_context(|| format!("UDP {listen}"))?;
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut socket, Token(0), Interest::READABLE)?;
    let state = UdpSocketState::new((&socket).into())?;
    state.set_recv_buffer_size((&socket).into(), SOCKET_BUFFER_BYTES)?;
    state.set_send_buffer_size((&socket).into(), SOCKET_BUFFER_BYTES)?;
    let mut floor = Floor {
        socket,
        state,
        cipher: Cipher::new()?,
        sends,
        heard: Box::new(heard),
        sites: BTreeMap::new(),
        receivers: vec![],
    };
    let each = DATAGRAM_MAX_BYTES * floor.state.gro_segments().max(1);
    let mut buffer = vec![0; each * BATCH_SIZE];
    let mut events = Events::with_capacity(1);
    loop {
        poll.poll(&mut events, None)?;
        if sends == Sends::Segmented {
            std::thread::sleep(GATHER);
        }
        while floor.batch(&mut buffer, each)? {
            if sends == Sends::Singly {
                floor.flush();
            }
        }
        floor.flush();
    }
}

impl Floor {
    /// Reads a batch; false when there is nothing more.
    fn batch(&mut self, buffer: &mut [u8], each: usize) -> Result<bool> {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let read = {
            let mut chunks = buffer.chunks_mut(each);
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
            match self
                .state
                .recv((&self.socket).into(), &mut slices, &mut metas)
            {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        };
        for (meta, filled) in metas[..read].iter().zip(buffer.chunks_mut(each)) {
            for datagram in filled[..meta.len].chunks_mut(meta.stride.max(1)) {
                self.take(datagram, meta.addr);
            }
        }
        Ok(true)
    }

    fn take(&mut self, datagram: &mut [u8], from: SocketAddr) {
        match *datagram {
            [HELLO_UPLINK, high, low] => {
                self.sites.insert(from, u16::from_be_bytes([high, low]));
                let _ = self.socket.send_to(datagram, from);
            }
            [HELLO_DOWNLINK, high, low] => {
                let site = u16::from_be_bytes([high, low]);
                self.receivers.retain(|receiver| receiver.site != site);
                self.receivers.push(Receiver {
                    site,
                    address: from,
                    bytes: vec![],
                    lengths: vec![],
                });
                let _ = self.socket.send_to(datagram, from);
            }
            [SOUND | PICTURE, ..] => self.forward(datagram, from),
            _ => {}
        }
    }

    fn forward(&mut self, datagram: &mut [u8], from: SocketAddr) {
        let Some(site) = self.sites.get(&from).copied() else {
            return;
        };
        let Ok(length) = self.cipher.open(datagram) else {
            return;
        };
        if datagram[0] == SOUND && !(self.heard)(site) {
            return;
        }
        for receiver in self.receivers.iter_mut().filter(|to| to.site != site) {
            let at = receiver.bytes.len();
            receiver.bytes.extend_from_slice(&datagram[..length]);
            // As SRTP's contexts differ by receiver, so does the nonce here.
            if let Some(own) = receiver.bytes.get_mut(at + HEADER_BYTES - 1) {
                *own = receiver.site as u8;
            }
            if self.cipher.seal(&mut receiver.bytes, at).is_ok() {
                receiver.lengths.push(receiver.bytes.len() - at);
            }
        }
    }

    fn flush(&mut self) {
        let segments = match self.sends {
            Sends::Singly => 1,
            Sends::Segmented => self.state.max_gso_segments(),
        };
        for receiver in &mut self.receivers {
            let mut at = 0;
            for run in runs(&receiver.lengths, segments) {
                let bytes: usize = run.iter().sum();
                let transmit = Transmit {
                    destination: receiver.address,
                    ecn: None,
                    contents: &receiver.bytes[at..at + bytes],
                    segment_size: (run.len() > 1).then_some(run[0]),
                    src_ip: None,
                };
                // A full buffer is loss, and loss shows in the figures.
                let _ = self.state.try_send((&self.socket).into(), &transmit);
                at += bytes;
            }
            receiver.bytes.clear();
            receiver.lengths.clear();
        }
    }
}

/// Cuts lengths into runs that leave in one call: equal, only the last one shorter.
fn runs(lengths: &[usize], segments_max: usize) -> impl Iterator<Item = &[usize]> {
    let mut rest = lengths;
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let most = segments_max
            .min(SEND_MAX_BYTES / first.max(1))
            .clamp(1, rest.len());
        let equal = rest[..most].iter().take_while(|length| **length == first);
        let mut count = equal.count();
        if count < most && rest[count] < first {
            count += 1;
        }
        let (run, left) = rest.split_at(count);
        rest = left;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_equal_but_for_a_shorter_end() {
        let cut = |lengths: &[usize], most| {
            let runs = runs(lengths, most);
            runs.map(<[usize]>::len).collect::<Vec<_>>()
        };
        assert_eq!(cut(&[9, 9, 10, 10, 10, 10], 64), [2, 4]);
        assert_eq!(cut(&[9, 9, 9, 8, 9], 64), [4, 1]);
        assert_eq!(cut(&[9, 9, 9], 1), [1, 1, 1]);
        assert_eq!(cut(&[9, 9, 9], 2), [2, 1]);
        assert_eq!(cut(&[], 64), Vec::<usize>::new());
    }
}
