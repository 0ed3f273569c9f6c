//! What waits for one client that takes less than is sent, and what of it goes next: pure.
//!
//! A road of datagrams drops what it has no room for. A connection keeps everything, in its order, and whatever comes later
//! waits behind it. So the kernel is given little beforehand, and the rest waits here, where sound overtakes pictures and
//! what has grown old is dropped. A picture's lost packet is asked for again; a sound that is late is of another moment.

use crate::engine::Cargo;
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes that may wait: half a second of a programme at 2 Mbit/s.
pub const WAITING_MAX_BYTES: usize = 128 * 1024;
/// A picture that has waited longer is dropped. Sound does not wait for it; a key frame of many packets does not fit into
/// less on a far road.
pub const PICTURE_AGE_MAX: Duration = Duration::from_millis(400);
/// The same of sound, which waits only for sound.
pub const SOUND_AGE_MAX: Duration = Duration::from_millis(250);

/// Each kind waits in its own order.
#[derive(Default)]
pub struct Outbox {
    /// Checks, handshakes and reports: few, and everything else depends on them.
    words: VecDeque<Frame>,
    sounds: VecDeque<Frame>,
    pictures: VecDeque<Frame>,
    bytes: usize,
    /// Datagrams dropped since it was last asked.
    dropped: u64,
}

struct Frame {
    bytes: Bytes,
    since: Instant,
}

impl Outbox {
    /// A datagram is to be sent. Where there is no room, the oldest picture gives way, then the oldest sound.
    pub fn put(&mut self, datagram: &[u8], now: Instant) {
        self.drop_old(now);
        let Ok(length) = u16::try_from(datagram.len()) else {
            self.dropped += 1;
            return;
        };
        while self.bytes + 2 + datagram.len() > WAITING_MAX_BYTES {
            if !self.give_way() {
                self.dropped += 1;
                return;
            }
        }
        // RFC 4571.
        let mut bytes = BytesMut::with_capacity(2 + datagram.len());
        bytes.put_u16(length);
        bytes.put_slice(datagram);
        self.bytes += bytes.len();
        let bytes = bytes.freeze();
        let kind = match Cargo::of(datagram) {
            Cargo::Words => &mut self.words,
            Cargo::Sound => &mut self.sounds,
            Cargo::Picture => &mut self.pictures,
        };
        kind.push_back(Frame { bytes, since: now });
    }

    /// The frame that goes next.
    pub fn next(&mut self, now: Instant) -> Option<Bytes> {
        self.drop_old(now);
        let Self {
            words,
            sounds,
            pictures,
            ..
        } = self;
        let kinds = [words, sounds, pictures];
        let frame = kinds.into_iter().find_map(VecDeque::pop_front)?;
        self.bytes -= frame.bytes.len();
        Some(frame.bytes)
    }

