//! The loop itself, without clients: what is asked of it, and what it tells.

use super::TOO_MANY_TRIES;
use super::asks::ANSWERED;
use super::places::WATCHERS_MAX;
use super::{Doors, Driver};
use crate::counters::Counters;
use crate::engine::{Addresses, Engine};
use crate::peers::Down;
use crate::port::Port;
use crate::post::Post;
use diemcau_model::limits::{AUDIO_SLOTS, PICTURE_SLOTS};
use diemcau_model::{
    Carries, LinkReport, PeerAsk, PeerId, PeerSay, ScreenSlots, SeatId, Side, SiteId, Stage,
};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, watch};

/// How long anything may take on a busy machine before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);
const ROOM: PeerId = PeerId(100_000);

/// The other ends of a driver's channels.
struct World {
    _stage: watch::Sender<Stage>,
    asks: mpsc::Sender<PeerAsk>,
    says: mpsc::Receiver<PeerSay>,
    reports: mpsc::Receiver<LinkReport>,
    counters: Arc<Counters>,
    port: SocketAddr,
}

fn driver() -> (Driver, World) {
    let port = Port::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = port.local_addr().unwrap();
    let engine = Engine::new(Addresses(vec![address]), Instant::now()).unwrap();
    let (stage, stage_seen) = watch::channel(Stage::default());
    let (asks, inbox) = mpsc::channel(1_024);
    let (says_out, says) = mpsc::channel(4_096);
    let (reports_out, reports) = mpsc::channel(4_096);
    let doors = Doors {
        stage: stage_seen,
        asks: inbox,
        says: Post::new("says", says_out),
        reports: Post::new("reports", reports_out),
    };
    let counters = Arc::new(Counters::default());
    let driver = Driver::new(port, engine, doors, Arc::clone(&counters));
    let world = World {
        _stage: stage,
        asks,
        says,
        reports,
        counters,
        port: address,
    };
    (driver, world)
}

fn admit(peer: PeerId, seat: u32, carries: Carries) -> PeerAsk {
    PeerAsk::Admit {
        peer,
        seat: SeatId(seat),
        site: carries.endpoint().map(|_| SiteId(1)),
        carries,
    }
}

impl World {
    fn refusals(&mut self) -> Vec<PeerId> {
        let mut refused = vec![];
        while let Ok(say) = self.says.try_recv() {
            if let PeerSay::Failed { peer, side, .. } = say {
                assert_eq!(side, Side::Downlink);
                refused.push(peer);
            }
        }
        refused
    }
}

#[tokio::test]
async fn a_room_has_its_pictures_however_many_watch() {
    let (mut driver, mut world) = driver();
    let now = Instant::now();
    let watchers = WATCHERS_MAX as u64 + 100;
    for peer in (0..watchers).map(PeerId) {
        driver.ask(admit(peer, 1, Carries::Watch), now);
        driver.ask(PeerAsk::Listen { peer, sound: true }, now);
    }
    for (peer, carries) in [(ROOM, Carries::Room), (PeerId(200_000), Carries::Standby)] {
        driver.ask(admit(peer, 2, carries), now);
        driver.ask(PeerAsk::OpenDownlink { peer }, now);
    }
    assert_eq!(world.refusals(), []);
    let last = PeerId(watchers - 1);
    driver.ask(PeerAsk::OpenDownlink { peer: last }, now);
    assert_eq!(
        world.refusals(),
        [last],
        "there is a bound for those who watch"
    );
    driver.ask(PeerAsk::Leave { peer: PeerId(0) }, now);
    driver.ask(PeerAsk::OpenDownlink { peer: last }, now);
    assert_eq!(world.refusals(), [], "a place is free");
}

/// What an encoder offers that sends a sound.
const ENCODER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=setup:actpass\r\n\
    a=ice-ufrag:they\r\na=ice-pwd:a-password-of-an-encoder\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n\
    a=rtpmap:111 opus/48000/2\r\n";

