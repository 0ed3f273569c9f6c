//! Reads what the other side protected, and refuses what is changed, repeated or of nobody known.

use super::parts::{Rtcp, Rtp};
use super::window::Window;
use super::{Cipher, Profile, RTCP_INDEX_MAX};
use crate::engine::wire::rtp::Header;
use std::time::{Duration, Instant};

/// Senders of RTCP whose numbers are remembered; a browser has one a stream it receives. Further ones are not read.
const RTCP_SENDERS_MAX: usize = 64;
/// Streams of RTP at a time: a sound and three layers, and as many again if the sender restarts them.
const STREAMS_MAX: usize = 8;
/// A further one takes the place of one that brought nothing for so long; until there is such, it is not read.
const SILENT: Duration = Duration::from_secs(10);
/// Streams that gave way. They never come back, for their packets could not be told from repeated ones: old words would
/// be heard again. When there are so many, no stream gives way any more.
const GONE_MAX: usize = 256;
/// A packet may come 4,096 packets late and is still opened. A key frame has more than the 64 that are usual, and one
/// that is sent again on a far road comes more than a hundred late.
const LATE_WORDS: usize = 64;
/// A first packet with a number below may have come behind a rollover: half of all numbers (RFC 3711, 3.3.1).
const ROLLED_BELOW: u16 = 1 << 15;

pub struct Opener {
    profile: Profile,
    rtp: Box<dyn Cipher>,
    streams: Vec<Incoming>,
    gone: Vec<u32>,
    rtcp: Box<dyn Cipher>,
    rtcp_seen: Vec<(u32, Window<1>)>,
}

/// A genuine packet that is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its running number, in which sequence numbers do not wrap.
    pub number: u64,
    /// None of its stream came that was sent later.
    pub is_newest: bool,
}

/// A stream that a genuine packet has shown.
struct Incoming {
    ssrc: u32,
    seen: Box<Window<LATE_WORDS>>,
    heard: Instant,
}

/// Where a stream stands among the others.
enum Place {
    Known(usize),
    New,
    InsteadOf(usize),
}

impl Opener {
    pub(super) fn new(profile: Profile, rtp: Box<dyn Cipher>, rtcp: Box<dyn Cipher>) -> Self {
        Self {
            profile,
            rtp,
            streams: vec![],
            gone: vec![],
            rtcp,
            rtcp_seen: vec![],
        }
    }

    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Makes a packet readable where it lies, all but its last `tag_bytes`. Nothing is remembered of one that is not
    /// genuine or not new.
    pub fn open_rtp(&mut self, packet: &mut [u8], header: &Header, now: Instant) -> Option<Opened> {
        let place = self.place(header.ssrc, now)?;
        let number = match place {
            Place::Known(at) => {
                let number = self.streams.get(at)?.number(header.seq)?;
                self.open_as(number, packet, header)?;
                number
            }
            Place::New | Place::InsteadOf(_) => self.open_first(packet, header)?,
        };
        let is_newest = self.came(&place, header.ssrc, number, now);
        Some(Opened { number, is_newest })
    }

    /// Opens the first packet that comes of a stream, and gives its running number. A low one may stand behind a rollover:
    /// its sender began shortly before it, and what it sent there was lost.
    fn open_first(&mut self, packet: &mut [u8], header: &Header) -> Option<u64> {
        let number = u64::from(header.seq);
        let may_have_rolled = header.seq < ROLLED_BELOW;
        let again = (may_have_rolled && self.profile.spoils()).then(|| packet.to_vec());
        if self.open_as(number, packet, header).is_some() {
            return Some(number);
        }
        if !may_have_rolled {
            return None;
        }
        if let Some(again) = again {
            packet.copy_from_slice(&again);
        }
        let number = number + (1 << 16);
        self.open_as(number, packet, header)?;
        Some(number)
    }

