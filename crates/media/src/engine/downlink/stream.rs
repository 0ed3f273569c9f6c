//! The stream of one slot: what was sent, so that it can be sent again, and so that no number is ever used twice.

use super::offer::names_of;
use super::{Names, VIDEO_SLOTS, ssrc_of};
use crate::engine::Codec;
use crate::engine::wire::srtp::Sealer;
use crate::rewrite::RtpOut;
use rtc::crypto::CryptoError;
use std::cmp::Ordering;
use std::time::{Duration, Instant};

/// Packets kept of a picture (about 3 s of 1.5 Mbit/s); an older one cannot be sent again.
const KEPT_VIDEO: usize = 512;
/// Sound is never sent again: it is kept to tell a repeated number.
const KEPT_AUDIO: usize = 64;
const _: () = assert!(KEPT_VIDEO.is_power_of_two() && KEPT_AUDIO.is_power_of_two());
/// A lost packet is sent again at most so often; who asks once more needs a key frame.
const RESENDS_MAX: u8 = 8;
/// How soon it is sent again at most: two requests within a round trip mean one loss.
const RESEND_PAUSE: Duration = Duration::from_millis(20);
/// Less than what a client can tell, 2^15, by what a second brings: it is looked at once a second. A player that reports every
/// ten seconds or so is heard in time.
const UNHEARD_MAX: u64 = 0x6000;
const HEADER_BYTES: usize = 12;
/// The header extension with the running number: its head, and one word.
const EXTENSION_BYTES: usize = 8;

pub struct Stream {
    ssrc: u32,
    /// What the client calls the codecs it takes.
    names: Names,
    clock_rate: u32,
    /// Empty until the first packet: most slots of most downlinks never have one.
    kept: Vec<Option<Kept>>,
    /// A power of two.
    kept_max: usize,
    /// The furthest number, counted on beyond 16 bits: what is above them is the rollover counter (RFC 3711, 3.3.1).
    newest: Option<u64>,
    /// How far it was when the client last told of something that arrived.
    heard: u64,
    /// Where the picture last began anew.
    begun: u64,
    pub packets: u32,
    pub octets: u32,
    /// The timestamp of the furthest packet, and when it was sent.
    last: Option<(u32, Instant)>,
}

/// A packet that was sent or is about to be.
struct Kept {
    number: u64,
    packet: RtpOut,
    /// How it went out; sent again, it must be the very same bytes.
    sealed: Option<Sealed>,
    resent: u8,
    resent_at: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Sealed {
    padding: u8,
    twcc: Option<(u8, u16)>,
}

/// What is done for a client that misses a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// It is sent again, by this number.
    Again(u64),
    /// It was sent again often enough, or is not kept any more: only a key frame helps.
    ForGood,
    /// It never was here, has not left yet, or has just left again.
    Nothing,
}

/// How a packet leaves.
pub struct Form {
    /// Its length at least.
    pub length: usize,
    /// It has left already, so that its form is fixed.
    pub is_sealed: bool,
}

/// What a packet needs to go out for the first time.
pub struct Stamp {
    /// The id of the extension and the running number.
    pub twcc: Option<(u8, u16)>,
    /// The length it is to leave with.
    pub length: usize,
}

impl Stream {
    pub fn new(slot: usize) -> Self {
        let is_video = slot < VIDEO_SLOTS;
        let kept_max = if is_video { KEPT_VIDEO } else { KEPT_AUDIO };
        Self {
            ssrc: ssrc_of(slot),
            // As we offer them, until the client says what it takes.
            names: names_of(slot),
            clock_rate: if is_video { 90_000 } else { 48_000 },
            kept: vec![],
            kept_max,
            newest: None,
            heard: 0,
            begun: 0,
            packets: 0,
            octets: 0,
            last: None,
        }
    }

    pub fn name(&mut self, names: Names) {
        self.names = names;
    }

    pub fn takes(&self, codec: Codec) -> bool {
        self.names.of(codec).is_some()
    }

