//! How many connections one address may have, and may make: a whole office behind one address fits, a flood does not.

use diemcau_model::{NETWORK_TIMES, network_of, subscriber};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Connections beyond a limit that are still told why they are turned away; further ones get no answer.
const TOLD_WHY: usize = 64;
/// How many are told at once, of all addresses.
const TOLD_WHY_MAX: usize = 256;
/// One place of so many is kept for addresses with few connections, so that those with many do not take all.
const KEPT_OF: usize = 10;
/// How many are few: a household's pages, a room's machines.
const FEW: usize = 16;
/// Addresses remembered; beyond, who has none open is forgotten, and if that is not enough, a new one is turned away.
const ADDRESSES_MAX: usize = 65_536;

/// The limits of `config/default.toml`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections of all addresses.
    pub connections: usize,
    /// Connections of one address; of a network of IPv6 `NETWORK_TIMES` as many.
    pub of_address: usize,
    /// New connections of one address a second, after as many at once as it may have.
    pub new_a_second: u32,
}

/// Why a connection was turned away before anything was read from it, or before it was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// All addresses together have too many, or all that have more than a few.
    Full,
    /// This address has too many, or its network.
    AddressFull,
    /// This address makes new ones too fast, or its network.
    AddressTooFast,
    /// No TLS came, or not in time.
    Handshake,
    /// A page of another server asked for a WebSocket.
    ForeignOrigin,
}

/// The label of `diemcau_turned_away`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    why: &'static str,
}

/// Everybody's connections, by address.
#[derive(Debug)]
pub struct Addresses {
    limits: Limits,
    turned_away: Family<Why, Counter>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    open: usize,
    /// Connections beside them that are told why they are turned away.
    told: usize,
    by: HashMap<IpAddr, Address>,
    /// The same of the networks around them.
    around: HashMap<IpAddr, Address>,
}

#[derive(Debug)]
struct Address {
    open: usize,
    /// New connections it may still make at once.
    left: f64,
    at: Instant,
}

/// A connection that counts, until this is dropped.
#[derive(Debug)]
pub struct Permit {
    addresses: Arc<Addresses>,
    address: IpAddr,
    /// It is beyond a limit: it is told so, and nothing else.
    pub crowded: bool,
}

impl Addresses {
    /// Nobody is connected.
    #[must_use]
    pub fn new(limits: Limits, registry: &mut Registry) -> Arc<Self> {
        let turned_away = Family::default();
        registry.register(
            "diemcau_turned_away",
            "Connections that were turned away unread",
            turned_away.clone(),
        );
        Arc::new(Self {
            limits,
            turned_away,
            known: Mutex::default(),
        })
    }

    /// Counts a new connection, or says why there may be none.
    ///
    /// # Errors
    /// A limit is reached; it is counted.
    pub fn admit(self: &Arc<Self>, address: IpAddr, now: Instant) -> Result<Permit, Turned> {
        let admitted = self.lock().admit(address, now, &self.limits);
        match admitted {
            Ok(told) => {
                told.into_iter().for_each(|why| self.count(why));
                Ok(Permit {
                    addresses: Arc::clone(self),
                    address,
                    crowded: told.is_some(),
                })
            }
            Err(why) => {
                self.count(why);
                Err(why)
            }
        }
    }

