//! What a room sees and hears over roads whose trouble is not of our making. All chance comes from a seed.

use super::tests::{estimate, feedback};
use super::*;
use crate::engine::VOICE_BPS;
use diemcau_fuzz::Chance;

/// A voice of 50 packets a second, and one of a pause (Opus DTX): every how many milliseconds, and with how many bytes.
const VOICE: (u64, usize) = (20, 116);
const PAUSE: (u64, usize) = (400, 48);
/// What is shown in one size or number: what it costs, every how many milliseconds a packet of it leaves, and with how many
/// bytes; with a voice beside it as `gate/fit.rs` has it.
type Form = (u64, u64, usize);
/// An encoder keeps a little below what it may use.
const PICTURES: [Form; 3] = [
    form(115_000, 50, 85),
    form(390_000, 20, 85),
    form(1_650_000, 5, 85),
];

const fn form(bps: u64, every: u64, part: u64) -> Form {
    (bps, every, (bps * every * part / 800_000) as usize)
}

/// Over how wide a road, what of a thousand packets is lost by itself, in bursts or evenly, and when others fill it.
#[derive(Clone)]
struct Road {
    bps: f64,
    /// For so many microseconds packets may wait; further ones are lost.
    waits_us: f64,
    /// From which second on it is how wide.
    becomes: (u64, f64),
    even: u64,
    /// Of a thousand packets in a burst; a burst and what is between two of them last so many milliseconds in the mean.
    burst: (u64, u64, u64),
    others: std::ops::Range<u64>,
    /// In which milliseconds nothing goes either way.
    cut: std::ops::Range<u64>,
}

const GOOD: Road = Road {
    bps: 20e6,
    waits_us: 1e6,
    becomes: (u64::MAX, 0.0),
    even: 0,
    burst: (0, 1, 1_000_000),
    others: 0..0,
    cut: 0..0,
};
/// For so many milliseconds after a cut the small picture goes on: the better one waits for its key frame.
const KEY_FRAME_MS: u64 = 600;

/// Who speaks and who is seen, by the second.
struct Room {
    /// How many voices it hears.
    voices: u64,
    talks: fn(u64) -> bool,
    sees: fn(u64) -> bool,
    /// The best picture it asks for.
    layer: fn(u64) -> usize,
    /// What it may be shown, the least first.
    pictures: &'static [Form],
}

/// What it got in each fifth of a second.
struct Got {
    bears: Option<u64>,
    picture: Option<usize>,
    /// Whether it is given sound.
    is_heard: bool,
    /// How many packets of sound it was sent, and how many of them were lost.
    sounds: (u32, u32),
}

