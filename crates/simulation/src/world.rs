//! The run: who does what when, what breaks, and looking at all of it after every step.

use crate::{
    disk::{Disk, Fault},
    faults::{self, Faults, Trouble},
    history::History,
    line::{Ear, listen},
    machine::{Answer, Connection, Link, Machine},
    people,
    server::Server,
    setup::{machines, setup, shares_with, token},
    trace::Trace,
    wire,
};
use anyhow::{Context, Result, ensure};
use diemcau_fuzz::Chance;
use diemcau_model::{Carries, DeviceId, Millis, Role, ScreenSlots, SeatId};
use diemcau_protocol::{ClientCommand, ClientFrame, PROTOCOL, ServerFrame};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// 00:00 of every run: 27 May 2021, 07:30 in Vietnam.
const BEGIN: Millis = Millis(1_622_075_400_000);
/// Steps between two rests, and how often a run rests.
const STEPS: usize = 80;
const RESTS: usize = 2;
/// A client pings so often.
const PING_EVERY: Duration = Duration::from_secs(5);
/// A client that hears nothing for so long takes its connection for lost.
const SILENT_MAX: Duration = Duration::from_secs(15);
/// A client waits so long before it connects again.
const REJOIN_MS: std::ops::RangeInclusive<u64> = 50..=1_500;
/// How long the server may take to see that a client is gone that did not say so: what it bears of silence, and what a disk
/// keeps it busy with.
const SILENT_GONE: Duration = Duration::from_secs(35);
/// The same of one whose connection was ended: what was under way still comes, a long text in two parts, each as late as
/// the slowest network brings it.
const ENDED_GONE: Duration = Duration::from_secs(6);

/// Everything there is in a run.
pub struct World {
    pub(crate) chance: Chance,
    pub(crate) disk: Disk,
    pub(crate) server: Option<Server>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
    pub(crate) history: History,
    /// What every command was answered.
    pub(crate) answers: BTreeMap<(SeatId, String), Answer>,
    /// The highest event anybody was answered.
    pub(crate) answered: u64,
    /// Every connection that is there, or was.
    pub(crate) connections: BTreeMap<u64, Connection>,
    /// Links open for known devices only, and who else comes waits at the door.
    pub(crate) guarded: bool,
    /// Links at which somebody gave a wrong PIN.
    pub(crate) pins_tried: BTreeSet<SeatId>,
    /// How much of the disk's and of the plane's doings has been looked at.
    pub(crate) appends_seen: usize,
    pub(crate) stages_seen: usize,
    /// The disk failed once.
    pub(crate) disk_ever_failed: bool,
    /// When the server starts again.
    pub(crate) starts_at: Option<Instant>,
    /// When what is broken is healed.
    pub(crate) disk_heals_at: Option<Instant>,
    pub(crate) lag: Duration,
    begun: Instant,
    /// The same text goes to many: it is read once.
    frames: HashMap<Utf8Bytes, Arc<ServerFrame>>,
}

