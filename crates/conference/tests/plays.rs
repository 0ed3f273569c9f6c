//! Plays in words: how a conference runs, and what it refuses. Item `n` of the agenda gives `n` minutes a turn; item 2
//! cuts, item 3 mutes after 30 s, item 4 asks for the chair's word. `*` is the site on deck.

mod support;

use diemcau_conference::{Command, ItemKind, QuorumBase, RequestWords, SpeechType};
use diemcau_model::ItemId;
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
            waiting: 1 Tháp Mười*, 2 Sa Đéc+, 3 Tháp Mười, 4 Hồng Ngự
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
            00:40  chair      grants next 1        -> refused: no item
            00:50  chair      opens item 5         -> refused: list waiting
            00:55  chair      opens item 5 carrying
            01:00  chair      grants next
        "#,
        expect![[r#"
            00:00  Sa Đéc is refused: no item
            00:05  item 1 begins
            00:10  1 Sa Đéc is in the list
            00:20  item 1 is over
            00:30  Sa Đéc is refused: no item
            00:40  chair is refused: no item
            00:50  chair is refused: list waiting
            00:55  item 5 begins
            01:00  the chair calls 1; 1 has the floor for 05:00
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
            waiting: 1 Sa Đéc*, 2 Sa Đéc+, 3 Sa Đéc, 4 Sa Đéc, 5 Hồng Ngự
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
            00:50  the chair calls 2; 2 has the floor for 05:00
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
            00:21  chair      stages 1          -> refused: unknown turn
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
            waiting: 1 Tháp Mười*, 2 Sa Đéc+
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
            00:20  the chair calls 2 out of order; 2 joins the list; 2 has the floor for 04:00
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
            00:20  chair      stages 2
            00:30  chair      denies 2 đã có ý kiến
            00:40  chair      denies 2             -> refused: unknown turn
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:20  staged: 2
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
fn of_several_moved_the_one_moved_last_stands_where_it_was_put() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:12  Hồng Ngự   requests
            00:20  chair      moves 3 before 1
            00:21  chair      moves 2 before 3
            00:22  chair      moves 1 before 2
            00:23  chair      moves 3 before 1
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Hồng Ngự is in the list
            00:20  the chair puts 3 at place 1
            00:21  the chair puts 2 at place 1
            00:22  the chair puts 1 at place 1
            00:23  the chair puts 3 at place 1
            --
            floor: free
            waiting: 3 Hồng Ngự* [the chair], 1 Tháp Mười+ [the chair], 2 Sa Đéc [the chair]
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
            00:20  the chair puts 3 at place 1
            00:21  chair is refused: already so
            00:22  chair is refused: already so
            00:23  chair is refused: unknown turn
            00:24  chair is refused: unknown turn
            00:30  the chair puts 1 at place 3
            --
            floor: free
            waiting: 3 Hồng Ngự* [the chair], 2 Sa Đéc+, 1 Tháp Mười [the chair]
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn staging_puts_another_site_on_deck_until_it_speaks_or_leaves() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:12  Hồng Ngự   requests
            00:20  chair      stages nobody      -> refused: already so
            00:21  secretary  stages 3 then 2
            00:22  chair      stages 3 then 2    -> refused: already so
            00:23  chair      stages 9           -> refused: unknown turn
            00:24  chair      stages 3 then 3    -> refused: unknown turn
            00:25  technician stages 2           -> refused: not allowed
            00:30  chair      grants next 1      -> refused: stale
            00:31  chair      grants next 3
            00:40  deputy     stages 1
            00:50  Sa Đéc     withdraws 2
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Hồng Ngự is in the list
            00:20  chair is refused: already so
            00:21  staged: 3, 2
            00:22  chair is refused: already so
            00:23  chair is refused: unknown turn
            00:24  chair is refused: unknown turn
            00:25  technician is refused: not allowed
            00:30  chair is refused: stale
            00:31  the chair calls 3; 3 has the floor for 05:00
            00:40  staged: 1
            00:50  2 is withdrawn
            --
            floor: 3 Hồng Ngự, 00:19 of 05:00, clock runs
            waiting: 1 Tháp Mười* [staged]
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
            00:20  the chair calls 1; 1 has the floor for 05:00
            00:20  chair 2 is refused: stale
            00:30  chair 2 is refused: stale
            00:40  chair 2 is refused: stale
            00:50  the chair calls 2; 1 ends at 00:50, the next is called; 2 has the floor for 05:00
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
            00:20  the chair calls 3 out of order; 3 has the floor for 05:00
            00:30  chair 2 is refused: stale
            00:31  chair is refused: unknown turn
            00:32  chair is refused: unknown turn
            00:40  the chair calls 2 out of order; 3 ends at 00:40, the next is called; 2 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 01:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 03:00
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
            00:00  the chair calls 1; 1 has the floor for 03:00
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
            00:00  the chair calls 1; 1 has the floor for 02:00
            01:00  1 has 60 s left
            01:45  1 has 15 s left
            02:00  1 is out of time; 1 ends at 02:00, time is up
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
            00:00  the chair calls 1; 1 has the floor for 02:00
            01:00  1 has 60 s left
            01:45  1 has 15 s left
            01:59  1 is given 01:00 more
            02:00  1 has 60 s left
            02:45  1 has 15 s left
            03:00  1 is out of time; 1 ends at 03:00, time is up
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
fn a_site_without_a_link_is_not_called() {
    check(
        r#"
            00:00  chair      opens item 5
            00:00  Tháp Mười  requests
            00:00  Tháp Mười  room lost
            00:10  chair      grants 1             -> refused: not linked
            00:30  Tháp Mười  room linked
            00:40  chair      grants next
            01:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:00  1 Tháp Mười is in the list
            00:00  Tháp Mười's room is lost
            00:10  chair is refused: not linked
            00:30  Tháp Mười's room is linked
            00:40  the chair calls 1; 1 has the floor for 05:00
            --
            floor: 1 Tháp Mười, 00:20 of 05:00, clock runs
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
            00:00  the chair calls 1; 1 has the floor for 05:00
            01:00  Tháp Mười's room is lost; 1 is held from 01:00
            01:30  the chair calls 2; 1 ends at 01:30, the next is called; 2 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            00:00  the chair calls 1; 1 has the floor for 05:00
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
            waiting: 2 Sa Đéc* [its kind], 1 Tháp Mười+, 3 Hồng Ngự
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
            01:00  chair      opens item 19              -> refused: unknown item
            01:10  chair      goes on after item 4       -> refused: stale
            01:15  chair      goes on after item 5       -> refused: list waiting
            01:20  chair      opens item 6 carrying
            01:40  chair      finishes item 5            -> refused: stale
            01:50  chair      finishes item 6
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            01:00  chair is refused: already so
            01:00  chair is refused: unknown item
            01:10  chair is refused: stale
            01:15  chair is refused: list waiting
            01:20  1 ends at 01:20, its item is over; item 5 is over; item 6 begins
            01:40  chair is refused: stale
            01:50  item 6 is over
            --
            floor: free
            waiting: 2 Sa Đéc
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
            00:14  chair      moves item 17 last           -> refused: unknown item
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
            00:20  the chair calls 1; 1 has the floor for 05:00
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
            00:10  the chair calls 1; 1 has the floor for 05:00
            00:20  Sa Đéc is refused: other site
            00:20  Tháp Mười is refused: not allowed
            00:20  Tháp Mười is refused: stale
            00:30  1 ends at 00:30, stopped by the chair
            00:40  Tháp Mười is refused: unknown turn
            00:50  the chair calls 2; 2 has the floor for 05:00
            01:00  2 ends at 01:00
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
            00:01  the screens show grid
            00:02  secretary is refused: not allowed
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            the screens show grid
        "#]],
    );
}

// ------------------------------------------------------------ the order of the list

/// What arrives as a row, what waits as a column: `<` the newcomer is put before it, `.` behind it.
#[test]
fn precedence_in_every_cell() {
    const KINDS: [&str; 8] = [
        "point of order",
        "question",
        "response",
        "reply",
        "paper",
        "contribution",
        "directing speech",
        "conclusion",
    ];
    let mut table = String::new();
    for newcomer in KINDS {
        for waiting in KINDS {
            let mut room = Room::linked(setup());
            let play = format!(
                "00:00  chair opens item 5
                 00:01  hall requests
                 00:02  chair grants next
                 00:03  Sa Đéc requests a {waiting}
                 00:04  Hồng Ngự requests a {newcomer}"
            );
            perform(&mut room, &play, &mut vec![]);
            let first = room.live.line()[0].request.turn.0;
            table.push(if first == 3 { '<' } else { '.' });
        }
        table.push_str(&format!("  {newcomer}\n"));
    }
    expect![[r#"
        .<<<<<<<  point of order
        ..<<<<<<  question
        ...<<<<<  response
        ....<<<<  reply
        ......<<  paper
        ......<<  contribution
        .......<  directing speech
        ........  conclusion
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_closed_list_still_takes_points_of_order_and_nothing_else() {
    check(
        r#"
            00:00  chair      opens item 5
            00:05  Sa Đéc     requests
            00:10  chair      closes the list
            00:11  Hồng Ngự   requests                    -> refused: list closed
            00:12  Hồng Ngự   requests a paper            -> refused: list closed
            00:13  Hồng Ngự   requests a point of order
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:05  1 Sa Đéc is in the list
            00:10  the list is closed
            00:11  Hồng Ngự is refused: list closed
            00:12  Hồng Ngự is refused: list closed
            00:13  2 Hồng Ngự is in the list
            --
            floor: free
            waiting: 2 Hồng Ngự* [its kind], 1 Sa Đéc+
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_reply_hangs_under_a_speech_and_needs_one() {
    check(
        r#"
            00:00  chair      opens item 5
            00:05  Sa Đéc     requests a reply            -> refused: no speech
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests
            00:20  chair      grants next
            00:30  Hồng Ngự   requests a reply
            00:40  Sa Đéc     ends 1
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:05  Sa Đéc is refused: no speech
            00:10  1 Sa Đéc is in the list
            00:11  2 Tháp Mười is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            00:30  3 Hồng Ngự is in the list
            00:40  1 ends at 00:40
            --
            floor: free
            waiting: 3 Hồng Ngự* to 1 [its kind], 2 Tháp Mười+
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_reply_may_be_about_any_speech_of_its_item() {
    check(
        r#"
            00:00  chair      opens item 4
            00:01  hall       requests
            00:02  chair      grants 1
            00:03  chair      opens item 5
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests
            00:20  chair      grants next
            00:30  chair      grants next
            00:40  Hồng Ngự   requests a reply to 2
            00:41  Hồng Ngự   requests a question to 3
            00:42  Hồng Ngự   requests a reply to 1        -> refused: no speech
            00:43  Hồng Ngự   requests a reply to 9        -> refused: no speech
        "#,
        expect![[r#"
            00:00  item 4 begins
            00:01  1 hall waits for the chair's word
            00:02  the chair calls 1 out of order; 1 joins the list; 1 has the floor for 04:00
            00:03  1 ends at 00:03, its item is over; item 4 is over; item 5 begins
            00:10  2 Sa Đéc is in the list
            00:11  3 Tháp Mười is in the list
            00:20  the chair calls 2; 2 has the floor for 05:00
            00:30  the chair calls 3; 2 ends at 00:30, the next is called; 3 has the floor for 05:00
            00:40  4 Hồng Ngự is in the list
            00:41  5 Hồng Ngự is in the list
            00:42  Hồng Ngự is refused: no speech
            00:43  Hồng Ngự is refused: no speech
            --
            floor: 3 Tháp Mười, 00:13 of 05:00, clock runs
            waiting: 5 Hồng Ngự* to 3 [its kind], 4 Hồng Ngự+ to 2 [its kind]
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

/// Is it taken though the list is closed; without a speech; is the speech interrupted or ended by it; does it cost a turn
/// of the round.
#[test]
fn the_rights_of_every_kind() {
    let mut table = String::from("closed alone between round\n");
    for speech in SpeechType::ALL {
        let kind = serde_json::to_value(speech).unwrap();
        let kind = kind
            .as_str()
            .unwrap()
            .replace('_', " ")
            .replace("directing", "directing speech");
        let asks = format!("00:10 Sa Đéc requests a {kind}");
        let room = |before: &str| {
            let mut room = Room::linked(setup());
            perform(&mut room, before, &mut vec![]);
            room
        };
        let speaks = "00:00 chair opens item 8
            00:01 hall requests
            00:02 chair grants 1";
        let takes = |mut room: Room| {
            let last = room.journal.len();
            let asker = support::room::actor("Sa Đéc").unwrap();
            let words = RequestWords {
                speech,
                delegate: String::new(),
                title: String::new(),
                topic: String::new(),
                paragraph: None,
                minutes: None,
            };
            let (item, about) = (None, None);
            room.ask(&asker, &Command::RequestFloor { item, words, about })
                .ok();
            room.journal.len() > last
        };
        let closed = takes(room(&format!("{speaks}\n00:03 chair closes the list")));
        let alone = takes(room("00:00 chair opens item 8"));
        let called = room(&format!("{speaks}\n{asks}\n00:20 chair grants 2"));
        let between = called.live.floor().turns.len() == 2;
        let then = "00:30 chair ends 2
            00:31 Sa Đéc requests
            00:32 Tháp Mười requests";
        let mut called = called;
        perform(&mut called, then, &mut vec![]);
        let round = called.live.line()[0].request.turn.0 == 4;
        for (may, width) in [(closed, 7), (alone, 6), (between, 8), (round, 6)] {
            let may = if may { "yes" } else { "-" };
            table.push_str(&format!("{may:width$}"));
        }
        table.push_str(&format!("{kind}\n"));
    }
    expect![[r#"
        closed alone between round
        yes    yes   yes     -     point of order
        -      -     yes     -     question
        -      -     -       -     response
        -      -     -       -     reply
        -      yes   -       yes   paper
        -      yes   -       yes   contribution
        -      yes   -       -     directing speech
        -      yes   -       -     conclusion
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_question_is_put_into_the_speech_which_then_goes_on() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      grants next
            01:20  Hồng Ngự   requests a question
            01:30  chair      grants next
            02:30  Hồng Ngự   ends 2
            03:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            01:20  2 Hồng Ngự is in the list
            01:30  the chair calls 2; 1 is interrupted; 2 has the floor for 05:00
            02:30  2 ends at 02:30; 1 is taken up again
            --
            floor: 1 Sa Đéc, 01:40 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn the_chair_may_end_the_speech_under_a_question_too() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      grants next
            01:20  Hồng Ngự   requests a question
            01:30  chair      grants next
            01:40  chair      ends 1
            01:50  Tháp Mười  requests
            02:00  chair      grants next
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            01:20  2 Hồng Ngự is in the list
            01:30  the chair calls 2; 1 is interrupted; 2 has the floor for 05:00
            01:40  1 ends at 01:40
            01:50  3 Tháp Mười is in the list
            02:00  the chair calls 3; 2 ends at 02:00, the next is called; 3 has the floor for 05:00
            --
            floor: 3 Tháp Mười, 00:00 of 05:00, clock runs
            waiting: nobody
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn in_a_round_of_sites_nobody_speaks_twice_before_all_have_spoken_once() {
    check(
        r#"
            00:00  chair      opens item 8
            00:10  Sa Đéc     requests
            00:11  Sa Đéc     requests
            00:12  Tháp Mười  requests
            00:20  chair      grants next
            01:00  chair      grants next
            01:10  Hồng Ngự   requests
            01:11  Tháp Mười  requests
        "#,
        expect![[r#"
            00:00  item 8 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Tháp Mười is in the list
            00:20  the chair calls 1; 1 has the floor for 08:00
            01:00  the chair calls 3; 1 ends at 01:00, the next is called; 3 has the floor for 08:00
            01:10  4 Hồng Ngự is in the list
            01:11  5 Tháp Mười is in the list
            --
            floor: 3 Tháp Mười, 00:11 of 08:00, clock runs
            waiting: 4 Hồng Ngự* [turn 1], 2 Sa Đéc+ [turn 2], 5 Tháp Mười [turn 2]
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn a_point_of_order_costs_a_site_no_turn_of_the_round() {
    check(
        r#"
            00:00  chair      opens item 8
            00:10  Sa Đéc     requests a point of order
            00:20  chair      grants next
            00:40  chair      ends 1
            00:50  Sa Đéc     requests
            00:51  Tháp Mười  requests
        "#,
        expect![[r#"
            00:00  item 8 begins
            00:10  1 Sa Đéc is in the list
            00:20  the chair calls 1; 1 has the floor for 08:00
            00:40  1 ends at 00:40
            00:50  2 Sa Đéc is in the list
            00:51  3 Tháp Mười is in the list
            --
            floor: free
            waiting: 2 Sa Đéc* [turn 1], 3 Tháp Mười+ [turn 1]
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn with_least_time_first_who_spoke_long_waits_longer() {
    check(
        r#"
            00:00  chair      opens item 9
            00:10  Sa Đéc     requests
            00:11  chair      grants next
            03:11  chair      ends 1
            03:20  Sa Đéc     requests
            03:21  Tháp Mười  requests
            03:22  Tháp Mười  requests
        "#,
        expect![[r#"
            00:00  item 9 begins
            00:10  1 Sa Đéc is in the list
            00:11  the chair calls 1; 1 has the floor for 09:00
            03:11  1 ends at 03:11
            03:20  2 Sa Đéc is in the list
            03:21  3 Tháp Mười is in the list
            03:22  4 Tháp Mười is in the list
            --
            floor: free
            waiting: 3 Tháp Mười* [used 00:00], 2 Sa Đéc+ [used 03:00], 4 Tháp Mười [used 09:00]
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn by_document_the_list_follows_the_paragraphs() {
    check(
        r#"
            00:00  chair      opens item 10
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests on paragraph 2
            00:12  Hồng Ngự   requests on paragraph 1
        "#,
        expect![[r#"
            00:00  item 10 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Tháp Mười is in the list
            00:12  3 Hồng Ngự is in the list
            --
            floor: free
            waiting: 3 Hồng Ngự* [the draft], 2 Tháp Mười+ [the draft], 1 Sa Đéc [the draft]
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn where_the_chair_picks_nobody_is_next_until_somebody_is_staged() {
    check(
        r#"
            00:00  chair      opens item 7
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests
            00:20  chair      grants next 1          -> refused: nobody waiting
            00:30  secretary  stages 2
            00:40  chair      grants next
        "#,
        expect![[r#"
            00:00  item 7 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Tháp Mười is in the list
            00:20  chair is refused: nobody waiting
            00:30  staged: 2
            00:40  the chair calls 2; 2 has the floor for 07:00
            --
            floor: 2 Tháp Mười, 00:00 of 07:00, clock runs
            waiting: 1 Sa Đéc
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn in_an_open_discussion_requests_open_their_microphones_until_all_are_in_use() {
    check(
        r#"
            00:00  chair      opens item 11
            00:10  Sa Đéc     requests
            00:20  Tháp Mười  requests
            00:30  Hồng Ngự   requests
            00:40  chair      grants 3              -> refused: microphones full
            00:50  Sa Đéc     ends 1
            01:00  chair      opens the microphone
        "#,
        expect![[r#"
            00:00  item 11 begins
            00:10  1 Sa Đéc is in the list
            00:10  1 has the floor for 11:00
            00:20  2 Tháp Mười is in the list
            00:20  2 has the floor for 11:00
            00:30  3 Hồng Ngự is in the list
            00:40  chair is refused: microphones full
            00:50  1 ends at 00:50
            00:50  3 has the floor for 11:00
            01:00  the hall's microphone is open
            --
            floor: 3 Hồng Ngự, 00:10 of 11:00, clock runs
            also: 2 Tháp Mười, 00:40 of 11:00, clock runs
            waiting: nobody
            heard: hall, Tháp Mười, Hồng Ngự; picture: Hồng Ngự
        "#]],
    );
}

#[test]
fn the_chairs_place_stays_whoever_comes_and_moves_up_as_others_leave() {
    check(
        r#"
            00:00  chair      opens item 8
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests
            00:12  Hồng Ngự   requests
            00:20  chair      moves 1 last
            00:30  hall       requests
            00:31  Hồng Ngự   requests a point of order
            00:32  chair      moves 1 before 5       -> refused: points of order first
            00:33  chair      moves 5 last           -> refused: already so
            00:40  Tháp Mười  withdraws 2
        "#,
        expect![[r#"
            00:00  item 8 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Tháp Mười is in the list
            00:12  3 Hồng Ngự is in the list
            00:20  the chair puts 1 at place 3
            00:30  4 hall is in the list
            00:31  5 Hồng Ngự is in the list
            00:32  chair is refused: points of order first
            00:33  chair is refused: already so
            00:40  2 is withdrawn
            --
            floor: free
            waiting: 5 Hồng Ngự* [its kind], 3 Hồng Ngự+ [turn 1], 1 Sa Đéc [the chair], 4 hall [turn 1]
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_question_ends_the_question_before_and_next_goes_back_to_the_speech() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:11  hall       requests
            00:20  chair      grants next
            01:20  Hồng Ngự   requests a question
            01:21  Tháp Mười  requests a question
            01:30  chair      grants next
            02:00  chair      grants next
            02:30  chair      grants next 2         -> refused: stale
            02:31  chair      grants next 1
            03:00  chair      grants next
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 hall is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            01:20  3 Hồng Ngự is in the list
            01:21  4 Tháp Mười is in the list
            01:30  the chair calls 3; 1 is interrupted; 3 has the floor for 05:00
            02:00  the chair calls 4; 3 ends at 02:00, the next is called; 4 has the floor for 05:00
            02:30  chair is refused: stale
            02:31  4 ends at 02:31; 1 is taken up again
            03:00  the chair calls 2; 1 ends at 03:00, the next is called; 2 has the floor for 05:00
            --
            floor: 2 hall, 00:00 of 05:00, clock runs
            waiting: nobody
            heard: hall; picture: hall
        "#]],
    );
}

#[test]
fn a_point_of_order_is_heard_in_the_middle_and_then_the_speech_goes_on() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      grants next
            01:20  Hồng Ngự   requests a question
            01:30  chair      grants next
            01:40  Tháp Mười  requests a point of order
            01:50  chair      grants next
            02:00  chair      ends 3
            02:10  chair      ends 2
            02:20  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            01:20  2 Hồng Ngự is in the list
            01:30  the chair calls 2; 1 is interrupted; 2 has the floor for 05:00
            01:40  3 Tháp Mười is in the list
            01:50  the chair calls 3; 2 is interrupted; 3 has the floor for 05:00
            02:00  3 ends at 02:00; 2 is taken up again
            02:10  2 ends at 02:10; 1 is taken up again
            --
            floor: 1 Sa Đéc, 01:20 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn the_order_the_chair_gave_stays_when_somebody_leaves() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:12  Hồng Ngự   requests
            00:13  hall       requests
            00:14  Tháp Mười  requests
            00:20  chair      moves 1 before 4
            00:21  chair      moves 5 before 2
            00:30  chair      grants 5
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Hồng Ngự is in the list
            00:13  4 hall is in the list
            00:14  5 Tháp Mười is in the list
            00:20  the chair puts 1 at place 3
            00:21  the chair puts 5 at place 1
            00:30  the chair calls 5; 5 has the floor for 05:00
            --
            floor: 5 Tháp Mười, 00:00 of 05:00, clock runs
            waiting: 2 Sa Đéc*, 3 Hồng Ngự+, 1 Tháp Mười [the chair], 4 hall
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn who_is_staged_stands_first_for_everybody_and_a_move_takes_the_staging_back() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Tháp Mười  requests
            00:11  Sa Đéc     requests
            00:12  Hồng Ngự   requests
            00:13  hall       requests a point of order
            00:20  deputy     stages 3 then 2
            00:21  chair      moves 1 before 3        -> refused: staged first
            00:30  chair      moves 2 last
            00:31  chair      undoes 2
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Tháp Mười is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Hồng Ngự is in the list
            00:13  4 hall is in the list
            00:20  staged: 3, 2
            00:21  chair is refused: staged first
            00:30  the chair puts 2 at place 3; staged: 3
            00:31  the step is undone
            --
            floor: free
            waiting: 3 Hồng Ngự* [staged], 2 Sa Đéc+ [staged], 4 hall [its kind], 1 Tháp Mười
            heard: nobody; picture: hall
        "#]],
    );
}

// ------------------------------------------------------------ taking a step back

#[test]
fn what_is_undone_was_never_done_for_the_list_and_the_staging_either() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  hall       requests
            00:11  Tháp Mười  requests
            00:12  Sa Đéc     requests
            00:13  Hồng Ngự   requests
            00:20  chair      moves 1 before 4
            00:30  chair      denies 2
            00:31  chair      undoes 2
            00:40  secretary  stages 4 then 1
            00:50  chair      grants next
            00:55  chair      undoes 4
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 hall is in the list
            00:11  2 Tháp Mười is in the list
            00:12  3 Sa Đéc is in the list
            00:13  4 Hồng Ngự is in the list
            00:20  the chair puts 1 at place 3
            00:30  2 is not taken ()
            00:31  the step is undone
            00:40  staged: 4, 1
            00:50  the chair calls 4; 4 has the floor for 05:00
            00:55  the step is undone
            --
            floor: free
            waiting: 4 Hồng Ngự* [staged], 1 hall+ [staged], 2 Tháp Mười, 3 Sa Đéc
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_step_is_undone_within_ten_seconds_and_not_later() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests
            00:20  chair      moves 2 before 1
            00:29  chair      undoes 2
            00:30  chair      undoes 2               -> refused: nothing to undo
            00:40  chair      denies 1 đã có ý kiến
            00:41  Hồng Ngự   requests
            00:45  chair      undoes 1
            01:00  chair      moves 2 last
            01:11  chair      undoes 2               -> refused: nothing to undo
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Tháp Mười is in the list
            00:20  the chair puts 2 at place 1
            00:29  the step is undone
            00:30  chair is refused: nothing to undo
            00:40  1 is not taken (đã có ý kiến)
            00:41  3 Hồng Ngự is in the list
            00:45  the step is undone
            01:00  the chair puts 2 at place 3
            01:11  chair is refused: nothing to undo
            --
            floor: free
            waiting: 1 Sa Đéc*, 3 Hồng Ngự+, 2 Tháp Mười [the chair]
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_call_that_is_taken_back_gives_the_floor_back_to_who_had_it() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests
            00:12  Hồng Ngự   requests
            00:20  chair      grants next
            01:20  chair      grants 3
            01:25  chair      undoes 3
            02:00  (time)
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Tháp Mười is in the list
            00:12  3 Hồng Ngự is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            01:20  the chair calls 3 out of order; 1 ends at 01:20, the next is called; 3 has the floor for 05:00
            01:25  the step is undone
            --
            floor: 1 Sa Đéc, 01:35 of 05:00, clock runs
            waiting: 2 Tháp Mười*, 3 Hồng Ngự+
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn a_call_cannot_be_taken_back_once_the_called_speech_is_over() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      grants next
            00:25  Sa Đéc     ends 1
            00:26  chair      undoes 1               -> refused: nothing to undo
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            00:25  1 ends at 00:25
            00:26  chair is refused: nothing to undo
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

// ------------------------------------------------------------ ready, away, priority

#[test]
fn who_is_not_ready_is_passed_over_and_keeps_its_place() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests
            00:12  Hồng Ngự   requests
            00:20  Sa Đéc     is ready for 1
            00:21  Sa Đéc     is ready for 2         -> refused: other site
            00:25  chair      passes over 1
            00:30  chair      grants next
            00:40  Sa Đéc     is ready for 1
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Tháp Mười is in the list
            00:12  3 Hồng Ngự is in the list
            00:20  1 is ready
            00:21  Sa Đéc is refused: other site
            00:25  1 is not ready
            00:30  the chair calls 2; 2 has the floor for 05:00
            00:40  1 is ready
            --
            floor: 2 Tháp Mười, 00:10 of 05:00, clock runs
            waiting: 1 Sa Đéc* (ready), 3 Hồng Ngự+
            heard: Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn the_microphone_of_who_prepares_is_heard_before_the_call() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests
            00:12  Hồng Ngự   requests
            00:20  Sa Đéc     is measured at -60
            00:21  Sa Đéc     is measured at -50
            00:22  Sa Đéc     is measured at -30
            00:23  Hồng Ngự   is measured at -30
            00:24  Tháp Mười  is measured at -30
            00:30  Tháp Mười  standby linked
            00:31  Tháp Mười  room lost
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Tháp Mười is in the list
            00:12  3 Hồng Ngự is in the list
            00:21  the microphone of 1 is heard
            00:24  the microphone of 2 is heard
            00:30  Tháp Mười's standby is linked
            00:31  Tháp Mười's room is lost
            --
            floor: free
            waiting: 1 Sa Đéc* (heard), 2 Tháp Mười+, 3 Hồng Ngự
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn a_speaker_who_stays_away_too_long_loses_the_floor_unless_the_chair_waits() {
    let mut setup = setup();
    setup.away_seconds = 60;
    let mut room = Room::linked(setup);
    let told = told(
        &mut room,
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests
            00:20  chair      grants next
            01:00  Sa Đéc     room lost
            01:59  (time)
            02:00  (time)
            02:10  chair      grants next
            03:00  Tháp Mười  room lost
            03:10  chair      waits for 2
            09:00  Tháp Mười  room linked
        "#,
    );
    expect![[r#"
        00:00  item 5 begins
        00:10  1 Sa Đéc is in the list
        00:11  2 Tháp Mười is in the list
        00:20  the chair calls 1; 1 has the floor for 05:00
        01:00  Sa Đéc's room is lost; 1 is held from 01:00
        02:00  1 ends at 02:00, its site stayed away
        02:10  the chair calls 2; 2 has the floor for 05:00
        03:00  Tháp Mười's room is lost; 2 is held from 03:00
        03:10  2 is waited for
        09:00  Tháp Mười's room is linked; 2 is held no more
        --
        floor: 2 Tháp Mười, 00:50 of 05:00, clock runs
        waiting: nobody
        heard: Tháp Mười; picture: Tháp Mười
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_restart_of_the_server_is_nobodys_absence() {
    let mut setup = setup();
    setup.away_seconds = 60;
    let mut room = Room::linked(setup);
    let told = told(
        &mut room,
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      grants next
            10:00  (server)   restarts, last alive 01:00
            10:30  Sa Đéc     room linked
        "#,
    );
    expect![[r#"
        00:00  item 5 begins
        00:10  1 Sa Đéc is in the list
        00:20  the chair calls 1; 1 has the floor for 05:00
        04:20  1 has 60 s left
        05:05  1 has 15 s left
        05:20  1 is out of time
        10:00  hall's room is lost; Tháp Mười's room is lost; Sa Đéc's room is lost; Hồng Ngự's room is lost; 1 is held from 01:00
        10:30  Sa Đéc's room is linked; 1 is held no more
        --
        floor: 1 Sa Đéc, 00:40 of 05:00, clock runs
        waiting: nobody
        heard: Sa Đéc; picture: Sa Đéc
    "#]].assert_eq(&told);
}

#[test]
fn priority_silences_everyone_but_the_hall_while_it_is_held() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      grants next
            01:20  chair      holds priority
            01:21  chair      holds priority         -> refused: already so
            01:40  chair      lets priority go
            02:00  chair      holds priority
            02:30  chair      is gone
            03:00  chair      closes all microphones
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the chair calls 1; 1 has the floor for 05:00
            01:20  the chair holds priority
            01:21  chair is refused: already so
            01:40  priority is let go
            02:00  the chair holds priority
            02:30  priority is let go
            03:00  1 is paused
            --
            floor: 1 Sa Đéc, 01:50 of 05:00, paused, clock stands
            waiting: nobody
            heard: nobody; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn closed_microphones_stay_closed_until_the_chair_opens_them() {
    check(
        r#"
            00:00  chair      opens item 11
            00:10  Sa Đéc     requests
            00:20  chair      closes all microphones
            00:21  chair      closes all microphones  -> refused: already so
            00:30  Tháp Mười  requests
            01:00  chair      opens all microphones
            01:01  chair      opens all microphones   -> refused: already so
        "#,
        expect![[r#"
            00:00  item 11 begins
            00:10  1 Sa Đéc is in the list
            00:10  1 has the floor for 11:00
            00:20  1 is paused; microphones stay closed
            00:21  chair is refused: already so
            00:30  2 Tháp Mười is in the list
            01:00  1 goes on; microphones may open again
            01:00  2 has the floor for 11:00
            01:01  chair is refused: already so
            --
            floor: 2 Tháp Mười, 00:01 of 11:00, clock runs
            also: 1 Sa Đéc, 00:11 of 11:00, clock runs
            waiting: nobody
            heard: Tháp Mười, Sa Đéc; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn chair_and_hall_never_count_against_the_open_microphones() {
    check(
        r#"
            00:00  chair      opens item 11
            00:10  hall       requests
            00:20  Tháp Mười  requests
            00:30  Hồng Ngự   requests
            00:40  Sa Đéc     requests
            00:50  hall       requests
        "#,
        expect![[r#"
            00:00  item 11 begins
            00:10  1 hall is in the list
            00:10  1 has the floor for 11:00
            00:20  2 Tháp Mười is in the list
            00:20  2 has the floor for 11:00
            00:30  3 Hồng Ngự is in the list
            00:30  3 has the floor for 11:00
            00:40  4 Sa Đéc is in the list
            00:50  5 hall is in the list
            --
            floor: 3 Hồng Ngự, 00:20 of 11:00, clock runs
            also: 2 Tháp Mười, 00:30 of 11:00, clock runs
            also: 1 hall, 00:40 of 11:00, clock runs
            waiting: 4 Sa Đéc*, 5 hall+
            heard: hall, Tháp Mười, Hồng Ngự; picture: Hồng Ngự
        "#]],
    );
}

#[test]
fn the_called_site_is_silenced_too_until_the_next_is_called() {
    check(
        r#"
            00:00  chair      calls the roll
            00:10  chair      calls Sa Đéc
            00:20  chair      closes all microphones
            00:21  chair      closes all microphones  -> refused: already so
        "#,
        expect![[r#"
            00:00  the roll is called; hall is called
            00:10  Sa Đéc is called
            00:20  microphones stay closed
            00:21  chair is refused: already so
            --
            floor: free
            waiting: nobody
            heard: hall; picture: Sa Đéc
        "#]],
    );
    check(
        r#"
            00:00  chair      calls the roll
            00:10  chair      calls Sa Đéc
            00:20  chair      closes all microphones
            00:30  chair      calls Tháp Mười
        "#,
        expect![[r#"
            00:00  the roll is called; hall is called
            00:10  Sa Đéc is called
            00:20  microphones stay closed
            00:30  Tháp Mười is called
            --
            floor: free
            waiting: nobody
            heard: hall, Tháp Mười; picture: Tháp Mười
        "#]],
    );
}

#[test]
fn a_site_that_is_not_ready_gives_the_call_back_and_keeps_its_place() {
    check(
        r#"
            00:00  chair      opens item 8
            00:10  Sa Đéc     requests
            00:11  Tháp Mười  requests
            00:12  Hồng Ngự   requests
            00:15  chair      moves 3 before 1
            00:20  chair      grants next
            00:25  Sa Đéc     gives back 3            -> refused: other site
            00:30  Hồng Ngự   gives back 3
            00:31  chair      undoes 3                -> refused: nothing to undo
            00:40  chair      grants next
            01:00  chair      takes back 1
            01:10  Hồng Ngự   is ready for 3
            01:20  chair      grants next
            01:51  Hồng Ngự   gives back 3            -> refused: speech begun
        "#,
        expect![[r#"
            00:00  item 8 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Tháp Mười is in the list
            00:12  3 Hồng Ngự is in the list
            00:15  the chair puts 3 at place 1
            00:20  the chair calls 3; 3 has the floor for 08:00
            00:25  Sa Đéc is refused: other site
            00:30  the call of 3 is given back
            00:31  chair is refused: nothing to undo
            00:40  the chair calls 1; 1 has the floor for 08:00
            01:00  the call of 1 is given back
            01:10  3 is ready
            01:20  the chair calls 3; 3 has the floor for 08:00
            01:51  Hồng Ngự is refused: speech begun
            --
            floor: 3 Hồng Ngự, 00:31 of 08:00, clock runs
            waiting: 1 Sa Đéc (not ready) [turn 1], 2 Tháp Mười* [turn 1]
            heard: Hồng Ngự; picture: Hồng Ngự
        "#]],
    );
}

// ------------------------------------------------------------ two who preside

#[test]
fn the_deputy_takes_the_chair_and_gives_it_back() {
    check(
        r#"
            00:00  deputy     opens item 5           -> refused: not presiding
            00:01  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  deputy     takes the chair
            00:21  chair      grants next            -> refused: deputy presides
            00:22  deputy     grants next
            00:30  deputy     takes the chair        -> refused: already so
            00:40  deputy     returns the chair
            00:41  deputy     ends 1                 -> refused: not presiding
            00:50  deputy     takes the chair
            00:55  chair      takes the chair
            01:00  chair      ends 1
        "#,
        expect![[r#"
            00:00  deputy is refused: not presiding
            00:01  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the deputy has the chair
            00:21  chair is refused: deputy presides
            00:22  the chair calls 1; 1 has the floor for 05:00
            00:30  deputy is refused: already so
            00:40  the chair has the chair
            00:41  deputy is refused: not presiding
            00:50  the deputy has the chair
            00:55  the chair has the chair
            01:00  1 ends at 01:00
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

// ------------------------------------------------------------ changing the item

#[test]
fn who_is_kept_for_an_item_is_nobody_elses_burden_and_waits_when_it_is_taken_up_again() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:11  Sa Đéc     requests
            00:12  Sa Đéc     requests
            00:13  Sa Đéc     requests
            00:20  chair      opens item 6 keeping
            00:30  Sa Đéc     requests
            00:40  Hồng Ngự   withdraws 1            -> refused: other site
            00:41  Sa Đéc     withdraws 1
            00:50  chair      opens item 5 keeping
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Sa Đéc is in the list
            00:13  4 Sa Đéc is in the list
            00:20  item 5 is over; item 6 begins, the list is kept
            00:30  5 Sa Đéc is in the list
            00:40  Hồng Ngự is refused: other site
            00:41  1 is withdrawn
            00:50  item 6 is over; item 5 begins, the list is kept
            --
            floor: free
            waiting: 2 Sa Đéc*, 3 Sa Đéc+, 4 Sa Đéc
            kept: 5 Sa Đéc for item 6
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn between_items_nobody_is_told_to_prepare_and_the_list_stays_as_it_is() {
    check(
        r#"
            00:00  chair      opens item 8
            00:10  Sa Đéc     requests
            00:11  Sa Đéc     requests
            00:12  Tháp Mười  requests
            00:20  chair      finishes item 8
        "#,
        expect![[r#"
            00:00  item 8 begins
            00:10  1 Sa Đéc is in the list
            00:11  2 Sa Đéc is in the list
            00:12  3 Tháp Mười is in the list
            00:20  item 8 is over
            --
            floor: free
            waiting: 1 Sa Đéc [turn 1], 3 Tháp Mười [turn 1], 2 Sa Đéc [turn 2]
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn who_waits_is_kept_cleared_or_carried_over() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      opens item 6           -> refused: list waiting
            00:30  chair      opens item 6 keeping
            00:40  Tháp Mười  requests
            00:50  chair      opens item 8 clearing
            01:00  Hồng Ngự   requests
            01:10  chair      opens item 5 carrying
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  chair is refused: list waiting
            00:30  item 5 is over; item 6 begins, the list is kept
            00:40  2 Tháp Mười is in the list
            00:50  item 6 is over; item 8 begins, the list is cleared
            01:00  3 Hồng Ngự is in the list
            01:10  item 8 is over; item 5 begins
            --
            floor: free
            waiting: 1 Sa Đéc*, 3 Hồng Ngự+
            heard: nobody; picture: hall
        "#]],
    );
}

// ------------------------------------------------------------ the roll

#[test]
fn the_roll_walks_every_site_with_its_microphone_open() {
    check(
        r#"
            00:00  chair      calls the roll
            00:05  hall       is measured at -30
            00:10  chair      calls the next after hall
            00:15  Tháp Mười  is measured at -80
            00:20  Tháp Mười  reports 9 of 10 for Tháp Mười
            00:21  Sa Đéc     reports 9 of 10 for Tháp Mười  -> refused: other site
            00:30  chair      calls the next after hall      -> refused: not called
            00:31  chair      calls the next after Tháp Mười
            00:40  chair      goes on without Sa Đéc
            00:50  chair      calls the next after Hồng Ngự
        "#,
        expect![[r#"
            00:00  the roll is called; hall is called
            00:05  hall is heard at -30 dBov
            00:10  hall has answered; Tháp Mười is called
            00:20  Tháp Mười: 10 summoned, 9 present, 0 online
            00:21  Sa Đéc is refused: other site
            00:30  chair is refused: not called
            00:31  Tháp Mười has answered; Sa Đéc is called
            00:40  Sa Đéc is passed over; Hồng Ngự is called
            00:50  Hồng Ngự has not answered; the roll call is over
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            present: 9 of 40
        "#]],
    );
}

#[test]
fn while_the_roll_is_called_nobody_is_given_the_floor() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      calls the roll
            00:30  chair      grants next            -> refused: roll call runs
            00:31  chair      goes on after item 5 to item 6  -> refused: list waiting
            00:32  chair      opens item 6 keeping   -> refused: roll call runs
            00:40  chair      calls Sa Đéc
            00:50  chair      ends the roll call
            01:00  chair      grants next
            01:10  chair      calls the roll         -> refused: floor taken
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the roll is called; hall is called
            00:30  chair is refused: roll call runs
            00:31  chair is refused: list waiting
            00:32  chair is refused: roll call runs
            00:40  Sa Đéc is called
            00:50  the roll call is over
            01:00  the chair calls 1; 1 has the floor for 05:00
            01:10  chair is refused: floor taken
            --
            floor: 1 Sa Đéc, 00:10 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
}

#[test]
fn what_a_site_said_before_it_was_called_is_no_answer() {
    check(
        r#"
            00:00  Tháp Mười  reports 9 of 10 for Tháp Mười
            00:10  chair      calls the roll
            00:20  chair      calls Tháp Mười
            00:30  chair      calls the next after Tháp Mười
            00:31  chair      ends the roll call
            00:40  chair      calls Tháp Mười
            00:50  Tháp Mười  reports 9 of 10 for Tháp Mười
            00:51  Tháp Mười  reports 9 of 10 for Tháp Mười  -> refused: already so
            01:00  chair      calls the next after Tháp Mười
        "#,
        expect![[r#"
            00:00  Tháp Mười: 10 summoned, 9 present, 0 online
            00:10  the roll is called; hall is called
            00:20  Tháp Mười is called
            00:30  Tháp Mười has not answered; Sa Đéc is called
            00:31  the roll call is over
            00:40  Tháp Mười is called
            00:50  Tháp Mười: 10 summoned, 9 present, 0 online
            00:51  Tháp Mười is refused: already so
            01:00  Tháp Mười has answered; the roll call is over
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            present: 9 of 40
        "#]],
    );
}

#[test]
fn the_quorum_is_a_share_of_those_summoned_or_of_the_sites() {
    let play = "
            00:00  chair      opens item 5
            00:10  hall       reports 10 of 10 for hall
            00:20  Tháp Mười  reports 9 of 10 for Tháp Mười
        ";
    let mut stories = String::new();
    for (base, percent) in [
        (QuorumBase::Summoned, 47),
        (QuorumBase::Summoned, 48),
        (QuorumBase::Sites, 50),
        (QuorumBase::Sites, 51),
    ] {
        let mut setup = setup();
        setup.agenda[4].quorum_base = base;
        setup.agenda[4].quorum_percent = Some(percent);
        let mut room = Room::linked(setup);
        let told = told(&mut room, play);
        let there = told.lines().find(|line| line.starts_with("present"));
        stories += &format!("{percent}%  {}\n", there.unwrap_or("nobody"));
    }
    expect![[r#"
        47%  present: 19 of 40, enough: 19 of 40
        48%  present: 19 of 40, not enough: 19 of 40
        50%  present: 19 of 40, enough: 2 of 4
        51%  present: 19 of 40, not enough: 2 of 4
    "#]]
    .assert_eq(&stories);
}

// ------------------------------------------------------------ parts and breaks

#[test]
fn a_part_begins_within_its_whole_and_the_next_item_ends_both() {
    let mut setup = setup();
    (setup.agenda[2].part_of, setup.agenda[3].part_of) = (Some(ItemId(2)), Some(ItemId(2)));
    let mut room = Room::linked(setup);
    let told = told(
        &mut room,
        r#"
            00:00  chair      opens item 2
            00:10  chair      goes on after item 2 to item 3
            00:20  chair      goes on after item 3 to item 4
            00:30  chair      finishes item 4
            00:40  chair      opens item 3
            00:50  chair      opens item 5
            01:00  chair      finishes item 2         -> refused: stale
            01:10  chair      opens item 4
            01:20  chair      finishes item 2
        "#,
    );
    expect![[r#"
        00:00  item 2 begins
        00:10  item 3 begins
        00:20  item 3 is over; item 4 begins
        00:30  item 4 is over
        00:40  item 3 begins
        00:50  item 3 is over; item 2 is over; item 5 begins
        01:00  chair is refused: stale
        01:10  item 5 is over; item 4 begins
        01:20  item 4 is over; item 2 is over
        --
        floor: free
        waiting: nobody
        heard: nobody; picture: hall
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_break_has_a_clock_and_whoever_goes_on_ends_it() {
    check(
        r#"
            00:00  chair      opens item 5
            00:05  chair      breaks for 0            -> refused: out of range
            00:06  chair      ends the break          -> refused: already so
            00:10  Sa Đéc     requests
            00:20  chair      breaks for 15
            00:30  chair      breaks for 10
            00:40  chair      grants next
            00:50  chair      breaks for 10           -> refused: floor taken
            01:00  chair      ends 1
            01:10  chair      breaks for 10
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:05  chair is refused: out of range
            00:06  chair is refused: already so
            00:10  1 Sa Đéc is in the list
            00:20  a break until 15:20
            00:30  a break until 10:30
            00:40  the break is over; the chair calls 1; 1 has the floor for 05:00
            00:50  chair is refused: floor taken
            01:00  1 ends at 01:00
            01:10  a break until 11:10
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            the screens show waiting
        "#]],
    );
}

#[test]
fn an_item_may_be_a_break() {
    let mut setup = setup();
    setup.agenda[5].kind = ItemKind::Break;
    let mut room = Room::linked(setup);
    let pauses = told(
        &mut room,
        "00:00  chair      opens item 5
         00:10  technician shows the grid
         00:20  chair      opens item 6",
    );
    let until = room
        .live
        .agenda()
        .on_break
        .map(|on| on.until.since(on.since));
    assert_eq!(until, Some(60 * 60_000));
    let goes_on = told(&mut room, "00:30  chair opens item 8");
    assert_eq!(room.live.agenda().on_break, None);
    expect![[r#"
        00:00  item 5 begins
        00:10  the screens show grid
        00:20  item 5 is over; item 6 begins
        --
        floor: free
        waiting: nobody
        heard: nobody; picture: hall
        the screens show waiting
        00:30  item 6 is over; item 8 begins
        --
        floor: free
        waiting: nobody
        heard: nobody; picture: hall
        the screens show grid
    "#]]
    .assert_eq(&(pauses + &goes_on));
}

// ------------------------------------------------------------ delegates, prompts, screens

#[test]
fn the_desks_register_who_speaks_in_the_hall() {
    check(
        r#"
            00:00  chair      opens item 6
            00:10  secretary  requests a directing speech
            00:11  chair      requests a conclusion
            00:12  technician requests a conclusion   -> refused: not allowed
            00:20  Sa Đéc     requests
            00:30  secretary  withdraws 2
            00:31  secretary  withdraws 3             -> refused: not allowed
            00:40  chair      grants 1
        "#,
        expect![[r#"
            00:00  item 6 begins
            00:10  1 hall is in the list
            00:11  2 hall is in the list
            00:12  technician is refused: not allowed
            00:20  3 Sa Đéc is in the list
            00:30  2 is withdrawn
            00:31  secretary is refused: not allowed
            00:40  the chair calls 1 out of order; 1 has the floor for 06:00
            --
            floor: 1 hall, 00:00 of 06:00, clock runs
            waiting: 3 Sa Đéc*
            heard: hall; picture: hall
        "#]],
    );
}

#[test]
fn the_screens_wait_until_something_begins() {
    check(
        r#"
            00:00  chair      shows the grid
            00:01  chair      shows the waiting picture
            00:10  chair      opens item 5
        "#,
        expect![[r#"
            00:00  the screens show grid
            00:01  the screens show waiting
            00:10  item 5 begins
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            the screens show grid
        "#]],
    );
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests
            00:20  chair      shows the waiting picture
            00:30  chair      blanks the screens
            00:40  chair      grants next
            00:50  chair      shows the screens again
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:20  the screens show waiting
            00:30  the screens show blank
            00:40  the chair calls 1; 1 has the floor for 05:00
            00:50  the screens show speaker
            --
            floor: 1 Sa Đéc, 00:10 of 05:00, clock runs
            waiting: nobody
            heard: Sa Đéc; picture: Sa Đéc
        "#]],
    );
    check(
        r#"
            00:00  chair      shows the waiting picture
            00:10  chair      calls the roll
        "#,
        expect![[r#"
            00:00  the screens show waiting
            00:10  the roll is called; hall is called
            --
            floor: free
            waiting: nobody
            heard: hall; picture: hall
        "#]],
    );
}

#[test]
fn a_delegate_waits_once_and_gets_no_more_than_the_item_gives() {
    check(
        r#"
            00:00  chair      opens item 5
            00:10  Sa Đéc     requests for Nguyễn
            00:11  Sa Đéc     requests for NGUYỄN    -> refused: delegate waits
            00:12  Hồng Ngự   requests for Nguyễn
            00:13  Sa Đéc     requests for 3 minutes
            00:14  Sa Đéc     requests for 200 minutes  -> refused: out of range
            00:15  Hồng Ngự   requests for 30 minutes
            00:20  chair      grants 3
            00:30  chair      grants 4
        "#,
        expect![[r#"
            00:00  item 5 begins
            00:10  1 Sa Đéc is in the list
            00:11  Sa Đéc is refused: delegate waits
            00:12  2 Hồng Ngự is in the list
            00:13  3 Sa Đéc is in the list
            00:14  Sa Đéc is refused: out of range
            00:15  4 Hồng Ngự is in the list
            00:20  the chair calls 3 out of order; 3 has the floor for 03:00
            00:30  the chair calls 4 out of order; 3 ends at 00:30, the next is called; 4 has the floor for 05:00
            --
            floor: 4 Hồng Ngự, 00:00 of 05:00, clock runs
            waiting: 1 Sa Đéc*, 2 Hồng Ngự+
            heard: Hồng Ngự; picture: Hồng Ngự
        "#]],
    );
}

#[test]
fn prompts_go_between_the_desks_and_one_site() {
    check(
        r#"
            00:00  technician tells slower to Sa Đéc
            00:01  secretary  tells slower to Sa Đéc  -> refused: already so
            00:02  chair      tells help to Sa Đéc    -> refused: not allowed
            00:03  Tháp Mười  sees to prompt 1        -> refused: other site
            00:04  chair      sees to prompt 1        -> refused: not allowed
            00:05  Sa Đéc     sees to prompt 1
            00:06  Sa Đéc     asks for help
            00:07  Sa Đéc     sees to prompt 2        -> refused: not allowed
            00:08  technician sees to prompt 2
            00:09  technician sees to prompt 2        -> refused: already so
        "#,
        expect![[r#"
            00:00  prompt 1, Sa Đéc: slower
            00:01  secretary is refused: already so
            00:02  chair is refused: not allowed
            00:03  Tháp Mười is refused: other site
            00:04  chair is refused: not allowed
            00:05  prompt 1 is seen to
            00:06  prompt 2, Sa Đéc: need help
            00:07  Sa Đéc is refused: not allowed
            00:08  prompt 2 is seen to
            00:09  technician is refused: already so
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
        "#]],
    );
}

#[test]
fn the_screens_show_what_was_taken_and_blank_undoes_itself() {
    check(
        r#"
            00:00  chair      lays ready document
            00:01  chair      takes grid              -> refused: stale
            00:02  technician takes document
            00:03  chair      blanks the screens
            00:03  technician blanks the screens      -> refused: already so
            00:04  chair      shows the screens again
            00:04  technician shows the screens again -> refused: already so
            00:05  chair      keeps the picture of Sa Đéc
            00:06  chair      follows the floor
            00:07  chair      runs a carousel of 10
            00:08  Tháp Mười  room lost
            00:40  chair      stops the carousel
            00:41  chair      turns to page 2         -> refused: out of range
        "#,
        expect![[r#"
            00:00  document is laid ready
            00:01  chair is refused: stale
            00:02  nothing is laid ready; the screens show document
            00:03  the screens show blank
            00:03  technician is refused: already so
            00:04  the screens show document
            00:04  technician is refused: already so
            00:05  Sa Đéc's picture is kept
            00:06  the picture follows the floor
            00:07  a carousel of 10 s
            00:08  Tháp Mười's room is lost
            00:17  the carousel shows Sa Đéc
            00:27  the carousel shows Hồng Ngự
            00:37  the carousel shows Sa Đéc
            00:40  no carousel
            00:41  chair is refused: out of range
            --
            floor: free
            waiting: nobody
            heard: nobody; picture: hall
            the screens show document
        "#]],
    );
}
