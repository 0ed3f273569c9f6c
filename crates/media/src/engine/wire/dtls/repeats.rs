//! What the other side says again before there are keys: our last flight is lost, or was slow. The library takes it for
//! news, which stops its clock, finds nothing in it to go on with, and is silent for good. So it does not get again what
//! it has answered already, and its answer goes out once more as it was, as if the network had doubled it (RFC 6347,
//! 4.2.4, has a flight said again then).

use super::records::{Fragment, cookie};
use bytes::BytesMut;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// So often in a leg: as often as the library repeats one flight by its clock.
pub const REPEATS_MAX: usize = 7;
/// Datagrams that wait for a way: a flight has up to seven. Of more the oldest are dropped like lost ones, and said again
/// when they are missed.
const WAITS_MAX: usize = 16;
const ALERT: u8 = 21;

/// What the library heard.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The pieces that it got, in their order, each as a number that only the same piece has. Who says something else
    /// in the client's name makes nothing of the client's a repeat.
    pieces: Vec<u64>,
    /// It has answered so many of them, and what drew the last flight is the last of these.
    answered: usize,
    asks: bool,
}

impl Heard {
    pub fn add(&mut self, piece: &Fragment<'_>) {
        self.pieces.push(number(piece));
    }

    /// A flight came of it.
    pub fn is_answered(&mut self) {
        self.answered = self.pieces.len();
    }

    /// Whether this was answered already. What drew our last flight asks for it: that is one piece of all that the other
    /// side repeats, so it asks once.
    pub fn knows(&mut self, piece: &Fragment<'_>) -> bool {
        let (answered, number) = (&self.pieces[..self.answered], number(piece));
        self.asks |= answered.last() == Some(&number);
        answered.contains(&number)
    }

    /// Whether our last flight was asked for since this was asked.
    pub fn asks(&mut self) -> bool {
        std::mem::take(&mut self.asks)
    }
}

fn number(piece: &Fragment<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (piece.head, piece.offset, piece.body).hash(&mut hasher);
    hasher.finish()
}

/// What we say.
pub struct Said {
    waits: VecDeque<BytesMut>,
    flight: Vec<BytesMut>,
    left: usize,
}

impl Said {
    pub fn new() -> Self {
        Self {
            waits: VecDeque::new(),
            flight: vec![],
            left: REPEATS_MAX,
        }
    }

    /// Whether a flight is in it that answers for good. A cookie does not: whoever says its hello again is given one anew, for
    /// there is no state (RFC 6347, 4.2.1).
    pub fn add(&mut self, new: Vec<BytesMut>) -> bool {
        self.wait(&new);
        let flight = new.into_iter();
        let flight = flight.filter(|datagram| datagram.first() != Some(&ALERT));
        let flight: Vec<BytesMut> = flight.collect();
        if flight.is_empty() {
            return false;
        }
        let answers = !flight.iter().all(|datagram| cookie(datagram).is_some());
        self.flight = flight;
        answers
    }

    fn wait(&mut self, datagrams: &[BytesMut]) {
        self.waits.extend(datagrams.iter().cloned());
        let beyond = self.waits.len().saturating_sub(WAITS_MAX);
        self.waits.drain(..beyond);
    }

    /// Unless it has not gone out yet.
    pub fn again(&mut self) {
        if self.waits.is_empty() && self.left > 0 {
            self.left -= 1;
            self.waits.extend(self.flight.iter().cloned());
        }
    }

    /// With keys the library repeats its last flight itself.
    pub fn keyed(&mut self) {
        self.flight = vec![];
    }

    pub fn next(&mut self) -> Option<BytesMut> {
        self.waits.pop_front()
    }
}
