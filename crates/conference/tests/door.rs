//! Plays at the door. Seats 6 to 9 are the sites' and bind a device; 7 is Tháp Mười, 8 Sa Đéc, 9 Hồng Ngự.

#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod support;

use expect_test::{Expect, expect};
use support::{
    play::told,
    room::{Room, setup},
};

fn check(play: &str, expect: Expect) {
    let mut room = Room::linked(setup());
    let story = told(&mut room, play);
    let (events, _) = story.split_once("--").expect("a play has an end");
    expect.assert_eq(events);
}

#[test]
fn the_first_device_is_bound_and_comes_back_without_asking() {
    check(
        r#"
            00:00  Sa Đéc      knocks with device 1 as 1111
            00:01  Sa Đéc      knocks with device 1 as 1112  -> let in
            00:02  (server)    restarts, last alive 00:02
            00:03  Sa Đéc      knocks with device 1 as 1113  -> let in
        "#,
        expect![[r#"
            00:00  seat 8 knows device 1
            00:01  Sa Đéc is let in
            00:02  hall's room is lost; Tháp Mười's room is lost; Sa Đéc's room is lost; Hồng Ngự's room is lost
            00:03  Sa Đéc is let in
        "#]],
    );
}

#[test]
fn a_second_device_waits_until_somebody_lets_it_in() {
    check(
        r#"
            00:00  Sa Đéc      knocks with device 1 as 1111
            00:01  Sa Đéc      knocks with device 2 as 2222
            00:02  Sa Đéc      lets 1 in                     -> refused: not allowed
            00:03  secretary   lets 1 in                     -> refused: not allowed
            00:04  deputy      lets 1 in                     -> refused: not presiding
            00:05  chair       lets 1 in
            00:06  chair       lets 1 in                     -> refused: unknown device
            00:07  Sa Đéc      knocks with device 2 as 2223  -> let in
            00:08  Sa Đéc      knocks with device 1 as 1112  -> let in
        "#,
        expect![[r#"
            00:00  seat 8 knows device 1
            00:01  1 device 2 waits for seat 8: 2222
            00:02  Sa Đéc is refused: not allowed
            00:03  secretary is refused: not allowed
            00:04  deputy is refused: not presiding
            00:05  1 is let in
            00:06  chair is refused: unknown device
            00:07  Sa Đéc is let in
            00:08  Sa Đéc is let in
        "#]],
    );
}

#[test]
fn a_device_is_sent_away_once_or_for_good() {
    check(
        r#"
            00:00  Sa Đéc      knocks with device 1 as 1111
            00:01  Sa Đéc      knocks with device 2 as 2222
            00:02  technician  sends 1 away
            00:03  Sa Đéc      knocks with device 2 as 2223
            00:04  Hồng Ngự    knocks with device 3 as 3333
            00:05  Hồng Ngự    knocks with device 2 as 2224
            00:06  technician  sends 2 away for good
            00:07  Sa Đéc      knocks with device 2 as 2225  -> shut out
            00:08  Tháp Mười   knocks with device 2 as 2226  -> shut out
            00:09  (server)    restarts, last alive 00:09
            00:10  Sa Đéc      knocks with device 2 as 2227  -> shut out
            00:11  technician  allows device 3               -> refused: unknown device
            00:12  technician  allows device 2
            00:13  Sa Đéc      knocks with device 2 as 2228
        "#,
        expect![[r#"
            00:00  seat 8 knows device 1
            00:01  1 device 2 waits for seat 8: 2222
            00:02  1 is sent away
            00:03  2 device 2 waits for seat 8: 2223
            00:04  seat 9 knows device 3
            00:05  3 device 2 waits for seat 9: 2224
            00:06  2 is sent away; device 2 is shut out; 3 is sent away
            00:07  Sa Đéc is shut out
            00:08  Tháp Mười is shut out
            00:09  hall's room is lost; Tháp Mười's room is lost; Sa Đéc's room is lost; Hồng Ngự's room is lost
            00:10  Sa Đéc is shut out
            00:11  technician is refused: unknown device
            00:12  device 2 may come again
            00:13  4 device 2 waits for seat 8: 2228
        "#]],
    );
}

#[test]
fn who_is_asked_to_leave_comes_back_through_the_lobby_only() {
    check(
        r#"
            00:00  Sa Đéc      knocks with device 1 as 1111
            00:01  technician  expels seat 0                 -> refused: not allowed
            00:02  technician  expels seat 3                 -> refused: not allowed
            00:03  technician  expels seat 99                -> refused: unknown seat
            00:04  Sa Đéc      expels seat 9                 -> refused: not allowed
            00:05  technician  expels seat 8
            00:06  chair       expels seat 8                 -> refused: already so
            00:07  (server)    restarts, last alive 00:07
            00:08  Sa Đéc      knocks with device 1 as 1112
            00:09  chair       lets 1 in
            00:10  Sa Đéc      knocks with device 1 as 1113  -> let in
            00:20  observer    knocks without a key as 4441  -> let in
            00:21  technician  expels seat 4
            00:22  observer    knocks without a key as 4442
            00:23  technician  lets 2 in
            00:24  observer    knocks without a key as 4443
        "#,
        expect![[r#"
            00:00  seat 8 knows device 1
            00:01  technician is refused: not allowed
            00:02  technician is refused: not allowed
            00:03  technician is refused: unknown seat
            00:04  Sa Đéc is refused: not allowed
            00:05  seat 8 is asked to leave
            00:06  chair is refused: already so
            00:07  hall's room is lost; Tháp Mười's room is lost; Sa Đéc's room is lost; Hồng Ngự's room is lost
            00:08  1 device 1 waits for seat 8: 1112
            00:09  1 is let in
            00:10  Sa Đéc is let in
            00:20  observer is let in
            00:21  seat 4 is asked to leave
            00:22  2 a page without a key waits for seat 4: 4442
            00:23  2 is let in
            00:24  3 a page without a key waits for seat 4: 4443
        "#]],
    );
}

#[test]
fn who_is_shut_out_for_good_loses_the_chair_the_key_and_every_link() {
    check(
        r#"
            00:00  deputy      takes the chair
            00:01  deputy      holds priority
            00:02  Sa Đéc      knocks with device 1 as 1111
            00:03  Hồng Ngự    knocks with device 2 as 2222
            00:04  Hồng Ngự    knocks with device 1 as 1112
            00:05  chair       expels seat 10
            00:06  chair       expels seat 8 for good
            00:07  Hồng Ngự    knocks with device 1 as 1113  -> shut out
        "#,
        expect![[r#"
            00:00  the deputy has the chair
            00:01  the chair holds priority
            00:02  seat 8 knows device 1
            00:03  seat 9 knows device 2
            00:04  1 device 1 waits for seat 9: 1112
            00:05  priority is let go; seat 10 is asked to leave
            00:06  seat 8 is asked to leave; device 1 is shut out; 1 is sent away
            00:07  Hồng Ngự is shut out
        "#]],
    );
}

#[test]
fn a_revoked_link_waits_for_nobody_and_a_restored_one_is_new() {
    check(
        r#"
            00:00  Sa Đéc      knocks with device 1 as 1111
            00:01  Sa Đéc      knocks with device 2 as 2222
            00:02  technician  revokes seat 8
            00:03  Sa Đéc      knocks with device 1 as 1112  -> shut out
            00:04  Sa Đéc      restores seat 8               -> refused: not allowed
            00:05  technician  restores seat 1               -> refused: not allowed
            00:06  technician  restores seat 9               -> refused: already so
            00:07  technician  restores seat 8
            00:08  Sa Đéc      knocks with device 3 as 3333
            00:09  Sa Đéc      knocks with device 1 as 1113
        "#,
        expect![[r#"
            00:00  seat 8 knows device 1
            00:01  1 device 2 waits for seat 8: 2222
            00:02  seat 8 is revoked; 1 is sent away
            00:03  Sa Đéc is shut out
            00:04  Sa Đéc is refused: not allowed
            00:05  technician is refused: not allowed
            00:06  technician is refused: already so
            00:07  seat 8 is as on the first day
            00:08  seat 8 knows device 3
            00:09  2 device 1 waits for seat 8: 1113
        "#]],
    );
}

#[test]
fn a_page_without_a_key_waits_every_time() {
    check(
        r#"
            00:00  Sa Đéc      knocks without a key as 4441
            00:01  technician  lets 1 in
            00:02  Sa Đéc      knocks without a key as 4442
            00:03  Sa Đéc      goes from the door, 2
            00:04  technician  lets 2 in                     -> refused: unknown device
            00:05  Sa Đéc      knocks with device 1 as 1111
        "#,
        expect![[r#"
            00:00  1 a page without a key waits for seat 8: 4441
            00:01  1 is let in
            00:02  2 a page without a key waits for seat 8: 4442
            00:03  2 waits no more
            00:04  technician is refused: unknown device
            00:05  seat 8 knows device 1
        "#]],
    );
}

#[test]
fn a_device_that_a_chair_sits_at_is_not_shut_out() {
    let mut setup = setup();
    for seat in &mut setup.seats {
        seat.bound = true;
    }
    let mut room = Room::linked(setup);
    let story = told(
        &mut room,
        r#"
            00:00  chair       knocks with device 1 as 1111
            00:01  Sa Đéc      knocks with device 1 as 1112
            00:02  technician  knocks with device 2 as 2222
            00:03  Hồng Ngự    knocks with device 2 as 2223
            00:04  technician  expels seat 8 for good        -> refused: device in use
            00:05  technician  expels seat 9 for good        -> refused: device in use
            00:06  chair       expels seat 9 for good
        "#,
    );
    let (events, _) = story.split_once("--").expect("a play has an end");
    expect![[r#"
        00:00  seat 0 knows device 1
        00:01  seat 8 knows device 1
        00:02  seat 3 knows device 2
        00:03  seat 9 knows device 2
        00:04  technician is refused: device in use
        00:05  technician is refused: device in use
        00:06  seat 9 is asked to leave; device 2 is shut out
    "#]]
    .assert_eq(events);
}

#[test]
fn the_lobby_has_room_for_four_with_one_link() {
    check(
        r#"
            00:00  Sa Đéc      knocks with device 1 as 1111
            00:01  Sa Đéc      knocks with device 2 as 2222
            00:02  Sa Đéc      knocks with device 3 as 3333
            00:03  Sa Đéc      knocks with device 4 as 4444
            00:04  Sa Đéc      knocks with device 5 as 5555
            00:05  Sa Đéc      knocks with device 6 as 6666  -> turned away
            00:06  Sa Đéc      knocks with device 1 as 1112  -> let in
        "#,
        expect![[r#"
            00:00  seat 8 knows device 1
            00:01  1 device 2 waits for seat 8: 2222
            00:02  2 device 3 waits for seat 8: 3333
            00:03  3 device 4 waits for seat 8: 4444
            00:04  4 device 5 waits for seat 8: 5555
            00:05  Sa Đéc is turned away
            00:06  Sa Đéc is let in
        "#]],
    );
}
