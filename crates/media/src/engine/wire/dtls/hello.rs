//! What a hello may say, that the library reads it quickly. It reads each extension as if all that stands behind it were its
//! own, and the whole again, twice, for every later datagram of a handshake: some thousand extensions that lie about their
//! lengths are a tenth of a second each time.
//!
//! So it gets a hello only as a whole, with few extensions and each once. One that comes in pieces is kept here until it is; pieces that do
//! not come in their order are dropped like lost ones, and the client says them again.

use super::records::{FRAGMENT_HEADER_BYTES, Fragment};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;

pub const CLIENT: u8 = 1;
const SERVER: u8 = 2;
pub const HELLO_VERIFY_REQUEST: u8 = 3;

/// Bytes of a hello. One for DTLS 1.2 has 150 to 300. One that offers DTLS 1.3 with a key against quantum computers has 1,216
/// for that key and less than 2,048; this has room for two such keys.
pub const HELLO_MAX: usize = 4 * 1_024;
/// Extensions of one. Browsers write about fifteen, some of which mean nothing (RFC 8701).
const EXTENSIONS_MAX: usize = 32;
/// The extension that says how media may be protected (RFC 5764, 4.1.1).
const USE_SRTP: [u8; 2] = [0, 14];
/// Its version and what is random in it (RFC 5246, 7.4.1.2).
const FIXED_BYTES: usize = 34;

pub fn is_hello(kind: u8) -> bool {
    kind == CLIENT || kind == SERVER
}

/// Whether the library reads this whole hello quickly.
pub fn is_short(kind: u8, hello: &[u8]) -> bool {
    hello.len() <= HELLO_MAX && extensions(kind, hello).is_some_and(are_few)
}

/// Where its extensions stand (RFC 5246, 7.4.1.2 and 7.4.1.3; RFC 6347, 4.2.1); `None` if it is written otherwise, or if the
/// library would look for them elsewhere.
fn extensions(kind: u8, hello: &[u8]) -> Option<&[u8]> {
    if kind == CLIENT {
        return ClientHello::read(hello).map(|hello| hello.extensions);
    }
    let (_session, rest) = part::<1>(hello.get(FIXED_BYTES..)?)?;
    part::<2>(rest.get(3..)?).map(|(list, _)| list)
}

/// What a client says with its hello (RFC 5246, 7.4.1.2; RFC 6347, 4.2.1).
struct ClientHello<'a> {
    fixed: &'a [u8],
    cookie: &'a [u8],
    suites: &'a [u8],
    compressions: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> ClientHello<'a> {
    fn read(hello: &'a [u8]) -> Option<Self> {
        let (fixed, rest) = hello.split_at_checked(FIXED_BYTES)?;
        let (session, rest) = part::<1>(rest)?;
        let (cookie, rest) = part::<1>(rest)?;
        let (suites, rest) = part::<2>(rest)?;
        let (compressions, rest) = part::<1>(rest)?;
        let (extensions, _) = part::<2>(rest)?;
        // The library reads on as if no session were named; no client has one to name. Of half a suite it would make half
        // a length.
        let is_read = session.is_empty() && suites.len().is_multiple_of(2);
        is_read.then_some(Self {
            fixed,
            cookie,
            suites,
            compressions,
            extensions,
        })
    }

    fn use_srtp(&self) -> Option<&'a [u8]> {
        let offer = each(self.extensions).find(|(kind, _)| *kind == USE_SRTP)?;
        Some(offer.1)
    }

    /// All that a client says again as it was (RFC 6347, 4.2.1), and what media may be protected with.
    fn offer(&self) -> [&'a [u8]; 4] {
        let srtp = self.use_srtp().unwrap_or_default();
        [self.fixed, self.suites, self.compressions, srtp]
    }
}

/// The hello that began a handshake, and the cookie with which it is asked for again. Only that second one is authenticated in
/// the end, and the library chooses from the first: so they must be the same, but for the cookie.
#[derive(Debug, PartialEq, Eq)]
pub struct Begun {
    pub hello: Vec<u8>,
    pub cookie: Vec<u8>,
}

impl Begun {
    pub fn goes_on_with(&self, hello: &[u8]) -> bool {
        let both = ClientHello::read(&self.hello).zip(ClientHello::read(hello));
        both.is_some_and(|(first, second)| {
            second.cookie == self.cookie && second.offer() == first.offer()
        })
    }
}

/// What a server asks for with its request to say hello again, behind its version.
pub fn cookie(request: &[u8]) -> Option<&[u8]> {
    part::<1>(request.get(2..)?).map(|(cookie, _)| cookie)
}

