//! What forwarding costs in instructions: the same on every machine, so a bound on it can stand in a test.
//!
//! Recorded packets of thirteen rooms go through the very driver, slots and downlinks; what leaves goes to a socket
//! nobody reads. Receiving and decrypting are the uplink's and not in the figure (`engine/uplink/budget.rs`).

use super::{
    Doors, Driver,
    outgoing::{CROWD, Cores},
    touch,
};
use crate::callgrind::{self, COUNTED};
use crate::counters::Counters;
use crate::engine::{
    Addresses, Codec, Engine, EngineError, Layer, Leg, LegEvent, Outlet, Path, RtpIn,
};
use crate::peers::{Down, Up};
use crate::port::Port;
use crate::post::Post;
use crate::rewrite::RtpOut;
use crate::vp8;
use bytes::{Bytes, BytesMut};
use diemcau_model::{
    Carries, EndpointKind, PeerAsk, PeerId, ScreenSlots, SeatId, Side, SiteId, Stage,
};
use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// The one place where the bound stands: instructions per forwarded packet, of a build as the tests are.
const BUDGET: u64 = 5_400;
const ROOMS: u16 = 13;
const ROUNDS: u32 = 20;
/// A picture of 1.5 Mbit/s at 30 frames a second, cut as an encoder does: the last parts a byte longer.
const PARTS: [usize; 6] = [1_040, 1_040, 1_040, 1_041, 1_041, 1_041];
const SOUND_BYTES: usize = 120;

/// An uplink that has its packets already.
struct Recorded(Arc<Mutex<VecDeque<RtpIn>>>);

