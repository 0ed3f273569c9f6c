//! Plays in words: how a conference runs, and what it refuses. Item `n` of the agenda gives `n` minutes a turn; item 2
//! cuts, item 3 mutes after 30 s, item 4 asks for the chair's word. `*` is the site on deck.

mod support;

use expect_test::{Expect, expect};
use support::{
    play::told,
    room::{Room, setup},
};

fn check(play: &str, expect: Expect) {
    let mut room = Room::linked(setup());
    expect.assert_eq(&told(&mut room, play));
}

#[test]
fn requests_are_taken_in_the_order_they_arrive() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:12  Tháp Mười  requests
            00:12  Hồng Ngự   requests
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Tháp Mười is in the list
            00:12  4 Hồng Ngự is in the list
            --
            floor: free
            waiting: 1 Tháp Mười*, 2 Sa Đéc, 3 Tháp Mười, 4 Hồng Ngự
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn nobody_asks_for_the_floor_before_an_item_runs() {
    check(
        r#"
            00:00  Sa Đéc     requests             -> refused: no item
            00:05  chair      opens item 1
            00:10  Sa Đéc     requests
            00:20  chair      finishes item 1
            00:30  Sa Đéc     requests             -> refused: no item
            00:40  chair      grants next          -> refused: no item
            00:50  chair      opens item 5
            01:00  chair      grants next
        "#,
        expect![[r#"
            00:00  Sa Đéc is refused: no item
            00:05  item 1 begins
            00:10  1 Sa Đéc is in the list
            00:20  item 1 is over
            00:30  Sa Đéc is refused: no item
            00:40  chair is refused: no item
            00:50  item 5 begins
            01:00  1 has the floor for 05:00
            --
            floor: 1 Sa Đéc, 00:00 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn a_request_has_bounds() {
    check(
        r#"
            00:00  chair      opens item 5
            00:01  Sa Đéc     requests with 200 letters
            00:02  Sa Đéc     requests with 201 letters  -> refused: text too long
            00:03  Sa Đéc     requests on paragraph 2
            00:04  Sa Đéc     requests on paragraph 3    -> refused: unknown paragraph
            00:05  Sa Đéc     requests on paragraph 0    -> refused: unknown paragraph
            00:06  Sa Đéc     requests
            00:07  Sa Đéc     requests
            00:08  Sa Đéc     requests                   -> refused: queue full
            00:09  Hồng Ngự   requests
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:01  1 Sa Đéc is in the list
            00:02  Sa Đéc is refused: text too long
            00:03  2 Sa Đéc is in the list
            00:04  Sa Đéc is refused: unknown paragraph
            00:05  Sa Đéc is refused: unknown paragraph
            00:06  3 Sa Đéc is in the list
            00:07  4 Sa Đéc is in the list
            00:08  Sa Đéc is refused: queue full
            00:09  5 Hồng Ngự is in the list
            --
            floor: free
            waiting: 1 Sa Đéc*, 2 Sa Đéc, 3 Sa Đéc, 4 Sa Đéc, 5 Hồng Ngự
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_site_withdraws_its_own_request_and_no_other() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:20  Sa Đéc     withdraws 1   -> refused: other site
            00:30  Tháp Mười  withdraws 1
            00:40  Tháp Mười  withdraws 1   -> refused: unknown turn
            00:50  chair      grants next
            01:00  Sa Đéc     withdraws 2   -> refused: unknown turn
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:20  Sa Đéc is refused: other site
            00:30  1 is withdrawn
            00:40  Tháp Mười is refused: unknown turn
            00:50  2 has the floor for 05:00
            01:00  Sa Đéc is refused: unknown turn
            --
            floor: 2 Sa Đéc, 00:10 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn with_approval_a_request_waits_for_the_chairs_word() {
    check(
        r#"
            00:00  chair      opens item 4
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:12  Hồng Ngự   requests
            00:13  Hồng Ngự   requests
            00:20  chair      grants next 1     -> refused: nobody waiting
            00:21  chair      prepares 1        -> refused: unknown turn
            00:22  chair      moves 1 last      -> refused: unknown turn
            00:30  chair      accepts 2
            00:31  chair      accepts 2         -> refused: already so
            00:40  chair      denies 3 hết thời gian
            00:41  chair      accepts 3         -> refused: unknown turn
            00:50  chair      accepts 1
        "#,
        expect![[r#"
            00:00  item 4 begins
            00:10  1 Tháp Mười waits for the chair's word
            00:11  2 Sa Đéc waits for the chair's word
            00:12  3 Hồng Ngự waits for the chair's word
            00:13  4 Hồng Ngự waits for the chair's word
            00:20  chair is refused: nobody waiting
            00:21  chair is refused: unknown turn
            00:22  chair is refused: unknown turn
            00:30  2 joins the list
            00:31  chair is refused: already so
            00:40  3 is not taken (hết thời gian)
            00:41  chair is refused: unknown turn
            00:50  1 joins the list
            --
            floor: free
            waiting: 2 Sa Đéc*, 1 Tháp Mười
            pending: 4 Hồng Ngự
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn the_chair_may_give_the_floor_to_a_request_it_has_not_accepted_yet() {
    check(
        r#"
            00:00  chair      opens item 4
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:20  chair      grants 2
        "#,
        expect![[r#"
            00:00  item 4 begins
            00:10  1 Tháp Mười waits for the chair's word
            00:11  2 Sa Đéc waits for the chair's word
            00:20  2 joins the list; 2 has the floor for 04:00
            --
            floor: 2 Sa Đéc, 00:00 of 04:00, clock runs
            waiting: nobody
            pending: 1 Tháp Mười
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn the_chair_denies_a_request_that_is_in_the_list() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:20  chair      prepares 2
            00:30  chair      denies 2 đã có ý kiến
            00:40  chair      denies 2             -> refused: unknown turn
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:20  2 prepares
            00:30  2 is not taken (đã có ý kiến)
            00:40  chair is refused: unknown turn
            --
            floor: free
            waiting: 1 Tháp Mười*
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn the_chair_reorders_the_list() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:12  Hồng Ngự   requests
            00:20  chair      moves 3 before 1
            00:21  chair      moves 3 before 1   -> refused: already so
            00:22  chair      moves 3 before 3   -> refused: already so
            00:23  chair      moves 3 before 9   -> refused: unknown turn
            00:24  chair      moves 9 last       -> refused: unknown turn
            00:30  chair      moves 1 last
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Hồng Ngự is in the list
            00:20  3 is put before 1
            00:21  chair is refused: already so
            00:22  chair is refused: already so
            00:23  chair is refused: unknown turn
            00:24  chair is refused: unknown turn
            00:30  1 is put last
            --
            floor: free
            waiting: 3 Hồng Ngự*, 2 Sa Đéc, 1 Tháp Mười
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn prepare_puts_another_site_on_deck_until_it_speaks_or_leaves() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:12  Hồng Ngự   requests
            00:20  chair      prepares 1         -> refused: already so
            00:21  chair      prepares 3
            00:22  chair      prepares 3         -> refused: already so
            00:23  chair      prepares 9         -> refused: unknown turn
            00:30  chair      grants next 1      -> refused: stale
            00:31  chair      grants next 3
            00:40  chair      prepares 2
            00:50  Sa Đéc     withdraws 2
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Hồng Ngự is in the list
            00:20  chair is refused: already so
            00:21  3 prepares
            00:22  chair is refused: already so
            00:23  chair is refused: unknown turn
            00:30  chair is refused: stale
            00:31  3 has the floor for 05:00
            00:40  2 prepares
            00:50  2 is withdrawn
            --
            floor: 3 Hồng Ngự, 00:19 of 05:00, clock runs
            waiting: 1 Tháp Mười*
            heard: Hồng Ngự; picture: Hồng Ngự
        "#]],
    );
}

#[test]
fn two_consoles_press_next_at_once() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:20  chair      grants next 1 after nothing
            00:20  chair 2    grants next 1 after nothing   -> refused: stale
            00:30  chair 2    grants next 2 after nothing   -> refused: stale
            00:40  chair 2    grants next 1 after 1         -> refused: stale
            00:50  chair 2    grants next 2 after 1
            00:51  chair      grants next 2 after 1         -> refused: stale
            01:00  chair      grants next 2 after 2         -> refused: nobody waiting
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:20  1 has the floor for 05:00
            00:20  chair 2 is refused: stale
            00:30  chair 2 is refused: stale
            00:40  chair 2 is refused: stale
            00:50  1 ends at 00:50: Succeeded; 2 has the floor for 05:00
            00:51  chair is refused: stale
            01:00  chair is refused: nobody waiting
            --
            floor: 2 Sa Đéc, 00:10 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn the_chair_gives_the_floor_to_any_request() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:12  Hồng Ngự   requests
            00:20  chair      grants 3
            00:30  chair 2    grants 2 after nothing   -> refused: stale
            00:31  chair      grants 3 after 3         -> refused: unknown turn
            00:32  chair      grants 9                 -> refused: unknown turn
            00:40  chair      grants 2 after 3
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Hồng Ngự is in the list
            00:20  3 has the floor for 05:00
            00:30  chair 2 is refused: stale
            00:31  chair is refused: unknown turn
            00:32  chair is refused: unknown turn
            00:40  3 ends at 00:40: Succeeded; 2 has the floor for 05:00
            --
            floor: 2 Sa Đéc, 00:00 of 05:00, clock runs
            waiting: 1 Tháp Mười*
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn pause_stops_the_clock_and_the_microphone_and_keeps_the_floor() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      pauses 1        -> refused: unknown turn
            00:00  chair      grants next
            01:00  chair      resumes 1       -> refused: already so
            01:00  chair      pauses 1
            01:10  chair      pauses 1        -> refused: already so
            01:10  chair      pauses 2        -> refused: stale
            09:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            00:00  chair is refused: unknown turn
            01:00  1 is paused
            01:00  chair is refused: already so
            01:10  chair is refused: already so
            01:10  chair is refused: stale
            --
            floor: 1 Tháp Mười, 01:00 of 05:00, paused, clock stands
            waiting: nobody
            heard: nobody; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn a_resumed_turn_has_what_was_left() {
    check(
        r#"
            00:00     chair      opens item 5
            00:00     Tháp Mười  requests
            00:00     chair      grants next
            01:00     chair      pauses 1
            03:00     chair      resumes 1
            04:30     chair      pauses 1
            10:00.250 chair      resumes 1
            13:00     (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            01:00  1 is paused
            03:00  1 goes on
            04:30  1 is paused
            10:00.250  1 goes on
            11:30.250  1 has 60 s left
            12:15.250  1 has 15 s left
            12:30.250  1 is out of time
            --
            floor: 1 Tháp Mười, 05:29.750 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn sixty_and_fifteen_seconds_are_told_once() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            03:59.999  (time)
            04:00  (time)
            04:45  (time)
            20:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            04:00  1 has 60 s left
            04:45  1 has 15 s left
            05:00  1 is out of time
            --
            floor: 1 Tháp Mười, 20:00 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn a_turn_of_one_minute_is_warned_at_fifteen_seconds_only() {
    check(
        r#"
            00:00  chair      opens item 1
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            02:00  (time)
        "#,
        expect![[r#"
            00:00  item 1 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 01:00
            00:45  1 has 15 s left
            01:00  1 is out of time
            --
            floor: 1 Tháp Mười, 02:00 of 01:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn more_time_before_zero_is_added_and_warned_of_anew() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            04:10  chair      extends 1 by 0     -> refused: out of range
            04:10  chair      extends 1 by 121   -> refused: out of range
            04:10  chair      extends 2 by 1     -> refused: stale
            04:10  chair      extends 1 by 1
            06:30  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            04:00  1 has 60 s left
            04:10  1 is given 01:00 more
            04:10  chair is refused: out of range
            04:10  chair is refused: out of range
            04:10  chair is refused: stale
            05:00  1 has 60 s left
            05:45  1 has 15 s left
            06:00  1 is out of time
            --
            floor: 1 Tháp Mười, 06:30 of 06:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn more_time_after_zero_counts_from_now() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            05:40  chair      extends 1 by 1
            06:25  (time)
            06:39.999  (time)
            06:40  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            04:00  1 has 60 s left
            04:45  1 has 15 s left
            05:00  1 is out of time
            05:40  1 is given 01:40 more
            06:25  1 has 15 s left
            06:40  1 is out of time
            --
            floor: 1 Tháp Mười, 06:40 of 06:40, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn more_time_for_a_turn_that_is_paused_over_time() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            05:30  chair      pauses 1
            06:00  chair      extends 1 by 2
            08:00  chair      resumes 1
            11:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            04:00  1 has 60 s left
            04:45  1 has 15 s left
            05:00  1 is out of time
            05:30  1 is paused
            06:00  1 is given 02:30 more
            08:00  1 goes on
            09:00  1 has 60 s left
            09:45  1 has 15 s left
            10:00  1 is out of time
            --
            floor: 1 Tháp Mười, 08:30 of 07:30, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn at_zero_warn_changes_nothing_but_the_word() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            07:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            04:00  1 has 60 s left
            04:45  1 has 15 s left
            05:00  1 is out of time
            --
            floor: 1 Tháp Mười, 07:00 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn at_zero_mute_closes_the_microphone_after_the_grace() {
    check(
        r#"
            00:00  chair      opens item 3
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            03:29.999  (time)
            04:00  (time)
        "#,
        expect![[r#"
            00:00  item 3 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 03:00
            02:00  1 has 60 s left
            02:45  1 has 15 s left
            03:00  1 is out of time
            03:30  1 is muted
            --
            floor: 1 Tháp Mười, 04:00 of 03:00, muted, clock runs
            waiting: nobody
            heard: nobody; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn a_muted_turn_is_heard_again_with_more_time_and_muted_again() {
    check(
        r#"
            00:00  chair      opens item 3
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            03:40  chair      pauses 1
            03:50  chair      resumes 1
            04:00  chair      extends 1 by 1
            04:30  chair      opens the microphone
            06:00  (time)
        "#,
        expect![[r#"
            00:00  item 3 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 03:00
            02:00  1 has 60 s left
            02:45  1 has 15 s left
            03:00  1 is out of time
            03:30  1 is muted
            03:40  1 is paused
            03:50  1 goes on
            04:00  1 is given 01:50 more
            04:30  the hall's microphone is open
            04:45  1 has 15 s left
            05:00  1 is out of time
            05:30  1 is muted
            --
            floor: 1 Tháp Mười, 05:50 of 04:50, muted, clock runs
            waiting: nobody
            heard: hall; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn at_zero_cut_ends_the_turn() {
    check(
        r#"
            00:00  chair      opens item 2
            00:00  Tháp Mười  requests
            00:00  Sa Đéc     requests
            00:00  chair      grants next
            02:30  (time)
        "#,
        expect![[r#"
            00:00  item 2 begins
            00:00  1 Tháp Mười is in the list
            00:00  2 Sa Đéc is in the list
            00:00  1 has the floor for 02:00
            01:00  1 has 60 s left
            01:45  1 has 15 s left
            02:00  1 is out of time; 1 ends at 02:00: TimeUp
            --
            floor: free
            waiting: 2 Sa Đéc*
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_cut_turn_with_more_time_is_cut_later() {
    check(
        r#"
            00:00  chair      opens item 2
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            01:59  chair      extends 1 by 1
            03:00  (time)
        "#,
        expect![[r#"
            00:00  item 2 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 02:00
            01:00  1 has 60 s left
            01:45  1 has 15 s left
            01:59  1 is given 01:00 more
            02:00  1 has 60 s left
            02:45  1 has 15 s left
            03:00  1 is out of time; 1 ends at 03:00: TimeUp
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_lost_link_holds_the_turn_and_the_clock() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            01:00  Sa Đéc     room lost
            02:00  Tháp Mười  room lost
            02:00  Tháp Mười  room lost
            09:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            01:00  Sa Đéc's room is lost
            02:00  Tháp Mười's room is lost; 1 is held from 02:00
            --
            floor: 1 Tháp Mười, 02:00 of 05:00, held, clock stands
            waiting: nobody
            heard: nobody; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn the_room_returns_and_goes_on() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            02:00  Tháp Mười  room lost
            02:20  Tháp Mười  room linked
            03:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            02:00  Tháp Mười's room is lost; 1 is held from 02:00
            02:20  Tháp Mười's room is linked; 1 is held no more
            --
            floor: 1 Tháp Mười, 02:40 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn the_standby_takes_over_and_gives_back() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            02:00  Tháp Mười  room lost
            02:20  Tháp Mười  standby linked
            02:40  Tháp Mười  room linked
            02:50  Tháp Mười  standby lost
            03:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            02:00  Tháp Mười's room is lost; 1 is held from 02:00
            02:20  Tháp Mười's standby is linked; 1 is held no more
            02:40  Tháp Mười's room is linked
            02:50  Tháp Mười's standby is lost
            --
            floor: 1 Tháp Mười, 02:40 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn with_a_standby_already_there_nothing_is_held() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  standby linked
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            02:00  Tháp Mười  room lost
            03:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  Tháp Mười's standby is linked
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            02:00  Tháp Mười's room is lost
            --
            floor: 1 Tháp Mười, 03:00 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn pause_and_lost_link_each_keep_the_clock_standing() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            01:00  chair      pauses 1
            01:10  Tháp Mười  room lost
            01:20  chair      resumes 1
            01:30  chair      pauses 1
            01:40  Tháp Mười  room linked
            01:50  chair      resumes 1
            02:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            01:00  1 is paused
            01:10  Tháp Mười's room is lost; 1 is held from 01:10
            01:20  1 goes on
            01:30  1 is paused
            01:40  Tháp Mười's room is linked; 1 is held no more
            01:50  1 goes on
            --
            floor: 1 Tháp Mười, 01:10 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn a_site_without_a_link_is_given_the_floor_and_held() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  Tháp Mười  room lost
            00:10  chair      grants next
            00:30  Tháp Mười  room linked
            01:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  Tháp Mười's room is lost
            00:10  1 has the floor for 05:00; 1 is held from 00:10
            00:30  Tháp Mười's room is linked; 1 is held no more
            --
            floor: 1 Tháp Mười, 00:30 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn a_held_turn_may_be_ended_and_followed() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  Sa Đéc     requests
            00:00  chair      grants next
            01:00  Tháp Mười  room lost
            01:30  chair      grants next
            01:40  Tháp Mười  room linked
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  2 Sa Đéc is in the list
            00:00  1 has the floor for 05:00
            01:00  Tháp Mười's room is lost; 1 is held from 01:00
            01:30  1 ends at 01:30: Succeeded; 2 has the floor for 05:00
            01:40  Tháp Mười's room is linked
            --
            floor: 2 Sa Đéc, 00:10 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn after_a_restart_only_the_time_the_server_lived_counts() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            03:00  (server)   restarts, last alive 01:30
            03:05  Sa Đéc     room linked
            03:10  Tháp Mười  room linked
            04:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            03:00  hall's room is lost; Tháp Mười's room is lost; Sa Đéc's room is lost; Hồng Ngự's room is lost; 1 is held from 01:30
            03:05  Sa Đéc's room is linked
            03:10  Tháp Mười's room is linked; 1 is held no more
            --
            floor: 1 Tháp Mười, 02:20 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn a_restart_in_a_paused_turn_keeps_it_paused() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  chair      grants next
            01:00  chair      pauses 1
            03:00  (server)   restarts, last alive 02:30
            03:10  Tháp Mười  room linked
            03:20  chair      resumes 1
            04:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  1 has the floor for 05:00
            01:00  1 is paused
            03:00  hall's room is lost; Tháp Mười's room is lost; Sa Đéc's room is lost; Hồng Ngự's room is lost; 1 is held from 02:30
            03:10  Tháp Mười's room is linked; 1 is held no more
            03:20  1 goes on
            --
            floor: 1 Tháp Mười, 01:40 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn a_closed_list_still_takes_a_point_of_order() {
    check(
        r#"
            00:00  chair      opens item 5
            00:05  chair      opens the list                  -> refused: already so
            00:10  Tháp Mười  requests
            00:20  chair      closes the list
            00:30  Sa Đéc     requests                        -> refused: list closed
            00:31  Sa Đéc     requests a point of order
            00:40  chair      opens the list
            00:50  Hồng Ngự   requests
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:05  chair is refused: already so
            00:10  1 Tháp Mười is in the list
            00:20  the list is closed
            00:30  Sa Đéc is refused: list closed
            00:31  2 Sa Đéc is in the list
            00:40  the list is open
            00:50  3 Hồng Ngự is in the list
            --
            floor: free
            waiting: 1 Tháp Mười*, 2 Sa Đéc, 3 Hồng Ngự
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_new_item_ends_the_turn_and_keeps_the_list() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:20  chair      grants next
            01:00  chair      opens item 5               -> refused: already so
            01:00  chair      opens item 9               -> refused: unknown item
            01:10  chair      goes on after item 4       -> refused: stale
            01:20  chair      goes on after item 5
            01:30  chair      goes on after item 6       -> refused: no next item
            01:40  chair      finishes item 5            -> refused: stale
            01:50  chair      finishes item 6
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:20  1 has the floor for 05:00
            01:00  chair is refused: already so
            01:00  chair is refused: unknown item
            01:10  chair is refused: stale
            01:20  1 ends at 01:20: ItemFinished; item 5 is over; item 6 begins
            01:30  chair is refused: no next item
            01:40  chair is refused: stale
            01:50  item 6 is over
            --
            floor: free
            waiting: 2 Sa Đéc*
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn items_that_have_not_begun_change_places() {
    check(
        r#"
            00:00  chair      goes on after nothing
            00:10  chair      moves item 6 before item 2
            00:11  chair      moves item 6 before item 2   -> refused: already so
            00:12  chair      moves item 1 last            -> refused: item begun
            00:13  chair      moves item 3 before item 1   -> refused: item begun
            00:14  chair      moves item 7 last            -> refused: unknown item
            00:20  chair      goes on after item 1
            00:30  chair      moves item 2 last
            00:40  chair      goes on after item 6
        "#,
        expect![[r#"
            00:00  item 1 begins
            00:10  item 6 is put before item 2
            00:11  chair is refused: already so
            00:12  chair is refused: item begun
            00:13  chair is refused: item begun
            00:14  chair is refused: unknown item
            00:20  item 1 is over; item 6 begins
            00:30  item 2 is put last
            00:40  item 6 is over; item 3 begins
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn the_halls_microphone_needs_no_queue() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:10  chair      opens the microphone
            00:11  chair      opens the microphone    -> refused: already so
            00:20  chair      grants next
            00:30  chair      pauses 1
            00:40  chair      resumes 1
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:10  the hall's microphone is open
            00:11  chair is refused: already so
            00:20  1 has the floor for 05:00
            00:30  1 is paused
            00:40  1 goes on
            --
            floor: 1 Tháp Mười, 00:10 of 05:00, clock runs
            waiting: nobody
            heard: hall, Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn the_chair_stops_a_speaker_and_a_site_ends_its_own_turn_only() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  Sa Đéc     requests
            00:10  chair      grants next
            00:20  Sa Đéc     ends 1     -> refused: other site
            00:20  Tháp Mười  stops 1    -> refused: not allowed
            00:20  Tháp Mười  ends 2     -> refused: stale
            00:30  chair      stops 1
            00:40  Tháp Mười  ends 1     -> refused: unknown turn
            00:50  chair      grants next
            01:00  Sa Đéc     ends 2
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  2 Sa Đéc is in the list
            00:10  1 has the floor for 05:00
            00:20  Sa Đéc is refused: other site
            00:20  Tháp Mười is refused: not allowed
            00:20  Tháp Mười is refused: stale
            00:30  1 ends at 00:30: Revoked
            00:40  Tháp Mười is refused: unknown turn
            00:50  2 has the floor for 05:00
            01:00  2 ends at 01:00: Released
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_comment_is_held_published_and_withdrawn() {
    check(
        r#"
            00:00  Sa Đéc     comments on 2 Đề nghị ghi rõ tỷ lệ
            00:10  Tháp Mười  comments on 1 Nhất trí
            00:20  secretary  publishes comment 1          -> refused: already so
            00:21  secretary  holds comment 1
            00:22  secretary  holds comment 1              -> refused: already so
            00:23  Sa Đéc     publishes comment 1          -> refused: not allowed
            00:30  Sa Đéc     withdraws comment 2          -> refused: other site
            00:31  Tháp Mười  withdraws comment 2
            00:32  Tháp Mười  withdraws comment 2          -> refused: unknown comment
            00:40  secretary  publishes comment 1
            00:50  secretary  comments on 1 Hội trường nhất trí
            01:00  hall       withdraws comment 3
            01:10  secretary  holds comment 1
        "#,
        expect![[r#"
            00:00  comment 1 of Sa Đéc
            00:10  comment 2 of Tháp Mười
            00:20  secretary is refused: already so
            00:21  comment 1 is held
            00:22  secretary is refused: already so
            00:23  Sa Đéc is refused: not allowed
            00:30  Sa Đéc is refused: other site
            00:31  comment 2 is withdrawn
            00:32  Tháp Mười is refused: unknown comment
            00:40  comment 1 is published
            00:50  comment 3 of hall
            01:00  comment 3 is withdrawn
            01:10  comment 1 is held
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            comment 1: Sa Đéc, "Đề nghị ghi rõ tỷ lệ", held
        "#]],
    );
}

#[test]
fn a_comment_has_words_and_a_place() {
    check(
        r#"
            00:00  Sa Đéc     comments on 3 Bổ sung                -> refused: unknown paragraph
            00:01  Sa Đéc     comments on 0 Bổ sung                -> refused: unknown paragraph
            00:02  Sa Đéc     comments on 1 with nothing           -> refused: text empty
            00:03  Sa Đéc     comments on 1 with 4001 letters      -> refused: text too long
            00:04  secretary  holds comment 1                      -> refused: unknown comment
            00:05  Sa Đéc     comments on 1 Bổ sung
        "#,
        expect![[r#"
            00:00  Sa Đéc is refused: unknown paragraph
            00:01  Sa Đéc is refused: unknown paragraph
            00:02  Sa Đéc is refused: text empty
            00:03  Sa Đéc is refused: text too long
            00:04  secretary is refused: unknown comment
            00:05  comment 1 of Sa Đéc
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            comment 1: Sa Đéc, "Bổ sung"
        "#]],
    );
}

#[test]
fn a_seat_is_revoked_but_never_ones_own() {
    check(
        r#"
            00:00  chair       revokes seat 0     -> refused: not allowed
            00:01  technician  revokes seat 3     -> refused: not allowed
            00:02  chair       revokes seat 99    -> refused: unknown seat
            00:03  secretary   revokes seat 8     -> refused: not allowed
            00:10  Sa Đéc      comments on 1 Nhất trí
            00:20  technician  revokes seat 8
            00:21  chair       revokes seat 8     -> refused: already so
            00:30  Sa Đéc      comments on 1 Không nhất trí    -> refused: not allowed
            00:40  chair       revokes seat 3
        "#,
        expect![[r#"
            00:00  chair is refused: not allowed
            00:01  technician is refused: not allowed
            00:02  chair is refused: unknown seat
            00:03  secretary is refused: not allowed
            00:10  comment 1 of Sa Đéc
            00:20  seat 8 is revoked
            00:21  chair is refused: already so
            00:30  Sa Đéc is refused: not allowed
            00:40  seat 3 is revoked
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            comment 1: Sa Đéc, "Nhất trí"
        "#]],
    );
}

#[test]
fn a_chairs_seat_is_revoked_by_another_chair_only() {
    check(
        r#"
            00:00  technician  revokes seat 0     -> refused: not allowed
            00:01  technician  revokes seat 1     -> refused: not allowed
            00:02  technician  revokes seat 2
            00:10  chair       revokes seat 1
            00:11  chair       revokes seat 1     -> refused: already so
            00:12  technician  revokes seat 1     -> refused: not allowed
        "#,
        expect![[r#"
            00:00  technician is refused: not allowed
            00:01  technician is refused: not allowed
            00:02  seat 2 is revoked
            00:10  seat 1 is revoked
            00:11  chair is refused: already so
            00:12  technician is refused: not allowed
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn the_last_chairs_seat_stays() {
    check(
        r#"
            00:00  chair 2     revokes seat 0
            00:10  chair       revokes seat 1     -> refused: not allowed
            00:11  chair 2     revokes seat 1     -> refused: not allowed
            00:12  technician  revokes seat 1     -> refused: not allowed
            00:13  secretary   revokes seat 1     -> refused: not allowed
            00:20  chair 2     revokes seat 3
        "#,
        expect![[r#"
            00:00  seat 0 is revoked
            00:10  chair is refused: not allowed
            00:11  chair 2 is refused: not allowed
            00:12  technician is refused: not allowed
            00:13  secretary is refused: not allowed
            00:20  seat 3 is revoked
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn the_screens_show_what_was_chosen() {
    check(
        r#"
            00:00  chair       shows the speaker   -> refused: already so
            00:01  technician  shows the grid
            00:02  secretary   shows the speaker   -> refused: not allowed
        "#,
        expect![[r#"
            00:00  chair is refused: already so
            00:01  the screens show Grid
            00:02  secretary is refused: not allowed
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}
