//! Key frame requests, merged: many screens may wish for the same picture, its sender is asked once in a while.

use crate::engine::Layer;
use diemcau_model::{PeerId, Side};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A layer is asked for at most so often; while its key frame has not come, it is asked for again at this pace.
pub const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(500);
/// For so long after a request a browser is deaf to the next one, for whichever of its layers, and does not say so
/// (300 ms, and the different ways of two datagrams).
const DEAF: Duration = Duration::from_millis(320);
/// A wish nobody could fulfil for so long is dropped. Whoever still waits for the picture wishes anew.
const WISH_LIFETIME: Duration = Duration::from_secs(10);

/// The picture of one sender in one size.
pub type Picture = (PeerId, Layer);

#[derive(Debug, Default)]
pub struct KeyFrames {
    /// At most one entry per layer of each connected sender.
    wishes: BTreeMap<Picture, Wish>,
}

#[derive(Debug, Default)]
struct Wish {
    open_since: Option<Instant>,
    asked_at: Option<Instant>,
    /// A request before this moment may have met deaf ears.
    deaf_until: Option<Instant>,
}

impl KeyFrames {
    /// Somebody needs a key frame.
    pub fn wish(&mut self, picture: Picture, now: Instant) {
        let wish = self.wishes.entry(picture).or_default();
        wish.open_since.get_or_insert(now);
    }

    /// The rules show a picture on every screen: its sender is asked now, and again once it cannot be deaf any more.
    /// Not for what a screen wishes: it could make a sender send nothing but key frames.
    pub fn wish_at_once(&mut self, picture: Picture, now: Instant) {
        self.wish(picture, now);
        let layers = Layer::ALL.map(|layer| self.wishes.get(&(picture.0, layer))?.asked_at);
        let deaf_until = layers.into_iter().flatten().max().map(|at| at + DEAF);
        if let Some(wish) = self.wishes.get_mut(&picture) {
            wish.deaf_until = wish.deaf_until.max(deaf_until);
            wish.asked_at = None;
        }
    }

    /// The key frame came.
    pub fn came(&mut self, picture: Picture) {
        if let Some(wish) = self.wishes.get_mut(&picture) {
            wish.open_since = None;
        }
    }

    /// What a peer sends on one side is gone; its camera and its presentation come and go each by itself.
    pub fn forget(&mut self, peer: PeerId, side: Side) {
        let gone = |(of, layer): &Picture| *of == peer && side_of(*layer) == side;
        self.wishes.retain(|picture, _| !gone(picture));
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

/// The side on which a sender brings a picture, and is asked for it.
pub fn side_of(layer: Layer) -> Side {
    match layer {
        Layer::Presentation => Side::Presentation,
        Layer::Quarter | Layer::Half | Layer::Full => Side::Uplink,
    }
}

impl Wish {
    fn next(&self) -> Option<Instant> {
        let at = self.asked_at?;
        let deaf_until = self.deaf_until.filter(|until| at < *until);
        Some(deaf_until.unwrap_or(at + KEY_FRAME_INTERVAL))
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
    fn what_the_rules_show_is_asked_for_at_once_and_again_when_the_sender_hears_again() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut wishes = KeyFrames::default();
        let small = (PICTURE.0, Layer::Quarter);
        wishes.wish(small, start);
        assert_eq!(wishes.due(start), [small]);
        wishes.came(small);

        for _screen in 0..3 {
            wishes.wish_at_once(PICTURE, at(100));
        }
        let mut asked: Vec<u64> = (100..1_400).collect();
        asked.retain(|ms| !wishes.due(at(*ms)).is_empty());
        assert_eq!(asked, [100, 320, 820, 1_320]);
    }

    #[test]
    fn what_the_rules_show_does_not_wait_for_the_pace_of_the_screens() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut wishes = KeyFrames::default();
        wishes.wish(PICTURE, start);
        assert_eq!(wishes.due(start), [PICTURE]);
        wishes.came(PICTURE);
        wishes.wish(PICTURE, at(60));
        assert!(wishes.due(at(60)).is_empty(), "a screen waits");
        wishes.wish_at_once(PICTURE, at(70));
        assert_eq!(wishes.due(at(70)), [PICTURE]);
        wishes.came(PICTURE);
        assert_eq!(wishes.deadline(at(80)), None);
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
        wishes.forget(PICTURE.0, Side::Uplink);
        assert_eq!(wishes.deadline(start), None);
    }

    #[test]
    fn a_camera_is_asked_at_its_own_pace_though_its_machine_begins_and_ends_a_presentation() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let presented = (PICTURE.0, Layer::Presentation);
        let mut wishes = KeyFrames::default();
        for picture in [PICTURE, presented] {
            wishes.wish(picture, start);
        }
        assert_eq!(wishes.due(start), [PICTURE, presented]);
        wishes.forget(PICTURE.0, Side::Presentation);
        assert_eq!(wishes.due(at(499)), [], "the pace goes on");
        assert_eq!(wishes.due(at(500)), [PICTURE], "and so does the wish");

        wishes.wish(presented, at(600));
        wishes.forget(PICTURE.0, Side::Uplink);
        assert_eq!(wishes.due(at(1_000)), [presented]);
    }
}
