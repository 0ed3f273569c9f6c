mod paths;
mod profiles;
mod rounds;
mod wishes;

use super::*;
use crate::engine::wire::Role;
use crate::engine::wire::srtp::Profile;
use crate::engine::wire::tests::{THEIR_PASSWORD, answer_to, check, keys, strange_hello};
use crate::engine::{Addresses, VOICE_BPS};
use rtc::rtcp::packet::{Packet, marshal};
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, SymbolTypeTcc,
    TransportLayerCc,
};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use std::net::SocketAddr;

fn at(port: u16) -> Path {
    SocketAddr::from(([127, 0, 0, 1], port)).into()
}

fn open(to: Path, now: Instant) -> Downlink {
    let engine = Engine::new(Addresses(vec![at(7881).client]), now).unwrap();
    let (mut leg, _) = Downlink::offer(&engine).unwrap();
    leg.open(to);
    drain(&mut leg, now);
    leg
}

fn packet(seq: u16, bytes: usize) -> RtpOut {
    RtpOut {
        codec: Codec::Vp8,
        seq,
        timestamp: 0,
        marker: false,
        payload: vec![1; bytes].into(),
        numbers: None,
        key_frame: false,
    }
}

/// Where the next datagrams go, with the lengths of each run.
fn drain(leg: &mut Downlink, now: Instant) -> Vec<(Path, usize, usize)> {
    let mut runs = vec![];
    leg.drain_datagrams(&mut Outlet {
        now,
        segments_max: 64,
        buffer: &mut vec![],
        send: &mut |run| runs.push((run.to, run.segment, run.bytes.len())),
    });
    runs
}

#[test]
fn a_picture_of_many_parts_and_a_sound_leave_in_one_call() {
    let now = Instant::now();
    let mut leg = open(at(1), now);
    let codec = Codec::Opus;
    assert!(leg.send(
        VIDEO_SLOTS,
        RtpOut {
            codec,
            ..packet(1, 100)
        },
        now
    ));
    for seq in 1..=6 {
        assert!(leg.send(0, packet(seq, 1_000 + usize::from(seq > 3)), now));
    }
    let overhead = 12 + 8 + 16;
    let segment = 1_001 + overhead;
    assert_eq!(
        drain(&mut leg, now),
        [(at(1), segment, segment * 6 + 100 + overhead)]
    );
    assert_eq!(drain(&mut leg, now), []);
}

#[test]
fn only_a_slot_that_takes_the_running_number_bears_one_and_the_numbers_have_no_gaps() {
    let now = Instant::now();
    let mut leg = open(at(1), now);
    leg.take_slot(1, offer::names_of(1), None);
    for (slot, extension) in [(0, 8), (1, 0), (0, 8)] {
        let seq = leg.running + 1;
        assert!(leg.send(slot, packet(seq, 100), now));
        let length = 12 + extension + 100 + 16;
        assert_eq!(drain(&mut leg, now).last(), Some(&(at(1), length, length)));
    }
    assert_eq!(leg.running, 2, "the client would take a gap for a loss");
}

#[test]
fn what_is_sent_again_on_a_thin_link_is_a_part_of_what_it_bears() {
    let start = Instant::now();
    let mut again = Again::default();
    assert!(
        (0..1_000).all(|_| again.take(1_000, None, start)),
        "no limit"
    );
    let mut bytes = 0;
    for ms in 0..10_000 {
        let now = start + Duration::from_millis(ms);
        if again.take(1_000, Some(256_000), now) {
            bytes += 1_000;
        }
    }
    // Ten seconds, and the two that are saved.
    let bits = f64::from(bytes * 8);
    assert!(
        (350_000.0..=12.0 * 256_000.0 / AGAIN_PART).contains(&bits),
        "{bits}"
    );
}

/// A report of packets from this running number on: so many are missing, and behind them so many came at one moment.
fn arrivals(base: u16, missing: u16, came: u16, ms: u64) -> Box<dyn Packet> {
    let run = |packet_status_symbol, run_length| {
        PacketStatusChunk::RunLengthChunk(RunLengthChunk {
            type_tcc: StatusChunkTypeTcc::RunLengthChunk,
            packet_status_symbol,
            run_length,
        })
    };
    let (lost, here) = (
        SymbolTypeTcc::PacketNotReceived,
        SymbolTypeTcc::PacketReceivedSmallDelta,
    );
    let delta = RecvDelta {
        type_tcc_packet: here,
        delta: 0,
    };
    Box::new(TransportLayerCc {
        base_sequence_number: base,
        packet_status_count: missing + came,
        reference_time: (ms / 64) as u32,
        packet_chunks: vec![run(lost, missing), run(here, came)],
        recv_deltas: vec![delta; came.into()],
        ..Default::default()
    })
}

