//! TCP, with or without TLS, as frames go out over it from whichever task has something to say.

use crate::{addresses::Permit, stream::Parts};
use diemcau_hub::{Frame, Wire};
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

/// Both ways of a connection.
#[derive(Debug)]
pub struct TcpWire {
    tcp: TcpStream,
    tls: Option<Mutex<Box<ServerConnection>>>,
    _permit: Permit,
}

impl TcpWire {
    /// From what a stream is made of.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            tcp: parts.tcp,
            tls: parts.tls.map(Mutex::new),
            _permit: parts.permit,
        }
    }

    /// Reads what has come. Asked by one task at a time.
    ///
    /// # Errors
    /// The connection is broken, or what came is no TLS.
    pub fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let read = match &self.tls {
                None => self.tcp.try_read(buffer.initialize_unfilled()),
                Some(tls) => self.read_encrypted(&mut locked(tls), buffer),
            };
            match read {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.tcp.poll_read_ready(context))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn read_encrypted(
        &self,
        tls: &mut ServerConnection,
        buffer: &mut ReadBuf<'_>,
    ) -> io::Result<usize> {
        loop {
            match tls.reader().read(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            if tls.read_tls(&mut Now(&self.tcp))? == 0 {
                return Ok(0);
            }
            let processed = tls.process_new_packets();
            // What TLS itself has to say: an alert, a new key. What is not taken goes with the next frame.
            let _ = self.flush_encrypted(tls);
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
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
        while sent < frame.len() {
            let bytes = frame.wire(sent);
            let taken = match &self.tls {
                None => self.send_plain(bytes),
                Some(tls) => self.send_encrypted(&mut locked(tls), bytes),
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
            Some(tls) => self.flush_encrypted(&mut locked(tls)),
        }
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_write_ready(context)
    }
}

fn locked(tls: &Mutex<Box<ServerConnection>>) -> MutexGuard<'_, Box<ServerConnection>> {
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
