//! When the server was last alive: 20 digits in a file of their own, overwritten in place and never synced.
//! In the database it would cost a sync for each touch.

use crate::{JournalError, files::open_beside};
use diemcau_model::Millis;
use std::{
    fs::File,
    io::{Read, Seek, Write},
    path::Path,
};

const DIGITS: usize = 20;

pub(crate) struct AliveNote {
    file: File,
    failed: bool,
}

impl AliveNote {
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = open_beside(path)?;
        Ok(Self {
            file,
            failed: false,
        })
    }

    pub fn write(&mut self, now: Millis) {
        // One write of fixed length: a kill leaves the old digits or the new ones.
        let written = self
            .file
            .rewind()
            .and_then(|()| self.file.write_all(format!("{:020}", now.0).as_bytes()));
        if let Err(error) = written
            && !self.failed
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the sign of life cannot be written; after a crash the time lost is counted from the last event"
            );
            self.failed = true;
        }
    }

    pub fn read(&mut self) -> Option<Millis> {
        let mut digits = [0; DIGITS];
        self.file.rewind().ok()?;
        self.file.read_exact(&mut digits).ok()?;
        // A hint that cannot be read is no hint.
        str::from_utf8(&digits).ok()?.parse().ok().map(Millis)
    }
}
