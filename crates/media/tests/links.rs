//! Links come, go, lose packets and lie.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails should stop here"
)]

mod support;

use diemcau_model::limits::PICTURE_SLOTS;
use diemcau_model::{
    Carries, EndpointKind, LinkReport, LinkStep, PeerAsk, PeerId, PeerSay, Side, SiteId,
};
use diemcau_probe::{Probe, ProbeOptions, payload};
use std::time::{Duration, Instant};
use support::keyed::{Keyed, OPUS, Out, Profile, Setup};
use support::{Hall, PATIENCE};

/// Generous: two of the ways to the client and back, and the handshake, on a busy machine.
const CONNECT_BOUND: Duration = Duration::from_millis(150);

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_description_fails_with_a_reason_and_disturbs_nothing() {
    let mut hall = Hall::with_rooms(2).await;
    hall.grant(0);
    let good = hall.probe(0).uplink_offer().await;
    let bad = [
        String::new(),
        "garbage".into(),
        "v=0\r\nm=audio\r\n".into(),
        format!("v=0\r\n{}", "a=x\r\n".repeat(20_000)),
        good.replace("fingerprint", "footprint"),
        good.replace("ice-ufrag", "ice-nothing"),
        good.replace("m=video", "m=application"),
        good.replace("opus", "unknown").replace("VP8", "unknown"),
        good[..good.len() / 2].to_owned(),
    ];
    for (number, sdp) in (100..).zip(bad) {
        hall.admit(number, Some(1), Carries::Room).await;
        hall.ask(PeerAsk::UplinkOffer {
            peer: PeerId(number),
            sdp: sdp.clone(),
        })
        .await;
        hall.ask(PeerAsk::DownlinkAnswer {
            peer: PeerId(77),
            sdp,
        })
        .await;
        hall.failed(77, Side::Downlink).await;
        assert!(!hall.failed(number, Side::Uplink).await.is_empty());
    }
    hall.ask(PeerAsk::UplinkOffer {
        peer: PeerId(0),
        sdp: "v=0\r\nnonsense".into(),
    })
    .await;
    hall.failed(0, Side::Uplink).await;
    let before = hall.sounds(1, 0);
    hall.until("the uplink that is there goes on", |hall| {
        hall.sounds(1, 0) > before + 10
    })
    .await;

    hall.ask(PeerAsk::OpenDownlink { peer: PeerId(1) }).await;
    hall.said(|say| matches!(say, PeerSay::Offer { peer, .. } if peer.0 == 1).then_some(()))
        .await;
    hall.ask(PeerAsk::DownlinkAnswer {
        peer: PeerId(1),
        sdp: "v=0\r\nnonsense".into(),
    })
    .await;
    assert!(!hall.failed(1, Side::Downlink).await.is_empty());
    hall.connect_downlink(1).await;
    hall.connect_uplink(0).await;
    let before = hall.sounds(1, 0);
    hall.until("room 1 hears again", |hall| hall.sounds(1, 0) > before)
        .await;
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_checks_before_its_answer_is_here_connects_as_soon_as_it_is() {
    let mut hall = Hall::open().await;
    let mut took = vec![];
    for peer in 0..10 {
        hall.admit(peer, None, Carries::Watch).await;
        hall.peers
            .insert(PeerId(peer), Probe::start(ProbeOptions::new(0)));
        let sdp = hall.downlink_answer(peer).await;
        // Its checks come meanwhile, and each next one later.
        tokio::time::sleep(Duration::from_millis(400)).await;
        let answered = Instant::now();
        hall.accept_downlink(peer, sdp).await;
        took.push(answered.elapsed());
    }
    took.sort();
    println!("answer to connection: p50 {:?} max {:?}", took[5], took[9]);
    assert!(took[5] < CONNECT_BOUND, "{took:?}");
    hall.close().await;
}

/// The same description, naming a certificate that nobody has.
fn with_another_certificate(sdp: &str) -> String {
    let other = |digit| match digit {
        ':' => ':',
        '0' => '1',
        _ => '0',
    };
    let line = |line: &str| match line.strip_prefix("a=fingerprint:sha-256 ") {
        Some(hex) => {
            let hex: String = hex.chars().map(other).collect();
            format!("a=fingerprint:sha-256 {hex}\r\n")
        }
        None => format!("{line}\r\n"),
    };
    sdp.lines().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_the_description_does_not_name_gets_no_connection() {
    const PEER: u64 = 9;
    let mut hall = Hall::with_rooms(2).await;
    hall.admit(PEER, Some(1), Carries::Standby).await;
    hall.peers
        .insert(PeerId(PEER), Probe::start(ProbeOptions::new(9)));
    let offer = hall.probe(PEER).uplink_offer().await;
    let forged = with_another_certificate(&offer);
    assert_ne!(forged, offer);
    hall.ask(PeerAsk::UplinkOffer {
        peer: PeerId(PEER),
        sdp: forged,
    })
    .await;
    let answer = hall
        .said(|say| match say {
            PeerSay::Answer { peer, sdp, .. } if peer.0 == PEER => Some(sdp.clone()),
            _ => None,
        })
        .await;
    hall.probe(PEER).uplink_answer(answer);
    let answer = hall.downlink_answer(PEER).await;
    hall.ask(PeerAsk::DownlinkAnswer {
        peer: PeerId(PEER),
        sdp: with_another_certificate(&answer),
    })
    .await;
    // Others connect in far less time than these packets take.
    hall.while_sending(0, 300).await;
    hall.take_mail();
    let is_up =
        |report: &LinkReport| matches!(report, LinkReport::Up { peer, .. } if peer.0 == PEER);
    assert!(!hall.reported.iter().any(is_up), "the uplink was taken");
    assert!(
        !hall.seen(PEER).downlink_connected,
        "the downlink was opened"
    );

    // Beside it: with its own certificate the same client comes in.
    hall.connect_uplink(PEER).await;
    hall.connect_downlink(PEER).await;
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_the_handshake_is_opened_one() {
    is_heard(Setup::Passive, Profile::Gcm).await;
}

/// As encoders, of which some know nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn who_knows_only_the_profile_that_all_must_know_is_heard() {
    for setup in [Setup::Active, Setup::Passive] {
        is_heard(setup, Profile::Cm).await;
    }
}

async fn is_heard(setup: Setup, profile: Profile) {
    const PEER: u64 = 9;
    let mut hall = Hall::with_rooms(1).await;
    let mut peer = Keyed::enter_with(&mut hall, PEER, 9, setup, profile).await;
    hall.set_stage(|stage| {
        stage.carriers.insert(SiteId(9), EndpointKind::Room);
    });
    hall.grant(9);
    let start = Instant::now();
    let mut number = 0;
    while hall.sounds(0, 9) < 10 {
        assert!(start.elapsed() < PATIENCE, "it is not heard");
        number += 1;
        let sound = Out {
            ssrc: 1,
            seq: number,
            payload_type: OPUS,
            extensions: &[],
            payload: &payload::audio(9, number.into()),
        };
        peer.send(&sound.write()).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_client_is_noticed_long_before_its_connection_is_given_up() {
    const WALL: u64 = 9;
    let mut hall = Hall::with_rooms(2).await;
    hall.enter(WALL, 0, Carries::Watch, ProbeOptions::new(9))
        .await;
    hall.screen(WALL, 720, &[]).await;
    hall.grant(1);
    hall.until("the wall shows the speaker", |hall| {
        hall.seen(WALL).tally(0, 1, 2).is_some()
    })
    .await;
    hall.peers.remove(&PeerId(WALL));
    hall.said(|say| {
        let PeerSay::Slots { peer, step, .. } = say else {
            return None;
        };
        (peer.0 == WALL && *step == LinkStep::ControlOnly).then_some(())
    })
    .await;
    let is_given_up = |say: &PeerSay| matches!(say, PeerSay::Failed { peer, .. } if peer.0 == WALL);
    assert!(!hall.heard.iter().any(is_given_up), "the cable may be back");
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_offer_replaces_the_uplink() {
    let mut hall = Hall::with_rooms(2).await;
    hall.grant(0);
    hall.screen(1, 720, &[]).await;
    for _ in 0..2 {
        hall.connect_uplink(0).await;
        hall.reported(|report| matches!(report, LinkReport::Down { peer, .. } if peer.0 == 0))
            .await;
        let before = (hall.sounds(1, 0), hall.seen(1).packets(0, 0));
        hall.until("room 1 hears and sees the new uplink", |hall| {
            hall.sounds(1, 0) > before.0 + 10 && hall.seen(1).packets(0, 0) > before.1 + 10
        })
        .await;
    }
    let seen = hall.seen(1);
    assert_eq!(seen.slots[&0].picture_jumps, 0);
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_for_connections_without_end_keeps_the_one_it_has() {
    let mut hall = Hall::with_rooms(2).await;
    hall.grant(0);
    // Each has one already; three more may be made.
    for _ in 0..3 {
        hall.connect_uplink(0).await;
        hall.connect_downlink(1).await;
    }
    for _ in 0..20 {
        let sdp = hall.probe(0).uplink_offer().await;
        hall.ask(PeerAsk::UplinkOffer {
            peer: PeerId(0),
            sdp,
        })
        .await;
        hall.ask(PeerAsk::OpenDownlink { peer: PeerId(1) }).await;
    }
    assert!(hall.failed(0, Side::Uplink).await.contains("too many"));
    assert!(hall.failed(1, Side::Downlink).await.contains("too many"));
    let before = hall.sounds(1, 0);
    hall.until("room 1 still hears room 0", |hall| {
        hall.sounds(1, 0) > before + 20
    })
    .await;
    hall.connect_downlink(0).await;
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_stops_everything_both_ways() {
    let mut hall = Hall::with_rooms(3).await;
    hall.grant(0);
    for room in 0..3 {
        hall.screen(room, 720, &[180, 180, 180]).await;
    }
    hall.until("all is well", |hall| {
        hall.sounds(1, 0) > 10 && hall.sounds(2, 0) > 10 && hall.seen(2).packets(2, 1) > 10
    })
    .await;
    hall.ask(PeerAsk::Leave { peer: PeerId(0) }).await;
    hall.ask(PeerAsk::Leave { peer: PeerId(1) }).await;
    for room in [0, 1] {
        hall.reported(|report| matches!(report, LinkReport::Down { peer, .. } if peer.0 == room))
            .await;
    }
    hall.while_sending(2, 40).await;
    let totals = |hall: &Hall| {
        [0, 1].map(|room| {
            hall.seen(room)
                .slots
                .values()
                .map(|slot| slot.packets)
                .sum::<u64>()
        })
    };
    let before = (totals(&hall), hall.sounds(2, 0), hall.seen(2).packets(2, 1));
    let own = hall.seen(2).packets(3, 2);
    hall.while_sending(2, 200).await;
    assert_eq!(
        (totals(&hall), hall.sounds(2, 0), hall.seen(2).packets(2, 1)),
        before
    );
    assert!(hall.seen(2).packets(3, 2) > own, "room 2 still sees itself");
    assert_eq!(hall.count(|counters| &counters.peers), 1);
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulled_cable_is_noticed() {
    let mut hall = Hall::with_rooms(2).await;
    hall.peers
        .insert(PeerId(0), Probe::start(ProbeOptions::new(0)));
    hall.reported(|report| matches!(report, LinkReport::Down { peer, .. } if peer.0 == 0))
        .await;
    assert!(hall.failed(0, Side::Uplink).await.contains("silent"));
    assert!(
        !hall
            .reported
            .iter()
            .any(|report| matches!(report, LinkReport::Down { .. }))
    );
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_the_port_disturbs_nobody() {
    let mut hall = Hall::with_rooms(2).await;
    hall.grant(0);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut state = 1_u32;
    for length in 0..2_000_usize {
        let mut datagram: Vec<u8> = (0..length % 1_400)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        if let [first, ..] = datagram.as_mut_slice() {
            *first = [0, 1, 22, 128, 0x90, 255][length % 6];
        }
        if datagram.len() > 20 && length % 2 == 0 {
            datagram[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
        }
        socket.send_to(&datagram, hall.media.local_addr()).unwrap();
    }
    let before = hall.sounds(1, 0);
    hall.until("the garbage is counted and the sound goes on", |hall| {
        hall.count(|counters| &counters.malformed) > 100 && hall.sounds(1, 0) > before + 20
    })
    .await;
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lossy_uplink_is_asked_for_each_packet_a_few_times_at_most() {
    let mut hall = Hall::with_rooms(1).await;
    let options = ProbeOptions {
        uplink_loss: 50,
        ..ProbeOptions::new(7)
    };
    hall.enter(7, 7, Carries::Room, options).await;
    hall.until("enough was lost", |hall| {
        hall.seen(7).lost_on_the_way_out >= 50 && hall.seen(7).nacks > 0
    })
    .await;
    let seen = hall.seen(7);
    println!(
        "{} sent, {} lost, {} asked for again",
        seen.sent, seen.lost_on_the_way_out, seen.nacks
    );
    // A synthetic peer has no packet to give again without RTX, so every loss is asked for as often as we ever do.
    assert!(seen.nacks <= seen.lost_on_the_way_out * 3 + 10, "{seen:?}");
    let loss = hall
        .reported(|report| matches!(report, LinkReport::Stats { peer, stats, .. } if peer.0 == 7 && stats.loss_percent > 0.5))
        .await;
    println!("{loss:?}");
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_whose_address_changes_is_heard_on_and_asked_at_its_new_one() {
    let mut hall = Hall::with_rooms(1).await;
    hall.admit(7, Some(7), Carries::Room).await;
    let options = ProbeOptions {
        uplink_loss: 20,
        ..ProbeOptions::new(7)
    };
    hall.peers.insert(PeerId(7), Probe::start(options));
    let nat = hall.connect_uplink_behind_a_router(7).await;
    hall.set_stage(|stage| {
        stage.carriers.insert(SiteId(7), EndpointKind::Room);
    });
    hall.grant(7);
    hall.screen(0, 720, &[]).await;
    for _ in 0..2 {
        hall.until("room 0 hears and sees it", |hall| {
            hall.sounds(0, 7) > 20 && hall.seen(0).packets(0, 7) > 20
        })
        .await;
        nat.renumber();
        // What was on its way at this moment arrives in far less time.
        hall.while_sending(7, 50).await;
        let before = (hall.sounds(0, 7), hall.seen(0).packets(0, 7));
        let asked = |hall: &Hall| {
            let seen = hall.seen(7);
            (seen.nacks, seen.key_frames_asked.values().sum::<u32>())
        };
        let asked_before = asked(&hall);
        hall.until("room 0 hears and sees it again", |hall| {
            hall.sounds(0, 7) > before.0 + 20 && hall.seen(0).packets(0, 7) > before.1 + 20
        })
        .await;
        hall.probe(0).wish_key_frame(0);
        hall.until("it is asked for lost packets and a key frame", |hall| {
            let asked = asked(hall);
            asked.0 > asked_before.0 && asked.1 > asked_before.1
        })
        .await;
    }
    let is_down =
        |report: &LinkReport| matches!(report, LinkReport::Down { peer, .. } if peer.0 == 7);
    assert!(!hall.reported.iter().any(is_down), "it was never away");
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lossy_downlink_is_repaired() {
    let mut hall = Hall::with_rooms(1).await;
    let options = ProbeOptions {
        downlink_loss: 50,
        ..ProbeOptions::new(7)
    };
    hall.enter(7, 7, Carries::Watch, options).await;
    hall.screen(7, 0, &[720]).await;
    hall.until("enough was lost and nearly all of it came again", |hall| {
        let seen = hall.seen(7);
        let missing = seen
            .slots
            .get(&1)
            .map_or(0, |slot| slot.missing.len() as u64);
        seen.lost_on_the_way_in >= 25 && missing * 4 < seen.lost_on_the_way_in
    })
    .await;
    let told = |hall: &Hall| -> Vec<f32> {
        let stats = hall.reported.iter().filter_map(|report| match report {
            LinkReport::Stats { peer, stats, .. } if peer.0 == 7 => Some(stats),
            _ => None,
        });
        let lossy = stats.filter(|stats| stats.loss_percent == 0.0);
        lossy.filter_map(|stats| stats.down_loss_percent).collect()
    };
    hall.until("its loss is told for ten seconds", |hall| {
        told(hall).len() >= 10
    })
    .await;
    let told = told(&hall);
    let mean = told.iter().sum::<f32>() / told.len() as f32;
    assert!(
        (3.0..=7.0).contains(&mean),
        "what was sent again was lost: {told:?}"
    );
    let seen = hall.seen(7);
    println!(
        "{} lost, {} still missing",
        seen.lost_on_the_way_in,
        seen.slots[&1].missing.len()
    );
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_a_room_is_that_is_sent_nothing_is_known() {
    let mut hall = Hall::with_rooms(2).await;
    let report = hall.reported(|report| {
        matches!(report, LinkReport::Stats { peer, stats, .. } if peer.0 == 1 && stats.rtt_ms.is_some())
    });
    report.await;
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_an_encoder_is_that_receives_nothing_is_known() {
    let mut hall = Hall::open().await;
    hall.admit(7, Some(7), Carries::Room).await;
    hall.peers
        .insert(PeerId(7), Probe::start(ProbeOptions::new(7)));
    hall.connect_uplink(7).await;
    hall.reported(|report| {
        matches!(report, LinkReport::Stats { peer, stats, .. } if peer.0 == 7 && stats.rtt_ms.is_some())
    })
    .await;
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_blocks_udp_carries_sound_and_picture_both_ways_over_tcp() {
    let mut hall = Hall::with_rooms(1).await;
    hall.no_udp = true;
    hall.enter(7, 7, Carries::Room, ProbeOptions::new(7)).await;
    hall.set_stage(|stage| {
        stage.carriers.insert(SiteId(7), EndpointKind::Room);
        stage.tiles = vec![SiteId(0), SiteId(7)];
    });
    hall.screen(7, 0, &[180]).await;
    hall.screen(0, 0, &[0, 180]).await;
    hall.grant(7);
    hall.until("the hall hears the room behind the wall", |hall| {
        hall.sounds(0, 7) > 50
    })
    .await;
    hall.grant(0);
    hall.until("and that room hears the hall", |hall| {
        hall.sounds(7, 0) > 50
    })
    .await;
    hall.until("it has the picture too", |hall| {
        hall.seen(7).packets_in(0..PICTURE_SLOTS, 0) > 50
    })
    .await;
    hall.until("the figures say who is behind the wall", |hall| {
        let over = [
            hall.count(|counters| &counters.links_udp),
            hall.count(|counters| &counters.links_tcp),
        ];
        over == [2, 2]
    })
    .await;
    hall.close().await;
}