#[test]
fn what_a_cut_swallowed_is_not_sent_again_but_what_is_lost_after_it_is() {
    let start = Instant::now();
    let moment = |ms| start + Duration::from_millis(ms);
    let mut leg = open(at(1), start);
    let send = |leg: &mut Downlink, seq, ms| {
        assert!(leg.send(0, packet(seq, 1_000), moment(ms)));
        drain(leg, moment(ms));
    };
    let missed = |seqs: std::ops::Range<u16>| -> Box<dyn Packet> {
        Box::new(TransportLayerNack {
            sender_ssrc: 1,
            media_ssrc: ssrc_of(0),
            nacks: nack_pairs_from_sequence_numbers(&seqs.collect::<Vec<_>>()),
        })
    };
    // Hears them, and gives how many packets leave again, and what is wanted.
    let hear = |leg: &mut Downlink, said: Vec<Box<dyn Packet>>, ms| {
        leg.received(Received::Rtcp(marshal(&said).unwrap()), moment(ms));
        let runs = drain(leg, moment(ms));
        let mut events = vec![];
        leg.drain_events(&mut events);
        events.retain(|event| matches!(event, LegEvent::KeyFrameWanted { .. }));
        let again: usize = runs.iter().map(|run| run.2.div_ceil(run.1)).sum();
        (again, events)
    };
    for seq in 1..6 {
        send(&mut leg, seq, 0);
    }
    assert_eq!(hear(&mut leg, vec![arrivals(0, 0, 5, 20)], 60).0, 0);
    for seq in 6..206 {
        send(&mut leg, seq, 100 + u64::from(seq - 6) * 10);
    }
    // The road is there again: what it missed is asked for before it is said what came.
    send(&mut leg, 206, 2_100);
    assert_eq!(hear(&mut leg, vec![missed(6..206)], 2_120), (0, vec![]));
    let both = vec![missed(6..206), arrivals(5, 200, 1, 2_110)];
    let wanted = vec![LegEvent::KeyFrameWanted { slot: 0 }];
    assert_eq!(hear(&mut leg, both, 2_150), (0, wanted));
    assert_eq!(hear(&mut leg, vec![missed(6..206)], 2_200), (0, vec![]));
    send(&mut leg, 207, 2_210);
    assert_eq!(hear(&mut leg, vec![missed(207..208)], 2_260), (1, vec![]));
}

#[test]
fn who_asks_too_often_or_comes_back_from_a_cut_needs_a_key_frame() {
    let start = Instant::now();
    let mut leg = open(at(1), start);
    for slot in [0, 2] {
        assert!(leg.send(slot, packet(1, 10), start));
    }
    drain(&mut leg, start);
    let mut events = vec![];
    for ms in 0..500 {
        leg.missed(0, 1, start + Duration::from_millis(ms));
    }
    leg.drain_events(&mut events);
    assert_eq!(events, [LegEvent::KeyFrameWanted { slot: 0 }]);
    assert_eq!(leg.estimate.cut(start + Duration::from_millis(500)), None);
    let since = leg.estimate.cut(start + Duration::from_secs(1)).unwrap();
    leg.begin_anew(since);
    events.clear();
    leg.drain_events(&mut events);
    let wanted = [0, 2].map(|slot| LegEvent::KeyFrameWanted { slot });
    assert_eq!(events, wanted);
}