    /// Makes a packet readable if this is its running number.
    fn open_as(&mut self, number: u64, packet: &mut [u8], header: &Header) -> Option<()> {
        let packet = Rtp::of(packet, header.length, self.profile)?;
        self.rtp.open_rtp(packet, (number >> 16) as u32).ok()
    }

    /// Whether a stream was shown by a packet and has not given way.
    pub fn knows(&self, ssrc: u32) -> bool {
        self.streams.iter().any(|stream| stream.ssrc == ssrc)
    }

    fn place(&self, ssrc: u32, now: Instant) -> Option<Place> {
        if let Some(at) = self.streams.iter().position(|stream| stream.ssrc == ssrc) {
            return Some(Place::Known(at));
        }
        if self.gone.contains(&ssrc) {
            return None;
        }
        if self.streams.len() < STREAMS_MAX {
            return Some(Place::New);
        }
        let streams = self.streams.iter().enumerate();
        let (at, oldest) = streams.min_by_key(|(_, stream)| stream.heard)?;
        let is_silent = now.saturating_duration_since(oldest.heard) >= SILENT;
        (is_silent && self.gone.len() < GONE_MAX).then_some(Place::InsteadOf(at))
    }

    /// A genuine packet came; gives whether it is the newest of its stream.
    fn came(&mut self, place: &Place, ssrc: u32, number: u64, now: Instant) -> bool {
        if let Place::Known(at) = *place {
            let stream = self.streams.get_mut(at);
            return stream.is_some_and(|stream| {
                stream.seen.add(number);
                stream.heard = now;
                stream.seen.newest() == Some(number)
            });
        }
        if let Place::InsteadOf(at) = *place {
            self.gone.push(self.streams.remove(at).ssrc);
        }
        let mut seen = Box::new(Window::new());
        seen.add(number);
        self.streams.push(Incoming {
            ssrc,
            seen,
            heard: now,
        });
        true
    }

    /// Makes a packet readable where it lies, all but its last `rtcp_tail_bytes`.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Option<Opened> {
        let packet = Rtcp::of(packet, self.profile)?;
        let index = u32::from_be_bytes(*packet.word);
        if index <= RTCP_INDEX_MAX {
            // Not encrypted; nobody we talk to does so.
            return None;
        }
        let sender = packet.sender();
        let number = u64::from(index & RTCP_INDEX_MAX);
        let known = self.rtcp_seen.iter().position(|(of, _)| *of == sender);
        let is_welcome = match known {
            Some(at) => self.rtcp_seen[at].1.is_new(number),
            // Nobody gives way, for the old reports of who is forgotten would be taken for new ones.
            None => self.rtcp_seen.len() < RTCP_SENDERS_MAX,
        };
        if !is_welcome {
            return None;
        }
        self.rtcp.open_rtcp(packet).ok()?;
        let at = known.unwrap_or_else(|| {
            self.rtcp_seen.push((sender, Window::new()));
            self.rtcp_seen.len() - 1
        });
        let seen = &mut self.rtcp_seen[at].1;
        seen.add(number);
        let is_newest = seen.newest() == Some(number);
        Some(Opened { number, is_newest })
    }
}

impl Incoming {
    /// The running number of a packet that did not come before: of those with its sequence number the one nearest to the
    /// newest (RFC 3711, 3.3.1).
    fn number(&self, seq: u16) -> Option<u64> {
        let newest = self.seen.newest()?;
        let ahead = seq.wrapping_sub(newest as u16) as i16;
        let number = newest.checked_add_signed(ahead.into())?;
        self.seen.is_new(number).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BOTH, library, ours};
    use super::*;
    use rtc::srtp::context::Context;

    fn packet(ssrc: u32, seq: u16) -> Vec<u8> {
        let mut packet = vec![0x90, 96];
        packet.extend(seq.to_be_bytes());
        packet.extend([0, 0, 0, 9]);
        packet.extend(ssrc.to_be_bytes());
        packet.extend([0xbe, 0xde, 0, 1, 0x10, 7, 0, 0]);
        packet.extend(b"a picture");
        packet
    }

