//! A connection that was taken in: plain or encrypted, and counted.

use crate::addresses::Permit;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{rustls::ServerConnection, server::TlsStream};

/// Bytes both ways.
#[derive(Debug)]
pub struct Stream {
    line: Line,
    permit: Permit,
}

#[derive(Debug)]
enum Line {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// What a stream is made of.
pub struct Parts {
    /// The connection.
    pub tcp: TcpStream,
    /// Its cipher, when it has one.
    pub tls: Option<Box<ServerConnection>>,
    /// What counts it.
    pub permit: Permit,
}

impl Stream {
    /// A connection without TLS.
    #[must_use]
    pub fn plain(tcp: TcpStream, permit: Permit) -> Self {
        let line = Line::Plain(tcp);
        Self { line, permit }
    }

    /// A connection whose handshake is done.
    #[must_use]
    pub fn encrypted(tls: TlsStream<TcpStream>, permit: Permit) -> Self {
        let line = Line::Encrypted(Box::new(tls));
        Self { line, permit }
    }

    /// Takes it apart.
    #[must_use]
    pub fn into_parts(self) -> Parts {
        let permit = self.permit;
        match self.line {
            Line::Plain(tcp) => Parts {
                tcp,
                tls: None,
                permit,
            },
            Line::Encrypted(tls) => {
                let (tcp, session) = tls.into_inner();
                Parts {
                    tcp,
                    tls: Some(Box::new(session)),
                    permit,
                }
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.line {
            Line::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Line::Encrypted(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.line {
            Line::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Line::Encrypted(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.line {
            Line::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Line::Encrypted(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.line {
            Line::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Line::Encrypted(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}
