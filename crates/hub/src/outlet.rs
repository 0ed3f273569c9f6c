//! What waits for one client. Bounded in frames and bytes: a client that does not read is cut, rejoins, and gets a
//! fresh snapshot instead of the frames it missed.
//!
//! Whoever has something to say writes it at once, without waking a task; only what the client does not take is kept,
//! and sent on by the connection's own task. That holds the queue only to look at it: a welcome takes long to copy, and
//! the room, which tells everybody in one round, must wait for none.

use crate::{Frame, SEND_AT_ONCE, Wire};
use diemcau_model::limits;
use std::{
    collections::VecDeque,
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::yield_now,
    time::{Instant, sleep_until},
};

/// How long one frame may wait for the client to take it.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// How long a client that is shut out may take to hear why, behind what waits for it: it is told no more, however it reads.
const END_WITHIN: Duration = Duration::from_secs(1);
/// Frames that may wait behind a welcome, and until they are gone: it takes minutes over a thin road, and a client that is
/// cut over it begins anew, for ever. Their bytes are bounded as always.
const BEHIND_WELCOME_MAX: usize = limits::OUTBOX_MAX * 16;
/// Bytes of a welcome that buy it one second more: it may be megabytes, and a room's road 256 kbit/s, of which a quarter
/// must be left for it.
const WELCOME_PACE: usize = 8 * 1024;
/// Time that may be bought ahead: a kernel holds some 240 KiB for a thin road, and takes more when a third of it has left.
const AHEAD_MAX: Duration = Duration::from_secs(30);

/// Why a connection is closed: the codes of RFC 6455, section 7.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// 1000: the client left, or everything is said.
    Normal,
    /// 1001: the server is stopping.
    Stopping,
    /// 1008: not admitted, replaced, or too fast.
    Policy,
    /// 1008: revoked or sent away, and at once.
    ShutOut,
    /// 1009: the frame was too large.
    TooLarge,
    /// 1011: the server has failed.
    Failed,
    /// 1013: too much waited for this client; it should join again.
    Lagging,
}

impl Close {
    /// Whether no more is to be told: who is shut out ahead of a record that fails hears that it failed.
    pub(crate) fn is_at_once(self) -> bool {
        match self {
            Self::ShutOut | Self::Failed => true,
            Self::Normal | Self::Stopping | Self::Policy | Self::TooLarge | Self::Lagging => false,
        }
    }

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::Stopping => 1001,
            Self::Policy | Self::ShutOut => 1008,
            Self::TooLarge => 1009,
            Self::Failed => 1011,
            Self::Lagging => 1013,
        }
    }
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It was sent, or waits for the client.
    Taken,
    /// Too much waited: the client has been cut.
    Lagging,
    /// The connection is closing already.
    Closed,
}

/// The way out of one connection.
pub struct Outlet {
    wire: Arc<dyn Wire>,
    queue: Mutex<Queue>,
    /// Wakes the connection's task: something waits, or the connection is to end.
    wake: Notify,
}

#[derive(Debug)]
struct Queue {
    /// Frames, and how many bytes each counts.
    frames: VecDeque<(Frame, usize)>,
    /// How many bytes of the first one are sent.
    sent: usize,
    /// More of the first one is being sent, by somebody who does not hold the queue meanwhile.
    is_sending: bool,
    /// How many bytes count, of all that wait.
    waiting: usize,
    /// How many frames may wait.
    most: usize,
    /// Since when the first one waits.
    since: Option<Instant>,
    /// When the last byte of a welcome was taken.
    welcomed: Option<Instant>,
    /// Why it is to end, and by when whatever the client reads.
    cut: Option<(Close, Instant)>,
    gone: bool,
}

/// What the connection's task does next.
enum Next {
    /// Nothing waits.
    Idle,
    /// It goes on after others had their turn.
    Again,
    /// The client does not take more; what waits first must be taken by then.
    Blocked(Instant),
    /// Everything is said, or no more can be: close.
    End(Close),
}

impl Outlet {
    /// The way out over a wire.
    #[must_use]
    pub fn new(wire: Arc<dyn Wire>) -> Arc<Self> {
        Arc::new(Self {
            wire,
            queue: Mutex::new(Queue::new()),
            wake: Notify::new(),
        })
    }

    /// Sends a frame, keeps it while the client takes no more, or cuts the client when too much waits.
    pub fn offer(&self, frame: &Frame) -> Offer {
        let counted = frame.len();
        let mut queue = self.lock();
        if queue.cut.is_some() || queue.gone {
            return Offer::Closed;
        }
        let mut sent = 0;
        if queue.frames.is_empty() {
            match self.wire.try_send(frame, 0) {
                Ok(taken) if taken == frame.len() => return self.sent_at_once(&mut queue),
                Ok(taken) => sent = taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return self.lost(&mut queue),
            }
        }
        let has_room = queue.has_room(counted);
        queue.sent += sent;
        if has_room {
            queue.push(frame.clone(), counted);
            self.wake.notify_one();
            return Offer::Taken;
        }
        if sent > 0 {
            // Begun is finished: the close that follows must not stand in the middle of a frame.
            queue.push(frame.clone(), counted);
        }
        self.cut(&mut queue, Close::Lagging);
        Offer::Lagging
    }

