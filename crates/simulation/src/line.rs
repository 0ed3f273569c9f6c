//! The WebSocket on a simulated wire: the server's end as the hub sees it, and the client's end as a machine sees it.

use crate::wire::End;
use bytes::Bytes;
use diemcau_hub::{Frame, Inbound, Outlet, Socket};
use diemcau_model::{DeviceId, limits};
use futures_util::{SinkExt, StreamExt};
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};

/// The server's end.
pub struct Served {
    socket: WebSocketStream<Ends>,
    outlet: Arc<Outlet>,
    device: Option<DeviceId>,
}

impl Served {
    /// Speaks WebSocket on an end; the handshake is HTTP's matter and left out.
    pub async fn new(end: End, device: Option<DeviceId>) -> Self {
        // As the server's own upgrade sets it.
        let config = WebSocketConfig::default()
            .max_message_size(Some(2 * limits::FRAME_MAX_BYTES))
            .max_frame_size(Some(2 * limits::FRAME_MAX_BYTES));
        let outlet = Outlet::new(Arc::new(end.out()));
        let ends = Ends {
            end,
            outlet: Arc::clone(&outlet),
        };
        let socket = WebSocketStream::from_raw_socket(ends, Role::Server, Some(config)).await;
        Self {
            socket,
            outlet,
            device,
        }
    }
}

impl Socket for Served {
    async fn recv(&mut self) -> Option<Inbound> {
        match self.socket.next().await? {
            Ok(Message::Text(text)) if text.len() > limits::FRAME_MAX_BYTES => {
                Some(Inbound::TooLarge)
            }
            Ok(Message::Text(text)) => Some(Inbound::Text(text.as_str().to_owned())),
            Ok(Message::Binary(_)) => Some(Inbound::NotText),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Some(Inbound::Control),
            Ok(Message::Close(_)) => None,
            Err(Error::Capacity(_)) => Some(Inbound::TooLarge),
            Err(_) => None,
        }
    }

    fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    // Signatures are left out: they would be of other keys in each run of a seed. The wire's own tests have them.
    fn vouched(&self) -> Option<DeviceId> {
        self.device
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code: code.into(),
            reason: Utf8Bytes::from_static(reason),
        };
        let _ = self.socket.close(Some(frame)).await;
    }
}

/// What tungstenite reads from, and writes its pongs and closes to, as the server has it.
struct Ends {
    end: End,
    outlet: Arc<Outlet>,
}

impl AsyncRead for Ends {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_read(cx, into)
    }
}

impl AsyncWrite for Ends {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bytes_taken = bytes.len();
        self.outlet
            .control(Frame::raw(Bytes::copy_from_slice(bytes)));
        Poll::Ready(Ok(bytes_taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What a machine has heard and not yet looked at.
#[derive(Clone, Default)]
pub struct Ear(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    texts: Vec<Utf8Bytes>,
    over: bool,
    deaf_until: Option<Instant>,
}

impl Ear {
    /// Takes what was heard, and whether the connection is over.
    #[must_use]
    pub fn take(&self) -> (Vec<Utf8Bytes>, bool) {
        let mut heard = self.heard();
        (std::mem::take(&mut heard.texts), heard.over)
    }

    /// The machine reads nothing until then: it sleeps, or is overloaded. Nobody wakes one that sleeps longer already.
    pub fn deafen(&self, until: Instant) {
        let mut heard = self.heard();
        heard.deaf_until = heard.deaf_until.max(Some(until));
    }

    /// Whether it reads nothing now.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.deaf_until()
            .is_some_and(|until| until > Instant::now())
    }

    /// Until when it reads nothing.
    #[must_use]
    pub fn deaf_until(&self) -> Option<Instant> {
        self.heard().deaf_until
    }

    // Every change is complete before the lock is left.
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client's end, until the connection is over or the machine lets go of `say`.
pub async fn listen(end: End, mut say: mpsc::UnboundedReceiver<Message>, ear: Ear) {
    let mut socket = WebSocketStream::from_raw_socket(end, Role::Client, None).await;
    loop {
        if let Some(until) = ear.deaf_until() {
            sleep_until(until).await;
        }
        tokio::select! {
            biased;
            message = say.recv() => match message {
                Some(message) => {
                    if socket.send(message).await.is_err() {
                        break;
                    }
                }
                None => break,
            },
            heard = socket.next() => match heard {
                Some(Ok(Message::Text(text))) => ear.heard().texts.push(text),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(
                    Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_),
                )) => {}
            },
        }
    }
    ear.heard().over = true;
}
