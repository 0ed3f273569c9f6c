//! The small SFU on Pion beside this crate (`peers/pion`), joined by its few HTTP requests.

use crate::Engine;
use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A site begins to send.
///
/// # Errors
/// It refuses.
pub async fn publish(engine: &Engine, host: &str, site: u16) -> Result<()> {
    let (leg, sdp) = engine.offer(site).await?;
    let answer = post(host, &format!("/publish?site={site}"), &sdp).await?;
    engine.answer(leg, answer).await
}

/// A site begins to receive.
///
/// # Errors
/// It refuses.
pub async fn subscribe(engine: &Engine, host: &str, site: u16) -> Result<()> {
    let offer = post(host, &format!("/subscribe?site={site}"), "").await?;
    let (_, answer) = engine.accept(site, offer).await?;
    post(host, &format!("/answer?site={site}"), &answer).await?;
    Ok(())
}

async fn post(host: &str, path: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(host).await?;
    let length = body.len();
    let ask =
        format!("POST {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(ask.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
    ensure!(head.contains(" 200 "), "{path}: {answer}");
    Ok(body.to_owned())
}
