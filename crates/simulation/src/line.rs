//! The WebSocket on a simulated wire: the server's end as the hub sees it, and the client's end as a machine sees it.

use crate::wire::End;
use bytes::Bytes;
use diemcau_hub::{Inbound, Socket};
use diemcau_model::limits;
use futures_util::{SinkExt, StreamExt};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::{
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
pub struct Served(WebSocketStream<End>);

impl Served {
    /// Speaks WebSocket on an end; the handshake is HTTP's matter and left out.
    pub async fn new(end: End) -> Self {
        // As the server's own upgrade sets it.
        let config = WebSocketConfig::default()
            .max_message_size(Some(2 * limits::FRAME_MAX_BYTES))
            .max_frame_size(Some(2 * limits::FRAME_MAX_BYTES));
        Self(WebSocketStream::from_raw_socket(end, Role::Server, Some(config)).await)
    }
}

impl Socket for Served {
    async fn recv(&mut self) -> Option<Inbound> {
        loop {
            return match self.0.next().await? {
                Ok(Message::Text(text)) if text.len() > limits::FRAME_MAX_BYTES => {
                    Some(Inbound::TooLarge)
                }
                Ok(Message::Text(text)) => Some(Inbound::Text(text.as_str().to_owned())),
                Ok(Message::Binary(_)) => Some(Inbound::NotText),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                Ok(Message::Close(_)) => None,
                Err(Error::Capacity(_)) => Some(Inbound::TooLarge),
                Err(_) => None,
            };
        }
    }

    async fn send(&mut self, text: Bytes) -> bool {
        match Utf8Bytes::try_from(text) {
            Ok(text) => self.0.send(Message::Text(text)).await.is_ok(),
            Err(_) => false,
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code: code.into(),
            reason: Utf8Bytes::from_static(reason),
        };
        let _ = self.0.send(Message::Close(Some(frame))).await;
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

    /// The machine reads nothing until then: it sleeps, or is overloaded.
    pub fn deafen(&self, until: Instant) {
        self.heard().deaf_until = Some(until);
    }

    /// Whether it reads nothing now.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.deaf_until()
            .is_some_and(|until| until > Instant::now())
    }

    fn deaf_until(&self) -> Option<Instant> {
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