    /// Takes a packet to be sent; gives the number it is asked for by, or `None` if the client does not take its codec, or
    /// its number was used already or is too old to tell.
    pub fn take(&mut self, packet: RtpOut, now: Instant) -> Option<u64> {
        self.names.of(packet.codec)?;
        let number = self.number_of(packet.seq)?;
        let kept = self.kept_max as u64;
        let newest = self.newest.unwrap_or_else(|| {
            self.heard = number;
            number
        });
        if number + kept <= newest || self.find(number).is_some() {
            return None;
        }
        if packet.key_frame {
            self.begun = self.begun.max(number);
        }
        if number >= newest {
            self.newest = Some(number);
            self.last = Some((packet.timestamp, now));
        }
        let place = self.place(number);
        self.kept.resize_with(self.kept_max, || None);
        if let Some(place) = self.kept.get_mut(place) {
            *place = Some(Kept {
                number,
                packet,
                sealed: None,
                resent: 0,
                resent_at: None,
            });
        }
        Some(number)
    }

    /// The picture is to begin anew behind all that was sent.
    pub fn begin_anew(&mut self) {
        self.begun = self.newest.map_or(0, |newest| newest + 1);
    }

    /// Where the picture last began anew.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// The client told of something that arrived.
    pub fn heard(&mut self) {
        self.heard = self.newest.unwrap_or(self.heard);
    }

    /// Whether so many numbers went since then that a client which missed them may no longer tell how often they have gone
    /// round (RFC 3711, 3.3.1).
    pub fn is_out_of_reach(&self) -> bool {
        let newest = self.newest.unwrap_or(self.heard);
        newest.saturating_sub(self.heard) >= UNHEARD_MAX
    }

    /// What is to be done for a client that misses a packet.
    pub fn missed(&self, seq: u16, now: Instant) -> Missed {
        let Some(number) = self.number_of(seq) else {
            return Missed::Nothing;
        };
        let place = self.place(number);
        let Some(Some(kept)) = self.kept.get(place) else {
            return Missed::Nothing;
        };
        let rested = kept
            .resent_at
            .is_none_or(|at| now.saturating_duration_since(at) >= RESEND_PAUSE);
        // The picture has begun anew since: it goes on without what is missing.
        if number < self.begun {
            return Missed::Nothing;
        }
        match kept.number.cmp(&number) {
            // It is not kept any more.
            Ordering::Greater => Missed::ForGood,
            // It was never sent.
            Ordering::Less => Missed::Nothing,
            Ordering::Equal if kept.resent >= RESENDS_MAX => Missed::ForGood,
            Ordering::Equal if kept.sealed.is_none() || !rested => Missed::Nothing,
            Ordering::Equal => Missed::Again(number),
        }
    }

    /// A packet is sent again; gives the running number it bears.
    pub fn resent(&mut self, number: u64, now: Instant) -> Option<u16> {
        let place = self.place(number);
        let kept = self.kept.get_mut(place)?.as_mut();
        let kept = kept.filter(|kept| kept.number == number)?;
        kept.resent += 1;
        kept.resent_at = Some(now);
        let (_, running) = kept.sealed?.twcc?;
        Some(running)
    }

    /// Whether anything was sent since a moment.
    pub fn sent_since(&self, moment: Instant) -> bool {
        self.last.is_some_and(|(_, at)| at >= moment)
    }

    /// How a packet leaves under a tag of so many bytes; `None` if it was overwritten meanwhile.
    pub fn form(&self, number: u64, has_twcc: bool, tag: usize) -> Option<Form> {
        let kept = self.find(number)?;
        let (has_twcc, padding) = match kept.sealed {
            Some(sealed) => (sealed.twcc.is_some(), usize::from(sealed.padding)),
            None => (has_twcc, 0),
        };
        Some(Form {
            length: header_bytes(has_twcc) + kept.packet.payload.len() + padding + tag,
            is_sealed: kept.sealed.is_some(),
        })
    }