    /// How many datagrams were dropped since this was last asked.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn drop_old(&mut self, now: Instant) {
        for (kind, age_max) in [
            (&mut self.sounds, SOUND_AGE_MAX),
            (&mut self.pictures, PICTURE_AGE_MAX),
        ] {
            let is_old = |frame: &mut Frame| now.duration_since(frame.since) > age_max;
            while let Some(frame) = kind.pop_front_if(is_old) {
                self.bytes -= frame.bytes.len();
                self.dropped += 1;
            }
        }
    }

    /// False if nothing here may be dropped.
    fn give_way(&mut self) -> bool {
        let oldest = { &mut self.pictures }.pop_front();
        let Some(frame) = oldest.or_else(|| self.sounds.pop_front()) else {
            return false;
        };
        self.bytes -= frame.bytes.len();
        self.dropped += 1;
        true
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::engine::{Addresses, Codec, Engine, Leg, Outlet};
    use crate::rewrite::RtpOut;
    use diemcau_model::limits::PICTURE_SLOTS;
    use std::net::SocketAddr;

    const PICTURE: usize = 0;
    pub const SOUND: usize = PICTURE_SLOTS;
    const CHECK: [u8; 20] = [
        0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    /// The packets of a downlink, protected as they leave.
    pub struct Programme {
        leg: Box<dyn Leg>,
        seq: u16,
    }

    impl Programme {
        pub fn to(client: SocketAddr) -> Self {
            let engine = Engine::new(Addresses(vec![client]), std::time::Instant::now()).unwrap();
            let leg = engine.open_downlink(client).unwrap();
            let mut programme = Self { leg, seq: 0 };
            // What it answered to the client's check.
            programme.drain();
            programme
        }

        pub fn packet(&mut self, slot: usize, timestamp: u32, bytes: usize) -> Vec<u8> {
            self.seq = self.seq.wrapping_add(1);
            let packet = RtpOut {
                codec: if slot < SOUND {
                    Codec::Vp8
                } else {
                    Codec::Opus
                },
                seq: self.seq,
                timestamp,
                marker: true,
                payload: vec![1; bytes].into(),
                numbers: None,
                key_frame: false,
            };
            assert!(self.leg.send(slot, packet, std::time::Instant::now()));
            self.drain()
        }

        fn drain(&mut self) -> Vec<u8> {
            let mut sent = vec![];
            self.leg.drain_datagrams(&mut Outlet {
                now: std::time::Instant::now(),
                segments_max: 1,
                buffer: &mut vec![],
                send: &mut |run| sent.extend_from_slice(run.bytes),
            });
            sent
        }
    }

    pub fn framed(datagram: &[u8]) -> Vec<u8> {
        let length = u16::try_from(datagram.len()).unwrap();
        [&length.to_be_bytes(), datagram].concat()
    }

    fn programme() -> Programme {
        Programme::to(SocketAddr::from(([127, 0, 0, 1], 9)))
    }

    fn rest(outbox: &mut Outbox, now: Instant) -> Vec<Bytes> {
        std::iter::from_fn(|| outbox.next(now)).collect()
    }

    #[test]
    fn what_all_depends_on_goes_first_then_sound_then_pictures_each_in_its_order() {
        let (mut outbox, mut programme, now) = (Outbox::default(), programme(), Instant::now());
        let mut sent = vec![];
        for slot in [PICTURE, SOUND, SOUND - 1, SOUND + 1] {
            sent.push(programme.packet(slot, 0, 100));
            outbox.put(&sent[sent.len() - 1], now);
        }
        outbox.put(&CHECK, now);
        let wanted = [&CHECK, &sent[1][..], &sent[3], &sent[0], &sent[2]].map(framed);
        assert_eq!(rest(&mut outbox, now), wanted);
        assert_eq!((outbox.take_dropped(), outbox.bytes), (0, 0));
    }

    #[test]
    fn what_has_waited_too_long_is_dropped_and_words_never_are() {
        let (mut outbox, mut programme, start) = (Outbox::default(), programme(), Instant::now());
        for slot in [PICTURE, SOUND] {
            outbox.put(&programme.packet(slot, 0, 100), start);
        }
        outbox.put(&CHECK, start);
        let fresh = programme.packet(SOUND, 0, 100);
        outbox.put(&fresh, start + SOUND_AGE_MAX);
        assert_eq!(outbox.take_dropped(), 0, "both are just fresh enough");
        let late = start + PICTURE_AGE_MAX + Duration::from_millis(1);
        assert_eq!(rest(&mut outbox, late), [framed(&CHECK), framed(&fresh)]);
        assert_eq!((outbox.take_dropped(), outbox.bytes), (2, 0));
    }

    #[test]
    fn where_there_is_no_room_the_oldest_picture_gives_way_and_no_sound_before_it() {
        let (mut outbox, mut programme, now) = (Outbox::default(), programme(), Instant::now());
        let sound = programme.packet(SOUND, 0, 100);
        outbox.put(&sound, now);
        let mut pictures = vec![];
        for _ in 0..1_000 {
            pictures.push(programme.packet(PICTURE, 0, 1_000));
            outbox.put(&pictures[pictures.len() - 1], now);
        }
        assert!(outbox.bytes <= WAITING_MAX_BYTES);
        let dropped = usize::try_from(outbox.take_dropped()).unwrap();
        let kept = rest(&mut outbox, now);
        assert_eq!(kept[0], framed(&sound));
        let newest: Vec<_> = pictures[dropped..].iter().map(|one| framed(one)).collect();
        assert_eq!(kept[1..], newest);
        assert!(kept.len() > 100, "{}", kept.len());

        // Without end even words find an end, the newest first; and sound gives way to them.
        outbox.put(&sound, now);
        for _ in 0..10_000 {
            outbox.put(&CHECK, now);
        }
        let words = WAITING_MAX_BYTES / (2 + CHECK.len());
        assert_eq!(outbox.take_dropped(), 1 + 10_000 - words as u64);
        assert_eq!(rest(&mut outbox, now).len(), words);
    }
}
