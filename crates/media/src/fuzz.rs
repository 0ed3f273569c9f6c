//! What a hostile client may send, at every place that reads it.

use crate::{
    demux::{Demux, is_stun},
    engine::{
        Addresses, Codec, Engine, EngineError, Layer, Leg, LegEvent, Outlet, Path, RtpIn, check_of,
    },
    forward::{PictureSlot, VoiceSlot},
    vp8,
};
use bytes::{Bytes, BytesMut};
use diemcau_fuzz::{Fuzz, outcome};
use diemcau_model::{PeerId, Side};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const OFFER: &str = include_str!("../corpus/sdp_offer/simulcast");
const SDP_WORDS: &[&str] = &[
    "\r\n",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
    "a=mid:0\r\n",
    "a=rid:q send\r\n",
    "a=simulcast:send q;h;f\r\n",
    "a=extmap:15 urn:x\r\n",
    "a=fmtp:111 \r\n",
    "a=ssrc-group:FID 1 2\r\n",
    "a=setup:active\r\n",
    "a=candidate:1 1 tcp 1 ::1 0 typ host tcptype active\r\n",
    "a=fingerprint:sha-256 00\r\n",
    "a=rtpmap:96 VP8/0\r\n",
    "v=0",
];

fn engine(now: Instant) -> Engine {
    let address = SocketAddr::from(([127, 0, 0, 1], 7881));
    let made = Engine::new(Addresses(vec![address]), now).map_err(|error| error.to_string());
    made.unwrap()
}

#[test]
fn stun() {
    let fuzz = Fuzz {
        name: "stun",
        corpus: "corpus/stun",
        words: &["abcd", ":", "\u{0}\u{6}\u{0}\u{9}"],
        inputs: 100_000,
        longest: 256,
    };
    let mut demux = Demux::default();
    let (leg, other) = ((PeerId(1), Side::Uplink), (PeerId(2), Side::Downlink));
    demux.add(leg, "abcd");
    let from = SocketAddr::from(([127, 0, 0, 1], 9));
    demux.answered(other, from, None);
    fuzz.run(|datagram| {
        let found = demux.find(datagram, from);
        // From this address it is the other's, unless it names the first.
        assert!(found == Some(other) || found == Some(leg) && is_stun(datagram));
        outcome((is_stun(datagram), found == Some(leg)))
    });
}

/// Packets of two senders into a picture slot and a voice slot: kind, sender and layer, number, time, length, payload.
#[test]
fn rtp() {
    let fuzz = Fuzz {
        name: "rtp",
        corpus: "corpus/rtp",
        words: &[],
        inputs: 100_000,
        longest: 1_024,
    };
    let begun = Instant::now();
    fuzz.run(|input| {
        let (mut picture, mut voice) = (PictureSlot::new(), VoiceSlot::new());
        let (mut rest, mut now, mut sent) = (input, begun, 0_u64);
        while let [flags, s0, s1, t0, t1, t2, t3, length, body @ ..] = rest {
            let (payload, behind) = body.split_at(usize::from(*length).min(body.len()));
            rest = behind;
            now += Duration::from_millis(u64::from(*length));
            let sender = PeerId(u64::from(flags >> 1 & 1));
            let layer = Layer::ALL[usize::from(flags >> 4 & 3) % 3];
            let packet = RtpIn {
                codec: if flags & 1 == 1 {
                    Codec::Opus
                } else {
                    Codec::Vp8
                },
                layer,
                ssrc: u32::from(flags >> 2 & 3),
                seq: u16::from_be_bytes([*s0, *s1]),
                timestamp: u32::from_be_bytes([*t0, *t1, *t2, *t3]),
                marker: flags & 8 != 0,
                level_dbov: None,
                is_newest: true,
                was_lost: false,
                payload: Bytes::copy_from_slice(payload),
            };
            let out = if packet.codec == Codec::Opus {
                voice.open(Some(PeerId(u64::from(flags >> 6 & 1))));
                voice.forward(sender, &packet, now)
            } else {
                picture.want(Some((PeerId(u64::from(flags >> 6 & 1)), layer)), now);
                let vp8 = vp8::read(&packet.payload);
                picture.forward((sender, layer), &packet, vp8.as_ref(), now)
            };
            if let Some(out) = out {
                // Rewriting moves numbers, never the length.
                assert_eq!(out.payload.len(), packet.payload.len());
                sent += 1;
            }
        }
        sent
    });
}

