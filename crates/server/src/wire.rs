//! TCP, with or without TLS, as frames go out over it from whichever task has something to say.

use crate::{addresses::Permit, stream::Parts};
use diemcau_hub::{Frame, SEND_AT_ONCE, Wire};
use socket2::SockRef;
use std::{
    io::{self, Read as _, Write as _},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::{io::ReadBuf, net::TcpStream};
use tokio_rustls::rustls::ServerConnection;

/// Bytes of a frame that are encrypted in one go: what the cipher keeps stays small, the rest waits in the outlet, once
/// for all clients.
const CIPHER_CHUNK: usize = 16 * 1024;
/// Bytes that may come behind each other without a byte for anybody: two of the longest records (RFC 8446, section 5.2), for
/// what comes of one before it is whole says nothing yet. Beyond, a client sends records without content.
const HOLLOW_MAX: usize = 2 * (5 + 16 * 1024 + 256);

/// How a reader is told that what comes is in more pieces than anybody makes; no socket says this.
pub const IN_PIECES: io::ErrorKind = io::ErrorKind::QuotaExceeded;

/// Both ways of a connection.
#[derive(Debug)]
pub struct TcpWire {
    tcp: TcpStream,
    tls: Option<Mutex<Cipher>>,
    _permit: Permit,
}

#[derive(Debug)]
struct Cipher {
    session: Box<ServerConnection>,
    /// Bytes that came since anybody got one.
    hollow: usize,
}

impl TcpWire {
    /// From what a stream is made of.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            tcp: parts.tcp,
            tls: parts
                .tls
                .map(|session| Mutex::new(Cipher { session, hollow: 0 })),
            _permit: parts.permit,
        }
    }

    /// Reads what has come. Asked by one task at a time. What brings nobody a byte is read in turns, between which others
    /// have theirs: whoever runs on this thread, and who waits for the cipher.
    ///
    /// # Errors
    /// The connection is broken, what came is no TLS, or (`IN_PIECES`) too much of it was without content; then it may be
    /// read on.
    pub fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let read = match &self.tls {
                None => self.tcp.try_read(buffer.initialize_unfilled()).map(Some),
                Some(tls) => self.read_encrypted(&mut locked(tls), buffer),
            };
            match read {
                Ok(Some(count)) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Ok(None) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.tcp.poll_read_ready(context))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Reads once from the kernel, if nothing is left from before; none when that brought nothing to read.
    fn read_encrypted(
        &self,
        cipher: &mut Cipher,
        buffer: &mut ReadBuf<'_>,
    ) -> io::Result<Option<usize>> {
        if let Some(read) = cipher.read(buffer)? {
            return Ok(Some(read));
        }
        let tls = &mut cipher.session;
        let came = tls.read_tls(&mut Now(&self.tcp))?;
        if came == 0 {
            return Ok(Some(0));
        }
        let processed = tls.process_new_packets();
        // What TLS itself has to say: an alert, a new key. What is not taken goes with the next frame.
        let _ = self.flush_encrypted(tls);
        processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        cipher.hollow += came;
        cipher.read(buffer)
    }

    /// Asks the kernel first and the runtime's books, which are far from the cache when a frame goes to thousands, only
    /// when the kernel takes nothing.
    fn send_plain(&self, bytes: &[u8]) -> io::Result<usize> {
        match SockRef::from(&self.tcp).send(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.tcp.try_write(bytes),
            sent => sent,
        }
    }

    fn send_encrypted(&self, tls: &mut ServerConnection, bytes: &[u8]) -> io::Result<usize> {
        self.flush_encrypted(tls)?;
        let chunk = &bytes[..bytes.len().min(CIPHER_CHUNK)];
        let taken = tls.writer().write(chunk)?;
        match self.flush_encrypted(tls) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    fn flush_encrypted(&self, tls: &mut ServerConnection) -> io::Result<()> {
        while tls.wants_write() {
            tls.write_tls(&mut Now(&self.tcp))?;
        }
        Ok(())
    }
}

impl Wire for TcpWire {
    fn try_send(&self, frame: &Frame, from: usize) -> io::Result<usize> {
        let mut sent = from;
        let end = frame.len().min(from.saturating_add(SEND_AT_ONCE));
        while sent < end {
            let bytes = frame.wire(sent);
            let bytes = &bytes[..bytes.len().min(end - sent)];
            let taken = match &self.tls {
                None => self.send_plain(bytes),
                Some(tls) => self.send_encrypted(&mut locked(tls).session, bytes),
            };
            match taken {
                Ok(taken) => sent += taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && sent > from => break,
                Err(error) => return Err(error),
            }
        }
        Ok(sent - from)
    }

    fn try_flush(&self) -> io::Result<()> {
        match &self.tls {
            None => Ok(()),
            Some(tls) => self.flush_encrypted(&mut locked(tls).session),
        }
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_write_ready(context)
    }
}

impl Cipher {
    /// Reads what is decrypted; none when nothing is.
    fn read(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<Option<usize>> {
        match self.session.reader().read(buffer.initialize_unfilled()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => {
                self.hollow = 0;
                return read.map(Some);
            }
        }
        if self.hollow > HOLLOW_MAX {
            self.hollow = 0;
            return Err(IN_PIECES.into());
        }
        Ok(None)
    }
}

fn locked(tls: &Mutex<Cipher>) -> MutexGuard<'_, Cipher> {
    // A cipher that panicked is out of step with its client, which drops the connection.
    tls.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connection as it is now: reads and writes never wait.
struct Now<'a>(&'a TcpStream);

impl io::Read for Now<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl io::Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, bytes: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addresses::{Addresses, Limits};
    use bytes::Bytes;
    use prometheus_client::registry::Registry;
    use std::time::Instant;
    use tokio::{io::AsyncReadExt, net::TcpListener};

    const LIMITS: Limits = Limits {
        connections: 10,
        of_address: 10,
        new_a_second: 10,
    };

    /// Both ends of a connection whose kernel takes more than is written in one go.
    async fn wide() -> (TcpWire, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, taken) = tokio::join!(client, listener.accept());
        let (tcp, address) = taken.unwrap();
        SockRef::from(&tcp)
            .set_send_buffer_size(8 * SEND_AT_ONCE)
            .unwrap();
        let addresses = Addresses::new(LIMITS, &mut Registry::default());
        let permit = addresses.admit(address.ip(), Instant::now()).unwrap();
        let wire = TcpWire::new(Parts {
            tcp,
            tls: None,
            permit,
        });
        (wire, client.unwrap())
    }

    #[tokio::test]
    async fn a_long_frame_is_written_so_much_at_a_time_and_a_short_one_at_once() {
        let (wire, mut client) = wide().await;
        let short = Frame::raw(Bytes::from(vec![b's'; SEND_AT_ONCE]));
        assert_eq!(wire.try_send(&short, 0).unwrap(), SEND_AT_ONCE);
        let long = Frame::raw(Bytes::from(vec![b'l'; 2 * SEND_AT_ONCE + 1]));
        let mut heard = vec![0; SEND_AT_ONCE];
        for (from, taken) in [
            (0, SEND_AT_ONCE),
            (SEND_AT_ONCE, SEND_AT_ONCE),
            (2 * SEND_AT_ONCE, 1),
        ] {
            client.read_exact(&mut heard).await.unwrap();
            assert_eq!(wire.try_send(&long, from).unwrap(), taken, "{from}");
        }
        assert_eq!(heard, long.wire(0)[..SEND_AT_ONCE]);
    }
}
