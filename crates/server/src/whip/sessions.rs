//! Which sessions are open, which wait at the door between two requests, and how many there may be.

use super::{Way, refusal::No};
use crate::inside::Client;
use axum::http::StatusCode;
use diemcau_hub::token_hash;
use diemcau_protocol::ClientFrame;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, interval, sleep_until},
};

/// Encoders at one time, and players.
const ENCODERS_MAX: usize = 128;
const PLAYERS_MAX: usize = 512;
/// Sessions with one link at one time.
const OF_LINK_MAX: usize = 16;
/// Encoders with one link that begin in `BEGUN_WITHIN`: a further one is refused before it takes the seat from the one that
/// is there, and everybody is told of neither.
const BEGUN_MAX: usize = 4;
const BEGUN_WITHIN: Duration = Duration::from_secs(10);
/// Links without a door whose beginnings are remembered. None of those with a door is forgotten.
const STRANGE_LINKS_MAX: usize = 4_096;
/// How often a session says that it is there; half a minute of silence would end it.
pub const PING_EVERY: Duration = Duration::from_secs(10);
/// How long the door is kept for a client that was told to ask again.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(60);

/// Every session, and whoever is to become one.
#[derive(Debug)]
pub struct Sessions {
    /// By their addresses.
    open: Mutex<BTreeMap<String, Session>>,
    /// Who waits at the door, called back by way and link.
    waiting: Mutex<BTreeMap<(Way, String), oneshot::Sender<Taker>>>,
    encoders: Arc<Semaphore>,
    players: Arc<Semaphore>,
    of_links: Arc<OfLinks>,
    /// When encoders began lately with each link, with a door or without: a stranger hears the same.
    begun: Mutex<Begun>,
    shown: Family<ByWay, Gauge>,
}

/// By the links, those without a door first.
type Begun = BTreeMap<(bool, String), Vec<Instant>>;

/// Where somebody who waited is handed over.
type Taker = oneshot::Sender<Newcomer>;

/// The label of `diemcau_sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByWay {
    way: &'static str,
}

/// An open session.
#[derive(Debug)]
pub struct Session {
    pub way: Way,
    /// The hash of the token it was begun with: nobody else ends it.
    pub token: String,
    pub etag: String,
    /// The client's ICE user name: another one would be a restart.
    pub ufrag: String,
    pub _place: Place,
    /// Dropped, it ends the session.
    pub _ends: oneshot::Sender<()>,
}

/// A client on its way in.
#[derive(Debug)]
pub struct Newcomer {
    pub client: Client,
    pub place: Place,
    /// What it shows while it waits at the door.
    pub code: Option<String>,
    /// It was let in, and has the seat.
    pub is_in: bool,
}

/// A place of all and of its link's, taken before anything is asked of the hub and until this is dropped: whoever
/// negotiates or waits has one like an open session.
#[derive(Debug)]
pub struct Place {
    /// None of a stranger's, whom the hub will not let in: each has a connection for itself, and of these there is a bound.
    _of_all: Option<OwnedSemaphorePermit>,
    of_links: Arc<OfLinks>,
    link: String,
    has_door: bool,
    /// When an encoder began with it, as long as it counts.
    begun: Option<Instant>,
}

/// How many places each link has.
#[derive(Debug, Default)]
struct OfLinks(Mutex<BTreeMap<String, usize>>);

