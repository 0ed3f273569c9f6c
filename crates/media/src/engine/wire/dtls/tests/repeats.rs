//! What is lost of a handshake, and said again.

use super::super::repeats::REPEATS_MAX;
use super::*;

/// Of a message with which a server asks for a hello again.
const COOKIE: u8 = 3;

impl Pair {
    /// Their clock, when they last said something that was not answered.
    fn they_wait(&mut self) {
        self.now += FIRST_WAIT;
        self.them.handle_timeout(SOMEWHERE, self.now).unwrap();
    }

    /// Whether there are keys within so much time, over a road that loses nothing more.
    fn comes_through_within(&mut self, limit: Duration) -> bool {
        let end = self.now + limit;
        while !self.is_through() && self.now < end {
            self.turn((true, true), 1);
            self.they_wait();
            self.us.tick(self.now).unwrap();
        }
        self.is_through()
    }
}

/// How many datagrams we have to say.
fn lost(pair: &mut Pair) -> usize {
    std::iter::from_fn(|| pair.us.transmit()).count()
}

#[test]
fn a_flight_of_a_server_that_is_lost_is_said_again_when_the_client_says_its_own_again() {
    let mut pair = Pair::usual(1_200);
    pair.turn((true, true), 1);
    pair.turn((true, false), 1);
    assert_eq!(pair.us.deadline(), Some(pair.now + Duration::from_secs(1)));
    pair.they_wait();
    assert!(pair.comes_through_within(Duration::from_secs(2)));
}

#[test]
fn a_flight_of_a_client_that_is_lost_is_said_again_when_the_server_says_its_own_again() {
    let identity = Identity::generate().unwrap();
    let mut pair = Pair::of(&identity, SUITES.to_vec(), &[GCM], 1_200, Role::Server);
    pair.turn((true, true), 1);
    pair.turn((true, true), 1);
    pair.turn((true, false), 1);
    assert!(pair.us.deadline().is_some() && !pair.they_have_keys);
    pair.they_wait();
    assert!(pair.comes_through_within(Duration::from_secs(2)));
}

#[test]
fn a_flight_is_said_again_only_so_often_whatever_is_said_again() {
    let mut pair = Pair::usual(1_200);
    pair.turn((true, true), 1);
    let hello = pair.them.poll_transmit().unwrap().message;
    pair.says(hello.clone());
    let flight = lost(&mut pair);
    assert!(flight > 0);
    let again: usize = (0..100)
        .map(|_| {
            pair.says(hello.clone());
            lost(&mut pair)
        })
        .sum();
    assert_eq!(again, flight * REPEATS_MAX);
    assert!(pair.us.deadline().is_some(), "our clock goes on");
}

#[test]
fn a_flight_that_waits_for_a_way_is_not_doubled() {
    let mut pair = Pair::usual(1_200);
    pair.turn((true, true), 1);
    let hello = pair.them.poll_transmit().unwrap().message;
    pair.says(hello.clone());
    pair.says(hello.clone());
    let flight = lost(&mut pair);
    pair.says(hello);
    assert_eq!(lost(&mut pair), flight);
}

/// As with a downlink whose client has not answered a check yet.
#[test]
fn what_waits_for_a_way_is_no_more_than_a_flight() {
    let mut pair = Pair::usual(1_200);
    let first = pair.them.poll_transmit().unwrap().message;
    pair.says(first.clone());
    let cookie = pair.us.transmit().unwrap();
    pair.hears(cookie);
    let second = pair.them.poll_transmit().unwrap().message;
    let firsts = std::iter::repeat_n(first, 200);
    for (number, mut hello) in (1_u16..).zip(firsts.chain([second])) {
        hello[9..11].copy_from_slice(&number.to_be_bytes());
        pair.says(hello);
    }
    let waits: Vec<BytesMut> = std::iter::from_fn(|| pair.us.transmit()).collect();
    assert!(waits.len() <= 16, "{} datagrams wait", waits.len());
    let newest = waits.last().map(|datagram| datagram[13]);
    assert!(newest.is_some_and(|kind| kind != COOKIE), "the flight");
}

