//! Those who only watch: up to ten thousand, told by a task of their own, so that the room and the sites never wait
//! for them.
//!
//! What they are told is a state: a slice that changed is noted, and encoded when its lane is free. So nothing queues
//! up behind a slow pass; it makes fewer frames, not later ones, and takes up what changes meanwhile: the last of
//! thousands hear no older news than the first. The floor's lane is told at once and overtakes the
//! feed's, whose facts are gathered; a floor that changes without end goes in turns with what it has overtaken. No slice
//! belongs to both lanes, so each slice arrives in the order it was encoded in.

use crate::{
    Frame, Metrics,
    outlet::{Offer, Outlet},
};
use diemcau_conference::Conference;
use diemcau_model::{Millis, PeerId, limits};
use diemcau_protocol::{Lane, ServerFrame, Slice, Viewer, facts};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::{AbortHandle, yield_now},
    time::Instant,
};

/// Clients told in one go; after them other tasks have their turn.
const CHUNK: usize = 64;
/// A pass of the feed may take this part of the time: the next one begins so many times its length after it, ...
const PASS_SHARE: u32 = 14;
/// ... but not later than this. A client whose kernel has heard nothing for its retransmission timeout, 200 ms at least
/// (RFC 6298 as Linux has it), acknowledges each of the next frames at once instead of some together: a third more for a
/// frame. And so a comment is everywhere within a quarter of a second.
const APART_MAX: Duration = Duration::from_millis(195);

/// The room's end: what has to be told yet.
#[derive(Debug)]
pub(crate) struct Crowd {
    shared: Arc<Shared>,
    /// What changed and is not encoded yet.
    floor: BTreeSet<Slice>,
    feed: BTreeSet<Slice>,
    /// Some of it changed after the frame that is on its way was encoded.
    is_fresher: bool,
    /// When the feed may be told again.
    feed_due: Instant,
    window: Duration,
    task: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the task: there is a pass to make.
    work: Notify,
    /// Wakes the room: a lane is free.
    free: Notify,
}

#[derive(Debug, Default)]
struct State {
    members: BTreeMap<PeerId, Arc<Outlet>>,
    floor: Option<Pass>,
    feed: Option<Pass>,
    /// A whole pass of the floor has overtaken the feed's: from now on they go in turns.
    takes_turns: bool,
    /// Whose turn was last.
    was: Option<Lane>,
    /// How long the feed's last pass kept this task busy.
    feed_took: Duration,
}

/// A frame on its way through everybody who was there when it was encoded. Who came later has a newer snapshot.
#[derive(Debug)]
struct Pass {
    /// What the frame tells.
    slices: BTreeSet<Slice>,
    frame: Frame,
    after: PeerId,
    last: PeerId,
    busy: Duration,
}

