//! An uplink and a client that has its keys.

mod answers;

use super::*;
use crate::engine::Addresses;
use crate::engine::wire::srtp::{Opener, Profile, Sealer};
use crate::engine::wire::tests::{check, given_up, keys, strange_hello};
use crate::peers::Line;
use rtc::rtcp::Packet;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::source_description::SourceDescription;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use std::net::SocketAddr;

const ENCODER: &str = include_str!("../../../../corpus/sdp_offer/encoder");
const ENCODER_LAYERS: &str = include_str!("../../../../corpus/sdp_offer/encoder_layers");
pub const SIMULCAST: &str = include_str!("../../../../corpus/sdp_offer/simulcast");
const PLAIN: &str = include_str!("../../../../corpus/sdp_offer/plain");

/// The numbers in the two made offers.
pub const OPUS: u8 = 111;
pub const VP8: u8 = 96;
const LEVEL: u8 = 1;
pub const TWCC: u8 = 3;
pub const MID: u8 = 4;
pub const RID: u8 = 10;

fn engine(now: Instant) -> Engine {
    let addresses = ["192.0.2.1:7881", "[2001:db8::1]:7881"];
    let addresses = addresses.map(|address| address.parse().unwrap());
    Engine::new(Addresses(addresses.into()), now).unwrap()
}

/// A leg and the client at its other end, connected at an address.
pub struct Client {
    pub leg: Uplink,
    sealer: Sealer,
    reads: Opener,
    pub now: Instant,
    at: Path,
}

pub struct Out<'a> {
    pub ssrc: u32,
    pub seq: u16,
    pub payload_type: u8,
    pub extensions: &'a [(u8, &'a [u8])],
    pub payload: &'a [u8],
}

impl Out<'_> {
    pub fn write(&self) -> Vec<u8> {
        let mut packet = vec![0x90, self.payload_type];
        packet.extend(self.seq.to_be_bytes());
        packet.extend(u32::from(self.seq).to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        let mut extensions = vec![];
        for (id, value) in self.extensions {
            extensions.push(id << 4 | (value.len() as u8 - 1));
            extensions.extend_from_slice(value);
        }
        extensions.resize(extensions.len().next_multiple_of(4), 0);
        packet.extend([0xbe, 0xde, 0, (extensions.len() / 4) as u8]);
        packet.extend(extensions);
        packet.extend(self.payload);
        packet
    }
}

pub fn at(port: u16) -> Path {
    SocketAddr::from(([127, 0, 0, 1], port)).into()
}

impl Client {
    pub fn new(offer: &str) -> Self {
        Self::keyed(offer, Profile::Gcm)
    }

    /// One that agreed on this profile.
    pub fn keyed(offer: &str, profile: Profile) -> Self {
        let now = Instant::now();
        let (mut leg, _) = Uplink::answer(&engine(now), offer, now).unwrap();
        let theirs = leg.offer.offered.ufrag.clone();
        leg.receive(
            check(&leg.transport.ice, &theirs, true)[..].into(),
            at(1),
            now,
        );
        leg.transport.key(profile);
        leg.report_at = Some(now + REPORT_INTERVAL);
        let (sealer, reads) = keys(profile, true);
        let mut client = Self {
            leg,
            sealer,
            reads,
            now,
            at: at(1),
        };
        client.drain();
        client
    }

    /// Moves to another address, and names it or only proves it.
    pub fn moves(&mut self, to: Path, names: bool) {
        self.at = to;
        let theirs = self.leg.offer.offered.ufrag.clone();
        let check = check(&self.leg.transport.ice, &theirs, names);
        self.leg.receive(check[..].into(), to, self.now);
    }

    /// A packet as it goes over the road.
    pub fn sealed(&mut self, mut packet: Vec<u8>) -> Option<BytesMut> {
        match packet.get(1)? {
            192..224 => self.sealer.seal_rtcp(&mut packet).ok()?,
            _ => {
                let header = Header::read(&packet)?;
                packet.resize(packet.len() + self.sealer.profile().tag_bytes(), 0);
                let sealed = self.sealer.seal_rtp(&mut packet, header.length, 0);
                sealed.ok()?;
            }
        }
        Some(packet[..].into())
    }

    /// A datagram comes from where the client is.
    pub fn comes(&mut self, datagram: BytesMut) {
        self.leg.receive(datagram, self.at, self.now);
    }

