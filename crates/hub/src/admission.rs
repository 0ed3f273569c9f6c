//! Who may come in. The door knows tokens by their hash only, and says the same to every wrong one.

use crate::{
    Clock, HealthLimits, MediaLines, Metrics,
    pins::{Link, Tries},
    replay::Replayed,
    room::{Begun, Opened, Order, Room, RoomHandle, Unwritten},
};
use dashmap::DashMap;
use diemcau_conference::{Event, Seat, Setup, Signal};
use diemcau_journal::{Entry, Journal, JournalError, Writer};
use diemcau_model::{Alarm, Carries, Millis, Role, SeatId};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use thiserror::Error;
use tokio::{sync::watch, time::timeout};

/// The open conferences and their doors.
#[derive(Debug)]
pub struct Hub {
    /// Which seat of which conference a token opens, by the token's SHA-256. The only shared map; a conference's own
    /// state is owned by its task.
    doors: DashMap<String, Door>,
    rooms: DashMap<String, RoomHandle>,
    pub(crate) metrics: Metrics,
    /// How many connections are being served.
    pub(crate) serving: watch::Sender<usize>,
    order: Order,
    stopping: AtomicBool,
    /// How long comments are gathered before those who only watch are told.
    feed_window: Duration,
    limits: HealthLimits,
    pub(crate) tries: Tries,
    /// Some link opens for known devices only, asks for a PIN, or has asked for a proof: a wrong link is asked too.
    asks_proofs: AtomicBool,
    asks_pins: AtomicBool,
}

/// How long comments are gathered for those who only watch, when nothing else is said.
const FEED_WINDOW: Duration = Duration::from_millis(50);
/// How long the journals may take to be closed when the server stops. A disk that hangs must not keep the program from ending:
/// what was acknowledged is on it already.
const JOURNALS_WITHIN: Duration = Duration::from_secs(10);
/// How long connections may take to say goodbye when the server stops; later ones are cut.
const GOODBYE_WITHIN: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) room: RoomHandle,
    pub(crate) seat: SeatId,
    pub(crate) role: Role,
    pub(crate) carries: Carries,
    /// The PIN's hash, when one is asked.
    pub(crate) pin_sha256: Option<String>,
    /// What its wrong PINs are counted by.
    tries_of: String,
}

/// What a conference stands on: a machine, or a simulation's virtual time.
pub struct Ground {
    /// What the wall clock shows now.
    pub wall: Millis,
    /// Gives the journal its writer.
    pub writer: Box<dyn FnOnce(Box<dyn Journal>) -> Writer + Send>,
}

impl Ground {
    /// The machine's clock, and a thread for the journal.
    #[must_use]
    pub fn machine() -> Self {
        Self {
            wall: Clock::wall(),
            writer: Box::new(Writer::spawn),
        }
    }
}

/// Why a conference could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The journal could not be read or written.
    #[error("the journal cannot be used")]
    Journal(#[from] JournalError),
    /// The journal does not begin with its conference.
    #[error("the journal does not begin with a conference")]
    NoConference,
}

/// The SHA-256 of a token in hex: the form in which it is kept.
#[must_use]
pub fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What a seat's wrong PINs are counted by: a site has one PIN for all its links.
fn tries_of(setup: &Setup, seat: &Seat) -> String {
    match (seat.site, &seat.pin_sha256) {
        (Some(site), Some(_)) => format!("{} {site}", setup.title),
        (None, _) | (_, None) => seat.token_sha256.clone(),
    }
}

/// Whether what could not be written may be written later, by the same program.
fn may_be_over(failure: &JournalError) -> bool {
    match failure {
        JournalError::Full | JournalError::Io(_) | JournalError::Locked => true,
        JournalError::Corrupt { .. }
        | JournalError::UnknownVersion { .. }
        | JournalError::Unreadable { .. }
        | JournalError::Fork { .. }
        | JournalError::DamagedMirror { .. }
        | JournalError::NoRoom { .. }
        | JournalError::OnlyInMirror { .. }
        | JournalError::Closed => false,
    }
}

