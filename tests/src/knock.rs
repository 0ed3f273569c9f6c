//! From the first frame to the welcome, or to the door that stays shut.

use crate::{
    Client, Device,
    client::{Line, Next, connect, next},
};
use anyhow::{Result, bail};
use diemcau_protocol::{ClientFrame, ErrorWhy, PROTOCOL, ServerFrame};
use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;

/// What became of a knock.
#[derive(Debug)]
pub enum Knock {
    /// Let in.
    In(Box<Client>),
    /// It waits; the code it shows.
    Waits(Box<Line>, String),
    /// Sent away: why, and the close.
    Away(Option<ErrorWhy>, Option<u16>),
}

impl Knock {
    /// The client, if it was let in.
    ///
    /// # Errors
    /// It was not.
    pub fn entered(self) -> Result<Client> {
        match self {
            Self::In(client) => Ok(*client),
            other => bail!("not let in but {other:?}"),
        }
    }

    /// The connection and the code, if it waits.
    ///
    /// # Errors
    /// It does not.
    pub fn waits(self) -> Result<(Line, String)> {
        match self {
            Self::Waits(line, code) => Ok((*line, code)),
            other => bail!("does not wait but {other:?}"),
        }
    }

    /// Why it was sent away.
    ///
    /// # Errors
    /// It was not.
    pub fn away(self) -> Result<ErrorWhy> {
        match self {
            Self::Away(Some(why), _) => Ok(why),
            other => bail!("not sent away but {other:?}"),
        }
    }
}

/// Comes to a server's door with a link, a device that may have a key, and a PIN.
///
/// # Errors
/// The server does not answer.
pub async fn knock(
    host: &str,
    token: &str,
    device: Option<&Device>,
    pin: Option<&str>,
) -> Result<Knock> {
    knock_on(connect(host).await?, token, device, pin).await
}

/// The same on a connection that was made before.
///
/// # Errors
/// The server does not answer.
pub async fn knock_on(
    mut line: Line,
    token: &str,
    device: Option<&Device>,
    pin: Option<&str>,
) -> Result<Knock> {
    say(
        &mut line,
        &ClientFrame::Join {
            protocol: PROTOCOL,
            token: token.to_owned(),
        },
    )
    .await?;
    decided(line, token, device, pin).await
}

/// What the door says next, each question answered.
///
/// # Errors
/// The server says something else.
pub async fn decided(
    mut line: Line,
    token: &str,
    device: Option<&Device>,
    pin: Option<&str>,
) -> Result<Knock> {
    let mut why_away = None;
    loop {
        let frame = match next(&mut line).await? {
            Next::Frame(frame) => *frame,
            Next::Closed(code) => return Ok(Knock::Away(why_away, code)),
        };
        match frame {
            ServerFrame::Prove { challenge, .. } => {
                let device = device.map(|device| device.prove(&challenge, token));
                let device = device.transpose()?;
                let pin = pin.map(str::to_owned);
                say(&mut line, &ClientFrame::Proof { device, pin }).await?;
            }
            ServerFrame::Waiting { code, .. } => return Ok(Knock::Waits(Box::new(line), code)),
            ServerFrame::Error { why, .. } => why_away = Some(why),
            ServerFrame::Pong { .. } => {}
            ServerFrame::Welcome { me, seq, view, .. } => {
                return Ok(Knock::In(Box::new(Client::welcomed(line, me, seq, *view))));
            }
            other => bail!("before the welcome: {other:?}"),
        }
    }
}

/// Says a frame.
///
/// # Errors
/// The connection is gone.
pub async fn say(line: &mut Line, frame: &ClientFrame) -> Result<()> {
    Ok(line
        .send(Message::text(serde_json::to_string(frame)?))
        .await?)
}
