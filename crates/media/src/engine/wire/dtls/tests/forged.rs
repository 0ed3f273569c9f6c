//! What somebody says in a client's name, from its address: it costs the client no more than a datagram lost on the way.

use super::*;

const ALERT: u8 = 21;
const CERTIFICATE: u8 = 11;
const CLIENT_HELLO: u8 = 1;
/// Of a record and a message in it, before what it says.
const HEADERS_BYTES: usize = 13 + 12;
/// Where the cookie of a hello stands: behind its version, what is random, and no session.
const COOKIE_AT: usize = 35;

fn alert(level: u8, description: u8) -> BytesMut {
    record(ALERT, 0, 900, &[level, description])[..].into()
}

/// The next message of a client, without its headers.
fn body(datagram: &BytesMut) -> Vec<u8> {
    datagram[HEADERS_BYTES..].to_vec()
}

#[test]
fn an_alert_without_keys_ends_no_handshake() {
    for turns in 0..3 {
        for said in [alert(1, 0), alert(2, 0), given_up(), alert(9, 9)] {
            let mut pair = Pair::usual(1_200);
            (0..turns).for_each(|_| pair.turn((true, true), 1));
            pair.says(said.clone());
            assert!(pair.us.transmit().is_none(), "it is answered");
            pair.talk(1);
            assert!(pair.is_through(), "{said:?} after {turns} turns");
        }
    }
}

#[test]
fn a_second_hello_that_is_not_the_first_is_lost() {
    let forged = |first: &[u8]| {
        let (fixed, behind) = first.split_at(COOKIE_AT);
        let bears = |cookie: &[u8]| {
            let length = [cookie.len() as u8];
            [fixed, &length, cookie, &behind[1..]].concat()
        };
        let mut version = first.to_vec();
        version[1] = 0xff;
        let mut random = bears(&[7; 20]);
        random[2] ^= 1;
        let own = hello(&[]);
        let hellos = [version, random, bears(&[7; 20]), first.to_vec(), own];
        let mut forged = hellos.map(|hello| (CLIENT_HELLO, hello)).to_vec();
        forged.push((CERTIFICATE, vec![0; 3]));
        forged
    };
    for case in 0..6 {
        for most in [1_400, 40] {
            let mut pair = Pair::usual(1_200);
            let first = pair.them.poll_transmit().unwrap().message;
            pair.says(first.clone());
            let cookie = pair.us.transmit().unwrap();
            pair.hears(cookie);
            let (kind, forged) = forged(&body(&first)).swap_remove(case);
            for datagram in pieces(kind, 1, &forged, most) {
                pair.says(datagram);
            }
            assert!(pair.us.transmit().is_none() && !pair.refused, "case {case}");
            pair.talk(1);
            assert!(pair.is_through(), "case {case} in {most} bytes each");
        }
    }
}

/// Nothing authenticates the first hello (RFC 6347, 4.2.6).
#[test]
fn who_rewrites_the_first_hello_chooses_no_dearer_profile() {
    let identity = Identity::generate().unwrap();
    let suites = SUITES.to_vec();
    let mut pair = Pair::of(&identity, suites, &[GCM, CM], 1_200, Role::Client);
    let mut first = pair.them.poll_transmit().unwrap().message;
    let offer = [0, 14, 0, 7, 0, 4, 0, 7, 0, 1, 0];
    let mut windows = first.windows(offer.len());
    let at = windows.position(|window| window == offer).unwrap();
    // A profile that nobody knows, instead of the better one.
    first[at + 7] = 99;
    pair.says(first);
    pair.talk(1);
    assert!(pair.our_keys.is_none(), "what is dearer was agreed on");
}
