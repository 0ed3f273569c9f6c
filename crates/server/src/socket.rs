//! A WebSocket, as the hub sees a connection: tungstenite reads, frames go out by the outlet.

use crate::{
    fragments::Fragments,
    stream::Stream,
    wire::{IN_PIECES, TcpWire},
};
use bytes::Bytes;
use diemcau_hub::{Frame, Inbound, Outlet, Socket, Wire};
use diemcau_model::limits;
use futures_util::StreamExt;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// What a connection reads at once: most clients only say that they are there.
const READ_BUFFER: usize = 512;
/// How often is read before others have their turn: a client that always has more to say would keep the thread.
const READS_AT_ONCE: u32 = 32;
/// What is read at once of what nobody will look at.
const THROWN_AWAY: usize = 4 * 1024;
/// Twice the limit, so that a frame a little over it gets its error instead of a cut.
const MESSAGE_MAX: usize = 2 * limits::FRAME_MAX_BYTES;

/// A browser's connection.
pub struct WebSocketLine {
    socket: WebSocketStream<Ends>,
    outlet: Arc<Outlet>,
    /// The client did what ends its connection, and tungstenite reads nothing any more.
    is_cut: bool,
}

impl WebSocketLine {
    /// Over a connection whose handshake is answered; none if it is not one of ours.
    pub async fn over(upgraded: Upgraded) -> Option<Self> {
        let parts = upgraded.downcast::<TokioIo<Stream>>().ok()?;
        let read = parts.read_buf.to_vec();
        let wire = Arc::new(TcpWire::new(parts.io.into_inner().into_parts()));
        let outlet = Outlet::new(Arc::clone(&wire) as Arc<dyn Wire>);
        let mut ends = Ends {
            wire,
            outlet: Arc::clone(&outlet),
            reads_left: READS_AT_ONCE,
            fragments: Fragments::default(),
            is_in_pieces: false,
        };
        ends.follow(&read);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX));
        let socket =
            WebSocketStream::from_partially_read(ends, read, Role::Server, Some(config)).await;
        Some(Self {
            socket,
            outlet,
            is_cut: false,
        })
    }
}

#[cfg(test)]
impl WebSocketLine {
    /// Says back what it hears: what the Autobahn cases want.
    pub async fn echo(mut self) {
        use futures_util::SinkExt;

        while let Some(Ok(message)) = self.socket.next().await {
            let echoed = match message {
                Message::Text(_) | Message::Binary(_) => self.socket.send(message).await,
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {
                    self.socket.flush().await
                }
            };
            self.outlet.drained().await;
            if echoed.is_err() {
                return;
            }
        }
    }
}

impl Socket for WebSocketLine {
    async fn recv(&mut self) -> Option<Inbound> {
        match self.socket.next().await? {
            Ok(Message::Text(text)) if text.len() > limits::FRAME_MAX_BYTES => {
                Some(Inbound::TooLarge)
            }
            Ok(Message::Text(text)) => Some(Inbound::Text(text.as_str().to_owned())),
            Ok(Message::Binary(_)) => Some(Inbound::NotText),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Some(Inbound::Control),
            Ok(Message::Close(_)) => None,
            Err(error) => {
                let cut = cut_for(&error);
                self.is_cut = cut.is_some();
                cut
            }
        }
    }

    async fn read_out(&mut self) {
        while self.recv().await.is_some() {}
        if self.is_cut {
            let ends = self.socket.get_mut();
            poll_fn(|context| ends.poll_throw_away(context)).await;
        }
    }

    fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: Utf8Bytes::from_static(reason),
        };
        // A client that is gone already needs no goodbye.
        let _ = self.socket.close(Some(frame)).await;
    }
}

/// What a client did whose connection cannot go on; none when it is merely gone.
fn cut_for(error: &tungstenite::Error) -> Option<Inbound> {
    if let tungstenite::Error::Io(error) = error {
        return (error.kind() == IN_PIECES).then_some(Inbound::InPieces);
    }
    matches!(error, tungstenite::Error::Capacity(_)).then_some(Inbound::TooLarge)
}

/// What tungstenite reads from and writes its pongs and closes to. Writing never waits: the outlet keeps the order.
struct Ends {
    wire: Arc<TcpWire>,
    outlet: Arc<Outlet>,
    reads_left: u32,
    fragments: Fragments,
    is_in_pieces: bool,
}

impl Ends {
    /// Looks at what is read; what came before the piece that is one too many is still heard.
    fn follow(&mut self, read: &[u8]) {
        self.is_in_pieces |= !self.fragments.follow(read);
    }

    /// Lets others have their turn now and then. The runtime does so only for what asks its books, and reading does not
    /// while there is something.
    fn poll_turn(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.reads_left > 0 {
            self.reads_left -= 1;
            return Poll::Ready(());
        }
        self.reads_left = READS_AT_ONCE;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads what nobody will look at, until the client sends no more.
    fn poll_throw_away(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; THROWN_AWAY];
        loop {
            ready!(self.poll_turn(context));
            let mut buffer = ReadBuf::new(&mut bytes);
            match ready!(self.wire.poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Err(error) if error.kind() == IN_PIECES => {}
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for Ends {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_in_pieces {
            return Poll::Ready(Err(IN_PIECES.into()));
        }
        ready!(self.poll_turn(context));
        let before = buffer.filled().len();
        let read = self.wire.poll_read(context, buffer);
        match read.is_pending() {
            true => self.reads_left = READS_AT_ONCE,
            false => self.follow(&buffer.filled()[before..]),
        }
        read
    }
}

impl AsyncWrite for Ends {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.outlet
            .control(Frame::raw(Bytes::copy_from_slice(bytes)));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
