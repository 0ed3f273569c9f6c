//! What is said to those who offer an uplink.

use super::{ENCODER, SIMULCAST, engine};
use crate::engine::sdp;
use expect_test::expect;
use std::time::Instant;

const AIORTC: &str = include_str!("../../../../corpus/sdp_offer/aiortc");
const CHROMIUM: &str = include_str!("../../../../corpus/sdp_offer/chromium_room");
const CHROMIUM_H264: &str = include_str!("../../../../corpus/sdp_offer/chromium_h264");
const FIREFOX: &str = include_str!("../../../../corpus/sdp_offer/firefox_room");

/// The answer without what is new in each.
fn answered(offer: &str) -> String {
    let now = Instant::now();
    let engine = engine(now).with_tcp(443);
    let (leg, answer) = engine.answer_uplink(offer, now).unwrap();
    let secret = |line: &&str| line.starts_with("a=ice-pwd:") || line.starts_with("o=-");
    assert_eq!(sdp::ufrag(&answer), Some(leg.ufrag()));
    assert_eq!(sdp::fingerprint(&answer), Some(engine.identity.fingerprint));
    assert!(answer.lines().filter(secret).all(|line| line.len() > 20));
    assert!(
        answer
            .split_inclusive('\n')
            .all(|line| line.ends_with("\r\n"))
    );
    let shown = |line: &&str| {
        let hidden = ["o=-", "a=ice-", "a=fingerprint:"];
        *line == "a=ice-lite" || !hidden.iter().any(|what| line.starts_with(what))
    };
    let lines: Vec<&str> = answer.lines().filter(shown).collect();
    lines.join("\n")
}