/// What a client's hello offers to protect media with, in its order (RFC 5764, 4.1.1).
pub fn profiles(hello: &[u8]) -> Vec<SrtpProtectionProfile> {
    let offer = ClientHello::read(hello).and_then(|hello| hello.use_srtp());
    let list = offer.and_then(part::<2>);
    let (pairs, _) = list.map_or(&[][..], |(list, _)| list).as_chunks::<2>();
    let profiles = pairs.iter().map(|pair| u16::from_be_bytes(*pair).into());
    profiles.collect()
}

/// The extensions of a list, each with its kind, as far as they are whole.
fn each(mut list: &[u8]) -> impl Iterator<Item = ([u8; 2], &[u8])> {
    std::iter::from_fn(move || {
        let (kind, behind) = list.split_first_chunk::<2>()?;
        let (extension, rest) = part::<2>(behind)?;
        list = rest;
        Some((*kind, extension))
    })
}

/// No kind stands there twice (RFC 5246, 7.4.1.4).
fn are_few(mut list: &[u8]) -> bool {
    let mut kinds = vec![];
    while let Some((kind, behind)) = list.split_first_chunk::<2>() {
        let Some((_, rest)) = part::<2>(behind) else {
            return false;
        };
        if kinds.contains(kind) || kinds.len() == EXTENSIONS_MAX {
            return false;
        }
        kinds.push(*kind);
        list = rest;
    }
    list.is_empty()
}

/// What its length stands before, in so many bytes, and what is behind it.
fn part<const N: usize>(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<N>()?;
    let length = length
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

/// A hello of which something is still to come.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    head: [u8; 6],
    body: Vec<u8>,
}

impl Pieces {
    /// The message, written as one fragment, once this piece of it was the last.
    pub fn with(&mut self, piece: &Fragment<'_>) -> Option<Vec<u8>> {
        if piece.offset == 0 {
            self.head = piece.head;
            self.body.clear();
        }
        let goes_on = self.head == piece.head && self.body.len() == piece.offset;
        if !goes_on || !piece.is_what_it_says() {
            return None;
        }
        self.body.extend_from_slice(piece.body);
        if self.body.len() < piece.length {
            return None;
        }
        let mut whole = Vec::with_capacity(FRAGMENT_HEADER_BYTES + piece.length);
        whole.extend(self.head);
        whole.extend([0; 3]);
        whole.extend_from_slice(&self.head[1..4]);
        whole.append(&mut self.body);
        Some(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{LYING, hello, hello_of};
    use super::*;

    /// So many empty extensions, each of a kind of its own.
    fn many(count: u8) -> Vec<u8> {
        (0..count).flat_map(|kind| [9, kind, 0, 0]).collect()
    }

    #[test]
    fn a_hello_has_few_extensions_and_each_once() {
        let from_client = |more: &[u8]| is_short(CLIENT, &hello(more));
        assert!(from_client(&[]) && from_client(&many(29)));
        assert!(!from_client(&many(30)));
        assert!(!from_client(&LYING), "there are groups already");
        assert!(!from_client(&[9, 9, 0, 1]), "not there");
        assert!(!from_client(&[9, 9, 0]), "no whole one");
        let long = [&[9, 9, 0x0f, 0xc0][..], &[7; 0x0fc0]].concat();
        assert!(!from_client(&long), "longer than any");
    }

    #[test]
    fn what_a_hello_offers_is_read_in_its_order() {
        use SrtpProtectionProfile as Known;
        let offered = |offer: &[u8]| profiles(&hello_of(offer, &[]));
        let (cm, gcm) = (
            Known::Srtp_Aes128_Cm_Hmac_Sha1_80,
            Known::Srtp_Aead_Aes_128_Gcm,
        );
        assert_eq!(offered(&[7, 0, 4, 0, 1, 0, 7, 0]), [cm, gcm]);
        assert_eq!(offered(&[7, 0, 4, 0, 7, 0, 1, 0]), [gcm, cm]);
        assert_eq!(offered(&[3, 0, 0, 0]), []);
        assert_eq!(offered(&[5, 0, 9, 0, 7, 0]), [], "not there");
        assert_eq!(offered(&[6, 0, 3, 0, 7, 0, 0]), [gcm], "half a profile");
    }

    #[test]
    fn a_hello_is_written_as_the_library_reads_it() {
        let good = hello(&[]);
        for length in 0..good.len() {
            assert!(!is_short(CLIENT, &good[..length]), "{length} bytes of it");
        }
        let (fixed, behind) = good.split_at(FIXED_BYTES);
        let named = [fixed, &[1, 7], &behind[1..]].concat();
        assert!(!is_short(CLIENT, &named), "a session");
        // A server names the session, one suite and one compression.
        let theirs = |list: &[u8]| {
            let length = [0, list.len() as u8];
            [fixed, &[1, 7], &[0xc0, 0x2b, 0], &length, list].concat()
        };
        assert!(is_short(SERVER, &theirs(&many(32))));
        assert!(!is_short(SERVER, &theirs(&many(33))));
        assert!(!is_short(SERVER, &theirs(&LYING.repeat(2))));
    }
}
