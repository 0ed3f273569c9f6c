//! RFC 6455 by the Autobahn cases: `cargo xtask conformance`.
//!
//! The cases want an echo. `/ws` echoes nothing, so they talk to an echo behind the same listener, the same upgrade and
//! the same limits; what the hub makes of a frame is tested by `tests/wire`.

use crate::http::bounded;
use axum::{
    Router,
    extract::{WebSocketUpgrade, ws::Message},
    response::Response,
};
use axum_server::accept::NoDelayAcceptor;
use std::{env, process::Command};

/// 9 is about speed and 12 and 13 about compression, which is not offered.
const CASES: [&str; 8] = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"];

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    bounded(upgrade).on_upgrade(|mut socket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            let echoed = match message {
                Message::Text(_) | Message::Binary(_) => socket.send(message).await,
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) => continue,
            };
            if echoed.is_err() {
                return;
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs kosoku from PyPI: cargo xtask conformance"]
async fn conformance() {
    let kosoku = env::var("KOSOKU").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let app = Router::new().fallback(axum::routing::any(echo));
    let server = axum_server::from_tcp(listener)
        .unwrap()
        .acceptor(NoDelayAcceptor::new())
        .serve(app.into_make_service());
    let server = tokio::spawn(server);

    let reports = tempfile::tempdir().unwrap();
    let play = move || {
        let mut command = Command::new(kosoku);
        command.args([&address, "--outdir"]).arg(reports.path());
        for cases in CASES {
            command.args(["--include", cases]);
        }
        let played = command.status().unwrap().success();
        let index = std::fs::read_to_string(reports.path().join("index.json"));
        (played, index.unwrap_or_default())
    };
    let (played, index) = tokio::task::spawn_blocking(play).await.unwrap();
    server.abort();
    for verdict in [
        "OK",
        "NON-STRICT",
        "INFORMATIONAL",
        "UNIMPLEMENTED",
        "FAILED",
    ] {
        let count = index
            .matches(&format!("\"behavior\": \"{verdict}\""))
            .count();
        println!("{count:>4} {verdict}");
    }
    assert!(played, "a case failed");
}
