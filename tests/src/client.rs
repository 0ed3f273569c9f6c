//! A client that speaks the protocol and keeps its view as every client does: by folding facts.

use crate::knock::knock_on;
use anyhow::{Context, Result, bail};
use diemcau_model::ItemId;
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, Fact, Me, ServerFrame, View};
use futures_util::{SinkExt, StreamExt};
use std::{collections::BTreeMap, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config, tungstenite::Message,
};

/// How long an answer may take: a liveness bound, no measure.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// An admitted connection.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Who it is.
    pub me: Me,
    /// What it sees, folded from the welcome and every fact since.
    pub view: View,
    /// The last event that it was told of.
    pub seq: u64,
    /// The last event whose comments, and whose floor and everything beside it, are in `view`.
    lanes: (u64, u64),
    /// Answers to commands, by id, in the order of their coming.
    pub answers: BTreeMap<String, Vec<ServerFrame>>,
    /// Every other frame, in the order of their coming; telemetry left out.
    pub others: Vec<ServerFrame>,
    /// The code of the server's close, once it came.
    pub closed: Option<u16>,
}

/// A connection that has not joined, or whose frames are read one by one.
pub type Line = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Client {
    /// Connects and joins.
    ///
    /// # Errors
    /// Not admitted, or no answer.
    pub async fn join(host: &str, token: &str) -> Result<Self> {
        Self::join_on(connect(host).await?, token).await
    }

    /// Joins on a connection that was made before. Asked who it is, it has no key to show.
    ///
    /// # Errors
    /// Not admitted, or no answer.
    pub async fn join_on(socket: Line, token: &str) -> Result<Self> {
        knock_on(socket, token, None, None).await?.entered()
    }

    /// The client of a connection that has just been welcomed.
    #[must_use]
    pub fn welcomed(socket: Line, me: Me, seq: u64, view: View) -> Self {
        let (answers, others) = (BTreeMap::new(), vec![]);
        Self {
            socket,
            me,
            view,
            seq,
            lanes: (seq, seq),
            answers,
            others,
            closed: None,
        }
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send(&mut self, frame: &ClientFrame) -> Result<()> {
        self.send_text(serde_json::to_string(frame)?).await
    }

    /// Sends a text as it is, a frame or not.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send_text(&mut self, text: String) -> Result<()> {
        Ok(self.socket.send(Message::text(text)).await?)
    }

    /// Sends a command without waiting for its answer.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn ask(&mut self, id: &str, command: ClientCommand) -> Result<()> {
        self.send(&ClientFrame::Command {
            id: id.to_owned(),
            command,
        })
        .await
    }

    /// Sends a command and waits for its answer: `Ok`, `Refused` or `Error`.
    ///
    /// # Errors
    /// The connection is gone, or no answer comes.
    pub async fn command(&mut self, id: &str, command: ClientCommand) -> Result<ServerFrame> {
        let before = self.answers.get(id).map_or(0, Vec::len);
        self.ask(id, command).await?;
        self.until(|client| client.answers.get(id)?.get(before).cloned())
            .await
    }

    /// Waits until everything that happened before is in the view: the server answers in the order of its decisions,
    /// and this command, which nobody may carry out, changes nothing. An observer's comments may still be on their way:
    /// they are gathered.
    ///
    /// # Errors
    /// The connection is gone, or no answer comes.
    pub async fn settle(&mut self, id: &str) -> Result<()> {
        let nothing = ClientCommand::StartItem {
            item: ItemId(u16::MAX),
            waiting: None,
        };
        match self.command(id, nothing).await? {
            ServerFrame::Refused { .. } => Ok(()),
            other => bail!("not refused but {other:?}"),
        }
    }

    /// Takes in frames until the connection ends; tells the code of the server's close, if it said one.
    ///
    /// # Errors
    /// It does not end.
    pub async fn ended(&mut self) -> Result<Option<u16>> {
        timeout(ANSWER_WITHIN, async {
            while self.hear().await? {}
            Ok::<_, anyhow::Error>(())
        })
        .await
        .context("the connection does not end")??;
        Ok(self.closed)
    }

    /// The error that announced the close.
    #[must_use]
    pub fn fatal(&self) -> Option<ErrorWhy> {
        self.others.iter().find_map(|frame| match frame {
            ServerFrame::Error {
                why, fatal: true, ..
            } => Some(*why),
            _ => None,
        })
    }

    /// Takes in frames until `found` finds something.
    ///
    /// # Errors
    /// The connection ends before, or it takes too long.
    pub async fn until<T>(&mut self, mut found: impl FnMut(&Self) -> Option<T>) -> Result<T> {
        let search = async {
            loop {
                if let Some(found) = found(self) {
                    return Ok(found);
                }
                if !self.hear().await? {
                    bail!(
                        "the connection ended; last frames: {:?}",
                        self.others.last()
                    );
                }
            }
        };
        timeout(ANSWER_WITHIN, search)
            .await
            .context("what was waited for did not come")?
    }

    /// Comments may come after what the floor did later; each for itself comes in its order.
    fn follow(&mut self, seq: u64, facts: &[Fact]) -> Result<()> {
        let is_comment =
            |fact: &Fact| matches!(fact, Fact::Comment { .. } | Fact::CommentGone { .. });
        if facts.iter().any(is_comment) {
            if seq < self.lanes.0 {
                bail!("comments of event {seq} after event {}", self.lanes.0);
            }
            self.lanes.0 = seq;
        }
        if !facts.iter().all(is_comment) {
            if seq < self.lanes.1 {
                bail!("facts of event {seq} after event {}", self.lanes.1);
            }
            self.lanes.1 = seq;
        }
        self.seq = self.seq.max(seq);
        Ok(())
    }

    /// Takes in one frame; false when the connection has ended.
    ///
    /// # Errors
    /// The server sent something that is not of the protocol.
    pub async fn hear(&mut self) -> Result<bool> {
        let frame = match next(&mut self.socket).await? {
            Next::Frame(frame) => *frame,
            Next::Closed(code) => {
                self.closed = self.closed.or(code);
                return Ok(false);
            }
        };
        match frame {
            ServerFrame::Facts {
                seq,
                now: _,
                ref facts,
            } => {
                self.follow(seq, facts)?;
                self.view.apply(facts);
            }
            ServerFrame::Ok { ref id, .. } | ServerFrame::Refused { ref id, .. } => {
                self.answers.entry(id.clone()).or_default().push(frame);
            }
            ServerFrame::Error {
                id: Some(ref id), ..
            } => {
                self.answers
                    .entry(id.clone())
                    .or_default()
                    .push(frame.clone());
                self.others.push(frame);
            }
            ServerFrame::Telemetry { .. } => {}
            ServerFrame::Welcome { .. }
            | ServerFrame::Prove { .. }
            | ServerFrame::Waiting { .. }
            | ServerFrame::Error { .. }
            | ServerFrame::Pong { .. }
            | ServerFrame::UplinkAnswer { .. }
            | ServerFrame::PresentationAnswer { .. }
            | ServerFrame::DownlinkAnswer { .. }
            | ServerFrame::DownlinkOffer { .. }
            | ServerFrame::Slots { .. }
            | ServerFrame::MediaFailed { .. }
            | ServerFrame::Alarms { .. }
            | ServerFrame::Health { .. }
            | ServerFrame::Stopping => self.others.push(frame),
        }
        Ok(true)
    }
}

