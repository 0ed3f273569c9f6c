//! What of a datagram may reach the handshake: the library keeps each fragment that it is given for as long as the leg lives,
//! walks all of them for every further one, and calls itself once for each when it puts a message together. It compares none
//! of what a fragment says of itself with what is there.
//!
//! What is refused is dropped without a word (RFC 6347, 4.1.2.7), also what is more than a leg has room for: anybody who
//! writes a client's address into a datagram can send it, and could end a leg that did not bear it.

use bytes::BytesMut;
use std::ops::Range;

const RECORD_HEADER_BYTES: usize = 13;
const FRAGMENT_HEADER_BYTES: usize = 12;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// A message may be so long. The longest is a certificate, of one or two KiB, or a few with those that vouch for it; RFC
/// 6347 would let it have 16 MiB.
const MESSAGE_MAX: usize = 32 * 1_024;
/// With keys a handshake says `Finished` and nothing else: 24 bytes, and up to 24 that protect them. What stands in a
/// longer one cannot be seen here.
const PROTECTED_MAX: usize = 64;
/// Fragments that such a record may hold, beside the least that protects one.
const PROTECTED_PIECES: usize = (PROTECTED_MAX - 16) / FRAGMENT_HEADER_BYTES;

/// What a leg takes until it has keys. A handshake has twenty seconds. In these a client says its flights nine times by a clock
/// that begins with 50 ms and doubles, or twenty times by one of a second, and once more for each of ours that it hears again:
/// no more than thirty times. The longest flight is a certificate in three fragments, three more records and `Finished`,
/// which are ten pieces and less than 4 KiB.
const PIECES_MAX: usize = 512;
pub const BYTES_MAX: usize = 128 * 1_024;

/// What is left of that.
#[derive(Debug, PartialEq, Eq)]
pub struct Room {
    pieces: usize,
    bytes: usize,
    keyed: bool,
}

impl Room {
    pub fn new() -> Self {
        Self {
            pieces: PIECES_MAX,
            bytes: BYTES_MAX,
            keyed: false,
        }
    }

    /// The handshake is over for us. The client may not have heard our last word: then it says its last flight again and
    /// again, as it did before, and is answered. So it has the same room once more, whatever others took of it before.
    pub fn keyed(&mut self) {
        *self = Self {
            keyed: true,
            ..Self::new()
        };
    }

    #[cfg(test)]
    pub fn pieces(&self) -> usize {
        self.pieces
    }

    /// The records of a datagram that may be read, behind each other.
    pub fn sift(&mut self, datagram: BytesMut) -> BytesMut {
        let mut kept = Vec::new();
        let mut begin = 0;
        while let Some(record) = Record::read(&datagram[begin..]) {
            let range = begin..begin + record.bytes;
            begin = range.end;
            if self.takes(&record) {
                kept.push(range);
            }
        }
        joined(datagram, &kept)
    }

    fn takes(&mut self, record: &Record<'_>) -> bool {
        let pieces = match (record.epoch, record.kind) {
            (0, HANDSHAKE) => fragments(record.content),
            (1, HANDSHAKE) if record.content.len() <= PROTECTED_MAX => Some(PROTECTED_PIECES),
            // With keys the one means nothing any more, and the other is only believed under them.
            (0, CHANGE_CIPHER_SPEC | ALERT) => (!self.keyed).then_some(1),
            // Until there are keys it is kept until there are.
            (1, ALERT) => Some(usize::from(!self.keyed)),
            // Application data, for no data channel is ever offered, and what DTLS 1.2 does not know. There is no third
            // epoch, for nobody may negotiate anew.
            _ => None,
        };
        let Some(pieces) = pieces else { return false };
        if pieces == 0 {
            return true;
        }
        let left = self.pieces.checked_sub(pieces);
        let left = left.zip(self.bytes.checked_sub(record.bytes));
        if let Some(left) = left {
            (self.pieces, self.bytes) = left;
        }
        left.is_some()
    }
}

/// A record, as far as it can be read without keys (RFC 6347, 4.1).
struct Record<'a> {
    kind: u8,
    epoch: u16,
    content: &'a [u8],
    /// With its header.
    bytes: usize,
}

impl<'a> Record<'a> {
    /// The first one, if it is there as a whole and not empty: the library reads nothing of a datagram that ends otherwise.
    fn read(datagram: &'a [u8]) -> Option<Self> {
        let (header, behind) = datagram.split_first_chunk::<RECORD_HEADER_BYTES>()?;
        let [kind, _, _, e0, e1, .., l0, l1] = *header;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let content = behind.get(..length).filter(|content| !content.is_empty())?;
        Some(Self {
            kind,
            epoch: u16::from_be_bytes([e0, e1]),
            content,
            bytes: RECORD_HEADER_BYTES + length,
        })
    }
}

/// How many fragments of messages these are (RFC 6347, 4.2.2), if each is what it says.
fn fragments(mut content: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !content.is_empty() {
        let (header, behind) = content.split_first_chunk::<FRAGMENT_HEADER_BYTES>()?;
        let [_, l0, l1, l2, _, _, o0, o1, o2, f0, f1, f2] = *header;
        let [length, offset, here] = [[l0, l1, l2], [o0, o1, o2], [f0, f1, f2]].map(number);
        content = behind.get(here..)?;
        let is_empty = here == 0 && length > 0;
        // The library takes the next one to begin where the whole message would end.
        let hides = here < length && !content.is_empty();
        if length > MESSAGE_MAX || offset + here > length || is_empty || hides {
            return None;
        }
        count += 1;
    }
    Some(count)
}

