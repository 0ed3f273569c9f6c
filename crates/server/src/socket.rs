//! A WebSocket, as the hub sees a connection: tungstenite reads, frames go out by the outlet.

use crate::{stream::Stream, wire::TcpWire};
use bytes::Bytes;
use diemcau_hub::{Frame, Inbound, Outlet, Socket, Wire};
use diemcau_model::limits;
use futures_util::StreamExt;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
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
/// Twice the limit, so that a frame a little over it gets its error instead of a cut.
const MESSAGE_MAX: usize = 2 * limits::FRAME_MAX_BYTES;

/// A browser's connection.
pub struct WebSocketLine {
    socket: WebSocketStream<Ends>,
    outlet: Arc<Outlet>,
}

impl WebSocketLine {
    /// Over a connection whose handshake is answered; none if it is not one of ours.
    pub async fn over(upgraded: Upgraded) -> Option<Self> {
        let parts = upgraded.downcast::<TokioIo<Stream>>().ok()?;
        let read = parts.read_buf.to_vec();
        let wire = Arc::new(TcpWire::new(parts.io.into_inner().into_parts()));
        let outlet = Outlet::new(Arc::clone(&wire) as Arc<dyn Wire>);
        let ends = Ends {
            wire,
            outlet: Arc::clone(&outlet),
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX));
        let socket =
            WebSocketStream::from_partially_read(ends, read, Role::Server, Some(config)).await;
        Some(Self { socket, outlet })
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
            Err(error) => is_too_large(&error).then_some(Inbound::TooLarge),
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

fn is_too_large(error: &tungstenite::Error) -> bool {
    matches!(error, tungstenite::Error::Capacity(_))
}

/// What tungstenite reads from and writes its pongs and closes to. Writing never waits: the outlet keeps the order.
struct Ends {
    wire: Arc<TcpWire>,
    outlet: Arc<Outlet>,
}

impl AsyncRead for Ends {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.wire.poll_read(context, buffer)
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