    pub fn sends(&mut self, packet: Vec<u8>) -> Vec<LegEvent> {
        let mut events = vec![];
        if let Some(datagram) = self.sealed(packet) {
            self.comes(datagram);
        }
        self.leg.drain_events(&mut events);
        events
    }

    /// The packet that comes of one that is sent.
    pub fn rtp(&mut self, out: &Out<'_>) -> Option<RtpIn> {
        let came = self.sends(out.write()).into_iter();
        let mut packets = came.filter_map(|event| match event {
            LegEvent::Rtp(packet) => Some(packet),
            LegEvent::Lost { .. } => None,
            other @ (LegEvent::Connected
            | LegEvent::Failed(_)
            | LegEvent::Refused(_)
            | LegEvent::KeyFrameWanted { .. }
            | LegEvent::RoundTrip { .. }
            | LegEvent::Arrived { .. }) => panic!("{other:?}"),
        });
        packets.next()
    }

    /// Where the next datagrams go, with what is said in those with reports.
    pub fn drain(&mut self) -> Vec<(Path, Vec<Box<dyn Packet>>)> {
        let (mut sent, reads) = (vec![], &mut self.reads);
        self.leg.drain_datagrams(&mut Outlet {
            now: self.now,
            segments_max: 1,
            buffer: &mut vec![],
            send: &mut |run| {
                let mut bytes = run.bytes.to_vec();
                let packets = reads.open_rtcp(&mut bytes).map(|_| {
                    let mut read = &bytes[..bytes.len() - reads.profile().rtcp_tail_bytes()];
                    rtc::rtcp::packet::unmarshal(&mut read).unwrap()
                });
                sent.push((run.to, packets.unwrap_or_default()));
            },
        });
        sent
    }
}

fn layer(rid: &str, seq: u16) -> (u32, u16, Vec<u8>) {
    let ssrc = u32::from(rid.as_bytes()[0]);
    (ssrc, seq, rid.as_bytes().to_vec())
}

/// A packet of a layer, with its name or without.
fn picture(client: &mut Client, rid: &str, seq: u16, says: bool) -> Option<RtpIn> {
    let (ssrc, seq, name) = layer(rid, seq);
    let named: [(u8, &[u8]); 2] = [(MID, b"1"), (RID, &name)];
    client.rtp(&Out {
        ssrc,
        seq,
        payload_type: VP8,
        extensions: if says { &named } else { &[] },
        payload: &[0x10, 1, 2],
    })
}

fn sound(client: &mut Client, ssrc: u32, seq: u16, mid: &[u8]) -> Option<RtpIn> {
    client.rtp(&Out {
        ssrc,
        seq,
        payload_type: OPUS,
        extensions: &[(MID, mid), (LEVEL, &[0x80 | 30])],
        payload: b"sound",
    })
}

#[test]
fn a_layer_is_known_by_its_name_and_from_then_on_by_its_stream() {
    let mut client = Client::new(SIMULCAST);
    assert_eq!(picture(&mut client, "h", 1, false), None, "it says no name");
    let first = picture(&mut client, "h", 2, true).unwrap();
    assert_eq!((first.codec, first.layer), (Codec::Vp8, Layer::Half));
    assert_eq!((first.seq, &first.payload[..]), (2, &[0x10, 1, 2][..]));
    let later = picture(&mut client, "h", 3, false).unwrap();
    assert_eq!(later.layer, Layer::Half);
    assert_eq!(
        picture(&mut client, "q", 1, true).unwrap().layer,
        Layer::Quarter
    );
    assert_eq!(picture(&mut client, "x", 1, true), None, "no layer of ours");
    let other = client.rtp(&Out {
        ssrc: u32::from(b'h'),
        seq: 4,
        payload_type: VP8,
        extensions: &[(MID, b"0"), (RID, b"f")],
        payload: &[0x10],
    });
    assert_eq!(
        other.unwrap().layer,
        Layer::Half,
        "what it said first holds"
    );
}

/// As an encoder that knows nothing else: it is told what arrived, too.
#[test]
fn a_client_of_the_other_profile_is_seen_and_heard() {
    let mut client = Client::keyed(SIMULCAST, Profile::Cm);
    let first = picture(&mut client, "f", 1, true).unwrap();
    assert_eq!(
        (first.layer, &first.payload[..]),
        (Layer::Full, &[0x10, 1, 2][..])
    );
    let said = sound(&mut client, 9, 1, b"0").unwrap();
    assert_eq!(&said.payload[..], b"sound");
    client.now += REPORT_INTERVAL;
    client.leg.tick(client.now);
    let told = client.drain();
    assert!(
        told.iter().any(|(_, packets)| !packets.is_empty()),
        "it is told nothing"
    );
}

