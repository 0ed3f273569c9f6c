//! Encoders and players without a page: WHIP in (RFC 9725), WHEP out (draft-ietf-wish-whep-03).
//!
//! `POST /whip` or `/whep` with a seat's token as bearer and an offer as body begins a session; its address takes PATCH
//! and DELETE. A session is a client of the hub like a page's (`inside.rs`): it is admitted, replaced, sent away and
//! revoked as one, and what it sends is heard only while its site has the floor. The token's first use binds the seat,
//! as a page's does: an encoder makes no key, so the server vouches for it.

#[cfg(test)]
mod fuzz;
mod origins;
mod refusal;
mod sessions;
#[cfg(test)]
mod tests;

pub use sessions::Sessions;

use crate::{
    http::Site,
    inside::{self, Client, Heard, Vouched},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, Uri, header},
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::{patch, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use diemcau_hub::token_hash;
use diemcau_media::{EngineError, check_player_offer, check_uplink_offer, ice_ufrag};
use diemcau_model::{Carries, DeviceId, Role, ScreenSlots};
use diemcau_protocol::{ClientFrame, PROTOCOL};
use refusal::{Answer, No};
use sessions::{Newcomer, PING_EVERY, Session};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    time::{Instant, interval, timeout, timeout_at},
};
use tracing::info;

/// How long the body of a request may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Longest body; an encoder's offer has about 2 kB.
const BODY_MAX_BYTES: usize = 48 * 1024;
/// How long an answer may take: OBS gives a request eight seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(7);
/// What a player shows the programme at: as large as it comes.
const PLAYER_HEIGHT: u16 = 1_080;

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Which way media goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// WHIP.
    In,
    /// WHEP.
    Out,
}

impl Way {
    /// The seats it is for: a room's or standby's machine sends, who only watches may watch without a page. Not the
    /// chair's, whose machine carries the hall too: an encoder would take the desk away.
    fn fits(self) -> fn(Role, Carries) -> bool {
        match self {
            Self::In => |role, carries| role == Role::Moderator && carries.endpoint().is_some(),
            Self::Out => |role, _| matches!(role, Role::Observer | Role::Stage),
        }
    }

    fn check(self, offer: &str) -> Result<(), EngineError> {
        match self {
            Self::In => check_uplink_offer(offer),
            Self::Out => check_player_offer(offer),
        }
    }

    /// Why a link may open nothing.
    fn opens(self) -> &'static str {
        match self {
            Self::In => {
                "this link opens nothing for an encoder: it is wrong, revoked or not that of a room or a standby, or its \
                 seat asks for a PIN, which an encoder does not have"
            }
            Self::Out => {
                "this link opens nothing for a player: it is wrong, revoked or not that of an observer or a wall, or its \
                 seat asks for a PIN, which a player does not have"
            }
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::In => "/whip",
            Self::Out => "/whep",
        }
    }
}

/// The routes.
pub fn routes() -> Router<Arc<Site>> {
    // A page's PATCH and DELETE are asked for by OPTIONS first, so that a session answers it too.
    Router::new()
        .route("/whip", post(publish).options(options))
        .route("/whep", post(watch).options(options))
        .route(
            "/whip/{session}",
            patch(trickle).delete(end).options(options_of_session),
        )
        .route(
            "/whep/{session}",
            patch(trickle).delete(end).options(options_of_session),
        )
        .layer(from_fn(origins::share))
}

async fn publish(State(site): State<Arc<Site>>, request: Request) -> Answer {
    begin(&site, Way::In, request).await
}

async fn watch(State(site): State<Arc<Site>>, request: Request) -> Answer {
    begin(&site, Way::Out, request).await
}

async fn options() -> Response {
    [(ACCEPT_POST, SDP)].into_response()
}

async fn options_of_session() -> Response {
    [(ACCEPT_PATCH, FRAGMENT)].into_response()
}

async fn begin(site: &Arc<Site>, way: Way, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    check_kind(&head.headers, SDP)?;
    let token = bearer(&head.headers)?;
    let offer = text(body).await?;
    // What is no offer takes neither a place nor the seat from a session that goes on.
    way.check(&offer)
        .map_err(|why| No(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()))?;
    let mut newcomer = match site.sessions.come_back(way, token).await {
        Some(newcomer) => newcomer,
        None => knock(site, way, token).await?,
    };
    let outcome = negotiate(&mut newcomer, way, &offer).await;
    if !newcomer.is_in {
        site.sessions.took_none(&mut newcomer.place);
    }
    match outcome? {
        Outcome::Answered(answer) => open(site, way, token, &offer, answer, newcomer),
        Outcome::Waits(code) => {
            site.sessions.wait(way, token, newcomer);
            Err(No::waits(&code))
        }
    }
}

/// A body of text, if it comes in time and is not too long.
async fn text(body: Body) -> Result<String, No> {
    let read = timeout(BODY_WITHIN, to_bytes(body, BODY_MAX_BYTES)).await;
    let read = read.map_err(|_| No::because(StatusCode::REQUEST_TIMEOUT, "the body did not come"));
    let body = read?.map_err(|_| {
        No(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is longer than {BODY_MAX_BYTES} bytes"),
        )
    })?;
    String::from_utf8(body.into())
        .map_err(|_| No::because(StatusCode::BAD_REQUEST, "the body is not UTF-8"))
}

