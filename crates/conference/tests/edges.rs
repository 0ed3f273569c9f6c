//! Plays of what seldom comes together, each found by somebody who thought it through; the language is that of `plays.rs`.

mod support;

use expect_test::{Expect, expect};
use support::{
    play::told,
    room::{Room, setup},
};

fn check(play: &str, expect: Expect) {
    let mut setup = setup();
    setup.away_seconds = 60;
    let mut room = Room::linked(setup);
    expect.assert_eq(&told(&mut room, play));
}

#[test]
fn a_request_that_waited_for_a_link_is_not_taken_into_another_item() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests in item 5
            00:20  chair      opens item 6 keeping
            00:30  Hồng Ngự   requests in item 5     -> refused: other item
            00:40  Hồng Ngự   requests in item 6
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  item 5 is over; item 6 begins, the list is kept
            00:30  Hồng Ngự is refused: other item
            00:40  2 Hồng Ngự is in the list
            --
            floor: free
            waiting: 2 Hồng Ngự*
            kept: 1 Sa Đéc for item 5
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn what_the_desks_register_for_the_hall_is_taken_though_the_list_is_closed_and_a_new_item_opens_it()
{
    check(
        r#"
            00:00  chair      opens item 5
            00:10  chair      closes the list
            00:20  Sa Đéc     requests               -> refused: list closed
            00:30  secretary  requests a conclusion
            00:40  chair      grants next
            01:00  chair      ends 1
            01:10  chair      opens item 6
            01:20  Sa Đéc     requests
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  the list is closed
            00:20  Sa Đéc is refused: list closed
            00:30  1 hall is in the list
            00:40  the chair calls 1; 1 has the floor for 05:00
            01:00  1 ends at 01:00
            01:10  item 5 is over; item 6 begins; the list is open
            01:20  2 Sa Đéc is in the list
            --
            floor: free
            waiting: 2 Sa Đéc*
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn who_waits_to_speak_may_still_raise_a_point_of_order() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests for Lan
            00:20  Sa Đéc     requests as Lan a paper            -> refused: delegate waits
            00:30  Sa Đéc     requests as Lan a point of order
            00:40  Sa Đéc     requests as Lan a point of order   -> refused: delegate waits
            00:50  Sa Đéc     requests
            00:51  Sa Đéc     requests
            00:52  Sa Đéc     requests
            00:53  Sa Đéc     requests                           -> refused: queue full
            00:54  Sa Đéc     requests a point of order
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  Sa Đéc is refused: delegate waits
            00:30  2 Sa Đéc is in the list
            00:40  Sa Đéc is refused: delegate waits
            00:50  3 Sa Đéc is in the list
            00:51  4 Sa Đéc is in the list
            00:52  5 Sa Đéc is in the list
            00:53  Sa Đéc is refused: queue full
            00:54  6 Sa Đéc is in the list
            --
            floor: free
            waiting: 2 Sa Đéc* [its kind], 6 Sa Đéc+ [its kind], 1 Sa Đéc, 3 Sa Đéc, 4 Sa Đéc, 5 Sa Đéc
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_point_of_order_needs_no_free_microphone() {
    check(
        r#"
            00:00  chair      opens item 11
            00:10  Sa Đéc     requests
            00:20  Tháp Mười  requests
            00:30  Hồng Ngự   requests a point of order
            00:40  chair      grants 3
        "#,
        expect![[r#"
            00:00  item 11 begins
            00:10  1 Sa Đéc is in the list
            00:10  1 has the floor for 11:00
            00:20  2 Tháp Mười is in the list
            00:20  2 has the floor for 11:00
            00:30  3 Hồng Ngự is in the list
            00:40  the chair calls 3; 3 has the floor for 11:00
            --
            floor: 3 Hồng Ngự, 00:00 of 11:00, clock runs
            also: 2 Tháp Mười, 00:20 of 11:00, clock runs
            also: 1 Sa Đéc, 00:30 of 11:00, clock runs
            waiting: nobody
            heard: Tháp Mười, Sa Đéc, Hồng Ngự; picture: Hồng Ngự
        "#]],
    );
}

#[test]
fn what_blank_covers_in_a_break_comes_back_and_then_what_the_break_covered() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  chair      shows the grid
            00:20  chair      breaks for 15
            00:30  chair      blanks the screens
            00:40  chair      shows the screens again
            00:50  chair      ends the break
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  the screens show grid
            00:20  a break until 15:20
            00:30  the screens show blank
            00:40  the screens show waiting
            00:50  the break is over
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            the screens show grid
        "#]],
    );
}

#[test]
fn a_site_that_is_called_once_more_keeps_its_answer_when_the_new_call_is_broken_off() {
    let mut room = Room::linked(setup());
    let calls = "00:00 chair calls the roll
        00:05 hall is measured at -30
        00:10 chair calls the next after hall
        00:20 chair ends the roll call";
    told(&mut room, calls);
    let answered = room.live.roll().called.clone();
    assert_eq!(answered.len(), 1, "only the hall was called to its end");
    told(
        &mut room,
        "00:30 chair calls hall\n00:40 chair ends the roll call",
    );
    assert_eq!(room.live.roll().called, answered);
}

#[test]
fn a_restart_while_a_speaker_is_away_is_nobodys_absence_either() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      grants next
            00:30  Sa Đéc     room lost
            00:40  (server)   restarts, last alive 00:35
            01:34  (time)
            01:35  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            00:30  Sa Đéc's room is lost; 1 is held from 00:30
            00:40  hall's room is lost; Tháp Mười's room is lost; Hồng Ngự's room is lost; 1 is held from 00:35
            01:35  1 ends at 01:35, its site stayed away
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn an_undone_move_leaves_what_a_site_was_told() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:11  Hồng Ngự   requests
            00:12  Sa Đéc     requests
            00:20  chair      denies 1
            00:21  chair      moves 3 before 2
            00:22  Sa Đéc     requests
            00:23  chair      undoes 3
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Hồng Ngự is in the list
            00:12  3 Sa Đéc is in the list
            00:20  1 is not taken ()
            00:21  the chair puts 3 at place 1
            00:22  4 Sa Đéc is in the list
            00:23  the step is undone
            --
            floor: free
            waiting: 2 Hồng Ngự*, 3 Sa Đéc+, 4 Sa Đéc
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn the_chairs_pick_is_not_out_of_order_where_the_chair_picks() {
    check(
        r#"
            00:00  chair      opens item 7
            00:10  Sa Đéc     requests
            00:11  Hồng Ngự   requests
            00:20  chair      grants 2
        "#,
        expect![[r#"
            00:00  item 7 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Hồng Ngự is in the list
            00:20  the chair calls 2; 2 has the floor for 07:00
            --
            floor: 2 Hồng Ngự, 00:00 of 07:00, clock runs
            waiting: 1 Sa Đéc
            heard: Hồng Ngự; picture: Hồng Ngự
        "#]],
    );
}

#[test]
fn the_priority_key_is_let_go_by_the_seat_that_holds_it() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      grants next
            00:30  chair      holds priority
            00:31  chair 2    holds priority         -> refused: already so
            00:32  chair 2    lets priority go       -> refused: priority held
            00:40  chair      lets priority go
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            00:30  the chair holds priority
            00:31  chair 2 is refused: already so
            00:32  chair 2 is refused: priority held
            00:40  priority is let go
            --
            floor: 1 Sa Đéc, 00:10 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn a_question_about_a_point_of_order_is_put_into_it() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests a point of order
            00:20  chair      grants next
            00:30  Hồng Ngự   requests a question
            00:40  chair      grants next 2
            01:00  chair      ends 2
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            00:30  2 Hồng Ngự is in the list
            00:40  the chair calls 2; 1 is interrupted; 2 has the floor for 05:00
            01:00  2 ends at 01:00; 1 is taken up again
            --
            floor: 1 Sa Đéc, 00:20 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn a_site_without_a_link_is_called_and_not_heard_and_reports_no_more_than_were_summoned() {
    check(
        r#"
            00:00  Tháp Mười  room lost
            00:10  chair      calls the roll
            00:20  chair      calls the next after hall
            00:30  Tháp Mười  reports 11 of 10 for Tháp Mười  -> refused: too many present
            00:40  Tháp Mười  reports 10 of 10 for Tháp Mười
        "#,
        expect![[r#"
            00:00  Tháp Mười's room is lost
            00:10  the roll is called; hall is called
            00:20  hall has not answered; Tháp Mười is called
            00:30  Tháp Mười is refused: too many present
            00:40  Tháp Mười: 10 summoned, 10 present, 0 online
            --
            floor: free
            waiting: nobody
            heard: hall; picture: Tháp Mười
            present: 10 of 40
        "#]],
    );
}

#[test]
fn an_absence_counts_anew_for_who_comes_back_by_undo() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:11  Hồng Ngự   requests
            00:20  chair      grants next
            00:30  Sa Đéc     room lost
            01:25  chair      grants 2
            01:32  chair      undoes 2
            02:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Hồng Ngự is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            00:30  Sa Đéc's room is lost; 1 is held from 00:30
            01:25  the chair calls 2; 1 ends at 01:25, the next is called; 2 has the floor for 05:00
            01:32  the step is undone; 1 is held from 01:32
            --
            floor: 1 Sa Đéc, 00:10 of 05:00, held, clock stands
            waiting: 2 Hồng Ngự*
            heard: nobody; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn a_speech_goes_on_when_it_is_taken_up_and_not_when_the_question_in_it_should_have_ended() {
    check(
        r#"
            00:00  chair      opens item 2
            00:00  Sa Đéc     requests
            00:10  chair      grants next
            00:20  Hồng Ngự   requests a question
            00:30  chair      grants next
            09:00  (late)
            09:30  (time)
        "#,
        expect![[r#"
            00:00  item 2 begins
            00:00  1 Sa Đéc is in the list
            00:10  the chair calls 1; 1 has the floor for 02:00
            00:20  2 Hồng Ngự is in the list
            00:30  the chair calls 2; 1 is interrupted; 2 has the floor for 02:00
            09:00  2 has 60 s left
            09:00  2 has 15 s left
            09:00  2 is out of time; 2 ends at 02:30, time is up; 1 is taken up again
            --
            floor: 1 Sa Đéc, 00:50 of 02:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}
