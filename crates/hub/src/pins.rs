//! A PIN is a short secret: after a few wrong ones nobody looks at the next, for longer each time.
//!
//! Counted by the link, wrong or right, so that the answers to both are the same. Not kept over a restart.

use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Wrong PINs before the first wait.
const FREE_TRIES: u32 = 5;
/// The first wait; each further wrong PIN doubles it.
const WAIT_FIRST: Duration = Duration::from_secs(30);
/// The longest wait.
const WAIT_MOST: Duration = Duration::from_secs(3_600);
/// Links whose tries are remembered; of more, the one that may try again soonest is forgotten.
const LINKS_MAX: usize = 4_096;

/// The form in which a PIN is kept: over the token too, so that four digits cannot be found by trying all of them
/// against the journal. The SHA-256 in hex.
#[must_use]
pub fn pin_hash(token: &str, pin: &str) -> String {
    let text = format!("diemcau pin\n{token}\n{pin}");
    crate::hex(&Sha256::digest(text.as_bytes()))
}

/// The wrong PINs of each link.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<BTreeMap<String, Try>>);

#[derive(Clone, Copy, Debug)]
struct Try {
    wrong: u32,
    until: Instant,
}

impl Tries {
    /// How long no PIN is looked at.
    pub(crate) fn locked(&self, link: &str) -> Duration {
        let now = Instant::now();
        let until = self.lock().get(link).map(|seen| seen.until);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Counts a PIN as a wrong one before it is looked at, so that of many that come at once no more are looked at than one
    /// after the other. Returns how long none is looked at behind it; none when this one is not to be looked at either.
    pub(crate) fn take(&self, link: &str) -> Option<Duration> {
        let now = Instant::now();
        let mut links = self.lock();
        let seen = links.get(link);
        if seen.is_some_and(|seen| now < seen.until) {
            return None;
        }
        let wrong = seen.map_or(0, |seen| seen.wrong) + 1;
        let wait = wait_after(wrong);
        let until = now + wait;
        links.insert(link.to_owned(), Try { wrong, until });
        if links.len() > LINKS_MAX {
            let soonest = links.iter().min_by_key(|(_, seen)| seen.until);
            if let Some(link) = soonest.map(|(link, _)| link.clone()) {
                links.remove(&link);
            }
        }
        Some(wait)
    }

    /// The PIN was right: the count begins anew.
    pub(crate) fn right(&self, link: &str) {
        self.lock().remove(link);
    }

    // A thread that died while it counted leaves a count behind that is as good as any.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Try>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait_after(wrong: u32) -> Duration {
    match wrong.checked_sub(FREE_TRIES) {
        None => Duration::ZERO,
        Some(more) => WAIT_FIRST.saturating_mul(1 << more.min(16)).min(WAIT_MOST),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use std::{sync::Barrier, thread};

    #[tokio::test(start_paused = true)]
    async fn each_wrong_pin_beyond_the_fourth_costs_twice_the_time() {
        let tries = Tries::default();
        let mut waits = vec![];
        for _ in 0..14 {
            let wait = tries.take("a").unwrap();
            assert!(wait.is_zero() || tries.take("a").is_none());
            waits.push(wait.as_secs());
            tokio::time::advance(wait).await;
        }
        assert_eq!(
            waits,
            [
                0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600
            ]
        );
        tries.take("a").unwrap();
        assert!(tries.locked("b").is_zero(), "each link has its own");
        tokio::time::advance(Duration::from_secs(3_599)).await;
        assert!(!tries.locked("a").is_zero());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(tries.locked("a").is_zero());
        tries.right("a");
        assert_eq!(
            tries.take("a"),
            Some(Duration::ZERO),
            "a right one starts anew"
        );
    }

    #[test]
    fn many_at_once_are_no_more_tries_than_one_after_the_other() {
        let (tries, start) = (Tries::default(), Barrier::new(50));
        let try_one = || {
            start.wait();
            tries.take("a").is_some()
        };
        let looked_at = thread::scope(|scope| {
            let all: Vec<_> = (0..50).map(|_| scope.spawn(try_one)).collect();
            let all = all.into_iter().map(|one| one.join().unwrap());
            all.filter(|looked_at| *looked_at).count()
        });
        assert_eq!(looked_at, FREE_TRIES as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_links_does_not_grow_the_memory() {
        let tries = Tries::default();
        (0..5).for_each(|_| {
            tries.take("the one under attack");
        });
        for n in 0..2 * LINKS_MAX {
            tries.take(&n.to_string());
        }
        assert_eq!(tries.lock().len(), LINKS_MAX);
        assert!(!tries.locked("the one under attack").is_zero());
    }

    #[test]
    fn a_pin_is_kept_with_its_token() {
        assert_ne!(pin_hash("one", "1234"), pin_hash("two", "1234"));
        assert_ne!(pin_hash("one", "1234"), pin_hash("one", "1235"));
        assert_eq!(pin_hash("one", "1234").len(), 64);
    }
}