    /// Appends the protected packet to the buffer. `stamp` counts for its first time.
    pub fn write(
        &mut self,
        number: u64,
        stamp: &Stamp,
        sealer: &mut Sealer,
        into: &mut Vec<u8>,
    ) -> Result<(), CryptoError> {
        let place = self.place(number);
        let (ssrc, names) = (self.ssrc, self.names);
        let Some(Some(kept)) = self.kept.get_mut(place) else {
            return Ok(());
        };
        let packet = &kept.packet;
        let Some(payload_type) = names.of(packet.codec) else {
            return Ok(());
        };
        let tag = sealer.profile().tag_bytes();
        let plain = header_bytes(stamp.twcc.is_some()) + packet.payload.len() + tag;
        let sealed = *kept.sealed.get_or_insert(Sealed {
            padding: u8::try_from(stamp.length.saturating_sub(plain)).unwrap_or(0),
            twcc: stamp.twcc,
        });
        let header = header_bytes(sealed.twcc.is_some());
        let start = into.len();
        let flags = 0x80 | u8::from(sealed.twcc.is_some()) << 4 | u8::from(sealed.padding > 0) << 5;
        let [q0, q1] = packet.seq.to_be_bytes();
        let [t0, t1, t2, t3] = packet.timestamp.to_be_bytes();
        let [s0, s1, s2, s3] = ssrc.to_be_bytes();
        let kind = payload_type | u8::from(packet.marker) << 7;
        into.extend_from_slice(&[flags, kind, q0, q1, t0, t1, t2, t3, s0, s1, s2, s3]);
        if let Some((id, running)) = sealed.twcc {
            let [r0, r1] = running.to_be_bytes();
            // RFC 8285, 4.2: one-byte headers, one word; the length is written as one less.
            into.extend_from_slice(&[0xbe, 0xde, 0, 1, id << 4 | 1, r0, r1, 0]);
        }
        let body = into.len();
        into.extend_from_slice(&packet.payload);
        if let Some(numbers) = &packet.numbers {
            numbers.write(&mut into[body..]);
        }
        if let Some(zeros) = sealed.padding.checked_sub(1) {
            into.resize(into.len() + usize::from(zeros), 0);
            into.push(sealed.padding);
        }
        let octets = into.len() - body;
        into.resize(into.len() + tag, 0);
        sealer.seal_rtp(&mut into[start..], header, (number >> 16) as u32)?;
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
        Ok(())
    }

