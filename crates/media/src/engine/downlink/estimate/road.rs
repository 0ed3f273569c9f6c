//! What a road bears, from what became of what was sent over it, window by window: pure.
//!
//! Packets wait, or are lost, for three reasons: what we send is too much, what others send is, or the road is so by
//! itself. Only the first gets better by sending less, so only then less is sent. What was sent tells nothing of what could
//! have been: a window in which little was sent lowers no figure (RFC 7661 calls its sender rate-limited, WebRTC's
//! congestion control the application-limited region), unless clearly less arrives than even that. And loss that is the
//! same after less was sent was not ours.

use super::Shortest;
use std::time::{Duration, Instant};

/// Where a limit is forgotten, and what is told before anything is known: thirteen full pictures.
pub const START_BPS: f64 = 20_000_000.0;
/// A road that was full of more than that forgets its limit only where it has grown to so many times as much: it could be
/// tried all that is asked for long before, and a queue takes seconds to fill.
const FORGOTTEN: f64 = 10.0;
/// Below what sound needs: nothing is sent then.
const LEAST_BPS: f64 = 24_000.0;
/// Sound is the last to go: no figure is less because of what else was sent.
const VOICE_BPS: f64 = crate::engine::VOICE_BPS as f64;
/// Who sends no more than this, or of a picture no more than that, sends nothing but voices: a lower figure would change
/// nothing.
const SOUND_MOST_BPS: f64 = 1.5 * VOICE_BPS;
const PICTURE_LEAST_BPS: f64 = 0.5 * VOICE_BPS;
/// Where sound itself waits and less than this part of it arrives, most of it is no sound any more.
const SOUND_PART: f64 = 0.4;
/// A voice and the smallest picture: what a link is tried with when nothing tells any more whether it has become better.
const TRIAL_BPS: f64 = 170_000.0;
/// Who sends less than this part of what the road is known to bear cannot have filled it.
const USED: f64 = 0.7;
/// Who sends less than that fills the road all the same, if what does not arrive of it while the link is full comes to so
/// many windows. Others who come and go make packets wait by less than that, and lose fewer of them than this part.
const SHORT_MAX: f64 = 2.0;
const SHORT_FREE: f64 = 0.05;
/// Of what was sent, so much less must a client think its road bears that it means less.
const TOLD_LESS: f64 = 0.9;
/// Where packets are lost, who sends more than so many times what the road has borne of late tries more.
const TRIED: f64 = 1.1;
/// Waiting on the way beyond the shortest seen, in microseconds: more than a jittery radio link or a client that is
/// short of processor time makes.
const QUEUE_MAX_US: i64 = 300_000;
/// Windows in a row that must say the same before it is believed: a client that stood still for a moment is no full link.
const BELIEVED: u32 = 3;
/// What arrived in the best of so many windows is what the link bears: after a moment's stand the rest comes at once.
const WINDOWS: usize = 4;
/// Of them the last so many, where packets are lost: those before may be of before the trouble.
const WINDOWS_OF_LOSS: usize = 2;
/// Loss beyond what a bad radio link has by itself, and beyond what this road is known to have: the link is full.
const LOSS_MAX: f64 = 0.15;
const LOSS_MORE: f64 = 0.1;
/// Of few packets a larger part is lost by chance. So many standard deviations are no chance in windows in a row, and so
/// many not in `LONG` windows together, which see less loss.
const CHANCE: f64 = 2.0;
const CHANCE_LONG: f64 = 4.0;
const LONG: usize = 8;
/// Of what arrived, so much is used after a full link, so that what waits can drain.
const AFTER_QUEUE: f64 = 0.85;
const AFTER_LOSS: f64 = 0.95;
/// How fast the figure grows again, a second.
const GROWTH: f64 = 0.08;
/// How long it stays after the first full link, and after many in a row.
const PATIENCE_LEAST: Duration = Duration::from_secs(2);
const PATIENCE_MOST: Duration = Duration::from_secs(60);
/// Where packets wait so soon after the figure began to grow, more was tried, however little more: a queue takes seconds to
/// fill.
const TRIAL: Duration = Duration::from_secs(30);
/// So much less must be sent before loss is compared, and so much of it must remain to be the road's.
const CLEARLY_LESS: f64 = 0.8;
const SAME_LOSS: f64 = 0.6;
/// Windows it is compared over, after one that holds some of both.
const COMPARED: u32 = 3;
/// Where less was asked for and not less is sent, nothing can be compared.
const DOUBT_LIFETIME: Duration = Duration::from_secs(3);
/// A road that loses more than this is not one to send a picture over, whoever's fault it is.
const ROAD_LOSS_MOST: f64 = 0.45;
/// For so long a road is believed to lose by itself what it lost; then it is asked again.
const ROAD_LOSS_LIFETIME: Duration = Duration::from_secs(300);

