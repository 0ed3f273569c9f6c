//! Signatures under the chain: with the public key kept elsewhere, nobody can write the whole record anew unseen.

use crate::{JournalError, format::Chain};
use ring::{
    error::KeyRejected,
    signature::{Ed25519KeyPair, KeyPair},
};
use std::{fmt, io, sync::Arc};

/// The number of every so many records is signed; besides, the last one when the journal is closed.
pub const CHECKPOINT_EVERY: u64 = 256;

/// The Ed25519 key (RFC 8032) that signs a journal's checkpoints. A clone is the same key.
#[derive(Clone)]
pub struct CheckpointKey(Arc<Ed25519KeyPair>);

/// A signed end of the chain, as it is stored.
pub(crate) struct Checkpoint {
    pub number: u64,
    pub key: Vec<u8>,
    pub signature: Vec<u8>,
}

impl CheckpointKey {
    /// The key that follows from 32 secret bytes: the same bytes, the same key.
    ///
    /// # Errors
    /// The library refuses it; for 32 bytes it has no reason to.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, JournalError> {
        let refused = |why: KeyRejected| JournalError::io(io::Error::other(format!("{why}")));
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(refused)?;
        Ok(Self(Arc::new(pair)))
    }

    /// The public key in hex, as people compare it: 64 digits.
    #[must_use]
    pub fn public(&self) -> String {
        hex(self.0.public_key().as_ref())
    }

    /// Signs the end of a chain, if it is one to be signed.
    pub(crate) fn sign_when_due(&self, chain: Chain) -> Option<Checkpoint> {
        let due = chain.number > 0 && chain.number.is_multiple_of(CHECKPOINT_EVERY);
        due.then(|| self.sign(chain))
    }

    /// Signs the end of a chain: the text is written down in `JOURNAL.md`.
    pub(crate) fn sign(&self, chain: Chain) -> Checkpoint {
        let text = format!("diemcau checkpoint {} {}", chain.number, hex(&chain.hash));
        Checkpoint {
            number: chain.number,
            key: self.0.public_key().as_ref().to_vec(),
            signature: self.0.sign(text.as_bytes()).as_ref().to_vec(),
        }
    }
}

impl fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckpointKey({})", self.public())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written down in `JOURNAL.md`: an independent verifier may test itself with these bytes.
    #[test]
    fn the_key_and_the_signature_are_those_of_the_document() {
        let document = include_str!("../JOURNAL.md");
        let key = CheckpointKey::from_seed(&[7; 32]).unwrap();
        let chain = Chain {
            number: 256,
            hash: [1; 32],
        };
        let signature = hex(&key.sign(chain).signature);
        for text in [key.public(), signature] {
            assert!(document.contains(&text), "JOURNAL.md lacks {text}");
        }
    }

    #[test]
    fn every_256th_record_is_due() {
        let key = CheckpointKey::from_seed(&[7; 32]).unwrap();
        let due = |number: &u64| {
            let chain = Chain {
                number: *number,
                hash: [0; 32],
            };
            key.sign_when_due(chain).is_some()
        };
        let signed: Vec<u64> = (0..1_000).filter(due).collect();
        assert_eq!(signed, [256, 512, 768]);
    }
}