fn number([high, middle, low]: [u8; 3]) -> usize {
    u32::from_be_bytes([0, high, middle, low]) as usize
}

fn joined(datagram: BytesMut, kept: &[Range<usize>]) -> BytesMut {
    let bytes: usize = kept.iter().map(ExactSizeIterator::len).sum();
    if bytes == datagram.len() {
        return datagram;
    }
    let mut joined = BytesMut::with_capacity(bytes);
    for range in kept {
        joined.extend_from_slice(&datagram[range.clone()]);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fragment, record};
    use super::*;

    const APPLICATION_DATA: u8 = 23;

    /// How much of a datagram may be read by a leg that is new.
    fn kept(datagram: &[u8]) -> usize {
        Room::new().sift(BytesMut::from(datagram)).len()
    }

    /// Whether a record of these fragments may be read.
    fn passes(fragments: &[Vec<u8>]) -> bool {
        kept(&record(HANDSHAKE, 0, 0, &fragments.concat())) > 0
    }

    #[test]
    fn a_fragment_is_what_it_says() {
        assert!(passes(&[fragment(3, 0, 0, 3, b"all")]));
        assert!(passes(&[fragment(0, 0, 0, 0, b"")]));
        assert!(passes(&[fragment(10, 0, 4, 3, b"the")]));
        let two = [fragment(3, 0, 0, 3, b"all"), fragment(9, 1, 0, 2, b"so")];
        assert!(passes(&two));

        assert!(!passes(&[fragment(0, 0, 0, 1, b"")]), "not there");
        assert!(!passes(&[fragment(0, 0, 0, 1, b"x")]), "longer than all");
        assert!(!passes(&[fragment(5, 0, 4, 2, b"it")]), "beyond the end");
        assert!(
            !passes(&[fragment(5, 0, 2, 0, b"")]),
            "nothing of something"
        );
        assert!(!passes(&[fragment(1 << 20, 0, 0, 3, b"big")]));
        assert!(!passes(&[fragment(3, 0, 0, 3, b"all"), vec![0; 5]]));
        // What the library would read behind a part of a message is not what stands there.
        assert!(!passes(&[fragment(5, 0, 0, 2, b"in"), two[0].clone()]));
    }

    #[test]
    fn a_datagram_keeps_what_may_be_read_of_it() {
        let good = record(HANDSHAKE, 0, 0, &fragment(3, 0, 0, 3, b"all"));
        let bad = record(HANDSHAKE, 0, 1, &fragment(0, 0, 0, 1, b""));
        let ccs = record(CHANGE_CIPHER_SPEC, 0, 2, &[1]);
        let all = [&good[..], &bad, &ccs].concat();
        let mut room = Room::new();
        assert_eq!(
            room.sift(BytesMut::from(&all[..])),
            [&good[..], &ccs].concat()
        );
        assert_eq!(kept(&[&good[..], &bad[..20]].concat()), good.len());
        assert_eq!(kept(&[]), 0);

        assert!(kept(&record(HANDSHAKE, 1, 0, &[7; 48])) > 0, "Finished");
        assert_eq!(kept(&record(HANDSHAKE, 1, 0, &[7; 65])), 0);
        assert_eq!(kept(&record(HANDSHAKE, 2, 0, &[7; 48])), 0);
        assert_eq!(kept(&record(APPLICATION_DATA, 1, 0, &[7; 48])), 0);
        assert_eq!(kept(&record(ALERT, 0, 0, &[])), 0);
    }

    #[test]
    fn a_leg_keeps_no_more_than_it_has_room_for() {
        let long = record(HANDSHAKE, 0, 0, &fragment(1_000, 9, 0, 1_000, &[7; 1_000]));
        let kinds = [
            (
                record(HANDSHAKE, 0, 0, &fragment(0, 9, 0, 0, b"")),
                PIECES_MAX,
            ),
            (
                record(HANDSHAKE, 1, 0, &[7; 48]),
                PIECES_MAX / PROTECTED_PIECES,
            ),
            (record(CHANGE_CIPHER_SPEC, 0, 0, &[1]), PIECES_MAX),
            (record(ALERT, 1, 0, &[7; 26]), PIECES_MAX),
            (long.clone(), BYTES_MAX / long.len()),
        ];
        for (record, most) in kinds {
            let mut room = Room::new();
            let mut taken = 0;
            for _ in 0..2_000 {
                let kept = room.sift(BytesMut::from(&record[..]));
                taken += usize::from(!kept.is_empty());
            }
            assert_eq!(taken, most, "{}", record.escape_ascii());
        }
    }

    #[test]
    fn whoever_has_keys_may_end_it_however_much_came_before() {
        let (mut room, bye) = (Room::new(), record(ALERT, 1, 0, &[7; 26]));
        let sift = |room: &mut Room| !room.sift(BytesMut::from(&bye[..])).is_empty();
        while sift(&mut room) {}
        room.keyed();
        assert!((0..2_000).all(|_| sift(&mut room)));
        // What anybody may write means nothing any more.
        for kind in [CHANGE_CIPHER_SPEC, ALERT] {
            assert!(
                room.sift(BytesMut::from(&record(kind, 0, 0, &[1])[..]))
                    .is_empty()
            );
        }
    }
}
