//! Plays of presentations: one screen at a time is shown to all rooms, by whom the chair lets.

mod support;

use expect_test::{Expect, expect};
use support::{
    play::{perform, told},
    room::{Room, setup},
};

fn check(play: &str, expect: Expect) {
    let mut room = Room::linked(setup());
    expect.assert_eq(&told(&mut room, play));
}

#[test]
fn a_site_asks_and_presents_once_it_is_let() {
    check(
        r#"
            00:00  Sa Đéc      asks to present
            00:05  Sa Đéc      asks to present -> refused: already so
            00:06  Tháp Mười   asks to present
            00:10  Tháp Mười   lets Tháp Mười present -> refused: not allowed
            00:20  chair       lets Sa Đéc present
            00:30  Sa Đéc      asks to present -> refused: already so
        "#,
        expect![[r#"
            00:00  seat 8 asks to present
            00:05  Sa Đéc is refused: already so
            00:06  seat 7 asks to present
            00:10  Tháp Mười is refused: not allowed
            00:20  seat 8 presents
            00:30  Sa Đéc is refused: already so
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            seat 8 presents for Sa Đéc
            ask to present: 7
            the screens show document
        "#]],
    );
}

#[test]
fn whoever_presides_begins_at_once_and_takes_it_from_another() {
    check(
        r#"
            00:00  Sa Đéc      asks to present
            00:05  technician  lets Sa Đéc present
            00:10  chair       asks to present
            00:20  deputy      asks to present
        "#,
        expect![[r#"
            00:00  seat 8 asks to present
            00:05  seat 8 presents
            00:10  seat 0 presents
            00:20  seat 10 asks to present
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            seat 0 presents for hall
            ask to present: 10
            the screens show document
        "#]],
    );
}

#[test]
fn what_was_shown_before_comes_back_after_it() {
    check(
        r#"
            00:00  chair       shows the grid
            00:05  Sa Đéc      asks to present
            00:06  chair       lets Sa Đéc present
            00:10  Sa Đéc      ends the presentation of Sa Đéc
        "#,
        expect![[r#"
            00:00  the screens show grid
            00:05  seat 8 asks to present
            00:06  seat 8 presents
            00:10  seat 8 presents no more, nor asks to
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            the screens show grid
        "#]],
    );
    check(
        r#"
            00:00  Sa Đéc      asks to present
            00:05  chair       lets Sa Đéc present
            00:06  chair       shows the grid
            00:10  chair       ends the presentation of Sa Đéc
        "#,
        expect![[r#"
            00:00  seat 8 asks to present
            00:05  seat 8 presents
            00:06  the screens show grid
            00:10  seat 8 presents no more, nor asks to
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            the screens show grid
        "#]],
    );
    check(
        r#"
            00:00  chair       shows the waiting picture
            00:01  chair       asks to present
            00:02  chair       opens item 5
            00:03  Sa Đéc      requests
            00:04  chair       grants next
            00:10  chair       ends the presentation of chair
        "#,
        expect![[r#"
            00:00  the screens show waiting
            00:01  seat 0 presents
            00:02  item 5 begins
            00:03  1 Sa Đéc is in the list
            00:04  the chair calls 1; 1 has the floor for 05:00
            00:10  seat 0 presents no more, nor asks to
            --
            floor: 1 Sa Đéc, 00:06 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn a_wish_is_taken_back_and_nobody_ends_what_is_anothers() {
    check(
        r#"
            00:00  Sa Đéc      asks to present
            00:01  Tháp Mười   ends the presentation of Sa Đéc -> refused: not allowed
            00:02  Sa Đéc      ends the presentation of Sa Đéc
            00:03  chair       lets Sa Đéc present -> refused: stale
            00:04  Sa Đéc      ends the presentation of Sa Đéc -> refused: stale
            00:05  chair 2     asks to present -> refused: carries nothing
            00:06  observer    asks to present -> refused: not allowed
        "#,
        expect![[r#"
            00:00  seat 8 asks to present
            00:01  Tháp Mười is refused: not allowed
            00:02  seat 8 presents no more, nor asks to
            00:03  chair is refused: stale
            00:04  Sa Đéc is refused: stale
            00:05  chair 2 is refused: carries nothing
            00:06  observer is refused: not allowed
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_machine_that_stays_away_presents_no_more_and_one_that_is_sent_away_neither() {
    check(
        r#"
            00:00  Sa Đéc      asks to present
            00:01  Hồng Ngự    asks to present
            00:02  chair       lets Sa Đéc present
            00:03  Sa Đéc      is gone
            00:33  Sa Đéc      stays away
            00:34  chair       lets Hồng Ngự present
            00:35  Tháp Mười   asks to present
            01:05  Tháp Mười   stays away
            01:07  technician  revokes seat 9
        "#,
        expect![[r#"
            00:00  seat 8 asks to present
            00:01  seat 9 asks to present
            00:02  seat 8 presents
            00:33  seat 8 presents no more, nor asks to
            00:34  seat 9 presents
            00:35  seat 7 asks to present
            01:05  seat 7 presents no more, nor asks to
            01:07  seat 9 presents no more, nor asks to; seat 9 is revoked
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn the_wall_comes_back_to_what_it_showed_last() {
    check(
        r#"
            00:00  chair       notes Nghỉ
            00:01  technician  shows the notice
            00:02  chair       shows the waiting picture
            00:03  chair       asks to present
            00:04  chair       opens item 5
            00:05  Sa Đéc      requests
            00:06  chair       grants next
            00:10  chair       ends the presentation of chair
        "#,
        expect![[r#"
            00:00  the notice says "Nghỉ"
            00:01  the screens show notice
            00:02  the screens show waiting
            00:03  seat 0 presents
            00:04  item 5 begins
            00:05  1 Sa Đéc is in the list
            00:06  the chair calls 1; 1 has the floor for 05:00
            00:10  seat 0 presents no more, nor asks to
            --
            floor: 1 Sa Đéc, 00:04 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
    check(
        r#"
            00:00  Sa Đéc      asks to present
            00:01  chair       lets Sa Đéc present
            00:02  chair       shows the grid
            00:03  Hồng Ngự    asks to present
            00:04  chair       lets Hồng Ngự present
            00:05  chair       ends the presentation of Hồng Ngự
        "#,
        expect![[r#"
            00:00  seat 8 asks to present
            00:01  seat 8 presents
            00:02  the screens show grid
            00:03  seat 9 asks to present
            00:04  seat 9 presents
            00:05  seat 9 presents no more, nor asks to
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            the screens show grid
        "#]],
    );
    check(
        r#"
            00:00  chair       asks to present
            00:01  chair       breaks for 5
            00:02  Hồng Ngự    asks to present
            00:03  chair       lets Hồng Ngự present
            00:04  chair       ends the presentation of Hồng Ngự
        "#,
        expect![[r#"
            00:00  seat 0 presents
            00:01  a break until 05:01
            00:02  seat 9 asks to present
            00:03  seat 9 presents
            00:04  seat 9 presents no more, nor asks to
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            the screens show waiting
        "#]],
    );
}

#[test]
fn blank_hides_a_presentation_too_until_it_is_lifted() {
    let mut room = Room::linked(setup());
    let shown = |room: &Room| room.live.stage().presentation.is_some();
    perform(&mut room, "00:00 chair asks to present", &mut vec![]);
    assert!(shown(&room));
    perform(&mut room, "00:01 chair blanks the screens", &mut vec![]);
    assert!(!shown(&room));
    perform(
        &mut room,
        "00:02 chair shows the screens again",
        &mut vec![],
    );
    assert!(shown(&room));
}
