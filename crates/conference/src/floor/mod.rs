//! The floor: who waits, who is on deck, who has it.

mod list;
mod step;
mod turns;

pub(crate) use list::check_length;
pub use step::Step;
pub(crate) use turns::open_microphones;

use crate::{
    line::Used,
    precedence::Precedence,
    share::Sharer,
    turn::Turn,
    words::{Denied, Readiness, RequestWords, TurnEnd, Waiting},
};
use diemcau_model::{ItemId, Millis, SeatId, SiteId, TurnId};
use std::{collections::BTreeMap, sync::Arc};

/// The part of the state that is about the floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Whether the list takes requests.
    pub open: bool,
    /// The speeches that have the floor, in the order in which they began: the last one is the one everybody looks at.
    /// More than one only in an open discussion, and while a question is put in between.
    pub turns: Vec<Turn>,
    /// Everyone who waits, in the order in which the server took them; also those kept with another item.
    requests: Vec<Request>,
    /// Who is to be called next, and after that.
    pub staged: Vec<TurnId>,
    /// Where the chair put requests: each with its place among those of its rank, counted from 0. Nothing but the chair's
    /// word changes it; when one leaves, those behind it move up.
    order: BTreeMap<TurnId, usize>,
    /// The last request of each site that was not taken, until the site asks again.
    pub denied: BTreeMap<SiteId, Denied>,
    /// How the last turn ended.
    pub last: Option<LastTurn>,
    /// The speeches that are over.
    pub speeches: BTreeMap<TurnId, Arc<Speech>>,
    /// The chair closed every microphone of an open discussion: requests open none until it opens them again.
    pub microphones_closed: bool,
    /// The seat that holds the priority key.
    pub priority: Option<SeatId>,
    /// The chair's last step about the list.
    pub step: Option<Step>,
    /// The item whose list this is: the one that began last.
    item: Option<ItemId>,
    next: u32,
    /// How many of the requests were whose, also of those that were withdrawn.
    asked: BTreeMap<Sharer, u32>,
}

/// A waiting request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub turn: TurnId,
    /// The site.
    pub site: SiteId,
    /// The seat that asked.
    pub seat: SeatId,
    /// The item it waits in.
    pub item: ItemId,
    /// Who, on what.
    pub words: RequestWords,
    /// The speech it replies to.
    pub about: Option<TurnId>,
    /// Whether it waits for the chair's word before it joins the list.
    pub pending: bool,
    /// Whether its site is there.
    pub ready: Readiness,
    /// When its site's microphone was heard, on the link it has now, while it was told to prepare.
    pub heard: Option<Millis>,
    /// When the server took it.
    pub at: Millis,
}

/// A speech that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speech {
    /// Its id.
    pub turn: TurnId,
    /// The site that spoke.
    pub site: SiteId,
    /// In which item.
    pub item: ItemId,
    /// Who, on what.
    pub words: RequestWords,
    /// The speech it replied to.
    pub about: Option<TurnId>,
    /// When it was granted.
    pub started: Millis,
    /// When it was over.
    pub ended: Millis,
    /// Milliseconds it took by its clock.
    pub used_ms: u64,
    /// How it ended.
    pub how: TurnEnd,
}

/// How the last turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastTurn {
    /// The turn.
    pub turn: TurnId,
    /// Its site.
    pub site: SiteId,
    /// The item it belonged to.
    pub item: ItemId,
    /// How.
    pub how: TurnEnd,
}

impl Default for Floor {
    fn default() -> Self {
        Self {
            open: true,
            turns: vec![],
            requests: vec![],
            staged: vec![],
            order: BTreeMap::new(),
            denied: BTreeMap::new(),
            last: None,
            speeches: BTreeMap::new(),
            microphones_closed: false,
            priority: None,
            step: None,
            item: None,
            next: 1,
            asked: BTreeMap::new(),
        }
    }
}

impl Floor {
    /// The speech everybody looks at.
    #[must_use]
    pub fn turn(&self) -> Option<&Turn> {
        self.turns.last()
    }

    pub(crate) fn speech(&self, turn: TurnId) -> Option<&Turn> {
        self.turns.iter().find(|speech| speech.turn == turn)
    }

