//! What a packet costs in instructions on its way in: opened, known, counted, and handed on with what is told of it.

use super::tests::{Client, MID, OPUS, Out, RID, SIMULCAST, TWCC, VP8};
use super::*;
use crate::callgrind::{self, COUNTED};
use crate::vp8;

/// The one place where the bound stands: instructions per packet, of a build as the tests are.
const BUDGET: u64 = 6_000;
/// Seconds of a room at 30 frames of six parts, and fifty sounds.
const FRAMES: u16 = 300;
const PARTS: u16 = 6;
const PART_BYTES: usize = 1_040;

/// Everything that is counted, so that nothing else is.
#[inline(never)]
fn receive_recorded(client: &mut Client, datagrams: Vec<BytesMut>, events: &mut Vec<LegEvent>) {
    for datagram in datagrams {
        client.comes(datagram);
    }
    if client.leg.deadline().is_some_and(|due| due <= client.now) {
        client.leg.tick(client.now);
    }
    client.leg.drain_events(events);
    client.leg.drain_datagrams(&mut Outlet {
        now: client.now,
        segments_max: 1,
        buffer: &mut vec![],
        send: &mut |_| {},
    });
}

/// A picture in its parts, and the sounds beside it.
fn record(client: &mut Client, frame: u16) -> Vec<BytesMut> {
    let mut running = frame.wrapping_mul(PARTS + 2);
    let mut datagrams = vec![];
    for part in 0..PARTS + 2 {
        running = running.wrapping_add(1);
        let twcc = running.to_be_bytes();
        let picture = vp8::tests::payload(frame == 0 && part == 0, frame, frame as u8);
        let mut payload = picture.to_vec();
        payload[0] = if part == 0 { 0x90 } else { 0x80 };
        payload.resize(PART_BYTES, 1);
        let packet = match part < PARTS {
            true => Out {
                ssrc: 2,
                seq: frame * PARTS + part,
                payload_type: VP8,
                extensions: &[(MID, b"1"), (RID, b"f"), (TWCC, &twcc)],
                payload: &payload,
            },
            false => Out {
                ssrc: 1,
                seq: frame * 2 + part - PARTS,
                payload_type: OPUS,
                extensions: &[(MID, b"0"), (TWCC, &twcc)],
                payload: &payload[..120],
            },
        };
        datagrams.extend(client.sealed(packet.write()));
    }
    datagrams
}

/// Gives the packets that came.
fn workload() -> usize {
    let mut client = Client::new(SIMULCAST);
    let (mut events, mut came) = (vec![], 0);
    for frame in 0..FRAMES {
        client.now += Duration::from_millis(33);
        let datagrams = record(&mut client, frame);
        receive_recorded(&mut client, datagrams, &mut events);
        let is_packet = |event: &&LegEvent| matches!(event, LegEvent::Rtp(_));
        came += events.iter().filter(is_packet).count();
        events.clear();
    }
    came
}

/// Run by the test below, under callgrind; and by hand, for a profile.
#[test]
#[ignore = "the work that is measured, not a test"]
fn measured_work() {
    println!("{COUNTED}{}", workload());
}

#[test]
fn a_received_packet_stays_within_its_budget_of_instructions() {
    let work = callgrind::measure("engine::uplink::budget::measured_work", "receive_recorded");
    let Some(work) = work else { return };
    assert_eq!(work.counted, u64::from(FRAMES * (PARTS + 2)));
    work.check(BUDGET);
}
