//! Reports that no client writes, as they are read once its key has opened them: whoever is admitted may send any.

use super::reports::NACKS_MAX;
use super::{Downlink, VIDEO_SLOTS};
use crate::engine::wire::Received;
use crate::engine::{Addresses, Codec, Engine, Leg, LegEvent, Outlet};
use crate::rewrite::RtpOut;
use bytes::BytesMut;
use diemcau_fuzz::{Fuzz, outcome};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How many datagrams leave now.
fn drained(leg: &mut Downlink, now: Instant) -> usize {
    let mut datagrams = 0;
    leg.drain_datagrams(&mut Outlet {
        now,
        segments_max: 64,
        buffer: &mut vec![],
        send: &mut |run| datagrams += run.bytes.len().div_ceil(run.segment.max(1)),
    });
    datagrams
}

#[test]
fn rtcp() {
    let fuzz = Fuzz {
        name: "rtcp",
        corpus: "corpus/rtcp",
        words: &["\r\u{1e}\u{0}", "\u{0}\u{0}\u{0}\u{1}", "REMB\u{1}"],
        inputs: 100_000,
        longest: 1_400,
    };
    let to = SocketAddr::from(([127, 0, 0, 1], 50_000));
    let begun = Instant::now();
    let engine = Engine::new(Addresses(vec![to]), begun).map_err(|error| error.to_string());
    let engine = engine.unwrap();
    let (mut leg, mut now, mut taken) = (None, begun, 0_u16);
    fuzz.run(|input| {
        // A fresh leg now and then: what a report says is about what was sent.
        if taken.is_multiple_of(500) {
            let made = Downlink::offer(&engine).map_err(|error| error.to_string());
            let (mut fresh, _) = made.unwrap();
            fresh.open(to);
            // Every second one tells no arrivals: then what it thinks of its road counts.
            if taken.is_multiple_of(1_000) {
                fresh.twcc_ids.fill(None);
            }
            leg = Some(fresh);
        }
        taken = taken.wrapping_add(1);
        let Some(leg) = &mut leg else { return 0 };
        now += Duration::from_millis(5);
        let packet = RtpOut {
            codec: Codec::Vp8,
            seq: taken,
            timestamp: u32::from(taken) * 450,
            marker: true,
            payload: vec![1; 100].into(),
            numbers: None,
            key_frame: false,
        };
        // Whatever it was told before, it goes on.
        assert!(leg.send(0, packet, now), "the leg sends no more");
        drained(leg, now);

        leg.received(Received::Rtcp(BytesMut::from(input)), now);
        let mut events = vec![];
        leg.drain_events(&mut events);
        for event in &events {
            match event {
                LegEvent::KeyFrameWanted { slot } => assert!(*slot < VIDEO_SLOTS),
                LegEvent::RoundTrip { ms } => assert!(ms.is_finite() && *ms >= 0.0, "{ms}"),
                LegEvent::Arrived { spoken_of, lost } => assert!(lost <= spoken_of),
                LegEvent::Connected
                | LegEvent::Failed(_)
                | LegEvent::Refused(_)
                | LegEvent::Rtp(_)
                | LegEvent::Lost { .. } => {
                    panic!("a report led to {event:?}")
                }
            }
        }
        let again = drained(leg, now);
        assert!(again <= NACKS_MAX, "{again} packets were sent again");
        let bears = leg.bears(now).map(u64::leading_zeros);
        outcome((events.len(), again, bears))
    });
}

/// What a player says it takes: read, and answered with as many parts, each by its own name.
#[test]
fn player_offer() {
    let fuzz = Fuzz {
        name: "player_offer",
        corpus: "corpus/player_offer",
        words: &[
            "\r\n",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
            "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
            "a=mid:0\r\n",
            "a=rtpmap:96 VP8/90000\r\n",
            "a=rtpmap:111 opus/48000/2\r\n",
            "a=rtcp-fb:* nack\r\n",
            "a=recvonly\r\n",
            "a=setup:passive\r\n",
            "a=extmap:15 urn:x\r\n",
        ],
        inputs: 100_000,
        longest: 8 * 1024,
    };
    let ice = crate::engine::wire::Ice::new(crate::engine::wire::tests::provider()).unwrap();
    let addresses = Addresses(vec![SocketAddr::from(([127, 0, 0, 1], 7881))]);
    let print = crate::engine::wire::Fingerprint([7; 32]);
    fuzz.run(|input| {
        let text = String::from_utf8_lossy(input);
        let Ok(offer) = super::answer::read(&text) else {
            return outcome(0);
        };
        let ours = crate::engine::sdp::Ours {
            ice: &ice,
            fingerprint: print,
            addresses: &addresses,
            session: 1,
        };
        let answer = super::answer::write(&offer, &ours);
        let parts = crate::engine::sdp::parts(&answer).count();
        assert_eq!(parts, crate::engine::sdp::parts(&text).count());
        assert!(answer.lines().all(|line| line.len() < 512));
        let numbered = offer.taken().filter(|(.., twcc_id)| twcc_id.is_some());
        outcome((offer.taken().count(), parts, numbered.count() > 0))
    });
}

/// What a browser answers to our offer: the slots it takes, or why not.
#[test]
fn downlink_answer() {
    let fuzz = Fuzz {
        name: "downlink_answer",
        corpus: "corpus/downlink_answer",
        words: &[
            "\r\n",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
            "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n",
            "a=setup:active\r\n",
            "a=ice-ufrag:\r\n",
            "a=fingerprint:sha-256 00\r\n",
            "a=extmap:255 urn:x\r\n",
        ],
        inputs: 100_000,
        longest: 16 * 1024,
    };
    fuzz.run(
        |input| match super::offer::read(&String::from_utf8_lossy(input)) {
            Ok(answer) => {
                let mut ids = answer.slots.iter().filter_map(|(_, twcc_id)| *twcc_id);
                assert!(ids.all(|id| (1..=14).contains(&id)));
                let taken = answer.slots.iter().filter(|(names, _)| names.is_any());
                let taken = taken.count();
                assert!(taken > 0);
                outcome((taken, answer.role == crate::engine::wire::Role::Client))
            }
            Err(error) => outcome(error.to_string()),
        },
    );
}
