//! Everything that crosses crates: wire, media, browser, crash, load.