    struct Pair {
        writes: Context,
        opener: Opener,
        now: Instant,
    }

    impl Pair {
        fn new(profile: Profile) -> Self {
            Self {
                writes: library(profile).1,
                opener: ours(profile).1,
                now: Instant::now(),
            }
        }

        fn sealed(&mut self, ssrc: u32, seq: u16) -> Vec<u8> {
            self.writes
                .encrypt_rtp(&packet(ssrc, seq))
                .unwrap()
                .to_vec()
        }

        /// The running number and the readable packet.
        fn open(&mut self, sealed: &[u8]) -> Option<(u64, Vec<u8>)> {
            let mut sealed = sealed.to_vec();
            let header = Header::read(&sealed)?;
            let opened = self.opener.open_rtp(&mut sealed, &header, self.now)?;
            sealed.truncate(sealed.len() - self.opener.profile().tag_bytes());
            Some((opened.number, sealed))
        }

        fn comes(&mut self, ssrc: u32, seq: u16) -> Option<u64> {
            let sealed = self.sealed(ssrc, seq);
            let (number, opened) = self.open(&sealed)?;
            assert_eq!(opened, packet(ssrc, seq));
            Some(number)
        }
    }

    #[test]
    fn packets_of_another_implementation_are_read_also_past_the_rollover() {
        for profile in BOTH {
            let mut pair = Pair::new(profile);
            let mut number = 65_000_u64;
            while number < 3 * 65_536 {
                let seq = number as u16;
                assert_eq!(pair.comes(1, seq), Some(number));
                // The library, too, takes the number for the next one in these steps.
                number += 1 + number % 997;
            }
        }
    }

    #[test]
    fn a_stream_whose_packets_before_the_rollover_were_lost_is_read() {
        for profile in BOTH {
            let mut pair = Pair::new(profile);
            let lost = [65_530, 65_534].map(|seq| pair.sealed(1, seq));
            let first = pair.sealed(1, 3);
            let mut changed = first.clone();
            changed[30] ^= 1;
            assert!(pair.open(&changed).is_none() && !pair.opener.knows(1));
            let (number, opened) = pair.open(&first).unwrap();
            assert_eq!((number, opened), (65_536 + 3, packet(1, 3)));
            assert!(pair.open(&first).is_none(), "repeated");
            assert_eq!(pair.comes(1, 4), Some(65_536 + 4));
            assert_eq!(pair.open(&lost[1]).unwrap().0, 65_534, "only late");

            // Nobody loses half of all numbers: it is only tried behind the rollover.
            let mut pair = Pair::new(profile);
            let early = pair.sealed(2, 65_530);
            let (mid, far) = (pair.sealed(2, 20_000), pair.sealed(2, 40_000));
            assert!(pair.open(&far).is_none() && pair.open(&mid).is_some());
            assert_eq!(pair.open(&far).unwrap().0, 65_536 + 40_000);
            assert!(pair.open(&early).is_none());
        }
    }

    #[test]
    fn a_late_packet_is_read_and_a_repeated_one_is_not() {
        for profile in BOTH {
            let mut pair = Pair::new(profile);
            let first = pair.sealed(1, 65_530);
            let late = pair.sealed(1, 65_531);
            let lates: Vec<_> = [65_535, 0, 1].map(|seq| pair.sealed(1, seq)).into();
            let newest = pair.sealed(1, 4_000);
            assert!(pair.open(&first).is_some());
            assert_eq!(pair.open(&newest).unwrap().0, 65_536 + 4_000);
            for packet in [&lates[0], &lates[2], &lates[1]] {
                assert!(pair.open(packet).is_some());
                assert!(pair.open(packet).is_none(), "repeated");
            }
            assert_eq!(pair.open(&late).unwrap().0, 65_531, "before the rollover");
            assert!(pair.open(&late).is_none());
            let far = pair.sealed(1, 4_000 + 4_096 - 5);
            assert!(pair.open(&far).is_some());
            assert!(pair.open(&first).is_none() && pair.open(&newest).is_none());
        }
    }