#[test]
fn why_a_handshake_is_refused_is_told_once_and_the_leg_waits_on() {
    let mut client = Client::new(SIMULCAST);
    let mut events = vec![];
    for _ in 0..10 {
        client.comes(strange_hello());
        client.leg.drain_events(&mut events);
    }
    let why = "client requested SRTP but we have no matching profiles";
    assert_eq!(events, [LegEvent::Refused(why.to_owned())]);
    assert!(picture(&mut client, "f", 1, true).is_some());
}

#[test]
fn who_gives_up_without_keys_is_not_heard_and_the_leg_waits_on() {
    let mut client = Client::new(SIMULCAST);
    let mut events = vec![];
    for _ in 0..10 {
        client.comes(given_up());
        client.leg.drain_events(&mut events);
        assert!(!client.leg.transport.is_heard());
    }
    let why = "the client gave up with alert 40";
    assert_eq!(events, [LegEvent::Refused(why.to_owned())]);
    assert!(picture(&mut client, "f", 1, true).is_some());
}

/// A key frame of VP8 with these sides.
fn key_frame(width: u16, height: u16) -> Vec<u8> {
    let ([w0, w1], [h0, h1]) = (width.to_le_bytes(), height.to_le_bytes());
    vec![0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, w0, w1, h0, h1]
}

#[test]
fn layers_of_other_names_are_told_apart_by_their_order_and_then_by_their_size() {
    let offer = SIMULCAST
        .replace("a=simulcast:send q;h;f", "a=simulcast:send 0;1;2")
        .replace("a=rid:q", "a=rid:0")
        .replace("a=rid:h", "a=rid:1")
        .replace("a=rid:f", "a=rid:2");
    let mut client = Client::new(&offer);
    let mut layer = |rid: &str, seq, payload: &[u8]| {
        let out = Out {
            ssrc: u32::from(rid.as_bytes()[0]),
            seq,
            payload_type: VP8,
            extensions: &[(MID, b"1"), (RID, rid.as_bytes())],
            payload,
        };
        client.rtp(&out).map(|packet| packet.layer)
    };
    let part: &[u8] = &[0x00, 1, 2];
    assert_eq!(layer("0", 1, part), Some(Layer::Full));
    assert_eq!(layer("1", 1, part), Some(Layer::Half));
    assert_eq!(layer("2", 1, part), Some(Layer::Quarter));
    assert_eq!(layer("3", 1, part), None, "it was not agreed");
    // A browser that began with the smallest.
    assert_eq!(layer("0", 2, &key_frame(320, 180)), Some(Layer::Full));
    assert_eq!(layer("2", 2, &key_frame(1_280, 720)), Some(Layer::Full));
    assert_eq!(layer("0", 3, part), Some(Layer::Quarter));
    assert_eq!(layer("1", 2, &key_frame(640, 360)), Some(Layer::Half));
    assert_eq!(layer("2", 3, part), Some(Layer::Full));
}

#[test]
fn an_encoder_that_counts_its_layers_begins_with_the_largest() {
    let mut client = Client::new(ENCODER_LAYERS);
    let mut layer = |rid: u8| {
        let out = Out {
            ssrc: 1_352 + u32::from(rid),
            seq: 1,
            payload_type: 96,
            extensions: &[(1, b"1"), (2, &[b'0' + rid])],
            payload: &[0x65, 1],
        };
        client.rtp(&out).map(|packet| (packet.codec, packet.layer))
    };
    for (rid, taken) in (0..).zip([Layer::Full, Layer::Half, Layer::Quarter]) {
        assert_eq!(layer(rid), Some((Codec::H264, taken)));
    }
    assert_eq!(layer(3), None, "it was not answered");
}

#[test]
fn a_part_that_is_not_ours_and_a_codec_that_was_not_agreed_are_not_taken() {
    let mut client = Client::new(SIMULCAST);
    assert_eq!(sound(&mut client, 5, 1, b"7"), None);
    assert_eq!(
        sound(&mut client, 5, 2, b"1"),
        None,
        "no sound is sent there"
    );
    let heard = sound(&mut client, 5, 3, b"0").unwrap();
    assert_eq!((heard.codec, heard.level_dbov), (Codec::Opus, Some(-30)));
    let as_other = |client: &mut Client, payload_type, seq| {
        client.rtp(&Out {
            ssrc: 5,
            seq,
            payload_type,
            extensions: &[(MID, b"0")],
            payload: b"x",
        })
    };
    assert_eq!(as_other(&mut client, VP8, 4), None);
    assert_eq!(as_other(&mut client, 0, 5), None);
    assert!(as_other(&mut client, OPUS, 6).is_some());
}

