//! Two network namespaces joined by a cable, gone with the processes that hold them.

use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The server's address, and the load's.
pub const SERVER: &str = "10.77.0.1";
pub const LOAD: &str = "10.77.0.2";
/// The core each of them has to itself.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";
/// Ahead of what else the machine does: `nice` counts within a session's autogroup only, so the group is set.
const AUTOGROUP_NICE: &str = "-10";
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Server,
    Load,
}

/// The namespaces.
pub struct Nets {
    server: Child,
    load: Child,
}

impl Nets {
    /// Makes them and the cable.
    ///
    /// # Errors
    /// Namespaces are not to be had; usually that needs root.
    pub fn make() -> Result<Self> {
        let nets = Self {
            server: hold()?,
            load: hold()?,
        };
        let load = nets.load.id().to_string();
        nets.ip(Side::Server, &["link", "set", "lo", "up"])?;
        nets.ip(Side::Load, &["link", "set", "lo", "up"])?;
        let veth = [
            "link", "add", "cable", "type", "veth", "peer", "name", "cable",
        ];
        nets.ip(
            Side::Server,
            &[&veth[..], &["netns", load.as_str()]].concat(),
        )?;
        for (side, address) in [(Side::Server, SERVER), (Side::Load, LOAD)] {
            let address = format!("{address}/24");
            nets.ip(side, &["addr", "add", &address, "dev", "cable"])?;
            nets.ip(side, &["link", "set", "cable", "up"])?;
        }
        Ok(nets)
    }

    /// A program in one of them, on its core. It ends with us.
    pub fn command(&self, side: Side, program: &str) -> Command {
        let (holder, core) = match side {
            Side::Server => (&self.server, SERVER_CORE),
            Side::Load => (&self.load, LOAD_CORE),
        };
        let mut command = dying_with_us("setsid");
        let holder = holder.id().to_string();
        command.args([
            "nsenter", "-n", "-t", &holder, "taskset", "-c", core, program,
        ]);
        command
    }

    fn ip(&self, side: Side, arguments: &[&str]) -> Result<()> {
        let status = self.command(side, "ip").args(arguments).status()?;
        ensure!(status.success(), "ip {} failed", arguments.join(" "));
        Ok(())
    }
}

impl Drop for Nets {
    fn drop(&mut self) {
        for holder in [&mut self.server, &mut self.load] {
            // They only sleep; the kernel removes the namespaces and the cable with them.
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

/// Starts a program and puts its session ahead of others.
///
/// # Errors
/// It cannot be started.
pub fn start(command: &mut Command) -> Result<Child> {
    let child = command
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("{command:?}"))?;
    ahead(child.id());
    Ok(child)
}

/// Puts a process's session ahead of others. A kernel without autogroups has nothing to put ahead.
fn ahead(pid: u32) {
    let begun = Instant::now();
    let file = format!("/proc/{pid}/autogroup");
    let own = fs::read_to_string("/proc/self/autogroup").unwrap_or_default();
    // Its session is new once `setsid` has run; before, it would be ours that is moved.
    while begun.elapsed() < PATIENCE {
        let Ok(group) = fs::read_to_string(&file) else {
            return;
        };
        if group.split(' ').next() != own.split(' ').next() {
            let _ = fs::write(&file, AUTOGROUP_NICE);
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn hold() -> Result<Child> {
    let own = fs::read_link("/proc/self/ns/net")?;
    let mut holder = dying_with_us("unshare")
        .args(["--net", "sleep", "infinity"])
        .spawn()
        .context("unshare cannot be started")?;
    let begun = Instant::now();
    let file = format!("/proc/{}/ns/net", holder.id());
    while begun.elapsed() < PATIENCE {
        if let Some(status) = holder.try_wait()? {
            bail!("no network namespace is to be had here ({status}): run it as root");
        }
        if fs::read_link(&file).is_ok_and(|its| its != own) {
            return Ok(holder);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    bail!("no network namespace came up")
}

/// Whatever ends us, nothing stays behind.
fn dying_with_us(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}