fn watch(road: &Road, room: &Room, seconds: u64, seed: u64) -> Vec<Got> {
    let mut chance = Chance::new(seed);
    let mut estimate = estimate();
    let epoch = Instant::now();
    let (mut got, mut told): (Vec<Got>, Vec<(u16, Option<f64>)>) = (vec![], vec![]);
    let (mut number, mut free_at, mut in_burst, mut queue) = (0_u16, 0.0_f64, false, 0.0);
    let mut small_until = 0;
    for ms in 0..seconds * 1_000 {
        let now = epoch + Duration::from_millis(ms);
        let second = ms / 1_000;
        let bps = if second < road.becomes.0 {
            road.bps
        } else {
            road.becomes.1
        };
        if ms % 200 == 0 {
            let bears = estimate.bears(now);
            let left = bears.map_or(u64::MAX, |bears| {
                bears.saturating_sub(VOICE_BPS * room.voices)
            });
            let mut fits = room.pictures.iter().rposition(|(cost, ..)| *cost <= left);
            // As `gate/fit.rs` has it: sound and the smallest picture go on into the void.
            let is_void = bears == Some(0) && !road.cut.is_empty();
            if is_void {
                (fits, small_until) = (Some(0), ms + KEY_FRAME_MS);
            }
            let picture = fits
                .filter(|_| (room.sees)(second))
                .map(|fits| fits.min((room.layer)(second)));
            let is_heard = is_void || bears.is_none_or(|bears| bears >= VOICE_BPS / 2);
            got.push(Got {
                bears,
                picture,
                is_heard,
                sounds: (0, 0),
            });
        }
        let stays = if in_burst { road.burst.1 } else { road.burst.2 };
        in_burst ^= chance.draw().is_multiple_of(stays);
        let Some(last) = got.last_mut() else { continue };
        let (every, bytes) = if (room.talks)(second) { VOICE } else { PAUSE };
        let voice = (ms % every == 0 && last.is_heard).then_some(bytes);
        let layer = |planned| if ms < small_until { 0 } else { planned };
        let picture = last.picture.map(|planned| room.pictures[layer(planned)]);
        let picture = picture.filter(|(_, every, _)| ms % every == 0);
        let picture = picture.map(|(.., bytes)| bytes);
        let voices = voice
            .into_iter()
            .flat_map(|bytes| (0..room.voices).map(move |_| bytes));
        let voices = voices.map(|bytes| (bytes, Cargo::Sound));
        for (bytes, cargo) in voices.chain(picture.map(|bytes| (bytes, Cargo::Picture))) {
            estimate.sent(number, bytes, cargo, now);
            let us = ms as f64 * 1e3;
            let is_cut = road.cut.contains(&ms);
            let fits = free_at - us <= road.waits_us && !is_cut;
            if fits {
                free_at = free_at.max(us) + (bytes + OVERHEAD_BYTES) as f64 * 8e6 / bps;
            }
            // Others come and go, and are never few.
            if ms % 500 < 20 {
                queue = 350e3 + chance.below(600) as f64 * 1e3;
            }
            let others = if road.others.contains(&second) {
                queue
            } else {
                0.0
            };
            let lost = if in_burst { road.burst.0 } else { road.even };
            let is_lost = chance.draw() % 1_000 < lost || !fits;
            if cargo == Cargo::Sound {
                last.sounds.0 += 1;
                last.sounds.1 += u32::from(is_lost);
            }
            told.push((number, (!is_lost).then_some(free_at + 20e3 + others)));
            number = number.wrapping_add(1);
        }
        if ms % 100 == 50 {
            let us = ms as f64 * 1e3;
            let known = told
                .iter()
                .take_while(|(_, at)| at.is_none_or(|at| at <= us));
            let mut known = known.count();
            let is_cut = road.cut.contains(&ms);
            if is_cut {
                // What came just before is told into the void, and what did not come is not known yet.
                let came = told.iter().take(known).rposition(|(_, at)| at.is_some());
                known = came.map_or(0, |last| last + 1);
            }
            let packets: Vec<_> = told.drain(..known).collect();
            if !packets.is_empty() && !is_cut {
                estimate.arrived(&feedback(&packets), epoch, now);
            }
        }
    }
    got
}

/// The least the road was said to bear.
fn least(got: &[Got]) -> u64 {
    got.iter()
        .filter_map(|got| got.bears)
        .min()
        .unwrap_or(u64::MAX)
}

/// Of a hundred moments, those with a picture at least so good.
fn seen(got: &[Got], layer: usize) -> usize {
    let seen = got.iter().filter(|got| got.picture >= Some(layer));
    seen.count() * 100 / got.len()
}

const SPEAKS_AND_PAUSES: Room = Room {
    voices: 1,
    talks: |second| second % 80 < 60,
    sees: |_| true,
    layer: |_| 2,
    pictures: &PICTURES,
};

#[test]
fn others_who_fill_the_road_take_no_sound_and_no_more_of_the_picture_than_its_size() {
    for (seed, others) in [50..85, 50..70, 70..100].into_iter().enumerate() {
        let road = Road { others, ..GOOD };
        for even in [0, 20] {
            let got = watch(
                &Road {
                    even,
                    ..road.clone()
                },
                &SPEAKS_AND_PAUSES,
                200,
                seed as u64,
            );
            assert!(least(&got) >= VOICE_BPS, "{}", least(&got));
            assert_eq!(seen(&got, 1), 100);
        }
    }
}

#[test]
fn even_loss_is_the_roads_and_takes_neither_sound_nor_picture() {
    let speaks_half = Room {
        talks: |second| second % 80 < 40,
        ..SPEAKS_AND_PAUSES
    };
    for even in [120, 150, 180, 250] {
        for seed in 0..5 {
            let got = watch(&Road { even, ..GOOD }, &speaks_half, 240, seed);
            assert!(least(&got) >= VOICE_BPS, "{}", least(&got));
            assert!(seen(&got, 2) >= 90);
            let settled = &got[50..];
            let changes = settled
                .windows(2)
                .filter(|two| two[0].picture != two[1].picture);
            if even <= 150 {
                assert_eq!(changes.count(), 0, "{even} of a thousand, seed {seed}");
            }
        }
    }
}

#[test]
fn bursts_of_loss_take_no_sound_and_little_of_the_picture() {
    let long = [(350, 2_500, 9_000), (300, 2_000, 8_000)];
    let short = [(600, 800, 8_000)];
    for burst in long.into_iter().chain(short) {
        for seed in 0..5 {
            let got = watch(&Road { burst, ..GOOD }, &SPEAKS_AND_PAUSES, 300, seed);
            assert!(least(&got) >= VOICE_BPS, "{}", least(&got));
            // A short one is over before it is known whose it is.
            match long.contains(&burst) {
                true => assert!(seen(&got, 2) >= 85, "{burst:?}, seed {seed}"),
                false => assert!(seen(&got, 0) >= 80, "{burst:?}, seed {seed}"),
            }
        }
    }
}

