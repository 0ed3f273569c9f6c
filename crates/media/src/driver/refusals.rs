//! What is asked and refused, as it is told: once a second to each leg's client, and only while nothing else waits to be
//! told. Who asks without end would else have the answers of others thrown away.

use crate::demux::LegId;
use crate::post::Post;
use diemcau_model::PeerSay;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A page that was told asks again after a second at the soonest, so that it hears of each of its asks at once.
const EVERY: Duration = Duration::from_secs(1);

/// Those who were told a moment ago, or are to be told.
#[derive(Default)]
pub struct Refusals(HashMap<LegId, Refused>);

#[derive(Default)]
struct Refused {
    told: Option<Instant>,
    /// Of several reasons the last.
    owed: Option<String>,
}

impl Refusals {
    /// Something is refused: it is told now, or as soon as it may.
    pub fn add(&mut self, leg: LegId, why: &str, now: Instant, says: &mut Post<PeerSay>) {
        let refused = self.0.entry(leg).or_default();
        refused.owed = Some(why.to_owned());
        refused.tell(leg, now, says);
    }

    /// Tells what may be told by now, and forgets who was told and has asked no more.
    pub fn tell(&mut self, now: Instant, says: &mut Post<PeerSay>) {
        self.0.retain(|leg, refused| {
            refused.tell(*leg, now, says);
            refused.owed.is_some() || !refused.may_hear(now)
        });
    }

    /// The leg is made after all, or its client is gone: it hears of nothing from before.
    pub fn forget(&mut self, leg: LegId) {
        self.0.remove(&leg);
    }
}

impl Refused {
    fn may_hear(&self, now: Instant) -> bool {
        let passed = |at| now.saturating_duration_since(at) >= EVERY;
        self.told.is_none_or(passed)
    }

    fn tell(&mut self, (peer, side): LegId, now: Instant, says: &mut Post<PeerSay>) {
        if says.is_waiting() || !self.may_hear(now) {
            return;
        }
        if let Some(reason) = self.owed.take() {
            self.told = Some(now);
            says.send(PeerSay::Failed { peer, side, reason });
        }
    }
}
