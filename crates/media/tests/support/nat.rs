//! A router between a peer and the server that may give the peer another address in the middle of a call.

use super::no_udp::candidate;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

const DATAGRAM_MAX_BYTES: usize = 2_048;

pub struct Nat {
    renumber: mpsc::UnboundedSender<()>,
    /// The server's description as the peer is to hear it.
    pub told: String,
}

impl Nat {
    /// Stands before the server that a description names.
    pub async fn before(sdp: &str) -> Self {
        let server = candidate(sdp, "udp");
        let inside = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let here = inside.local_addr().unwrap();
        let place = |at: SocketAddr| format!(" {} {} typ host\r\n", at.ip(), at.port());
        let told = sdp.replacen(&place(server), &place(here), 1);
        assert_ne!(told, sdp);
        let (renumber, orders) = mpsc::unbounded_channel();
        tokio::spawn(route(Arc::new(inside), server, orders));
        Self { renumber, told }
    }

    /// From now on the peer comes from another address, and nothing sent to the former one arrives.
    pub fn renumber(&self) {
        self.renumber.send(()).unwrap();
    }
}

async fn outside(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server).await.unwrap();
    socket
}

async fn route(
    inside: Arc<UdpSocket>,
    server: SocketAddr,
    mut orders: mpsc::UnboundedReceiver<()>,
) {
    let mut out = outside(server).await;
    let mut peer = None;
    let (mut there, mut back) = ([0; DATAGRAM_MAX_BYTES], [0; DATAGRAM_MAX_BYTES]);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(()) => out = outside(server).await,
                None => return,
            },
            Ok((length, from)) = inside.recv_from(&mut there) => {
                peer = Some(from);
                let _ = out.send(&there[..length]).await;
            }
            Ok(length) = out.recv(&mut back) => {
                if let Some(peer) = peer {
                    let _ = inside.send_to(&back[..length], peer).await;
                }
            }
        }
    }
}
