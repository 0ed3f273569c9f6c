//! Bodies that do not come as they should, against the routes themselves, with a clock that is moved on.

use super::*;
use crate::{
    addresses::{Addresses, Limits},
    assets::Assets,
    http::router,
    scrape::Scrape,
};
use axum::body::Bytes;
use diemcau_hub::Hub;
use futures_util::{StreamExt, stream};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use std::io;

const OFFER: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";

pub fn site() -> Arc<Site> {
    let (mut scrape, metrics) = Scrape::new();
    let limits = Limits {
        connections: 1,
        of_address: 1,
        new_a_second: 1,
    };
    Arc::new(Site {
        hub: Hub::new(metrics),
        assets: Assets::load(),
        addresses: Addresses::new(limits, scrape.registry()),
        demo_links: None,
        sessions: Arc::new(Sessions::new(scrape.registry())),
        ca: None,
        scrape,
    })
}

async fn ask(site: &Arc<Site>, method: &str, path: &str, kind: &str, body: Body) -> StatusCode {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, kind)
        .header(header::AUTHORIZATION, "Bearer somebody")
        .body(body)
        .unwrap();
    let service = TowerToHyperService::new(router(Arc::clone(site)));
    service.call(request).await.unwrap().status()
}

/// A body that begins, and goes on for ever without a word.
fn endless(begin: &'static str) -> Body {
    let first = stream::iter([Ok::<_, io::Error>(Bytes::from(begin))]);
    Body::from_stream(first.chain(stream::pending()))
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_waited_for_ten_seconds_and_has_no_place() {
    let site = site();
    let begun = Instant::now();
    for (method, path, kind) in [
        ("POST", "/whip", SDP),
        ("POST", "/whep", SDP),
        ("PATCH", "/whip/some", FRAGMENT),
    ] {
        let status = ask(&site, method, path, kind, endless(OFFER)).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{method} {path}");
    }
    assert_eq!(begun.elapsed(), BODY_WITHIN * 3);
    assert_eq!(site.sessions.places_of("somebody"), 0);
}

#[tokio::test]
async fn a_body_is_short_text_of_its_kind() {
    let site = site();
    let long = OFFER.repeat(BODY_MAX_BYTES);
    for (kind, body, status) in [
        (
            "application/json",
            OFFER.into(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (SDP, long.into(), StatusCode::PAYLOAD_TOO_LARGE),
        (SDP, Body::from(&b"v=0\xff"[..]), StatusCode::BAD_REQUEST),
        (SDP, "hello".into(), StatusCode::UNPROCESSABLE_ENTITY),
        // A body as it should be gets as far as the door, whatever is said beside its kind.
        (SDP, OFFER.into(), StatusCode::UNAUTHORIZED),
        (
            "Application/SDP; charset=utf-8",
            OFFER.into(),
            StatusCode::UNAUTHORIZED,
        ),
    ] {
        assert_eq!(ask(&site, "POST", "/whip", kind, body).await, status);
        assert_eq!(site.sessions.places_of("somebody"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_again_waits_for_the_decision_and_keeps_its_code() {
    let site = site();
    for code in [Some("1234"), None] {
        // The hub's end: it says nothing, as a desk at which nobody decides, or a server that is busy.
        let (_silent, client) = inside::connection(Vouched {
            device: device_of("link"),
            at: Way::In.fits(),
        });
        let mut newcomer = Newcomer {
            client,
            place: site.sessions.place(Way::In, "link", true).unwrap(),
            code: code.map(str::to_owned),
            is_in: false,
        };
        let begun = Instant::now();
        let outcome = negotiate(&mut newcomer, Way::In, OFFER).await;
        assert_eq!(begun.elapsed(), ANSWER_WITHIN);
        match (code, outcome) {
            (Some(code), Ok(Outcome::Waits(told))) => assert_eq!(told, code),
            (None, Err(No(status, _))) => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
            (code, _) => panic!("something else came of {code:?}"),
        }
    }
}

#[tokio::test]
async fn strangers_keep_no_encoder_and_no_player_out() {
    let site = site();
    for way in [Way::In, Way::Out] {
        let mut strangers = vec![];
        for n in 0..600 {
            let link = format!("a link of nobody {n}");
            strangers.push(knock(&site, way, &link).await.unwrap());
        }
        assert!(site.sessions.place(way, "link", true).is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn encoders_that_never_hear_their_answer_are_counted_as_begun() {
    let site = site();
    // Who has no door hears the same.
    for (link, has_door) in [("link", true), ("nobody's", false)] {
        let place = || site.sessions.place(Way::In, link, has_door);
        for _ in 0..3 {
            assert!(place().is_ok());
        }
        let mut refused = place().unwrap();
        assert!(place().is_err());
        site.sessions.took_none(&mut refused);
        assert!(place().is_ok() && place().is_err());
        tokio::time::advance(Duration::from_secs(11)).await;
        assert!(place().is_ok());
    }
}