#[tokio::test]
async fn a_room_that_joins_without_end_has_four_uplinks_in_ten_seconds() {
    let (mut driver, mut world) = driver();
    let start = Instant::now();
    let mut join = |peer, at| {
        driver.ask(admit(PeerId(peer), 2, Carries::Room), at);
        let sdp = ENCODER.to_owned();
        let peer = PeerId(peer);
        driver.ask(PeerAsk::UplinkOffer { peer, sdp }, at);
        driver.ask(PeerAsk::Leave { peer }, at);
        match world.says.try_recv() {
            Ok(PeerSay::Answer { .. }) => true,
            Ok(PeerSay::Failed { reason, .. }) if reason == TOO_MANY_TRIES => false,
            other => panic!("{other:?}"),
        }
    };
    let at = |seconds| start + Duration::from_secs(seconds);
    let made = (0..200).filter(|peer| join(*peer, at(0))).count();
    assert_eq!(made, 4);
    assert!(!join(200, at(9)) && join(201, at(10)), "and then again");
}

/// What a browser answers that takes every slot, of one certificate or another.
fn answer(certificate: u8) -> String {
    let hex = vec![format!("{certificate:02X}"); 32].join(":");
    let part = |slot| {
        let kind = match slot < PICTURE_SLOTS {
            true => "m=video 9 UDP/TLS/RTP/SAVPF 96",
            false => "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        };
        format!("{kind}\r\na=mid:{slot}\r\n")
    };
    let parts: String = (0..PICTURE_SLOTS + AUDIO_SLOTS).map(part).collect();
    format!(
        "v=0\r\na=fingerprint:sha-256 {hex}\r\na=ice-ufrag:they\r\na=ice-pwd:a-password-of-a-browser\r\n\
         a=setup:active\r\n{parts}"
    )
}

/// The reasons of the refusals of so many answers at once, behind an offer.
fn refused_answers(driver: &mut Driver, world: &mut World, count: u8) -> Vec<String> {
    for certificate in 0..count {
        let sdp = answer(certificate);
        driver.ask(PeerAsk::DownlinkAnswer { peer: ROOM, sdp }, Instant::now());
    }
    let says = std::iter::from_fn(|| world.says.try_recv().ok());
    let reasons = says.filter_map(|say| match say {
        PeerSay::Failed { reason, .. } => Some(reason),
        PeerSay::Offer { .. } => None,
        PeerSay::Answer { .. } | PeerSay::Slots { .. } => panic!("{say:?}"),
    });
    reasons.collect()
}

#[tokio::test]
async fn who_answers_an_offer_without_end_is_read_four_times_and_what_is_there_goes_on() {
    let (mut driver, mut world) = driver();
    let now = Instant::now();
    driver.ask(admit(ROOM, 2, Carries::Room), now);
    driver.ask(PeerAsk::OpenDownlink { peer: ROOM }, now);
    let refused = refused_answers(&mut driver, &mut world, 200);
    assert_eq!(refused, [ANSWERED]);
    driver.ask(PeerAsk::OpenDownlink { peer: ROOM }, now);
    assert_eq!(refused_answers(&mut driver, &mut world, 1), [""; 0]);

    let at = SocketAddr::from(([127, 0, 0, 1], 9));
    let mut down = Down::new(driver.engine.open_downlink(at).unwrap(), now);
    down.line.connected = true;
    driver.peer(ROOM, now).unwrap().down = Some(down);
    assert_eq!(refused_answers(&mut driver, &mut world, 1), [ANSWERED]);
    assert!(driver.peer(ROOM, now).unwrap().down.is_some());
}

#[tokio::test]
async fn who_made_its_downlink_itself_has_nothing_to_answer() {
    let (mut driver, mut world) = driver();
    let now = Instant::now();
    driver.ask(admit(ROOM, 2, Carries::Room), now);
    let sdp = ENCODER.replace("sendonly", "recvonly");
    driver.ask(PeerAsk::DownlinkOffer { peer: ROOM, sdp }, now);
    let made = world.says.try_recv();
    assert!(matches!(made, Ok(PeerSay::Answer { .. })), "{made:?}");
    assert_eq!(refused_answers(&mut driver, &mut world, 1), [ANSWERED]);
}

#[tokio::test]
async fn a_leg_that_refused_a_handshake_says_so_when_nobody_else_has_come() {
    let (mut driver, mut world) = driver();
    let now = Instant::now();
    driver.ask(admit(ROOM, 2, Carries::Room), now);
    let sdp = ENCODER.to_owned();
    driver.ask(PeerAsk::UplinkOffer { peer: ROOM, sdp }, now);
    driver.refused((ROOM, Side::Uplink), "nothing in common".to_owned());
    for seconds in 0..20 {
        driver.look_after_links(now + Duration::from_secs(seconds));
    }
    let answer = world.says.try_recv();
    assert!(matches!(answer, Ok(PeerSay::Answer { .. })), "{answer:?}");
    assert!(
        world.says.try_recv().is_err(),
        "it may have been a stranger's"
    );
    driver.look_after_links(now + Duration::from_secs(20));
    match world.says.try_recv() {
        Ok(PeerSay::Failed { reason, .. }) => {
            assert_eq!(reason, "it did not connect in time: nothing in common");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_is_refused_without_end_hears_it_once_a_second_and_the_last_time_too() {
    let (mut driver, mut world) = driver();
    let start = Instant::now();
    driver.ask(admit(ROOM, 2, Carries::Room), start);
    let mut told = |ms: u64, asks: usize| {
        let now = start + Duration::from_millis(ms);
        for _ in 0..asks {
            driver.ask(PeerAsk::OpenDownlink { peer: ROOM }, now);
        }
        driver.look_after_links(now);
        world.refusals().len()
    };
    assert_eq!(told(0, 5), 1, "the first of all at once");
    for second in 0..3 {
        let begins = second * 1_000;
        for ms in (20..1_000).step_by(20) {
            assert_eq!(told(begins + ms, 1), 0, "{second} s {ms} ms");
        }
        assert_eq!(told(begins + 1_000, 0), 1, "{second} s");
    }
    assert_eq!(told(3_999, 0), 0, "nothing was refused since");
    assert_eq!(told(4_000, 1), 1, "a page asks again after a second");
    // What it may have again was not refused.
    assert_eq!(told(4_500, 1), 0);
    assert_eq!(told(10_000, 1), 0);
    assert_eq!(told(12_000, 0), 0);
}

#[tokio::test]
async fn what_is_refused_takes_no_room_from_what_must_arrive_and_is_told_when_there_is_some() {
    let (mut driver, mut world) = driver();
    let now = Instant::now();
    let ask = |driver: &mut Driver, peer| {
        driver.ask(PeerAsk::OpenDownlink { peer: PeerId(peer) }, now);
    };
    (0..5_000).for_each(|peer| ask(&mut driver, peer));
    driver.ask(admit(ROOM, 2, Carries::Room), now);
    driver.ask(PeerAsk::OpenDownlink { peer: ROOM }, now);
    (5_000..10_000).for_each(|peer| ask(&mut driver, peer));
    let (mut offers, mut refused) = (0, 0);
    for turn in 0..10 {
        while let Ok(say) = world.says.try_recv() {
            match say {
                PeerSay::Offer { peer: ROOM, .. } => offers += 1,
                PeerSay::Failed { .. } => refused += 1,
                PeerSay::Slots { .. } => {}
                PeerSay::Offer { .. } | PeerSay::Answer { .. } => panic!("{say:?}"),
            }
        }
        driver.settle(now);
        driver.look_after_links(now + Duration::from_millis(turn));
    }
    assert_eq!((offers, refused), (1, 10_000));
}

#[tokio::test]
async fn packets_and_the_time_have_their_turn_though_somebody_asks_without_end() {
    let (driver, mut world) = driver();
    world.asks.try_send(admit(ROOM, 2, Carries::Room)).unwrap();
    world
        .asks
        .try_send(PeerAsk::OpenDownlink { peer: ROOM })
        .unwrap();
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.send_to(b"knock", world.port).unwrap();

    let start = Instant::now();
    let mut running = pin!(driver.run());
    let (mut height, mut read, mut told) = (0, false, false);
    while !(read && told) {
        assert!(start.elapsed() < PATIENCE, "read {read}, told {told}");
        // Never the same, and as many as there is room for: the channel is never empty.
        while world.asks.capacity() > 0 {
            height = height % 1_000 + 1;
            let slots = ScreenSlots {
                programme: height,
                ..ScreenSlots::default()
            };
            let ask = PeerAsk::Screen { peer: ROOM, slots };
            world.asks.try_send(ask).unwrap();
        }
        std::future::poll_fn(|context| {
            assert!(running.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        tokio::task::yield_now().await;
        read |= world.counters.datagrams_in.load(Ordering::Relaxed) > 0;
        while let Ok(report) = world.reports.try_recv() {
            told |= matches!(report, LinkReport::Stats { peer: ROOM, .. });
        }
    }
}

#[tokio::test]
async fn a_connection_over_tcp_is_a_clients_from_its_legs_answer_to_the_legs_end() {
    let (mut driver, world) = driver();
    let now = Instant::now();
    let to = (world.port.ip(), driver.port.tcp_port());
    let mut client = tokio::net::TcpStream::connect(to).await.unwrap();
    client.write_all(&[0, 1, 7]).await.unwrap();
    let mut at = None;
    while at.is_none() {
        driver.port.readable().await.unwrap();
        let came = driver.port.receive(|_, from| at = Some(from.client));
        came.unwrap();
    }
    let at = at.unwrap();
    driver.ask(admit(ROOM, 2, Carries::Room), now);
    let mut down = Down::new(driver.engine.open_downlink(at).unwrap(), now);
    (down.line.asked_by_stun, down.line.wet) = (true, true);
    driver.peer(ROOM, now).unwrap().down = Some(down);
    driver.wet.push((ROOM, Side::Downlink));
    assert_eq!(driver.port.is_kept(at), Some(false));
    driver.settle(now);
    assert_eq!(driver.port.is_kept(at), Some(true));
    driver.ask(PeerAsk::Leave { peer: ROOM }, now);
    assert_eq!(driver.port.is_kept(at), Some(false));
}

#[tokio::test]
async fn an_address_is_kept_for_whoever_is_heard_there_and_keys_show_more_than_a_check() {
    const OTHER: PeerId = PeerId(200_000);
    let (mut driver, world) = driver();
    let (now, at) = (Instant::now(), SocketAddr::from(([127, 0, 0, 1], 9)));
    let mut answers = |peer, has_keys| {
        driver.ask(admit(peer, 2, Carries::Room), now);
        let mut down = Down::new(driver.engine.open_downlink(at).unwrap(), now);
        (down.line.asked_by_stun, down.line.wet) = (true, true);
        down.line.connected = has_keys;
        driver.peer(peer, now).unwrap().down = Some(down);
        driver.wet.push((peer, Side::Downlink));
        driver.settle(now);
        driver.demux.owner(at).map(|owner| owner.0)
    };
    assert_eq!(answers(ROOM, false), Some(ROOM));
    assert_eq!(answers(OTHER, false), Some(ROOM), "it only writes it");
    assert_eq!(answers(OTHER, true), Some(OTHER), "it is there");
    assert_eq!(answers(ROOM, false), Some(OTHER));
    assert_eq!(answers(ROOM, true), Some(OTHER));
    drop(world);
}

#[tokio::test]
async fn who_says_what_is_known_already_makes_nobody_work() {
    let (mut driver, _world) = driver();
    let now = Instant::now();
    driver.ask(admit(ROOM, 2, Carries::Room), now);
    let slots = ScreenSlots {
        programme: 720,
        ..ScreenSlots::default()
    };
    for ask in [
        PeerAsk::Screen { peer: ROOM, slots },
        PeerAsk::Listen {
            peer: ROOM,
            sound: false,
        },
    ] {
        for changes in [true, false] {
            driver.ask(ask.clone(), now);
            assert_eq!(driver.dirty, changes, "{ask:?}");
            driver.settle(now);
        }
    }
}