#[test]
fn sdp_offer() {
    let fuzz = Fuzz {
        name: "sdp_offer",
        corpus: "corpus/sdp_offer",
        words: SDP_WORDS,
        inputs: 2_000,
        longest: 8 * 1024,
    };
    let begun = Instant::now();
    let engine = engine(begun);
    fuzz.run(|input| {
        let offer = String::from_utf8_lossy(input);
        match engine.answer_uplink(&offer, begun) {
            Ok((mut leg, answer)) => {
                assert!(answer.starts_with("v=0"));
                assert!(!leg.ufrag().is_empty());
                leg.close(begun);
                outcome(answer.lines().count())
            }
            Err(EngineError::Panicked) => panic!("the engine panics on an offer"),
            Err(error) => outcome(error.to_string()),
        }
    });
}

/// A fresh uplink, at which somebody has shown that it knows its password.
fn proved(engine: &Engine, from: Path, now: Instant) -> Box<dyn Leg> {
    let made = engine.answer_uplink(OFFER, now);
    let (mut leg, answer) = made.map_err(|error| error.to_string()).unwrap();
    let said = |what| answer.lines().find_map(|line| line.strip_prefix(what));
    let names = said("a=ice-ufrag:").zip(said("a=ice-pwd:"));
    let check = check_of(names.unwrap(), "abcd", true);
    leg.receive(BytesMut::from(&check[..]), from, now);
    assert_eq!(leg.path(), Some(from));
    leg
}

/// Datagrams at an uplink from where a check came, of whoever repeats it: STUN, DTLS, and media without keys. They may not
/// bring it down.
#[test]
fn datagram() {
    let fuzz = Fuzz {
        name: "datagram",
        corpus: "corpus/datagram",
        words: &["abcd", "\u{16}", "\u{15}", "\u{14}"],
        inputs: 100_000,
        longest: 1_400,
    };
    let from = SocketAddr::from(([127, 0, 0, 1], 50_000)).into();
    let begun = Instant::now();
    let engine = engine(begun);
    let (mut leg, mut now, mut refusals) = (None, begun, 0);
    let (mut taken, mut open, mut read) = (0_u32, 0_u32, 0_u32);
    fuzz.run(|input| {
        // A fresh leg now and then: who has used up what one takes of a handshake is read no more.
        if taken.is_multiple_of(500) {
            (leg, refusals) = (Some(proved(&engine, from, now)), 0);
        }
        taken += 1;
        let Some(leg) = &mut leg else { return 0 };
        now += Duration::from_millis(5);
        let room = leg.room();
        open += u32::from(room > 0);
        leg.receive(BytesMut::from(input), from, now);
        read += u32::from(leg.room() < room);
        if leg.deadline().is_some_and(|due| due <= now) {
            leg.tick(now);
        }
        let mut events = vec![];
        leg.drain_events(&mut events);
        // That somebody's handshake comes to nothing is told once; a stranger is not let in, and ends nothing.
        let is_refusal = |event: &LegEvent| matches!(event, LegEvent::Refused(_));
        refusals += events.len();
        assert!(
            events.iter().all(is_refusal) && refusals <= 1,
            "a stranger's datagrams led to {events:?}, refusal {refusals}"
        );
        let mut sent = 0;
        leg.drain_datagrams(&mut Outlet {
            now,
            segments_max: 64,
            buffer: &mut vec![],
            send: &mut |run| sent += run.bytes.len(),
        });
        outcome((events.len(), sent))
    });
    let told = format!("{open} of {taken} came to a leg that reads, {read} were a handshake's");
    println!("{told}");
    let is_enough = open * 10 >= taken * 9 && read * 50 >= taken;
    assert!(taken < 1_000 || is_enough, "{told}");
}
