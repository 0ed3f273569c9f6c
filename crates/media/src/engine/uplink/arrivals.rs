//! When each packet arrived, told to the sender by the packet's running number over all of its streams
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01): from it the sender learns what its way bears.

use std::time::{Duration, Instant};

/// How often the sender hears of it.
const INTERVAL: Duration = Duration::from_millis(50);
/// Packets of which one report can tell; more than the driver lets come in an interval.
const NUMBERS: u64 = 512;
/// With so many to tell of the report does not wait.
const MANY: u64 = 400;
/// A unit of the reported time, and the units of the reference that stands before them.
const TICK_US: u128 = 250;
const TICKS_OF_REFERENCE: u64 = 256;
/// The longest run a chunk holds.
const RUN_MAX: usize = 0x1fff;
/// Statuses in a chunk that names each: in one bit, and in two.
const ONE_BIT: usize = 14;
const TWO_BITS: usize = 7;

/// What is told of a packet: it did not come, came shortly after the one before, or at another time.
const LOST: u8 = 0;
const SHORT: u8 = 1;
const LONG: u8 = 2;

pub struct Arrivals {
    epoch: Instant,
    /// The tick of each number's arrival, by its remainder; none is 0.
    ticks: Box<[u64; NUMBERS as usize]>,
    newest: Option<u64>,
    /// The first number the next report is about; `None` if there is nothing new to tell.
    from: Option<u64>,
    /// The first number after the last report.
    next: u64,
    /// Packets that came since.
    untold: u64,
    reported: Option<Instant>,
    reports: u8,
    due: Option<Instant>,
}

impl Arrivals {
    /// All times are counted from `epoch`.
    pub fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            ticks: Box::new([0; NUMBERS as usize]),
            newest: None,
            from: None,
            next: 0,
            untold: 0,
            reported: None,
            reports: 0,
            due: None,
        }
    }

    /// A packet came.
    pub fn came(&mut self, running: u16, now: Instant) {
        let Some(newest) = self.newest else {
            // Numbers begin high enough for one that is late.
            let number = u64::from(running) + 0x1_0000;
            (self.newest, self.next) = (Some(number), number);
            return self.note(number, now);
        };
        let ahead = running.wrapping_sub(newest as u16) as i16;
        let Some(number) = newest.checked_add_signed(ahead.into()) else {
            return;
        };
        if number > newest {
            let skipped = (newest + 1..=number).rev().take(NUMBERS as usize);
            skipped.for_each(|number| self.put(number, 0));
            self.newest = Some(number);
        }
        let is_old = newest >= number + NUMBERS;
        if !is_old && self.tick_of(number) == 0 {
            self.note(number, now);
        }
    }

    /// When the next report is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// The report that is due, about packets of the stream `media`; there may be one more.
    pub fn report(&mut self, sender: u32, media: u32, now: Instant) -> Option<Vec<u8>> {
        self.due.filter(|due| *due <= now)?;
        let (Some(from), Some(newest)) = (self.from, self.newest) else {
            self.due = None;
            return None;
        };
        // What was lost since the last report is told too.
        let from = from.min(self.next).max(newest.saturating_sub(NUMBERS - 1));
        let (reference, statuses, deltas) = self.statuses(from, newest);
        let next = from + statuses.len() as u64;
        (self.from, self.next) = ((next <= newest).then_some(next), next.max(self.next));
        if self.from.is_none() {
            (self.due, self.reported, self.untold) = (None, Some(now), 0);
        }
        let mut packet = vec![0x80 | 15, 205, 0, 0];
        packet.extend(sender.to_be_bytes());
        packet.extend(media.to_be_bytes());
        packet.extend((from as u16).to_be_bytes());
        packet.extend((statuses.len() as u16).to_be_bytes());
        packet.extend(&(reference as u32).to_be_bytes()[1..]);
        packet.push(self.reports);
        self.reports = self.reports.wrapping_add(1);
        write_chunks(&statuses, &mut packet);
        packet.extend(deltas);
        packet.resize(packet.len().next_multiple_of(4), 0);
        let words = (packet.len() / 4 - 1) as u16;
        packet[2..4].copy_from_slice(&words.to_be_bytes());
        Some(packet)
    }

    fn note(&mut self, number: u64, now: Instant) {
        let passed = now.saturating_duration_since(self.epoch).as_micros();
        self.put(number, (passed / TICK_US) as u64 + 1);
        self.from = Some(self.from.map_or(number, |from| from.min(number)));
        self.untold += 1;
        let due = match self.reported {
            Some(at) if self.untold < MANY => (at + INTERVAL).max(now),
            Some(_) | None => now,
        };
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }

    /// The reference time, and the status and the time of each packet: up to the newest, or to one whose time is too far
    /// from the one before.
    fn statuses(&self, from: u64, newest: u64) -> (u64, Vec<u8>, Vec<u8>) {
        let numbers = from..=newest;
        let first = numbers.clone().map(|number| self.tick_of(number));
        let first = first.into_iter().find(|tick| *tick != 0).unwrap_or(0);
        let reference = first / TICKS_OF_REFERENCE;
        let mut before = reference * TICKS_OF_REFERENCE;
        let (mut statuses, mut deltas) = (vec![], vec![]);
        for number in numbers {
            let tick = self.tick_of(number);
            if tick == 0 {
                statuses.push(LOST);
                continue;
            }
            let delta = tick as i64 - before as i64;
            if let Ok(short) = u8::try_from(delta) {
                statuses.push(SHORT);
                deltas.push(short);
            } else if let Ok(long) = i16::try_from(delta) {
                statuses.push(LONG);
                deltas.extend(long.to_be_bytes());
            } else {
                break;
            }
            before = tick;
        }
        (reference, statuses, deltas)
    }

    fn tick_of(&self, number: u64) -> u64 {
        self.ticks[(number % NUMBERS) as usize]
    }

    fn put(&mut self, number: u64, tick: u64) {
        self.ticks[(number % NUMBERS) as usize] = tick;
    }
}

