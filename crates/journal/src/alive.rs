//! When the server was last alive: 20 digits in a file of their own, overwritten in place and never synced.
//! In the database it would cost a sync for each touch.

use crate::files::{beside, open_beside};
use diemcau_model::Millis;
use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    path::Path,
};

const ALIVE: &str = ".alive";
const DIGITS: usize = 20;

pub(crate) struct AliveNote {
    /// None when it cannot be opened: a record does not fail for want of a hint.
    file: Option<File>,
    failed: bool,
}

impl AliveNote {
    /// The one of a journal.
    pub fn open(journal: &Path) -> Self {
        let opened = open_beside(&beside(journal, ALIVE));
        let failed = opened.is_err();
        if let Err(error) = &opened {
            warn_of(error);
        }
        Self {
            file: opened.ok(),
            failed,
        }
    }

    pub fn write(&mut self, now: Millis) {
        let Some(file) = &mut self.file else {
            return;
        };
        // One write of fixed length: a kill leaves the old digits or the new ones.
        let digits = format!("{:020}", now.0);
        let written = file
            .rewind()
            .and_then(|()| file.write_all(digits.as_bytes()));
        if let Err(error) = written
            && !self.failed
        {
            warn_of(&error);
            self.failed = true;
        }
    }

    pub fn read(&mut self) -> Option<Millis> {
        let mut digits = [0; DIGITS];
        let file = self.file.as_mut()?;
        file.rewind().ok()?;
        file.read_exact(&mut digits).ok()?;
        parsed(&digits)
    }
}

/// The sign of life of a journal that cannot be opened.
pub(crate) fn sign_of_life(journal: &Path) -> Option<Millis> {
    let digits = fs::read(beside(journal, ALIVE)).ok()?;
    parsed(digits.get(..DIGITS)?)
}

fn parsed(digits: &[u8]) -> Option<Millis> {
    // A hint that cannot be read is no hint.
    str::from_utf8(digits).ok()?.parse().ok().map(Millis)
}

fn warn_of(error: &io::Error) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "the sign of life cannot be written; after a crash the time lost is counted from the last event"
    );
}
