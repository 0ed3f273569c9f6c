//! Who takes more than a person can use: told so, cut, counted, and nobody else notices.

use anyhow::{Context, Result, ensure};
use diemcau_model::Role;
use diemcau_protocol::{ClientFrame, ErrorWhy};
use diemcau_tests::{
    Server,
    client::{Line, Next, connect, next},
    records::Records,
};
use futures_util::{SinkExt, StreamExt};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, client_async, tungstenite::Message};

/// A bound against hanging, no measure.
const AT_MOST: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_address_may_have_only_so_many_and_another_notices_nothing() -> Result<()> {
    // What asks for health and figures comes from the first address too.
    let server =
        Server::with_settings("address_connections = 8\naddress_new_a_second = 1000").await?;
    let token = server.token(Role::Observer, None, None)?;
    let mut inside = vec![];
    let turned_away = loop {
        ensure!(inside.len() <= 8, "all of them came in");
        let mut line = from("127.0.0.1", &server.host).await?;
        match join(&mut line, &token).await? {
            Next::Frame(_) => inside.push(line),
            Next::Closed(code) => break code,
        }
    };
    assert_eq!((inside.len(), turned_away), (8, Some(1013)));

    let page = server.get("/").await?;
    assert!(page.starts_with("HTTP/1.1 503"), "{page}");
    let mut other = from("127.0.0.2", &server.host).await?;
    assert!(matches!(join(&mut other, &token).await?, Next::Frame(_)));

    // Whoever leaves makes room, and then the figures can be asked for again.
    drop(inside);
    let turned_away = async {
        loop {
            let metric = r#"diemcau_turned_away_total{why="address_full"}"#;
            let count = server.metric(metric).await.unwrap_or_default();
            if count > 0.0 {
                return count;
            }
        }
    };
    assert!(timeout(AT_MOST, turned_away).await? >= 2.0);
    let mut back = from("127.0.0.1", &server.host).await?;
    assert!(matches!(join(&mut back, &token).await?, Next::Frame(_)));
    Ok(())
}

#[tokio::test]
async fn who_makes_connections_too_fast_gets_no_answer() -> Result<()> {
    let server =
        Server::with_settings("address_connections = 20\naddress_new_a_second = 1").await?;
    let host = &server.host;
    let mut unanswered = 0;
    for _ in 0..60 {
        let mut stream = TcpSocket::new_v4()?.connect(host.parse()?).await?;
        let _ = stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await;
        let mut answer = String::new();
        if stream.read_to_string(&mut answer).await.is_err() || answer.is_empty() {
            unanswered += 1;
        }
    }
    assert!((1..=59).contains(&unanswered), "{unanswered} of 60");
    let token = server.token(Role::Observer, None, None)?;
    let mut other = from("127.0.0.3", host).await?;
    assert!(matches!(join(&mut other, &token).await?, Next::Frame(_)));
    Ok(())
}

#[tokio::test]
async fn a_request_that_never_ends_is_given_up() -> Result<()> {
    let server = Server::start().await?;
    let begun = Instant::now();
    let mut slow = vec![];
    for head in [
        "",
        "GET / HTTP/1.1\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgr",
    ] {
        let mut stream = TcpStream::connect(&server.host).await?;
        stream.write_all(head.as_bytes()).await?;
        slow.push(stream);
    }
    // Beside it: who asks is answered.
    assert!(server.get("/healthz").await?.contains("200 OK"));
    for mut stream in slow {
        let mut answer = vec![];
        let ended = timeout(AT_MOST, stream.read_to_end(&mut answer)).await?;
        assert!(ended.is_err() || !answer.starts_with(b"HTTP/1.1 200"));
    }
    assert!(begun.elapsed() >= Duration::from_secs(5), "too early");
    Ok(())
}

#[tokio::test]
async fn a_head_without_end_is_refused_at_once() -> Result<()> {
    let server = Server::start().await?;
    let mut stream = TcpStream::connect(&server.host).await?;
    let mut sent = stream.write_all(b"GET / HTTP/1.1\r\nX: ").await;
    for _ in 0..64 {
        if sent.is_err() {
            break;
        }
        sent = stream.write_all(&[b'x'; 4096]).await;
    }
    let mut answer = vec![];
    let _ = timeout(AT_MOST, stream.read_to_end(&mut answer)).await?;
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    assert!(server.get("/healthz").await?.contains("200 OK"));
    Ok(())
}

