//! A second answer of the same leg: what the first began is over.

use super::*;

const CLIENT_HELLO: u8 = 1;
const HELLO_VERIFY_REQUEST: u8 = 3;

#[test]
fn an_answer_with_another_role_leaves_nothing_of_the_former() {
    let identity = Identity::generate().unwrap();
    let mut us = Dtls::new(identity.clone());
    let now = Instant::now();
    for role in [Role::Server, Role::Client] {
        us.begin(identity.fingerprint, role, now).unwrap();
    }
    while us.transmit().is_some() {}
    let other_version = [1, 1, 1, 7];
    for datagram in pieces(HELLO_VERIFY_REQUEST, 0, &other_version, 1_400) {
        assert!(
            us.receive(datagram, now)
                .is_err_and(|error| is_refusal(&error))
        );
    }
    while us.transmit().is_some() {}
    for datagram in pieces(CLIENT_HELLO, 0, &hello(&[]), 1_400) {
        assert!(matches!(us.receive(datagram, now), Ok(None)));
    }
    assert!(us.transmit().is_none(), "it serves whom it does not");
}

#[test]
fn an_answer_begins_with_nothing_said_or_heard() {
    let mut pair = Pair::usual(1_200);
    let first = pair.them.poll_transmit().unwrap().message;
    pair.says(first.clone());
    let cookie = pair.us.transmit().unwrap();
    pair.hears(cookie);
    // It is answered, which has not gone out.
    let second = pair.them.poll_transmit().unwrap().message;
    pair.says(second);
    let theirs = pair.us.identity.fingerprint;
    pair.us.begin(theirs, Role::Server, pair.now).unwrap();
    assert_eq!(pair.us.room, Room::new());
    assert!(pair.us.transmit().is_none(), "it says what it said");
    pair.says(first);
    assert!(pair.us.transmit().is_some(), "it is deaf to who comes anew");
}
