//! How many connections over TCP there are that no leg answers, and whose: one subscriber, or one that has many networks
//! of IPv6, does not take the places of all. A client's are not counted: an office whose network blocks UDP has its rooms
//! and hundreds of observers behind one address, and what bounds them are the legs there may be.

use diemcau_model::{NETWORK_TIMES, network_of, subscriber};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections at once that are no client's, and of one subscriber.
pub const CONNECTIONS_MAX: usize = 512;
pub const OF_SUBSCRIBER_MAX: usize = 32;
/// Those of a network of IPv6, of which one subscriber may own all.
const OF_NETWORK_MAX: usize = OF_SUBSCRIBER_MAX * NETWORK_TIMES as usize;
/// One place of so many is kept for those with few connections, so that those with many do not take all.
const KEPT_OF: usize = 10;
/// How many are few: a room with its uplink, its downlink and what it presents, and its standby.
const FEW: usize = 8;

/// The connections that are open and no client's.
#[derive(Default)]
pub struct Open(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    all: usize,
    of: HashMap<IpAddr, usize>,
    /// The same of the networks around them.
    around: HashMap<IpAddr, usize>,
}

/// A connection that is open, counted as long as it is no client's.
pub struct Counted {
    open: Arc<Open>,
    from: IpAddr,
    is_clients: bool,
}

impl Counted {
    /// None if there is no place for it.
    pub fn one_more(open: &Arc<Open>, from: IpAddr) -> Option<Self> {
        let mut counts = open.lock();
        if !counts.has_place(from) {
            return None;
        }
        counts.take(from);
        drop(counts);
        Some(Self {
            open: Arc::clone(open),
            from,
            is_clients: false,
        })
    }

    /// A leg answered it: it gives its place back.
    pub fn is_clients(&mut self) {
        if !std::mem::replace(&mut self.is_clients, true) {
            self.open.lock().give_back(self.from);
        }
    }

    /// It is a client's no longer; false if there is no place for it.
    pub fn is_nobodys(&mut self) -> bool {
        let mut counts = self.open.lock();
        let has_place = !self.is_clients || counts.has_place(self.from);
        if self.is_clients && has_place {
            counts.take(self.from);
            self.is_clients = false;
        }
        has_place
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.is_clients();
    }
}

impl Open {
    // Every change is complete before the lock is left.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn has_place(&self, from: IpAddr) -> bool {
        let of =
            |counts: &HashMap<_, usize>, whose| counts.get(&whose).copied().unwrap_or_default();
        let of_own = of(&self.of, subscriber(from));
        let around = network_of(from).map_or(0, |network| of(&self.around, network));
        let kept = match of_own < FEW && around < FEW {
            true => 0,
            false => CONNECTIONS_MAX / KEPT_OF,
        };
        self.all < CONNECTIONS_MAX - kept && of_own < OF_SUBSCRIBER_MAX && around < OF_NETWORK_MAX
    }

    fn take(&mut self, from: IpAddr) {
        self.all += 1;
        *self.of.entry(subscriber(from)).or_default() += 1;
        if let Some(network) = network_of(from) {
            *self.around.entry(network).or_default() += 1;
        }
    }

    fn give_back(&mut self, from: IpAddr) {
        self.all = self.all.saturating_sub(1);
        one_less(&mut self.of, subscriber(from));
        if let Some(network) = network_of(from) {
            one_less(&mut self.around, network);
        }
    }
}

/// Who has none is forgotten.
fn one_less(counts: &mut HashMap<IpAddr, usize>, of: IpAddr) {
    match counts.get_mut(&of) {
        Some(count) if *count > 1 => *count -= 1,
        _ => _ = counts.remove(&of),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_more(open: &Arc<Open>, from: &str) -> Option<Counted> {
        Counted::one_more(open, from.parse().unwrap())
    }

    /// Connections until there is no place for one more.
    fn fill(open: &Arc<Open>, from: impl Fn(usize) -> String) -> Vec<Counted> {
        (0..)
            .map_while(|nth| one_more(open, &from(nth)))
            .take(CONNECTIONS_MAX + 1)
            .collect()
    }

    #[test]
    fn a_subscriber_with_thousands_of_networks_has_the_places_of_two() {
        let open = Arc::default();
        let own = fill(&open, |nth| format!("2001:db8:1:{nth:x}::1"));
        assert_eq!(own.len(), 2 * OF_SUBSCRIBER_MAX);
        assert!(one_more(&open, "2001:db8:1:ffff::1").is_none());
        assert!(one_more(&open, "2001:db8:2::1").is_some(), "another's");
        drop(own);
        assert!(one_more(&open, "2001:db8:1:ffff::1").is_some());
    }

    #[test]
    fn the_last_places_are_for_those_with_few_connections() {
        let open = Arc::default();
        let many = fill(&open, |nth| {
            format!("2001:db8:{:x}::1", nth / OF_SUBSCRIBER_MAX)
        });
        assert_eq!(many.len(), 461, "a tenth is left");
        // Nor do many networks make one of few.
        assert!(one_more(&open, "2001:db8:0:ffff::1").is_none());
        let rooms = fill(&open, |nth| format!("198.51.100.{}", nth / FEW));
        assert_eq!(rooms.len(), 51);
        assert!(one_more(&open, "192.0.2.1").is_none(), "all are taken");
        drop(many);
        assert!(one_more(&open, "192.0.2.1").is_some());
    }

    #[test]
    fn clients_of_one_address_take_no_places_until_they_are_clients_no_longer() {
        let open = Arc::default();
        let mut clients = vec![];
        for nth in 0..1_000 {
            let one = one_more(&open, "192.0.2.1");
            let mut one = one.unwrap_or_else(|| panic!("the {nth}th finds no place"));
            one.is_clients();
            clients.push(one);
        }
        let strangers = fill(&open, |_| "192.0.2.1".into());
        assert_eq!(strangers.len(), OF_SUBSCRIBER_MAX);
        drop(strangers);
        let stay = clients
            .iter_mut()
            .filter_map(|one| one.is_nobodys().then_some(()));
        assert_eq!(stay.count(), OF_SUBSCRIBER_MAX);
        assert!(one_more(&open, "192.0.2.1").is_none(), "they are counted");
        clients.remove(0);
        assert!(one_more(&open, "192.0.2.1").is_some());
        drop(clients);
        let counts = open.lock();
        assert_eq!((counts.all, counts.of.len()), (0, 0));
    }

    #[test]
    fn nothing_is_remembered_of_who_is_refused_or_gone() {
        let open = Arc::default();
        let all = fill(&open, |nth| format!("198.{}.{}.1", nth / 100, nth % 100));
        assert_eq!(all.len(), CONNECTIONS_MAX);
        for nth in 0..100 {
            assert!(one_more(&open, &format!("2001:db8:{nth:x}::1")).is_none());
        }
        let known = || {
            let counts = open.lock();
            (counts.all, counts.of.len(), counts.around.len())
        };
        assert_eq!(known(), (CONNECTIONS_MAX, CONNECTIONS_MAX, 0));
        drop(all);
        let two: Vec<_> = (0..2).map(|_| one_more(&open, "2001:db8::1")).collect();
        assert_eq!(known(), (2, 1, 1));
        drop(two);
        assert_eq!(known(), (0, 0, 0));
    }
}