/// A connection that has not joined.
///
/// # Errors
/// The server does not answer.
pub async fn connect(host: &str) -> Result<Line> {
    Ok(
        connect_async_with_config(format!("ws://{host}/ws"), None, true)
            .await?
            .0,
    )
}

/// The next frame of a connection; none when it has ended.
///
/// # Errors
/// What came is not a frame.
pub async fn next_frame(socket: &mut Line) -> Result<Option<ServerFrame>> {
    Ok(match next(socket).await? {
        Next::Frame(frame) => Some(*frame),
        Next::Closed(_) => None,
    })
}

/// What a connection brings next.
#[derive(Debug)]
pub enum Next {
    /// A frame.
    Frame(Box<ServerFrame>),
    /// Its end, with the code of the server's close if it said one.
    Closed(Option<u16>),
}

/// What a connection brings next, its end included.
///
/// # Errors
/// What came is not a frame.
pub async fn next(socket: &mut Line) -> Result<Next> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                return Ok(Next::Frame(Box::new(serde_json::from_str(&text)?)));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(close))) => {
                let code = close.map(|close| u16::from(close.code));
                // Reading on sends our answer to the close.
                let _ = socket.next().await;
                return Ok(Next::Closed(code));
            }
            Some(Err(_)) | None => return Ok(Next::Closed(None)),
            Some(Ok(Message::Binary(_) | Message::Frame(_))) => bail!("not a text"),
        }
    }
}
