//! Requests that no encoder writes.

use super::{
    Way,
    sessions::{Session, Sessions},
    tests::site,
};
use crate::http::router;
use axum::{
    body::Body,
    extract::Request,
    http::{Method, StatusCode},
};
use diemcau_fuzz::{Fuzz, outcome};
use diemcau_hub::token_hash;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::oneshot;

/// A request as text: method and path, headers, an empty line, the body. What no HTTP reader would hand on is left out.
fn request(input: &[u8]) -> Option<Request> {
    let at = input.windows(2).position(|two| two == b"\n\n")?;
    let (head, body) = (&input[..at], &input[at + 2..]);
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let gap = first.iter().position(|byte| *byte == b' ')?;
    let mut request = Request::builder()
        .method(&first[..gap])
        .uri(&first[gap + 1..]);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    request.body(Body::from(body.to_vec())).ok()
}

/// Opens the one session that there is.
fn open(sessions: &Sessions) {
    let place = sessions.place(Way::Out, "somebody", true);
    let session = Session {
        way: Way::Out,
        token: token_hash("somebody"),
        etag: "\"tag\"".to_owned(),
        ufrag: "ours".to_owned(),
        _place: place.map_err(|no| no.0).unwrap(),
        _ends: oneshot::channel().0,
    };
    sessions.open("/whip/session".to_owned(), session);
}

#[test]
fn whip() {
    let fuzz = Fuzz {
        name: "whip",
        corpus: "corpus/whip",
        words: &[
            "POST /whip",
            "POST /whep",
            "PATCH /whep/x",
            "DELETE /whip/",
            "OPTIONS /whip/x",
            "PATCH /whip/session",
            "\nif-match: *",
            "\nif-match: \"tag\"",
            "a=ice-ufrag:ours\r\n",
            "a=ice-ufrag:",
            "\nauthorization: Bearer ",
            "\ncontent-type: application/sdp",
            "\norigin: null",
            "\n\n",
            "v=0\r\n",
            "a=recvonly\r\n",
            "a=rid:q send\r\n",
        ],
        inputs: 100_000,
        longest: 4_096,
    };
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().build().unwrap();
    let site = site();
    let service = TowerToHyperService::new(router(std::sync::Arc::clone(&site)));
    let (mut asked, mut kept, mut restarts) = (0_u32, 0_u32, 0_u32);
    fuzz.run(|input| {
        asked += 1;
        let Some(request) = request(input) else {
            return 0;
        };
        if site.sessions.places() == 0 {
            open(&site.sessions);
        }
        let ends = request.method() == Method::DELETE;
        let tells = request.method() == Method::PATCH;
        let answer = runtime.block_on(service.call(request)).unwrap();
        let status = answer.status();
        assert!(!status.is_server_error(), "{status}");
        // Nobody is let in by a wrong link, who is refused has no place, and only who asks for its end ends a session.
        let ended = ends && status == StatusCode::OK;
        assert_eq!(site.sessions.places(), usize::from(!ended));
        kept += u32::from(tells && status == StatusCode::NO_CONTENT);
        restarts += u32::from(status == StatusCode::UNPROCESSABLE_ENTITY);
        outcome((status.as_u16(), answer.headers().len()))
    });
    // What says the session's name for ICE, and what says another, is read: both stand in the corpus.
    assert!(asked < 100 || kept > 0 && restarts > 0);
}
