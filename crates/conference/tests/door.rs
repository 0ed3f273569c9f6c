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
        "#,
        expect![[r#"
            00:00  1 a page without a key waits for seat 8: 4441
            00:01  1 is let in
            00:02  2 a page without a key waits for seat 8: 4442
            00:03  2 waits no more
            00:04  technician is refused: unknown device
        "#]],
    );
}

#[test]
fn a_copy_with_a_key_passes_over_no_page_without_one() {
    check(
        r#"
            00:00  Sa Đéc      knocks without a key as 4441
            00:01  Sa Đéc      knocks with device 7 as 7777
            00:02  Sa Đéc      goes from the door, 2
            00:03  technician  lets 1 in
            00:04  Sa Đéc      knocks with device 7 as 7778
            00:05  technician  restores seat 8
            00:06  Sa Đéc      knocks with device 1 as 1111
        "#,
        expect![[r#"
            00:00  1 a page without a key waits for seat 8: 4441
            00:01  2 device 7 waits for seat 8: 7777
            00:02  2 waits no more
            00:03  1 is let in
            00:04  3 device 7 waits for seat 8: 7778
            00:05  seat 8 is as on the first day, and guarded
            00:06  4 device 1 waits for seat 8: 1111
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
fn nor_is_one_at_which_they_sit_with_a_link_that_opens_for_everybody() {
    check(
        r#"
            00:00  Sa Đéc      knocks with device 1 as 1111
            00:01  Hồng Ngự    knocks with device 2 as 2222
            00:02  Hồng Ngự    knocks with device 3 as 3333
            00:03  technician  expels seat 8 for good with seat 0 on 1  -> refused: device in use
            00:04  technician  sends 1 away for good with seat 3 on 3   -> refused: device in use
            00:05  chair       sends 1 away for good with seat 3 on 3
            00:06  technician  expels seat 8 for good with seat 4 on 1
        "#,
        expect![[r#"
            00:00  seat 8 knows device 1
            00:01  seat 9 knows device 2
            00:02  1 device 3 waits for seat 9: 3333
            00:03  technician is refused: device in use
            00:04  technician is refused: device in use
            00:05  1 is sent away; device 3 is shut out
            00:06  seat 8 is asked to leave; device 1 is shut out
        "#]],
    );
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

#[test]
fn while_a_machine_is_there_or_waits_a_changed_one_is_let_in_by_a_person() {
    check(
        r#"
            00:00  Sa Đéc      knocks with device 1 as 1111
            00:01  Sa Đéc      knocks with device 2 as 2222
            00:02  technician  restores seat 8 that is there
            00:03  Sa Đéc      knocks with device 1 as 1112
            00:04  Sa Đéc      knocks with device 3 as 3333
            00:05  technician  lets 1 in
            00:06  Sa Đéc      knocks with device 2 as 2223  -> let in
            00:07  Sa Đéc      knocks with device 1 as 1113
            00:10  Hồng Ngự    knocks with device 4 as 4444
            00:11  Hồng Ngự    knocks with device 5 as 5555
            00:12  technician  restores seat 9
            00:13  Hồng Ngự    knocks with device 6 as 6666
            00:20  Tháp Mười   knocks with device 7 as 7777
            00:21  technician  restores seat 7
            00:22  Tháp Mười   knocks with device 8 as 8888
            00:23  technician  restores seat 7 that is there
            00:24  technician  restores seat 7
            00:25  technician  restores seat 7               -> refused: already so
            00:26  Tháp Mười   knocks with device 9 as 9999
        "#,
        expect![[r#"
            00:00  seat 8 knows device 1
            00:01  1 device 2 waits for seat 8: 2222
            00:02  seat 8 is as on the first day, and guarded
            00:03  2 device 1 waits for seat 8: 1112
            00:04  3 device 3 waits for seat 8: 3333
            00:05  1 is let in
            00:06  Sa Đéc is let in
            00:07  4 device 1 waits for seat 8: 1113
            00:10  seat 9 knows device 4
            00:11  5 device 5 waits for seat 9: 5555
            00:12  seat 9 is as on the first day, and guarded
            00:13  6 device 6 waits for seat 9: 6666
            00:20  seat 7 knows device 7
            00:21  seat 7 is as on the first day
            00:22  seat 7 knows device 8
            00:23  seat 7 is as on the first day, and guarded
            00:24  seat 7 is as on the first day
            00:25  technician is refused: already so
            00:26  seat 7 knows device 9
        "#]],
    );
}

#[test]
fn a_desk_whose_machine_is_changed_loses_the_chair_and_the_key_and_whoever_changes_its_own_does_not()
 {
    let mut setup = setup();
    for seat in &mut setup.seats {
        seat.bound = true;
    }
    let mut room = Room::linked(setup);
    let story = told(
        &mut room,
        r#"
            00:00  deputy      knocks with device 1 as 1111
            00:01  deputy      takes the chair
            00:02  deputy      holds priority
            00:03  technician  restores seat 10 that is there
            00:10  chair       knocks with device 2 as 2222
            00:11  chair       holds priority
            00:12  chair       restores seat 0 that is there
            00:13  chair       lets priority go
        "#,
    );
    let (events, _) = story.split_once("--").expect("a play has an end");
    expect![[r#"
        00:00  seat 10 knows device 1
        00:01  the deputy has the chair
        00:02  the chair holds priority
        00:03  priority is let go; seat 10 is as on the first day, and guarded
        00:10  seat 0 knows device 2
        00:11  the chair holds priority
        00:12  seat 0 is as on the first day, and guarded
        00:13  priority is let go
    "#]]
    .assert_eq(events);
}

#[test]
fn who_was_let_back_in_without_a_key_can_be_asked_to_leave_again() {
    check(
        r#"
            00:00  technician  expels seat 4
            00:01  technician  expels seat 4                 -> refused: already so
            00:02  observer    knocks without a key as 4441
            00:03  technician  lets 1 in
            00:04  technician  expels seat 4
            00:05  observer    knocks without a key as 4442
        "#,
        expect![[r#"
            00:00  seat 4 is asked to leave
            00:01  technician is refused: already so
            00:02  1 a page without a key waits for seat 4: 4441
            00:03  1 is let in
            00:04  seat 4 is asked to leave
            00:05  2 a page without a key waits for seat 4: 4442
        "#]],
    );
}

#[test]
fn an_open_link_that_was_asked_to_leave_lets_in_those_only_who_were_let_in_until_it_is_opened_again()
 {
    check(
        r#"
            00:00  observer    knocks with device 1 as 1111  -> let in
            00:01  technician  expels seat 4
            00:02  observer    knocks with device 1 as 1112
            00:03  technician  lets 1 in
            00:04  observer    knocks with device 1 as 1113  -> let in
            00:05  observer    knocks with device 2 as 2222
            00:06  observer    knocks without a key as 4441
            00:07  technician  restores seat 4 that is there
            00:08  observer    knocks with device 2 as 2223  -> let in
            00:09  observer    knocks without a key as 4442  -> let in
        "#,
        expect![[r#"
            00:00  observer is let in
            00:01  seat 4 is asked to leave
            00:02  1 device 1 waits for seat 4: 1112
            00:03  1 is let in
            00:04  observer is let in
            00:05  2 device 2 waits for seat 4: 2222
            00:06  3 a page without a key waits for seat 4: 4441
            00:07  seat 4 is as on the first day
            00:08  observer is let in
            00:09  observer is let in
        "#]],
    );
}

#[test]
fn a_record_from_before_machines_were_changed_under_guard_is_read() {
    let event: diemcau_conference::Event =
        serde_json::from_str(r#"{"type":"seat_restored","seat":8,"at":7}"#).expect("it is read");
    let (seat, at) = (diemcau_model::SeatId(8), diemcau_model::Millis(7));
    let guarded = false;
    let restored = diemcau_conference::Event::SeatRestored { seat, guarded, at };
    assert_eq!(event, restored);
}
