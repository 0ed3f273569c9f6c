//! What the server says, and what is answered.

use super::{End, Endpoint, MEDIA_AGAIN_AFTER};
use crate::EndpointError;
use crate::peer::Change;
use diemcau_conference::RequestWords;
use diemcau_model::Carries;
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, Fact, Floor, Me, ServerFrame, View};
use std::net::IpAddr;
use tokio::sync::mpsc;
use tokio::time::Instant;

impl Endpoint {
    /// Takes a frame and says what is answered.
    pub(super) async fn hear(
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

    pub(super) fn command(&mut self, command: ClientCommand) -> Option<ClientFrame> {
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
}

fn command_frame((id, command): (String, ClientCommand)) -> ClientFrame {
    ClientFrame::Command { id, command }
}