impl World {
    /// A world before anybody came.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let begun = Instant::now();
        // Every fourth run is of links that open for everybody, as a conference's file may want it.
        let guarded = seed % 4 != 1;
        let machines = all_machines(guarded, begun, &mut chance);
        let disk = Disk::default();
        disk.set_sync(chance.millis(0..=15));
        Self {
            faults: Faults::draw(&mut chance, guarded),
            lag: chance.millis(1..=60),
            disk,
            server: None,
            machines,
            trace: Trace::new(begun),
            history: History::default(),
            answers: BTreeMap::new(),
            answered: 0,
            connections: BTreeMap::new(),
            guarded,
            pins_tried: BTreeSet::new(),
            appends_seen: 0,
            stages_seen: 0,
            disk_ever_failed: false,
            starts_at: Some(begun),
            disk_heals_at: None,
            begun,
            frames: HashMap::new(),
            chance,
        }
    }

    /// Plays the run.
    ///
    /// # Errors
    /// A law was broken: which.
    pub async fn play(&mut self) -> Result<()> {
        for rest in 1..=RESTS {
            for _ in 0..STEPS {
                self.go_on().await?;
                self.act().await?;
                let pause = self.pause();
                sleep(pause).await;
                self.look()?;
            }
            self.rest()
                .await
                .with_context(|| format!("at rest {rest}"))?;
        }
        Ok(())
    }

    /// Mostly the pace of busy people; now and then long enough for a speech to run out.
    fn pause(&mut self) -> Duration {
        match self.chance.below(100) {
            0 => self.chance.millis(10_000..=70_000),
            1..=4 => self.chance.millis(1_000..=8_000),
            5..=40 => self.chance.millis(0..=20),
            _ => self.chance.millis(20..=400),
        }
    }

    /// What happens by itself: the server starts, the disk heals, machines connect, ping, and give up the silent.
    pub(crate) async fn go_on(&mut self) -> Result<()> {
        let now = Instant::now();
        if self.disk_heals_at.is_some_and(|at| at <= now) {
            self.disk_heals_at = None;
            self.disk.set_fault(Fault::None);
            self.disk.set_sync(Duration::from_millis(1));
            self.trace.say("disk", "heals");
        }
        if self.server.is_none() && self.starts_at.is_some_and(|at| at <= now) {
            self.start().await;
        }
        for at in 0..self.machines.len() {
            self.tend(at, now);
        }
        Ok(())
    }

    async fn start(&mut self) {
        let wall = BEGIN.plus(self.begun.elapsed().as_millis() as u64);
        let found = self.disk.found();
        match Server::start(&self.disk, wall, self.guarded).await {
            Ok(server) => {
                self.trace.say("server", "starts");
                if self.disk.found() > found {
                    self.trace.count("found by the restart");
                }
                self.server = Some(server);
                self.starts_at = None;
                self.stages_seen = 0;
            }
            Err(error) => {
                self.trace
                    .say("server", format!("does not start: {error:#}"));
                self.starts_at = Some(Instant::now() + Duration::from_secs(1));
            }
        }
    }

    fn tend(&mut self, at: usize, now: Instant) {
        let machine = &mut self.machines[at];
        let Some(link) = &mut machine.link else {
            if machine.joins_at.is_some_and(|joins| joins <= now) {
                self.connect(at, now);
            }
            return;
        };
        if now.duration_since(link.heard_at) > SILENT_MAX {
            self.trace.say(machine.name(), "hears nothing: hangs up");
            return self.hang_up(at);
        }
        if (link.joined || link.waits) && now.duration_since(link.pinged_at) >= PING_EVERY {
            link.pinged_at = now;
            link.send(&ClientFrame::Ping { sent: 1.0 });
        }
        let due = |pending: &&crate::machine::Pending| pending.again_at.is_some_and(|at| at <= now);
        let due: Vec<String> = machine
            .pending
            .iter()
            .filter(due)
            .map(|pending| pending.id.clone())
            .collect();
        for id in due {
            machine.send_pending(&id, self.answered);
        }
    }

    fn connect(&mut self, at: usize, now: Instant) {
        let machine = &mut self.machines[at];
        let Some(server) = &mut self.server else {
            machine.joins_at = Some(now + self.chance.millis(REJOIN_MS));
            return;
        };
        let number = self.connections.len() as u64 + 1;
        let connection = Connection::new(machine.seat.id, self.history.last());
        self.connections.insert(number, connection);
        let (client, served, cable) = wire::connect(self.lag);
        let (say, said) = mpsc::unbounded_channel();
        let ear = Ear::default();
        server.serve(served, machine.device);
        tokio::spawn(listen(client, said, ear.clone()));
        let link = Link {
            number,
            say,
            ear,
            cable,
            joined: false,
            waits: false,
            behind: self.answered,
            heard_at: now,
            pinged_at: now,
            rude: false,
        };
        link.send(&ClientFrame::Join {
            protocol: PROTOCOL,
            token: token(machine.seat.id),
        });
        self.trace
            .say(machine.name(), format!("connects as c{number}"));
        machine.link = Some(link);
    }

    /// Lets go of the connection, and connects again later.
    pub(crate) fn hang_up(&mut self, at: usize) {
        let later = Instant::now() + self.chance.millis(REJOIN_MS);
        let machine = &mut self.machines[at];
        if let Some(link) = machine.link.take()
            && let Some(connection) = self.connections.get_mut(&link.number)
        {
            connection.gone_by = Some(gone_by(&link));
        }
        machine.joins_at = machine.joins_at.map(|_| later);
    }

    /// What a machine does once it was welcomed: media, then everything that was not answered, in its order.
    pub(crate) fn welcomed(&mut self, at: usize) {
        let answered = self.answered;
        let machine = &mut self.machines[at];
        let Some(link) = &mut machine.link else {
            return;
        };
        (link.joined, link.waits) = (true, false);
        let carries = machine.seat.carries;
        if carries.endpoint().is_some() {
            let sdp = link.number.to_string();
            link.send(&ClientFrame::UplinkOffer { sdp });
        }
        if carries != Carries::Nothing {
            link.send(&ClientFrame::OpenDownlink {});
            // The hall's tile and one more: fewer packets to look at, the same rules.
            let tiles = vec![180, 180];
            let slots = ScreenSlots {
                programme: 720,
                tiles,
                ..ScreenSlots::default()
            };
            link.send(&ClientFrame::Screen { slots });
            let sound = carries.endpoint().is_some() || machine.seat.role == Role::Stage;
            link.send(&ClientFrame::Listen { sound });
        }
        let pending: Vec<String> = machine.pending.iter().map(|one| one.id.clone()).collect();
        for id in pending {
            machine.send_pending(&id, answered);
        }
    }

    async fn act(&mut self) -> Result<()> {
        match self.faults.next(&mut self.chance) {
            Some(trouble) => faults::make(self, trouble).await,
            None => {
                self.press();
                Ok(())
            }
        }
    }

    fn press(&mut self) {
        let by_role = |machine: &Machine| match machine.seat.role {
            Role::Chair if machine.seat.id == SeatId(0) => 60,
            Role::Chair => 10,
            Role::Deputy => 8,
            Role::Secretary => 12,
            Role::Technician => 4,
            Role::Moderator => 8,
            Role::Observer | Role::Stage => 0,
        };
        let at_hand = |machine: &Machine| match self.guarded && machine.view.is_none() {
            true => 0,
            false => by_role(machine),
        };
        let weights: Vec<(u64, usize)> = self.machines.iter().map(at_hand).zip(0..).collect();
        let Some(at) = self.chance.weighed(&weights) else {
            return;
        };
        if self.press_at(at) {
            self.press_beside();
        }
    }

    /// In the very moment in which a device is shut out, whoever sits at one that opens several links asks for something:
    /// from a seat that nobody sends away. Drawn beside the run, which goes on as it would.
    fn press_beside(&mut self) {
        let beside = Chance::new(self.connections.len() as u64 + self.history.last());
        let own = mem::replace(&mut self.chance, beside);
        for at in 0..self.machines.len() {
            let device = self.machines[at].device;
            let mut others = self.machines.iter().filter(|other| other.device == device);
            if device.is_some() && others.nth(1).is_some() && self.machines[at].is_joined() {
                self.press_at(at);
            }
        }
        self.chance = own;
    }

    /// Who sits at a machine presses something; true if that shuts a device out.
    fn press_at(&mut self, at: usize) -> bool {
        let machine = &mut self.machines[at];
        // Whoever is away only writes comments, which are sent when the line is back.
        let Some(view) = machine.view.as_ref().filter(|_| !machine.is_out()) else {
            return false;
        };
        let Some(command) = people::press(&machine.seat, view, self.guarded, &mut self.chance)
        else {
            return false;
        };
        let bans = matches!(
            command,
            ClientCommand::ExpelSeat { ban: true, .. }
                | ClientCommand::RefuseDevice { ban: true, .. }
        );
        self.trace.say(machine.name(), crate::trace::told(&command));
        let id = machine.want(command);
        machine.send_pending(&id, self.answered);
        // Impatience, or a client that lost the answer: the same once more, under the same id.
        if self.faults.are(Trouble::Double) && self.chance.percent(5) {
            machine.send_pending(&id, self.answered);
        }
        bans
    }

    /// Looks at everything that has happened since the last look.
    pub(crate) fn look(&mut self) -> Result<()> {
        self.look_at_record()?;
        for at in 0..self.machines.len() {
            self.hear(at)
                .with_context(|| self.machines[at].name().to_owned())?;
        }
        self.look_at_packets()
    }

    fn hear(&mut self, at: usize) -> Result<()> {
        let Some(link) = &mut self.machines[at].link else {
            return Ok(());
        };
        let number = link.number;
        let (texts, over) = link.ear.take();
        if !texts.is_empty() {
            link.heard_at = Instant::now();
        }
        for text in texts {
            let frame = self.read(text)?;
            self.take_frame(at, &frame)?;
        }
        let same = |link: &Link| link.number == number;
        if over && self.machines[at].link.as_ref().is_some_and(same) {
            self.trace.say(self.machines[at].name(), "is cut off");
            self.hang_up(at);
        }
        Ok(())
    }

    fn read(&mut self, text: Utf8Bytes) -> Result<Arc<ServerFrame>> {
        const KEPT_MAX: usize = 256;
        if let Some(frame) = self.frames.get(&text) {
            return Ok(Arc::clone(frame));
        }
        let frame: ServerFrame =
            serde_json::from_str(&text).with_context(|| format!("no frame: {text}"))?;
        let frame = Arc::new(frame);
        if self.frames.len() >= KEPT_MAX {
            self.frames.clear();
        }
        self.frames.insert(text, Arc::clone(&frame));
        Ok(frame)
    }

    /// Heals everything, and waits until nothing happens any more; then everybody must see the same.
    async fn rest(&mut self) -> Result<()> {
        const WITHIN: Duration = Duration::from_secs(120);
        const QUIET: Duration = Duration::from_secs(3);
        self.trace.say("world", "heals");
        self.disk_heals_at = None;
        self.disk.set_fault(Fault::None);
        self.disk.set_sync(Duration::from_millis(1));
        self.lag = Duration::from_millis(1);
        let now = Instant::now();
        self.starts_at = self.starts_at.map(|_| now);
        for at in 0..self.machines.len() {
            let machine = &mut self.machines[at];
            machine.joins_at = machine.joins_at.map(|_| now);
            let Some(link) = &machine.link else { continue };
            link.cable.set_lag(self.lag);
            if link.cable.is_silent() || link.ear.is_deaf() {
                self.hang_up(at);
            }
        }
        let mut quiet_since = now;
        let mut last = self.history.last();
        while quiet_since.elapsed() < QUIET {
            ensure!(
                now.elapsed() < WITHIN,
                "never comes to rest: {}",
                self.unrest()
            );
            self.go_on().await?;
            sleep(Duration::from_millis(100)).await;
            self.look()?;
            // What the disk was asked while it hung takes its time still.
            let is_ill = match &self.server {
                Some(server) => server.is_ill().await,
                None => true,
            };
            if is_ill || self.history.last() != last || !self.unrest().is_empty() {
                (last, quiet_since) = (self.history.last(), Instant::now());
            }
        }
        self.look_at_rest().await
    }

    /// Who is not connected, or waits for an answer.
    fn unrest(&self) -> String {
        let is_easy = |machine: &Machine| {
            let is_done = machine.is_joined() && machine.pending.is_empty();
            machine.is_out() || machine.is_waiting() || is_done
        };
        let told = |machine: &Machine| {
            let waits: Vec<&str> = machine.pending.iter().map(|one| one.id.as_str()).collect();
            let joined = machine.is_joined();
            format!(
                "{} (joined: {joined}, waits for: {})",
                machine.name(),
                waits.join(" ")
            )
        };
        let uneasy = self.machines.iter().filter(|machine| !is_easy(machine));
        let uneasy: Vec<String> = uneasy.map(told).collect();
        uneasy.join(", ")
    }
}

