//! How much a client may tell. Of arrivals few bytes speak of thousands of packets, and each of these costs a step; of anything
//! four bytes are a report, for which the library makes room three times. Looked at before the library reads it, for that keeps
//! what is announced before it looks whether it is there.

use super::estimate::REMEMBERED;
use std::time::Instant;

/// Packets a client may speak of in a second, each as often as it does. A full downlink is 2,500 packets a second. A browser
/// that gets one that was sent again speaks anew of all since, up to half a second's, and it reports at most twenty times a
/// second: ten times each. More is a thousandth of the thread's time, whatever comes.
const A_SECOND: f64 = 65_536.0;
/// And so many at once: what came before a cut and behind it. No datagram costs more.
const AT_ONCE: f64 = 8_192.0;
/// Reports of a datagram that are read. Of each of fifteen pictures one may be wished and some of it missed; who says all in
/// one datagram adds what came, what arrived and what the road bears.
const REPORTS_MAX: usize = 40;

/// The kind and the format of a report of arrivals (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1).
const ARRIVALS: (u8, u8) = (205, 15);
/// Where its count stands, and where its chunks begin.
const COUNT_AT: usize = 14;
const CHUNKS_AT: usize = 20;
/// The most statuses in a chunk that names each; reading one costs as much.
const CHUNK_STATUSES: usize = 14;

/// What a client has told of lately.
#[derive(Default)]
pub struct Statuses {
    taken: f64,
    at: Option<Instant>,
}

impl Statuses {
    /// The reports of a datagram that say something here, without those of arrivals that are hollow, and no more than may be.
    pub fn sift(&mut self, datagram: &[u8], now: Instant) -> Vec<u8> {
        let passed = self.at.replace(now);
        let passed = passed.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.taken = (self.taken - passed * A_SECOND).max(0.0);
        let (mut kept, mut rest) = (Vec::with_capacity(datagram.len()), datagram);
        let mut room = REPORTS_MAX;
        while let Some((report, behind)) = first(rest) {
            rest = behind;
            if room > 0 && self.takes(report) {
                room -= 1;
                kept.extend_from_slice(report);
            }
        }
        // What is no report makes the library refuse the whole, as it always did.
        kept.extend_from_slice(rest);
        kept
    }

    fn takes(&mut self, report: &[u8]) -> bool {
        match kind(report) {
            Some(ARRIVALS) => {}
            Some(kind) => return is_heard(kind),
            None => return false,
        }
        let Some(statuses) = statuses(report) else {
            return false;
        };
        let taken = self.taken + statuses as f64;
        let fits = taken <= AT_ONCE;
        if fits {
            self.taken = taken;
        }
        fits
    }
}

/// The first report (RFC 3550, 6.4.1), and what stands behind it.
fn first(datagram: &[u8]) -> Option<(&[u8], &[u8])> {
    let words = u16::from_be_bytes([*datagram.get(2)?, *datagram.get(3)?]);
    datagram.split_at_checked(4 + 4 * usize::from(words))
}

fn kind(report: &[u8]) -> Option<(u8, u8)> {
    Some((*report.get(1)?, report.first()? & 0x1f))
}

/// What else is heard: what came (RFC 3550, 6.4.2), what is missing (RFC 4585, 6.2.1), which picture is wished (RFC 4585,
/// 6.3.1, and RFC 5104, 4.3.1), and what the road bears (draft-alvestrand-rmcat-remb-03).
fn is_heard(kind: (u8, u8)) -> bool {
    matches!(kind, (201, _) | (205, 1) | (206, 1 | 4 | 15))
}

/// How many packets a report of arrivals speaks of, as far as we look; `None` if it has no room for the times of those that
/// it says have arrived, or repeats a status not even once.
fn statuses(report: &[u8]) -> Option<usize> {
    let count = report.get(COUNT_AT..COUNT_AT + 2)?.try_into().ok()?;
    let count = usize::from(u16::from_be_bytes(count));
    let (mut told, mut chunks, mut times) = (0, 0, 0);
    let mut rest = report.get(CHUNKS_AT..)?;
    while told < count {
        let (chunk, behind) = rest.split_first_chunk()?;
        rest = behind;
        let (statuses, bytes) = chunk_of(u16::from_be_bytes(*chunk), count - told)?;
        (told, chunks, times) = (told + statuses, chunks + 1, times + bytes);
    }
    // The library takes the last time also if its second byte is missing.
    (times <= rest.len() + 1).then(|| count.min(REMEMBERED).max(chunks * CHUNK_STATUSES))
}