#[test]
fn who_only_listens_through_trouble_sees_at_once_what_is_shown_after_it() {
    let listens = Room {
        voices: 1,
        talks: |second| second % 20 < 10,
        sees: |second| second >= 90,
        ..SPEAKS_AND_PAUSES
    };
    for (even, others) in [(0, 30..65), (200, 0..0)] {
        let got = watch(
            &Road {
                even,
                others,
                ..GOOD
            },
            &listens,
            100,
            7,
        );
        assert_eq!(seen(&got[451..], 2), 100);
    }
}

#[test]
fn a_thin_road_is_found_whatever_it_loses_by_itself() {
    let roads = [
        (256e3, 0),
        (256e3, 100),
        (700e3, 0),
        (700e3, 180),
        (100e3, 0),
    ];
    for (bps, even) in roads {
        for waits_us in [1e6, 20e3] {
            let road = Road {
                bps,
                even,
                waits_us,
                ..GOOD
            };
            for seed in 0..8 {
                let got = watch(&road, &SPEAKS_AND_PAUSES, 120, seed);
                let fits = |cost: u64| cost as f64 * 0.85 + 68e3 <= bps;
                let fits = PICTURES.iter().rposition(|(cost, ..)| fits(*cost));
                let much = got[25..].iter().filter(|got| got.picture > fits).count();
                assert!(much * 5 <= got.len(), "{bps} {even} {waits_us}: {much}");
                assert!(least(&got) >= VOICE_BPS);
            }
        }
    }
}

#[test]
fn a_road_that_becomes_thin_after_an_hour_is_found_though_little_was_asked_of_it() {
    let asks_little = Room {
        talks: |_| true,
        layer: |_| 1,
        ..SPEAKS_AND_PAUSES
    };
    for waits_us in [1e6, 20e3] {
        for (bps, fits) in [(250e3, Some(0)), (120e3, None)] {
            let road = Road {
                becomes: (60, bps),
                waits_us,
                ..GOOD
            };
            let got = watch(&road, &asks_little, 75, 3);
            assert!(got[330..].iter().any(|got| got.picture == fits));
        }
    }
}

#[test]
fn a_road_that_becomes_thin_is_found_also_when_more_was_asked_of_it_just_before() {
    let asks_less = Room {
        talks: |_| true,
        layer: |second| if second < 30 { 2 } else { 1 },
        ..SPEAKS_AND_PAUSES
    };
    for waits_us in [1e6, 20e3] {
        for gap in [0, 3, 8] {
            let thin = 30 + gap;
            let road = Road {
                becomes: (thin, 250e3),
                waits_us,
                ..GOOD
            };
            let got = watch(&road, &asks_less, thin + 40, 3);
            let settled = &got[(thin as usize + 10) * 5..];
            let much = settled.iter().filter(|got| got.picture > Some(0)).count();
            assert!(much * 3 <= settled.len(), "{waits_us} {gap}: {much}");
            assert!(least(&got) >= VOICE_BPS);
        }
    }
}

#[test]
fn a_trial_of_little_more_than_the_road_bears_becomes_rare() {
    let asks_half = Room {
        talks: |_| true,
        layer: |_| 1,
        ..SPEAKS_AND_PAUSES
    };
    for bps in [350e3, 360e3, 370e3, 380e3] {
        for waits_us in [1e6, 20e3] {
            let road = Road {
                bps,
                waits_us,
                ..GOOD
            };
            let got = watch(&road, &asks_half, 300, 5);
            let is_trial = |two: &&[Got]| two[0].picture < Some(1) && two[1].picture >= Some(1);
            let trials = got.windows(2).filter(is_trial).count();
            assert!(trials <= 8, "{bps} {waits_us}: {trials}");
            assert!(least(&got) >= VOICE_BPS);
        }
    }
}

#[test]
fn a_road_too_thin_for_sound_is_given_up_and_one_that_carries_most_of_it_is_not() {
    for voices in 1..=3 {
        for (part, gives_up) in [(0.3, true), (0.7, false)] {
            let road = Road {
                bps: part * 63e3 * voices as f64,
                waits_us: 3e6,
                ..GOOD
            };
            let room = Room {
                voices,
                talks: |_| true,
                layer: |_| 1,
                ..SPEAKS_AND_PAUSES
            };
            let got = watch(&road, &room, 120, 5);
            let silent = got.iter().filter(|got| !got.is_heard).count();
            match gives_up {
                true => assert!(silent * 2 >= got.len(), "{voices}: {silent}"),
                false => assert_eq!(silent, 0, "{voices}"),
            }
        }
    }
}