/// Comes to the door with a link, as a client of the hub.
async fn knock(site: &Site, way: Way, token: &str) -> Result<Newcomer, No> {
    let has_door = site.hub.has_door(token, way.fits());
    let place = site.sessions.place(way, token, has_door)?;
    let (line, client) = inside::connection(Vouched {
        device: device_of(token),
        at: way.fits(),
    });
    let hub = Arc::clone(&site.hub);
    tokio::spawn(async move { hub.serve(line).await });
    let join = ClientFrame::Join {
        protocol: PROTOCOL,
        token: token.to_owned(),
    };
    client.say(&join).await;
    Ok(Newcomer {
        client,
        place,
        code: None,
        is_in: false,
    })
}

/// What came of a request in the time it may take.
enum Outcome {
    Answered(String),
    /// It waits at the door with this code.
    Waits(String),
}

/// Joins and describes what is sent or taken, until there is an answer or somebody has to be asked. Who is told to wait
/// hears that at once, so that its code is seen; who comes back for the answer is given the time.
async fn negotiate(newcomer: &mut Newcomer, way: Way, offer: &str) -> Result<Outcome, No> {
    let unavailable = |why| No::because(StatusCode::SERVICE_UNAVAILABLE, why);
    let client = &newcomer.client;
    let deadline = Instant::now() + ANSWER_WITHIN;
    loop {
        let Ok(heard) = timeout_at(deadline, client.hear()).await else {
            let waits = newcomer.code.clone().map(Outcome::Waits);
            return waits.ok_or(unavailable("the server is busy"));
        };
        match heard.ok_or(unavailable("the server is stopping"))? {
            Heard::Prove {} => {
                let (device, pin) = (None, None);
                client.say(&ClientFrame::Proof { device, pin }).await;
            }
            Heard::Waiting { code } => {
                newcomer.code = Some(code.clone());
                return Ok(Outcome::Waits(code));
            }
            Heard::Welcome {} => {
                (newcomer.code, newcomer.is_in) = (None, true);
                describe(client, way, offer.to_owned()).await;
            }
            Heard::UplinkAnswer { sdp } | Heard::DownlinkAnswer { sdp } => {
                return Ok(Outcome::Answered(sdp));
            }
            Heard::MediaFailed { reason } => return Err(No::of_media(reason)),
            Heard::Error { why, text } => return Err(No::of_hub(way, why, text)),
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

/// Gives a session its address.
fn open(
    site: &Arc<Site>,
    way: Way,
    token: &str,
    offer: &str,
    answer: String,
    newcomer: Newcomer,
) -> Answer {
    let id = random().ok_or(No::because(
        StatusCode::INTERNAL_SERVER_ERROR,
        "no random numbers",
    ))?;
    let etag = format!("\"{}\"", ice_ufrag(&answer).unwrap_or_default());
    let address = format!("{}/{id}", way.path());
    let (ends, ended) = oneshot::channel();
    let session = Session {
        way,
        token: token_hash(token),
        etag: etag.clone(),
        ufrag: ice_ufrag(offer).unwrap_or_default().to_owned(),
        _place: newcomer.place,
        _ends: ends,
    };
    site.sessions.open(address.clone(), session);
    info!(?way, "a session begins");
    tokio::spawn(keep(
        Arc::clone(site),
        address.clone(),
        newcomer.client,
        ended,
    ));
    let headers = [
        (header::CONTENT_TYPE, SDP.to_owned()),
        (header::LOCATION, address),
        (header::ETAG, etag),
        (ACCEPT_PATCH, FRAGMENT.to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

/// Keeps a session until its client ends it, its media fails, or the hub sends it away.
async fn keep(site: Arc<Site>, address: String, client: Client, mut ended: oneshot::Receiver<()>) {
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
    site.sessions.close(&address);
    info!(why, "a session is over");
}

async fn end(
    State(site): State<Arc<Site>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<StatusCode, No> {
    let address = uri.path();
    site.sessions.ask(address, bearer(&headers)?, |_| Ok(()))?;
    site.sessions.close(address);
    Ok(StatusCode::OK)
}

/// Candidates are accepted and not needed: the client's packets show where it is. A restart is not done: a new session is
/// as quick.
async fn trickle(State(site): State<Arc<Site>>, request: Request) -> Result<StatusCode, No> {
    let (head, body) = request.into_parts();
    check_kind(&head.headers, FRAGMENT)?;
    let token = bearer(&head.headers)?;
    let fragment = text(body).await?;
    site.sessions.ask(head.uri.path(), token, |session| {
        let Some(expected) = head.headers.get(header::IF_MATCH) else {
            let why = "If-Match is missing";
            return Err(No::because(StatusCode::PRECONDITION_REQUIRED, why));
        };
        if ice_ufrag(&fragment).is_some_and(|ufrag| ufrag != session.ufrag) {
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
    })
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
