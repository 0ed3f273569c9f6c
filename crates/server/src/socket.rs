//! axum's WebSocket, as the hub sees a connection.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use diemcau_hub::{Inbound, Socket};
use diemcau_model::limits;
use tokio_tungstenite::tungstenite;

/// A browser's connection.
pub struct WebSocketLine(pub WebSocket);

impl Socket for WebSocketLine {
    async fn recv(&mut self) -> Option<Inbound> {
        loop {
            return match self.0.recv().await? {
                Ok(Message::Text(text)) if text.len() > limits::FRAME_MAX_BYTES => {
                    Some(Inbound::TooLarge)
                }
                Ok(Message::Text(text)) => Some(Inbound::Text(text.as_str().to_owned())),
                Ok(Message::Binary(_)) => Some(Inbound::NotText),
                Ok(Message::Ping(_) | Message::Pong(_)) => continue,
                Ok(Message::Close(_)) => None,
                Err(error) => is_too_large(error).then_some(Inbound::TooLarge),
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
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        // A client that is gone already needs no goodbye.
        let _ = self.0.send(Message::Close(Some(frame))).await;
    }
}

fn is_too_large(error: axum::Error) -> bool {
    let inner = error.into_inner();
    inner
        .downcast_ref()
        .is_some_and(|error| matches!(error, tungstenite::Error::Capacity(_)))
}