    /// Leaves the snapshot to the connection's own task: the kernel takes its time to copy it, and the room must not wait
    /// for a hundred who join at once. It may be larger than the bound by itself, and does not count.
    pub(crate) fn offer_snapshot(&self, frame: &Frame) -> Offer {
        let mut queue = self.lock();
        if queue.cut.is_some() || queue.gone {
            return Offer::Closed;
        }
        if !queue.has_room(0) {
            self.cut(&mut queue, Close::Lagging);
            return Offer::Lagging;
        }
        queue.push(frame.clone(), 0);
        queue.most = BEHIND_WELCOME_MAX;
        self.wake.notify_one();
        Offer::Taken
    }

    /// Sends a frame of the transport itself: also while the connection is closing, for the close is one. Who pings and
    /// does not take the answers is cut as any who does not read.
    pub fn control(&self, frame: Frame) {
        let mut queue = self.lock();
        let counted = frame.len();
        let is_out = queue.cut.is_some_and(|(why, _)| why.is_at_once());
        // Nor would it be heard: the rest of that frame is not sent.
        if is_out && queue.sent > 0 {
            return;
        }
        if !queue.has_room(counted) && !queue.has_room_for_close() {
            return self.cut(&mut queue, Close::Lagging);
        }
        queue.push(frame, counted);
        drop(queue);
        self.flush();
        if !self.lock().is_done() {
            self.wake.notify_one();
        }
    }