#[tokio::test]
async fn pings_of_the_transport_count_too() -> Result<()> {
    let server = Server::start().await?;
    let mut other = server.moderator(4).await?;
    let token = server.token(Role::Observer, None, None)?;
    let mut flood = connect(&server.host).await?;
    assert!(matches!(join(&mut flood, &token).await?, Next::Frame(_)));
    for _ in 0..2_000 {
        // It may be closed before the last one.
        if flood
            .send(Message::Ping(vec![7; 100].into()))
            .await
            .is_err()
        {
            break;
        }
    }
    let code = loop {
        match timeout(AT_MOST, next(&mut flood)).await?? {
            Next::Frame(_) => {}
            Next::Closed(code) => break code,
        }
    };
    assert!(matches!(code, Some(1008) | None), "{code:?}");
    assert_eq!(server.errors(ErrorWhy::TooFast).await?, 1.0);
    other.settle("undisturbed").await
}

/// A text that has begun, and pieces of it without a byte.
const BEGUN: &[u8] = &[0x01, 0x80, 0, 0, 0, 0];
const PIECE: &[u8] = &[0x00, 0x80, 0, 0, 0, 0];
/// A ping of the transport.
const PING: &[u8] = &[0x89, 0x80, 0, 0, 0, 0];

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_frames_that_count_for_nothing_is_cut_and_takes_nobodys_time() -> Result<()> {
    let server = Server::start().await?;
    let mut other = server.moderator(4).await?;
    let token = server.token(Role::Observer, None, None)?;
    // More than the server has threads, before the welcome and behind it.
    let cores = std::thread::available_parallelism()?.get();
    let mut lines = vec![];
    for (begin, repeated) in [(BEGUN, PIECE), (&[][..], PING)] {
        for _ in 0..cores {
            let stranger = connect(&server.host).await?;
            let mut guest = connect(&server.host).await?;
            assert!(matches!(join(&mut guest, &token).await?, Next::Frame(_)));
            lines.extend([stranger, guest].map(|line| (line, begin, repeated)));
        }
    }
    let mut floods = JoinSet::new();
    for (line, begin, repeated) in lines {
        floods.spawn(flood(line, begin, repeated));
    }
    let undisturbed = async {
        for n in 0..10 {
            assert!(server.get("/healthz").await?.contains("200 OK"));
            other.settle(&format!("undisturbed-{n}")).await?;
        }
        while let Some(flood) = floods.join_next().await {
            flood?;
        }
        anyhow::Ok(())
    };
    timeout(AT_MOST, undisturbed).await??;
    // All but strangers that only ping: those have said nothing yet.
    assert!(server.errors(ErrorWhy::TooFast).await? >= 3.0 * cores as f64);
    other.settle("and-goes-on").await
}