    /// Where the stream's clock stands; `None` while nothing was sent.
    pub fn timestamp(&self, now: Instant) -> Option<u32> {
        let (timestamp, at) = self.last?;
        let passed = now.saturating_duration_since(at).as_micros();
        let ticks = passed * u128::from(self.clock_rate) / 1_000_000;
        Some(timestamp.wrapping_add(ticks as u32))
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The long number nearest to the newest one; `None` for one from before the first.
    fn number_of(&self, seq: u16) -> Option<u64> {
        let Some(newest) = self.newest else {
            return Some(u64::from(seq));
        };
        let ahead = i64::from(seq.wrapping_sub(newest as u16) as i16);
        newest.checked_add_signed(ahead)
    }

    fn find(&self, number: u64) -> Option<&Kept> {
        let kept = self.kept.get(self.place(number))?.as_ref()?;
        (kept.number == number).then_some(kept)
    }

    fn place(&self, number: u64) -> usize {
        number as usize & (self.kept_max - 1)
    }
}

fn header_bytes(has_twcc: bool) -> usize {
    HEADER_BYTES + if has_twcc { EXTENSION_BYTES } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::wire::srtp::Profile;
    use crate::engine::wire::tests::{keys, provider};
    use bytes::Bytes;
    use rtc::rtp::Packet;
    use rtc::shared::marshal::Unmarshal;
    use rtc::srtp::context::Context;
    use rtc::srtp::protection_profile::ProtectionProfile;

    fn packet(seq: u16) -> RtpOut {
        RtpOut {
            codec: Codec::Vp8,
            seq,
            timestamp: 3_000,
            marker: true,
            payload: Bytes::from(vec![7; 50]),
            numbers: None,
            key_frame: false,
        }
    }

    /// The library reads what was written.
    fn read(protected: &[u8]) -> Packet {
        let (profile, provider) = (ProtectionProfile::AeadAes128Gcm, provider());
        let mut context =
            Context::new(&[7; 16], &[7; 12], profile, None, None, provider.crypto()).unwrap();
        let plain = context.decrypt_rtp(protected).unwrap();
        Packet::unmarshal(&mut plain.freeze()).unwrap()
    }

    fn write(stream: &mut Stream, number: u64, twcc: Option<(u8, u16)>, more: usize) -> Vec<u8> {
        let (mut bytes, mut sealer) = (vec![], keys(Profile::Gcm, false).0);
        let tag = sealer.profile().tag_bytes();
        let length = stream.form(number, twcc.is_some(), tag).unwrap().length + more;
        let stamp = Stamp { twcc, length };
        let written = stream.write(number, &stamp, &mut sealer, &mut bytes);
        written.unwrap();
        bytes
    }

    #[test]
    fn another_implementation_reads_header_extension_and_padding() {
        let now = Instant::now();
        let mut stream = Stream::new(0);
        let number = stream.take(packet(7), now).unwrap();
        let bytes = write(&mut stream, number, Some((5, 0x0102)), 3);
        assert_eq!(bytes.len(), 12 + 8 + 50 + 3 + 16);
        let read = read(&bytes);
        assert_eq!((read.header.sequence_number, read.header.marker), (7, true));
        assert_eq!(
            (read.header.ssrc, read.header.payload_type),
            (ssrc_of(0), 96)
        );
        assert_eq!(read.header.get_extension(5).unwrap()[..], [1, 2]);
        assert_eq!(read.payload[..], [7; 50]);
    }

    #[test]
    fn a_missed_packet_is_the_very_same_again_not_at_once_and_not_without_end() {
        let start = Instant::now();
        let mut stream = Stream::new(1);
        let number = stream.take(packet(7), start).unwrap();
        assert_eq!(stream.missed(7, start), Missed::Nothing, "it has not left");
        let first = write(&mut stream, number, Some((5, 1)), 2);
        let mut again = vec![];
        for ms in 0..500 {
            let now = start + Duration::from_millis(ms);
            if let Missed::Again(number) = stream.missed(7, now) {
                stream.resent(number, now);
                again.push((ms, write(&mut stream, number, Some((5, 99)), 0)));
            }
        }
        let times: Vec<u64> = again.iter().map(|(ms, _)| *ms).collect();
        assert_eq!(times, [0, 20, 40, 60, 80, 100, 120, 140]);
        assert!(again.iter().all(|(_, bytes)| *bytes == first));
        assert_eq!(stream.missed(7, start), Missed::ForGood);
        assert_eq!(stream.missed(8, start), Missed::Nothing, "never sent");
        stream.take(packet(8 + KEPT_VIDEO as u16), start);
        assert_eq!(stream.missed(8, start), Missed::ForGood, "not kept");
    }

    #[test]
    fn what_is_missing_from_before_a_key_frame_is_not_sent_again() {
        let now = Instant::now();
        let mut stream = Stream::new(1);
        for seq in 1..=4 {
            let key_frame = seq == 3;
            let packet = RtpOut {
                key_frame,
                ..packet(seq)
            };
            let number = stream.take(packet, now).unwrap();
            write(&mut stream, number, None, 0);
        }
        let missed = [1, 2, 3, 4].map(|seq| stream.missed(seq, now));
        let again = Missed::Again;
        assert_eq!(
            missed,
            [Missed::Nothing, Missed::Nothing, again(3), again(4)]
        );
    }

    #[test]
    fn no_number_is_used_twice() {
        let now = Instant::now();
        let mut stream = Stream::new(2);
        for seq in [65_530, 65_535, 65_533, 1, 0, 65_531] {
            assert!(stream.take(packet(seq), now).is_some(), "{seq}");
        }
        for seq in [65_530, 65_535, 65_533, 1, 0, 65_531] {
            assert_eq!(stream.take(packet(seq), now), None, "{seq}");
        }
        assert_eq!(stream.take(packet(2), now), Some(65_538), "the next round");
        assert!(stream.take(packet(700), now).is_some());
        assert_eq!(stream.take(packet(1), now), None, "too old to tell");
    }

    #[test]
    fn the_clock_goes_on_between_packets() {
        let now = Instant::now();
        let mut stream = Stream::new(15);
        assert_eq!(stream.timestamp(now), None);
        let codec = Codec::Opus;
        stream.take(RtpOut { codec, ..packet(1) }, now);
        assert_eq!(
            stream.timestamp(now + Duration::from_millis(10)),
            Some(3_480)
        );
    }
}