#[test]
fn chromium_is_answered() {
    expect![[r#"
        v=0
        s=-
        t=0 0
        a=ice-lite
        a=extmap-allow-mixed
        a=group:BUNDLE 0 1
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=setup:passive
        a=mid:0
        a=rtcp-mux
        a=rtcp-rsize
        a=recvonly
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1
        a=rtcp-fb:111 transport-cc
        a=candidate:0 1 udp 2130706431 192.0.2.1 7881 typ host
        a=candidate:tcp0 1 tcp 1516240895 192.0.2.1 443 typ host tcptype passive
        a=candidate:1 1 udp 2130706430 2001:db8::1 7881 typ host
        a=candidate:tcp1 1 tcp 1516240639 2001:db8::1 443 typ host tcptype passive
        a=end-of-candidates
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=setup:passive
        a=mid:1
        a=rtcp-mux
        a=rtcp-rsize
        a=recvonly
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rid:q recv
        a=rid:h recv
        a=rid:f recv
        a=simulcast:recv q;h;f
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc"#]]
    .assert_eq(&answered(CHROMIUM));
}

#[test]
fn firefox_is_answered() {
    expect![[r#"
        v=0
        s=-
        t=0 0
        a=ice-lite
        a=extmap-allow-mixed
        a=group:BUNDLE 0 1
        m=audio 9 UDP/TLS/RTP/SAVPF 109
        c=IN IP4 0.0.0.0
        a=setup:passive
        a=mid:0
        a=rtcp-mux
        a=recvonly
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rtpmap:109 opus/48000/2
        a=fmtp:109 minptime=10;useinbandfec=1;usedtx=1
        a=rtcp-fb:109 transport-cc
        a=candidate:0 1 udp 2130706431 192.0.2.1 7881 typ host
        a=candidate:tcp0 1 tcp 1516240895 192.0.2.1 443 typ host tcptype passive
        a=candidate:1 1 udp 2130706430 2001:db8::1 7881 typ host
        a=candidate:tcp1 1 tcp 1516240639 2001:db8::1 443 typ host tcptype passive
        a=end-of-candidates
        m=video 9 UDP/TLS/RTP/SAVPF 120
        c=IN IP4 0.0.0.0
        a=setup:passive
        a=mid:1
        a=rtcp-mux
        a=rtcp-rsize
        a=recvonly
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rid:q recv
        a=rid:h recv
        a=rid:f recv
        a=simulcast:recv q;h;f
        a=rtpmap:120 VP8/90000
        a=rtcp-fb:120 nack
        a=rtcp-fb:120 nack pli
        a=rtcp-fb:120 ccm fir
        a=rtcp-fb:120 transport-cc"#]]
    .assert_eq(&answered(FIREFOX));
}

#[test]
fn an_encoder_is_answered() {
    expect![[r#"
        v=0
        s=-
        t=0 0
        a=ice-lite
        a=extmap-allow-mixed
        a=group:BUNDLE 0 1
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=setup:passive
        a=mid:0
        a=rtcp-mux
        a=recvonly
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1
        a=candidate:0 1 udp 2130706431 192.0.2.1 7881 typ host
        a=candidate:tcp0 1 tcp 1516240895 192.0.2.1 443 typ host tcptype passive
        a=candidate:1 1 udp 2130706430 2001:db8::1 7881 typ host
        a=candidate:tcp1 1 tcp 1516240639 2001:db8::1 443 typ host tcptype passive
        a=end-of-candidates
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=setup:passive
        a=mid:1
        a=rtcp-mux
        a=recvonly
        a=rtpmap:96 H264/90000
        a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli"#]]
    .assert_eq(&answered(ENCODER));
}

#[test]
fn of_h264_the_kind_is_taken_that_everybody_reads() {
    let numbers = |offer: &str| {
        let answer = answered(offer);
        let mut lines = answer.lines();
        let numbers = lines.find_map(|line| line.strip_prefix("m=video 9 UDP/TLS/RTP/SAVPF "));
        numbers.map(str::to_owned)
    };
    assert_eq!(numbers(CHROMIUM_H264).as_deref(), Some("108"));
    assert_eq!(
        numbers(AIORTC).as_deref(),
        Some("97"),
        "one picture, one codec"
    );
}

#[test]
fn constrained_baseline_is_known_by_its_bits_however_it_is_written() {
    let settings = |theirs: &str| {
        let own = "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1";
        let answer = answered(&ENCODER.replace(own, theirs));
        let mut lines = answer.lines();
        let said = lines.find_map(|line| line.strip_prefix("a=fmtp:96 "));
        said.map(str::to_owned)
    };
    let taken = |profile: &str| {
        let said = settings(&format!("packetization-mode=1;profile-level-id={profile}"));
        let ours = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id";
        said.is_some_and(|said| said == format!("{ours}={profile}"))
    };
    for profile in [
        "42e01f", "42C01F", "42c028", "42400a", "4d801f", "4de01f", "58c01f",
    ] {
        assert!(taken(profile), "{profile}");
    }
    let others = [
        "42001f", "42801f", "42e11f", "4d001f", "4d401f", "58801f", "64001f", "42e0", "42e01f0",
        "+2e01f", "",
    ];
    for profile in others {
        assert!(!taken(profile), "{profile}");
    }
    assert_eq!(
        settings("profile-level-id=42e01f"),
        None,
        "whole units only"
    );
    assert_eq!(
        settings("packetization-mode=10;profile-level-id=42e01f"),
        None
    );
    assert_eq!(settings("packetization-mode=1"), None);
    // What an encoder says of its own stream is long, and not ours to say.
    let sets = "Z0LAKdoBQBboQAAAAwBAAAAMg8YMqA==,".repeat(8);
    let said = settings(&format!(
        "sprop-parameter-sets={sets}; Packetization-Mode=1; PROFILE-LEVEL-ID=42C029"
    ));
    let ours = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42C029";
    assert_eq!(said.as_deref(), Some(ours));
}

#[test]
fn what_does_not_send_is_kept_and_what_nobody_reads_is_refused() {
    let parts = |offer: &str| -> Vec<String> {
        let answer = answered(offer);
        let is_shown = |line: &&str| line.starts_with("m=") || line.ends_with("active");
        answer.lines().filter(is_shown).map(str::to_owned).collect()
    };
    let silent = SIMULCAST.replacen("a=sendonly", "a=inactive", 1);
    assert_eq!(
        parts(&silent),
        [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "a=inactive",
            "m=video 9 UDP/TLS/RTP/SAVPF 96"
        ]
    );
    let other = SIMULCAST.replace("VP8", "VP9");
    assert_eq!(
        parts(&other),
        [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "m=video 0 UDP/TLS/RTP/SAVPF 96",
            "a=inactive"
        ]
    );
    assert!(answered(&other).contains("a=group:BUNDLE 0\n"));
    let none = other.replace("opus", "unknown");
    assert!(
        engine(Instant::now())
            .answer_uplink(&none, Instant::now())
            .is_err()
    );
}

#[test]
fn parts_that_do_not_share_one_way_are_refused_with_a_reason() {
    let now = Instant::now();
    let refused = |offer: &str| {
        let answer = engine(now).answer_uplink(offer, now);
        answer.map(|_| ()).map_err(|error| error.to_string())
    };
    let is_bundle = |why: Result<(), String>| why.is_err_and(|why| why.contains("BUNDLE"));
    let bundle = "a=group:BUNDLE 0 1\r\n";
    assert!(SIMULCAST.contains(bundle) && refused(SIMULCAST).is_ok());
    for other in [
        "",
        "a=group:BUNDLE 0\r\n",
        "a=group:BUNDLE 0 11\r\n",
        "a=group:LS 0 1\r\n",
    ] {
        assert!(
            is_bundle(refused(&SIMULCAST.replace(bundle, other))),
            "{other}"
        );
    }
    let unmuxed = SIMULCAST.replacen("a=rtcp-mux\r\n", "", 1);
    assert!(refused(&unmuxed).is_err_and(|why| why.contains("rtcp-mux")));
    // A part that has only the way of another takes what is said there (RFC 8829, 5.2.1).
    let (first, second) = SIMULCAST.split_once("m=video 9").unwrap();
    let second = second.replace("a=rtcp-mux", "a=bundle-only");
    assert!(refused(&format!("{first}m=video 0{second}")).is_ok());
    // Who sends one thing, or only one that we take, needs no bundle, and is not told of one.
    let data = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:2\r\na=rtpmap:0 PCMU/8000\r\n";
    let (first, _) = SIMULCAST.split_once("m=video 9").unwrap();
    let one = first.replace(bundle, "");
    assert!(!answered(&one).contains("BUNDLE"));
    assert!(sdp::read(&(one + data)).is_ok());
}

#[test]
fn an_extension_without_a_valid_number_is_not_answered() {
    let offer = SIMULCAST.replace("a=extmap:4 ", "a=extmap:0 ");
    assert!(offer != SIMULCAST && !answered(&offer).contains("a=extmap:0"));
    assert!(answered(SIMULCAST).contains("a=extmap:4"));
}

#[test]
fn the_side_of_the_handshake_is_the_one_that_is_left() {
    let setup = |theirs: &str| {
        let offer = SIMULCAST.replace("a=setup:actpass", &format!("a=setup:{theirs}"));
        let answer = engine(Instant::now()).answer_uplink(&offer, Instant::now());
        answer.map(|(_, answer)| sdp::setup(&answer).map(str::to_owned))
    };
    assert_eq!(setup("actpass").unwrap().unwrap(), "passive");
    assert_eq!(setup("active").unwrap().unwrap(), "passive");
    assert_eq!(setup("passive").unwrap().unwrap(), "active");
    assert!(setup("holdconn").is_err());
}

#[test]
fn layers_are_taken_in_the_order_of_the_simulcast() {
    let simulcast = |line: &str| {
        let offer = SIMULCAST.replace("a=simulcast:send q;h;f", line);
        let answer = answered(&offer);
        let found = answer.lines().find(|line| line.starts_with("a=simulcast"));
        found.map(str::to_owned)
    };
    let ours = |rids| Some(format!("a=simulcast:recv {rids}"));
    assert_eq!(simulcast("a=simulcast:send f;~h;q"), ours("f;h;q"));
    assert_eq!(simulcast("a=simulcast:send q,f;h;x;q"), ours("q;h"));
    assert_eq!(simulcast("a=simulcast:recv q send h"), ours("h"));
    assert_eq!(simulcast("a=simulcast:recv q"), None);
    let unnamed = SIMULCAST.replace("sdes:rtp-stream-id", "sdes:other");
    assert!(!answered(&unnamed).contains("a=rid"));
}

/// An offer with other layers than q, h and f.
fn with_layers(rids: &str, order: &str) -> String {
    let theirs = "a=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f\r\n";
    assert!(SIMULCAST.contains(theirs));
    let rids: String = rids.lines().map(|rid| format!("a=rid:{rid}\r\n")).collect();
    SIMULCAST.replace(theirs, &format!("{rids}a=simulcast:send {order}\r\n"))
}

#[test]
fn layers_may_have_any_names_and_what_is_not_taken_is_not_answered() {
    let layers = |rids: &str, order: &str| {
        let offer = with_layers(rids, order);
        sdp::check_uplink_offer(&offer).unwrap();
        let answer = answered(&offer);
        let said = answer.lines().filter_map(|line| {
            let rid = line.strip_prefix("a=rid:");
            rid.or(line.strip_prefix("a=simulcast:"))
        });
        said.collect::<Vec<_>>().join(" | ")
    };
    assert_eq!(
        layers("0 send\n1 send\n2 send\n3 send", "0;1;2;3"),
        "0 recv | 1 recv | 2 recv | recv 0;1;2",
        "as OBS offers them"
    );
    assert_eq!(
        layers("hi send\nlo send", "hi;lo"),
        "hi recv | lo recv | recv hi;lo"
    );
    assert_eq!(
        layers("f send\nother send\nh send", "other;f;h"),
        "f recv | h recv | recv f;h",
        "a name that says what it is goes before one that does not"
    );
    assert_eq!(
        layers(
            "1 send pt=97,96;max-width=640\n2 send pt=97\n3 send",
            "2,3;1"
        ),
        "3 recv | 1 recv pt=96;max-width=640 | recv 3;1"
    );
    let long = "a".repeat(33);
    assert_eq!(
        layers(
            &format!("{long} send\nA_-9 send\n10 recv"),
            &format!("{long};A_-9;10;1;")
        ),
        "A_-9 recv | recv A_-9"
    );
}
