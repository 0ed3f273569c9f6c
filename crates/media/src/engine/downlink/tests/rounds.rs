//! How often a slot's numbers have gone round, as a receiver of another implementation guesses it (RFC 3711, 3.3.1).

use super::profiles::datagrams;
use super::*;
use crate::engine::RtpIn;
use crate::engine::wire::tests::provider;
use crate::forward::PictureSlot;
use crate::keyframes::Picture;
use crate::vp8;
use diemcau_model::PeerId;
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;

const HONEST: Picture = (PeerId(1), Layer::Full);
const OTHER: Picture = (PeerId(2), Layer::Full);

/// A viewer, and the slot that it sees.
struct Viewer {
    leg: Downlink,
    slot: PictureSlot,
    reads: Context,
    now: Instant,
}

impl Viewer {
    fn new(now: Instant) -> Self {
        let (profile, provider) = (ProtectionProfile::AeadAes128Gcm, provider());
        let (key, salt) = ([7; 16], [7; 12]);
        let reads = Context::new(&key, &salt, profile, None, None, provider.crypto()).unwrap();
        Self {
            leg: open(at(1), now),
            slot: PictureSlot::new(),
            reads,
            now,
        }
    }

    fn see(&mut self, picture: Picture) {
        self.slot.want(Some(picture), self.now);
    }

    /// A packet of a picture comes; gives what leaves for the viewer.
    fn packet(&mut self, picture: Picture, key_frame: bool, seq: u16) -> Vec<Vec<u8>> {
        let payload = vp8::tests::payload(key_frame, seq / 8, 0);
        let vp8 = vp8::read(&payload);
        let packet = RtpIn {
            codec: Codec::Vp8,
            layer: Layer::Full,
            ssrc: picture.0.0 as u32,
            seq,
            timestamp: 0,
            marker: false,
            level_dbov: None,
            is_newest: true,
            was_lost: false,
            payload,
        };
        let out = self.slot.forward(picture, &packet, vp8.as_ref(), self.now);
        if let Some(out) = out {
            self.leg.send(0, out, self.now);
        }
        datagrams(&mut self.leg, self.now)
    }

    fn reads(&mut self, datagrams: &[Vec<u8>]) -> bool {
        let mut read = datagrams.iter().map(|one| self.reads.decrypt_rtp(one));
        !datagrams.is_empty() && read.all(|plain| plain.is_ok())
    }

    /// Time passes; gives why the leg failed, if it did.
    fn pass(&mut self, time: Duration) -> Option<String> {
        self.now += time;
        if self.leg.deadline().is_some_and(|due| due <= self.now) {
            self.leg.tick(self.now);
        }
        let mut events = vec![];
        self.leg.drain_events(&mut events);
        events.into_iter().find_map(|event| match event {
            LegEvent::Failed(why) => Some(why),
            LegEvent::Connected
            | LegEvent::Refused(_)
            | LegEvent::Rtp(_)
            | LegEvent::KeyFrameWanted { .. }
            | LegEvent::Lost { .. }
            | LegEvent::RoundTrip { .. }
            | LegEvent::Arrived { .. } => None,
        })
    }
}

#[test]
fn a_viewer_that_loses_forty_packets_of_a_source_that_jumps_sees_who_comes_after_it() {
    let mut viewer = Viewer::new(Instant::now());
    viewer.see(OTHER);
    let first = viewer.packet(OTHER, true, 0);
    assert!(viewer.reads(&first));
    for n in 1..=240_u16 {
        viewer.pass(Duration::from_millis(4));
        let came = viewer.packet(OTHER, false, n.wrapping_mul(1_000));
        if !(100..140).contains(&n) {
            assert!(viewer.reads(&came), "{n}");
        }
    }
    viewer.see(HONEST);
    for n in 0..100 {
        viewer.pass(Duration::from_millis(4));
        let came = viewer.packet(HONEST, n == 0, 7_000 + n);
        assert!(viewer.reads(&came), "{n}");
    }
}

#[test]
fn who_is_behind_a_cut_for_more_numbers_than_it_can_tell_apart_begins_anew() {
    // Packets each millisecond, and how long the cut lasts.
    for (packets, seconds, begins_anew) in [(4, 14, true), (1, 14, false)] {
        let mut viewer = Viewer::new(Instant::now());
        viewer.leg.report_at = Some(viewer.now);
        viewer.see(OTHER);
        let (mut seq, mut failed_at) = (0_u16, None);
        let mut numbers_unheard = 0_u32;
        for ms in 0..seconds * 1_000 + 1_000 {
            for _ in 0..packets {
                viewer.packet(OTHER, seq == 0, seq);
                seq = seq.wrapping_add(1);
            }
            if ms == 990 {
                let came = arrivals(0, 1, 39, 900);
                let told = marshal(&[came]).unwrap();
                viewer.leg.received(Received::Rtcp(told), viewer.now);
                numbers_unheard = 0;
            }
            numbers_unheard += packets;
            if viewer.pass(Duration::from_millis(1)).is_some() {
                failed_at = failed_at.or(Some(numbers_unheard));
            }
        }
        match begins_anew {
            true => assert!(
                failed_at.is_some_and(|numbers| numbers < 0x6000 + 4_000),
                "{failed_at:?}"
            ),
            false => assert_eq!(failed_at, None),
        }
    }
}
