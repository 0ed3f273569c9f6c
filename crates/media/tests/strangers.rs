//! Datagrams of strangers: no answer to who does not know a leg's name and password, and never a longer one than the
//! question. The port is no amplifier.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails should stop here"
)]

mod support;

use diemcau_model::{Carries, EndpointKind, LinkReport, PeerAsk, PeerId, PeerSay, SiteId};
use diemcau_probe::{Probe, ProbeOptions, payload};
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use support::keyed::{Keyed, OPUS, Out, Setup};
use support::{Hall, PATIENCE};
use tokio::{net::UdpSocket, time::timeout};

const PEER: PeerId = PeerId(9);
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const SUCCESS: [u8; 2] = [0x01, 0x01];

/// What opens a leg: the names of both ends, and the server's password.
struct Secrets {
    user: String,
    password: String,
    answer: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_no_answer_and_who_knows_the_password_gets_a_short_one() {
    let mut hall = Hall::with_rooms(2).await;
    hall.grant(0);
    let Secrets { user, password, .. } = leg(&mut hall).await;
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    stranger.connect(hall.media.local_addr()).await.unwrap();

    let theirs = user.split_once(':').unwrap().1;
    for (n, unanswered) in [
        binding(Some(&format!("nobody:{theirs}")), Some(&password), 1),
        binding(Some(&user), Some("not the password"), 2),
        binding(Some(&user), None, 3),
        binding(None, None, 4),
        // A DTLS ClientHello, whose answer would be many times its size, and media.
        [&[22, 254, 253][..], &[0; 10], &[1; 180]].concat(),
        [&[0x80, 111][..], &[7; 60]].concat(),
        [&[0x80, 200][..], &[7; 26]].concat(),
        vec![],
        vec![0xff; 1_200],
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(
            stranger.send(&unanswered).await.unwrap(),
            unanswered.len(),
            "{n}"
        );
    }
    // Datagrams of one socket to one port are read in order: the first answer is the first to anything.
    let id = 5;
    let request = binding(Some(&user), Some(&password), id);
    stranger.send(&request).await.unwrap();
    let mut answer = [0; 2_000];
    let received = timeout(PATIENCE, stranger.recv(&mut answer)).await.unwrap();
    let answer = &answer[..received.unwrap()];
    assert_eq!(answer[..2], SUCCESS);
    assert_eq!(answer[8..20], [id; 12], "something else was answered");
    assert!(
        answer.len() <= request.len(),
        "{} to {}",
        answer.len(),
        request.len()
    );

    // The rooms hear each other on.
    let before = hall.sounds(1, 0);
    hall.until("room 1 hears room 0", |hall| {
        hall.sounds(1, 0) > before + 10
    })
    .await;
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_repeats_a_check_of_a_client_from_many_addresses_does_not_drive_it_out() {
    let mut hall = Hall::open().await;
    let secrets = leg(&mut hall).await;
    hall.probe(PEER.0).uplink_answer(secrets.answer);
    hall.reported(|report| matches!(report, LinkReport::Up { peer: PEER, .. }))
        .await;
    let check = binding(Some(&secrets.user), Some(&secrets.password), 7);
    // One more than the addresses that are kept.
    for _ in 0..9 {
        let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        stranger.connect(hall.media.local_addr()).await.unwrap();
        stranger.send(&check).await.unwrap();
        let answer = timeout(PATIENCE, stranger.recv(&mut [0; 2_000])).await;
        answer.expect("a genuine check is answered").unwrap();
    }
    let of_nobody = |hall: &Hall| hall.count(|counters| &counters.malformed);
    let before = of_nobody(&hall);
    hall.while_sending(PEER.0, 200).await;
    assert_eq!(
        of_nobody(&hall),
        before,
        "its packets are still known as its"
    );
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_a_speakers_address_as_its_own_does_not_silence_it() {
    const SPEAKER: u16 = 8;
    let mut hall = Hall::with_rooms(1).await;
    let mut speaker = Keyed::enter(&mut hall, SPEAKER.into(), SPEAKER, Setup::Active).await;
    hall.set_stage(|stage| {
        stage.carriers.insert(SiteId(SPEAKER), EndpointKind::Room);
    });
    hall.grant(SPEAKER);
    let secrets = leg(&mut hall).await;
    let check = binding(Some(&secrets.user), Some(&secrets.password), 7);
    let start = Instant::now();
    let mut number = 0;
    while hall.sounds(0, SPEAKER) < 100 {
        assert!(start.elapsed() < PATIENCE, "it is not heard");
        number += 1;
        let sound = Out {
            ssrc: 1,
            seq: number,
            payload_type: OPUS,
            extensions: &[],
            payload: &payload::audio(SPEAKER, number.into()),
        };
        speaker.send(&sound.write()).await;
        if number.is_multiple_of(10) {
            speaker.socket.send(&check).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_is_answered_from_the_address_that_was_asked_also_in_turns() {
    let ours = [2, 3].map(|last| IpAddr::from([127, 0, 0, last]));
    let mut hall = Hall::on(&ours).await;
    let Secrets { user, password, .. } = leg(&mut hall).await;
    let port = hall.media.local_addr().port();
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for (id, place) in (1..).zip([0, 1, 0, 1, 1, 0]) {
        let asked = SocketAddr::new(ours[place], port);
        let check = binding(Some(&user), Some(&password), id);
        client.send_to(&check, asked).await.unwrap();
        let mut answer = [0; 2_000];
        let came = timeout(PATIENCE, client.recv_from(&mut answer)).await;
        assert_eq!(came.unwrap().unwrap().1, asked, "the {id}th");
        assert_eq!((&answer[..2], answer[8]), (&SUCCESS[..], id));
    }
    hall.close().await;
}

/// A further peer's uplink, described and not connected.
async fn leg(hall: &mut Hall) -> Secrets {
    hall.admit(PEER.0, Some(1), Carries::Standby).await;
    hall.peers.insert(PEER, Probe::start(ProbeOptions::new(1)));
    let offer = hall.probe(PEER.0).uplink_offer().await;
    hall.ask(PeerAsk::UplinkOffer {
        peer: PEER,
        sdp: offer.clone(),
    })
    .await;
    let answer = hall
        .said(|say| match say {
            PeerSay::Answer {
                peer: PEER, sdp, ..
            } => Some(sdp.clone()),
            _ => None,
        })
        .await;
    let user = format!(
        "{}:{}",
        line(&answer, "a=ice-ufrag:"),
        line(&offer, "a=ice-ufrag:")
    );
    let password = line(&answer, "a=ice-pwd:").to_owned();
    Secrets {
        user,
        password,
        answer,
    }
}

fn line<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp.lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap()
        .trim()
}

/// A check of connectivity (RFC 8445, section 7.1; RFC 8489, section 14).
fn binding(user: Option<&str>, password: Option<&str>, id: u8) -> Vec<u8> {
    let mut stun = vec![0, 1, 0, 0];
    stun.extend(COOKIE);
    stun.extend([id; 12]);
    if let Some(user) = user {
        attribute(&mut stun, 0x0006, user.as_bytes());
    }
    attribute(&mut stun, 0x0024, &0x6e00_1eff_u32.to_be_bytes());
    attribute(&mut stun, 0x802a, &1_u64.to_be_bytes());
    if let Some(password) = password {
        // The length that is signed contains the signature.
        set_length(&mut stun, 24);
        let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let signature = sign(&key, &stun);
        attribute(&mut stun, 0x0008, signature.as_ref());
    }
    set_length(&mut stun, 8);
    let fingerprint = crc32(&stun) ^ 0x5354_554e;
    attribute(&mut stun, 0x8028, &fingerprint.to_be_bytes());
    stun
}

fn attribute(stun: &mut Vec<u8>, kind: u16, value: &[u8]) {
    stun.extend(kind.to_be_bytes());
    stun.extend((value.len() as u16).to_be_bytes());
    stun.extend(value);
    stun.resize(stun.len().next_multiple_of(4), 0);
    set_length(stun, 0);
}

fn set_length(stun: &mut [u8], more: usize) {
    let length = (stun.len() - 20 + more) as u16;
    stun[2..4].copy_from_slice(&length.to_be_bytes());
}

/// The CRC-32 of ISO 3309, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
