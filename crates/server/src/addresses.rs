//! How many connections one address may have, and may make: a whole office behind one address fits, a flood does not.

use diemcau_model::subscriber;
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

/// Connections beyond an address's limit that are still told why they are turned away; further ones get no answer.
const TOLD_WHY: usize = 64;
/// Addresses remembered; beyond, who has none open is forgotten, and if that is not enough, a new one is turned away.
const ADDRESSES_MAX: usize = 65_536;

/// The limits of `config/default.toml`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections of all addresses.
    pub connections: usize,
    /// Connections of one address.
    pub of_address: usize,
    /// New connections of one address a second, after as many at once as it may have.
    pub new_a_second: u32,
}

/// Why a connection was turned away before anything was read from it, or before it was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// All addresses together have too many.
    Full,
    /// This address has too many.
    AddressFull,
    /// This address makes new ones too fast.
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
    by: HashMap<IpAddr, Address>,
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
    /// It is beyond its address's limit: it is told so, and nothing else.
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
        let address = subscriber(address);
        let admitted = self.lock().admit(address, now, &self.limits);
        match admitted {
            Ok(crowded) => {
                if crowded {
                    self.count(Turned::AddressFull);
                }
                Ok(Permit {
                    addresses: Arc::clone(self),
                    address,
                    crowded,
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
    /// Whether the connection is one too many, but few enough to be told.
    fn admit(&mut self, address: IpAddr, now: Instant, limits: &Limits) -> Result<bool, Turned> {
        if self.open >= limits.connections {
            return Err(Turned::Full);
        }
        if self.by.len() >= ADDRESSES_MAX && !self.by.contains_key(&address) {
            self.by.retain(|_, known| known.open > 0);
            if self.by.len() >= ADDRESSES_MAX {
                return Err(Turned::Full);
            }
        }
        let at_once = limits.of_address as f64;
        let known = self.by.entry(address).or_insert(Address {
            open: 0,
            left: at_once,
            at: now,
        });
        let earned = (now - known.at).as_secs_f64() * f64::from(limits.new_a_second);
        known.left = (known.left + earned).min(at_once);
        known.at = now;
        if known.left < 1.0 {
            return Err(Turned::AddressTooFast);
        }
        if known.open >= limits.of_address + TOLD_WHY {
            return Err(Turned::AddressFull);
        }
        known.left -= 1.0;
        known.open += 1;
        self.open += 1;
        Ok(known.open > limits.of_address)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut known = self.addresses.lock();
        known.open = known.open.saturating_sub(1);
        if let Some(address) = known.by.get_mut(&self.address) {
            address.open = address.open.saturating_sub(1);
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

    #[test]
    fn all_together_have_a_limit_too() {
        let limits = Limits {
            connections: 3,
            ..LIMITS
        };
        let addresses = addresses(limits);
        let now = Instant::now();
        let all: Vec<Permit> = (1..=3)
            .map(|n| addresses.admit(ip(&format!("192.0.2.{n}")), now).unwrap())
            .collect();
        assert_eq!(
            addresses.admit(ip("192.0.2.9"), now).map(drop),
            Err(Turned::Full)
        );
        drop(all);
        assert!(addresses.admit(ip("192.0.2.9"), now).is_ok());
    }
}
