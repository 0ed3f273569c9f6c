//! Key frame requests, merged: many screens may wish for the same picture, its sender is asked once in a while.

use crate::engine::Layer;
use diemcau_model::PeerId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A layer is asked for at most so often; while its key frame has not come, it is asked for again at this pace.
pub const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(500);
/// A wish nobody could fulfil for so long is dropped. Whoever still waits for the picture wishes anew.
const WISH_LIFETIME: Duration = Duration::from_secs(10);

/// The picture of one sender in one size.
pub type Picture = (PeerId, Layer);

#[derive(Debug, Default)]
pub struct KeyFrames {
    /// At most one entry per layer of each connected sender.
    wishes: BTreeMap<Picture, Wish>,
}

#[derive(Debug)]
struct Wish {
    open_since: Option<Instant>,
    asked_at: Option<Instant>,
}

impl KeyFrames {
    /// Somebody needs a key frame.
    pub fn wish(&mut self, picture: Picture, now: Instant) {
        let wish = self.wishes.entry(picture).or_insert(Wish {
            open_since: None,
            asked_at: None,
        });
        wish.open_since.get_or_insert(now);
    }

    /// The key frame came.
    pub fn came(&mut self, picture: Picture) {
        if let Some(wish) = self.wishes.get_mut(&picture) {
            wish.open_since = None;
        }
    }

    /// The sender is gone.
    pub fn forget(&mut self, peer: PeerId) {
        self.wishes.retain(|(of, _), _| *of != peer);
    }

    /// The pictures whose senders are to be asked now; they count as asked.
    pub fn due(&mut self, now: Instant) -> Vec<Picture> {
        let mut due = vec![];
        for (picture, wish) in &mut self.wishes {
            let Some(since) = wish.open_since else {
                continue;
            };
            if now.saturating_duration_since(since) > WISH_LIFETIME {
                wish.open_since = None;
            } else if wish.next().is_none_or(|next| next <= now) {
                wish.asked_at = Some(now);
                due.push(*picture);
            }
        }
        due
    }

    /// When `due` has something to say next.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let open = self
            .wishes
            .values()
            .filter(|wish| wish.open_since.is_some());
        open.map(|wish| wish.next().unwrap_or(now)).min()
    }
}

impl Wish {
    fn next(&self) -> Option<Instant> {
        self.asked_at.map(|at| at + KEY_FRAME_INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: Picture = (PeerId(1), Layer::Full);

    #[test]
    fn many_wishes_are_one_request_repeated_until_the_key_frame_came() {
        let start = Instant::now();
        let mut wishes = KeyFrames::default();
        let mut asked = vec![];
        for ms in 0..2_000 {
            let now = start + Duration::from_millis(ms);
            if ms < 100 {
                wishes.wish(PICTURE, now);
            }
            if ms == 1_200 {
                wishes.came(PICTURE);
            }
            asked.extend(wishes.due(now).iter().map(|_| ms));
        }
        assert_eq!(asked, [0, 500, 1_000]);
        assert_eq!(wishes.deadline(start), None);
    }

    #[test]
    fn a_new_wish_right_after_a_request_waits_for_its_turn() {
        let start = Instant::now();
        let mut wishes = KeyFrames::default();
        wishes.wish(PICTURE, start);
        assert_eq!(wishes.due(start), [PICTURE]);
        wishes.came(PICTURE);
        wishes.wish(PICTURE, start + Duration::from_millis(10));
        assert!(wishes.due(start + Duration::from_millis(499)).is_empty());
        assert_eq!(wishes.deadline(start), Some(start + KEY_FRAME_INTERVAL));
        assert_eq!(wishes.due(start + Duration::from_millis(500)), [PICTURE]);
    }

    #[test]
    fn a_wish_without_hope_ends() {
        let start = Instant::now();
        let mut wishes = KeyFrames::default();
        wishes.wish(PICTURE, start);
        let asked =
            (0..60_u32).filter(|step| !wishes.due(start + KEY_FRAME_INTERVAL * *step).is_empty());
        assert_eq!(asked.count(), 21);
        wishes.forget(PICTURE.0);
        assert_eq!(wishes.deadline(start), None);
    }
}
