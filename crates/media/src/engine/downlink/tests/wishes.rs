//! How often a client may wish for a key frame.

use super::*;
use crate::keyframes::{KEY_FRAME_INTERVAL, KeyFrames, Picture};
use diemcau_model::PeerId;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;

const PICTURE: Picture = (PeerId(1), Layer::Full);

/// The client says that it has lost the picture of a slot; gives the slots of which a key frame is wanted.
fn loses(leg: &mut Downlink, slot: usize, now: Instant) -> Vec<usize> {
    let said: Box<dyn Packet> = Box::new(PictureLossIndication {
        sender_ssrc: 1,
        media_ssrc: ssrc_of(slot),
    });
    leg.received(Received::Rtcp(marshal(&[said]).unwrap()), now);
    wanted(leg, now)
}

/// Time may have passed.
fn wanted(leg: &mut Downlink, now: Instant) -> Vec<usize> {
    leg.tick(now);
    let mut events = vec![];
    leg.drain_events(&mut events);
    let wanted = events.into_iter().filter_map(|event| match event {
        LegEvent::KeyFrameWanted { slot } => Some(slot),
        LegEvent::Connected
        | LegEvent::Failed(_)
        | LegEvent::Refused(_)
        | LegEvent::Rtp(_)
        | LegEvent::Lost { .. }
        | LegEvent::RoundTrip { .. }
        | LegEvent::Arrived { .. } => None,
    });
    wanted.collect()
}

fn begins(leg: &mut Downlink, slot: usize, seq: u16, now: Instant) {
    let packet = RtpOut {
        key_frame: true,
        ..packet(seq, 100)
    };
    assert!(leg.send(slot, packet, now));
    drain(leg, now);
}

#[test]
fn who_wishes_without_end_makes_no_camera_send_nothing_but_key_frames() {
    let start = Instant::now();
    let mut leg = open(at(1), start);
    leg.report_at = Some(start);
    let mut key_frames = KeyFrames::default();
    let (mut requests, mut joined_at, mut joined_sees) = (0, None, None);
    begins(&mut leg, 0, 0, start);
    for tenths in 0..600_u64 {
        let now = start + Duration::from_millis(tenths * 100);
        if !loses(&mut leg, 0, now).is_empty() {
            key_frames.wish(PICTURE, now);
        }
        if tenths == 301 {
            // A slot that waits wishes by itself.
            key_frames.wish(PICTURE, now);
            joined_at = Some(now);
        }
        if !key_frames.due(now).is_empty() {
            requests += 1;
            begins(&mut leg, 0, requests, now);
            key_frames.came(PICTURE);
            joined_sees = joined_sees.or(joined_at.map(|at| now - at));
        }
    }
    assert!(joined_sees.is_some_and(|waited| waited <= KEY_FRAME_INTERVAL));
    assert!((15..=25).contains(&requests), "{requests} requests");
}

#[test]
fn who_wishes_now_and_then_is_heard_at_once_in_each_slot_and_nobody_is_forgotten() {
    let start = Instant::now();
    let at_ms = |ms| start + Duration::from_millis(ms);
    let mut leg = open(at(1), start);
    leg.report_at = Some(start);
    for n in 0..10_u64 {
        for slot in [0, 3] {
            assert_eq!(loses(&mut leg, slot, at_ms(n * 3_500)), [slot], "{n}");
        }
    }
    let comes = |leg: &mut Downlink, ms: u64| begins(leg, 0, (ms / 100) as u16, at_ms(ms));
    comes(&mut leg, 36_000);
    // Four times in a moment, and never again.
    let times = [40_000, 40_600, 41_200, 41_800];
    let loses_again = |leg: &mut Downlink, ms| {
        let heard = loses(leg, 0, at_ms(ms)).len();
        // Said again until it comes, it is one wish.
        assert_eq!(loses(leg, 0, at_ms(ms + 100)).len(), heard);
        if heard > 0 {
            comes(leg, ms + 500);
        }
        heard
    };
    let heard = times.map(|ms| loses_again(&mut leg, ms));
    assert_eq!(heard, [1, 1, 1, 0]);
    let mut later = (42..50).filter(|second| wanted(&mut leg, at_ms(second * 1_000)) == [0]);
    assert!(later.next().is_some_and(|second| second <= 44));
    assert_eq!(later.next(), None, "once");
    comes(&mut leg, 50_000);

    // What has begun anew meanwhile needs nothing more.
    let times = [60_000, 60_600, 61_200, 61_800];
    let refused = times.map(|ms| loses_again(&mut leg, ms));
    assert_eq!(refused, [1, 1, 1, 0]);
    comes(&mut leg, 61_900);
    let later = (62..70).filter(|second| !wanted(&mut leg, at_ms(second * 1_000)).is_empty());
    assert_eq!(later.count(), 0);
}