/// Sends a voice and what fits of a picture to who takes no running number, and hears once a second which part of it was
/// lost, and what the client thinks. Gives what the link bears in each second.
fn watched(lost: fn(f64) -> f64, thinks: Option<u64>) -> Vec<Option<u64>> {
    let start = Instant::now();
    let mut leg = open(at(1), start);
    for slot in 0..SLOTS {
        leg.take_slot(slot, offer::names_of(slot), None);
    }
    let (mut bears, mut seqs, mut missed) = (vec![], [0_u16; 2], [0.0; 2]);
    for second in 0..30_u64 {
        let now = start + Duration::from_secs(second);
        let last = leg.bears(now);
        bears.push(last);
        let picture = match last.map(|bps| bps.saturating_sub(VOICE_BPS)) {
            None | Some(1_650_000..) => 8,
            Some(390_000..) => 2,
            Some(_) => 0,
        };
        for tick in 0..50 {
            let now = now + Duration::from_millis(tick * 20);
            for (seq, slot, packets) in [(0, 0, picture), (1, VIDEO_SLOTS, 1)] {
                for _ in 0..packets {
                    seqs[seq] += 1;
                    let (codec, bytes) = match slot {
                        0 => (Codec::Vp8, 400),
                        _ => (Codec::Opus, 40),
                    };
                    let packet = packet(seqs[seq], bytes);
                    assert!(leg.send(slot, RtpOut { codec, ..packet }, now));
                }
            }
            drain(&mut leg, now);
        }
        let now = now + Duration::from_millis(999);
        let part = lost(f64::from(picture) * 190_000.0 + 45_000.0);
        missed[0] += f64::from(picture) * 50.0 * part;
        missed[1] += 50.0 * part;
        let block = |(place, slot): (usize, usize)| ReceptionReport {
            ssrc: ssrc_of(slot),
            last_sequence_number: seqs[place].into(),
            total_lost: missed[place] as u32,
            ..Default::default()
        };
        let blocks = [(0, 0), (1, VIDEO_SLOTS)];
        let report = ReceiverReport {
            reports: blocks.map(block).to_vec(),
            ..Default::default()
        };
        let mut packets: Vec<Box<dyn Packet>> = vec![Box::new(report)];
        if let Some(bps) = thinks {
            packets.push(Box::new(ReceiverEstimatedMaximumBitrate {
                bitrate: bps as f32,
                ..Default::default()
            }));
        }
        let bytes = marshal(&packets).unwrap();
        leg.received(Received::Rtcp(bytes), now);
    }
    bears
}

/// What a player without a running number got that asks again for what it misses, over a road of 1 Mbit/s on which packets
/// wait for 20 ms: what the link bore in each second, and what part of the sound came.
fn asking(seconds: usize) -> Vec<(Option<u64>, f64)> {
    let start = Instant::now();
    let mut leg = open(at(1), start);
    for slot in 0..SLOTS {
        leg.take_slot(slot, offer::names_of(slot), None);
    }
    let (mut got, mut bears, mut sounds) = (vec![], None, 0);
    let (mut seqs, mut came, mut free_at) = ([0_u16; 2], [0_u32; 2], 0.0_f64);
    // When it asks again for what is missing, and how often it did.
    let mut missing = std::collections::BTreeMap::<u16, (usize, u32)>::new();
    for tick in 0..seconds * 50 {
        let now = start + Duration::from_millis(tick as u64 * 20);
        if tick % 50 == 0 {
            bears = leg.bears(now);
            sounds = came[1];
        }
        let picture = match bears.map(|bps| bps.saturating_sub(VOICE_BPS)) {
            None | Some(1_650_000..) => 8,
            Some(390_000..) => 2,
            Some(_) => 0,
        };
        let slots = [(0, 0, Codec::Vp8, 400), (1, VIDEO_SLOTS, Codec::Opus, 116)];
        for ((place, slot, codec, bytes), packets) in slots.into_iter().zip([picture, 1]) {
            for _ in 0..packets {
                seqs[place] += 1;
                let packet = packet(seqs[place], bytes);
                assert!(leg.send(slot, RtpOut { codec, ..packet }, now));
            }
        }
        let ms = tick as f64 * 20.0;
        leg.drain_datagrams(&mut Outlet {
            now,
            segments_max: 64,
            buffer: &mut vec![],
            send: &mut |run| {
                for packet in run.bytes.chunks(run.segment) {
                    let seq = u16::from_be_bytes([packet[2], packet[3]]);
                    let place = usize::from(cargo(packet) == Cargo::Sound);
                    if free_at - ms > 20.0 {
                        if place == 0 {
                            missing.entry(seq).or_insert((tick + 3, 0));
                        }
                        continue;
                    }
                    free_at = free_at.max(ms) + (packet.len() + 42) as f64 * 8.0 / 1e3;
                    came[place] += 1;
                    if place == 0 {
                        missing.remove(&seq);
                    }
                }
            },
        });
        let mut asked = vec![];
        for (seq, (at, times)) in &mut missing {
            if *at <= tick && *times < 8 {
                (*at, *times) = (tick + 3, *times + 1);
                asked.push(*seq);
            }
        }
        let mut packets: Vec<Box<dyn Packet>> = vec![];
        if !asked.is_empty() {
            packets.push(Box::new(TransportLayerNack {
                sender_ssrc: 1,
                media_ssrc: ssrc_of(0),
                nacks: nack_pairs_from_sequence_numbers(&asked),
            }));
        }
        if tick % 50 == 49 {
            let block = |(place, slot): (usize, usize)| ReceptionReport {
                ssrc: ssrc_of(slot),
                last_sequence_number: seqs[place].into(),
                total_lost: u32::from(seqs[place]) - came[place],
                ..Default::default()
            };
            packets.push(Box::new(ReceiverReport {
                reports: [(0, 0), (1, VIDEO_SLOTS)].map(block).to_vec(),
                ..Default::default()
            }));
            got.push((bears, f64::from(came[1] - sounds) / 50.0));
        }
        if !packets.is_empty() {
            leg.received(Received::Rtcp(marshal(&packets).unwrap()), now);
        }
    }
    got
}

