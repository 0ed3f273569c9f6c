//! A player that knows the other profile only.

use super::*;
use crate::engine::wire::rtp::Header;

/// The datagrams that leave now.
pub fn datagrams(leg: &mut Downlink, now: Instant) -> Vec<Vec<u8>> {
    let mut datagrams = vec![];
    leg.drain_datagrams(&mut Outlet {
        now,
        segments_max: 64,
        buffer: &mut vec![],
        send: &mut |run| datagrams.extend(run.bytes.chunks(run.segment).map(<[u8]>::to_vec)),
    });
    datagrams
}

#[test]
fn a_player_of_the_other_profile_hears_and_sees_and_is_heard() {
    let now = Instant::now();
    let mut leg = open(at(1), now);
    leg.transport.key(Profile::Cm);
    let (mut sealer, mut opener) = keys(Profile::Cm, true);
    let codec = Codec::Opus;
    let sound = packet(1, 100);
    assert!(leg.send(VIDEO_SLOTS, RtpOut { codec, ..sound }, now));
    for seq in 1..=6 {
        assert!(leg.send(0, packet(seq, 1_000 + usize::from(seq > 3)), now));
    }
    let came = datagrams(&mut leg, now);
    let mut read = |protected: &Vec<u8>| {
        let mut packet = protected.clone();
        let header = Header::read(&packet).unwrap();
        opener.open_rtp(&mut packet, &header, now).unwrap();
        packet.truncate(packet.len() - Profile::Cm.tag_bytes());
        let end = header.payload_end(&packet).unwrap();
        assert!(packet[header.length..end].iter().all(|byte| *byte == 1));
        (header.ssrc, header.seq, end - header.length)
    };
    let parts = [
        (1, 1_000),
        (2, 1_000),
        (3, 1_000),
        (4, 1_001),
        (5, 1_001),
        (6, 1_001),
    ];
    let parts = parts.map(|(seq, bytes)| (ssrc_of(0), seq, bytes));
    let expected = [&parts[..], &[(ssrc_of(VIDEO_SLOTS), 1, 100)]].concat();
    assert_eq!(came.iter().map(&mut read).collect::<Vec<_>>(), expected);

    let missing: Box<dyn Packet> = Box::new(TransportLayerNack {
        sender_ssrc: 7,
        media_ssrc: ssrc_of(0),
        nacks: nack_pairs_from_sequence_numbers(&[2]),
    });
    let mut report = marshal(&[missing]).unwrap().to_vec();
    sealer.seal_rtcp(&mut report).unwrap();
    leg.receive(BytesMut::from(&report[..]), at(1), now);
    assert_eq!(datagrams(&mut leg, now), [came[1].clone()], "sent again");
}
