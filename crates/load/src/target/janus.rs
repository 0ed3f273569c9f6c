//! Janus VideoRoom, joined by its WebSocket API: a publisher and a subscriber for each site.

use crate::Engine;
use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

const ROOM: u64 = 1;
const PATIENCE: Duration = Duration::from_secs(30);
/// Janus ends a session after a minute without a word.
const KEEP_ALIVE_EACH: Duration = Duration::from_secs(20);
/// Site 0 as a feed: Janus takes no 0.
const FIRST_FEED: u64 = 100;

/// A session in a room of its own.
pub struct Janus {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: u64,
    asked: u64,
    feeds: Vec<Feed>,
}

struct Feed {
    site: u16,
    audio: String,
    video: String,
}

impl Janus {
    /// Connects and makes the room.
    ///
    /// # Errors
    /// Janus does not answer, or not as its manual says.
    pub async fn connect(url: &str) -> Result<Self> {
        let mut request = url.into_client_request()?;
        let protocol = "janus-protocol".parse()?;
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        let (socket, _) = connect_async_with_config(request, None, true).await?;
        let mut janus = Self {
            socket,
            session: 0,
            asked: 0,
            feeds: vec![],
        };
        let created = janus.ask(json!({ "janus": "create" })).await?;
        janus.session = id(&created)?;
        let handle = janus.attach().await?;
        let room = json!({
            "request": "create", "room": ROOM, "publishers": 64, "audiocodec": "opus", "videocodec": "vp8",
        });
        janus.say(handle, room, None).await?;
        Ok(janus)
    }

    /// A site begins to send.
    ///
    /// # Errors
    /// Janus refuses.
    pub async fn publish(&mut self, engine: &Engine, site: u16) -> Result<()> {
        let handle = self.attach().await?;
        let feed = FIRST_FEED + u64::from(site);
        let join = json!({ "request": "join", "ptype": "publisher", "room": ROOM, "id": feed });
        self.say(handle, join, None).await?;
        let (leg, sdp) = engine.offer(site).await?;
        self.feeds.push(Feed {
            site,
            audio: mid(&sdp, "audio")?,
            video: mid(&sdp, "video")?,
        });
        let jsep = json!({ "type": "offer", "sdp": sdp });
        let answer = self
            .say(handle, json!({ "request": "publish" }), Some(jsep))
            .await?;
        engine.answer(leg, description(&answer)?).await
    }

    /// A site begins to receive every other site's picture, and the sound of those that are heard.
    ///
    /// # Errors
    /// Janus refuses.
    pub async fn subscribe(
        &mut self,
        engine: &Engine,
        site: u16,
        heard: impl Fn(u16) -> bool,
    ) -> Result<()> {
        let mut streams = vec![];
        for feed in self.feeds.iter().filter(|feed| feed.site != site) {
            let id = FIRST_FEED + u64::from(feed.site);
            streams.push(json!({ "feed": id, "mid": feed.video }));
            if heard(feed.site) {
                streams.push(json!({ "feed": id, "mid": feed.audio }));
            }
        }
        let handle = self.attach().await?;
        let join =
            json!({ "request": "join", "ptype": "subscriber", "room": ROOM, "streams": streams });
        let offer = self.say(handle, join, None).await?;
        let (_, sdp) = engine.accept(site, description(&offer)?).await?;
        let jsep = json!({ "type": "answer", "sdp": sdp });
        self.say(handle, json!({ "request": "start" }), Some(jsep))
            .await?;
        Ok(())
    }

    /// Keeps the session alive until it is dropped.
    pub async fn keep(mut self) -> Result<()> {
        let mut alive = interval(KEEP_ALIVE_EACH);
        loop {
            tokio::select! {
                _ = alive.tick() => {
                    let session = self.session;
                    let word = json!({ "janus": "keepalive", "session_id": session, "transaction": "alive" });
                    self.socket.send(Message::text(word.to_string())).await?;
                }
                message = self.socket.next() => {
                    message.context("Janus closed the connection")??;
                }
            }
        }
    }

    async fn attach(&mut self) -> Result<u64> {
        let attached = self
            .ask(json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" }))
            .await?;
        id(&attached)
    }

    async fn say(&mut self, handle: u64, body: Value, jsep: Option<Value>) -> Result<Value> {
        let mut message = json!({ "janus": "message", "handle_id": handle, "body": body });
        if let Some(jsep) = jsep {
            message["jsep"] = jsep;
        }
        let answer = self.ask(message).await?;
        let error = &answer["plugindata"]["data"]["error"];
        match error.is_null() {
            true => Ok(answer),
            false => bail!("Janus refuses: {error}"),
        }
    }

    async fn ask(&mut self, mut message: Value) -> Result<Value> {
        self.asked += 1;
        let transaction = Value::from(self.asked.to_string());
        message["transaction"] = transaction.clone();
        if self.session > 0 {
            message["session_id"] = self.session.into();
        }
        self.socket.send(Message::text(message.to_string())).await?;
        let answer = async {
            loop {
                let message = self.socket.next().await.context("Janus has gone")??;
                let Message::Text(text) = message else {
                    continue;
                };
                let answer: Value = serde_json::from_str(&text)?;
                if answer["transaction"] == transaction && answer["janus"] != "ack" {
                    return Ok::<_, anyhow::Error>(answer);
                }
            }
        };
        let answer = timeout(PATIENCE, answer)
            .await
            .context("Janus does not answer")??;
        match answer["janus"] == "error" {
            true => bail!("Janus refuses: {}", answer["error"]),
            false => Ok(answer),
        }
    }
}

fn id(answer: &Value) -> Result<u64> {
    answer["data"]["id"].as_u64().context("no id from Janus")
}

fn description(answer: &Value) -> Result<String> {
    let sdp = answer["jsep"]["sdp"].as_str();
    Ok(sdp
        .with_context(|| format!("no description from Janus: {answer}"))?
        .to_owned())
}

/// The name of the first m-line of a kind.
fn mid(sdp: &str, kind: &str) -> Result<String> {
    let section = sdp.split("m=").find(|section| section.starts_with(kind));
    let mid = section
        .into_iter()
        .flat_map(str::lines)
        .find_map(|line| line.strip_prefix("a=mid:"));
    Ok(mid.context("an offer without a mid")?.trim().to_owned())
}