impl Sessions {
    /// Nobody is there.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let shown = Family::default();
        registry.register(
            "diemcau_sessions",
            "Sessions of encoders and players open now",
            shown.clone(),
        );
        for way in [Way::In, Way::Out] {
            // A series that is absent is no zero.
            drop(shown.get_or_create(&label(way)));
        }
        Self {
            open: Mutex::default(),
            waiting: Mutex::default(),
            encoders: Arc::new(Semaphore::new(ENCODERS_MAX)),
            players: Arc::new(Semaphore::new(PLAYERS_MAX)),
            of_links: Arc::default(),
            begun: Mutex::default(),
            shown,
        }
    }

    /// A place for one more. Whose link opens no door takes none of all, or strangers would keep everybody out; that none is
    /// left it hears like anybody.
    ///
    /// # Errors
    /// All are taken, or all of this link's, or it has begun too many lately.
    pub fn place(&self, way: Way, token: &str, has_door: bool) -> Result<Place, No> {
        let link = token_hash(token);
        let begun = match way {
            Way::In => Some(self.begin(&link, has_door)?),
            Way::Out => None,
        };
        let mut of_links = lock(&self.of_links.0);
        if of_links.get(&link).copied().unwrap_or_default() >= OF_LINK_MAX {
            let why = "as many sessions are open with this link as it may have";
            return Err(No::because(StatusCode::TOO_MANY_REQUESTS, why));
        }
        let of_all = match way {
            Way::In => &self.encoders,
            Way::Out => &self.players,
        };
        let of_all = Arc::clone(of_all).try_acquire_owned().map_err(|_| {
            let why = "as many sessions are open as this server takes";
            No::because(StatusCode::SERVICE_UNAVAILABLE, why)
        })?;
        // A stranger's is given back before anybody else may ask.
        let of_all = has_door.then_some(of_all);
        *of_links.entry(link.clone()).or_default() += 1;
        drop(of_links);
        Ok(Place {
            _of_all: of_all,
            of_links: Arc::clone(&self.of_links),
            link,
            has_door,
            begun,
        })
    }

    /// A session is open from here on.
    pub fn open(&self, address: String, session: Session) {
        self.shown.get_or_create(&label(session.way)).inc();
        lock(&self.open).insert(address, session);
    }

    /// Counts an encoder that begins, before it is let in: whoever does not wait for the answer takes the seat too.
    fn begin(&self, link: &str, has_door: bool) -> Result<Instant, No> {
        let mut begun = lock(&self.begun);
        begun.retain(|_, times| times.iter().any(is_lately));
        let strangers = begun.keys().take_while(|(has_door, _)| !has_door);
        if strangers.count() >= STRANGE_LINKS_MAX {
            begun.pop_first();
        }
        let times = begun.entry((has_door, link.to_owned())).or_default();
        times.retain(is_lately);
        if times.len() >= BEGUN_MAX {
            let why = "too many sessions were begun with this link in a short time; try again in ten seconds";
            return Err(No::because(StatusCode::TOO_MANY_REQUESTS, why));
        }
        let now = Instant::now();
        times.push(now);
        Ok(now)
    }

    /// It took no seat: it is not counted as begun.
    pub fn took_none(&self, place: &mut Place) {
        let link = (place.has_door, place.link.clone());
        let Some(at) = place.begun.take() else { return };
        if let Some(times) = lock(&self.begun).get_mut(&link)
            && let Some(one) = times.iter().position(|time| *time == at)
        {
            times.remove(one);
        }
    }

    /// A session is over; what was told to end it hears so.
    pub fn close(&self, address: &str) {
        let closed = lock(&self.open).remove(address);
        if let Some(session) = closed {
            self.shown.get_or_create(&label(session.way)).dec();
        }
    }

    /// Asks something of the session of an address, for who began it; to anybody else there is none.
    ///
    /// # Errors
    /// There is none, or what `ask` refuses.
    pub fn ask<T>(
        &self,
        address: &str,
        token: &str,
        ask: impl FnOnce(&Session) -> Result<T, No>,
    ) -> Result<T, No> {
        let token = token_hash(token);
        let open = lock(&self.open);
        let session = open.get(address).filter(|session| session.token == token);
        ask(session.ok_or(No::because(
            StatusCode::NOT_FOUND,
            "there is no such session",
        ))?)
    }

    /// Keeps somebody at the door until the next request, so that it goes on showing the code that was told.
    pub fn wait(self: &Arc<Self>, way: Way, token: &str, newcomer: Newcomer) {
        let (call, called) = oneshot::channel();
        lock(&self.waiting).insert((way, token_hash(token)), call);
        let sessions = Arc::clone(self);
        tokio::spawn(async move {
            stay(newcomer, called).await;
            lock(&sessions.waiting).retain(|_, call| !call.is_closed());
        });
    }

    /// Who waits at the door with a link, if somebody does.
    pub async fn come_back(&self, way: Way, token: &str) -> Option<Newcomer> {
        let call = lock(&self.waiting).remove(&(way, token_hash(token)))?;
        let (taker, newcomer) = oneshot::channel();
        call.send(taker).ok()?;
        newcomer.await.ok()
    }
}