    /// Counts somebody who was turned away.
    pub fn count(&self, turned: Turned) {
        let why = match turned {
            Turned::Full => "full",
            Turned::AddressFull => "address_full",
            Turned::AddressTooFast => "address_too_fast",
            Turned::Handshake => "handshake",
            Turned::ForeignOrigin => "foreign_origin",
        };
        self.turned_away.get_or_create(&Why { why }).inc();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Counting does not stop half-way.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Why the connection is one too many, if it is; few enough of those are told.
    fn admit(
        &mut self,
        address: IpAddr,
        now: Instant,
        limits: &Limits,
    ) -> Result<Option<Turned>, Turned> {
        let own = remembered(&mut self.by, subscriber(address), now, limits.of_address)?;
        let around = network_of(address).map(|network| {
            let most = limits.of_address * NETWORK_TIMES as usize;
            remembered(&mut self.around, network, now, most)
        });
        let around = around.transpose()?;
        let is_few = own.open < FEW && around.as_ref().is_none_or(|around| around.open < FEW);
        let mut counted = vec![(own, 1)];
        counted.extend(around.map(|around| (around, NETWORK_TIMES)));

        let mut told = None;
        for (one, times) in &mut counted {
            let (most, a_second) = (
                limits.of_address * *times as usize,
                limits.new_a_second * *times,
            );
            if !one.may_make(now, most, a_second) {
                return Err(Turned::AddressTooFast);
            }
            told = told.or(beyond(one.open, most, Turned::AddressFull)?);
        }
        let kept = if is_few {
            0
        } else {
            limits.connections / KEPT_OF
        };
        let is_full = self.open >= limits.connections - kept;
        told = told.or(is_full.then_some(Turned::Full));
        if let Some(why) = told.filter(|_| self.told >= TOLD_WHY_MAX) {
            return Err(why);
        }

        for (one, _) in counted {
            one.left -= 1.0;
            one.open += 1;
        }
        match told {
            Some(_) => self.told += 1,
            None => self.open += 1,
        }
        Ok(told)
    }
}

/// What is known of an address, or of a network.
fn remembered(
    known: &mut HashMap<IpAddr, Address>,
    address: IpAddr,
    now: Instant,
    most: usize,
) -> Result<&mut Address, Turned> {
    if known.len() >= ADDRESSES_MAX && !known.contains_key(&address) {
        known.retain(|_, known| known.open > 0);
        if known.len() >= ADDRESSES_MAX {
            return Err(Turned::Full);
        }
    }
    Ok(known.entry(address).or_insert(Address {
        open: 0,
        left: most as f64,
        at: now,
    }))
}

/// Whether one more is beyond a limit: told so as long as few are, and then turned away.
fn beyond(open: usize, most: usize, why: Turned) -> Result<Option<Turned>, Turned> {
    match open >= most + TOLD_WHY {
        true => Err(why),
        false => Ok((open >= most).then_some(why)),
    }
}

impl Address {
    /// Whether it may make another one now.
    fn may_make(&mut self, now: Instant, at_once: usize, a_second: u32) -> bool {
        let earned = (now - self.at).as_secs_f64() * f64::from(a_second);
        self.left = (self.left + earned).min(at_once as f64);
        self.at = now;
        self.left >= 1.0
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut known = self.addresses.lock();
        match self.crowded {
            true => known.told = known.told.saturating_sub(1),
            false => known.open = known.open.saturating_sub(1),
        }
        if let Some(own) = known.by.get_mut(&subscriber(self.address)) {
            own.open = own.open.saturating_sub(1);
        }
        let around = network_of(self.address).and_then(|network| known.around.get_mut(&network));
        if let Some(around) = around {
            around.open = around.open.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LIMITS: Limits = Limits {
        connections: 1_000,
        of_address: 10,
        new_a_second: 2,
    };

    fn addresses(limits: Limits) -> Arc<Addresses> {
        Addresses::new(limits, &mut Registry::default())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_slowed_down_after_its_burst_and_others_are_not() {
        let addresses = addresses(LIMITS);
        let begun = Instant::now();
        let taken = || addresses.admit(ip("192.0.2.1"), begun).map(drop);
        assert_eq!((0..20).filter(|_| taken().is_ok()).count(), 10);
        assert_eq!(taken(), Err(Turned::AddressTooFast));
        assert!(addresses.admit(ip("192.0.2.2"), begun).is_ok());
        // A second later two more.
        let later = begun + Duration::from_secs(1);
        let again = (0..20).filter(|_| addresses.admit(ip("192.0.2.1"), later).is_ok());
        assert_eq!(again.count(), 2);
        assert_eq!(
            addresses
                .turned_away
                .get_or_create(&Why {
                    why: "address_too_fast"
                })
                .get(),
            10 + 1 + 18
        );
    }

    #[test]
    fn beyond_its_limit_an_address_is_told_so_and_soon_not_even_that() {
        let limits = Limits {
            new_a_second: 1_000_000,
            ..LIMITS
        };
        let addresses = addresses(limits);
        let (mut now, mut permits) = (Instant::now(), vec![]);
        let refused = loop {
            now += Duration::from_secs(1);
            match addresses.admit(ip("2001:db8::1"), now) {
                Ok(permit) => permits.push(permit),
                Err(why) => break why,
            }
        };
        assert_eq!(refused, Turned::AddressFull);
        let crowded = permits.iter().filter(|permit| permit.crowded).count();
        assert_eq!((permits.len() - crowded, crowded), (10, TOLD_WHY));
        // The same subscriber's next address changes nothing; another subscriber is let in.
        assert!(addresses.admit(ip("2001:db8::2"), now).is_err());
        assert!(addresses.admit(ip("2001:db8:0:1::1"), now).is_ok());
        // Whoever leaves makes room.
        permits.clear();
        now += Duration::from_secs(1);
        assert!(!addresses.admit(ip("2001:db8::1"), now).unwrap().crowded);
    }

    /// Connections until there may be no more, how many of them are told that they are too many, and why no more.
    fn fill(
        addresses: &Arc<Addresses>,
        from: impl Fn(usize) -> String,
    ) -> (Vec<Permit>, usize, Turned) {
        let (mut now, mut permits) = (Instant::now(), vec![]);
        let why = loop {
            now += Duration::from_secs(1);
            match addresses.admit(ip(&from(permits.len())), now) {
                Ok(permit) => permits.push(permit),
                Err(why) => break why,
            }
        };
        let told = permits.iter().filter(|permit| permit.crowded).count();
        (permits, told, why)
    }

    #[test]
    fn a_subscriber_with_thousands_of_networks_has_the_places_of_two_addresses() {
        let limits = Limits {
            new_a_second: 1_000_000,
            ..LIMITS
        };
        let addresses = addresses(limits);
        let own = |n: usize| format!("2001:db8:1:{n:x}::1");
        let (permits, told, why) = fill(&addresses, own);
        assert_eq!((permits.len() - told, told), (20, TOLD_WHY));
        assert_eq!(why, Turned::AddressFull);
        let later = Instant::now() + Duration::from_secs(1_000);
        let comes = |from: &str| {
            addresses
                .admit(ip(from), later)
                .map(|permit| permit.crowded)
        };
        assert_eq!(comes("2001:db8:2::1"), Ok(false));
        assert_eq!(comes("2001:db8:1:ffff::1"), Err(Turned::AddressFull));
        drop(permits);
        assert_eq!(comes("2001:db8:1:ffff::1"), Ok(false));
    }

    #[test]
    fn such_a_subscriber_makes_new_ones_as_fast_as_two_addresses() {
        let (addresses, now) = (addresses(LIMITS), Instant::now());
        let new = |from: usize, now| {
            let own = (from..from + 100).map(|n| ip(&format!("2001:db8:1:{n:x}::1")));
            own.filter(|own| addresses.admit(*own, now).is_ok()).count()
        };
        assert_eq!(new(0, now), 20);
        assert_eq!(new(100, now + Duration::from_secs(1)), 4);
    }

    #[test]
    fn all_together_have_a_limit_too_and_the_first_beyond_it_are_told() {
        let limits = Limits {
            connections: 3,
            ..LIMITS
        };
        let addresses = addresses(limits);
        let (all, told, why) = fill(&addresses, |n| format!("192.{}.{}.1", n / 200, n % 200));
        assert_eq!((all.len() - told, told), (3, TOLD_WHY_MAX));
        assert_eq!(why, Turned::Full);
        drop(all);
        let again = addresses.admit(ip("192.0.2.9"), Instant::now());
        assert!(!again.unwrap().crowded);
    }

    #[test]
    fn the_last_places_are_for_addresses_with_few_connections() {
        let limits = Limits {
            connections: 1_000,
            of_address: 10_000,
            new_a_second: 1_000_000,
        };
        let addresses = addresses(limits);
        let (many, told, why) = fill(&addresses, |_| "192.0.2.1".into());
        assert_eq!((many.len() - told, told), (900, TOLD_WHY_MAX));
        assert_eq!(why, Turned::Full);
        // Beside it the rest: so that nobody but who has too many notices.
        let (few, told, _) = fill(&addresses, |n| format!("198.51.{}.{}", n / FEW, 1));
        assert_eq!((few.len(), told), (100, 0));
    }
}
