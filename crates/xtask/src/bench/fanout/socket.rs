//! As much of a WebSocket as a bench needs: the handshake, and texts that are masked with nothing.

use std::net::{IpAddr, Ipv4Addr};

/// A pong nobody asked for: it says that a client is there.
pub const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];

/// The request that opens a WebSocket (RFC 6455, section 4.1).
pub fn request(host: &str, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// A client's text: masked, with the mask that changes nothing (RFC 6455, section 5.3).
pub fn text(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u16::try_from(text.len()) {
        Ok(short) if short < 126 => frame.push(0x80 | short as u8),
        Ok(medium) => {
            frame.push(0x80 | 126);
            frame.extend(medium.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((text.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// A server's text, whole.
pub fn server_text(text: &str) -> Vec<u8> {
    let mut frame = self::text(text);
    let header = frame.len() - text.len() - 4;
    frame[1] &= 0x7f;
    frame.drain(header..header + 4);
    frame
}

/// Where the `n`th client comes from: a server may allow one address only so many.
pub fn source(n: usize) -> IpAddr {
    const OF_ADDRESS: usize = 400;
    let last = u8::try_from(2 + n / OF_ADDRESS).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, 0, 0, last).into()
}