/// Everybody's machines. Each has a key of its own, but where one opens another's link too.
fn all_machines(guarded: bool, begun: Instant, chance: &mut Chance) -> Vec<Machine> {
    let mut all: Vec<Machine> = vec![];
    for seat in setup(guarded).seats {
        for kind in machines(seat.id, guarded) {
            let name = format!("s{}{}", seat.id, kind.letter);
            let starts = kind.starts.then(|| begun + chance.millis(0..=3_000));
            let first = shares_with(seat.id).filter(|_| kind.letter == "b");
            let first = all.iter().find(|one| Some(one.seat.id) == first);
            let device = first.map_or(device(all.len() as u64), |first| first.device);
            let device = device.filter(|_| kind.has_key);
            let mut machine = Machine::new(name, seat.clone(), device, starts);
            machine.is_second = !kind.starts;
            machine.knows_pin = !guarded || kind.starts || chance.percent(50);
            all.push(machine);
        }
    }
    all
}

/// A key's name, of as many as are wanted.
pub(crate) fn device(number: u64) -> Option<DeviceId> {
    let mut id = [0xd0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Some(DeviceId(id))
}

/// By when the server must have seen that a connection is gone which its client lets go of now.
fn gone_by(link: &Link) -> Instant {
    let now = Instant::now();
    match link.cable.is_silent() {
        true => now + SILENT_GONE,
        // A machine that sleeps ends its connection when it wakes.
        false => now.max(link.ear.deaf_until().unwrap_or(now)) + ENDED_GONE,
    }
}
