//! Where the client of a downlink is, and what is sent before it has shown that.

use super::*;

#[test]
fn media_follows_a_client_to_its_new_address() {
    let now = Instant::now();
    let mut leg = open(at(1), now);
    leg.send(0, packet(1, 10), now);
    assert_eq!(drain(&mut leg, now).last().unwrap().0, at(1));
    let moves = check(&leg.transport.ice, "them", true);
    let mut forged = moves.clone();
    forged[30] ^= 1;
    leg.receive(BytesMut::from(&forged[..]), at(9), now);
    leg.send(0, packet(2, 10), now);
    assert!(drain(&mut leg, now).iter().all(|(to, ..)| *to == at(1)));
    leg.receive(BytesMut::from(&moves[..]), at(2), now);
    assert!(!leg.send(0, packet(3, 10), now), "is it there?");
    answer_asked(&mut leg, now);
    let mut events = vec![];
    leg.drain_events(&mut events);
    assert_eq!(events, of_all_pictures());
    assert!(leg.send(0, packet(3, 10), now));
    assert!(drain(&mut leg, now).iter().all(|(to, ..)| *to == at(2)));

    // Or it only goes on elsewhere.
    let report = report();
    let proves = check(&leg.transport.ice, "them", false);
    leg.receive(BytesMut::from(&proves[..]), at(3), now);
    // It is asked where it will be, so that it need not wait when it is there.
    answer_asked(&mut leg, now);
    leg.send(0, packet(4, 10), now);
    assert_eq!(drain(&mut leg, now).last().unwrap().0, at(2));
    for from in [at(3), at(2)] {
        leg.receive(BytesMut::from(&report[..]), from, now);
    }
    leg.send(0, packet(5, 10), now);
    assert_eq!(drain(&mut leg, now).last().unwrap().0, at(3));
}

#[test]
fn who_goes_on_where_it_has_answered_already_is_sent_key_frames() {
    let now = Instant::now();
    let mut leg = open(at(1), now);
    leg.send(0, packet(1, 10), now);
    let [proves, names] = [false, true].map(|names| check(&leg.transport.ice, "them", names));
    leg.receive(BytesMut::from(&proves[..]), at(3), now);
    answer_asked(&mut leg, now);
    leg.receive(BytesMut::from(&names[..]), at(2), now);
    assert!(!leg.send(0, packet(2, 10), now), "it is not there");
    leg.receive(BytesMut::from(&report()[..]), at(3), now);
    let mut events = vec![];
    leg.drain_events(&mut events);
    assert_eq!(events, of_all_pictures());
    assert!(leg.send(0, packet(3, 10), now));
}

/// Wishes for each picture, also for those of which nothing was sent yet.
fn of_all_pictures() -> Vec<LegEvent> {
    let slots = 0..VIDEO_SLOTS;
    slots
        .map(|slot| LegEvent::KeyFrameWanted { slot })
        .collect()
}

/// A report that a client's keys protect.
fn report() -> Vec<u8> {
    let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, 7];
    let mut sealer = keys(Profile::Gcm, true).0;
    sealer.seal_rtcp(&mut report).unwrap();
    report
}

#[test]
fn who_came_before_its_description_is_asked_once_that_is_here() {
    let now = Instant::now();
    let engine = Engine::new(Addresses(vec![at(7881).client]), now).unwrap();
    let (mut leg, _) = Downlink::offer(&engine).unwrap();
    let naming = check(&leg.transport.ice, "them", true);
    leg.receive(BytesMut::from(&naming[..]), at(2), now);
    let answer = drawn(&mut leg, at(2), now);
    for asks in [true, false] {
        let theirs = engine.identity.fingerprint;
        let described =
            leg.transport
                .described(("them", THEIR_PASSWORD), theirs, Role::Server, now);
        assert!(described.is_ok_and(|received| received.is_empty()));
        let check = drawn(&mut leg, at(2), now);
        assert_eq!(check > 0, asks, "once");
        assert!(answer + check <= 2 * naming.len());
    }
}

#[test]
fn a_strangers_hello_before_the_description_does_not_end_the_leg() {
    let now = Instant::now();
    let engine = Engine::new(Addresses(vec![at(7881).client]), now).unwrap();
    let (mut leg, _) = Downlink::offer(&engine).unwrap();
    let naming = check(&leg.transport.ice, "them", true);
    leg.receive(BytesMut::from(&naming[..]), at(2), now);
    leg.receive(strange_hello(), at(2), now);
    let theirs = engine.identity.fingerprint;
    let described = leg
        .transport
        .described(("them", THEIR_PASSWORD), theirs, Role::Server, now);
    assert!(matches!(&described.unwrap()[..], [Received::Refused(_)]));
}

