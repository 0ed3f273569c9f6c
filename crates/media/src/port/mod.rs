//! Where datagrams come from and go to: one UDP port, and the same port of TCP for networks that block UDP.

mod open;
mod outbox;
mod tcp;
mod udp;

pub use open::CONNECTIONS_MAX;

use crate::engine::{Path, Run};
use std::io;
use std::net::SocketAddr;
use tcp::TcpPort;
use udp::UdpPort;

/// Datagrams of TCP that are taken beside one batch of UDP: neither makes the other wait.
const TCP_BATCH: usize = 32;

pub struct Port {
    udp: UdpPort,
    tcp: TcpPort,
}

/// Which of the two could not be opened.
#[derive(Debug)]
pub enum Closed {
    Udp(io::Error),
    Tcp(io::Error),
}

impl Port {
    /// Opens both; the connections over TCP are read by tasks of the runtime that is entered. Where any port will do and
    /// the one of UDP is taken for TCP, TCP gets another.
    pub fn bind(address: SocketAddr) -> Result<Self, Closed> {
        let udp = UdpPort::bind(address).map_err(Closed::Udp)?;
        let same = udp.local_addr().map_err(Closed::Udp)?;
        let tcp = match TcpPort::bind(same) {
            Err(_) if address.port() == 0 => TcpPort::bind(address),
            bound => bound,
        };
        let tcp = tcp.map_err(Closed::Tcp)?;
        Ok(Self { udp, tcp })
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    /// The port of TCP.
    pub fn tcp_port(&self) -> u16 {
        self.tcp.local_addr().port()
    }

    /// Something may have come. Safe to cancel.
    pub async fn readable(&mut self) -> io::Result<()> {
        tokio::select! {
            readable = self.udp.readable() => readable,
            () = self.tcp.readable() => Ok(()),
        }
    }

    /// Reads what came of both, a batch each, and hands out the datagrams; gives how many there were.
    pub fn receive(&mut self, mut take: impl FnMut(&[u8], Path)) -> io::Result<usize> {
        let framed = self.tcp.receive(TCP_BATCH, &mut take);
        Ok(framed + self.udp.receive(take)?)
    }

    /// A leg answered to an address: it is a client's.
    pub fn keep(&self, client: SocketAddr) {
        self.tcp.keep(client);
    }

    /// An address is no client's any more.
    pub fn forget(&self, client: SocketAddr) {
        self.tcp.forget(client);
    }

    /// Whether a connection over TCP is a client's.
    #[cfg(test)]
    pub fn is_kept(&self, client: SocketAddr) -> Option<bool> {
        self.tcp.is_kept(client)
    }

    /// Datagrams the kernel takes in one call.
    pub fn segments_max(&self) -> usize {
        self.udp.segments_max()
    }

    /// Whether an address stands for a connection over TCP.
    pub fn is_tcp(address: SocketAddr) -> bool {
        TcpPort::is_tcp(address)
    }

    /// Sends a run the way its address stands for; gives how many of its datagrams were dropped.
    pub fn send(&self, run: Run<'_>) -> u64 {
        match TcpPort::is_tcp(run.to.client) {
            true => self.tcp.send(run),
            false => self.udp.send(run),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    /// A client over TCP that never stops does not keep the port from those over UDP, nor they from it.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_flood_over_one_way_leaves_the_other_open() {
        const PATIENCE: Duration = Duration::from_secs(20);
        let mut port = Port::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = port.local_addr().unwrap();
        let mut flood = TcpStream::connect((address.ip(), port.tcp_port()))
            .await
            .unwrap();
        let flooding = tokio::spawn(async move {
            let frames = [&[0, 4], &b"tcp!"[..]].concat().repeat(1_000);
            while flood.write_all(&frames).await.is_ok() {}
        });
        let quiet = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (mut framed, mut heard) = (0_u32, 0);
        let both = async {
            while framed < 10_000 || heard < 100 {
                if framed > heard * 50 {
                    quiet.send_to(b"udp", address).await.unwrap();
                }
                port.readable().await.unwrap();
                port.receive(|datagram, _| match datagram {
                    b"tcp!" => framed += 1,
                    _ => heard += 1,
                })
                .unwrap();
            }
        };
        timeout(PATIENCE, both).await.expect("one of them starves");
        flooding.abort();
    }
}
