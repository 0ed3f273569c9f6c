//! HTTP: the client's files, the WebSocket, health and metrics.

use crate::{
    addresses::{Addresses, Turned},
    assets::{Assets, NO_PAGE},
    links, listen, pages,
    scrape::Scrape,
    socket::WebSocketLine,
    whip,
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::get,
};
use diemcau_hub::{Close, Hub, Socket as _};
use hyper::upgrade::{self, Upgraded};
use serde::Serialize;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tracing::debug;

/// What the handlers share.
#[derive(Debug)]
pub struct Site {
    /// The conferences.
    pub hub: Arc<Hub>,
    /// The client's files.
    pub assets: Assets,
    /// The counters.
    pub scrape: Scrape,
    /// Who is turned away.
    pub addresses: Arc<Addresses>,
    /// The demo's links; none for a real conference, whose links are nobody's to read.
    pub demo_links: Option<Vec<links::Link>>,
    /// Encoders and players.
    pub sessions: Arc<whip::Sessions>,
    /// The authority's certificate, when this server has one.
    pub ca: Option<String>,
}

/// A link with its QR code, for the demo's page.
#[derive(Debug, Serialize)]
struct DemoLink<'a> {
    #[serde(flatten)]
    link: &'a links::Link,
    qr: String,
    qr_size: usize,
}

impl<'a> DemoLink<'a> {
    fn new(link: &'a links::Link) -> Self {
        let (qr, qr_size) = links::qr(&link.url).unwrap_or_default();
        Self { link, qr, qr_size }
    }
}

/// The routes.
pub fn router(site: Arc<Site>) -> Router {
    let mut router = Router::new()
        .route("/ws", get(connect))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .route("/ca.crt", get(authority))
        .route("/trust", get(trust))
        .route("/demo", get(demo))
        .route("/demo/links.json", get(demo_links))
        .merge(whip::routes())
        .fallback(get(file));
    for page in pages::CLIENT_PAGES {
        router = router.route(page, get(client));
    }
    router.layer(map_response(secure)).with_state(site)
}

/// What one connection too many gets: a WebSocket is closed with 1013, so that a page can say why.
pub fn crowded() -> Router {
    Router::new()
        .route("/ws", get(refuse))
        .fallback(get(listen::too_many))
        .layer(map_response(secure))
}

async fn secure(mut response: Response) -> Response {
    response.headers_mut().extend(pages::HEADERS);
    response
}

async fn client(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    site.assets.respond("index.html", &headers)
}

async fn trust(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    site.assets.respond("trust.html", &headers)
}

async fn file(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Response {
    site.assets.respond(uri.path(), &headers)
}

async fn demo(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    match site.demo_links {
        Some(_) => site.assets.respond("demo.html", &headers),
        None => (StatusCode::NOT_FOUND, NO_PAGE).into_response(),
    }
}

async fn demo_links(State(site): State<Arc<Site>>) -> Response {
    let Some(links) = &site.demo_links else {
        return StatusCode::NOT_FOUND.into_response();
    };
    Json(links.iter().map(DemoLink::new).collect::<Vec<_>>()).into_response()
}

async fn authority(State(site): State<Arc<Site>>) -> Response {
    match &site.ca {
        Some(ca) => (
            [(header::CONTENT_TYPE, "application/x-x509-ca-cert")],
            ca.clone(),
        )
            .into_response(),
        None => (
            StatusCode::NOT_FOUND,
            "this server has no authority: it was started without --lan",
        )
            .into_response(),
    }
}

async fn health(State(site): State<Arc<Site>>) -> Response {
    let alarms = site.hub.alarms().await;
    let stopped = alarms.iter().any(|alarm| alarm.stops_the_record());
    let (status, word) = match stopped {
        false => (StatusCode::OK, "ok\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "failing\n"),
    };
    let lines = alarms
        .iter()
        .map(|alarm| format!("alarm: {}\n", alarm.words()));
    let text: String = [word.to_owned()].into_iter().chain(lines).collect();
    (status, text).into_response()
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match site.scrape.text() {
        Ok(text) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn connect(State(site): State<Arc<Site>>, request: Request) -> Response {
    if !is_own_origin(request.headers()) {
        site.addresses.count(Turned::ForeignOrigin);
        return (StatusCode::FORBIDDEN, "this page may not connect here\n").into_response();
    }
    upgrade(request, async move |upgraded| {
        if let Some(line) = WebSocketLine::over(upgraded).await {
            site.hub.serve(line).await;
        }
    })
}

async fn refuse(request: Request) -> Response {
    upgrade(request, async move |upgraded| {
        if let Some(mut line) = WebSocketLine::over(upgraded).await {
            let reason = "too many connections from this address, or to this server";
            line.close(Close::Lagging.code(), reason).await;
        }
    })
}

/// Answers a WebSocket's handshake (RFC 6455, section 4.2.2), and hands the connection over.
pub fn upgrade<T>(
    mut request: Request,
    then: impl FnOnce(Upgraded) -> T + Send + 'static,
) -> Response
where
    T: Future<Output = ()> + Send,
{
    let response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(error) => {
            let text = format!("this address is a WebSocket's: {error}\n");
            return (StatusCode::BAD_REQUEST, text).into_response();
        }
    };
    let upgraded = upgrade::on(&mut request);
    tokio::spawn(async move {
        match upgraded.await {
            Ok(upgraded) => then(upgraded).await,
            Err(error) => debug!(%error, "a handshake came to nothing"),
        }
    });
    response
}

/// Whether the page that connects was served by this server (RFC 6455, section 10.2). A client without an origin is
/// no browser, and cannot be used by a foreign page.
fn is_own_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let of_origin = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, host)| host);
    of_origin.is_some() && of_origin == host
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(origin: &'static str, host: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        headers.insert(header::HOST, HeaderValue::from_static(host));
        headers
    }

    #[test]
    fn only_our_own_pages_may_connect() {
        assert!(is_own_origin(&HeaderMap::new()));
        assert!(is_own_origin(&headers(
            "http://127.0.0.1:8080",
            "127.0.0.1:8080"
        )));
        assert!(is_own_origin(&headers(
            "https://hoinghi.tinh:8443",
            "hoinghi.tinh:8443"
        )));
        assert!(!is_own_origin(&headers(
            "https://elsewhere",
            "127.0.0.1:8080"
        )));
        assert!(!is_own_origin(&headers(
            "http://127.0.0.1:9090",
            "127.0.0.1:8080"
        )));
        assert!(!is_own_origin(&headers("null", "127.0.0.1:8080")));
    }
}
