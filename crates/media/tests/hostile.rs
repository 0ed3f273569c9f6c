//! A client that was admitted and has keys, and sends under them what no client sends. Two rooms beside it hear and see
//! each other on, and nothing of it appears in any place.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails should stop here"
)]

mod support;

use diemcau_fuzz::Chance;
use diemcau_model::{EndpointKind, SiteId};
use diemcau_probe::payload;
use std::time::{Duration, Instant};
use support::keyed::{Keyed, LEVEL, MID, OPUS, Out, RID, Setup, VP8};
use support::{Hall, PATIENCE, VOICES};

const HOSTILE: u64 = 9;
const SITE: u16 = 2;
/// Written into everything it sends.
const MARK: u16 = 666;
/// Its one honest sound.
const SOUND: u32 = 0x50_55_4e_44;

/// Two rooms that hear and see each other, and the client that does harm. Its site is on no screen and has no floor.
struct Fight {
    hall: Hall,
    hostile: Keyed,
    /// The number of its last sound, and how far the next lies from it.
    sounds: u16,
    step: u16,
}

impl Fight {
    async fn begin() -> Self {
        let mut hall = Hall::with_rooms(2).await;
        let hostile = Keyed::enter(&mut hall, HOSTILE, SITE, Setup::Active).await;
        hall.set_stage(|stage| {
            stage.carriers.insert(SiteId(SITE), EndpointKind::Room);
            stage.heard = [SiteId(0), SiteId(1)].into();
            stage.programme = Some(SiteId(0));
        });
        for room in [0, 1] {
            hall.screen(room, 720, &[180, 180]).await;
        }
        let mut fight = Self {
            hall,
            hostile,
            sounds: 0,
            step: 1,
        };
        fight.both_go_on("before it").await;
        fight
    }

    /// What each room has of the other: sounds, and packets of the picture in its tile.
    fn have(&self) -> [(u64, u64); 2] {
        [0, 1].map(|room| {
            let other = 1 - u16::try_from(room).unwrap();
            let tile = 1 + usize::from(other);
            let seen = self.hall.seen(room);
            (self.hall.sounds(room, other), seen.packets(tile, other))
        })
    }

    /// What each room has sent.
    fn sent(&self) -> [u64; 2] {
        [0, 1].map(|room| self.hall.seen(room).sent)
    }

