//! What runs must meet: a law that never met its case has proved nothing.

use std::collections::BTreeMap;

/// So many runs meet everything; fewer may miss what is rare.
pub const MANY: u64 = 2_000;

/// The kinds of command, answer and trouble that no run has met: so many runs as `MANY` must meet all.
#[must_use]
pub fn never_met(tally: &BTreeMap<String, u64>) -> Vec<String> {
    let commands = "accept_request admit_device allow_device ask_to_present call_next_site call_site close_microphones deny_request end_roll_call end_turn \
        end_presentation expel_seat extend_turn finish_item grant grant_next handle_prompt hold_comment keep_turn let_present move_item move_request next_item \
        open_microphones pass_over_site pause_turn post_comment preview_layout prompt_desks prompt_site publish_comment refuse_device request_floor \
        restore_seat resume_turn return_call return_chair revoke_seat revoke_turn set_carousel set_hall_microphone set_headcount set_layout \
        set_blank set_list set_notice start_break end_break set_priority set_ready set_spotlight show_paragraph stage start_item \
        start_roll_call take_chair take_preview undo withdraw_comment withdraw_request";
    let others = [
        "answered again",
        "asks for media at the door",
        "banned while it asks",
        "device banned",
        "device bound",
        "device gone",
        "disk Full",
        "disk Gone",
        "disk Sync",
        "disk SyncInDoubt",
        "disk hangs",
        "error Expelled",
        "error LobbyFull",
        "error Malformed",
        "error NotAdmitted",
        "error NotLetIn",
        "error Replaced",
        "error Revoked",
        "error StorageFailed",
        "found by the restart",
        "heard at rest",
        "joined",
        "key held at rest",
        "let in at the door",
        "on the stage at rest",
        "picture forwarded",
        "proved",
        "refused AlreadySo",
        "refused DeputyPresides",
        "refused NotAllowed",
        "refused Stale",
        "refused UnknownDevice",
        "rested",
        "trouble Away",
        "trouble Cut",
        "trouble Deaf",
        "trouble Disk",
        "trouble Double",
        "trouble Forget",
        "trouble Kill",
        "trouble Lag",
        "trouble Off",
        "trouble Rude",
        "trouble Silence",
        "trouble Start",
        "trouble Stop",
        "trouble Uplink",
        "voice forwarded",
        "waits at the door",
        "wrong PIN",
    ];
    let commands = commands
        .split_whitespace()
        .map(|command| format!("ok {command}"));
    commands
        .chain(others.map(str::to_owned))
        .filter(|what| tally.get(what).is_none_or(|count| *count == 0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_and_never_came_is_not_met() {
        let all = never_met(&BTreeMap::new()).into_iter();
        let mut tally: BTreeMap<String, u64> = all.map(|what| (what, 1)).collect();
        assert!(tally.len() > 100);
        assert!(never_met(&tally).is_empty());
        tally.insert("voice forwarded".into(), 0);
        assert_eq!(never_met(&tally), ["voice forwarded"]);
    }
}
