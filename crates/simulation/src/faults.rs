//! What goes wrong. Every run draws which kinds it has and how often: one with everything would hide what one kind does.

use crate::{
    disk::Fault,
    machine::Machine,
    setup::COPIED,
    world::{World, device},
};
use anyhow::Result;
use diemcau_fuzz::Chance;
use diemcau_protocol::ClientFrame;
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A connection breaks, perhaps in the middle of a frame.
    Cut,
    /// A connection goes silent without anybody being told.
    Silence,
    /// The network becomes slower or faster.
    Lag,
    /// A machine reads nothing for a while.
    Deaf,
    /// A site is away for a while; its people go on writing.
    Away,
    /// An uplink fails by itself.
    Uplink,
    /// A command is sent once more.
    Double,
    /// Something is sent that is no frame.
    Rude,
    /// The disk fails, or is slow.
    Disk,
    /// The server is stopped and started.
    Stop,
    /// The server dies; what was not synced is lost.
    Kill,
    /// Somebody starts a machine that was off, or tries again after being sent away.
    Start,
    /// Somebody switches a second machine off.
    Off,
    /// A browser forgets its key: the machine is another device from then on.
    Forget,
}

/// With which weights they come; what people do has 100.
const WEIGHTS: [(u64, Trouble); 11] = [
    (6, Trouble::Cut),
    (2, Trouble::Silence),
    (4, Trouble::Lag),
    (2, Trouble::Deaf),
    (3, Trouble::Away),
    (4, Trouble::Uplink),
    (6, Trouble::Double),
    (3, Trouble::Rude),
    (4, Trouble::Disk),
    (1, Trouble::Stop),
    (2, Trouble::Kill),
];
const PEOPLE: u64 = 100;
/// The same of what only a guarded door minds: every guarded run has them.
const AT_THE_DOOR: [(u64, Trouble); 3] = [
    (12, Trouble::Start),
    (4, Trouble::Off),
    (1, Trouble::Forget),
];

/// The troubles of a run.
pub struct Faults(Vec<(u64, Option<Trouble>)>);

impl Faults {
    /// Draws them: about half of the kinds, each up to three times its weight.
    pub fn draw(chance: &mut Chance, guarded: bool) -> Self {
        let mut drawn = vec![(PEOPLE, None)];
        let at_the_door = AT_THE_DOOR.iter().filter(|_| guarded);
        drawn.extend(at_the_door.map(|(weight, trouble)| (*weight, Some(*trouble))));
        for (weight, trouble) in WEIGHTS {
            if chance.percent(55) {
                drawn.push((weight * chance.within(1..=3), Some(trouble)));
            }
        }
        Self(drawn)
    }

    /// What happens next; none: somebody presses something.
    pub fn next(&self, chance: &mut Chance) -> Option<Trouble> {
        chance.weighed(&self.0).flatten()
    }

    /// Whether this run has a kind.
    #[must_use]
    pub fn are(&self, trouble: Trouble) -> bool {
        self.0.iter().any(|(_, one)| *one == Some(trouble))
    }
}

/// Makes a trouble. It counts where it troubles somebody.
pub async fn make(world: &mut World, trouble: Trouble) -> Result<()> {
    let has_come = match trouble {
        Trouble::Cut | Trouble::Silence | Trouble::Deaf | Trouble::Uplink | Trouble::Rude => {
            let is_here = |machine: &Machine| machine.is_joined() || machine.is_waiting();
            somebody(world, is_here).is_some_and(|at| disturb(world, at, trouble))
        }
        Trouble::Lag => lag(world),
        Trouble::Away => away(world),
        Trouble::Double => double(world),
        Trouble::Disk => disk(world),
        Trouble::Stop => stop(world).await,
        Trouble::Kill => kill(world),
        Trouble::Start => start(world),
        Trouble::Off => off(world),
        Trouble::Forget => forget(world),
    };
    if has_come {
        world.trace.count(format!("trouble {trouble:?}"));
    }
    Ok(())
}

fn somebody(world: &mut World, fits: impl Fn(&Machine) -> bool) -> Option<usize> {
    let fitting = world.machines.iter().zip(0..);
    let fitting: Vec<usize> = fitting
        .filter(|(machine, _)| fits(machine))
        .map(|(_, at)| at)
        .collect();
    world.chance.pick(&fitting).copied()
}

fn disturb(world: &mut World, at: usize, trouble: Trouble) -> bool {
    let machine = &mut world.machines[at];
    let Some(link) = &mut machine.link else {
        return false;
    };
    let number = link.number;
    let mut has_come = true;
    match trouble {
        Trouble::Cut => link.cable.cut(&mut world.chance),
        Trouble::Silence => link.cable.silence(),
        Trouble::Deaf => {
            let until = Instant::now() + world.chance.millis(500..=20_000);
            link.ear.deafen(until);
        }
        Trouble::Uplink => {
            let server = world.server.as_ref();
            has_come = server.is_some_and(|server| server.plane.fail_uplink(number));
        }
        Trouble::Rude => {
            link.rude = true;
            let which = world.chance.below(6);
            if link.waits && number % 3 != 0 {
                // Whoever waits has no business with media, however well it asks.
                world.trace.count("asks for media at the door");
                link.send(&match number % 3 {
                    1 => ClientFrame::OpenDownlink {},
                    _ => ClientFrame::UplinkOffer {
                        sdp: number.to_string(),
                    },
                });
            }
            let message = match which {
                0 => Message::binary(vec![1, 2, 3]),
                1 => Message::text("{\"type\":\"command\",\"id\":\"x\",\"comm"),
                2 => Message::text("[".repeat(200)),
                3 => Message::text("x".repeat(70_000)),
                4 => Message::text("{\"type\":\"join\",\"protocol\":1,\"token\":\"x\"}"),
                _ => Message::text(
                    "{\"type\":\"screen\",\"slots\":{\"programme\":1,\"tiles\":[1]},\"a\":1}",
                ),
            };
            let _ = link.say.send(message);
        }
        Trouble::Lag
        | Trouble::Away
        | Trouble::Double
        | Trouble::Disk
        | Trouble::Stop
        | Trouble::Kill
        | Trouble::Start
        | Trouble::Off
        | Trouble::Forget => {}
    }
    world
        .trace
        .say(machine.name(), format!("trouble on c{number}: {trouble:?}"));
    has_come
}