/// Of how many packets a chunk tells, of so many that are left, and how many bytes the times of those that arrived take.
fn chunk_of(chunk: u16, left: usize) -> Option<(usize, usize)> {
    if chunk & 0x8000 == 0 {
        let run = usize::from(chunk & 0x1fff).min(left);
        let bytes = run * bytes_of(chunk >> 13);
        return (run > 0).then_some((run, bytes));
    }
    if chunk & 0x4000 == 0 {
        let arrived = (chunk & 0x3fff).count_ones();
        return Some((CHUNK_STATUSES, arrived as usize));
    }
    let symbols = (0..7).map(|place| bytes_of(chunk >> (2 * place) & 3));
    Some((7, symbols.sum()))
}

/// How long the time of a packet of this status is.
fn bytes_of(symbol: u16) -> usize {
    match symbol {
        1 => 1,
        2 => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtc::rtcp::packet::unmarshal;

    fn report(count: u16, chunks: &[u16], behind: usize) -> Vec<u8> {
        let mut report = vec![0x8f, 205, 0, 0];
        report.extend([0; 10]);
        report.extend(count.to_be_bytes());
        report.extend([0; 4]);
        report.extend(chunks.iter().flat_map(|chunk| chunk.to_be_bytes()));
        report.resize((report.len() + behind).next_multiple_of(4), 1);
        let words = (report.len() / 4 - 1) as u16;
        report[2..4].copy_from_slice(&words.to_be_bytes());
        report
    }

    #[test]
    fn what_announces_more_than_it_brings_is_left_out() {
        let (now, mut told) = (Instant::now(), Statuses::default());
        let honest = report(3, &[0x2003], 3);
        let wish = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
        // Eight times 8,191 packets that arrived, and of none of them when.
        let hollow = report(65_528, &[0x3fff; 8], 4);
        let (nothing, short) = (report(9, &[0x2000; 200], 4), report(9, &[], 0));
        let datagram = [&hollow[..], &honest, &nothing, &wish, &short].concat();
        let kept = told.sift(&datagram, now);
        assert_eq!(kept, [&honest[..], &wish].concat());
        // What ends in the middle is refused as a whole, so it is left as it is.
        assert_eq!(told.sift(&wish[..9], now), wish[..9]);
    }

    #[test]
    fn what_says_nothing_here_costs_nothing() {
        let mut told = Statuses::default();
        let mut sift = |datagram: &[u8]| told.sift(datagram, Instant::now());
        let hollow = [0x80, 204, 0, 0];
        let wish = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
        let names = [0x81, 202, 0, 1, 0, 0, 0, 1];
        let extended = [0x80, 207, 0, 2, 0, 0, 0, 1, 9, 0, 0, 0];
        let mixed = [&hollow.repeat(200)[..], &names, &wish, &extended].concat();
        assert_eq!(sift(&mixed), wish);
        assert_eq!(sift(&hollow.repeat(490)), []);
        assert_eq!(sift(&wish.repeat(170)), wish.repeat(REPORTS_MAX));
        let none = report(0, &[], 4);
        assert_eq!(sift(&none.repeat(80)), none.repeat(REPORTS_MAX));
    }

    proptest! {
        #[test]
        fn what_the_library_reads_and_speaks_of_a_packet_is_kept(
            count in 0..200_u16,
            chunks in proptest::collection::vec(prop_oneof![any::<u16>(), 1..9_u16, 0x2001..0x2009_u16, 0x4001..0x4009_u16], 0..20),
            behind in 1..80_usize,
        ) {
            let report = report(count, &chunks, behind);
            let runs_of_none = chunks.iter().any(|chunk| chunk & 0x9fff == 0);
            if unmarshal(&mut &report[..]).is_ok() && !runs_of_none {
                prop_assert!(statuses(&report).is_some());
            }
        }
    }
}
