//! The chain of records: numbering, hashes, shape, that no command took effect twice, and what is signed.

use crate::tables::Value::{self, Blob, Null, Number};
use crate::{Checked, Spot, ensure};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The format this verifier knows.
const VERSION: i64 = 3;
/// The number of every so many records is signed.
const SIGNED_EVERY: i64 = 256;

/// What was read so far.
#[derive(Default)]
pub(crate) struct Records {
    pub number: i64,
    pub hash: [u8; 32],
    /// The key of every checkpoint, and the last number that is signed.
    pub key: Option<Vec<u8>>,
    pub signed: i64,
    /// Where the checkpoint stands that is wrong, if one is.
    pub wrong: Vec<Spot>,
    /// Signatures by the number they are of, and where they stand.
    signatures: BTreeMap<i64, (Vec<u8>, Vec<Spot>)>,
    /// The last record of each command, by the seat that gave it, and when it was decided.
    effects: BTreeMap<(u32, String), (i64, u64)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    version: i64,
    number: i64,
    at: u64,
    seat: Option<u32>,
    command: Option<String>,
    event: serde_json::Value,
}

impl Records {
    /// Notes a checkpoint, for when its record comes.
    pub fn expect(&mut self, id: i64, columns: Vec<Value>, place: &[Spot]) -> Checked<()> {
        let [Null, Blob(key), Blob(signature)] = &columns[..] else {
            return Err("the checkpoint does not hold two blobs");
        };
        let first = self.key.get_or_insert_with(|| key.clone());
        ensure(first == key, "the checkpoint is of another key")?;
        let signature = (signature.clone(), place.to_vec());
        self.signatures.insert(id, signature);
        Ok(())
    }

    /// Takes the next record, or says what is wrong with it.
    pub fn take(&mut self, id: i64, columns: Vec<Value>) -> Checked<()> {
        let number = self.number + 1;
        ensure(id == number, "the record is missing: here is another")?;
        let [Null, Number(version), Blob(bytes), Blob(hash)] = &columns[..] else {
            return Err("the row does not hold a version and two blobs");
        };
        if digest(&SHA256, &[&self.hash[..], bytes].concat()).as_ref() != hash {
            return Err("its hash does not follow from its bytes and the record before it");
        }
        ensure(*version == VERSION, "its format version is not known")?;
        let body: Option<Body> = serde_json::from_slice(bytes).ok();
        let body = body.filter(|body| body.event["type"].is_string());
        let body = body.ok_or("its bytes are not of the shape of a record")?;
        if (body.version, body.number) != (VERSION, number) {
            return Err("its bytes name another number or version than its row");
        }
        self.take_effect(&body)?;
        self.check_signature(number, hash)?;
        self.number = number;
        self.hash.copy_from_slice(hash);
        Ok(())
    }

    /// Whether every checkpoint's record was there.
    pub fn end(&mut self) -> Checked<()> {
        let last = self.signatures.pop_last();
        self.wrong = last.map_or(vec![], |(_, (_, place))| place);
        let otherwise = "the record is missing: this checkpoint signs a later one";
        ensure(self.wrong.is_empty(), otherwise)
    }

    fn check_signature(&mut self, number: i64, hash: &[u8]) -> Checked<()> {
        let Some((signature, place)) = self.signatures.remove(&number) else {
            return ensure(number % SIGNED_EVERY > 0, "its checkpoint is missing");
        };
        let text = format!("diemcau checkpoint {number} {}", hex(hash));
        let key = UnparsedPublicKey::new(&ED25519, self.key.as_deref().unwrap_or_default());
        if key.verify(text.as_bytes(), &signature).is_err() {
            self.wrong = place;
            return Err("its checkpoint does not sign it: one of them is another");
        }
        self.signed = number;
        Ok(())
    }

    /// All that follows from a command is decided at once and stands together.
    fn take_effect(&mut self, body: &Body) -> Checked<()> {
        let Some(command) = &body.command else {
            return Ok(());
        };
        let seat = body.seat.ok_or("it has a command that no seat gave")?;
        let effect = (body.number, body.at);
        let before = self.effects.insert((seat, command.clone()), effect);
        let goes_on = before.is_none_or(|(number, at)| (number + 1, at) == effect);
        ensure(goes_on, "its command took effect before")
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