impl Leg for Recorded {
    fn ufrag(&self) -> &str {
        "recorded"
    }
    fn accept_answer(&mut self, _: &str, _: Instant) -> Result<(), EngineError> {
        Ok(())
    }
    fn receive(&mut self, _: BytesMut, _: Path, _: Instant) -> bool {
        true
    }
    fn path(&self) -> Option<Path> {
        None
    }
    fn takes(&self, _: usize, _: Codec) -> bool {
        true
    }
    fn send(&mut self, _: usize, _: RtpOut, _: Instant) -> bool {
        false
    }
    fn ask_key_frame(&mut self, _: Layer, _: Instant) -> bool {
        true
    }
    fn measure(&mut self, _: Instant) {}
    fn bears(&mut self, _: Instant) -> Option<u64> {
        None
    }
    fn tick(&mut self, _: Instant) {}
    fn deadline(&mut self) -> Option<Instant> {
        None
    }
    fn drain_events(&mut self, into: &mut Vec<LegEvent>) {
        if let Ok(mut packets) = self.0.lock() {
            into.extend(packets.drain(..).map(LegEvent::Rtp));
        }
    }
    fn drain_datagrams(&mut self, _: &mut Outlet<'_>) {}
    fn close(&mut self, _: Instant) {}
}

/// The packets of one round: a picture and a sound of every room.
fn record(room: u16, round: u32, into: &mut VecDeque<RtpIn>) {
    let ssrc = u32::from(room) * 10;
    let first = vp8::tests::payload(round == 0, round as u16, round as u8);
    let rest = vp8::tests::payload(false, round as u16, round as u8);
    for (part, length) in (0_u16..).zip(PARTS) {
        let mut payload = if part == 0 { &first } else { &rest }.to_vec();
        payload[0] = if part == 0 { 0x90 } else { 0x80 };
        payload.resize(length, part as u8);
        into.push_back(RtpIn {
            codec: Codec::Vp8,
            layer: Layer::Full,
            ssrc,
            seq: (round as u16).wrapping_mul(6).wrapping_add(part),
            timestamp: round * 3_000,
            marker: usize::from(part) + 1 == PARTS.len(),
            level_dbov: None,
            is_newest: true,
            was_lost: false,
            payload: payload.into(),
        });
    }
    into.push_back(RtpIn {
        codec: Codec::Opus,
        layer: Layer::Full,
        ssrc: ssrc + 1,
        seq: round as u16,
        timestamp: round * 960,
        marker: false,
        level_dbov: Some(-30),
        is_newest: true,
        was_lost: false,
        payload: Bytes::from(vec![1; SOUND_BYTES]),
    });
}

/// Everything that is counted, so that nothing else is.
#[inline(never)]
fn forward_recorded(driver: &mut Driver, rooms: &[PeerId], now: Instant) {
    for room in rooms {
        if let Some(line) = driver
            .peers
            .get_mut(room)
            .and_then(|peer| peer.line(Side::Uplink))
        {
            touch(line, (*room, Side::Uplink), &mut driver.touched);
        }
    }
    driver.settle(now);
}

/// Gives a peer both its legs, as if they had connected.
fn connect(driver: &mut Driver, id: PeerId, uplink: Recorded, to: SocketAddr, now: Instant) {
    let downlink = driver.engine.open_downlink(to).unwrap();
    let peer = driver.peer(id, now).unwrap();
    let mut up = Up::new(Box::new(uplink), now);
    (up.line.connected, up.order) = (true, 1);
    let mut down = Down::new(downlink, now);
    down.line.connected = true;
    (peer.up, peer.down) = (Some(up), Some(down));
    driver.dirty = true;
}

/// What became of the work.
struct Done {
    forwarded: u64,
    /// A figure that grows with every byte that was sent.
    sent: u64,
    took: Duration,
}

/// Does so many rounds of it, with so many cores that help.
fn workload(rounds: u32, helpers: usize) -> Done {
    let now = Instant::now();
    let sink = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = sink.local_addr().unwrap();
    let port = Port::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let engine = Engine::new(Addresses(vec![to]), now).unwrap();
    let stage = Stage {
        heard: BTreeSet::from([SiteId(1)]),
        programme: Some(SiteId(1)),
        on_deck: vec![],
        tiles: (0..ROOMS).map(SiteId).collect(),
        carriers: (0..ROOMS)
            .map(|site| (SiteId(site), EndpointKind::Room))
            .collect(),
        presentation: None,
    };
    let (_stage, stage) = watch::channel(stage);
    let (_asks, asks) = mpsc::channel(64);
    let (says, _says) = mpsc::channel(1_024);
    let (reports, _reports) = mpsc::channel(1_024);
    let doors = Doors {
        stage,
        asks,
        says: Post::new("says", says),
        reports: Post::new("reports", reports),
    };
    let counters = Arc::new(Counters::default());
    let mut driver = Driver::new(port, engine, doors, Arc::clone(&counters));
    driver.cores = Cores::helped_by(helpers);
    let rooms: Vec<PeerId> = (0..ROOMS).map(|room| PeerId(room.into())).collect();
    let mut recordings = vec![];
    for room in 0..ROOMS {
        let peer = PeerId(room.into());
        driver.ask(
            PeerAsk::Admit {
                peer,
                seat: SeatId(room.into()),
                site: Some(SiteId(room)),
                carries: Carries::Room,
            },
            now,
        );
        let recording = Arc::new(Mutex::new(VecDeque::new()));
        connect(&mut driver, peer, Recorded(Arc::clone(&recording)), to, now);
        let slots = ScreenSlots {
            programme: 720,
            tiles: vec![720; usize::from(ROOMS)],
            ..ScreenSlots::default()
        };
        driver.ask(PeerAsk::Screen { peer, slots }, now);
        recordings.push(recording);
    }
    let mut took = Duration::ZERO;
    for round in 0..rounds {
        for (room, recording) in (0..).zip(&recordings) {
            record(room, round, &mut recording.lock().unwrap());
        }
        let began = Instant::now();
        forward_recorded(&mut driver, &rooms, now);
        took += began.elapsed();
    }
    assert_eq!(counters.send_drops.load(Ordering::Relaxed), 0);
    let meters = driver.peers.values_mut().map(|peer| &mut peer.meter);
    Done {
        forwarded: counters.forwarded.load(Ordering::Relaxed),
        sent: meters.map(|meter| meter.read(now).down_bps).sum(),
        took,
    }
}

#[tokio::test]
async fn a_crowd_that_is_shared_between_cores_leaves_whole() {
    let (alone, helped) = (workload(ROUNDS, 0), workload(ROUNDS, 3));
    assert!(alone.sent > 0 && alone.forwarded > CROWD * u64::from(ROUNDS));
    assert_eq!(
        (helped.forwarded, helped.sent),
        (alone.forwarded, alone.sent)
    );
}

/// Run by the test below, under callgrind; and by hand, for a profile.
#[tokio::test]
#[ignore = "the work that is measured, not a test"]
async fn measured_work() {
    println!("{COUNTED}{}", workload(ROUNDS, 0).forwarded);
}

/// `cargo test --workspace --lib -- --ignored --nocapture what_more_cores_bring`
#[tokio::test]
#[ignore = "a measurement, not a test"]
async fn what_more_cores_bring() {
    let helpers = std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1);
    for _ in 0..5 {
        for helpers in [0, helpers] {
            let done = workload(ROUNDS * 20, helpers);
            let each = done.took.as_secs_f64() * 1e6 / done.forwarded as f64;
            println!("{} cores: {each:.2} us a packet forwarded", helpers + 1);
        }
    }
}

#[test]
fn a_forwarded_packet_stays_within_its_budget_of_instructions() {
    let work = callgrind::measure("driver::budget::measured_work", "forward_recorded");
    let Some(work) = work else { return };
    // A picture to thirteen tiles and into twelve or more programmes, so the figure is of real work.
    assert!(work.counted > u64::from(ROUNDS) * 13 * 13 * 6);
    work.check(BUDGET);
}
