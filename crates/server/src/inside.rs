//! A client of the hub that lives in this process: it says and hears what a browser does, without a socket between.

use diemcau_hub::{Frame, Inbound, Outlet, Socket, Wire};
use diemcau_model::{Carries, DeviceId, Role};
use diemcau_protocol::{ClientFrame, ErrorWhy};
use serde::Deserialize;
use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};
use tokio::sync::mpsc;

/// Frames that wait for the client; the hub cuts one that takes no more for ten seconds.
const KEPT_MAX: usize = 256;
/// Frames that wait for the hub.
const SAID_MAX: usize = 16;

/// What such a client needs to know of what it hears; the rest is about screens it does not have.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Heard {
    /// It is asked who it is.
    Prove {},
    /// It waits at the door.
    Waiting { code: String },
    /// It is in.
    Welcome {},
    /// The answer to its offer to send.
    UplinkAnswer { sdp: String },
    /// The answer to its offer to receive.
    DownlinkAnswer { sdp: String },
    /// A connection of media could not be made, or is over.
    MediaFailed { reason: String },
    /// Something it asked was wrong, or it is sent away.
    Error { why: ErrorWhy, text: String },
    /// Anything else.
    #[serde(other)]
    Other,
}

/// The hub's end.
pub struct Line {
    said: mpsc::Receiver<String>,
    outlet: Arc<Outlet>,
    pipe: Arc<Pipe>,
    vouched: Vouched,
}

/// The device that the server vouches for, and the seats it may come to.
#[derive(Clone, Copy, Debug)]
pub struct Vouched {
    pub device: DeviceId,
    pub at: fn(Role, Carries) -> bool,
}

/// The client's end. Dropped, it has left.
#[derive(Debug)]
pub struct Client {
    say: mpsc::Sender<String>,
    pipe: Arc<Pipe>,
}

/// Both ends of a connection. The client itself has no key: the server vouches for it.
pub fn connection(vouched: Vouched) -> (Line, Client) {
    let (say, said) = mpsc::channel(SAID_MAX);
    let pipe = Arc::new(Pipe::default());
    let line = Line {
        said,
        outlet: Outlet::new(Arc::clone(&pipe) as Arc<dyn Wire>),
        pipe: Arc::clone(&pipe),
        vouched,
    };
    (line, Client { say, pipe })
}

impl Client {
    /// Says something; false when the hub has closed the connection.
    pub async fn say(&self, frame: &ClientFrame) -> bool {
        match serde_json::to_string(frame) {
            Ok(text) => self.say.send(text).await.is_ok(),
            Err(_) => false,
        }
    }

    /// The next thing it hears; none when the connection is over. Safe to cancel.
    pub async fn hear(&self) -> Option<Heard> {
        let frame = poll_fn(|context| self.pipe.poll_read(context)).await?;
        Some(heard(&frame))
    }
}

/// Most of what is heard is about screens, and some of it is megabytes: it is known by how it begins.
fn heard(frame: &Frame) -> Heard {
    let begins_with = |begin: &[u8]| frame.begins_with(begin);
    if begins_with(br#"{"type":"welcome""#) {
        return Heard::Welcome {};
    }
    if begins_with(br#"{"type":"facts""#) || begins_with(br#"{"type":"telemetry""#) {
        return Heard::Other;
    }
    serde_json::from_slice(&frame.text()).unwrap_or(Heard::Other)
}

impl Drop for Client {
    fn drop(&mut self) {
        self.pipe.close();
    }
}

impl Socket for Line {
    async fn recv(&mut self) -> Option<Inbound> {
        self.said.recv().await.map(Inbound::Text)
    }

    fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    async fn close(&mut self, _code: u16, _reason: &'static str) {
        self.pipe.close();
    }

    fn fits(&self, role: Role, carries: Carries) -> bool {
        (self.vouched.at)(role, carries)
    }

    fn vouched(&self) -> Option<DeviceId> {
        Some(self.vouched.device)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.pipe.close();
    }
}

/// Frames on their way to the client.
#[derive(Debug, Default)]
struct Pipe(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Every step leaves the queue whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more is taken; what waits is still read.
    fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        let wakers = [queue.reader.take(), queue.writer.take()];
        drop(queue);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn poll_read(&self, context: &mut Context<'_>) -> Poll<Option<Frame>> {
        let mut queue = self.queue();
        if let Some(frame) = queue.frames.pop_front() {
            if let Some(writer) = queue.writer.take() {
                writer.wake();
            }
            return Poll::Ready(Some(frame));
        }
        if queue.closed {
            return Poll::Ready(None);
        }
        queue.reader = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Wire for Pipe {
    fn try_send(&self, frame: &Frame, _from: usize) -> io::Result<usize> {
        let mut queue = self.queue();
        if queue.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if queue.frames.len() >= KEPT_MAX {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        // A frame is taken whole or not at all.
        queue.frames.push_back(frame.clone());
        if let Some(reader) = queue.reader.take() {
            reader.wake();
        }
        Ok(frame.len())
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut queue = self.queue();
        if queue.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if queue.frames.len() < KEPT_MAX {
            return Poll::Ready(Ok(()));
        }
        queue.writer = Some(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diemcau_model::Side;
    use diemcau_protocol::ServerFrame;

    const VOUCHED: Vouched = Vouched {
        device: DeviceId([1; 32]),
        at: |_, _| true,
    };

    fn frame() -> Frame {
        Frame::of(&ServerFrame::Stopping)
    }

    #[tokio::test]
    async fn what_waits_is_read_after_the_close_and_then_it_is_over() {
        let (line, client) = connection(VOUCHED);
        let failed = ServerFrame::MediaFailed {
            side: Side::Uplink,
            reason: "why".into(),
        };
        line.pipe.try_send(&Frame::of(&failed), 0).unwrap();
        line.pipe.try_send(&frame(), 0).unwrap();
        drop(line);
        let heard = client.hear().await;
        assert!(matches!(heard, Some(Heard::MediaFailed { reason }) if reason == "why"));
        assert!(matches!(client.hear().await, Some(Heard::Other)));
        assert!(client.hear().await.is_none());
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_waited_for_and_not_beyond() {
        let (line, client) = connection(VOUCHED);
        for _ in 0..KEPT_MAX {
            line.pipe.try_send(&frame(), 0).unwrap();
        }
        let full = line.pipe.try_send(&frame(), 0).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        let pipe = Arc::clone(&line.pipe);
        let writable = tokio::spawn(poll_fn(move |context| pipe.poll_writable(context)));
        client.hear().await.unwrap();
        writable.await.unwrap().unwrap();
        line.pipe.try_send(&frame(), 0).unwrap();
        drop(client);
        let gone = line.pipe.try_send(&frame(), 0).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
    }
}
