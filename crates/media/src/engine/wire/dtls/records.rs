//! What of a datagram may reach the handshake: the library keeps each fragment that it is given for as long as the leg lives,
//! walks all of them for every further one, and calls itself once for each when it puts a message together. It compares none
//! of what a fragment says of itself with what is there.
//!
//! What is refused is dropped without a word (RFC 6347, 4.1.2.7), also what is more than a leg has room for: anybody who
//! writes a client's address into a datagram can send it, and could end a leg that did not bear it.

use super::hello::{self, Begun, HELLO_MAX, HELLO_VERIFY_REQUEST};
use super::repeats::Heard;
use bytes::BytesMut;
use std::borrow::Cow;

const RECORD_HEADER_BYTES: usize = 13;
pub const FRAGMENT_HEADER_BYTES: usize = 12;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// How bad what an alert says is.
const FATAL: u8 = 2;

/// A message may be so long, if it is no hello. The longest is a certificate, of one or two KiB, or a few with those that vouch for it; RFC
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
    /// The longest hello so far. It is read again for all that comes, so nothing costs less.
    hello: usize,
    unfinished: hello::Pieces,
    /// What a client began with, if we serve.
    pub begun: Option<Begun>,
    /// Why the other side gave up, as it says without keys (RFC 5246, 7.2.2), if it was not asked yet.
    pub alert: Option<u8>,
    pub heard: Heard,
    /// Pieces that are still compared with what was heard. Who says everything thirty times says no more.
    compared: usize,
}

impl Room {
    pub fn new() -> Self {
        Self {
            pieces: PIECES_MAX,
            bytes: BYTES_MAX,
            keyed: false,
            hello: 0,
            unfinished: hello::Pieces::default(),
            begun: None,
            alert: None,
            heard: Heard::default(),
            compared: PIECES_MAX,
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

    /// For how many pieces anything is left.
    #[cfg(test)]
    pub fn left(&self) -> usize {
        match self.bytes > self.hello {
            true => self.pieces.min(self.compared),
            false => 0,
        }
    }

    /// The records of a datagram that may be read and were not answered already, behind each other.
    pub fn sift(&mut self, datagram: BytesMut) -> BytesMut {
        let mut kept = BytesMut::with_capacity(datagram.len());
        let mut rest = &datagram[..];
        while let Some(record) = Record::read(rest) {
            rest = &rest[record.whole.len()..];
            let whole = match record.piece_of_hello() {
                Some(piece) => self.unfinished.with(&piece).map(|all| record.bearing(&all)),
                None => Some(Cow::Borrowed(record.whole)),
            };
            if let Some(whole) = whole
                && let Some(record) = Record::read(&whole)
                && self.takes(&record)
            {
                record.pieces().for_each(|piece| self.heard.add(&piece));
                kept.extend_from_slice(&whole);
            }
        }
        kept
    }

    /// Whether a record of so many pieces brings one that was not answered already, and may be compared with those.
    fn is_news(&mut self, record: &Record<'_>, pieces: usize) -> bool {
        if !record.is_open() || self.keyed {
            return true;
        }
        let Some(left) = self.compared.checked_sub(pieces) else {
            return false;
        };
        self.compared = left;
        !record.pieces().all(|piece| self.heard.knows(&piece))
    }

    fn takes(&mut self, record: &Record<'_>) -> bool {
        let pieces = match (record.epoch, record.kind) {
            (0, HANDSHAKE) => self.fragments(record.content),
            (1, HANDSHAKE) if record.content.len() <= PROTECTED_MAX => Some(PROTECTED_PIECES),
            // With keys it means nothing any more.
            (0, CHANGE_CIPHER_SPEC) => (!self.keyed).then_some(1),
            // It is only believed under keys: anybody who writes a client's address could end a handshake.
            (0, ALERT) => {
                self.alert = self.alert.or(record.fatal()).filter(|_| !self.keyed);
                None
            }
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
        if !self.is_news(record, pieces) {
            return false;
        }
        let bytes = record.whole.len().max(self.hello);
        let left = self.pieces.checked_sub(pieces);
        let left = left.zip(self.bytes.checked_sub(bytes));
        if let Some(left) = left {
            (self.pieces, self.bytes) = left;
        }
        left.is_some()
    }

    /// How many fragments of messages these are (RFC 6347, 4.2.2), if each is what it says.
    fn fragments(&mut self, mut content: &[u8]) -> Option<usize> {
        let mut count = 0;
        while !content.is_empty() {
            let (fragment, behind) = Fragment::read(content)?;
            content = behind;
            // The library takes the next one to begin where the whole message would end.
            let hides = !fragment.is_whole() && !content.is_empty();
            if hides || !fragment.is_what_it_says() || !self.may_follow(&fragment) {
                return None;
            }
            if fragment.is_hello() {
                let is_short = hello::is_short(fragment.kind(), fragment.body);
                self.hello = self.hello.max(is_short.then_some(fragment.length)?);
            }
            count += 1;
        }
        Some(count)
    }

    /// A client's second message is its first again, for that is the only second one that the library takes, and it takes
    /// the first that comes. A third hello would be what it believes to have been agreed on.
    fn may_follow(&self, fragment: &Fragment<'_>) -> bool {
        let is_hello = fragment.kind() == hello::CLIENT;
        match (fragment.number(), &self.begun) {
            (0, _) => true,
            (1, Some(begun)) => is_hello && begun.goes_on_with(fragment.body),
            _ => !is_hello,
        }
    }
}

/// What a client is to say its hello again with, if this asks for that (RFC 6347, 4.2.1).
pub fn cookie(datagram: &[u8]) -> Option<&[u8]> {
    let asks = Record::read(datagram)?.pieces().next()?;
    let is_asked = asks.kind() == HELLO_VERIFY_REQUEST;
    hello::cookie(asks.body).filter(|_| is_asked)
}

/// The hello that begins a handshake, if it is in this datagram as a whole.
pub fn first_hello(datagram: &[u8]) -> Option<&[u8]> {
    let mut rest = datagram;
    let records = std::iter::from_fn(|| {
        let record = Record::read(rest)?;
        rest = &rest[record.whole.len()..];
        Some(record)
    });
    let mut pieces = records.flat_map(|record| record.pieces());
    let is_first = |piece: &Fragment<'_>| piece.kind() == hello::CLIENT && piece.number() == 0;
    let hello = pieces.find(|piece| is_first(piece) && piece.is_whole())?;
    Some(hello.body)
}

/// A record, as far as it can be read without keys (RFC 6347, 4.1).
struct Record<'a> {
    kind: u8,
    epoch: u16,
    content: &'a [u8],
    /// With its header.
    whole: &'a [u8],
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
            whole: datagram.get(..RECORD_HEADER_BYTES + length)?,
        })
    }

    /// It holds messages that can be read.
    fn is_open(&self) -> bool {
        (self.epoch, self.kind) == (0, HANDSHAKE)
    }

    /// What it says ended a handshake: an alert that is fatal (RFC 5246, 7.2).
    fn fatal(&self) -> Option<u8> {
        match *self.content {
            [FATAL, why] => Some(why),
            _ => None,
        }
    }

    /// The pieces of these.
    fn pieces(&self) -> impl Iterator<Item = Fragment<'a>> + use<'a> {
        let mut rest = if self.is_open() { self.content } else { &[] };
        std::iter::from_fn(move || {
            let (fragment, behind) = Fragment::read(rest)?;
            rest = behind;
            Some(fragment)
        })
    }

    /// The piece of a hello that it holds and nothing else.
    fn piece_of_hello(&self) -> Option<Fragment<'a>> {
        let (fragment, behind) = Fragment::read(self.content).filter(|_| self.is_open())?;
        let is_piece = fragment.is_hello() && !fragment.is_whole() && behind.is_empty();
        is_piece.then_some(fragment)
    }

    /// The same record with other content, of less than 64 KiB.
    fn bearing(&self, content: &[u8]) -> Cow<'a, [u8]> {
        let mut whole = self.whole[..RECORD_HEADER_BYTES - 2].to_vec();
        whole.extend((content.len() as u16).to_be_bytes());
        whole.extend_from_slice(content);
        Cow::Owned(whole)
    }
}