/// What became of what was sent for a while.
pub struct Seen {
    /// Bits a second as they left, and as they arrived.
    pub sent: f64,
    pub delivered: f64,
    /// What of the sent was pictures.
    pub pictures: f64,
    pub packets: u32,
    pub lost: u32,
    /// How much longer than the shortest way the packets were on it.
    pub queue_us: i64,
}

pub struct Road {
    /// Its limit, if it has shown one.
    bps: f64,
    /// What the limit must grow to until it is forgotten.
    forgotten_bps: f64,
    /// Bits a second that arrived in the last windows, the newest last.
    delivered: [f64; WINDOWS],
    /// The most that was sent of late and arrived.
    borne: Shortest,
    /// Windows in a row that spoke of a full link.
    full_windows: u32,
    /// What was sent in them and did not arrive, counted in windows.
    short: f64,
    /// The packets of the last windows since the figure changed, and how many were lost; the newest last.
    told: [(u32, u32); LONG],
    /// Windows in a row in which nothing but voices was sent.
    alone: usize,
    /// Packets wait on the way, or have been lost for so long that it is believed.
    full: bool,
    /// A full link has become free again since it was last asked.
    eased: bool,
    hold_until: Option<Instant>,
    patience: Duration,
    grown_at: Option<Instant>,
    doubt: Option<Doubt>,
    /// What the road loses by itself, and when that was found.
    loses: Option<(f64, Instant)>,
}

/// Less was sent because of loss: whose is it? What was before comes back if it is the road's.
struct Doubt {
    since: Instant,
    sent: f64,
    loss: f64,
    bps: f64,
    hold_until: Option<Instant>,
    patience: Duration,
    /// Windows since less was sent, their packets but the first's, and how many of those were lost.
    windows: u32,
    packets: u32,
    lost: u32,
}

enum Answer {
    NotYet,
    Ours,
    TheRoads(f64),
}

impl Seen {
    /// Whether nothing but voices was sent.
    fn is_sound(&self) -> bool {
        self.sent <= SOUND_MOST_BPS || self.pictures <= PICTURE_LEAST_BPS
    }
}

impl Road {
    pub fn new() -> Self {
        Self {
            bps: START_BPS,
            forgotten_bps: START_BPS,
            delivered: [0.0; WINDOWS],
            borne: Shortest::default(),
            full_windows: 0,
            short: 0.0,
            told: [(0, 0); LONG],
            alone: 0,
            full: false,
            eased: false,
            hold_until: None,
            patience: PATIENCE_LEAST,
            grown_at: None,
            doubt: None,
            loses: None,
        }
    }

    /// What may be sent; `None` while the road has shown no limit, or has grown out of it.
    pub fn limit(&self) -> Option<f64> {
        self.hold_until.map(|_| self.bps)
    }

    /// Whether the link has more to carry than it can, by the last judgement.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Whether a link that had lost what it could not carry has room again, once.
    pub fn take_eased(&mut self) -> bool {
        std::mem::take(&mut self.eased)
    }

    /// Nothing is sent, so what was known grows old, and the next thing sent may be a trial.
    pub fn idle(&mut self, now: Instant) {
        if self.hold_until.is_none_or(|until| now >= until) {
            self.bps = self.bps.max(TRIAL_BPS);
            self.good(now);
        }
    }

    pub fn judge(&mut self, seen: &Seen, now: Instant) {
        self.delivered.rotate_left(1);
        self.delivered[WINDOWS - 1] = seen.delivered;
        let waits = seen.queue_us > QUEUE_MAX_US;
        self.told.rotate_left(1);
        self.told[LONG - 1] = (seen.packets, seen.lost);
        self.alone = match seen.is_sound() {
            true => self.alone.saturating_add(1),
            false => 0,
        };
        let is_asking = self.ask_whose_loss(seen, waits, now);
        let is_lossy_long = self.is_lossy(LONG, CHANCE_LONG, now);
        if !waits && !is_lossy_long && !self.is_lossy(1, CHANCE, now) {
            return self.free(seen, now);
        }
        self.full_windows += 1;
        let short = 1.0 - seen.delivered / seen.sent.max(1.0);
        self.short = (self.short + short - SHORT_FREE).max(0.0);
        if is_lossy_long {
            self.full_windows = self.full_windows.max(BELIEVED);
        }
        self.full = waits || self.full_windows >= BELIEVED;
        if self.full_windows < BELIEVED || is_asking {
            return;
        }
        if seen.is_sound() {
            self.sound_alone(seen, waits, now);
        } else if self.is_used(seen) {
            match waits {
                true => self.lower(self.arrived_of(WINDOWS) * AFTER_QUEUE, seen.sent, true, now),
                false => self.lower_for_loss(seen, now),
            }
        }
    }