/// The statuses in as few chunks as is simply said (section 3.1.2 and the two after it).
fn write_chunks(mut statuses: &[u8], packet: &mut Vec<u8>) {
    while let [status, ..] = statuses {
        let run = statuses.iter().take_while(|other| *other == status).count();
        let fits = |count: usize| &statuses[..count.min(statuses.len())];
        let (chunk, taken) = if run > ONE_BIT || run == statuses.len() {
            let run = run.min(RUN_MAX);
            (u16::from(*status) << 13 | run as u16, run)
        } else if fits(ONE_BIT).iter().all(|status| *status != LONG) {
            (0x8000 | symbols(fits(ONE_BIT), 1), ONE_BIT)
        } else {
            (0xc000 | symbols(fits(TWO_BITS), 2), TWO_BITS)
        };
        packet.extend(chunk.to_be_bytes());
        statuses = statuses.get(taken..).unwrap_or_default();
    }
}

/// Statuses of so many bits each, from the highest of 14 on.
fn symbols(statuses: &[u8], bits: usize) -> u16 {
    let place = |at: usize| ONE_BIT - bits * (at + 1);
    let each = statuses.iter().enumerate();
    each.fold(0, |word, (at, status)| {
        word | u16::from(*status) << place(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
        PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
    };
    use std::collections::BTreeMap;

    /// What the library reads in a report: the arrival of each number in quarters of a millisecond, and those lost.
    fn read(report: &[u8]) -> (BTreeMap<u16, i64>, Vec<u16>) {
        let packets = rtc::rtcp::packet::unmarshal(&mut &report[..]).unwrap();
        assert_eq!(packets.len(), 1);
        let read: &TransportLayerCc = packets[0].as_any().downcast_ref().unwrap();
        assert_eq!((read.sender_ssrc, read.media_ssrc), (1, 7));
        let mut symbols = vec![];
        for chunk in &read.packet_chunks {
            match chunk {
                PacketStatusChunk::RunLengthChunk(run) => {
                    symbols.extend(vec![run.packet_status_symbol; run.run_length.into()])
                }
                PacketStatusChunk::StatusVectorChunk(vector) => {
                    symbols.extend(&vector.symbol_list);
                }
            }
        }
        symbols.truncate(read.packet_status_count.into());
        assert_eq!(symbols.len(), usize::from(read.packet_status_count));
        let mut deltas = read.recv_deltas.iter();
        let mut at = i64::from(read.reference_time) * 256;
        let (mut came, mut lost) = (BTreeMap::new(), vec![]);
        for (place, symbol) in (0_u16..).zip(symbols) {
            let number = read.base_sequence_number.wrapping_add(place);
            if symbol == SymbolTypeTcc::PacketNotReceived {
                lost.push(number);
                continue;
            }
            at += deltas.next().unwrap().delta / 250;
            came.insert(number, at);
        }
        assert_eq!(deltas.next(), None);
        (came, lost)
    }

    fn reports(arrivals: &mut Arrivals, now: Instant) -> Vec<(BTreeMap<u16, i64>, Vec<u16>)> {
        let reports = std::iter::from_fn(|| arrivals.report(1, 7, now));
        reports.map(|report| read(&report)).collect()
    }

    #[test]
    fn the_library_reads_when_each_packet_came_and_which_did_not() {
        let start = Instant::now();
        let at = |us| start + Duration::from_micros(us);
        let mut arrivals = Arrivals::new(start);
        let (mut sent, mut seed) = (BTreeMap::new(), 1_u32);
        let (mut told, mut lost) = (BTreeMap::new(), vec![]);
        let mut us = 1_000_000;
        for number in 65_000..68_000_u32 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            us += u64::from(seed >> 20) * if seed % 64 == 0 { 100 } else { 1 };
            // Runs of losses, single ones, and pairs that change places.
            if seed % 11 == 0 || number % 500 < 30 {
                continue;
            }
            let number = if number % 50 > 47 { number ^ 1 } else { number } as u16;
            arrivals.came(number, at(us));
            sent.insert(number, us as i64 / 250);
            for (came, missing) in reports(&mut arrivals, at(us)) {
                told.extend(came);
                lost.extend(missing);
            }
        }
        for (came, missing) in reports(&mut arrivals, at(us) + INTERVAL) {
            told.extend(came);
            lost.extend(missing);
        }
        assert_eq!(told.len(), sent.len());
        for (number, tick) in &sent {
            let off = told[number] - tick;
            assert!((0..=1).contains(&off), "{number}: {off} ticks off");
        }
        // Lost, or told as such before its late arrival.
        assert!(lost.len() > 300, "{}", lost.len());
        let late = lost.iter().filter(|number| sent.contains_key(number));
        assert!(late.count() < 60);
    }

    #[test]
    fn a_report_is_due_an_interval_after_the_last_and_sooner_if_there_is_much() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut arrivals = Arrivals::new(start);
        assert_eq!(arrivals.deadline(), None);
        arrivals.came(5, at(3));
        assert_eq!(arrivals.deadline(), Some(at(3)));
        assert_eq!(arrivals.report(1, 7, at(2)), None);
        assert_eq!(reports(&mut arrivals, at(3)).len(), 1);
        assert_eq!(arrivals.deadline(), None);
        arrivals.came(6, at(4));
        assert_eq!(arrivals.deadline(), Some(at(53)));
        for number in 0..NUMBERS as u16 {
            arrivals.came(7 + number, at(5));
        }
        assert_eq!(arrivals.deadline(), Some(at(5)));
        assert_eq!(reports(&mut arrivals, at(5)).len(), 1);
        // Nobody makes us say more by jumping about.
        for number in [20_000, 40_000, 39_500, 1] {
            arrivals.came(number, at(6));
            assert_eq!(arrivals.deadline(), Some(at(55)));
        }
    }

    #[test]
    fn a_packet_that_is_late_is_told_after_its_loss_was() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        arrivals.came(1, start);
        arrivals.came(3, start);
        let first = reports(&mut arrivals, start);
        assert_eq!(first[0].1, [2]);
        arrivals.came(2, start + INTERVAL);
        arrivals.came(2, start + INTERVAL);
        let second = reports(&mut arrivals, start + INTERVAL);
        let told: Vec<u16> = second[0].0.keys().copied().collect();
        assert_eq!(
            (second.len(), told),
            (1, vec![2, 3]),
            "it and what came since"
        );
    }

    #[test]
    fn a_jump_and_a_long_pause_cost_little_and_are_told_in_parts() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        for n in 0..1_000_u16 {
            arrivals.came(n.wrapping_mul(30_011), start);
        }
        let told = reports(&mut arrivals, start + INTERVAL);
        let (came, lost) = &told[0];
        assert!(told.len() == 1 && came.len() + lost.len() <= NUMBERS as usize);

        let mut arrivals = Arrivals::new(start);
        for (number, second) in [(1, 0), (2, 9), (3, 20)] {
            arrivals.came(number, start + Duration::from_secs(second));
        }
        let told = reports(&mut arrivals, start + Duration::from_secs(20));
        assert_eq!(told.len(), 3);
        let ticks: Vec<i64> = told
            .iter()
            .flat_map(|(came, _)| came.values().copied())
            .collect();
        assert_eq!((ticks[1] - ticks[0], ticks[2] - ticks[0]), (36_000, 80_000));
    }
}
