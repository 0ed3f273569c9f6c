//! The agenda: which item runs, in which order they come.

use crate::{Event, Refusal, Setup, words::Waiting};
use diemcau_model::{ItemId, Millis};
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
}

impl Agenda {
    pub(crate) fn open(setup: &Setup) -> Self {
        Self {
            order: setup.agenda.iter().map(|item| item.id).collect(),
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
        let mut events = self.finish_current(now);
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
        if self.current != Some(item) {
            return Err(Refusal::Stale);
        }
        Ok(self.finish_current(now))
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

    pub(crate) fn start(&mut self, item: ItemId, at: Millis) {
        self.current = Some(item);
        // Going back to an item keeps its first beginning: the minutes say when it was opened.
        self.started.entry(item).or_insert(at);
        self.finished.remove(&item);
    }

    pub(crate) fn finish(&mut self, item: ItemId, at: Millis) {
        self.current = None;
        self.finished.insert(item, at);
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

    fn finish_current(&self, now: Millis) -> Vec<Event> {
        self.current
            .map(|item| Event::ItemFinished { item, at: now })
            .into_iter()
            .collect()
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
