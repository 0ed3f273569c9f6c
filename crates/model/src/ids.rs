//! Ids and times. A type per id, so that a turn can never be taken for a site.

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(type = "number")]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(/// A site (điểm cầu). Its place in the settings file, counted from 0; the hall is whichever site says so.
    SiteId, u16);
id!(/// A seat: one link handed to one person or one screen. Counted from 0 in the settings file.
    SeatId, u32);
id!(/// An item of the agenda, counted from 1 as people count it.
    ItemId, u16);
id!(/// A request for the floor and the speech it becomes. Counted from 1 in the order the server accepted them.
    TurnId, u32);
id!(/// A draft document under comment, counted from 1.
    DraftId, u16);
id!(/// A comment on a draft, counted from 1 in the order the server accepted them.
    CommentId, u32);
id!(/// A private prompt between a desk and a site, counted from 1.
    PromptId, u32);
id!(/// A device that waits at the door, counted from 1.
    WaitId, u32);
id!(/// An alarm about a site's link, counted from 1 since the server's start. Never journalled.
    HealthId, u64);
id!(/// One connection of one client, while it lasts. Never journalled, never reused while the server runs.
    PeerId, u64);
id!(/// Milliseconds since 1970-01-01T00:00:00Z, read from the server's clock only.
    Millis, u64);

impl Millis {
    /// The moment `ms` milliseconds later.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment, 0 if the clock went backwards.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A numbered paragraph of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ParagraphRef {
    /// The draft.
    pub draft: DraftId,
    /// The paragraph's number within the draft, from 1.
    pub paragraph: u16,
}