/// Stays at the door until it is called back, or is no longer expected. What the hub says meanwhile waits to be heard.
async fn stay(newcomer: Newcomer, mut called: oneshot::Receiver<Taker>) {
    let mut pings = interval(PING_EVERY);
    let until = Instant::now() + COMES_BACK_WITHIN;
    loop {
        tokio::select! {
            taker = &mut called => {
                if let Ok(taker) = taker {
                    // Whoever asked may have gone meanwhile; then this one goes too.
                    let _ = taker.send(newcomer);
                }
                return;
            }
            _ = pings.tick() => {
                // The hub may have sent it away: why is heard by whoever comes back.
                newcomer.client.say(&ClientFrame::Ping { sent: 0.0 }).await;
            }
            () = sleep_until(until) => return,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of_links = lock(&self.of_links.0);
        let left = of_links.get(&self.link).map_or(0, |count| count - 1);
        match left {
            0 => of_links.remove(&self.link),
            _ => of_links.insert(self.link.clone(), left),
        };
    }
}

fn is_lately(at: &Instant) -> bool {
    at.elapsed() < BEGUN_WITHIN
}

fn label(way: Way) -> ByWay {
    ByWay {
        way: way.path().trim_start_matches('/'),
    }
}

// Every step leaves what is locked here whole.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inside::{self, Line, Vouched};
    use diemcau_hub::Socket as _;
    use diemcau_model::DeviceId;

    impl Sessions {
        /// How many places a link has.
        pub fn places_of(&self, token: &str) -> usize {
            let of_links = lock(&self.of_links.0);
            of_links.get(&token_hash(token)).copied().unwrap_or(0)
        }

        /// How many places are taken by all.
        pub fn places(&self) -> usize {
            lock(&self.of_links.0).values().sum()
        }
    }

    fn sessions() -> Arc<Sessions> {
        Arc::new(Sessions::new(&mut Registry::default()))
    }

    fn status(place: Result<Place, No>) -> StatusCode {
        place.map_or_else(|no| no.0, |_| StatusCode::OK)
    }

    /// Somebody at the door, and the hub's end of it.
    fn newcomer(sessions: &Sessions) -> (Newcomer, Line) {
        let (line, client) = inside::connection(Vouched {
            device: DeviceId([1; 32]),
            at: |_, _| true,
        });
        let newcomer = Newcomer {
            client,
            place: sessions.place(Way::In, "link", true).unwrap(),
            code: Some("1234".into()),
            is_in: false,
        };
        (newcomer, line)
    }

    #[test]
    fn a_link_has_sixteen_places_and_a_further_one_when_one_is_given_back() {
        let sessions = sessions();
        let mut places: Vec<Place> = (0..OF_LINK_MAX)
            .map(|_| sessions.place(Way::Out, "link", true).unwrap())
            .collect();
        let one_more = || status(sessions.place(Way::Out, "link", true));
        assert_eq!(one_more(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(
            status(sessions.place(Way::Out, "another", true)),
            StatusCode::OK,
            "of this link only"
        );
        drop(places.pop());
        assert_eq!(one_more(), StatusCode::OK);
        drop(places);
        assert!(
            lock(&sessions.of_links.0).is_empty(),
            "a link without places is forgotten"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn four_encoders_begin_with_a_link_in_ten_seconds_and_more_when_these_are_past() {
        let sessions = sessions();
        let begin = |way, token: &str| {
            let place = sessions.place(way, token, true)?;
            let (ends, _) = oneshot::channel();
            let session = Session {
                way,
                token: token_hash(token),
                etag: String::new(),
                ufrag: String::new(),
                _place: place,
                _ends: ends,
            };
            sessions.open("the address".into(), session);
            Ok(())
        };
        let statuses = |way, token| {
            let begun = (0..6).map(|_| begin(way, token));
            let refused = begun.filter_map(Result::err).map(|no: No| no.0);
            refused.collect::<Vec<_>>()
        };
        let refused = [StatusCode::TOO_MANY_REQUESTS; 2];
        assert_eq!(statuses(Way::In, "link"), refused);
        assert_eq!(statuses(Way::In, "another"), refused, "each has its own");
        assert!(statuses(Way::Out, "players").is_empty(), "they are many");
        tokio::time::advance(BEGUN_WITHIN / 2).await;
        assert_eq!(statuses(Way::In, "link").len(), 6);
        tokio::time::advance(BEGUN_WITHIN / 2).await;
        assert_eq!(statuses(Way::In, "link"), refused);
        assert_eq!(lock(&sessions.begun).len(), 1, "the other is forgotten");
    }

    #[test]
    fn encoders_and_players_have_their_own_places() {
        let sessions = sessions();
        for (way, most) in [(Way::In, ENCODERS_MAX), (Way::Out, PLAYERS_MAX)] {
            let places: Vec<Place> = (0..most)
                .map(|n| sessions.place(way, &n.to_string(), true).unwrap())
                .collect();
            let one_more = |has_door| status(sessions.place(way, "one more", has_door));
            for has_door in [true, false] {
                let said = one_more(has_door);
                assert_eq!(said, StatusCode::SERVICE_UNAVAILABLE, "all hear it");
            }
            assert_eq!(sessions.places_of("one more"), 0, "a refusal takes none");
            drop(places);
            assert_eq!(one_more(true), StatusCode::OK);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_has_a_place_and_is_found_again_for_a_minute() {
        let sessions = sessions();
        let (first, mut line) = newcomer(&sessions);
        sessions.wait(Way::In, "link", first);
        assert!(sessions.come_back(Way::Out, "link").await.is_none());
        assert!(sessions.come_back(Way::In, "another").await.is_none());
        let again = sessions.come_back(Way::In, "link").await.unwrap();
        assert_eq!(again.code.as_deref(), Some("1234"));
        assert!(
            sessions.come_back(Way::In, "link").await.is_none(),
            "by one request only"
        );

        sessions.wait(Way::In, "link", again);
        assert_eq!(sessions.places_of("link"), 1);
        let begun = Instant::now();
        // It goes on pinging the hub, or it would be gone from the desks in half a minute.
        while line.recv().await.is_some() {}
        assert_eq!(begun.elapsed(), COMES_BACK_WITHIN);
        assert_eq!(sessions.places_of("link"), 0);
        assert!(sessions.come_back(Way::In, "link").await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_who_wait_with_one_link_the_later_is_found() {
        let sessions = sessions();
        let (first, mut line) = newcomer(&sessions);
        sessions.wait(Way::In, "link", first);
        let (second, _kept) = newcomer(&sessions);
        sessions.wait(Way::In, "link", second);
        while line.recv().await.is_some() {}
        assert!(sessions.come_back(Way::In, "link").await.is_some());
    }
}