    /// Both rooms get what the other sends, and neither a packet of the third.
    async fn both_go_on(&mut self, when: &str) {
        let before = self.have();
        let all = |now: [(u64, u64); 2]| {
            let gone_on = before.iter().zip(now);
            gone_on
                .into_iter()
                .all(|(before, now)| now.0 > before.0 + 20 && now.1 > before.1 + 20)
        };
        let start = Instant::now();
        while !all(self.have()) {
            assert!(start.elapsed() < PATIENCE, "they do not go on {when}");
            self.sound().await;
            self.hall.take_mail();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(self.appeared(), 0, "{when}");
    }

    /// And have missed nothing since the beginning.
    async fn both_go_on_whole(&mut self, when: &str) {
        self.both_go_on(when).await;
        for room in [0, 1] {
            let seen = self.hall.seen(room);
            let gaps = seen.slots.values().map(|slot| slot.missing.len());
            assert_eq!(gaps.sum::<usize>(), 0, "room {room} misses packets {when}");
            let strays: u64 = seen.slots.values().map(|slot| slot.strays).sum();
            assert_eq!(strays, 0, "room {room} got packets twice {when}");
            let jumps: u64 = seen.slots.values().map(|slot| slot.picture_jumps).sum();
            assert_eq!(jumps, 0, "room {room} saw a picture jump {when}");
        }
    }

    /// Packets of the hostile client at the rooms.
    fn appeared(&self) -> u64 {
        let at = |room| {
            let seen = self.hall.seen(room);
            let slots: Vec<usize> = seen.slots.keys().copied().collect();
            seen.packets_in(slots, MARK)
        };
        at(0) + at(1)
    }

    /// A right packet of its own sound: nobody may hear it, until its site has the floor.
    async fn sound(&mut self) {
        self.sounds = self.sounds.wrapping_add(self.step);
        let payload = payload::audio(MARK, self.sounds.into());
        let packet = Out {
            ssrc: SOUND,
            seq: self.sounds,
            payload_type: OPUS,
            extensions: &[(MID, b"0"), (LEVEL, &[0x80])],
            payload: &payload,
        };
        assert!(self.hostile.send(&packet.write()).await);
    }

    /// It still has its own place, and no other: with the floor it is heard, and only in its own sound.
    async fn end(mut self) {
        self.hall.grant(SITE);
        let start = Instant::now();
        while self.hall.sounds(0, MARK) < 10 || self.hall.sounds(1, MARK) < 10 {
            assert!(start.elapsed() < PATIENCE, "it is not heard with the floor");
            self.sound().await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.hall.close().await;
    }
}

/// The names and streams another peer's offer shows.
async fn names_of(hall: &Hall, peer: u64) -> (Vec<String>, Vec<u32>) {
    let offer = hall.probe(peer).uplink_offer().await;
    let all = |name: &str| -> Vec<String> {
        let values = offer.lines().filter_map(|line| line.strip_prefix(name));
        let first = values.filter_map(|value| value.split_whitespace().next());
        first.map(str::to_owned).collect()
    };
    let ssrcs = all("a=ssrc:")
        .iter()
        .map(|ssrc| ssrc.parse().unwrap())
        .collect();
    (all("a=mid:"), ssrcs)
}

fn picture(ssrc: u32, seq: u16, mid: &[u8], rid: &[u8]) -> Vec<u8> {
    let payload = payload::video(MARK, 2, seq.into(), seq, true, true);
    let packet = Out {
        ssrc,
        seq,
        payload_type: VP8,
        extensions: &[(MID, mid), (RID, rid)],
        payload: &payload,
    };
    packet.write()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_under_other_names_and_streams_changes_nothing() {
    let mut fight = Fight::begin().await;
    let (mids, mut ssrcs) = names_of(&fight.hall, 0).await;
    assert!(!mids.is_empty());
    ssrcs.extend((0..2_000_u32).map(|n| n.wrapping_mul(2_654_435_761)));
    for (n, ssrc) in (1..).zip(ssrcs) {
        let mid = mids[usize::from(n) % mids.len()].as_bytes();
        for rid in ["q", "h", "f", "x"] {
            fight
                .hostile
                .send(&picture(ssrc, n, mid, rid.as_bytes()))
                .await;
        }
        if n % 50 == 0 {
            fight.sound().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    fight.both_go_on_whole("beside other names").await;
    fight.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_repeats_its_packets_is_heard_once_also_when_it_has_the_floor_again() {
    const WORDS: u16 = 200;
    let mut fight = Fight::begin().await;
    let mut word = |n: u16| {
        let payload = payload::audio(MARK, n.into());
        let packet = Out {
            ssrc: 77,
            seq: n,
            payload_type: OPUS,
            extensions: &[(MID, b"0")],
            payload: &payload,
        };
        fight.hostile.sealed(&packet.write()).unwrap()
    };
    let words: Vec<_> = (1..=WORDS).map(&mut word).collect();
    let newer: Vec<_> = (WORDS + 1..=WORDS + 50).map(&mut word).collect();
    let heard = |hall: &Hall| hall.sounds(0, MARK);

    fight.hall.grant(SITE);
    fight.hall.while_sending(0, 50).await;
    for (n, word) in words.iter().enumerate() {
        for said in [word, word, &words[n / 2]] {
            fight.hostile.socket.send(said).await.unwrap();
        }
        if n % 20 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let all = u64::from(WORDS);
    let hall = &mut fight.hall;
    hall.until("all is heard", |hall| heard(hall) == all).await;
    hall.grant(1);
    hall.until("room 0 hears room 1 instead", |hall| hall.sounds(0, 1) > 10)
        .await;
    hall.grant(SITE);
    hall.while_sending(0, 50).await;
    for word in &words {
        fight.hostile.socket.send(word).await.unwrap();
    }
    fight.hall.while_sending(0, 100).await;
    assert_eq!(heard(&fight.hall), all, "old words are heard");
    for word in &newer {
        fight.hostile.socket.send(word).await.unwrap();
    }
    let hall = &mut fight.hall;
    hall.until("new words are heard", |hall| heard(hall) == all + 50)
        .await;
    fight.hall.close().await;
}

/// Spoils a few bytes.
fn spoil(packet: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.below(6) {
        let at = chance.below(packet.len());
        match chance.below(4) {
            0 => packet.truncate(at.max(12)),
            1 => packet.insert(at, chance.below(256) as u8),
            // Mostly where the header is.
            _ => {
                let at = at % 48;
                if let Some(byte) = packet.get_mut(at) {
                    *byte = chance.below(256) as u8;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_jumps_in_its_numbers_carries_no_ear_along() {
    let mut fight = Fight::begin().await;
    fight.hall.grant(SITE);
    fight.step = 30_000;
    let start = Instant::now();
    while fight.hall.sounds(0, MARK) < 50 {
        assert!(start.elapsed() < PATIENCE, "it is not heard with the floor");
        fight.sound().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A receiver tells apart what lies within half of all numbers: with so few missing it is never in doubt.
    let seen = fight.hall.seen(0);
    for slot in VOICES {
        let missing = seen.slots.get(&slot).map_or(0, |slot| slot.missing.len());
        assert!(missing < 1_000, "voice {slot} misses {missing}");
    }
    fight.step = 1;
    fight.hall.grant(1);
    let hall = &mut fight.hall;
    hall.until("room 0 hears room 1", |hall| hall.sounds(0, 1) > 10)
        .await;
    fight.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_broken_headers_extensions_and_reports_breaks_nothing() {
    let mut fight = Fight::begin().await;
    let mut chance = Chance::new(7);
    let reports: [&[u8]; 5] = [
        &[
            0x80, 200, 0, 6, 0, 0, 0, 77, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0,
            1,
        ],
        &[0x81, 203, 0, 1, 0, 0, 0, 77],
        &[0x81, 206, 0, 2, 0, 0, 0, 1, 0x0d, 0x1e, 0xc0, 0],
        &[
            0x81, 205, 0, 3, 0, 0, 0, 1, 0x0d, 0x1e, 0xc0, 1, 0, 1, 0xff, 0xff,
        ],
        &[
            0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 9, 0, 0, 1, 0, 0x20, 9, 1, 1,
        ],
    ];
    let mut sent = 0;
    for n in 1..=6_000_u16 {
        let mut packet = match n % 3 {
            0 => reports[chance.below(reports.len())].to_vec(),
            1 => picture(77, n, b"1", b"f"),
            _ => picture(chance.below(12) as u32, n, b"1", b"h"),
        };
        // Some are right: a broken one may meet a stream that is known.
        if n % 10 > 0 {
            spoil(&mut packet, &mut chance);
        }
        sent += u32::from(packet.len() >= 12 && fight.hostile.send(&packet).await);
        if n % 50 == 0 {
            fight.sound().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(sent > 2_000, "{sent} could be protected");
    fight.both_go_on_whole("beside broken packets").await;
    fight.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_fifty_thousand_packets_a_second_takes_nobodys_time() {
    const A_SECOND: u32 = 50_000;
    const SECONDS: u32 = 2;
    let mut fight = Fight::begin().await;
    let sealed: Vec<_> = (1..=500)
        .map(|n| fight.hostile.sealed(&picture(77, n, b"1", b"f")).unwrap())
        .collect();
    let before = (fight.have(), fight.sent());
    let start = Instant::now();
    let mut sent = 0;
    while sent < A_SECOND * SECONDS {
        let due = (start.elapsed().as_micros() as u64 * u64::from(A_SECOND) / 1_000_000) as u32;
        while sent < due {
            let datagram = &sealed[sent as usize % sealed.len()];
            let _ = fight.hostile.socket.try_send(datagram);
            sent += 1;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = start.elapsed();
    let during = (fight.have(), fight.sent());
    let flooded = fight.hall.count(|counters| &counters.flooded);
    println!("{sent} in {took:?}, {flooded} thrown away unread; {before:?} {during:?}");
    assert!(flooded > u64::from(sent) / 2);
    for room in [0, 1] {
        let (sounds, parts) = (
            during.0[room].0 - before.0[room].0,
            during.0[room].1 - before.0[room].1,
        );
        // Of 230 packets a second each sends fifty sounds, and sixty parts of the picture in the tile.
        let sent = (during.1[1 - room] - before.1[1 - room]) as f64;
        let shares = (
            sounds as f64 * 230.0 / 50.0 / sent,
            parts as f64 * 230.0 / 60.0 / sent,
        );
        assert!(sent > 100.0, "the rooms themselves have no time");
        assert!(
            shares.0 > 0.8 && shares.1 > 0.8,
            "{shares:?} of what was sent"
        );
    }
    fight.both_go_on("beside a flood").await;
    fight.end().await;
}