/// The client answers what it was asked.
fn answer_asked(leg: &mut Downlink, now: Instant) {
    for (at, answer) in leg.transport.answers() {
        leg.receive(answer, at, now);
    }
}

/// Bytes that go to an address.
fn drawn(leg: &mut Downlink, to: Path, now: Instant) -> usize {
    let sent = drain(leg, now).into_iter();
    sent.filter(|run| run.0 == to).map(|run| run.2).sum()
}

#[test]
fn who_writes_anothers_address_as_its_own_draws_no_more_there_than_twice_what_it_sends() {
    let start = Instant::now();
    let mut leg = open(at(1), start);
    let mut sealer = keys(Profile::Gcm, true).0;
    let mut report = || {
        let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, 7];
        sealer.seal_rtcp(&mut report).unwrap();
        report
    };
    leg.receive(BytesMut::from(&report()[..]), at(1), start);
    let naming = check(&leg.transport.ice, "them", true);
    leg.receive(BytesMut::from(&naming[..]), at(2), start);
    let (mut said, mut drawn_there) = (naming.len(), 0);
    for second in 0..60 {
        let now = start + Duration::from_secs(second);
        let report = report();
        said += report.len();
        leg.receive(BytesMut::from(&report[..]), at(2), now);
        assert_eq!(leg.path(), Some(at(2)));
        for seq in 0..100 {
            leg.send(0, packet(second as u16 * 100 + seq, 1_000), now);
        }
        leg.tick(now);
        drawn_there += drawn(&mut leg, at(2), now);
    }
    assert!(drawn_there <= 2 * said, "{drawn_there} for {said}");
}

#[test]
fn no_handshake_is_opened_to_who_does_not_answer() {
    const PASSIVE: &str = include_str!("../../../../corpus/player_offer/passive");
    let start = Instant::now();
    let engine = Engine::new(Addresses(vec![at(7881).client]), start).unwrap();
    let (mut leg, ..) = Downlink::answer(&engine, PASSIVE, start).unwrap();
    let said = |what| PASSIVE.lines().find_map(|line| line.strip_prefix(what));
    let (theirs, password) = (said("a=ice-ufrag:").unwrap(), said("a=ice-pwd:").unwrap());
    let naming = check(&leg.transport.ice, theirs, true);
    leg.receive(BytesMut::from(&naming[..]), at(2), start);
    for second in 0..60 {
        leg.tick(start + Duration::from_secs(second));
    }
    let mut sent = vec![];
    leg.drain_datagrams(&mut Outlet {
        now: start,
        segments_max: 64,
        buffer: &mut vec![],
        send: &mut |run| sent.push(run.bytes.to_vec()),
    });
    assert!(sent.iter().map(Vec::len).sum::<usize>() <= 2 * naming.len());
    let asked = sent.iter().find(|one| one.starts_with(&[0, 1])).unwrap();
    let answer = answer_to(asked, password);
    leg.receive(BytesMut::from(&answer[..]), at(2), start);
    assert!(
        drawn(&mut leg, at(2), start) > 100,
        "it is opened to who does"
    );
}

#[test]
fn an_answer_leaves_from_the_address_that_was_asked_and_media_from_the_one_in_use() {
    let now = Instant::now();
    let by = |ours: u8| Path {
        ours: Some([127, 0, 0, ours].into()),
        ..at(1)
    };
    let mut leg = open(by(2), now);
    drain(&mut leg, now);
    let (proves, names) = [false, true]
        .map(|names| check(&leg.transport.ice, "them", names))
        .into();
    for seq in 1..4 {
        leg.receive(BytesMut::from(&proves[..]), by(3), now);
        answer_asked(&mut leg, now);
        leg.send(0, packet(seq, 10), now);
        let to: Vec<Path> = drain(&mut leg, now).iter().map(|sent| sent.0).collect();
        assert_eq!(to, [by(3), by(2)]);
    }
    leg.receive(BytesMut::from(&names[..]), by(3), now);
    leg.send(0, packet(4, 10), now);
    assert_eq!(drain(&mut leg, now).last().unwrap().0, by(3));
}