    /// The client says what it thinks the road bears, while so much was sent. It knows no more than what it got, so only less
    /// than that says something.
    pub fn client_thinks(&mut self, bears: f64, sent: f64, now: Instant) {
        if sent > SOUND_MOST_BPS && bears < TOLD_LESS * sent {
            self.lower(bears, sent, true, now);
        }
    }

    fn free(&mut self, seen: &Seen, now: Instant) {
        self.full = false;
        self.eased |= self.full_windows >= BELIEVED;
        self.full_windows = 0;
        self.short = 0.0;
        // Kept as the least of negative figures, which is the most.
        let bits = seen.sent.min(seen.delivered) as i64;
        self.borne.saw(-bits, now);
        self.good(now);
    }

    /// Whether in so many windows more was lost than the road loses by itself, and more than chance makes of their packets.
    fn is_lossy(&self, windows: usize, chance: f64, now: Instant) -> bool {
        let is_young = |at| now.saturating_duration_since(at) < ROAD_LOSS_LIFETIME;
        let known = self.loses.filter(|(_, at)| is_young(*at));
        let known = known.map_or(0.0, |(loss, _)| loss + LOSS_MORE);
        let part = LOSS_MAX.max(known);
        let (packets, lost) = self.told(windows);
        lost > packets * part + chance * (packets * part * (1.0 - part)).sqrt()
    }

    /// The packets of the last windows, and how many of them were lost.
    fn told(&self, windows: usize) -> (f64, f64) {
        let newest = self.told.iter().rev().take(windows);
        let (packets, lost) = newest.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (f64::from(packets), f64::from(lost))
    }

    /// Whether so much was sent that it may have filled the road. What was borne before the trouble says nothing of a road
    /// that has become thin.
    fn is_used(&self, seen: &Seen) -> bool {
        seen.sent >= USED * self.bps.min(self.borne()) || self.short >= SHORT_MAX
    }

    fn borne(&self) -> f64 {
        self.borne.least().map_or(0.0, |bits| -bits as f64)
    }

    fn arrived_of(&self, windows: usize) -> f64 {
        let newest = self.delivered.iter().rev().take(windows);
        newest.copied().fold(0.0, f64::max)
    }

    /// Voices are sent, and nothing else that could be left out. They go on, unless they are themselves what waits, and
    /// most of them is lost: that is no sound any more, and keeps out the words of the page. What is lost of so little is the road's.
    fn sound_alone(&mut self, seen: &Seen, waits: bool, now: Instant) {
        let is_voice = seen.sent >= USED * VOICE_BPS;
        if waits && is_voice && self.arrived_of(WINDOWS) < SOUND_PART * seen.sent {
            self.hold(true, now);
            self.bps = LEAST_BPS;
        }
        if !waits && self.alone >= LONG {
            let (packets, lost) = self.told(LONG);
            let loss = (lost / packets.max(1.0)).min(ROAD_LOSS_MOST);
            self.loses = Some((loss, now));
        }
    }

    fn lower_for_loss(&mut self, seen: &Seen, now: Instant) {
        let (packets, lost) = self.told(WINDOWS_OF_LOSS);
        let doubt = Doubt {
            since: now,
            sent: seen.sent,
            loss: lost / packets.max(1.0),
            bps: self.bps,
            hold_until: self.hold_until,
            patience: self.patience,
            windows: 0,
            packets: 0,
            lost: 0,
        };
        let arrived = self.arrived_of(WINDOWS_OF_LOSS);
        let tries = seen.sent > TRIED * self.borne();
        self.lower(arrived * AFTER_LOSS, seen.sent, tries, now);
        self.doubt = Some(doubt);
    }

