//! How a camera's pictures flow: frames a second, and how often they stand still.

use crate::engine::Layer;
use std::time::{Duration, Instant};

/// The picture stood still when a frame took longer than the mean by this, and longer than three of them: `freezeCount`
/// of W3C's webrtc-stats.
const STANDS_BEYOND: Duration = Duration::from_millis(150);
const STANDS_TIMES: u32 = 3;
/// Frames whose mean is taken.
const MEAN_OF: u32 = 30;
/// Readings, of a second each, that the freezes are counted over.
const WINDOW: usize = 10;

/// The layers of one camera.
#[derive(Debug, Default)]
pub struct Pictures {
    layers: [Flow; 3],
    /// Freezes of the last readings, the oldest at `next`.
    freezes: [u16; WINDOW],
    next: usize,
    /// The last reading found everything standing, and counted it.
    stands: bool,
}

#[derive(Debug, Default)]
struct Flow {
    frames: u32,
    freezes: u16,
    last: Option<Instant>,
    mean: Duration,
}

impl Pictures {
    /// A frame of a layer is whole.
    pub fn frame(&mut self, layer: Layer, now: Instant) {
        self.layers[place(layer)].frame(now);
    }

    /// The camera begins anew: there is no gap to what was before.
    pub fn forget(&mut self) {
        self.layers = Default::default();
        self.stands = false;
    }

    /// Frames of the best layer since the last reading, and the freezes of the last ten; begins the next.
    pub fn read(&mut self, now: Instant) -> (u32, u16) {
        let stands = !self.layers.iter().any(|layer| layer.flows(now))
            && self.layers.iter().any(|layer| layer.last.is_some());
        let best = self.layers.iter().rev().find(|layer| layer.frames > 0);
        let (frames, ended) = best.map_or((0, 0), |layer| (layer.frames, layer.freezes));
        // One that lasts is counted when it is seen, and not again when a frame ends it.
        let counted = u16::from(self.stands && ended > 0);
        let begun = u16::from(stands && !(self.stands && frames == 0));
        self.freezes[self.next] = ended - counted + begun;
        self.next = (self.next + 1) % WINDOW;
        self.stands = stands;
        for layer in &mut self.layers {
            (layer.frames, layer.freezes) = (0, 0);
        }
        (frames, self.freezes.iter().sum())
    }
}

impl Flow {
    fn frame(&mut self, now: Instant) {
        self.frames += 1;
        let Some(last) = self.last.replace(now) else {
            return;
        };
        let gap = now.saturating_duration_since(last);
        if self.mean.is_zero() {
            self.mean = gap;
            return;
        }
        if gap > self.longest() {
            self.freezes = self.freezes.saturating_add(1);
        }
        self.mean = (self.mean * (MEAN_OF - 1) + gap) / MEAN_OF;
    }

    /// How long a frame may take before the picture stands still.
    fn longest(&self) -> Duration {
        (self.mean * STANDS_TIMES).max(self.mean + STANDS_BEYOND)
    }

    /// Whether its next frame is not late yet.
    fn flows(&self, now: Instant) -> bool {
        self.last
            .is_some_and(|last| now.saturating_duration_since(last) <= self.longest())
    }
}

fn place(layer: Layer) -> usize {
    match layer {
        Layer::Quarter => 0,
        Layer::Half => 1,
        Layer::Full | Layer::Presentation => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A camera and a clock in milliseconds.
    struct Film {
        seen: Pictures,
        start: Instant,
        ms: u64,
    }

    impl Film {
        fn new() -> Self {
            Self {
                seen: Pictures::default(),
                start: Instant::now(),
                ms: 0,
            }
        }

        /// Frames of these layers, 40 ms apart.
        fn run(mut self, layers: &[Layer], ms: u64) -> Self {
            for _ in 0..ms / 40 {
                self.ms += 40;
                for layer in layers {
                    let now = self.now();
                    self.seen.frame(*layer, now);
                }
            }
            self
        }

        fn stand(mut self, ms: u64) -> Self {
            self.ms += ms;
            self
        }

        fn read(&mut self) -> (u32, u16) {
            let now = self.now();
            self.seen.read(now)
        }

        fn now(&self) -> Instant {
            self.start + Duration::from_millis(self.ms)
        }
    }

    #[test]
    fn a_picture_that_flows_does_not_stand() {
        let mut film = Film::new().run(&Layer::ALL, 1_000);
        assert_eq!(film.read(), (25, 0));
    }

    #[test]
    fn a_gap_of_more_than_the_mean_and_150_ms_is_a_freeze() {
        let mut film = Film::new().run(&[Layer::Full], 600).stand(140);
        film = film.run(&[Layer::Full], 240);
        assert_eq!(film.read(), (21, 0), "180 ms between two frames");
        film = film.stand(200).run(&[Layer::Full], 400);
        assert_eq!(film.read().1, 1, "240 ms");
    }

    #[test]
    fn a_slow_picture_may_take_three_times_its_mean() {
        let mut seen = Pictures::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        for number in 0..5 {
            seen.frame(Layer::Half, at(number * 200));
        }
        seen.frame(Layer::Half, at(800 + 590));
        assert_eq!(seen.read(at(1_400)).1, 0);
        seen.frame(Layer::Half, at(1_390 + 700));
        assert_eq!(seen.read(at(2_100)).1, 1);
    }

    #[test]
    fn what_stands_for_long_is_one_freeze() {
        let mut film = Film::new().run(&[Layer::Full], 800).stand(300);
        assert_eq!(film.read(), (20, 1), "seen while it lasts");
        film = film.stand(1_000);
        assert_eq!(film.read(), (0, 1));
        film = film.stand(500).run(&[Layer::Full], 400);
        assert_eq!(film.read(), (10, 1), "and not again when it ends");
        film = film.stand(600).run(&[Layer::Full], 400);
        assert_eq!(film.read().1, 2, "the next is another");
    }

    #[test]
    fn freezes_are_forgotten_after_ten_readings() {
        let mut film = Film::new().run(&[Layer::Full], 400).stand(300);
        film = film.run(&[Layer::Full], 280);
        assert_eq!(film.read().1, 1);
        for second in 1..10 {
            film = film.run(&[Layer::Full], 1_000);
            assert_eq!(film.read().1, 1, "{second}");
        }
        film = film.run(&[Layer::Full], 1_000);
        assert_eq!(film.read().1, 0);
    }

    #[test]
    fn a_layer_the_sender_drops_is_no_freeze_of_what_flows_on() {
        let mut film = Film::new().run(&Layer::ALL, 1_000);
        film.read();
        film = film.run(&[Layer::Quarter, Layer::Half], 1_000);
        assert_eq!(film.read(), (25, 0));
    }

    #[test]
    fn who_sends_no_picture_has_none_that_stands() {
        let mut film = Film::new().stand(5_000);
        assert_eq!(film.read(), (0, 0));
        film = film.run(&[Layer::Full], 400);
        film.read();
        film.seen.forget();
        film = film.stand(5_000).run(&[Layer::Full], 400);
        assert_eq!(film.read(), (10, 0), "the uplink was made anew");
    }
}