/// Sends without end, until the connection is closed.
async fn flood(mut line: Line, begin: &'static [u8], repeated: &'static [u8]) {
    let stream = line.get_mut();
    let much = repeated.repeat(10_000);
    let mut sent = stream.write_all(begin).await;
    while sent.is_ok() {
        sent = stream.write_all(&much).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_records_without_content_is_cut_and_takes_nobodys_time() -> Result<()> {
    let server = Server::encrypted().await?;
    let mut other = server.moderator(4).await?;
    let token = server.token(Role::Observer, None, None)?;
    let cores = std::thread::available_parallelism()?.get();
    let mut floods = JoinSet::new();
    for token in [None, Some(token)].iter().cycle().take(2 * cores) {
        let url = format!("ws://{}/ws", server.host);
        let (tls, secret) = server.tls().await?;
        let (mut line, _) = client_async(url, tls).await?;
        if let Some(token) = token {
            line.send(joins(token)?).await?;
            line.next().await.context("no welcome")??;
        }
        let (stream, records) = Records::of(line.into_inner(), &secret)?;
        floods.spawn(flood_of_records(stream, records));
    }
    let undisturbed = async {
        for n in 0..10 {
            assert!(server.get("/healthz").await?.contains("200 OK"));
            other.settle(&format!("undisturbed-{n}")).await?;
        }
        while let Some(flood) = floods.join_next().await {
            flood??;
        }
        anyhow::Ok(())
    };
    timeout(AT_MOST, undisturbed).await??;
    let cut = server.errors(ErrorWhy::TooFast).await?;
    assert_eq!(cut, 2.0 * cores as f64);
    other.settle("and-goes-on").await
}

/// Sends records without content until the connection is closed.
async fn flood_of_records(mut stream: TcpStream, mut records: Records) -> Result<()> {
    loop {
        let some: Result<Vec<_>> = (0..1_000).map(|_| records.hollow()).collect();
        if stream.write_all(&some?.concat()).await.is_err() {
            return Ok(());
        }
    }
}

#[tokio::test]
async fn a_message_in_more_pieces_than_anybody_makes_is_too_fast_and_one_in_some_is_read()
-> Result<()> {
    let server = Server::start().await?;
    let token = server.token(Role::Observer, None, None)?;
    let said = format!(r#"{{"type":"join","protocol":1,"token":"{token}"}}"#);
    // 33 pieces and none to spare, with pings between them.
    let mut pieces = connect(&server.host).await?;
    for (n, some) in said.as_bytes().chunks(said.len().div_ceil(33)).enumerate() {
        let first = if n == 0 { 0x01 } else { 0x00 };
        let stream = pieces.get_mut();
        stream
            .write_all(&[first, 0x80 | some.len() as u8, 0, 0, 0, 0])
            .await?;
        stream.write_all(some).await?;
        stream.write_all(PING).await?;
    }
    pieces
        .get_mut()
        .write_all(&[0x80, 0x80, 0, 0, 0, 0])
        .await?;
    let welcome = timeout(AT_MOST, next(&mut pieces)).await??;
    assert!(matches!(welcome, Next::Frame(_)), "{welcome:?}");

    let mut shreds = connect(&server.host).await?;
    shreds.get_mut().write_all(BEGUN).await?;
    shreds.get_mut().write_all(&PIECE.repeat(100)).await?;
    let code = loop {
        match timeout(AT_MOST, next(&mut shreds)).await?? {
            Next::Frame(_) => {}
            Next::Closed(code) => break code,
        }
    };
    assert_eq!(code, Some(1008));
    assert_eq!(server.errors(ErrorWhy::TooFast).await?, 1.0);
    Ok(())
}

/// A text as long as 1 MiB.
const VERY_LONG: &[u8] = &[0x81, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0];

#[tokio::test]
async fn whoever_is_cut_over_what_cannot_be_read_on_hears_why_and_no_reset() -> Result<()> {
    let server = Server::start().await?;
    for (begin, rest, code) in [
        (BEGUN, PIECE.repeat(20_000), 1008_u16),
        (VERY_LONG, vec![0; 1024 * 1024], 1009),
    ] {
        let mut line = connect(&server.host).await?;
        let stream = line.get_mut();
        stream.write_all(&[begin, rest.as_slice()].concat()).await?;
        stream.shutdown().await?;
        let mut heard = vec![];
        // A reset is an error here, and takes from a client what it has not read yet.
        timeout(AT_MOST, stream.read_to_end(&mut heard)).await??;
        let is_close = |some: &[u8]| some[0] == 0x88 && some[2..] == code.to_be_bytes();
        assert!(heard.windows(4).any(is_close), "{code}: {heard:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_answer_says_what_a_page_may_not_do() -> Result<()> {
    let server = Server::start().await?;
    let pages = [
        "/",
        "/chair",
        "/secretary",
        "/site",
        "/technician",
        "/observer",
        "/stage",
        "/trust",
        "/demo",
    ];
    let others = [
        "/demo/links.json",
        "/healthz",
        "/metrics",
        "/src/main.js",
        "/ws",
        "/nothing",
    ];
    for path in pages.into_iter().chain(others) {
        let answer = server.get(path).await?.to_lowercase();
        let (head, _) = answer.split_once("\r\n\r\n").context("no head")?;
        let policy = head
            .lines()
            .find_map(|line| line.strip_prefix("content-security-policy: "))
            .with_context(|| format!("{path}: no policy"))?;
        let says = |rule: &str| policy.split(';').any(|each| each.trim() == rule);
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(says(rule), "{path}: {rule} is not in {policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{path}: {policy}"
        );
        for line in [
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "x-frame-options: deny",
            "cross-origin-opener-policy: same-origin",
        ] {
            assert!(head.contains(line), "{path}: {line} is missing");
        }
        assert!(head.contains("permissions-policy: camera=(self)"), "{path}");
    }
    Ok(())
}

fn joins(token: &str) -> Result<Message> {
    let join = ClientFrame::Join {
        protocol: 1,
        token: token.to_owned(),
    };
    Ok(Message::text(serde_json::to_string(&join)?))
}

async fn join(line: &mut Line, token: &str) -> Result<Next> {
    // Who is turned away may hear of it before it has said this.
    let _ = line.send(joins(token)?).await;
    timeout(AT_MOST, next(line)).await?
}

/// A connection that comes from an address of its own.
async fn from(address: &str, host: &str) -> Result<Line> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(address.parse()?, 0))?;
    let stream = socket.connect(host.parse()?).await?;
    let stream = MaybeTlsStream::Plain(stream);
    Ok(client_async(format!("ws://{host}/ws"), stream).await?.0)
}