    /// The road bears less than so much that was sent.
    fn lower(&mut self, bears: f64, sent: f64, tries: bool, now: Instant) {
        // What has shown no limit may bear any amount.
        let limit = self.limit().unwrap_or_else(|| {
            self.forgotten_bps = START_BPS;
            f64::MAX
        });
        if sent > START_BPS {
            self.forgotten_bps = self.forgotten_bps.max(FORGOTTEN * sent);
        }
        self.hold(tries, now);
        self.bps = limit.min(bears.max(VOICE_BPS));
        self.forget_told();
    }

    /// The figure has changed: what was told before is not of it.
    fn forget_told(&mut self) {
        self.told = Default::default();
        self.short = 0.0;
    }

    /// The figure stays for a while: for longer, if more was tried than the road bears.
    fn hold(&mut self, tries: bool, now: Instant) {
        // What waits on the way drains for a while: the same trouble, not a new one.
        if self.hold_until.is_none_or(|until| now >= until) {
            let soon = tries && self.hold_until.is_some_and(|until| now < until + TRIAL);
            self.patience = match (soon, self.grown_at) {
                (true, Some(_)) => (self.patience * 2).min(PATIENCE_MOST),
                // The same trouble, which has not ended.
                (true, None) => self.patience,
                (false, _) => PATIENCE_LEAST,
            };
            self.hold_until = Some(now + self.patience);
        }
        self.grown_at = None;
    }

    /// Compares what is lost now with what was lost while more was sent; true while that is not known.
    fn ask_whose_loss(&mut self, seen: &Seen, waits: bool, now: Instant) -> bool {
        let Some(mut doubt) = self.doubt.take() else {
            return false;
        };
        match doubt.answer(seen, waits, now) {
            Answer::NotYet => {
                self.doubt = Some(doubt);
                true
            }
            Answer::Ours => {
                self.forget_told();
                false
            }
            Answer::TheRoads(loss) => {
                self.loses = Some((loss, now));
                self.bps = self.bps.max(doubt.bps);
                (self.hold_until, self.patience) = (doubt.hold_until, doubt.patience);
                (self.full_windows, self.grown_at) = (0, None);
                self.forget_told();
                false
            }
        }
    }

    fn good(&mut self, now: Instant) {
        let Some(until) = self.hold_until else { return };
        if now < until {
            return;
        }
        let last = self.grown_at.replace(now).unwrap_or(now);
        let passed = now.saturating_duration_since(last).as_secs_f64();
        self.bps = (self.bps * (1.0 + GROWTH * passed)).min(self.forgotten_bps);
        if self.bps >= self.forgotten_bps {
            (self.bps, self.forgotten_bps) = (START_BPS, START_BPS);
            self.hold_until = None;
        }
    }
}

impl Doubt {
    fn answer(&mut self, seen: &Seen, waits: bool, now: Instant) -> Answer {
        let is_old = now.saturating_duration_since(self.since) >= DOUBT_LIFETIME;
        let is_less = seen.sent <= CLEARLY_LESS * self.sent;
        if waits || (is_old && !is_less) {
            return Answer::Ours;
        }
        if !is_less {
            return Answer::NotYet;
        }
        if self.windows > 0 {
            self.packets += seen.packets;
            self.lost += seen.lost;
        }
        self.windows += 1;
        if self.windows <= COMPARED {
            return Answer::NotYet;
        }
        let loss = f64::from(self.lost) / f64::from(self.packets.max(1));
        match loss >= SAME_LOSS * self.loss && loss <= ROAD_LOSS_MOST {
            true => Answer::TheRoads(loss),
            false => Answer::Ours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_whose_loss_it_is_does_not_stay_open() {
        let (mut road, mut now) = (Road::new(), Instant::now());
        let mut judge = |road: &mut Road, sent: f64, lost: u32| {
            now += Duration::from_millis(250);
            let seen = Seen {
                sent,
                delivered: sent * (1.0 - f64::from(lost) / 100.0),
                pictures: sent,
                packets: 100,
                lost,
                queue_us: 0,
            };
            road.judge(&seen, now);
            road.limit().unwrap_or(START_BPS)
        };
        for _ in 0..8 {
            judge(&mut road, 2e6, 0);
        }
        let lowered = (0..20)
            .map(|_| judge(&mut road, 2e6, 40))
            .find(|bps| *bps < START_BPS)
            .unwrap_or(START_BPS);
        assert!(lowered < START_BPS, "so much is lost");
        // Less for a moment only: it cannot be compared.
        judge(&mut road, 1e6, 40);
        let later = (0..40).map(|_| judge(&mut road, 2e6, 60));
        assert!(later.last().is_some_and(|bps| bps < lowered));
    }
}
