//! The agenda: which item runs, in which order they come.

use crate::{Event, ItemKind, PlannedItem, Refusal, Setup, words::Waiting};
use diemcau_model::{ItemId, Millis, limits};
use std::collections::BTreeMap;

/// The part of the state that is about the agenda.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agenda {
    /// The items in their present order.
    pub order: Vec<ItemId>,
    /// The running item.
    pub current: Option<ItemId>,
    /// When each item that began did so.
    pub started: BTreeMap<ItemId, Millis>,
    /// When each item that is over was finished.
    pub finished: BTreeMap<ItemId, Millis>,
    /// Milliseconds between an item's end and its being opened again: no time of the item.
    pub idle_ms: BTreeMap<ItemId, u64>,
    /// The break that is on.
    pub on_break: Option<Break>,
    /// The whole that an item is a part of.
    wholes: BTreeMap<ItemId, ItemId>,
}

/// Nghỉ giải lao.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// When it began.
    pub since: Millis,
    /// Until when it was announced; it lasts until somebody goes on.
    pub until: Millis,
}

impl Agenda {
    pub(crate) fn open(setup: &Setup) -> Self {
        Self {
            order: setup.agenda.iter().map(|item| item.id).collect(),
            wholes: setup
                .agenda
                .iter()
                .filter_map(|item| Some((item.id, item.part_of?)))
                .collect(),
            ..Self::default()
        }
    }

    pub(crate) fn decide_start(
        &self,
        item: ItemId,
        waiting: Waiting,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        if !self.order.contains(&item) {
            return Err(Refusal::UnknownItem);
        }
        if self.current == Some(item) {
            return Err(Refusal::AlreadySo);
        }
        // A whole goes on while its parts are taken one by one.
        let whole = self.wholes.get(&item).copied();
        let over = self.running().filter(|running| Some(*running) != whole);
        let mut events: Vec<Event> = over
            .map(|item| Event::ItemFinished { item, at: now })
            .collect();
        events.push(Event::ItemStarted {
            item,
            waiting,
            at: now,
        });
        Ok(events)
    }

    pub(crate) fn decide_finish(&self, item: ItemId, now: Millis) -> Result<Vec<Event>, Refusal> {
        if !self.order.contains(&item) {
            return Err(Refusal::UnknownItem);
        }
        if !self.running().any(|running| running == item) {
            return Err(Refusal::Stale);
        }
        let is_in = |running: &ItemId| *running == item || self.wholes.get(running) == Some(&item);
        let over = self.running().filter(is_in);
        Ok(over
            .map(|item| Event::ItemFinished { item, at: now })
            .collect())
    }

    pub(crate) fn decide_next(
        &self,
        after: Option<ItemId>,
        expect: ItemId,
        waiting: Waiting,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let next = self.next().ok_or(Refusal::NoNextItem)?;
        if self.current != after || next != expect {
            return Err(Refusal::Stale);
        }
        self.decide_start(next, waiting, now)
    }

    pub(crate) fn decide_move(
        &self,
        item: ItemId,
        before: Option<ItemId>,
    ) -> Result<Vec<Event>, Refusal> {
        for id in [Some(item), before].into_iter().flatten() {
            if !self.order.contains(&id) {
                return Err(Refusal::UnknownItem);
            }
            if self.started.contains_key(&id) {
                return Err(Refusal::ItemBegun);
            }
        }
        if moved(&self.order, item, before) == self.order {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::ItemMoved { item, before }])
    }

    pub(crate) fn decide_break(&self, minutes: u16, now: Millis) -> Result<Vec<Event>, Refusal> {
        if !(1..=limits::BREAK_MINUTES_MAX).contains(&minutes) {
            return Err(Refusal::OutOfRange);
        }
        Ok(vec![Event::BreakStarted {
            until: now.plus(u64::from(minutes) * 60_000),
            at: now,
        }])
    }

    pub(crate) fn decide_end_break(&self, now: Millis) -> Result<Vec<Event>, Refusal> {
        let over = self.go_on(now);
        match over.is_empty() {
            true => Err(Refusal::AlreadySo),
            false => Ok(over),
        }
    }

    /// Whoever goes on ends the break that is on.
    pub(crate) fn go_on(&self, now: Millis) -> Vec<Event> {
        let over = self.on_break.map(|_| Event::BreakEnded { at: now });
        over.into_iter().collect()
    }

    /// Going back to an item keeps its first beginning: the minutes say when it was opened. A part opens its whole.
    pub(crate) fn start(&mut self, item: ItemId, planned: Option<&PlannedItem>, at: Millis) {
        self.current = Some(item);
        for begun in [Some(item), self.wholes.get(&item).copied()] {
            let Some(begun) = begun else { continue };
            self.started.entry(begun).or_insert(at);
            if let Some(over) = self.finished.remove(&begun) {
                *self.idle_ms.entry(begun).or_default() += at.since(over);
            }
        }
        let planned = planned.filter(|planned| planned.kind == ItemKind::Break);
        self.on_break = planned.map(|planned| Break {
            since: at,
            until: at.plus(u64::from(planned.minutes) * 60_000),
        });
    }

    pub(crate) fn finish(&mut self, item: ItemId, at: Millis) {
        if self.current == Some(item) {
            self.current = None;
            self.on_break = None;
        }
        self.finished.insert(item, at);
    }

    pub(crate) fn break_started(&mut self, until: Millis, at: Millis) {
        let since = self.on_break.map_or(at, |earlier| earlier.since);
        self.on_break = Some(Break { since, until });
    }

    pub(crate) fn reorder(&mut self, item: ItemId, before: Option<ItemId>) {
        self.order = moved(&self.order, item, before);
    }

    /// The item that comes next: the first that has not begun, behind the running one if there is one.
    #[must_use]
    pub fn next(&self) -> Option<ItemId> {
        let is_new = |item: &&ItemId| !self.started.contains_key(item);
        let behind = match self.current {
            Some(current) => self.order.iter().position(|item| *item == current)?,
            None => 0,
        };
        self.order[behind..].iter().find(is_new).copied()
    }

    /// Every item that has begun and is not over, parts before their whole.
    fn running(&self) -> impl Iterator<Item = ItemId> {
        let runs =
            |item: &&ItemId| self.started.contains_key(item) && !self.finished.contains_key(item);
        let is_part = |item: &ItemId| self.wholes.contains_key(item);
        let mut running: Vec<ItemId> = self.order.iter().filter(runs).copied().collect();
        running.sort_by_key(|item| !is_part(item));
        running.into_iter()
    }
}

/// The order with `id` put before `before`, or last. The same order when one of them is not in it.
pub(crate) fn moved<T: Copy + PartialEq>(order: &[T], id: T, before: Option<T>) -> Vec<T> {
    let mut rest: Vec<T> = order.iter().copied().filter(|other| *other != id).collect();
    let at = match before {
        Some(before) => rest.iter().position(|other| *other == before),
        None => Some(rest.len()),
    };
    match at {
        Some(at) if rest.len() < order.len() => rest.insert(at, id),
        Some(_) | None => return order.to_vec(),
    }
    rest
}
