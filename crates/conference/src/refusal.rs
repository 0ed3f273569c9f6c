//! Why something asked for was not done. Told to the one who asked, and to nobody else.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use ts_rs::TS;

/// A refusal. The rules are unharmed; the asker may correct itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS, Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// This role may not ask for this.
    #[error("your seat may not do this")]
    NotAllowed,
    /// It belongs to another site.
    #[error("it belongs to another site")]
    OtherSite,
    /// No such item.
    #[error("there is no such item")]
    UnknownItem,
    /// No such request or turn, or it is over.
    #[error("there is no such request")]
    UnknownTurn,
    /// No such draft or paragraph.
    #[error("there is no such paragraph")]
    UnknownParagraph,
    /// No such comment.
    #[error("there is no such comment")]
    UnknownComment,
    /// The seat's machine carries neither picture nor sound.
    #[error("this machine carries no pictures")]
    CarriesNothing,
    /// No such seat.
    #[error("there is no such seat")]
    UnknownSeat,
    /// The asker acted on a state that has passed; the present one follows or was already sent.
    #[error("the state has changed meanwhile")]
    Stale,
    /// No item is running.
    #[error("no item is running")]
    NoItem,
    /// The item has begun or is over.
    #[error("the item has already begun")]
    ItemBegun,
    /// There is no further item.
    #[error("this was the last item")]
    NoNextItem,
    /// The list of speakers is closed; points of order are still taken.
    #[error("the list of speakers is closed")]
    ListClosed,
    /// Too many requests wait, of this site or in all.
    #[error("too many requests are waiting")]
    QueueFull,
    /// This site, or this desk, has used up its share of what the conference takes.
    #[error("your share of what the conference takes is used up")]
    ShareUsed,
    /// Nobody waits.
    #[error("nobody is waiting")]
    NobodyWaiting,
    /// The list is not empty: say what becomes of those who wait.
    #[error("others still wait: say whether they are kept, cleared or carried over")]
    ListWaiting,
    /// This delegate already waits.
    #[error("this delegate already waits")]
    DelegateWaits,
    /// A reply needs a speech it replies to.
    #[error("there is no speech to reply to")]
    NoSpeech,
    /// Points of order come before ordinary speech.
    #[error("points of order come before ordinary speech")]
    PointsOfOrderFirst,
    /// Who is staged comes before the list.
    #[error("who is staged comes before the list")]
    StagedFirst,
    /// The site has no room endpoint that can send.
    #[error("the site is not linked")]
    NotLinked,
    /// As many microphones are open as the item allows.
    #[error("no further microphone may be opened")]
    MicrophonesFull,
    /// The speech has begun: its call cannot be given back.
    #[error("the speech has begun; end it instead")]
    SpeechBegun,
    /// The roll is being called.
    #[error("the roll is being called")]
    RollCallRuns,
    /// No roll is being called, or another site is.
    #[error("this site is not being called")]
    NotCalled,
    /// Somebody has the floor.
    #[error("somebody has the floor")]
    FloorTaken,
    /// The request was written in another item than the one whose list this is.
    #[error("another item has begun since this was written")]
    OtherItem,
    /// Another seat holds the priority key.
    #[error("another desk holds the priority key")]
    PriorityHeld,
    /// There is no step to take back, or it is too long ago.
    #[error("there is nothing to undo")]
    NothingToUndo,
    /// The deputy has the chair.
    #[error("the deputy has the chair")]
    DeputyPresides,
    /// The deputy does not have the chair.
    #[error("the chair presides; take the chair first")]
    NotPresiding,
    /// More are reported present than were summoned.
    #[error("more are present than were summoned")]
    TooManyPresent,
    /// No such prompt.
    #[error("there is no such prompt")]
    UnknownPrompt,
    /// No such site.
    #[error("there is no such site")]
    UnknownSite,
    /// It is so already.
    #[error("it is so already")]
    AlreadySo,
    /// A text is longer than its limit.
    #[error("the text is too long")]
    TextTooLong,
    /// A text that must be there is empty.
    #[error("the text is empty")]
    TextEmpty,
    /// A number outside its range.
    #[error("the number is out of range")]
    OutOfRange,
    /// No such device waits, or is shut out.
    #[error("there is no such device at the door")]
    UnknownDevice,
    /// A chair, or the asker, sits at this device.
    #[error("a chair's seat or your own is opened on this device")]
    DeviceInUse,
    /// The conference holds as many comments as it may.
    #[error("no further comment is taken")]
    FeedFull,
}
