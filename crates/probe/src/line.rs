//! One connection of the peer: str0m, its socket and its bad luck.

use std::net::SocketAddr;
use std::time::Instant;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;

/// How a DTLS record of the kind alert begins (RFC 6347): the server's good-bye.
const ALERT: u8 = 21;

pub struct Line {
    pub rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    deadline: Instant,
    loss_out: Loss,
    loss_in: Loss,
    pub lost_out: u64,
    pub lost_in: u64,
    /// Datagrams of every kind that came.
    pub came: u64,
}

/// Throws packets away, the same ones in every run.
pub struct Loss {
    of_a_thousand: u32,
    state: u32,
}

impl Loss {
    pub fn new(of_a_thousand: u32) -> Self {
        Self {
            of_a_thousand,
            state: 12_345,
        }
    }

    fn hits(&mut self, datagram: &[u8]) -> bool {
        let is_rtp = datagram.len() > 12
            && (128..192).contains(&datagram[0])
            && !(192..224).contains(&datagram[1]);
        if !is_rtp || self.of_a_thousand == 0 {
            return false;
        }
        self.state = self
            .state
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.state >> 16) % 1_000 < self.of_a_thousand
    }
}

impl Line {
    pub async fn new(loss_out: Loss, loss_in: Loss) -> Self {
        let socket = match UdpSocket::bind("127.0.0.1:0").await {
            Ok(socket) => socket,
            Err(error) => panic!("no UDP socket for a synthetic peer: {error}"),
        };
        let Ok(address) = socket.local_addr() else {
            panic!("a socket without an address")
        };
        let now = Instant::now();
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_rtp_mode(true)
            .set_stats_interval(Some(std::time::Duration::from_millis(200)))
            .build(now);
        match Candidate::host(address, "udp") {
            Ok(candidate) => rtc.add_local_candidate(candidate),
            Err(error) => panic!("no candidate: {error}"),
        };
        Self {
            rtc,
            socket,
            address,
            deadline: now,
            loss_out,
            loss_in,
            lost_out: 0,
            lost_in: 0,
            came: 0,
        }
    }

    /// Waits for a datagram or the deadline and hands it to str0m.
    pub async fn wait(&mut self) {
        let mut buffer = [0; 2_048];
        let input = tokio::select! {
            received = self.socket.recv_from(&mut buffer) => received.ok(),
            () = tokio::time::sleep_until(self.deadline.into()) => None,
        };
        let now = Instant::now();
        let Some((length, from)) = input else {
            return self.input(Input::Timeout(now));
        };
        let datagram = &buffer[..length];
        self.came += 1;
        // An obedient peer would fall silent and deaf by itself: that it is so must be the server's doing.
        if datagram.first() == Some(&ALERT) {
            return;
        }
        if self.loss_in.hits(datagram) {
            self.lost_in += 1;
            return;
        }
        if let Ok(receive) = Receive::new(Protocol::Udp, from, self.address, datagram) {
            self.input(Input::Receive(now, receive));
        }
    }

    /// Must follow every change of the session, or str0m sends nothing.
    pub fn wake(&mut self) {
        self.input(Input::Timeout(Instant::now()));
    }

    /// Sends what is to be sent; gives what happened.
    pub async fn drain(&mut self) -> Vec<Event> {
        let mut events = vec![];
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.deadline = at;
                    return events;
                }
                Ok(Output::Transmit(transmit)) => {
                    if self.loss_out.hits(&transmit.contents) {
                        self.lost_out += 1;
                    } else {
                        // A full buffer is loss like any other.
                        let _ = self
                            .socket
                            .send_to(&transmit.contents, transmit.destination)
                            .await;
                    }
                }
                Ok(Output::Event(event)) => events.push(event),
                Err(_) => {
                    self.rtc.disconnect();
                    return events;
                }
            }
        }
    }

    fn input(&mut self, input: Input<'_>) {
        if self.rtc.handle_input(input).is_err() {
            self.rtc.disconnect();
        }
    }
}