impl Crowd {
    /// A crowd without anybody, and its task. `window` is how long the feed's facts are gathered.
    pub(crate) fn spawn(window: Duration, metrics: Metrics) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Notify::new(),
            free: Notify::new(),
        });
        let task = tokio::spawn(tell(Arc::clone(&shared), metrics)).abort_handle();
        Self {
            shared,
            floor: BTreeSet::new(),
            feed: BTreeSet::new(),
            is_fresher: false,
            feed_due: Instant::now(),
            window,
            task,
        }
    }

    pub(crate) fn admit(&self, peer: PeerId, outlet: Arc<Outlet>) {
        self.shared.lock().members.insert(peer, outlet);
    }

    pub(crate) fn remove(&self, peer: PeerId) {
        self.shared.lock().members.remove(&peer);
    }

    /// Notes what changed.
    pub(crate) fn touched(&mut self, slices: &BTreeSet<Slice>) {
        if self.shared.lock().members.is_empty() {
            return;
        }
        for slice in slices {
            match slice.lane() {
                Lane::Floor => self.floor.insert(*slice),
                Lane::Feed => {
                    self.is_fresher = true;
                    self.feed.insert(*slice)
                }
            };
        }
    }

    /// Hands over what is due. Only while memory holds what is on disk.
    pub(crate) fn advance(&mut self, conference: &Conference, now: Millis) {
        let mut state = self.shared.lock();
        let mut begun = false;
        if state.floor.is_none() {
            let slices = std::mem::take(&mut self.floor);
            state.floor = state.pass(conference, slices, now);
            begun |= state.floor.is_some();
        }
        let is_due = !self.feed.is_empty() && self.feed_due <= Instant::now();
        if let Some(pass) = &mut state.feed {
            if std::mem::take(&mut self.is_fresher) {
                pass.take_up(conference, &self.feed, now);
            }
        } else if is_due {
            let slices = take(&mut self.feed, limits::FEED_FRAME_MAX);
            state.feed = state.pass(conference, slices, now);
            begun |= state.feed.is_some();
            self.is_fresher = false;
            let gap = match self.feed.is_empty() {
                true => {
                    let longest = APART_MAX.max(self.window);
                    (state.feed_took * PASS_SHARE).clamp(self.window, longest)
                }
                // More than a frame holds: the rest goes as soon as the lane is free.
                false => Duration::ZERO,
            };
            self.feed_due = Instant::now() + gap;
        }
        drop(state);
        if begun {
            self.shared.work.notify_one();
        }
    }

    /// When something becomes due by itself; none while nothing waits, or its lane is not free.
    pub(crate) fn due(&self) -> Option<Instant> {
        let busy = self.shared.lock().feed.is_some();
        (!busy && !self.feed.is_empty()).then_some(self.feed_due)
    }

    /// Waits until a lane is free. Safe to cancel.
    pub(crate) async fn freed(&self) {
        self.shared.free.notified().await;
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes the first so many slices out of a set.
fn take(slices: &mut BTreeSet<Slice>, most: usize) -> BTreeSet<Slice> {
    let rest = match slices.iter().nth(most).copied() {
        Some(next) => slices.split_off(&next),
        None => BTreeSet::new(),
    };
    std::mem::replace(slices, rest)
}

impl State {
    fn pass(&self, conference: &Conference, slices: BTreeSet<Slice>, now: Millis) -> Option<Pass> {
        let last = *self.members.keys().next_back()?;
        Some(Pass {
            frame: encode(conference, &slices, now)?,
            slices,
            after: PeerId(0),
            last,
            busy: Duration::ZERO,
        })
    }
}

impl Pass {
    /// Whoever is told from here on hears this too, as far as a frame holds it. It waits all the same: some were told before.
    fn take_up(&mut self, conference: &Conference, fresh: &BTreeSet<Slice>, now: Millis) {
        let slices = &self.slices | fresh;
        if slices.len() > limits::FEED_FRAME_MAX {
            return;
        }
        if let Some(frame) = encode(conference, &slices, now) {
            (self.slices, self.frame) = (slices, frame);
        }
    }
}

/// What slices are to those who only watch; none if they see nothing of them.
fn encode(conference: &Conference, slices: &BTreeSet<Slice>, now: Millis) -> Option<Frame> {
    let facts = facts(conference, slices, Viewer::Public);
    (!facts.is_empty()).then(|| {
        Frame::of(&ServerFrame::Facts {
            seq: conference.seq(),
            now,
            facts,
        })
    })
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every step leaves the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next clients of the pass that goes first, and what they are told.
    fn next(&self) -> Option<(Lane, Frame, Vec<Arc<Outlet>>)> {
        let mut state = self.lock();
        let State {
            members,
            floor,
            feed,
            takes_turns,
            was,
            ..
        } = &mut *state;
        let is_feeds_turn = *takes_turns && *was == Some(Lane::Floor);
        let (lane, pass) = match (floor, feed) {
            (Some(floor), None) => (Lane::Floor, floor),
            (Some(floor), Some(_)) if !is_feeds_turn => (Lane::Floor, floor),
            (_, Some(feed)) => (Lane::Feed, feed),
            (None, None) => return None,
        };
        *was = Some(lane);
        let mut outlets = Vec::with_capacity(CHUNK);
        let rest = (Bound::Excluded(pass.after), Bound::Included(pass.last));
        // A range must not begin behind its end: whoever was last may have been told already.
        if pass.after < pass.last {
            for (peer, outlet) in members.range(rest).take(CHUNK) {
                pass.after = *peer;
                outlets.push(Arc::clone(outlet));
            }
        }
        Some((lane, pass.frame.clone(), outlets))
    }

    /// Notes that some of a lane's pass is done; it is over when fewer were left than fit.
    fn told(&self, lane: Lane, count: usize, busy: Duration) {
        let mut state = self.lock();
        let slot = match lane {
            Lane::Floor => &mut state.floor,
            Lane::Feed => &mut state.feed,
        };
        let Some(pass) = slot else { return };
        pass.busy += busy;
        if count == CHUNK {
            return;
        }
        let took = pass.busy;
        *slot = None;
        if lane == Lane::Feed {
            state.feed_took = took;
        }
        state.takes_turns = state.feed.is_some();
        drop(state);
        self.free.notify_one();
    }
}

/// The crowd's task.
async fn tell(shared: Arc<Shared>, metrics: Metrics) {
    loop {
        let Some((lane, frame, outlets)) = shared.next() else {
            shared.work.notified().await;
            continue;
        };
        let begun = Instant::now();
        for outlet in &outlets {
            if outlet.offer(&frame) == Offer::Lagging {
                metrics.lagging.inc();
            }
        }
        shared.told(lane, outlets.len(), begun.elapsed());
        yield_now().await;
    }
}