    fn sent_at_once(&self, queue: &mut Queue) -> Offer {
        match self.wire.try_flush() {
            Ok(()) => Offer::Taken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                queue.since.get_or_insert_with(Instant::now);
                self.wake.notify_one();
                Offer::Taken
            }
            Err(_) => self.lost(queue),
        }
    }

    /// Closes the connection after the frames that wait, unless it lags: then at once.
    pub fn close(&self, why: Close) {
        self.cut(&mut self.lock(), why);
    }

    fn cut(&self, queue: &mut Queue, why: Close) {
        // Who is shut out meanwhile is not left the time of something milder.
        if queue
            .cut
            .is_some_and(|(was, _)| was.is_at_once() || !why.is_at_once())
        {
            return;
        }
        let within = match why.is_at_once() {
            true => END_WITHIN,
            false => SEND_WITHIN + queue.takes(),
        };
        let by = Instant::now() + within;
        let by = queue.cut.map_or(by, |(_, was)| was.min(by));
        queue.cut = Some((why, by));
        if why == Close::Lagging {
            queue.forget();
        }
        self.wake.notify_one();
    }

    fn lost(&self, queue: &mut Queue) -> Offer {
        queue.gone = true;
        queue.frames.clear();
        self.wake.notify_one();
        Offer::Closed
    }

    /// Sends on what waits, until the connection is to end; then says why. Safe to cancel.
    pub(crate) async fn tend(&self) -> Close {
        loop {
            match self.next() {
                Next::End(why) => return why,
                Next::Idle => self.wake.notified().await,
                Next::Again => yield_now().await,
                Next::Blocked(until) => tokio::select! {
                    biased;
                    () = self.wake.notified() => {}
                    _ = self.writable() => {}
                    () = sleep_until(until) => return self.give_up(),
                },
            }
        }
    }

    /// Whether the client is being sent its welcome: it has no use for what the next second brings again.
    pub(crate) fn is_welcoming(&self) -> bool {
        self.lock().is_welcoming()
    }

    /// Whether a frame is begun that its client has not taken whole: nothing else can be said before.
    pub(crate) fn is_amid_a_frame(&self) -> bool {
        let queue = self.lock();
        queue.sent > 0 && !queue.gone
    }

    /// Until when the client was being sent its welcome, if it was: before, it cannot know that it may speak.
    pub(crate) fn welcomed(&self) -> Option<Instant> {
        let queue = self.lock();
        match queue.is_welcoming() {
            true => Some(Instant::now()),
            false => queue.welcomed,
        }
    }

    /// The client takes nothing: it is not waited for any longer, whatever it was closed for.
    fn give_up(&self) -> Close {
        let mut queue = self.lock();
        queue.forget();
        queue.cut.get_or_insert((Close::Lagging, Instant::now())).0
    }

    /// Waits until the client is to be told no more, if it comes to that while it is being closed. Safe to cancel.
    pub(crate) async fn shut_out(&self) {
        loop {
            let cut = self.lock().cut;
            if let Some((_, by)) = cut.filter(|(why, _)| why.is_at_once()) {
                sleep_until(by).await;
                self.give_up();
                return;
            }
            self.wake.notified().await;
        }
    }

    /// Waits until everything is sent that waits, the close with it. Safe to cancel.
    pub async fn drained(&self) {
        loop {
            let is_turn_over = self.flush();
            if self.lock().is_done() {
                return;
            }
            match is_turn_over {
                true => yield_now().await,
                false => {
                    let _ = self.writable().await;
                }
            }
        }
    }

    fn next(&self) -> Next {
        if self.flush() {
            return Next::Again;
        }
        let queue = self.lock();
        let until = queue.since.map(|since| since + SEND_WITHIN);
        match queue.cut {
            _ if queue.gone => Next::End(Close::Normal),
            Some((why, _)) if why == Close::Lagging || queue.is_done() => Next::End(why),
            Some((_, by)) => Next::Blocked(until.map_or(by, |until| until.min(by))),
            None => until.map_or(Next::Idle, Next::Blocked),
        }
    }

    /// Sends of what waits as much as the client takes, and no more than one turn's; true when others have theirs first.
    fn flush(&self) -> bool {
        let mut sent = 0;
        while sent < SEND_AT_ONCE {
            let Some((frame, from)) = self.begin() else {
                return false;
            };
            let Some(taken) = self.ended(self.wire.try_send(&frame, from)) else {
                return false;
            };
            sent += taken;
        }
        true
    }

    /// The first frame, and from which byte on it is to be sent. Whoever offers one meanwhile puts it behind, for this one
    /// stays in the queue.
    fn begin(&self) -> Option<(Frame, usize)> {
        let mut queue = self.lock();
        if queue.is_sending {
            return None;
        }
        if let Some((frame, _)) = queue.frames.front() {
            let frame = frame.clone();
            queue.is_sending = true;
            return Some((frame, queue.sent));
        }
        match self.wire.try_flush() {
            Ok(()) => queue.since = None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => {
                self.lost(&mut queue);
            }
        }
        None
    }

    /// How many bytes of the first frame were taken; none when no more are now.
    fn ended(&self, tried: io::Result<usize>) -> Option<usize> {
        let mut queue = self.lock();
        queue.is_sending = false;
        match tried {
            Ok(taken) => {
                queue.took(taken);
                return Some(taken);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => {
                self.lost(&mut queue);
            }
        }
        None
    }

    async fn writable(&self) -> io::Result<()> {
        std::future::poll_fn(|context| self.wire.poll_writable(context)).await
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A task that panicked while it held the queue has left it whole: no step of it stops half-way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

impl Queue {
    fn new() -> Self {
        Self {
            frames: VecDeque::new(),
            sent: 0,
            is_sending: false,
            waiting: 0,
            most: limits::OUTBOX_MAX,
            since: None,
            welcomed: None,
            cut: None,
            gone: false,
        }
    }

    fn has_room(&self, counted: usize) -> bool {
        let fits = self.waiting + counted <= limits::OUTBOX_MAX_BYTES;
        fits && self.frames.len() < self.most
    }

    /// The close has a place of its own, behind all that may wait.
    fn has_room_for_close(&self) -> bool {
        self.cut.is_some() && self.frames.len() <= self.most
    }

    fn push(&mut self, frame: Frame, counted: usize) {
        self.frames.push_back((frame, counted));
        self.waiting += counted;
        self.since.get_or_insert_with(Instant::now);
    }

    /// So many more bytes of the first frame are sent.
    fn took(&mut self, bytes: usize) {
        self.sent += bytes;
        let Some((frame, counted)) = self.frames.front() else {
            return;
        };
        if self.sent < frame.len() {
            if self.is_welcoming() {
                self.since = self.since.map(|since| later(since, bytes));
            }
            return;
        }
        let now = Instant::now();
        if self.is_welcoming() {
            self.welcomed = Some(now);
        }
        self.waiting -= counted;
        self.sent = 0;
        self.since = Some(now);
        self.frames.pop_front();
        if self.frames.len() < limits::OUTBOX_MAX && !self.is_welcoming() {
            self.most = limits::OUTBOX_MAX;
        }
    }

    /// Nothing of what waits will be sent, but the rest of a frame that is begun, or is about to be.
    fn forget(&mut self) {
        let is_begun = self.sent > 0 || self.is_sending;
        self.frames.truncate(usize::from(is_begun));
        self.waiting = self.frames.iter().map(|(_, counted)| counted).sum();
    }

    /// How long what waits takes over a thin road.
    fn takes(&self) -> Duration {
        let all: usize = self.frames.iter().map(|(frame, _)| frame.len()).sum();
        pace(all.saturating_sub(self.sent))
    }

    /// A welcome is what waits first.
    fn is_welcoming(&self) -> bool {
        matches!(self.frames.front(), Some((_, 0)))
    }

    fn is_done(&self) -> bool {
        self.gone || (self.frames.is_empty() && self.since.is_none())
    }
}

/// What is taken of a welcome buys time for the rest, some of it ahead: the kernel takes much at once.
fn later(since: Instant, bytes: usize) -> Instant {
    (since + pace(bytes)).min(Instant::now() + AHEAD_MAX)
}

fn pace(bytes: usize) -> Duration {
    Duration::from_secs_f64(bytes as f64 / WELCOME_PACE as f64)
}

#[cfg(test)]
mod tests;
