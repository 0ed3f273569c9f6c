//! Packets that no client writes, as they are read once its key has opened them: whoever is admitted may send any.

use super::tests::{Client, OPUS, Out};
use super::*;
use crate::engine::sdp;
use crate::engine::wire::srtp::Profile;
use diemcau_fuzz::{Fuzz, outcome};

const OFFER: &str = include_str!("../../../corpus/sdp_offer/simulcast");
/// A stream that goes on beside whatever else comes.
const SOUND: u32 = 0x50_55_4e_44;

/// A datagram of RTP or RTCP under the client's own key. Nothing of it may bring the leg down, be taken for what the offer
/// does not name, or keep the client's other stream from going on.
#[test]
fn uplink() {
    let fuzz = Fuzz {
        name: "uplink",
        corpus: "corpus/uplink",
        words: &["\u{10}q", "\u{10}h", "\u{10}f", "@1", "@0", "1\u{0}\u{1}"],
        inputs: 100_000,
        longest: 1_400,
    };
    let (mut client, mut taken) = (Client::new(OFFER), 0_u16);
    let mut profiles = [Profile::Gcm, Profile::Cm];
    fuzz.run(|input| {
        // A fresh leg now and then, which knows no streams yet; and before its client's numbers roll over, for that does not
        // count how often they have.
        if taken == 500 {
            profiles.rotate_left(1);
            (client, taken) = (Client::keyed(OFFER, profiles[0]), 0);
        }
        taken += 1;
        client.now += Duration::from_millis(5);
        let sound = Out {
            ssrc: SOUND,
            seq: taken,
            payload_type: OPUS,
            extensions: &[],
            payload: b"sound",
        };
        let heard = client.rtp(&sound).map(|packet| packet.codec);
        assert_eq!(heard, Some(Codec::Opus), "its sound does not come any more");

        let is_sound = Header::read(input).is_some_and(|header| header.ssrc == SOUND);
        let events = match is_sound {
            true => vec![],
            false => client.sends(input.to_vec()),
        };
        for event in &events {
            match event {
                LegEvent::Rtp(packet) => {
                    assert!(packet.payload.len() + 12 <= input.len());
                    let is_ours = match packet.codec {
                        Codec::Opus => packet.layer == Layer::Full,
                        Codec::Vp8 => Layer::ALL.contains(&packet.layer),
                        Codec::H264 => false,
                    };
                    assert!(is_ours, "{packet:?}");
                }
                LegEvent::Lost { .. } => {}
                LegEvent::Connected
                | LegEvent::Failed(_)
                | LegEvent::Refused(_)
                | LegEvent::KeyFrameWanted { .. }
                | LegEvent::RoundTrip { .. }
                | LegEvent::Arrived { .. } => panic!("a packet led to {event:?}"),
            }
        }
        if client.leg.deadline().is_some_and(|due| due <= client.now) {
            client.leg.tick(client.now);
        }
        let said = client.drain();
        assert!(said.len() < 16, "{} reports at once", said.len());
        outcome((events.len(), said.len(), client.leg.streams.len()))
    });
}

/// What a client says it sends: answered with as many parts, and nothing of it is said back at length.
#[test]
fn uplink_offer() {
    let fuzz = Fuzz {
        name: "uplink_offer",
        corpus: "corpus/sdp_offer",
        words: &[
            "\r\n",
            "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n",
            "a=bundle-only\r\n",
            "a=mid:0\r\n",
            "a=rid:q send\r\n",
            "a=simulcast:send q;~h,f\r\n",
            "a=setup:passive\r\n",
            "a=rtpmap:96 H264/90000\r\n",
            "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n",
            "a=rtcp-fb:* nack\r\n",
            "a=inactive\r\n",
        ],
        inputs: 20_000,
        longest: 8 * 1024,
    };
    let now = Instant::now();
    let engine = Engine::new(crate::engine::Addresses(vec![]), now).unwrap();
    let ice = Transport::new(engine.identity.clone()).unwrap().ice;
    fuzz.run(|input| {
        let text = String::from_utf8_lossy(input);
        let Ok(offer) = offer::read(&text) else {
            return outcome(0);
        };
        let answer = offer::answer(&offer, &engine.ours(&ice).unwrap());
        let parts = sdp::parts(&answer).count();
        assert_eq!(parts, sdp::parts(&text).count());
        assert!(answer.lines().all(|line| line.len() < 640), "{answer}");
        let of = |what: &str| answer.lines().filter(|line| line.starts_with(what)).count();
        outcome((parts, of("a=rid:"), of("a=rtpmap:"), of("a=recvonly")))
    });
}
