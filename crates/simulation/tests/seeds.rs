//! Five hundred runs, the same in every gate; and proof that a run is one.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use diemcau_simulation::{Run, run};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The gate draws none: these are its runs. `cargo xtask sim` tries others.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=500;

/// Further seeds that once found something. 5153: a silence outlived the record's own closing, which one round undid again.
/// 22,581: a server that starts on a disk that still fails, which the law about the stage had forgotten. Both are of open
/// doors, whose runs are as they were before there was a guarded one. 1639: who was let in in the round in which it came was
/// told that the record fails, and stayed as a member without a connection. 3071, 3651, 8128: who was let in and shut out for
/// good in one round was told that it may ask again.
const FOUND: [u64; 6] = [5153, 22_581, 1639, 3071, 3651, 8128];

#[test]
fn every_law_holds_in_every_run() {
    let seeds: Vec<u64> = SEEDS.chain(FOUND).collect();
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Run {
                trace,
                tally: seen,
                outcome,
            } = run(*seed).unwrap();
            if let Err(broken) = outcome {
                panic!("{}\nseed {seed}: {broken:#}", trace.join("\n"));
            }
            let mut tally = tally.lock().unwrap();
            for (what, count) in seen {
                *tally.entry(what).or_insert(0) += count;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    check_that_it_happened(&tally.into_inner().unwrap());
}

/// Runs that never meet a kind of command, answer or trouble prove nothing about it.
fn check_that_it_happened(tally: &BTreeMap<String, u64>) {
    let commands = "accept_request admit_device allow_device ask_to_present call_next_site call_site close_microphones deny_request end_roll_call end_turn \
        end_presentation expel_seat extend_turn finish_item grant grant_next handle_prompt hold_comment keep_turn let_present move_item move_request next_item \
        open_microphones pass_over_site pause_turn post_comment preview_layout prompt_desks prompt_site publish_comment refuse_device request_floor \
        restore_seat resume_turn return_call return_chair revoke_seat revoke_turn set_carousel set_hall_microphone set_headcount set_layout \
        set_blank set_list set_notice start_break end_break set_priority set_ready set_spotlight show_paragraph stage start_item \
        start_roll_call take_chair take_preview undo withdraw_comment withdraw_request";
    let others = [
        "answered again",
        "device banned",
        "device bound",
        "device gone",
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
        "let in at the door",
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
    let never: Vec<String> = commands
        .chain(others.map(str::to_owned))
        .filter(|what| !tally.contains_key(what))
        .collect();
    assert!(never.is_empty(), "no run ever had: {never:?}");
}

#[test]
fn one_seed_is_one_run() {
    for seed in [3, 17, 42] {
        let (one, two) = (run(seed).unwrap(), run(seed).unwrap());
        assert!(one.trace.len() > 300, "a run that does little");
        for (line, (one, two)) in one.trace.iter().zip(&two.trace).enumerate() {
            assert_eq!(one, two, "seed {seed}, line {line}");
        }
        assert_eq!(one.trace.len(), two.trace.len());
    }
    assert_ne!(run(1).unwrap().trace, run(2).unwrap().trace);
}