    /// The accepted requests of the present list, in the order of arrival; `Conference::line` has them in theirs.
    pub fn queue(&self) -> impl Iterator<Item = &Request> {
        self.waiting().filter(|request| !request.pending)
    }

    /// The requests that wait for the chair's word.
    pub fn pending(&self) -> impl Iterator<Item = &Request> {
        self.waiting().filter(|request| request.pending)
    }

    /// Those kept with another item than the present one.
    pub fn kept(&self) -> impl Iterator<Item = &Request> {
        self.requests
            .iter()
            .filter(|request| Some(request.item) != self.item)
    }

    /// The item whose list this is: the one that began last.
    #[must_use]
    pub fn item(&self) -> Option<ItemId> {
        self.item
    }

    /// What counts for each site in the order of the present item: its ordinary speeches that are over, and those that
    /// have the floor as if they took all their time. A point of order or an answer costs nobody its turn.
    pub(crate) fn counted(&self) -> BTreeMap<SiteId, Used> {
        let is_ordinary = |words: &RequestWords| Precedence::of(words.speech).is_ordinary();
        let over = self.speeches.values();
        let over = over.filter(|one| Some(one.item) == self.item && is_ordinary(&one.words));
        let live = self.turns.iter().filter(|turn| is_ordinary(&turn.words));
        let mut counted: BTreeMap<SiteId, Used> = BTreeMap::new();
        for (site, ms) in over
            .map(|speech| (speech.site, speech.used_ms))
            .chain(live.map(|turn| (turn.site, turn.allotted_ms)))
        {
            counted.entry(site).or_default().add(ms);
        }
        counted
    }

    /// What each site used of each item, whatever its speeches were.
    #[must_use]
    pub fn used(&self) -> BTreeMap<(ItemId, SiteId), Used> {
        let mut used: BTreeMap<_, Used> = BTreeMap::new();
        for speech in self.speeches.values() {
            let of_site = used.entry((speech.item, speech.site)).or_default();
            of_site.add(speech.used_ms);
        }
        used
    }

    /// A request that waits, also one kept with another item.
    pub(crate) fn request(&self, turn: TurnId) -> Option<&Request> {
        self.requests.iter().find(|request| request.turn == turn)
    }

    pub(crate) fn find(&self, turn: TurnId) -> Option<&Request> {
        self.waiting().find(|request| request.turn == turn)
    }

    /// Everyone who waits in the present list.
    fn waiting(&self) -> impl Iterator<Item = &Request> {
        self.requests
            .iter()
            .filter(|request| Some(request.item) == self.item)
    }

    // ------------------------------------------------------------ applying

    pub(crate) fn item_started(&mut self, item: ItemId, waiting: Waiting) {
        if self.item == Some(item) {
            return;
        }
        let before = self.item.replace(item);
        self.denied.clear();
        self.staged.clear();
        // Places among those of another item mean nothing here.
        self.order.clear();
        self.step = None;
        self.microphones_closed = false;
        let is_of_before = |request: &Request| Some(request.item) == before;
        match waiting {
            Waiting::Keep => {}
            Waiting::Carry => {
                let carried = self.requests.iter_mut().filter(|one| is_of_before(one));
                carried.for_each(|request| request.item = item);
            }
            Waiting::Clear => {
                for request in self.requests.extract_if(.., |one| is_of_before(one)) {
                    self.denied.insert(
                        request.site,
                        Denied {
                            turn: request.turn,
                            site: request.site,
                            reason: String::new(),
                            item_over: true,
                        },
                    );
                }
            }
        }
    }

    pub(crate) fn requested(&mut self, request: Request, by: Sharer) {
        *self.asked.entry(by).or_default() += 1;
        self.next = self.next.max(request.turn.0 + 1);
        self.denied.remove(&request.site);
        self.requests.push(request);
    }

    pub(crate) fn edit(&mut self, turn: TurnId, edit: impl FnOnce(&mut Request)) {
        if let Some(request) = self.requests.iter_mut().find(|one| one.turn == turn) {
            edit(request);
        }
    }

