//! Encoders and players without a page: WHIP in (RFC 9725), WHEP out (draft-ietf-wish-whep-03).
//!
//! `POST /whip` or `/whep` with a seat's token as bearer and an offer as body begins a session; its address takes PATCH
//! and DELETE. A session is a client of the hub like a page's (`inside.rs`): it is admitted, replaced, sent away and
//! revoked as one, and what it sends is heard only while its site has the floor. The token's first use binds the seat,
//! as a page's does: an encoder makes no key, so the server vouches for it.

use crate::{
    http::Site,
    inside::{self, Client, Heard, Vouched},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{patch, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use diemcau_hub::token_hash;
use diemcau_media::{EngineError, check_player_offer, check_uplink_offer, ice_ufrag};
use diemcau_model::{Carries, DeviceId, Role, ScreenSlots};
use diemcau_protocol::{ClientFrame, ErrorWhy, PROTOCOL};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, interval, timeout, timeout_at},
};
use tracing::info;

/// Encoders at one time, and players.
const ENCODERS_MAX: usize = 128;
const PLAYERS_MAX: usize = 512;
/// Sessions with one link at one time.
const OF_TOKEN_MAX: usize = 16;
/// How long the offer may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Longest offer; an encoder's has about 2 kB.
const OFFER_MAX_BYTES: usize = 48 * 1024;
/// How long an answer may take; who waits at the door longer asks again.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How often a session says that it is there; half a minute of silence would end it.
const PING_EVERY: Duration = Duration::from_secs(10);
/// What a player shows the programme at: as large as it comes.
const PLAYER_HEIGHT: u16 = 1_080;

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Which way media goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// WHIP.
    In,
    /// WHEP.
    Out,
}

impl Way {
    /// The seats it is for: a room's or standby's machine sends, who only watches may watch without a page.
    fn fits(self) -> fn(Role, Carries) -> bool {
        match self {
            Self::In => |_, carries| carries.endpoint().is_some(),
            Self::Out => |role, _| matches!(role, Role::Observer | Role::Stage),
        }
    }

    fn check(self, offer: &str) -> Result<(), EngineError> {
        match self {
            Self::In => check_uplink_offer(offer),
            Self::Out => check_player_offer(offer),
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::In => "/whip",
            Self::Out => "/whep",
        }
    }
}

/// The open sessions by their addresses.
#[derive(Debug)]
pub struct Sessions {
    open: Mutex<BTreeMap<String, Session>>,
    /// Places for encoders, and for players: taken before anything is asked of the hub.
    encoders: Arc<Semaphore>,
    players: Arc<Semaphore>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            encoders: Arc::new(Semaphore::new(ENCODERS_MAX)),
            players: Arc::new(Semaphore::new(PLAYERS_MAX)),
        }
    }
}

#[derive(Debug)]
struct Session {
    /// The hash of the token it was begun with: nobody else ends it.
    token: String,
    etag: String,
    /// The client's ICE user name: another one would be a restart.
    ufrag: String,
    /// Its place.
    _permit: OwnedSemaphorePermit,
    /// Dropped, it ends the session.
    _ends: oneshot::Sender<()>,
}

/// Why a session does not begin, or is not reached.
#[derive(Debug)]
struct No(StatusCode, String);

type Answer = Result<Response, No>;

impl No {
    fn because(status: StatusCode, why: &str) -> Self {
        Self(status, why.to_owned())
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let Self(status, why) = self;
        let mut response = (status, format!("{why}\n")).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if [
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::TOO_MANY_REQUESTS,
        ]
        .contains(&status)
        {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        response
    }
}

impl From<(ErrorWhy, String)> for No {
    fn from((why, text): (ErrorWhy, String)) -> Self {
        let status = match why {
            ErrorWhy::NotAdmitted | ErrorWhy::Revoked => StatusCode::UNAUTHORIZED,
            ErrorWhy::Expelled | ErrorWhy::NotLetIn | ErrorWhy::MediaRefused => {
                StatusCode::FORBIDDEN
            }
            ErrorWhy::Replaced => StatusCode::CONFLICT,
            ErrorWhy::LobbyFull | ErrorWhy::StorageFailed => StatusCode::SERVICE_UNAVAILABLE,
            ErrorWhy::TooFast => StatusCode::TOO_MANY_REQUESTS,
            ErrorWhy::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorWhy::Malformed | ErrorWhy::JoinFirst | ErrorWhy::WrongProtocol => {
                StatusCode::BAD_REQUEST
            }
        };
        Self(status, text)
    }
}

/// The routes.
pub fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/whip", post(publish).options(options))
        .route("/whep", post(watch).options(options))
        .route("/whip/{session}", patch(trickle).delete(end))
        .route("/whep/{session}", patch(trickle).delete(end))
        .layer(DefaultBodyLimit::max(OFFER_MAX_BYTES))
}