/// A piece of a message of a handshake (RFC 6347, 4.2.2).
pub struct Fragment<'a> {
    /// What all pieces of a message begin with: its kind, its length and its number.
    pub head: [u8; 6],
    /// Of the message, in bytes.
    pub length: usize,
    pub offset: usize,
    pub body: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// The first one, if it is there, and what stands behind it.
    fn read(content: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, behind) = content.split_first_chunk::<FRAGMENT_HEADER_BYTES>()?;
        let [kind, l0, l1, l2, m0, m1, o0, o1, o2, f0, f1, f2] = *header;
        let [length, offset, here] = [[l0, l1, l2], [o0, o1, o2], [f0, f1, f2]].map(number);
        let (body, behind) = behind.split_at_checked(here)?;
        let fragment = Self {
            head: [kind, l0, l1, l2, m0, m1],
            length,
            offset,
            body,
        };
        Some((fragment, behind))
    }

    fn kind(&self) -> u8 {
        self.head[0]
    }

    /// Which message of a side it belongs to, from 0.
    fn number(&self) -> u16 {
        let [.., m0, m1] = self.head;
        u16::from_be_bytes([m0, m1])
    }

    fn is_hello(&self) -> bool {
        hello::is_hello(self.kind())
    }

    fn is_whole(&self) -> bool {
        self.body.len() >= self.length
    }

    /// It brings something, if there is anything to bring, and it is within a message that may be so long.
    pub fn is_what_it_says(&self) -> bool {
        let most = match self.is_hello() {
            true => HELLO_MAX,
            false => MESSAGE_MAX,
        };
        let is_empty = self.body.is_empty() && self.length > 0;
        self.length <= most && self.offset + self.body.len() <= self.length && !is_empty
    }
}

fn number([high, middle, low]: [u8; 3]) -> usize {
    u32::from_be_bytes([0, high, middle, low]) as usize
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
        assert_eq!(kept(&record(ALERT, 1, 0, &[])), 0);
        assert_eq!(kept(&record(ALERT, 0, 0, &[1, 0])), 0);
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