/// Each is compared with all that was heard.
#[test]
fn what_was_answered_is_compared_only_so_often_whatever_is_said_again() {
    let mut pair = Pair::usual(1_200);
    pair.turn((true, true), 1);
    let nothing = fragment(0, 9, 0, 0, b"");
    pair.says(BytesMut::from(&record(HANDSHAKE, 0, 2, &nothing)[..]));
    lost(&mut pair);
    let hello = pair.them.poll_transmit().unwrap().message;
    pair.says(hello.clone());
    let flight = lost(&mut pair);
    pair.says(hello.clone());
    assert_eq!(lost(&mut pair), flight);
    for copies in [100, 1] {
        let again = record(HANDSHAKE, 0, 3, &nothing.repeat(copies));
        (0..100).for_each(|_| pair.says(BytesMut::from(&again[..])));
    }
    pair.says(hello);
    assert_eq!(lost(&mut pair), 0, "it is looked at no more");
}

/// What a browser does over a road that loses three datagrams in ten: it says its last flight again after 50, 100, 200 ms
/// and so on, each record with a new number.
struct Lossy {
    pair: Pair,
    random: u64,
    flight: Vec<BytesMut>,
    number: u64,
    wait: Duration,
    due: Instant,
}

impl Lossy {
    fn new(seed: u64) -> Self {
        let pair = Pair::usual(1_200);
        Self {
            due: pair.now,
            pair,
            random: seed,
            flight: vec![],
            number: 0,
            wait: FIRST_WAIT,
        }
    }

    fn arrives(&mut self) -> bool {
        let mixed = self.random.wrapping_mul(0x5851_f42d_4c95_7f2d);
        self.random = mixed.wrapping_add(0x1405_7b7e_f767_814f);
        (self.random >> 33) % 10 >= 3
    }

    /// The records of a datagram with numbers of their own; those that are protected stay as they are.
    fn numbered(&mut self, datagram: &BytesMut) -> BytesMut {
        let mut numbered = datagram.clone();
        let mut at = 0;
        while at < numbered.len() {
            if numbered[at + 3..at + 5] == [0, 0] {
                numbered[at + 5..at + 11].copy_from_slice(&self.number.to_be_bytes()[2..]);
                self.number += 1;
            }
            at += 13 + usize::from(u16::from_be_bytes([numbered[at + 11], numbered[at + 12]]));
        }
        numbered
    }

    fn step(&mut self) {
        let fresh = std::iter::from_fn(|| self.pair.them.poll_transmit());
        let fresh: Vec<BytesMut> = fresh.map(|one| one.message).collect();
        if !fresh.is_empty() {
            (self.flight, self.wait, self.due) = (fresh, FIRST_WAIT, self.pair.now);
        }
        if self.pair.now >= self.due && !self.pair.they_have_keys {
            self.due = self.pair.now + self.wait;
            self.wait *= 2;
            for datagram in self.flight.clone() {
                let datagram = self.numbered(&datagram);
                if self.arrives() {
                    self.pair.says(datagram);
                }
            }
        }
        while let Some(datagram) = self.pair.us.transmit() {
            if self.arrives() {
                self.pair.hears(datagram);
            }
        }
        self.pair.now += Duration::from_millis(10);
        self.pair.us.tick(self.pair.now).unwrap();
    }

    /// Whether both have keys within so much time.
    fn comes_through_within(mut self, limit: Duration) -> bool {
        let end = self.pair.now + limit;
        while !self.pair.is_through() && self.pair.now < end {
            self.step();
        }
        self.pair.is_through()
    }
}

#[test]
fn a_browser_has_keys_soon_over_a_road_that_loses_three_in_ten() {
    for seed in 0..200 {
        let lossy = Lossy::new(seed);
        assert!(
            lossy.comes_through_within(Duration::from_secs(5)),
            "seed {seed}"
        );
    }
}
