//! The floor as a viewer sees it.

use crate::{
    Viewer,
    view::{Deputy, Floor, Kept, LastTurn, Request, Speech, Turn, Undo, Used},
};
use diemcau_conference::{self as rules, Conference, Why};

pub(super) fn floor(conference: &Conference, viewer: Viewer) -> Floor {
    let floor = conference.floor();
    let pending = floor
        .pending()
        .filter(|pending| viewer.owns(pending.site))
        .map(|pending| request(pending, None));
    let (turn, others) = match floor.turns.split_last() {
        Some((turn, others)) => (Some(turn), others),
        None => (None, &[][..]),
    };
    let last = floor.last.filter(|last| viewer.owns(last.site));
    Floor {
        open: floor.open,
        turn: turn.map(|one| self::turn(conference, one)),
        others: others
            .iter()
            .map(|one| self::turn(conference, one))
            .collect(),
        queue: conference
            .line()
            .into_iter()
            .map(|place| request(place.request, Some(place.why)))
            .collect(),
        pending: pending.collect(),
        kept: floor
            .kept()
            .filter(|kept| !kept.pending || viewer.owns(kept.site))
            .map(|kept| Kept {
                item: kept.item,
                turn: kept.turn,
                site: kept.site,
                words: kept.words.clone(),
                at: kept.at,
            })
            .collect(),
        on_deck: conference.on_deck(),
        next: conference.next(),
        staged: floor.staged.clone(),
        hall_microphone: conference.screen().hall_microphone,
        microphones_closed: conference.microphones_closed(),
        priority: floor.priority.is_some(),
        last: last.map(|last| LastTurn {
            turn: last.turn,
            site: last.site,
            how: last.how,
        }),
        denied: floor
            .denied
            .values()
            .filter(|denied| viewer.owns(denied.site))
            .cloned()
            .collect(),
        used: used(conference),
        undo: floor
            .undoable()
            .filter(|_| viewer.may_see_step())
            .map(|step| Undo {
                step: step.kind,
                turn: step.request.turn,
                site: step.request.site,
                until: step.until(),
            }),
        deputy: deputy(conference),
    }
}

fn deputy(conference: &Conference) -> Option<Deputy> {
    let seat = conference.setup().seat(conference.roster().deputy?)?;
    Some(Deputy {
        seat: seat.id,
        label: seat.label.clone(),
    })
}

fn used(conference: &Conference) -> Vec<Used> {
    let used = |((item, site), used): ((_, _), rules::Used)| Used {
        item,
        site,
        turns: used.turns,
        ms: used.ms,
    };
    conference.floor().used().into_iter().map(used).collect()
}

pub(super) fn speech(speech: &rules::Speech, viewer: Viewer) -> Speech {
    Speech {
        turn: speech.turn,
        site: speech.site,
        item: speech.item,
        words: speech.words.clone(),
        about: speech.about,
        started: speech.started,
        ended: speech.ended,
        used_ms: speech.used_ms,
        how: viewer.owns(speech.site).then_some(speech.how),
    }
}

fn turn(conference: &Conference, turn: &rules::Turn) -> Turn {
    Turn {
        turn: turn.turn,
        site: turn.site,
        words: turn.words.clone(),
        about: turn.about,
        started: turn.started,
        allotted_ms: turn.allotted_ms,
        used_ms: turn.used_ms,
        running_since: turn.running_since,
        paused: turn.paused,
        held: turn.held,
        interrupted: turn.interrupted,
        silenced: turn.silenced,
        muted: turn.muted,
        away_until: conference.away_until(turn),
        warned_s: turn.warned_s,
    }
}

fn request(request: &rules::Request, why: Option<Why>) -> Request {
    Request {
        turn: request.turn,
        site: request.site,
        words: request.words.clone(),
        about: request.about,
        at: request.at,
        why,
        ready: request.ready,
        heard: request.heard,
    }
}