    #[test]
    fn a_packet_later_than_the_window_is_refused() {
        let mut pair = Pair::new(Profile::Gcm);
        let (late, later) = (pair.sealed(1, 101), pair.sealed(1, 100));
        assert_eq!(pair.comes(1, 100 + 4_096), Some(4_196));
        assert!(pair.open(&later).is_none());
        assert!(pair.open(&late).is_some());
    }

    #[test]
    fn a_packet_that_was_changed_anywhere_is_refused_and_leaves_nothing() {
        for profile in BOTH {
            let mut pair = Pair::new(profile);
            let sealed = pair.sealed(1, 7);
            for place in 0..sealed.len() {
                for bit in 0..8 {
                    let mut changed = sealed.clone();
                    changed[place] ^= 1 << bit;
                    assert!(pair.open(&changed).is_none(), "bit {bit} of {place}");
                }
                assert!(pair.open(&sealed[..place]).is_none());
            }
            assert!(pair.opener.streams.is_empty());
            assert!(pair.open(&sealed).is_some());
        }
    }

    #[test]
    fn streams_that_nobody_keyed_are_not_remembered_and_keyed_ones_are_few() {
        let mut pair = Pair::new(Profile::Gcm);
        for ssrc in 0..10_000 {
            let forged = [&packet(ssrc, 1)[..], &[9; 16]].concat();
            assert!(pair.open(&forged).is_none());
        }
        assert!(pair.opener.streams.capacity() == 0);
        let taken = (0..10_000_u32).filter(|ssrc| pair.comes(*ssrc, 1).is_some());
        assert_eq!(taken.count(), STREAMS_MAX);
    }

    #[test]
    fn who_starts_anew_takes_the_place_of_the_longest_silent_which_never_comes_back() {
        let mut pair = Pair::new(Profile::Gcm);
        let old = pair.sealed(0, 1);
        let newer = pair.sealed(0, 2);
        assert!(pair.open(&old).is_some());
        for ssrc in 1..8 {
            pair.now += Duration::from_secs(1);
            assert!(pair.comes(ssrc, 1).is_some());
        }
        assert!(pair.comes(8, 1).is_none(), "each was heard lately");
        pair.now += SILENT - Duration::from_secs(7);
        assert!(pair.comes(8, 2).is_some());
        assert!(!pair.opener.knows(0) && pair.opener.knows(1) && pair.opener.knows(8));
        pair.now += SILENT * 2;
        assert!(pair.open(&old).is_none(), "old words");
        assert!(pair.open(&newer).is_none());
        // However long somebody goes on so, what is remembered stays small.
        for ssrc in 100..10_000 {
            pair.now += SILENT;
            pair.comes(ssrc, 1);
        }
        assert_eq!(pair.opener.streams.len(), STREAMS_MAX);
        assert_eq!(pair.opener.gone.len(), GONE_MAX);
    }

    #[test]
    fn further_senders_of_rtcp_are_not_read_and_nobody_s_old_reports_are_read_again() {
        let mut pair = Pair::new(Profile::Gcm);
        let mut report = |sender: u32| {
            let report = [&[0x80, 201, 0, 1][..], &sender.to_be_bytes()].concat();
            pair.writes.encrypt_rtcp(&report).unwrap().to_vec()
        };
        let reports: Vec<_> = (0..200).map(&mut report).collect();
        let newer = report(0);
        let mut opens = |sealed: &Vec<u8>| pair.opener.open_rtcp(&mut sealed.clone()).is_some();
        let read = reports.iter().filter(|sealed| opens(sealed)).count();
        assert_eq!(read, RTCP_SENDERS_MAX);
        assert!(!reports.iter().any(&mut opens), "repeated");
        assert!(opens(&newer), "who is known goes on");
        assert_eq!(pair.opener.rtcp_seen.len(), RTCP_SENDERS_MAX);
    }
}
