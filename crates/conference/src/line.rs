//! The order of the list, and why each request stands where it does.
//!
//! Who was staged comes first, then points of order. Then come the others: by rank, by the item's order, by arrival; but
//! a request the chair has put somewhere stands exactly there, and moves up as those before it leave.

use crate::{
    QueueMode,
    floor::{Floor, Request},
    precedence::Precedence,
    words::{Readiness, Why},
};
use diemcau_model::{SiteId, TurnId};
use std::collections::BTreeMap;

/// A place of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Who stands there.
    pub request: &'a Request,
    /// Why there.
    pub why: Why,
}

/// The whole list in its order. `turn_ms` is what the item allots to a turn.
pub(crate) fn line<'a>(floor: &'a Floor, mode: QueueMode, turn_ms: u64) -> Vec<Place<'a>> {
    let keys = Keys::new(floor, mode, turn_ms);
    let list = keys.list();
    let of_list = |turn: &TurnId| list.iter().find(|request| request.turn == *turn);
    let staged = floor.staged.iter().filter_map(of_list);
    let is_staged = |request: &&&Request| floor.staged.contains(&request.turn);
    let rest = list.iter().filter(|request| !is_staged(request));
    let place = |request: &&'a Request| Place {
        request,
        why: keys.why(request),
    };
    staged.chain(rest).map(place).collect()
}

/// The list as the rules and the chair order it, whoever is staged.
pub(crate) fn list(floor: &Floor, mode: QueueMode, turn_ms: u64) -> Vec<&Request> {
    Keys::new(floor, mode, turn_ms).list()
}

/// Those of the line who may be called next: whoever is not ready or not linked is passed over and keeps its place. Where
/// the chair picks only who was staged.
pub(crate) fn there<'a>(
    line: Vec<Place<'a>>,
    mode: QueueMode,
    linked: impl Fn(SiteId) -> bool,
) -> impl Iterator<Item = &'a Request> {
    line.into_iter()
        .filter(move |place| mode != QueueMode::ChairPicks || place.why == Why::Staged)
        .map(|place| place.request)
        .filter(move |request| request.ready != Readiness::NotReady && linked(request.site))
}

/// What sorts a request: the smaller, the earlier. Numbers grow with arrival, so the last part decides between equals.
type Key = (u8, u64, u64, TurnId);

struct Keys<'a> {
    floor: &'a Floor,
    mode: QueueMode,
    turn_ms: u64,
    /// How many ordinary requests of its site wait before each.
    before: BTreeMap<TurnId, u16>,
    /// What each site used of the item.
    used: BTreeMap<SiteId, Used>,
}

impl<'a> Keys<'a> {
    fn new(floor: &'a Floor, mode: QueueMode, turn_ms: u64) -> Self {
        let mut of_site: BTreeMap<SiteId, u16> = BTreeMap::new();
        let mut before = BTreeMap::new();
        for request in floor.queue() {
            if Precedence::of(request.words.speech).is_ordinary() {
                let count = of_site.entry(request.site).or_default();
                before.insert(request.turn, *count);
                *count += 1;
            }
        }
        Self {
            floor,
            mode,
            turn_ms,
            before,
            used: floor.counted(),
        }
    }

    fn list(&self) -> Vec<&'a Request> {
        let is_first = |request: &&Request| Precedence::of(request.words.speech).is_first();
        let (first, rest): (Vec<_>, Vec<_>) = self.floor.queue().partition(is_first);
        let mut list = self.order(first);
        list.extend(self.order(rest));
        list
    }

    /// Requests by their keys; those the chair has put somewhere stand there.
    fn order(&self, mut requests: Vec<&'a Request>) -> Vec<&'a Request> {
        requests.sort_by_key(|request| self.key(request));
        let put_at = |request: &&Request| self.floor.put_at(request.turn);
        let (mut put, mut list): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .partition(|request| put_at(request).is_some());
        put.sort_by_key(put_at);
        for request in put {
            let at = put_at(&request).unwrap_or(list.len());
            list.insert(at.min(list.len()), request);
        }
        list
    }

    fn key(&self, request: &Request) -> Key {
        let precedence = Precedence::of(request.words.speech);
        let (major, minor) = match self.why_by_mode(request) {
            Why::Round { turns } => (u64::from(turns), 0),
            Why::LeastTime { used_ms } => (used_ms, 0),
            Why::Document => request.words.paragraph.map_or((u64::MAX, 0), |at| {
                (u64::from(at.draft.0), u64::from(at.paragraph))
            }),
            Why::Arrival | Why::Staged | Why::Chair | Why::Precedence => (0, 0),
        };
        (precedence.rank, major, minor, request.turn)
    }

    fn why(&self, request: &Request) -> Why {
        if self.floor.staged.contains(&request.turn) {
            return Why::Staged;
        }
        if self.floor.put_at(request.turn).is_some() {
            return Why::Chair;
        }
        self.why_by_mode(request)
    }

    fn why_by_mode(&self, request: &Request) -> Why {
        if !Precedence::of(request.words.speech).is_ordinary() {
            return Why::Precedence;
        }
        let before = self.before.get(&request.turn).copied().unwrap_or_default();
        let used = self.used.get(&request.site).copied().unwrap_or_default();
        match self.mode {
            QueueMode::ChairPicks | QueueMode::InOrder | QueueMode::Open { .. } => Why::Arrival,
            QueueMode::RoundOfSites => Why::Round {
                turns: used.turns.saturating_add(before),
            },
            QueueMode::LeastTime => Why::LeastTime {
                used_ms: used.ms + u64::from(before) * self.turn_ms,
            },
            QueueMode::ByDocument => Why::Document,
        }
    }
}

/// What a site used of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Speeches that are over.
    pub turns: u16,
    /// Milliseconds they took.
    pub ms: u64,
}

impl Used {
    pub(crate) fn add(&mut self, ms: u64) {
        self.turns = self.turns.saturating_add(1);
        self.ms = self.ms.saturating_add(ms);
    }
}
