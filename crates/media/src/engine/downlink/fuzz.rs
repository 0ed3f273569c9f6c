//! Reports that no client writes, as they are read once its key has opened them: whoever is admitted may send any.

use super::reports::NACKS_MAX;
use super::{Downlink, VIDEO_SLOTS};
use crate::engine::wire::Received;
use crate::engine::{Addresses, Engine, Leg, LegEvent, Outlet};
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
        words: &["\r\u{1e}\u{0}", "\u{0}\u{0}\u{0}\u{1}"],
        inputs: 50_000,
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
            leg = Some(fresh);
        }
        taken = taken.wrapping_add(1);
        let Some(leg) = &mut leg else { return 0 };
        now += Duration::from_millis(5);
        let packet = RtpOut {
            seq: taken,
            timestamp: u32::from(taken) * 450,
            marker: true,
            payload: vec![1; 100].into(),
            numbers: None,
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
                LegEvent::Connected | LegEvent::Failed(_) | LegEvent::Rtp(_) => {
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
