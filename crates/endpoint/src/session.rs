//! One endpoint from its first connection to its last: joins, keeps both media connections alive, asks and ends.

use crate::encode::Film;
use crate::pattern::Card;
use crate::peer::{Change, Downlink, Place, Show, Uplink, lock};
use crate::report::{Meters, Report, Sent, SlotReport, slot_report};
use crate::signalling::{Link, Socket, Trust};
use crate::{EndpointConfig, EndpointError, tone};
use diemcau_conference::RequestWords;
use diemcau_model::{Carries, Side, SiteId, TurnId};
use diemcau_protocol::{
    ClientCommand, ClientFrame, ErrorWhy, Fact, Floor, Me, PROTOCOL, ServerFrame, View,
};
use std::net::IpAddr;
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

    /// Takes a frame and says what is answered.
    async fn hear(
        &mut self,
        frame: ServerFrame,
        local: IpAddr,
        changes: &mpsc::Sender<Change>,
    ) -> Result<Vec<ClientFrame>, End> {
        match frame {
            ServerFrame::Welcome { me, view, .. } => Ok(self.welcomed(me, &view)),
            ServerFrame::Facts { facts, .. } => {
                for fact in facts {
                    self.learn(fact);
                }
                Ok(Vec::new())
            }
            ServerFrame::Ok { id, .. } => {
                self.open.retain(|(open, _)| *open != id);
                Ok(Vec::new())
            }
            ServerFrame::Refused { id, why, text } => {
                tracing::warn!(name = %self.name, ?why, text, "refused");
                self.open.retain(|(open, _)| *open != id);
                Ok(Vec::new())
            }
            ServerFrame::Error {
                why,
                id,
                text,
                fatal,
            } => self.told_off(why, id.as_deref(), text, fatal),
            ServerFrame::UplinkAnswer { sdp } => {
                if let Some(uplink) = &mut self.uplink
                    && let Err(error) = uplink.answered(sdp).await
                {
                    tracing::warn!(name = %self.name, %error, "the answer to the uplink is of no use");
                    self.uplink_due = Some(Instant::now() + MEDIA_AGAIN_AFTER);
                }
                Ok(Vec::new())
            }
            ServerFrame::DownlinkOffer { sdp } => Ok(self.make_downlink(sdp, local, changes).await),
            ServerFrame::Slots { video, .. } => {
                self.shown = video;
                Ok(Vec::new())
            }
            ServerFrame::MediaFailed { side, reason } => {
                tracing::warn!(name = %self.name, ?side, reason, "the server says a connection failed");
                self.again(side);
                Ok(Vec::new())
            }
            ServerFrame::Stopping => {
                tracing::info!(name = %self.name, "the server is about to stop");
                Ok(Vec::new())
            }
            ServerFrame::Prove { challenge, .. } => self.proof(&challenge),
            ServerFrame::Waiting { code, label, .. } => {
                tracing::info!(
                    code,
                    label,
                    "waiting at the door until chair or technician lets this machine in"
                );
                Ok(Vec::new())
            }
            ServerFrame::Pong { .. }
            | ServerFrame::PresentationAnswer { .. }
            | ServerFrame::DownlinkAnswer { .. }
            | ServerFrame::Telemetry { .. }
            | ServerFrame::Alarms { .. }
            | ServerFrame::Health { .. } => Ok(Vec::new()),
        }
    }

    fn proof(&self, challenge: &str) -> Result<Vec<ClientFrame>, End> {
        let device = self.config.device.as_ref();
        let proof = device.map(|device| device.prove(challenge, &self.token));
        Ok(vec![ClientFrame::Proof {
            device: proof.transpose().map_err(End::SentAway)?,
            pin: self.config.pin.clone(),
        }])
    }

    fn welcomed(&mut self, me: Me, view: &View) -> Vec<ClientFrame> {
        let site = me
            .site
            .and_then(|id| view.fixed.sites.iter().find(|s| s.id == id));
        self.name = site.map_or_else(|| me.label.clone(), |s| s.short.clone());
        tracing::info!(name = %self.name, role = ?me.role, carries = ?me.carries, "joined");
        let sends = me.carries.endpoint().is_some();
        if let (true, Some(site)) = (sends, site) {
            self.prepare_show(site.id, &site.name);
        }
        self.joined = true;
        let now = Instant::now();
        self.uplink_due = sends.then_some(now);
        let receives = me.carries != Carries::Nothing;
        self.downlink_due = receives.then_some(now);
        self.me = Some(me);
        self.floor_is(&view.floor);

        let mut frames = Vec::new();
        if receives {
            let slots = self.config.screen.clone();
            let sound = self.config.sound;
            frames.extend([ClientFrame::Screen { slots }, ClientFrame::Listen { sound }]);
        } else {
            tracing::warn!(name = %self.name, "this seat carries no media");
        }
        frames.extend(self.open.iter().cloned().map(command_frame));
        if !self.asked
            && let Some(topic) = self.config.ask_floor.clone()
        {
            self.asked = true;
            let words = RequestWords {
                speech: topic.speech,
                delegate: topic.delegate,
                topic: topic.topic,
                paragraph: None,
                title: String::new(),
                minutes: None,
            };
            let (item, about) = (None, None);
            frames.extend(self.command(ClientCommand::RequestFloor { item, words, about }));
        }
        frames
    }

    fn learn(&mut self, fact: Fact) {
        match fact {
            Fact::Floor { floor } => self.floor_is(&floor),
            Fact::Sites { .. }
            | Fact::Agenda { .. }
            | Fact::Stage { .. }
            | Fact::Comment { .. }
            | Fact::CommentGone { .. }
            | Fact::Seats { .. }
            | Fact::Attendance { .. }
            | Fact::Prompts { .. }
            | Fact::Speech { .. }
            | Fact::SpeechGone { .. }
            | Fact::Door { .. } => {}
        }
    }

    fn floor_is(&mut self, floor: &Floor) {
        let mine = self.me.as_ref().and_then(|me| me.site);
        let turn = floor
            .turn
            .as_ref()
            .filter(|t| Some(t.site) == mine)
            .map(|t| t.turn);
        if turn == self.turn {
            return;
        }
        self.turn = turn;
        self.turn_ends = match (turn, self.config.speak_for) {
            (Some(turn), speak_for) => {
                tracing::info!(name = %self.name, %turn, "has the floor");
                speak_for.map(|time| Instant::now() + time)
            }
            (None, _) => None,
        };
    }

    fn told_off(
        &mut self,
        why: ErrorWhy,
        id: Option<&str>,
        text: String,
        fatal: bool,
    ) -> Result<Vec<ClientFrame>, End> {
        if !fatal {
            tracing::warn!(name = %self.name, ?why, text, "the server did not take a frame");
            self.open.retain(|(open, _)| Some(open.as_str()) != id);
            return Ok(Vec::new());
        }
        Err(match why {
            ErrorWhy::Malformed
            | ErrorWhy::TooLarge
            | ErrorWhy::NotAdmitted
            | ErrorWhy::Revoked
            | ErrorWhy::Replaced
            | ErrorWhy::Expelled
            | ErrorWhy::NotLetIn
            | ErrorWhy::WrongProtocol
            | ErrorWhy::MediaRefused
            | ErrorWhy::NoSuchAlarm
            | ErrorWhy::NotForThisSeat => End::SentAway(EndpointError::SentAway { why, text }),
            ErrorWhy::JoinFirst
            | ErrorWhy::TooFast
            | ErrorWhy::LobbyFull
            | ErrorWhy::StorageFailed
            | ErrorWhy::ServerFault => End::Lost(text),
        })
    }

    fn command(&mut self, command: ClientCommand) -> Option<ClientFrame> {
        match getrandom::u64() {
            Ok(number) => {
                let open = (format!("endpoint-{number:016x}"), command);
                self.open.push(open.clone());
                Some(command_frame(open))
            }
            Err(error) => {
                tracing::warn!(%error, "no random number, no command");
                None
            }
        }
    }

    /// Draws and encodes on a thread of its own: it takes seconds the first time.
    fn prepare_show(&mut self, site: SiteId, name: &str) {
        let of = (site, name.to_owned());
        if self.show_of.as_ref() == Some(&of) {
            return;
        }
        self.show_of = Some(of.clone());
        let show = self.show.clone();
        tokio::task::spawn_blocking(move || {
            let made = Card::draw(of.0, &of.1)
                .and_then(|card| Film::encode(&card))
                .and_then(|film| tone::encode(of.0).map(|tone| Show { film, tone }));
            match made {
                Ok(made) => {
                    show.send_replace(Some(Arc::new(made)));
                }
                Err(error) => tracing::error!(%error, "nothing can be sent"),
            }
        });
    }

    async fn make_uplink(
        &mut self,
        local: IpAddr,
        changes: &mpsc::Sender<Change>,
    ) -> Option<ClientFrame> {
        self.drop_uplink().await;
        self.uplink_due = Some(Instant::now() + MEDIA_MAX);
        match Uplink::offer(self.place(local, changes)).await {
            Ok((uplink, sdp)) => {
                self.uplink = Some(uplink);
                Some(ClientFrame::UplinkOffer { sdp })
            }
            Err(error) => {
                tracing::warn!(name = %self.name, %error, "the uplink cannot be made");
                None
            }
        }
    }

    async fn make_downlink(
        &mut self,
        offer: String,
        local: IpAddr,
        changes: &mpsc::Sender<Change>,
    ) -> Vec<ClientFrame> {
        self.drop_downlink().await;
        lock(&self.meters).made_anew();
        let meters = Arc::clone(&self.meters);
        match Downlink::answer(self.place(local, changes), offer, meters).await {
            Ok((downlink, sdp)) => {
                self.downlink = Some(downlink);
                self.downlink_due = Some(Instant::now() + MEDIA_MAX);
                vec![ClientFrame::DownlinkAnswer { sdp }]
            }
            Err(error) => {
                tracing::warn!(name = %self.name, %error, "the downlink cannot be made");
                Vec::new()
            }
        }
    }

    fn place(&mut self, local: IpAddr, changes: &mpsc::Sender<Change>) -> Place {
        self.makings += 1;
        Place {
            local,
            making: self.makings,
            changes: changes.clone(),
        }
    }

    fn changed(&mut self, change: Change) {
        let (making, works, due) = match change.side {
            Side::Uplink => (
                self.uplink.as_ref().map(Uplink::making),
                &mut self.uplink_works,
                &mut self.uplink_due,
            ),
            Side::Downlink => (
                self.downlink.as_ref().map(Downlink::making),
                &mut self.downlink_works,
                &mut self.downlink_due,
            ),
            // An endpoint has no screen to show.
            Side::Presentation => return,
        };
        if making != Some(change.making) {
            return;
        }
        *works = change.works;
        *due = (!change.works).then(|| Instant::now() + MEDIA_AGAIN_AFTER);
        tracing::info!(name = %self.name, side = ?change.side, works = change.works, "media");
        if let (Side::Uplink, true, Some(uplink)) = (change.side, change.works, &mut self.uplink) {
            uplink.send(self.show.subscribe(), Arc::clone(&self.sent));
        }
    }

    fn again(&mut self, side: Side) {
        let soon = Some(Instant::now() + MEDIA_AGAIN_AFTER);
        match side {
            Side::Uplink => (self.uplink_works, self.uplink_due) = (false, soon),
            Side::Downlink => (self.downlink_works, self.downlink_due) = (false, soon),
            Side::Presentation => {}
        }
    }

    async fn drop_uplink(&mut self) {
        self.uplink_works = false;
        if let Some(uplink) = self.uplink.take() {
            uplink.close().await;
        }
    }

    async fn drop_downlink(&mut self) {
        self.downlink_works = false;
        if let Some(downlink) = self.downlink.take() {
            downlink.close().await;
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

fn command_frame((id, command): (String, ClientCommand)) -> ClientFrame {
    ClientFrame::Command { id, command }
}
