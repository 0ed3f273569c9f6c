//! Records that nobody would write, well formed by themselves: before a handshake, and behind one with a client that is.

use super::records::{BYTES_MAX, Room};
use super::terms::SUITES;
use super::tests::{LYING, Pair, fragment, hello, pieces, record};
use super::{Dtls, Identity, Role, Step};
use bytes::BytesMut;
use diemcau_fuzz::{Fuzz, outcome};
use std::time::{Duration, Instant};

const KINDS: [(u8, u16); 8] = [
    (22, 0),
    (22, 0),
    (21, 0),
    (22, 1),
    (20, 0),
    (21, 1),
    (23, 1),
    (22, 2),
];

/// A datagram of records, and the number of the next one: each is a kind with how many fragments, and each of these a length,
/// a message, an offset, what it says to bring and what it brings. Who begins with 255 writes it as it is, and who begins with
/// 254 a hello of extensions that lie.
fn datagram(input: &[u8], number: &mut u64) -> Vec<u8> {
    if let Some((255, raw)) = input.split_first() {
        return raw.to_vec();
    }
    if let Some(([254, message, lies, places, most], rest)) = input.split_first_chunk() {
        return lying(*message, usize::from(*lies), *places, *most, rest);
    }
    let (mut datagram, mut rest) = (vec![], input);
    while let Some((what, behind)) = rest.split_first() {
        rest = behind;
        let mut content = vec![];
        for _ in 0..=what >> 4 {
            let Some(([length, message, offset, says, brings], behind)) = rest.split_first_chunk()
            else {
                break;
            };
            rest = behind;
            let [length, offset, says] = [length, offset, says].map(|byte| u32::from(*byte));
            let body = vec![7; usize::from(*brings)];
            content.extend(fragment(length, (*message).into(), offset, says, &body));
        }
        let (kind, epoch) = KINDS[usize::from(what & 7)];
        datagram.extend(record(kind, epoch, *number, &content));
        *number += 1;
    }
    datagram
}

/// The pieces of a hello, or of what answers one, in one datagram: of so many extensions, of 256 kinds, that say of
/// themselves what `rest` does, or what takes longest.
fn lying(message: u8, lies: usize, places: u8, most: u8, rest: &[u8]) -> Vec<u8> {
    let mut lie = LYING;
    lie.iter_mut()
        .zip(rest)
        .for_each(|(byte, other)| *byte = *other);
    let lies = (0..lies * usize::from(places)).flat_map(|place| {
        lie[0] = place as u8;
        lie
    });
    let body = hello(&lies.collect::<Vec<u8>>());
    let most = usize::from(most).max(1) * 8;
    pieces(1 + (message & 1), (message / 2).into(), &body, most).concat()
}

/// How far a client has come with a leg.
#[derive(Clone, Copy)]
enum Come {
    Nowhere,
    /// It has said hello.
    There,
    Keyed,
}

/// Each of them in its turn.
const ALL: [Come; 3] = [Come::Keyed, Come::Nowhere, Come::There];

fn leg(identity: &Identity, come: Come, now: Instant) -> Dtls {
    if let Come::Keyed = come {
        let mut pair = Pair::new(identity, SUITES.to_vec(), 1_200);
        pair.talk(1);
        assert!(pair.is_through());
        return pair.us;
    }
    let mut dtls = Dtls::new(identity.clone());
    let begun = dtls.begin(identity.fingerprint, Role::Server, now);
    assert!(begun.is_ok());
    if let Come::There = come {
        for datagram in pieces(1, 0, &hello(&[]), 1_400) {
            assert!(matches!(dtls.receive(datagram, now), Ok(None)));
        }
    }
    dtls
}

#[test]
fn dtls() {
    let fuzz = Fuzz {
        name: "dtls",
        corpus: "corpus/dtls",
        words: &[
            "\u{1}\u{0}\u{0}\u{1}\u{1}",
            "\u{0}\u{1}\u{0}\u{0}\u{0}",
            "\u{10}",
            "\u{0}\u{a}\u{0}\u{2}\u{7f}",
        ],
        inputs: 100_000,
        longest: 256,
    };
    let identity = Identity::generate()
        .map_err(|error| error.to_string())
        .unwrap();
    let (mut now, mut taken, mut number) = (Instant::now(), 0_u32, 0);
    let mut fresh = (leg(&identity, Come::Nowhere, now), Room::new(), 0);
    let (mut given, mut open, mut read, mut place) = ([0_u32; 3], [0_u32; 3], [0_u32; 3], 0);
    fuzz.run(|input| {
        // A fresh leg now and then: one that has no room any more reads nothing.
        if taken.is_multiple_of(250) {
            place = (taken / 250) as usize % ALL.len();
            fresh = (leg(&identity, ALL[place], now), Room::new(), 0);
            number = 1_000;
        }
        taken += 1;
        now += Duration::from_millis(5);
        let (leg, room, bytes) = &mut fresh;
        let datagram = BytesMut::from(&datagram(input, &mut number)[..]);
        let left = leg.room();
        given[place] += 1;
        open[place] += u32::from(left > 0);
        let kept = room.sift(datagram.clone()).len();
        *bytes += kept;
        assert!(*bytes <= BYTES_MAX);

        let step = leg.receive(datagram, now);
        read[place] += u32::from(leg.room() < left);
        assert!(
            matches!(step, Ok(None | Some(Step::GivenUp(_))) | Err(_)),
            "a stranger is let in, or ends it"
        );
        // What the library thinks of the time is its own.
        let ticked = leg.deadline().is_some_and(|due| due <= now) && leg.tick(now).is_ok();
        let mut said = 0;
        while let Some(datagram) = leg.transmit() {
            said += datagram.len();
        }
        outcome((kept, step.is_ok(), ticked, said))
    });
    let told = format!("{open:?} of {given:?} came to a leg that reads, {read:?} were read");
    println!("{told}");
    // What a leg takes is used up by what it is given: nearly all must come before that, and be worth it.
    let is_enough = |at: usize| open[at] * 10 >= given[at] * 9 && read[at] * 10 >= given[at];
    assert!(taken < 1_000 || (0..ALL.len()).all(is_enough), "{told}");
}
