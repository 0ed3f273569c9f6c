//! Who is asked for a proof, waits, comes in or is turned away, and who may not be.

use crate::{
    door::Guest,
    machine::{Connection, Machine},
    setup,
    world::World,
};
use anyhow::{Context, Result, ensure};
use diemcau_conference::Event;
use diemcau_journal::Entry;
use diemcau_model::limits;
use diemcau_protocol::{ClientFrame, ErrorWhy};

impl World {
    fn connection(&mut self, at: usize) -> Result<&mut Connection> {
        let link = self.machines[at].link.as_ref().context("no link")?;
        let connection = self.connections.get_mut(&link.number);
        connection.context("nobody's connection")
    }

    /// Asked who it is: only where there is a reason to ask.
    pub(super) fn prove(&mut self, at: usize, pin: bool, locked_ms: u32) -> Result<()> {
        let machine = &self.machines[at];
        let (seat, device) = (machine.seat.id, machine.device);
        ensure!(
            self.history.door().may_ask(seat) || self.disk_ever_failed,
            "an open door asks nothing"
        );
        // Who does not know the PIN guesses, until somebody tells it.
        let right = machine.knows_pin || self.chance.percent(40);
        let pin = pin.then(|| match right {
            true => setup::pin(seat),
            false => "0000".into(),
        });
        let pin_right = pin.as_ref().map(|_| right && locked_ms == 0);
        let machine = &mut self.machines[at];
        machine.knows_pin |= right;
        if let Some(link) = &machine.link {
            let device = None;
            link.send(&ClientFrame::Proof { device, pin });
        }
        if pin_right == Some(false) {
            self.pins_tried.insert(seat);
            self.trace.count("wrong PIN");
        }
        self.trace.count("proved");
        let connection = self.connection(at)?;
        (connection.guest.device, connection.pin) = (device, pin_right);
        Ok(())
    }

    /// Told to wait: it stands on the list that chair and technician see, and hears its own seat's name and nobody else's.
    pub(super) fn wait(
        &mut self,
        at: usize,
        code: &str,
        site: Option<&str>,
        label: &str,
    ) -> Result<()> {
        let machine = &mut self.machines[at];
        let seat = machine.seat.clone();
        let own = self.history.setup().sites.iter();
        let own = own.filter(|one| Some(one.id) == seat.site);
        let own = own.map(|site| site.name.as_str()).next();
        ensure!(
            (site, label) == (own, seat.label.as_str()),
            "it waits and hears of {site:?}, {label}"
        );
        let wait = self.history.door().waits_as(seat.id, code);
        ensure!(wait.is_some(), "it waits, and nobody knows of it");
        let link = machine.link.as_mut().context("no link")?;
        ensure!(!link.joined && !link.waits, "it waits though it is in");
        link.waits = true;
        self.trace.say(machine.name(), "waits at the door");
        self.trace.count("waits at the door");
        self.connection(at)?.guest.wait = wait;
        Ok(())
    }

    /// Welcomed: the record lets this link on this device in, and where a PIN is asked it was given.
    pub(super) fn enter(&mut self, at: usize, seq: u64) -> Result<()> {
        let device = self.machines[at].device;
        let connection = *self.connection(at)?;
        let (guest, door) = (connection.guest, self.history.door());
        let entered = door.entered(&guest, seq);
        ensure!(
            entered.is_some(),
            "welcomed as of {seq}, and the record does not let it in: {guest:?}"
        );
        // Whatever the server was told of it.
        let truly = Guest { device, ..guest };
        ensure!(!door.is_banned(&truly, seq), "{guest:?} is shut out");
        // As of its coming: by this very entrance it may have become known.
        let is_known = door.knew(&guest, connection.made);
        ensure!(
            !door.asks_pin(guest.seat) || is_known || connection.pin == Some(true),
            "{guest:?} came in without the PIN"
        );
        self.connection(at)?.entered = entered;
        Ok(())
    }

    /// Nothing is done that only connections of a device asked for which is shut out, from whatever seat; and nothing that
    /// nobody asked for. By its first record a command may shut out its own asker.
    pub(super) fn check_asker(&self, entry: &Entry) -> Result<()> {
        let (Some(seat), Some(id)) = (entry.seat, &entry.command) else {
            return Ok(());
        };
        let is_refused = matches!(entry.event, Event::CommandRefused { .. });
        if is_refused || self.history.effect(seat, id).is_some() {
            return Ok(());
        }
        let of_seat = |machine: &&Machine| machine.seat.id == seat;
        let mut machines = self.machines.iter().filter(of_seat);
        let brought = machines.find_map(|machine| machine.brought.get(id));
        let brought = brought.with_context(|| format!("seat {seat} did {id}, and never asked"))?;
        let (door, last) = (self.history.door(), self.history.last());
        let may_ask = |number: &u64| {
            let connection = self.connections.get(number);
            connection.is_some_and(|one| !door.is_banned(&one.guest, last))
        };
        ensure!(
            brought.iter().any(may_ask),
            "seat {seat} did {id} by c{brought:?}, whose device was shut out: {:?}",
            entry.event
        );
        Ok(())
    }

    /// Counts those who had asked for something when their device was shut out, and had no answer yet.
    pub(super) fn count_interrupted(&mut self, event: &Event) {
        let Event::DeviceBanned { device, .. } = event else {
            return;
        };
        let is_its = |machine: &&Machine| {
            let link = machine.link.as_ref();
            let connection = link.and_then(|link| self.connections.get(&link.number));
            connection.is_some_and(|one| one.guest.device == Some(*device))
        };
        let asked = self.machines.iter().filter(is_its);
        let asked = asked.filter(|machine| !machine.pending.is_empty()).count();
        self.trace.count_many("banned while it asks", asked as u64);
    }

    /// Whoever was sent away hears no more than what was decided at once with it.
    pub(super) fn check_reader(&mut self, at: usize, seq: u64) -> Result<()> {
        let connection = *self.connection(at)?;
        let entered = connection.entered.context("facts before the welcome")?;
        let away = self.history.door().sent_away(&connection.guest, entered);
        ensure!(
            away.is_none_or(|word| seq <= *word.round.numbers.end()),
            "facts of {seq} go to {:?}, which was sent away: {away:?}",
            connection.guest
        );
        Ok(())
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "for another reason nobody is turned away"
    )]
    pub(super) fn check_turned_away(&self, why: ErrorWhy, connection: Connection) -> Result<()> {
        let Connection { guest, made, .. } = connection;
        let door = self.history.door();
        let stranger = door.asks_pin(guest.seat) && !door.knew(&guest, made);
        let without_pin = stranger && self.pins_tried.contains(&guest.seat);
        let fair = match why {
            ErrorWhy::Revoked => door.was_shut_out(&guest, made),
            ErrorWhy::NotAdmitted => door.was_shut_out(&guest, made) || without_pin,
            ErrorWhy::Expelled => door.was_expelled(guest.seat, made),
            ErrorWhy::NotLetIn => door.was_refused(&guest),
            ErrorWhy::LobbyFull => door.visitors_of(guest.seat) >= limits::LOBBY_PER_SEAT_MAX,
            _ => false,
        };
        ensure!(fair, "{guest:?} is turned away for nothing: {why:?}");
        Ok(())
    }
}