fn lag(world: &mut World) -> bool {
    world.lag = match world.chance.percent(20) {
        true => world.chance.millis(300..=2_500),
        false => world.chance.millis(1..=120),
    };
    world.trace.say("network", format!("takes {:?}", world.lag));
    for machine in &world.machines {
        if let Some(link) = &machine.link {
            link.cable.set_lag(world.lag);
        }
    }
    true
}

fn away(world: &mut World) -> bool {
    let Some(at) = somebody(world, |machine| !machine.is_out()) else {
        return false;
    };
    let back = Instant::now() + world.chance.millis(2_000..=40_000);
    world.hang_up(at);
    let machine = &mut world.machines[at];
    machine.joins_at = Some(back);
    world.trace.say(machine.name(), "is away");
    true
}

fn start(world: &mut World) -> bool {
    let Some(at) = somebody(world, Machine::is_out) else {
        return false;
    };
    let seat = world.machines[at].seat.id;
    let started = |(other, machine): &(usize, &mut Machine)| {
        // A link that was copied comes from many machines at once.
        *other == at || seat == COPIED && machine.seat.id == seat && machine.is_out()
    };
    let machines = world.machines.iter_mut().enumerate();
    for (_, machine) in machines.filter(started) {
        machine.joins_at = Some(Instant::now());
        world.trace.say(machine.name(), "is started");
    }
    true
}

fn off(world: &mut World) -> bool {
    let is_second = |machine: &Machine| machine.is_second && !machine.is_out();
    let Some(at) = somebody(world, is_second) else {
        return false;
    };
    world.hang_up(at);
    let machine = &mut world.machines[at];
    machine.give_up();
    world.trace.say(machine.name(), "is switched off");
    true
}

fn forget(world: &mut World) -> bool {
    let Some(at) = somebody(world, |machine| machine.device.is_some()) else {
        return false;
    };
    world.hang_up(at);
    let key = world.chance.draw();
    let machine = &mut world.machines[at];
    machine.device = device(key);
    world.trace.say(machine.name(), "forgets its key");
    true
}

/// A command that waits for its answer, or has had it, is sent once more.
fn double(world: &mut World) -> bool {
    let Some(at) = somebody(world, Machine::is_joined) else {
        return false;
    };
    let machine = &mut world.machines[at];
    let waits = machine.pending.front().map(|pending| pending.id.clone());
    if let Some(id) = waits {
        machine.send_pending(&id, world.answered);
        world.trace.say(machine.name(), format!("asks again: {id}"));
        return true;
    }
    let which = world.chance.below(machine.answered.len());
    let Some(id) = machine.send_answered(which) else {
        return false;
    };
    world
        .trace
        .say(machine.name(), format!("asks again, though answered: {id}"));
    true
}

fn disk(world: &mut World) -> bool {
    let fault = match world.chance.below(8) {
        0 | 1 => Fault::Full,
        2 | 3 if world.guarded && world.chance.percent(60) => Fault::SyncInDoubt,
        2 | 3 => Fault::Sync,
        4 => Fault::Gone,
        // Whether what it is asked meanwhile is written in the end, another fault may say.
        5 | 6 => {
            let sync = world.chance.millis(800..=12_000);
            world.disk.set_sync(sync);
            world.trace.count("disk hangs");
            Fault::None
        }
        _ => {
            let sync = world.chance.millis(0..=400);
            world.disk.set_sync(sync);
            world.trace.say("disk", format!("takes {sync:?}"));
            return true;
        }
    };
    if fault != Fault::None {
        world.disk.set_fault(fault);
        world.trace.count(format!("disk {fault:?}"));
    }
    world.disk_ever_failed = true;
    world.disk_heals_at = Some(Instant::now() + world.chance.millis(100..=8_000));
    let how = match fault {
        Fault::None => "hangs".into(),
        Fault::Full | Fault::Sync | Fault::SyncInDoubt | Fault::Gone => format!("fails: {fault:?}"),
    };
    world.trace.say("disk", how);
    true
}

async fn stop(world: &mut World) -> bool {
    let Some(server) = world.server.take() else {
        return false;
    };
    world.trace.say("server", "is stopped");
    server.stop().await;
    world.disk.let_go();
    world.starts_at = Some(Instant::now() + world.chance.millis(0..=3_000));
    true
}

fn kill(world: &mut World) -> bool {
    let Some(server) = world.server.take() else {
        return false;
    };
    world.trace.say("server", "dies");
    world.disk.let_go();
    for machine in &world.machines {
        if let Some(link) = &machine.link {
            link.cable.cut(&mut world.chance);
        }
    }
    server.kill();
    let down = match world.chance.percent(20) {
        true => world.chance.millis(5_000..=40_000),
        false => world.chance.millis(100..=3_000),
    };
    world.starts_at = Some(Instant::now() + down);
    true
}

/// For how long a command that the disk refused is kept before it is asked again.
pub const AGAIN_AFTER: Duration = Duration::from_secs(1);