#[test]
fn who_tells_no_arrivals_and_asks_again_is_not_flooded() {
    let got = asking(60);
    let settled = &got[10..];
    let is_much = |(bears, _): &&(Option<u64>, f64)| bears.is_none_or(|bps| bps >= 1_700_000);
    let much = settled.iter().filter(is_much).count();
    assert!(much <= 12, "{got:?}");
    let sound: f64 = settled.iter().map(|(_, part)| part).sum();
    assert!(sound >= 0.85 * settled.len() as f64, "{got:?}");
}

#[test]
fn who_tells_no_arrivals_gets_less_where_much_is_lost_and_keeps_its_sound() {
    let is_less = |bears: &Option<u64>| *bears < Some(1_700_000) && bears.is_some();
    let good = watched(|_| 0.05, None);
    assert!(good.iter().all(Option::is_none), "{good:?}");
    let lossy = watched(|_| 0.3, None);
    assert!(lossy.iter().any(is_less), "{lossy:?}");
    let thin = watched(|sent| (1.0 - 600_000.0 / sent).max(0.0), None);
    assert!(thin[5..15].iter().all(is_less), "{thin:?}");
    let told = watched(|_| 0.0, Some(700_000));
    assert!(told[5..10].iter().all(is_less), "{told:?}");
    let little = watched(|_| 0.0, Some(1));
    for bears in [lossy, thin, told, little] {
        let least = bears.iter().flatten().min();
        assert!(least >= Some(&VOICE_BPS), "{bears:?}");
    }
    let more = watched(|_| 0.0, Some(3_000_000));
    assert!(more.iter().all(Option::is_none), "more than was sent");
}

#[test]
fn what_the_client_did_not_take_or_had_already_is_not_sent() {
    let now = Instant::now();
    let mut leg = open(at(1), now);
    leg.taken[3] = false;
    assert!(!leg.send(3, packet(1, 10), now));
    assert!(!leg.send(SLOTS, packet(1, 10), now));
    assert!(leg.send(4, packet(1, 10), now));
    assert!(!leg.send(4, packet(1, 10), now), "the same number");
    leg.close(now);
    assert!(!leg.send(4, packet(2, 10), now));
}

proptest::proptest! {
    #[test]
    fn no_datagram_makes_it_stumble(mut bytes in proptest::collection::vec(0_u8.., 0..120), kind in 0_usize..6, known: bool) {
        let now = Instant::now();
        let mut leg = open(at(1), now);
        if let Some(first) = bytes.first_mut() {
            *first = [0, 1, 22, 128, 0x90, 255][kind];
        }
        let from = if known { at(1) } else { at(5) };
        leg.receive(BytesMut::from(&bytes[..]), from, now);
        let mut events = vec![];
        leg.drain_events(&mut events);
        proptest::prop_assert!(events.is_empty());
        proptest::prop_assert!(leg.send(0, packet(1, 10), now));
    }
}

/// The wishes of a client that drain from a leg behind so many datagrams.
fn wishes(leg: &mut Downlink, datagram: &[u8], times: usize) -> Vec<LegEvent> {
    for _ in 0..times {
        leg.received(Received::Rtcp(datagram.into()), Instant::now());
    }
    let mut events = vec![];
    leg.drain_events(&mut events);
    events
}

#[test]
fn a_key_frame_is_wished_once_until_the_wish_is_heard() {
    let mut leg = open(at(1), Instant::now());
    // As many wishes as a datagram bears, for two pictures and a sound (RFC 5104, 4.3.1).
    let entries = [0, 1, VIDEO_SLOTS].map(|slot| [ssrc_of(slot).to_be_bytes(), [0; 4]].concat());
    let words = (2 + 2 * 240_u16).to_be_bytes();
    let mut wish = [&[0x84, 206][..], &words, &[0; 8]].concat();
    wish.extend(entries.concat().repeat(80));
    let wanted = [0, 1].map(|slot| LegEvent::KeyFrameWanted { slot });
    for _ in 0..2 {
        assert_eq!(wishes(&mut leg, &wish, 500), wanted);
    }
}
