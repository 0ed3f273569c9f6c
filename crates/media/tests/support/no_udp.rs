//! A network that lets no datagram through to the server: what a peer sends goes framed (RFC 4571) over TCP connections,
//! one for each address it sends from.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, UdpSocket};

const DATAGRAM_MAX_BYTES: usize = 2_048;

/// The server's description with an address over UDP that leads to its candidate over TCP.
pub async fn told(sdp: &str) -> String {
    let (udp, tcp) = (candidate(sdp, "udp"), candidate(sdp, "tcp"));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let here = socket.local_addr().unwrap();
    tokio::spawn(carry(Arc::new(socket), tcp));
    let place = |address: SocketAddr| format!(" {} {} typ host\r\n", address.ip(), address.port());
    let told = sdp.replace(&place(udp), &place(here));
    assert_ne!(told, sdp);
    told
}

pub fn candidate(sdp: &str, transport: &str) -> SocketAddr {
    let of = |line: &str| {
        let words: Vec<&str> = line.strip_prefix("a=candidate:")?.split(' ').collect();
        let is_meant = words[2].eq_ignore_ascii_case(transport);
        is_meant.then(|| format!("{}:{}", words[4], words[5]).parse().unwrap())
    };
    let mut found = sdp.lines().filter_map(of);
    found.next().unwrap()
}

async fn carry(socket: Arc<UdpSocket>, server: SocketAddr) {
    let mut ways: HashMap<SocketAddr, OwnedWriteHalf> = HashMap::new();
    let mut datagram = [0; DATAGRAM_MAX_BYTES];
    while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
        if let std::collections::hash_map::Entry::Vacant(new) = ways.entry(from) {
            let (reads, writes) = TcpStream::connect(server).await.unwrap().into_split();
            tokio::spawn(carry_back(reads, Arc::clone(&socket), from));
            new.insert(writes);
        }
        let frame = [
            &u16::try_from(length).unwrap().to_be_bytes(),
            &datagram[..length],
        ]
        .concat();
        // A server that hangs up is what some of it may be about.
        let _ = ways.get_mut(&from).unwrap().write_all(&frame).await;
    }
}

async fn carry_back(mut reads: OwnedReadHalf, socket: Arc<UdpSocket>, to: SocketAddr) {
    while let Ok(length) = reads.read_u16().await {
        let mut datagram = vec![0; usize::from(length)];
        if reads.read_exact(&mut datagram).await.is_err() {
            return;
        }
        let _ = socket.send_to(&datagram, to).await;
    }
}
