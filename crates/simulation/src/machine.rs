//! One client: what it shows, what it has sent and not been answered, and its connection while it has one.

use crate::{door::Guest, line::Ear, wire::Cable};
use diemcau_conference::{Refusal, Seat};
use diemcau_model::{DeviceId, SeatId};
use diemcau_protocol::{ClientCommand, ClientFrame, View};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tokio::{sync::mpsc, time::Instant};
use tokio_tungstenite::tungstenite::Message;

/// Answered commands kept to be sent once more.
const ANSWERED_MAX: usize = 12;

/// One client of one seat. A seat may have several.
pub struct Machine {
    /// Whose.
    pub seat: Seat,
    /// The key it holds; none: its page can make none.
    pub device: Option<DeviceId>,
    /// Whether who sits at it knows the seat's PIN.
    pub knows_pin: bool,
    /// Whether the seat can spare it.
    pub is_second: bool,
    /// Its connection.
    pub link: Option<Link>,
    /// What its screen shows; stale while there is no connection.
    pub view: Option<View>,
    /// The last event the view contains.
    pub seq: u64,
    /// Sent or to be sent, and not answered: sent again on every connection.
    pub pending: VecDeque<Pending>,
    /// Answered, and perhaps sent once more.
    pub answered: VecDeque<(String, ClientCommand)>,
    /// Given up after a refusal of the disk. What was sent more than once may still be carried out and answered.
    pub given_up: BTreeSet<String>,
    /// Which connections brought each command.
    pub brought: BTreeMap<String, BTreeSet<u64>>,
    /// When it tries to connect. None: it is switched off, or gave up because it was sent away.
    pub joins_at: Option<Instant>,
    name: String,
    next: u32,
}

/// A command without an answer.
pub struct Pending {
    /// Its id.
    pub id: String,
    /// What is asked.
    pub command: ClientCommand,
    /// The highest event anybody had been answered when it was first sent; none: not sent yet.
    pub behind: Option<u64>,
    /// When it is sent again after a refusal of the disk.
    pub again_at: Option<Instant>,
}

/// A connection.
pub struct Link {
    /// Its number in the whole run.
    pub number: u64,
    /// To the client's end.
    pub say: mpsc::UnboundedSender<Message>,
    /// From the client's end.
    pub ear: Ear,
    /// The wire itself.
    pub cable: Cable,
    /// The welcome has come.
    pub joined: bool,
    /// It waits at the door.
    pub waits: bool,
    /// The highest event anybody had been answered when it was made.
    pub behind: u64,
    /// When something was last heard.
    pub heard_at: Instant,
    /// When it last pinged.
    pub pinged_at: Instant,
    /// It has sent something that is no frame: errors are its due.
    pub rude: bool,
}

/// What the simulation knows of a connection that is there, or was.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// Who made it, as far as it has said so.
    pub guest: Guest,
    /// The last record when it was made.
    pub made: u64,
    /// The record from which on it is in.
    pub entered: Option<u64>,
    /// It gave a PIN, and whether it was the right one.
    pub pin: Option<bool>,
    /// By when the server must have seen that it is gone.
    pub gone_by: Option<Instant>,
}

impl Connection {
    /// A connection that has said nothing but its link.
    #[must_use]
    pub fn new(seat: SeatId, made: u64) -> Self {
        let guest = Guest {
            seat,
            device: None,
            wait: None,
        };
        Self {
            guest,
            made,
            entered: None,
            pin: None,
            gone_by: None,
        }
    }
}

/// What a command was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took effect; its last event.
    Ok(u64),
    /// It was refused.
    Refused(Refusal),
}

impl Machine {
    /// A machine that has not connected yet.
    #[must_use]
    pub fn new(
        name: String,
        seat: Seat,
        device: Option<DeviceId>,
        joins_at: Option<Instant>,
    ) -> Self {
        Self {
            seat,
            device,
            knows_pin: true,
            is_second: false,
            link: None,
            view: None,
            seq: 0,
            pending: VecDeque::new(),
            answered: VecDeque::new(),
            given_up: BTreeSet::new(),
            brought: BTreeMap::new(),
            joins_at,
            name,
            next: 1,
        }
    }

    /// What people call it in a trace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has been welcomed and is connected.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.joined)
    }

    /// Whether it waits at the door.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.waits)
    }

    /// It does not try to come.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.joins_at.is_none()
    }

    /// It was sent away, and shows so.
    pub fn give_up(&mut self) {
        self.joins_at = None;
        self.pending.clear();
    }

    /// Wants something; gives the id under which it is asked, now and whenever it is asked again.
    pub fn want(&mut self, command: ClientCommand) -> String {
        let id = format!("{}-{}", self.name, self.next);
        self.next += 1;
        self.pending.push_back(Pending {
            id: id.clone(),
            command,
            behind: None,
            again_at: None,
        });
        id
    }

    /// Sends a command that is pending, if there is a connection. `answered` is the highest event anybody was answered.
    pub fn send_pending(&mut self, id: &str, answered: u64) {
        let Some(link) = self.link.as_ref().filter(|link| link.joined) else {
            return;
        };
        for pending in self.pending.iter_mut().filter(|pending| pending.id == id) {
            pending.behind.get_or_insert(answered);
            pending.again_at = None;
            let brought = self.brought.entry(pending.id.clone()).or_default();
            brought.insert(link.number);
            link.send_command(&pending.id, &pending.command);
        }
    }

    /// Sends a command once more that was answered; gives its id, none when there is none or no connection.
    pub fn send_answered(&mut self, which: usize) -> Option<String> {
        let (link, (id, command)) = (self.link.as_ref()?, self.answered.get(which)?);
        let brought = self.brought.entry(id.clone()).or_default();
        brought.insert(link.number);
        link.send_command(id, command);
        Some(id.clone())
    }

    /// Takes the answered command out of those that are pending.
    pub fn answered(&mut self, id: &str) -> Option<Pending> {
        let at = self.pending.iter().position(|pending| pending.id == id)?;
        let pending = self.pending.remove(at)?;
        self.answered
            .push_back((pending.id.clone(), pending.command.clone()));
        if self.answered.len() > ANSWERED_MAX {
            self.answered.pop_front();
        }
        Some(pending)
    }
}

impl Link {
    /// Sends a frame.
    pub fn send(&self, frame: &ClientFrame) {
        if let Ok(text) = serde_json::to_string(frame) {
            self.send_text(text);
        }
    }

    fn send_command(&self, id: &str, command: &ClientCommand) {
        self.send(&ClientFrame::Command {
            id: id.to_owned(),
            command: command.clone(),
        });
    }

    /// Sends a text that need not be a frame.
    pub fn send_text(&self, text: String) {
        // A connection that is over tells it by its ear.
        let _ = self.say.send(Message::text(text));
    }
}