#[test]
fn a_single_stream_is_known_by_what_the_offer_names_or_by_its_codec() {
    let bare = |client: &mut Client, ssrc, payload_type| {
        let out = Out {
            ssrc,
            seq: 1,
            payload_type,
            extensions: &[],
            payload: &[0x65, 1],
        };
        client.rtp(&out).map(|packet| (packet.codec, packet.layer))
    };
    let mut client = Client::new(PLAIN);
    let (sound, picture) = ((Codec::Opus, Layer::Full), (Codec::Vp8, Layer::Full));
    assert_eq!(bare(&mut client, 1, OPUS), Some(sound));
    assert_eq!(bare(&mut client, 77, VP8), Some(picture));
    // The number means something in both parts: only what the offer names is known.
    let same = ENCODER.replace("111", "96");
    let mut client = Client::new(&same);
    assert_eq!(bare(&mut client, 1, 96), None);
    assert_eq!(bare(&mut client, 1_351, 96), Some(sound));
    assert_eq!(
        bare(&mut client, 1_352, 96),
        Some((Codec::H264, Layer::Full))
    );
}

#[test]
fn a_payload_is_handed_on_where_it_lies_and_padding_is_none() {
    let mut client = Client::new(SIMULCAST);
    let mut packet = Out {
        ssrc: 1,
        seq: 1,
        payload_type: OPUS,
        extensions: &[],
        payload: &[9, 9, 9, 0, 2],
    }
    .write();
    packet[0] |= 0x20;
    let datagram = client.sealed(packet).unwrap();
    let lies = datagram.as_ptr_range();
    client.leg.receive(datagram, at(1), client.now);
    let mut events = vec![];
    client.leg.drain_events(&mut events);
    let [LegEvent::Rtp(packet)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(packet.payload[..], [9, 9, 9]);
    assert!(lies.contains(&packet.payload.as_ptr()));
}

#[test]
fn what_is_repeated_changed_or_from_an_unproved_address_does_not_come() {
    let mut client = Client::new(SIMULCAST);
    let packet = Out {
        ssrc: 1,
        seq: 1,
        payload_type: OPUS,
        extensions: &[],
        payload: b"sound",
    }
    .write();
    let good = client.sealed(packet).unwrap();
    let mut changed = good.clone();
    changed[20] ^= 1;
    let mut came = |datagram: &BytesMut, from| {
        client.leg.receive(datagram.clone(), from, client.now);
        let mut events = vec![];
        client.leg.drain_events(&mut events);
        events.len()
    };
    assert_eq!(came(&changed, at(1)), 0);
    assert_eq!(came(&good, at(2)), 0);
    assert_eq!(came(&good, at(1)), 1);
    assert_eq!(came(&good, at(1)), 0);
}

#[test]
fn who_restarts_its_streams_gets_in_when_the_old_ones_are_silent() {
    let mut client = Client::new(SIMULCAST);
    for ssrc in 1..=8 {
        assert!(sound(&mut client, ssrc, 1, b"0").is_some());
    }
    assert_eq!(sound(&mut client, 9, 1, b"0"), None);
    client.now += Duration::from_secs(20);
    assert!(sound(&mut client, 9, 2, b"0").is_some());
    assert!(sound(&mut client, 9, 3, b"0").is_some());
    assert_eq!(sound(&mut client, 1, 2, b"0"), None, "it gave way");
    assert_eq!(client.leg.streams.len(), 8);
}

#[test]
fn a_client_is_heard_by_what_nobody_can_repeat() {
    let mut client = Client::new(SIMULCAST);
    let theirs = client.leg.offer.offered.ufrag.clone();
    let checks: Vec<_> = (0..4)
        .map(|_| check(&client.leg.transport.ice, &theirs, false))
        .collect();
    let is_heard = |client: &mut Client, datagram: &[u8], from| {
        client.now += Duration::from_millis(100);
        client.leg.receive(datagram.into(), from, client.now)
    };
    assert!(is_heard(&mut client, &checks[0], at(1)));
    assert!(is_heard(&mut client, &checks[1], at(1)));
    for again in [&checks[0], &checks[1]] {
        for from in [at(1), at(2)] {
            assert!(!is_heard(&mut client, again, from), "it is repeated");
        }
    }
    assert!(
        !is_heard(&mut client, &checks[2], at(2)),
        "overtaken by a copy"
    );
    assert!(is_heard(&mut client, &checks[2], at(1)));
    for anybodys in [
        &[22, 254, 253, 0][..],
        &[20; 40],
        &[0x80, 111, 0, 1],
        &[0x80, 201],
    ] {
        assert!(!is_heard(&mut client, anybodys, at(1)), "{anybodys:?}");
    }
    let word = Out {
        ssrc: 1,
        seq: 1,
        payload_type: OPUS,
        extensions: &[],
        payload: b"word",
    };
    let word = client.sealed(word.write()).unwrap();
    assert!(is_heard(&mut client, &word, at(1)));
    assert!(!is_heard(&mut client, &word, at(1)));
    // Of many, too.
    for _ in 0..200 {
        let another = check(&client.leg.transport.ice, &theirs, false);
        assert!(is_heard(&mut client, &another, at(1)));
    }
    assert!(!is_heard(&mut client, &checks[0], at(1)));
}

/// A client that was heard just now, and goes on elsewhere without naming it: so many words, and its line.
fn elsewhere(words: u16) -> (Vec<BytesMut>, Line, Instant) {
    let mut client = Client::new(SIMULCAST);
    let mut said = (0..=words).filter_map(|seq| {
        let word = Out {
            ssrc: 1,
            seq,
            payload_type: OPUS,
            extensions: &[],
            payload: b"word",
        };
        client.sealed(word.write())
    });
    let (first, said) = (said.next().unwrap(), said.collect());
    client.comes(first);
    client.moves(at(2), false);
    assert_eq!(client.leg.path(), Some(at(1)));
    (
        said,
        Line::new(Box::new(client.leg), client.now),
        client.now,
    )
}

#[test]
fn who_goes_on_at_a_new_address_loses_nothing_to_what_strangers_may_send() {
    let (words, mut line, now) = elsewhere(1_000);
    let mut read = || {
        words
            .iter()
            .filter(|word| line.comes(word, at(2), now))
            .count()
    };
    assert_eq!(read(), 1_000);
    assert_eq!(read(), 200, "what is repeated is a stranger's");
}

#[test]
fn who_goes_on_at_a_new_address_may_send_no_more_than_before() {
    let (words, mut line, now) = elsewhere(3_000);
    let read = words.iter().filter(|word| line.comes(word, at(2), now));
    assert_eq!(read.count(), 2_000 + 200);
}

#[test]
fn a_late_packet_from_the_former_address_does_not_lead_back() {
    let mut client = Client::new(SIMULCAST);
    let mut words = [1, 2, 3, 4].map(|seq| {
        let word = Out {
            ssrc: 1,
            seq,
            payload_type: OPUS,
            extensions: &[],
            payload: b"word",
        };
        client.sealed(word.write())
    });
    let mut comes = |client: &mut Client, seq: usize, from| {
        let word = words[seq - 1].take().unwrap();
        client.leg.receive(word, from, client.now);
        client.leg.transport.ice.path()
    };
    assert_eq!(comes(&mut client, 1, at(1)), Some(at(1)));
    client.moves(at(2), true);
    assert_eq!(comes(&mut client, 3, at(2)), Some(at(2)));
    assert_eq!(comes(&mut client, 2, at(1)), Some(at(2)));
    assert_eq!(comes(&mut client, 4, at(3)), Some(at(2)), "not proved");
}

#[test]
fn questions_and_reports_follow_the_client_to_its_new_address() {
    let mut client = Client::new(SIMULCAST);
    assert!(!client.leg.ask_key_frame(Layer::Full, client.now));
    for (port, names) in [(1, true), (2, true), (3, false), (4, true)] {
        client.moves(at(port), names);
        let told: Vec<_> = client.drain();
        assert!(
            told.iter().all(|(to, _)| *to == at(port)),
            "the check's answer"
        );
        let first = 10 * port;
        for seq in [first, first + 2] {
            let out = Out {
                ssrc: 70,
                seq,
                payload_type: VP8,
                extensions: &[(MID, b"1"), (RID, b"f"), (TWCC, &seq.to_be_bytes())],
                payload: &[0x10, 1],
            };
            assert_eq!(client.rtp(&out).unwrap().layer, Layer::Full);
        }
        assert!(client.leg.ask_key_frame(Layer::Full, client.now));
        client.now += Duration::from_secs(1);
        let due = client.leg.deadline().unwrap();
        assert!(due < client.now);
        client.leg.tick(due);
        client.leg.tick(client.now - Duration::from_millis(500));
        client.leg.tick(client.now);
        let sent = client.drain();
        assert!(sent.iter().all(|(to, _)| *to == at(port)));
        let said = sent.iter().flat_map(|(_, packets)| packets);
        let said: Vec<&dyn Packet> = said.map(|packet| &**packet).collect();
        let pli = |pli: &PictureLossIndication| pli.media_ssrc == 70;
        let nack = |nack: &TransportLayerNack| {
            let mut asked = nack.nacks.iter().flat_map(|pair| pair.packet_list());
            asked.any(|seq| seq == first + 1)
        };
        let report = |report: &ReceiverReport| report.reports[0].ssrc == 70;
        let arrivals = |arrivals: &TransportLayerCc| arrivals.media_ssrc == 70;
        assert!(found(&said, pli) && found(&said, nack), "{said:?}");
        assert!(found(&said, report) && found(&said, arrivals), "{said:?}");
    }
}

/// What is said in each datagram with reports while pictures come, two of them are lost, and a key frame is wanted.
fn said_of_pictures(offer: &str) -> Vec<Vec<Box<dyn Packet>>> {
    let mut client = Client::new(offer);
    for seq in [1, 3, 6] {
        let out = Out {
            ssrc: 70,
            seq,
            payload_type: VP8,
            extensions: &[(MID, b"1"), (RID, b"f"), (TWCC, &seq.to_be_bytes())],
            payload: &[0x10, 1],
        };
        client.rtp(&out).unwrap();
    }
    assert!(client.leg.ask_key_frame(Layer::Full, client.now));
    for _ in 0..8 {
        client.now += Duration::from_millis(250);
        client.leg.tick(client.now);
    }
    let said = client.drain().into_iter().map(|(_, packets)| packets);
    said.filter(|packets| !packets.is_empty()).collect()
}

fn is<T: 'static>(packet: &dyn Packet) -> bool {
    packet.as_any().is::<T>()
}