async fn publish(State(site): State<Arc<Site>>, request: Request) -> Answer {
    begin(&site, Way::In, request).await
}

async fn watch(State(site): State<Arc<Site>>, request: Request) -> Answer {
    begin(&site, Way::Out, request).await
}

async fn options() -> Response {
    (StatusCode::NO_CONTENT, [(ACCEPT_POST, SDP)]).into_response()
}

async fn begin(site: &Arc<Site>, way: Way, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    check_kind(&head.headers, SDP)?;
    let token = bearer(&head.headers)?;
    let offer = offer(body).await?;
    // What is no offer takes neither a place nor the seat from a session that goes on.
    way.check(&offer)
        .map_err(|why| No(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()))?;
    let permit = site.sessions.place(way, token)?;
    let (line, client) = inside::connection(Vouched {
        device: device_of(token),
        at: way.fits(),
    });
    let hub = Arc::clone(&site.hub);
    tokio::spawn(async move { hub.serve(line).await });
    let answer = negotiate(&client, way, token, &offer).await?;
    let id = random().ok_or(No::because(
        StatusCode::INTERNAL_SERVER_ERROR,
        "no random numbers",
    ))?;
    let etag = format!("\"{}\"", ice_ufrag(&answer).unwrap_or_default());
    let location = format!("{}/{id}", way.path());
    let (ends, ended) = oneshot::channel();
    let session = Session {
        token: token_hash(token),
        etag: etag.clone(),
        ufrag: ice_ufrag(&offer).unwrap_or_default().to_owned(),
        _permit: permit,
        _ends: ends,
    };
    site.sessions.lock().insert(id.clone(), session);
    info!(?way, "a session begins");
    tokio::spawn(keep(Arc::clone(site), id, client, ended));
    let headers = [
        (header::CONTENT_TYPE, SDP.to_owned()),
        (header::LOCATION, location),
        (header::ETAG, etag),
        (ACCEPT_PATCH, FRAGMENT.to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

/// The offer, if it comes in time and is not too long.
async fn offer(body: Body) -> Result<String, No> {
    let read = timeout(BODY_WITHIN, to_bytes(body, OFFER_MAX_BYTES)).await;
    let read = read.map_err(|_| No::because(StatusCode::REQUEST_TIMEOUT, "the offer did not come"));
    let offer = read?.map_err(|_| {
        No(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the offer is longer than {OFFER_MAX_BYTES} bytes"),
        )
    })?;
    String::from_utf8(offer.to_vec())
        .map_err(|_| No::because(StatusCode::BAD_REQUEST, "the offer is not UTF-8"))
}

/// Joins and describes what is sent or taken; gives the answer.
async fn negotiate(client: &Client, way: Way, token: &str, offer: &str) -> Result<String, No> {
    let gone = || No::because(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping");
    let join = ClientFrame::Join {
        protocol: PROTOCOL,
        token: token.to_owned(),
    };
    client.say(&join).await;
    let deadline = Instant::now() + ANSWER_WITHIN;
    let mut waits = None;
    loop {
        let Ok(heard) = timeout_at(deadline, client.hear()).await else {
            let why = match waits {
                Some(code) => format!(
                    "it waits at the door with the code {code}: let it in at the chair's or the technician's desk"
                ),
                None => "the server is busy".to_owned(),
            };
            return Err(No(StatusCode::SERVICE_UNAVAILABLE, why));
        };
        match heard.ok_or_else(gone)? {
            Heard::Prove {} => {
                let (device, pin) = (None, None);
                client.say(&ClientFrame::Proof { device, pin }).await;
            }
            Heard::Waiting { code } => waits = Some(code),
            Heard::Welcome { me } if (way.fits())(me.role, me.carries) => {
                describe(client, way, offer.to_owned()).await;
            }
            Heard::Welcome { .. } => {
                let why = "this link is not for an encoder or a player";
                return Err(No::because(StatusCode::FORBIDDEN, why));
            }
            Heard::UplinkAnswer { sdp } | Heard::DownlinkAnswer { sdp } => return Ok(sdp),
            Heard::MediaFailed { reason, .. } => {
                return Err(No(StatusCode::UNPROCESSABLE_ENTITY, reason));
            }
            Heard::Error { why, text } => return Err((why, text).into()),
            Heard::Other => {}
        }
    }
}

async fn describe(client: &Client, way: Way, sdp: String) {
    match way {
        Way::In => {
            client.say(&ClientFrame::UplinkOffer { sdp }).await;
        }
        Way::Out => {
            let sees = sdp.contains("m=video");
            let slots = ScreenSlots {
                programme: if sees { PLAYER_HEIGHT } else { 0 },
                ..ScreenSlots::default()
            };
            client.say(&ClientFrame::DownlinkOffer { sdp }).await;
            client.say(&ClientFrame::Screen { slots }).await;
            client.say(&ClientFrame::Listen { sound: true }).await;
        }
    }
}

/// Keeps a session until its client ends it, its media fails, or the hub sends it away.
async fn keep(site: Arc<Site>, id: String, client: Client, mut ended: oneshot::Receiver<()>) {
    let mut pings = interval(PING_EVERY);
    let why = loop {
        tokio::select! {
            _ = &mut ended => break "its client ended it",
            _ = pings.tick() => {
                if !client.say(&ClientFrame::Ping { sent: 0.0 }).await {
                    break "it was sent away";
                }
            }
            heard = client.hear() => match heard {
                None => break "it was sent away",
                Some(Heard::MediaFailed { .. }) => break "its media failed",
                Some(_) => {}
            },
        }
    };
    site.sessions.lock().remove(&id);
    info!(why, "a session is over");
}

async fn end(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, No> {
    let mut sessions = site.sessions.lock();
    find(&sessions, &id, &headers)?;
    sessions.remove(&id);
    Ok(StatusCode::OK)
}

/// Candidates are accepted and not needed: the client's packets show where it is. A restart is not done: a new session is
/// as quick.
async fn trickle(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    fragment: String,
) -> Result<StatusCode, No> {
    check_kind(&headers, FRAGMENT)?;
    let sessions = site.sessions.lock();
    let session = find(&sessions, &id, &headers)?;
    let Some(expected) = headers.get(header::IF_MATCH) else {
        let why = "If-Match is missing";
        return Err(No::because(StatusCode::PRECONDITION_REQUIRED, why));
    };
    let restarts = !fragment.contains(&format!("a=ice-ufrag:{}", session.ufrag))
        && fragment.contains("a=ice-ufrag:");
    if restarts {
        let why = "ICE is not restarted here: begin a new session";
        return Err(No::because(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    let expected = expected.as_bytes();
    match expected == b"*" || expected == session.etag.as_bytes() {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(No::because(
            StatusCode::PRECONDITION_FAILED,
            "it is about another ICE session",
        )),
    }
}

/// The session of an address, for who began it; to anybody else there is none.
fn find<'a>(
    sessions: &'a BTreeMap<String, Session>,
    id: &str,
    headers: &HeaderMap,
) -> Result<&'a Session, No> {
    let token = token_hash(bearer(headers)?);
    let session = sessions.get(id).filter(|session| session.token == token);
    session.ok_or(No::because(
        StatusCode::NOT_FOUND,
        "there is no such session",
    ))
}

fn check_kind(headers: &HeaderMap, wanted: &str) -> Result<(), No> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default();
    match kind.trim().eq_ignore_ascii_case(wanted) {
        true => Ok(()),
        false => Err(No(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the body must be {wanted}"),
        )),
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, No> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    token.ok_or(No::because(
        StatusCode::UNAUTHORIZED,
        "the token of the seat's link is missing",
    ))
}

/// One device for each link: whoever holds the link is its encoder.
fn device_of(token: &str) -> DeviceId {
    let mut digest = Sha256::new();
    digest.update(b"an encoder or a player with this link: ");
    digest.update(token.as_bytes());
    DeviceId(digest.finalize().into())
}

fn random() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        // Every step leaves the map whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more, of all and of this link's.
    fn place(&self, way: Way, token: &str) -> Result<OwnedSemaphorePermit, No> {
        let token = token_hash(token);
        let of_token = self
            .lock()
            .values()
            .filter(|one| one.token == token)
            .count();
        if of_token >= OF_TOKEN_MAX {
            let why = "as many sessions are open with this link as it may have";
            return Err(No::because(StatusCode::TOO_MANY_REQUESTS, why));
        }
        let places = match way {
            Way::In => &self.encoders,
            Way::Out => &self.players,
        };
        let permit = Arc::clone(places).try_acquire_owned();
        permit.map_err(|_| {
            let why = "as many sessions are open as this server takes";
            No::because(StatusCode::SERVICE_UNAVAILABLE, why)
        })
    }
}
