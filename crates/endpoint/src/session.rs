//! One endpoint from its first connection to its last: connects and joins, goes on until it is stopped or sent away, and reports.

mod hear;
mod media;

use crate::peer::{Downlink, Show, Uplink, lock};
use crate::report::{Meters, Report, Sent, SlotReport, slot_report};
use crate::signalling::{Link, Socket, Trust};
use crate::{EndpointConfig, EndpointError};
use diemcau_model::{SiteId, TurnId};
use diemcau_protocol::{ClientCommand, ClientFrame, Me, PROTOCOL};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

const CONNECT_MAX: Duration = Duration::from_secs(5);
const PING_EVERY: Duration = Duration::from_secs(5);
/// Three pings unanswered: the connection is dead, whatever the socket says.
const SILENCE_MAX: Duration = Duration::from_secs(15);
const BACKOFF_MIN: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(10);
const MEDIA_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// An offer unanswered, or a connection that does not come up, is made anew after this.
const MEDIA_MAX: Duration = Duration::from_secs(15);
const CHANGES_MAX: usize = 64;

pub(crate) async fn run(
    config: EndpointConfig,
    mut stop: watch::Receiver<bool>,
    mut tell: impl FnMut(&Report) + Send,
) -> Result<Report, EndpointError> {
    let link: Link = config.link.parse()?;
    if link.tls && config.ca.is_none() && !config.insecure {
        return Err(EndpointError::NoAuthority);
    }
    let trust = Trust::new(config.ca.as_deref(), config.insecure)?;
    let mut endpoint = Endpoint::new(config, link.token.clone());
    let mut backoff = BACKOFF_MIN;
    loop {
        let attempt = async {
            match timeout(CONNECT_MAX, Socket::connect(&link, &trust)).await {
                Ok(connected) => connected,
                Err(_) => Err("the server does not answer".to_owned()),
            }
        };
        let connected = tokio::select! {
            () = stopped(&mut stop) => return Ok(endpoint.report(&mut tell)),
            connected = attempt => connected,
        };
        let why = match connected {
            Err(why) => why,
            Ok(mut socket) => {
                let end = endpoint
                    .attend(&mut socket, &link, &mut stop, &mut tell)
                    .await;
                let was_joined = endpoint.leave().await;
                if was_joined {
                    backoff = BACKOFF_MIN;
                }
                match end {
                    End::Stopped => {
                        socket.close().await;
                        return Ok(endpoint.report(&mut tell));
                    }
                    End::SentAway(error) => return Err(error),
                    End::Lost(why) => {
                        endpoint.lost_connections += u32::from(was_joined);
                        why
                    }
                }
            }
        };
        tracing::warn!(name = %endpoint.name, %why, ?backoff, "no connection; trying again");
        tokio::select! {
            () = stopped(&mut stop) => return Ok(endpoint.report(&mut tell)),
            () = tokio::time::sleep(backoff) => {}
        }
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone can never stop us later: that counts as stop.
    let _gone = stop.wait_for(|s| *s).await.is_err();
}

/// How a connection ended.
enum End {
    Stopped,
    SentAway(EndpointError),
    Lost(String),
}

/// What outlives a connection.
struct Endpoint {
    config: EndpointConfig,
    token: String,
    me: Option<Me>,
    name: String,
    joined: bool,
    lost_connections: u32,
    uplink: Option<Uplink>,
    downlink: Option<Downlink>,
    uplink_works: bool,
    downlink_works: bool,
    /// When a media connection is made (anew), unless it works by then.
    uplink_due: Option<Instant>,
    downlink_due: Option<Instant>,
    makings: u64,
    show: watch::Sender<Option<Arc<Show>>>,
    show_of: Option<(SiteId, String)>,
    sent: Arc<Mutex<Sent>>,
    meters: Arc<Mutex<Meters>>,
    shown: Vec<Option<SiteId>>,
    last: Report,
    last_at: Instant,
    asked: bool,
    /// Commands without an answer; said again after a reconnection, under the same id.
    open: Vec<(String, ClientCommand)>,
    turn: Option<TurnId>,
    turn_ends: Option<Instant>,
}

impl Endpoint {
    fn new(config: EndpointConfig, token: String) -> Self {
        Self {
            config,
            token,
            me: None,
            name: "endpoint".to_owned(),
            joined: false,
            lost_connections: 0,
            uplink: None,
            downlink: None,
            uplink_works: false,
            downlink_works: false,
            uplink_due: None,
            downlink_due: None,
            makings: 0,
            show: watch::Sender::new(None),
            show_of: None,
            sent: Arc::default(),
            meters: Arc::default(),
            shown: Vec::new(),
            last: Report::default(),
            last_at: Instant::now(),
            asked: false,
            open: Vec::new(),
            turn: None,
            turn_ends: None,
        }
    }

    /// Stays on one connection until it ends.
    async fn attend(
        &mut self,
        socket: &mut Socket,
        link: &Link,
        stop: &mut watch::Receiver<bool>,
        tell: &mut (impl FnMut(&Report) + Send),
    ) -> End {
        let (changes_tx, mut changes) = mpsc::channel(CHANGES_MAX);
        let local = socket.local;
        let join = ClientFrame::Join {
            protocol: PROTOCOL,
            token: link.token.clone(),
        };
        if let Err(why) = socket.say(&join).await {
            return End::Lost(why);
        }
        let begun = Instant::now();
        let mut heard = begun;
        let mut pings = interval_at(begun + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let every = self.config.report_every.max(Duration::from_millis(100));
        let mut reports = interval_at(begun + every, every);
        reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                () = stopped(stop) => return End::Stopped,
                frame = socket.next() => match frame {
                    Ok(frame) => {
                        heard = Instant::now();
                        match self.hear(frame, local, &changes_tx).await {
                            Ok(answers) => say_all(socket, answers).await,
                            Err(end) => return end,
                        }
                    }
                    Err(why) => Err(why),
                },
                Some(change) = changes.recv() => {
                    self.changed(change);
                    Ok(())
                }
                _ = pings.tick() => {
                    if heard.elapsed() > SILENCE_MAX {
                        return End::Lost("the server is silent".to_owned());
                    }
                    let sent = begun.elapsed().as_secs_f64() * 1_000.0;
                    socket.say(&ClientFrame::Ping { sent }).await
                }
                _ = reports.tick() => {
                    self.report(tell);
                    Ok(())
                }
                () = due(self.uplink_due) => {
                    match self.make_uplink(local, &changes_tx).await {
                        Some(offer) => socket.say(&offer).await,
                        None => Ok(()),
                    }
                }
                () = due(self.downlink_due) => {
                    self.drop_downlink().await;
                    self.downlink_due = Some(Instant::now() + MEDIA_MAX);
                    socket.say(&ClientFrame::OpenDownlink {}).await
                }
                () = due(self.turn_ends) => {
                    self.turn_ends = None;
                    match self.turn {
                        Some(turn) => {
                            let frame = self.command(ClientCommand::EndTurn { turn });
                            say_all(socket, frame.into_iter().collect()).await
                        }
                        None => Ok(()),
                    }
                }
            };
            if let Err(why) = step {
                return End::Lost(why);
            }
        }
    }

    /// Forgets what belonged to a connection that is over; says whether it had been admitted.
    async fn leave(&mut self) -> bool {
        self.drop_uplink().await;
        self.drop_downlink().await;
        self.uplink_due = None;
        self.downlink_due = None;
        self.shown.clear();
        std::mem::take(&mut self.joined)
    }

    fn report(&mut self, tell: &mut (impl FnMut(&Report) + Send)) -> Report {
        let meters = lock(&self.meters).clone();
        let seconds = self.last_at.elapsed().as_secs_f32();
        let before = |slots: &[SlotReport], slot: usize| slots.get(slot).copied();
        let video = meters.video.iter().enumerate().map(|(slot, meter)| {
            let site = self.shown.get(slot).copied().flatten();
            slot_report(
                meter,
                site,
                before(&self.last.video, slot).as_ref(),
                seconds,
            )
        });
        let voices = meters.voices.iter().enumerate().map(|(slot, meter)| {
            slot_report(
                meter,
                None,
                before(&self.last.voices, slot).as_ref(),
                seconds,
            )
        });
        let report = Report {
            site: self.me.as_ref().and_then(|me| me.site),
            name: self.name.clone(),
            joined: self.joined,
            uplink: self.uplink_works,
            downlink: self.downlink_works,
            lost_connections: self.lost_connections,
            sent: *lock(&self.sent),
            video: video.collect(),
            voices: voices.collect(),
        };
        self.last = report.clone();
        self.last_at = Instant::now();
        tell(&report);
        report
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn say_all(socket: &mut Socket, frames: Vec<ClientFrame>) -> Result<(), String> {
    for frame in &frames {
        socket.say(frame).await?;
    }
    Ok(())
}
