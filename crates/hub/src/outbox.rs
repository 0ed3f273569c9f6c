//! What waits for one client. Bounded in frames and bytes: a client that does not read is cut, rejoins, and gets a
//! fresh snapshot instead of the frames it missed.

use bytes::Bytes;
use diemcau_model::limits;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{mpsc, watch};

/// Why a connection is closed: the codes of RFC 6455, section 7.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// 1000: the client left, or everything is said.
    Normal,
    /// 1001: the server is stopping.
    Stopping,
    /// 1008: not admitted, revoked, replaced, or too fast.
    Policy,
    /// 1009: the frame was too large.
    TooLarge,
    /// 1011: the server has failed.
    Failed,
    /// 1013: too much waited for this client; it should join again.
    Lagging,
}

impl Close {
    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::Stopping => 1001,
            Self::Policy => 1008,
            Self::TooLarge => 1009,
            Self::Failed => 1011,
            Self::Lagging => 1013,
        }
    }
}

/// The sending end, held by the room.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Frames, and how many bytes each counts.
    frames: mpsc::Sender<(Bytes, usize)>,
    waiting: Arc<AtomicUsize>,
    cut: watch::Sender<Option<Close>>,
}

/// The receiving end, held by the connection.
#[derive(Debug)]
pub(crate) struct Inlet {
    frames: mpsc::Receiver<(Bytes, usize)>,
    waiting: Arc<AtomicUsize>,
    cut: watch::Receiver<Option<Close>>,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It waits for the client.
    Queued,
    /// Too much waited: the client has been cut.
    Lagging,
    /// The connection is closing already.
    Closed,
}

/// What the connection does next.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Frame(Bytes),
    Close(Close),
}

pub(crate) fn outbox() -> (Outbox, Inlet) {
    let (frames, frames_in) = mpsc::channel(limits::OUTBOX_MAX);
    let (cut, cut_in) = watch::channel(None);
    let waiting = Arc::new(AtomicUsize::new(0));
    let inlet = Inlet {
        frames: frames_in,
        waiting: Arc::clone(&waiting),
        cut: cut_in,
    };
    (
        Outbox {
            frames,
            waiting,
            cut,
        },
        inlet,
    )
}

impl Outbox {
    /// Queues a frame, or cuts the client when too much waits.
    pub(crate) fn offer(&self, frame: Bytes) -> Offer {
        let size = frame.len();
        self.queue(frame, size)
    }

    /// Queues the snapshot: it may be larger than the bound by itself, and does not count.
    pub(crate) fn offer_snapshot(&self, frame: Bytes) -> Offer {
        self.queue(frame, 0)
    }

    fn queue(&self, frame: Bytes, counted: usize) -> Offer {
        if self.cut.borrow().is_some() {
            return Offer::Closed;
        }
        let before = self.waiting.fetch_add(counted, Ordering::Relaxed);
        let fits = before + counted <= limits::OUTBOX_MAX_BYTES;
        if fits && self.frames.try_send((frame, counted)).is_ok() {
            return Offer::Queued;
        }
        self.close(Close::Lagging);
        Offer::Lagging
    }

    /// Closes the connection after the frames that wait, unless it lags: then at once.
    pub(crate) fn close(&self, why: Close) {
        self.cut.send_if_modified(|cut| {
            let first = cut.is_none();
            if first {
                *cut = Some(why);
            }
            first
        });
    }
}

impl Inlet {
    /// The next frame, or the order to close. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Outgoing {
        tokio::select! {
            biased;
            why = cut(&mut self.cut) => match why {
                Close::Lagging => Outgoing::Close(why),
                Close::Normal | Close::Stopping | Close::Policy | Close::TooLarge | Close::Failed => {
                    self.frames.try_recv().map_or(Outgoing::Close(why), |frame| self.taken(frame))
                }
            },
            frame = self.frames.recv() => match frame {
                Some(frame) => self.taken(frame),
                None => Outgoing::Close(Close::Stopping),
            },
        }
    }

    fn taken(&self, (frame, counted): (Bytes, usize)) -> Outgoing {
        self.waiting.fetch_sub(counted, Ordering::Relaxed);
        Outgoing::Frame(frame)
    }
}

async fn cut(cut: &mut watch::Receiver<Option<Close>>) -> Close {
    match cut.wait_for(Option::is_some).await.map(|why| *why) {
        Ok(Some(why)) => why,
        // The room dropped the outbox without a word: the frames' end says so in its turn.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_come_in_order_and_then_the_close() {
        let (outbox, mut inlet) = outbox();
        assert_eq!(outbox.offer(Bytes::from_static(b"one")), Offer::Queued);
        assert_eq!(outbox.offer(Bytes::from_static(b"two")), Offer::Queued);
        outbox.close(Close::Policy);
        assert_eq!(outbox.offer(Bytes::from_static(b"three")), Offer::Closed);
        for expected in [&b"one"[..], b"two"] {
            assert!(matches!(inlet.next().await, Outgoing::Frame(frame) if frame == expected));
        }
        assert!(matches!(inlet.next().await, Outgoing::Close(Close::Policy)));
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_cut_at_once() {
        let (outbox, mut inlet) = outbox();
        let taken = (0..)
            .take_while(|_| outbox.offer(Bytes::from_static(b"x")) == Offer::Queued)
            .count();
        assert_eq!(taken, limits::OUTBOX_MAX);
        // It is cut once, however much more there is to say.
        assert_eq!(outbox.offer(Bytes::from_static(b"x")), Offer::Closed);
        assert!(matches!(
            inlet.next().await,
            Outgoing::Close(Close::Lagging)
        ));
    }

    #[tokio::test]
    async fn bytes_are_bounded_but_a_snapshot_always_goes() {
        let (outbox, mut inlet) = outbox();
        let large = Bytes::from(vec![b'x'; limits::OUTBOX_MAX_BYTES * 2]);
        let half = large.slice(..limits::OUTBOX_MAX_BYTES / 2);
        assert_eq!(outbox.offer_snapshot(large), Offer::Queued);
        assert_eq!(outbox.offer(half.clone()), Offer::Queued);
        assert_eq!(outbox.offer(half), Offer::Queued);
        assert_eq!(outbox.offer(Bytes::from_static(b"y")), Offer::Lagging);
        assert!(matches!(
            inlet.next().await,
            Outgoing::Close(Close::Lagging)
        ));
    }
}
