//! The gate: what must pass before anything lands. Needs git, Rust, Node and a C compiler; installs the rest.

use crate::{root, tidy};
use anyhow::{Context, Result, ensure};
use std::{path::Path, process::Command, time::Instant};

/// Debian's browsers, driven by the browser tests.
const CHROMIUM: &str = "/usr/bin/chromium";
const FIREFOX: &str = "/usr/bin/firefox-esr";

/// Counts the instructions of a forwarded packet.
const VALGRIND: &str = "/usr/bin/valgrind";
/// Makes the closed network.
const IP: &str = "/usr/sbin/ip";
/// Watches the journal's system calls.
const STRACE: &str = "/usr/bin/strace";
/// Makes a disk that writes nothing in place.
const MKFS_BTRFS: &str = "/usr/sbin/mkfs.btrfs";
/// Closed network first: server, rooms and browsers have a loopback and a cable that leads nowhere, by which all goes. The
/// cable is there because Chromium makes no media connection on a machine that has no interface but the loopback, and the
/// route because Firefox offers the address that leads to the world. The cable has to
/// be up before: the kernel tells of it up to a second later, and Chromium drops what it is loading when a network comes.
const CLOSED_NETWORK: &str = "ip link set lo up && ip link add cable type veth peer name nowhere \
    && ip addr add 192.168.77.1/24 dev cable && ip link set cable up && ip link set nowhere up \
    && until ip -o link show cable | grep -q 'state UP'; do sleep 0.1; done \
    && ip route add default via 192.168.77.2 && sleep 1";

/// Runs every step, in the order from cheap to dear.
pub fn run() -> Result<()> {
    step("tidy", tidy::check)?;
    step("format", || cargo(&["fmt", "--all", "--check"]))?;
    step("lint", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    step("build", || cargo(&["build", "--workspace", "--locked"]))?;
    step("client", client)?;
    step("tests", || {
        packages(
            &[STRACE, VALGRIND, MKFS_BTRFS],
            &["strace", "valgrind", "btrfs-progs"],
        )?;
        cargo(&["test", "--workspace", "--locked", "--", "--test-threads=2"])
    })?;
    step("browser", browser)
}

fn client() -> Result<()> {
    npm("web", &["ci", "--no-audit", "--no-fund"])?;
    npm("web", &["run", "check"])
}

/// Installs Debian's packages, if one of these programs is missing.
fn packages(programs: &[&str], packages: &[&str]) -> Result<()> {
    if programs.iter().all(|program| Path::new(program).exists()) {
        return Ok(());
    }
    command("apt-get", &["update", "-qq"], ".")?;
    let install = [&["install", "-y", "-qq"], packages].concat();
    command("apt-get", &install, ".")
}

fn browser() -> Result<()> {
    packages(
        &[CHROMIUM, FIREFOX, IP],
        &["chromium", "firefox-esr", "iproute2"],
    )?;
    npm("tests/browser", &["ci", "--no-audit", "--no-fund"])?;
    if command("unshare", &["--net", "true"], ".").is_err() {
        println!(
            "no network namespace is to be had here: the browsers run with this machine's network in reach"
        );
        return npm("tests/browser", &["test"]);
    }
    let in_there = format!("{CLOSED_NETWORK} && npm test");
    let namespace = ["--net", "--", "sh", "-c", &in_there];
    command("unshare", &namespace, "tests/browser")
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("==> {name}");
    let begun = Instant::now();
    work().with_context(|| format!("the gate is closed at: {name}"))?;
    println!("<== {name}: {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    command("cargo", arguments, ".")
}

fn npm(folder: &str, arguments: &[&str]) -> Result<()> {
    command("npm", arguments, folder)
}

fn command(program: &str, arguments: &[&str], folder: &str) -> Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root().join(folder))
        // What is measured where it can be must be measured here.
        .env("DIEMCAU_GATE", "1")
        .status();
    let status = status.with_context(|| format!("{program} cannot be started"))?;
    ensure!(status.success(), "{program} {} failed", arguments.join(" "));
    Ok(())
}