    /// Takes a request out; `list` is the list as ordered. Those who stay keep their order.
    pub(crate) fn take(&mut self, turn: TurnId, list: &[TurnId]) -> Option<Request> {
        self.staged.retain(|other| *other != turn);
        let stay = list.iter().copied().filter(|other| *other != turn);
        let put: Vec<TurnId> = self.order.keys().copied().collect();
        self.set_order(stay.collect(), &put);
        let at = self.requests.iter().position(|one| one.turn == turn)?;
        Some(self.requests.remove(at))
    }

    /// The chair's word: of `list`, as the whole list is to stand, `put` stand where they do by that word.
    pub(crate) fn set_order(&mut self, list: Vec<TurnId>, put: &[TurnId]) {
        self.order.clear();
        let is_first = |turn: &TurnId| {
            let speech = self.find(*turn).map(|request| request.words.speech);
            speech.is_some_and(|speech| Precedence::of(speech).is_first())
        };
        let (first, rest): (Vec<_>, Vec<_>) = list.into_iter().partition(is_first);
        for group in [first, rest] {
            let places = group.into_iter().enumerate();
            let put = places.filter(|(_, turn)| put.contains(turn));
            self.order.extend(put.map(|(place, turn)| (turn, place)));
        }
    }

    /// The requests that stand where the chair put them.
    pub(crate) fn put(&self) -> impl Iterator<Item = TurnId> {
        self.order.keys().copied()
    }

    /// Where the chair put a request among those of its rank.
    pub(crate) fn put_at(&self, turn: TurnId) -> Option<usize> {
        self.order.get(&turn).copied()
    }

    /// Another machine carries the site, or none: what was heard was another microphone.
    pub(crate) fn carrier_changed(&mut self, site: SiteId) {
        let of_site = self.requests.iter_mut().filter(|one| one.site == site);
        of_site.for_each(|request| request.heard = None);
    }

    pub(crate) fn put_back(&mut self, request: Request) {
        let at = self
            .requests
            .partition_point(|other| other.turn < request.turn);
        self.requests.insert(at, request);
    }

    pub(crate) fn started(&mut self, mut turn: Turn, at: Millis) {
        self.denied.remove(&turn.site);
        turn.set_warned(at);
        turn.hold(at, |turn| turn.silenced = self.priority.is_some());
        self.turns.push(turn);
    }

    pub(crate) fn ended(&mut self, turn: TurnId, how: TurnEnd, at: Millis) {
        let Some(place) = self.turns.iter().position(|other| other.turn == turn) else {
            return;
        };
        let ended = self.turns.remove(place);
        self.last = Some(LastTurn {
            turn,
            site: ended.site,
            item: ended.item,
            how,
        });
        let speech = Speech {
            turn,
            site: ended.site,
            item: ended.item,
            used_ms: ended.used_at(at),
            words: ended.words,
            about: ended.about,
            started: ended.started,
            ended: at,
            how,
        };
        self.speeches.insert(turn, Arc::new(speech));
    }

    /// A call that was given back has not been: its request waits where it did, and is passed over until it is ready.
    pub(crate) fn call_returned(&mut self, turn: TurnId) -> Option<Turn> {
        let place = self.turns.iter().position(|other| other.turn == turn)?;
        let returned = self.turns.remove(place);
        self.put_back(Request {
            turn,
            site: returned.site,
            seat: returned.seat,
            item: returned.item,
            words: returned.words.clone(),
            about: returned.about,
            pending: false,
            ready: Readiness::NotReady,
            heard: None,
            at: returned.asked,
        });
        self.step.take_if(|step| step.request.turn == turn);
        Some(returned)
    }

    pub(crate) fn set_priority(&mut self, seat: Option<SeatId>, at: Millis) {
        self.priority = seat;
        for turn in &mut self.turns {
            turn.hold(at, |turn| turn.silenced = seat.is_some());
        }
    }

    /// Applies a change to the turn `turn`; an event about another one changes nothing.
    pub(crate) fn change(&mut self, turn: TurnId, edit: impl FnOnce(&mut Turn)) {
        if let Some(current) = self.turns.iter_mut().find(|other| other.turn == turn) {
            edit(current);
        }
    }
}
