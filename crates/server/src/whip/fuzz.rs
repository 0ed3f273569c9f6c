//! Requests that no encoder writes.

use super::tests::site;
use crate::http::router;
use axum::{body::Body, extract::Request};
use diemcau_fuzz::{Fuzz, outcome};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

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
            "\nif-match: *",
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
    fuzz.run(|input| {
        let Some(request) = request(input) else {
            return 0;
        };
        let answer = runtime.block_on(service.call(request)).unwrap();
        let status = answer.status();
        assert!(!status.is_server_error(), "{status}");
        // Nobody is let in by a wrong link, and who is refused has no place.
        assert_eq!(site.sessions.places(), 0);
        outcome((status.as_u16(), answer.headers().len()))
    });
}
