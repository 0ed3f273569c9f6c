//! A way out that never waits: the one task must not stand still because somebody does not listen.

use std::collections::VecDeque;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

/// Messages kept while the channel is full; the next one costs the oldest, which is logged.
const WAITING_MAX: usize = 4_096;

pub struct Post<T> {
    name: &'static str,
    to: Sender<T>,
    waiting: VecDeque<T>,
}

impl<T> Post<T> {
    pub fn new(name: &'static str, to: Sender<T>) -> Self {
        Self {
            name,
            to,
            waiting: VecDeque::new(),
        }
    }

    /// A message that must arrive, in order: it is kept and tried again.
    pub fn send(&mut self, message: T) {
        self.waiting.push_back(message);
        self.retry();
        if self.waiting.len() > WAITING_MAX {
            self.waiting.pop_front();
            tracing::error!(
                channel = self.name,
                "nobody takes our messages; the oldest is lost"
            );
        }
    }

    /// A figure: the next one follows in a second, so a full channel loses it.
    pub fn send_or_drop(&mut self, message: T) {
        if self.waiting.is_empty() {
            let _ = self.to.try_send(message);
        }
    }

    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Sends as much of what waits as the channel takes.
    pub fn retry(&mut self) {
        while let Some(message) = self.waiting.pop_front() {
            match self.to.try_send(message) {
                Ok(()) => {}
                Err(TrySendError::Full(message)) => {
                    self.waiting.push_front(message);
                    return;
                }
                // Nobody will ever listen again; the channel of asks ends us soon.
                Err(TrySendError::Closed(_)) => self.waiting.clear(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_arrive_waits_and_figures_do_not() {
        let (to, mut from) = tokio::sync::mpsc::channel(1);
        let mut post = Post::new("test", to);
        for n in 0..3 {
            post.send(n);
        }
        post.send_or_drop(99);
        assert!(post.is_waiting());
        for n in 0..3 {
            assert_eq!(from.try_recv(), Ok(n));
            post.retry();
        }
        assert!(!post.is_waiting());
        post.send_or_drop(7);
        assert_eq!(from.try_recv(), Ok(7));
    }

    #[test]
    fn the_oldest_goes_when_nobody_listens() {
        let (to, mut from) = tokio::sync::mpsc::channel(1);
        let mut post = Post::new("test", to);
        for n in 0..WAITING_MAX + 3 {
            post.send(n);
        }
        assert_eq!(post.waiting.len(), WAITING_MAX);
        assert_eq!(from.try_recv(), Ok(0));
        post.retry();
        assert_eq!(from.try_recv(), Ok(3));
    }
}