#[test]
fn who_does_not_take_short_reports_gets_none() {
    for without in [
        SIMULCAST.replace("a=rtcp-rsize\r\n", ""),
        // Feedback is about all parts.
        SIMULCAST.replacen("a=rtcp-rsize\r\n", "", 1),
    ] {
        let said = said_of_pictures(&without);
        for packets in &said {
            assert!(is::<ReceiverReport>(&*packets[0]), "{packets:?}");
            let named = packets.iter().any(|one| is::<SourceDescription>(&**one));
            assert!(named, "{packets:?}");
        }
        let said: Vec<&dyn Packet> = said.iter().flatten().map(|packet| &**packet).collect();
        assert!(found(&said, |_: &PictureLossIndication| true));
        assert!(found(&said, |_: &TransportLayerNack| true));
        assert!(found(&said, |_: &TransportLayerCc| true));
    }
}

#[test]
fn who_takes_short_reports_gets_feedback_alone_and_hears_in_whole_ones_who_we_are() {
    assert!(SIMULCAST.matches("a=rtcp-rsize\r\n").count() == 2);
    let said = said_of_pictures(SIMULCAST);
    let (whole, short): (Vec<_>, Vec<_>) = said
        .iter()
        .partition(|packets| is::<ReceiverReport>(&*packets[0]));
    assert!(short.len() >= 3 && short.iter().all(|packets| packets.len() == 1));
    let name = |packets: &Vec<Box<dyn Packet>>| {
        let names: &SourceDescription = packets[1].as_any().downcast_ref().unwrap();
        assert_eq!(names.chunks[0].source, OUR_SSRC);
        names.chunks[0].items[0].text.clone()
    };
    let names: Vec<_> = whole.into_iter().map(name).collect();
    assert!(!names.is_empty() && names.iter().all(|name| *name == names[0]));
    let other = said_of_pictures(&SIMULCAST.replace("a=rtcp-rsize\r\n", ""));
    assert_ne!(name(&other[0]), names[0], "another connection's");
}

fn found<T: 'static>(said: &[&dyn Packet], is_meant: impl Fn(&T) -> bool) -> bool {
    let mut of_kind = said.iter().filter_map(|one| one.as_any().downcast_ref());
    of_kind.any(is_meant)
}
