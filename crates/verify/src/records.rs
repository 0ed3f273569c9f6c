//! The chain of records: numbering, hashes, shape, and that no command took effect twice.

use crate::{Checked, tables::Row};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The format this verifier knows.
const VERSION: i64 = 2;

/// What was read so far.
#[derive(Default)]
pub(crate) struct Records {
    pub number: u64,
    pub hash: [u8; 32],
    /// The last record of each command, by the seat that gave it, and when it was decided.
    effects: BTreeMap<(u32, String), (u64, u64)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    version: i64,
    number: u64,
    at: u64,
    seat: Option<u32>,
    command: Option<String>,
    #[serde(borrow)]
    event: &'a RawValue,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    _name: String,
}

impl Records {
    /// Takes the next record, or says what is wrong with it.
    pub fn take(&mut self, row: &Row) -> Checked<()> {
        let number = self.number + 1;
        if u64::try_from(row.id) != Ok(number) {
            return Err("the record is missing: another number stands in its place");
        }
        let columns = (row.number(1), row.blob(2), row.blob(3));
        let (Some(version), Some(bytes), Some(hash), true) =
            (columns.0, columns.1, columns.2, row.is_numbered(4))
        else {
            return Err("the row does not hold a version and two blobs");
        };
        let follows = Sha256::new().chain_update(self.hash).chain_update(bytes);
        let follows: [u8; 32] = follows.finalize().into();
        if follows != hash {
            return Err("its hash does not follow from its bytes and the record before it");
        }
        if version != VERSION {
            return Err("its format version is not known to this verifier");
        }
        let body: Body<'_> = serde_json::from_slice(bytes)
            .map_err(|_| "its bytes are not of the shape of a record")?;
        if (body.version, body.number) != (version, number) {
            return Err("its bytes name another number or version than its row");
        }
        let event = serde_json::from_str::<Event>(body.event.get());
        if event.is_err() || canonical(&body).as_bytes() != bytes {
            return Err("its bytes are not in the canonical form");
        }
        self.take_effect(&body)?;
        (self.number, self.hash) = (number, follows);
        Ok(())
    }

    /// All that follows from a command is decided at once and stands together.
    fn take_effect(&mut self, body: &Body<'_>) -> Checked<()> {
        let Some(command) = &body.command else {
            return Ok(());
        };
        let seat = body.seat.ok_or("it has a command that no seat gave")?;
        let effect = (body.number, body.at);
        match self.effects.insert((seat, command.clone()), effect) {
            None => Ok(()),
            Some((number, at)) if (number + 1, at) == effect => Ok(()),
            Some(_) => Err("its command took effect before"),
        }
    }
}

/// The record written again: only the event's inside could be written in another way.
fn canonical(body: &Body<'_>) -> String {
    let json = |value: Option<String>| value.unwrap_or("null".into());
    let text = |text: &String| serde_json::to_string(text).unwrap_or_default();
    format!(
        r#"{{"version":{},"number":{},"at":{},"seat":{},"command":{},"event":{}}}"#,
        body.version,
        body.number,
        body.at,
        json(body.seat.map(|seat| seat.to_string())),
        json(body.command.as_ref().map(text)),
        body.event.get()
    )
}