/// One to four pictures of an encoder without layers, which cost what they bring.
const fn encoders(bps: u64) -> [Form; 4] {
    [
        form(bps, 1, 100),
        form(2 * bps, 1, 100),
        form(3 * bps, 1, 100),
        form(4 * bps, 1, 100),
    ]
}
/// Of an encoder's 6 Mbit/s and of its 8, with all that carries them.
const SIX: [Form; 4] = encoders(6_400_000);
const EIGHT: [Form; 4] = encoders(8_200_000);

#[test]
fn a_road_of_25_megabits_that_is_asked_for_more_is_found_and_keeps_its_sound() {
    for (pictures, waits_us) in [(&SIX, 1e6), (&EIGHT, 1e6), (&EIGHT, 20e3)] {
        let road = Road {
            bps: 25e6,
            waits_us,
            ..GOOD
        };
        let room = Room {
            talks: |_| true,
            layer: |_| 3,
            pictures,
            ..SPEAKS_AND_PAUSES
        };
        let got = watch(&road, &room, 180, 3);
        let name = format!("{} {waits_us}", pictures[0].0);
        let is_found = |got: &Got| got.bears.is_some_and(|bears| bears <= 25_000_000);
        assert!(got[..50].iter().any(is_found), "{name}");
        let settled = &got[50..];
        assert!(settled.iter().all(|got| got.bears.is_some()), "{name}");
        assert_eq!(seen(settled, 1), 100, "{name}: never less than two");
        let much = settled.iter().filter(|got| got.picture == Some(3)).count();
        assert!(much * 3 <= settled.len(), "{name}: {much}");
        let of_all = |sounds: fn(&Got) -> u32| settled.iter().map(sounds).sum::<u32>();
        let (all, lost) = (of_all(|got| got.sounds.0), of_all(|got| got.sounds.1));
        // Where little may wait, a trial that fails costs a part of what comes while it is made.
        match waits_us > 20e3 {
            true => assert_eq!(lost, 0, "{name}"),
            false => assert!(lost * 50 <= all, "{name}: {lost} of {all}"),
        }
    }
}

#[test]
fn a_road_that_becomes_wider_than_all_that_is_asked_for_has_no_limit_any_more() {
    let road = Road {
        bps: 22e6,
        becomes: (20, 60e6),
        ..GOOD
    };
    let room = Room {
        talks: |_| true,
        layer: |_| 3,
        pictures: &EIGHT,
        ..SPEAKS_AND_PAUSES
    };
    let got = watch(&road, &room, 180, 3);
    assert!(got[50..90].iter().all(|got| got.picture < Some(3)));
    let last = &got[800..];
    assert_eq!(seen(last, 3), 100, "it is as wide as what is asked for");
    assert!(last.last().is_some_and(|got| got.bears.is_none()));
}

/// A road that is cut from second 20 on, for so long.
fn cut(seconds: u64) -> Road {
    Road {
        bps: 100e6,
        cut: 20_000..20_000 + seconds * 1_000,
        ..GOOD
    }
}

#[test]
fn a_good_road_is_no_thin_one_after_a_cut() {
    let many = Room {
        voices: 3,
        ..SPEAKS_AND_PAUSES
    };
    for seconds in [1, 2, 3, 4, 6, 9, 30] {
        for room in [&SPEAKS_AND_PAUSES, &many] {
            let got = watch(&cut(seconds), room, 30 + seconds, 3);
            let back = &got[(20 + seconds as usize) * 5 + 1..];
            let figures: Vec<_> = back.iter().map(|got| got.bears).collect();
            assert!(
                back.iter().all(|got| got.picture == Some(2)),
                "{seconds}: {figures:?}"
            );
        }
    }
}

#[test]
fn a_road_that_is_thin_after_a_cut_is_found() {
    let speaks = Room {
        talks: |_| true,
        ..SPEAKS_AND_PAUSES
    };
    for (bps, fits) in [(300e3, Some(0)), (120e3, None)] {
        for seconds in [1, 2, 3, 6, 30] {
            for waits_us in [1e6, 20e3] {
                let road = Road {
                    becomes: (20, bps),
                    waits_us,
                    ..cut(seconds)
                };
                let got = watch(&road, &speaks, 30 + seconds, 3);
                let back = &got[(20 + seconds as usize) * 5..];
                let found = back.iter().skip(1).position(|got| got.picture <= fits);
                assert!(
                    found.is_some_and(|fifths| fifths <= 15),
                    "{bps} {seconds} {waits_us}: {found:?}"
                );
                assert!(back.iter().skip(5).all(|got| got.is_heard));
            }
        }
    }
}