impl Hub {
    /// A hub without conferences.
    #[must_use]
    pub fn new(metrics: Metrics) -> Arc<Self> {
        Self::with(FEED_WINDOW, HealthLimits::default(), metrics)
    }

    /// The same, gathering comments for so long before those who only watch are told (a larger window costs less), and
    /// with these limits of the sites' figures.
    #[must_use]
    pub fn with(feed_window: Duration, limits: HealthLimits, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            doors: DashMap::new(),
            rooms: DashMap::new(),
            metrics,
            serving: watch::Sender::new(0),
            order: Order::default(),
            stopping: AtomicBool::new(false),
            feed_window,
            limits,
            tries: Tries::default(),
            asks_proofs: AtomicBool::new(false),
            asks_pins: AtomicBool::new(false),
        })
    }

    /// Opens a conference from its journal, or begins it with `setup` when the journal is empty, and starts the task
    /// that owns it. Returns what the conference started from: the journal's word, when it has one.
    ///
    /// A conference that has begun is opened also while its journal cannot be written: it acknowledges nothing until it can.
    ///
    /// # Errors
    /// The journal cannot be read, is damaged, or does not begin with a conference.
    pub async fn open(
        &self,
        setup: Setup,
        journal: Box<dyn Journal>,
        media: MediaLines,
    ) -> Result<Setup, OpenError> {
        self.open_on(Ground::machine(), setup, journal, media).await
    }

    /// The same on another ground than the machine.
    ///
    /// # Errors
    /// As for `open`.
    pub async fn open_on(
        &self,
        ground: Ground,
        setup: Setup,
        mut journal: Box<dyn Journal>,
        media: MediaLines,
    ) -> Result<Setup, OpenError> {
        let mut replayed = Replayed::from(journal.as_mut())?;
        let last_alive = journal
            .last_alive()
            .unwrap_or(Millis(0))
            .max(replayed.last_at);
        let clock = Clock::from(ground.wall, last_alive);
        let settled = journal.settle();
        let writer = (ground.writer)(journal);

        let mut opening = vec![];
        if replayed.conference.seq() == 0 {
            if setup.sites.is_empty() {
                return Err(OpenError::NoConference);
            }
            opening.push(Event::ConferenceOpened {
                setup: Box::new(setup),
            });
        } else {
            opening.extend(
                replayed
                    .conference
                    .decide_signal(Signal::Restarted { last_alive }, clock.now()),
            );
        }
        let entry = |event: &Event| Entry {
            at: clock.now(),
            seat: None,
            command: None,
            event: event.clone(),
        };
        let written = match settled {
            Ok(()) if !opening.is_empty() => {
                let append = writer.append(opening.iter().map(entry).collect());
                append.await.map(drop)
            }
            settled => settled,
        };
        let mut unwritten = None;
        match written {
            Ok(()) => opening
                .iter()
                .for_each(|event| replayed.conference.apply(event)),
            // A conference that has begun goes on as far as its record goes, as when the disk fails later.
            Err(why) if replayed.conference.seq() > 0 && may_be_over(&why) => {
                unwritten = Some(Unwritten { last_alive, why });
            }
            Err(failure) => return Err(failure.into()),
        }

        let setup = replayed.conference.setup().clone();
        if setup.sites.is_empty() {
            return Err(OpenError::NoConference);
        }
        let begun = Begun {
            replayed,
            writer,
            clock,
            order: self.order.clone(),
            unwritten,
        };
        let room = Room::spawn(
            begun,
            media,
            self.metrics.clone(),
            self.feed_window,
            self.limits,
        );
        let asks_pins = setup.seats.iter().any(|seat| seat.pin_sha256.is_some());
        let is_bound = setup.seats.iter().any(|seat| seat.bound);
        self.asks_pins.fetch_or(asks_pins, Ordering::AcqRel);
        self.asks_proofs
            .fetch_or(asks_pins || is_bound, Ordering::AcqRel);
        for seat in &setup.seats {
            self.doors.insert(
                seat.token_sha256.clone(),
                Door {
                    room: room.clone(),
                    seat: seat.id,
                    role: seat.role,
                    carries: seat.carries,
                    pin_sha256: seat.pin_sha256.clone(),
                    tries_of: tries_of(&setup, seat),
                },
            );
        }
        self.rooms.insert(setup.title.clone(), room);
        Ok(setup)
    }

    /// The door a token opens. Looking up a hash leaks no prefix of the token: guesses are compared with nothing.
    pub(crate) fn door(&self, token: &str) -> Option<Door> {
        self.doors.get(&token_hash(token)).map(|door| door.clone())
    }

    /// Whether a token opens a seat that fits, for who keeps places for those who may come in. Whoever brought it is to hear
    /// nothing of that: it is let in, or not, by `serve` alone.
    #[must_use]
    pub fn has_door(&self, token: &str, fits: impl Fn(Role, Carries) -> bool) -> bool {
        let door = self.doors.get(&token_hash(token));
        door.is_some_and(|door| fits(door.role, door.carries))
    }

    /// The link of a token, as its wrong PINs are counted: with a door though it may be one that this client does not fit. A
    /// link that opens nothing any more is counted by itself, or it would keep out its site.
    pub(crate) fn link(&self, token: &str, opens: Option<&Door>) -> Link {
        let hash = token_hash(token);
        Link {
            has_door: self.doors.contains_key(&hash),
            counted_by: opens.map_or(hash, |door| door.tries_of.clone()),
        }
    }

    /// Who brings a right link is asked for its proof: from now on whoever brings a wrong one is asked too.
    pub(crate) fn asked_for_proof(&self) {
        self.asks_proofs.store(true, Ordering::Release);
    }

    /// Whether some seat asks who it is that comes, or has asked.
    pub(crate) fn asks_proofs(&self) -> bool {
        self.asks_proofs.load(Ordering::Acquire)
    }

    pub(crate) fn asks_pins(&self) -> bool {
        self.asks_pins.load(Ordering::Acquire)
    }

    /// What is wrong with the records of the conferences now. A conference's task that does not answer writes nothing.
    pub async fn alarms(&self) -> BTreeSet<Alarm> {
        let rooms: Vec<RoomHandle> = self.rooms.iter().map(|room| room.clone()).collect();
        let mut alarms = BTreeSet::new();
        for room in rooms {
            alarms.extend(room.alarms().await);
        }
        alarms
    }

    /// Waits until a conference's task has ended although nobody asked it to: the program had better start again.
    pub async fn failed(&self) {
        let rooms: Vec<RoomHandle> = self.rooms.iter().map(|room| room.clone()).collect();
        for room in rooms {
            room.ended().await;
        }
        if self.is_stopping() {
            std::future::pending::<()>().await;
        }
    }

    /// Tells everyone, closes every journal, and waits until the connections have said goodbye. False when a journal's disk did
    /// not answer in time: then its room is given up, and lets go of media.
    pub async fn stop(&self) -> bool {
        let rooms: Vec<RoomHandle> = self.rooms.iter().map(|room| room.clone()).collect();
        self.stopping.store(true, Ordering::Release);
        let closing = async {
            for room in &rooms {
                room.stop().await;
            }
        };
        let are_closed = timeout(JOURNALS_WITHIN, closing).await.is_ok();
        if !are_closed {
            rooms.iter().for_each(RoomHandle::give_up);
        }
        let mut serving = self.serving.subscribe();
        // Who takes longer is cut, and joins again as after any loss.
        let _ = timeout(GOODBYE_WITHIN, serving.wait_for(|count| *count == 0)).await;
        are_closed
    }

    /// The place of a connection that comes now among all that came.
    pub(crate) fn opened(&self) -> Opened {
        self.order.next()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}
