//! The bytes of a record and the chain that holds them together. No store is known here.

use crate::JournalError;
use diemcau_conference::Event;
use diemcau_model::{Millis, SeatId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{io::Write, sync::Arc};

/// The version written by this program. It grows when an old program could misread a new record.
pub const FORMAT_VERSION: u16 = 3;

/// An event to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was decided.
    pub at: Millis,
    /// Whose command it follows from; none for time and signals.
    pub seat: Option<SeatId>,
    /// The id of that command; its repetition gets the same answer.
    pub command: Option<String>,
    /// What happened.
    pub event: Event,
}

/// An event as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 1, without gaps.
    pub number: u64,
    /// The version of the format it was written in.
    pub version: u16,
    /// SHA-256 over the previous record's hash and this one's body.
    pub hash: [u8; 32],
    /// When it was decided.
    pub at: Millis,
    /// Whose command it follows from; none for time and signals.
    pub seat: Option<SeatId>,
    /// The id of that command.
    pub command: Option<String>,
    /// What happened.
    pub event: Event,
}

/// A record as a store keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub number: u64,
    pub version: i64,
    pub body: Vec<u8>,
    pub hash: Vec<u8>,
}

/// The same, borrowed from the store.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub number: i64,
    pub version: i64,
    pub body: &'a [u8],
    pub hash: &'a [u8],
}

/// The end of the chain: what the next record is sealed onto or checked against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// The last number; 0 before the first.
    pub number: u64,
    /// The last hash; zeros before the first.
    pub hash: [u8; 32],
}

impl Chain {
    /// The number of the next record.
    pub fn next_number(&self) -> u64 {
        self.number + 1
    }

    /// Numbers and seals an entry, and moves on to it.
    pub fn seal(&mut self, entry: &Entry) -> Result<Sealed, JournalError> {
        let number = self.next_number();
        let body = serde_json::to_vec(&BodyOut {
            version: FORMAT_VERSION,
            number,
            at: entry.at,
            seat: entry.seat,
            command: entry.command.as_deref(),
            event: &entry.event,
        })
        .map_err(JournalError::io)?;
        let hash = self.hash_with(&body);

        *self = Self { number, hash };
        Ok(Sealed {
            number,
            version: i64::from(FORMAT_VERSION),
            body,
            hash: hash.to_vec(),
        })
    }

    /// Checks that a stored record is the next one, unharmed, and moves on to it.
    pub fn check(&mut self, stored: Stored<'_>) -> Result<(), JournalError> {
        let number = self.next_number();
        let corrupt = |what| Err(JournalError::Corrupt { number, what });

        if i64::try_from(number) != Ok(stored.number) {
            return corrupt("the record is missing");
        }
        let hash = self.hash_with(stored.body);
        if hash != stored.hash {
            return corrupt("its hash does not follow from its bytes and the record before it");
        }
        if stored.version != i64::from(FORMAT_VERSION) {
            let version = stored.version;
            return Err(JournalError::UnknownVersion { number, version });
        }
        if !stored.body.starts_with(Head::of(number).bytes()) {
            return corrupt("its bytes name another number or version than its row");
        }

        *self = Self { number, hash };
        Ok(())
    }

    fn hash_with(&self, body: &[u8]) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.hash)
            .chain_update(body)
            .finalize()
            .into()
    }
}

/// Reads a record whose place in the chain has been checked.
pub(crate) fn decode(checked: Chain, body: &[u8]) -> Result<Record, JournalError> {
    let number = checked.number;
    let body: BodyIn = serde_json::from_slice(body).map_err(|source| JournalError::Unreadable {
        number,
        source: Arc::new(source),
    })?;
    Ok(Record {
        number: body.number,
        version: body.version,
        hash: checked.hash,
        at: body.at,
        seat: body.seat,
        command: body.command,
        event: body.event,
    })
}

/// The order of these fields is the canonical order.
#[derive(Serialize)]
struct BodyOut<'a> {
    version: u16,
    number: u64,
    at: Millis,
    seat: Option<SeatId>,
    command: Option<&'a str>,
    event: &'a Event,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BodyIn {
    version: u16,
    number: u64,
    at: Millis,
    seat: Option<SeatId>,
    command: Option<String>,
    event: Event,
}

/// How every body of a number begins: checked without parsing, for the bytes are canonical.
struct Head {
    bytes: [u8; 64],
    len: usize,
}

impl Head {
    fn of(number: u64) -> Self {
        let mut bytes = [0; 64];
        let mut room = &mut bytes[..];
        let fits = write!(room, "{{\"version\":{FORMAT_VERSION},\"number\":{number},");
        assert!(
            fits.is_ok(),
            "two integers and their names are shorter than 64 bytes"
        );
        let len = 64 - room.len();
        Self { bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written down in `JOURNAL.md`: an independent verifier may test itself with these bytes.
    #[test]
    fn the_bytes_and_the_hash_are_those_of_the_document() {
        let mut chain = Chain::default();
        let first = chain
            .seal(&Entry {
                at: Millis(1_622_075_400_000),
                seat: None,
                command: None,
                event: Event::ListSet { open: true },
            })
            .unwrap();
        let second = chain
            .seal(&Entry {
                at: Millis(1_622_075_401_250),
                seat: Some(SeatId(7)),
                command: Some("c-1".into()),
                event: Event::RequestDenied {
                    turn: diemcau_model::TurnId(1),
                    reason: "Hết giờ".into(),
                    at: Millis(1_622_075_401_250),
                },
            })
            .unwrap();

        let document = include_str!("../JOURNAL.md");
        for sealed in [first, second] {
            let body = String::from_utf8(sealed.body).unwrap();
            let hash: String = sealed
                .hash
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert!(document.contains(&body), "JOURNAL.md lacks {body}");
            assert!(
                document.contains(&hash),
                "JOURNAL.md lacks {hash} of {body}"
            );
        }
    }

    #[test]
    fn a_head_is_how_its_body_begins() {
        for number in [1, 10, 99_999, u64::MAX] {
            let mut chain = Chain {
                number: number - 1,
                hash: [0; 32],
            };
            let sealed = chain
                .seal(&Entry {
                    at: Millis(0),
                    seat: None,
                    command: None,
                    event: Event::ListSet { open: false },
                })
                .unwrap();
            assert!(sealed.body.starts_with(Head::of(number).bytes()));
        }
    }
}
