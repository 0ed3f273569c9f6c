//! RFC 6455 by the Autobahn cases: `cargo xtask conformance`.
//!
//! The cases want an echo. `/ws` echoes nothing, so they talk to an echo behind the same listener, the same upgrade and
//! the same limits; what the hub makes of a frame is tested by `tests/wire`.

use crate::{
    addresses::{Addresses, Limits},
    http::upgrade,
    listen::{self, Front},
    socket::WebSocketLine,
};
use axum::{Router, extract::Request, response::Response};
use prometheus_client::registry::Registry;
use std::{env, process::Command, time::Duration};
use tokio::sync::watch;

/// 9 is about speed and 12 and 13 about compression, which is not offered.
const CASES: [&str; 8] = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"];

/// So many of them are well at least: with fewer some were not played.
const CASES_MIN: usize = 240;

async fn echo(request: Request) -> Response {
    upgrade(request, async |upgraded| {
        if let Some(line) = WebSocketLine::over(upgraded).await {
            line.echo().await;
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs kosoku from PyPI: cargo xtask conformance"]
async fn conformance() {
    let kosoku = env::var("KOSOKU").unwrap();
    let listener = listen::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let limits = Limits {
        connections: 1_000,
        of_address: 1_000,
        new_a_second: 1_000,
    };
    let front = Front {
        addresses: Addresses::new(limits, &mut Registry::default()),
        tls: None,
        router: Router::new().fallback(axum::routing::any(echo)),
        crowded: Router::new(),
    };
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(listen::serve(listener, front, stopped, Duration::ZERO));

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
    stop.send_replace(true);
    server.await.unwrap();
    let count = |verdict: &str| {
        let told = format!("\"behavior\": \"{verdict}\"");
        let count = index.matches(&told).count();
        println!("{count:>4} {verdict}");
        count
    };
    let [ok, _, _, unimplemented, failed] = [
        "OK",
        "NON-STRICT",
        "INFORMATIONAL",
        "UNIMPLEMENTED",
        "FAILED",
    ]
    .map(count);
    assert!(played, "a case failed");
    assert_eq!((unimplemented, failed), (0, 0));
    assert!(ok >= CASES_MIN, "only {ok} cases were played");
}
