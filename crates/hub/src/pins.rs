//! A PIN is a short secret: after a few wrong ones nobody looks at the next, for longer each time.
//!
//! Counted by whose PIN it is, wrong or right, so that the answers to both are the same: a site's by the site, with whichever
//! of its links it comes, any other by the link. Not kept over a restart.

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
/// Links without a door whose tries are remembered; of more, the one that may try again soonest is forgotten. Those with a
/// door are no more than there are seats, and none of them is forgotten.
const STRANGE_LINKS_MAX: usize = 4_096;

/// The form in which a PIN is kept: over the token too, so that four digits cannot be found by trying all of them
/// against the journal. The SHA-256 in hex.
#[must_use]
pub fn pin_hash(token: &str, pin: &str) -> String {
    let text = format!("diemcau pin\n{token}\n{pin}");
    crate::hex(&Sha256::digest(text.as_bytes()))
}

/// The wrong PINs of each link. Those of links that open nothing are counted beside the others and not among them, so that
/// nobody makes the server forget the tries of a seat.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    with_door: Mutex<Links>,
    without: Mutex<Links>,
}

type Links = BTreeMap<String, Try>;

/// A link, as its tries are counted.
pub(crate) struct Link {
    /// What they are counted by: links that have a PIN in common have this in common.
    pub(crate) counted_by: String,
    pub(crate) has_door: bool,
}

#[derive(Clone, Copy, Debug)]
struct Try {
    wrong: u32,
    until: Instant,
}

impl Tries {
    /// How long no PIN is looked at.
    pub(crate) fn locked(&self, link: &Link) -> Duration {
        let now = Instant::now();
        let until = self.like(link).get(&link.counted_by).map(|seen| seen.until);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Counts a PIN as a wrong one before it is looked at, so that of many that come at once no more are looked at than one
    /// after the other. Returns how long none is looked at behind it; none when this one is not to be looked at either.
    pub(crate) fn take(&self, link: &Link) -> Option<Duration> {
        let now = Instant::now();
        let mut links = self.like(link);
        let seen = links.get(&link.counted_by);
        if seen.is_some_and(|seen| now < seen.until) {
            return None;
        }
        let wrong = seen.map_or(0, |seen| seen.wrong) + 1;
        let wait = wait_after(wrong);
        let until = now + wait;
        links.insert(link.counted_by.clone(), Try { wrong, until });
        if !link.has_door && links.len() > STRANGE_LINKS_MAX {
            let soonest = links.iter().min_by_key(|(_, seen)| seen.until);
            if let Some(link) = soonest.map(|(link, _)| link.clone()) {
                links.remove(&link);
            }
        }
        Some(wait)
    }

    /// The PIN was right: the count begins anew.
    pub(crate) fn right(&self, link: &Link) {
        self.like(link).remove(&link.counted_by);
    }

    /// The links that are counted with this one. A thread that died while it counted leaves a count behind that is as good
    /// as any.
    fn like(&self, link: &Link) -> MutexGuard<'_, Links> {
        let links = match link.has_door {
            true => &self.with_door,
            false => &self.without,
        };
        links.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn link(counted_by: &str, has_door: bool) -> Link {
        let counted_by = counted_by.to_owned();
        Link {
            counted_by,
            has_door,
        }
    }

    fn door(hash: &str) -> Link {
        link(hash, true)
    }

    #[tokio::test(start_paused = true)]
    async fn each_wrong_pin_beyond_the_fourth_costs_twice_the_time() {
        let tries = Tries::default();
        let mut waits = vec![];
        for _ in 0..14 {
            let wait = tries.take(&door("a")).unwrap();
            assert!(wait.is_zero() || tries.take(&door("a")).is_none());
            waits.push(wait.as_secs());
            tokio::time::advance(wait).await;
        }
        assert_eq!(
            waits,
            [
                0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600
            ]
        );
        tries.take(&door("a")).unwrap();
        assert!(tries.locked(&door("b")).is_zero(), "each link has its own");
        tokio::time::advance(Duration::from_secs(3_599)).await;
        assert!(!tries.locked(&door("a")).is_zero());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(tries.locked(&door("a")).is_zero());
        tries.right(&door("a"));
        assert_eq!(
            tries.take(&door("a")),
            Some(Duration::ZERO),
            "a right one starts anew"
        );
    }

    #[test]
    fn many_at_once_are_no_more_tries_than_one_after_the_other() {
        let (tries, start) = (Tries::default(), Barrier::new(50));
        let try_one = || {
            start.wait();
            tries.take(&door("a")).is_some()
        };
        let looked_at = thread::scope(|scope| {
            let all: Vec<_> = (0..50).map(|_| scope.spawn(try_one)).collect();
            let all = all.into_iter().map(|one| one.join().unwrap());
            all.filter(|looked_at| *looked_at).count()
        });
        assert_eq!(looked_at, FREE_TRIES as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_links_does_not_grow_the_memory_and_makes_no_try_of_a_seat_forgotten() {
        let tries = Tries::default();
        let (attacked, strange) = (door("attacked"), link("strange", false));
        for link in [&attacked, &strange] {
            (0..FREE_TRIES).for_each(|_| {
                tries.take(link);
            });
        }
        let flood = || {
            for n in 0..2 * STRANGE_LINKS_MAX {
                tries.take(&link(&n.to_string(), false));
            }
        };
        flood();
        assert_eq!(tries.like(&strange).len(), STRANGE_LINKS_MAX);
        assert!(!tries.locked(&strange).is_zero(), "while it is locked");
        assert!(!tries.locked(&attacked).is_zero());

        // Nor when the wait is over, and only the count is left.
        tokio::time::advance(WAIT_FIRST + Duration::from_secs(1)).await;
        flood();
        assert_eq!(tries.like(&strange).len(), STRANGE_LINKS_MAX);
        assert_eq!(tries.take(&attacked), Some(WAIT_FIRST * 2));
    }

    #[test]
    fn a_pin_is_kept_with_its_token() {
        assert_ne!(pin_hash("one", "1234"), pin_hash("two", "1234"));
        assert_ne!(pin_hash("one", "1234"), pin_hash("one", "1235"));
        assert_eq!(pin_hash("one", "1234").len(), 64);
    }
}
