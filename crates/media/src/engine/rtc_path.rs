//! What the library forgets on the way to a path, told to it again.
//!
//! Both sides of ICE check a path before they use it, and the client names the one it uses. The library drops what
//! comes before it can act on it, and a browser repeats some of that only after more than a second:
//!
//! * A client may name a path before the library has proved it. The naming is kept until the proof has come.
//! * A browser whose first three checks were in vain names its path a second after it has begun to use it, and the
//!   library drops DTLS on a path without a name. A client that begins DTLS on a proved path has chosen it, so we name
//!   it ourselves (RFC 8445, 12.1 lets it send there before it has said so).
//! * DTLS may overtake the proof. It is held until then.

use super::EngineError;
use super::sdp;
use crate::demux::is_stun;
use bytes::BytesMut;
use rtc::ice::attributes::use_candidate::UseCandidateAttr;
use rtc::stun::attributes::ATTR_USERNAME;
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, Message, TransactionId};
use rtc::stun::textattrs::Username;
use std::net::SocketAddr;

const STUN_REQUEST: [u8; 2] = [0x00, 0x01];
const STUN_SUCCESS: [u8; 2] = [0x01, 0x01];
const USE_CANDIDATE: [u8; 2] = [0x00, 0x25];

/// Paths a client may prove; a further one is used only once the client names it.
const PROVED_MAX: usize = 8;
/// Datagrams of DTLS kept for a path without a name; a further one is dropped, and the client sends it again.
const HELD_MAX: usize = 4;

pub struct Path {
    ufrag: String,
    password: String,
    /// The client's user name fragment.
    theirs: Option<String>,
    nomination: Option<(SocketAddr, BytesMut)>,
    /// From where our own checks were answered.
    proved: Vec<SocketAddr>,
    /// The library knows the path that is used.
    named: bool,
    held: Vec<(SocketAddr, BytesMut)>,
}

impl Path {
    /// `ours` is our own description, `theirs` the client's name.
    pub fn new(ours: &str, theirs: Option<&str>) -> Result<Self, EngineError> {
        let ufrag = sdp::ufrag(ours).ok_or(EngineError::Sdp("it led to no user name"))?;
        let password = sdp::password(ours).ok_or(EngineError::Sdp("it led to no password"))?;
        Ok(Self {
            ufrag: ufrag.to_owned(),
            password: password.to_owned(),
            theirs: theirs.map(str::to_owned),
            nomination: None,
            proved: vec![],
            named: false,
            held: vec![],
        })
    }

    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// What the library is to hear, in order, now that a datagram came.
    pub fn receive(&mut self, datagram: BytesMut, from: SocketAddr) -> Vec<BytesMut> {
        if self.named {
            return vec![datagram];
        }
        let mut heard = vec![];
        if is_dtls(&datagram) {
            if self.held.len() < HELD_MAX {
                self.held.push((from, datagram));
            }
        } else {
            self.note(&datagram, from);
            heard.push(datagram);
        }
        heard.extend(self.name());
        if self.named {
            heard.extend(self.held.drain(..).map(|(_, datagram)| datagram));
        }
        heard
    }

    fn note(&mut self, datagram: &BytesMut, from: SocketAddr) {
        let proved = self.proved.contains(&from);
        if !is_stun(datagram) {
            return;
        }
        if names_the_path(datagram) {
            self.named = proved;
            self.nomination = Some((from, datagram.clone()));
        } else if datagram[..2] == STUN_SUCCESS && !proved && self.proved.len() < PROVED_MAX {
            self.proved.push(from);
        }
    }

    /// The name of a path, if it must be told and can be.
    fn name(&mut self) -> Option<BytesMut> {
        let Self { proved, named, .. } = self;
        if *named {
            return None;
        }
        let nomination = self.nomination.take_if(|(of, _)| proved.contains(of));
        let name = match nomination {
            Some((_, nomination)) => Some(nomination),
            None if self.held.iter().any(|(of, _)| proved.contains(of)) => self.naming(),
            None => None,
        };
        self.named = name.is_some();
        name
    }

    /// The check by which the client would name its path. It is keyed with our own password, so the library takes it.
    fn naming(&self) -> Option<BytesMut> {
        let provider = rtc::crypto::default_provider().ok()?;
        let user = format!("{}:{}", self.ufrag, self.theirs.as_deref()?);
        let mut check = Message::new();
        let built = check.build(&[
            Box::new(BINDING_REQUEST),
            Box::new(TransactionId::new()),
            Box::new(Username::new(ATTR_USERNAME, user)),
            Box::new(UseCandidateAttr::new()),
            Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
                self.password.clone(),
                provider.crypto(),
            )),
            Box::new(FINGERPRINT),
        ]);
        built.ok()?;
        Some(BytesMut::from(&check.raw[..]))
    }
}

/// Whether a datagram is DTLS (RFC 7983).
fn is_dtls(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|byte| (20..64).contains(byte))
}

/// Whether a STUN datagram is a request that names its path for use (USE-CANDIDATE, an attribute without a body).
fn names_the_path(datagram: &[u8]) -> bool {
    let mut rest = &datagram[20..];
    while let [t0, t1, l0, l1, body @ ..] = rest {
        if [*t0, *t1] == USE_CANDIDATE {
            return datagram[..2] == STUN_REQUEST;
        }
        let length = usize::from(u16::from_be_bytes([*l0, *l1])).next_multiple_of(4);
        let Some(next) = body.get(length..) else {
            return false;
        };
        rest = next;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::slice::from_ref;

    const OURS: &str = "v=0\r\na=ice-ufrag:ours\r\na=ice-pwd:a password of some length\r\n";

    fn stun(kind: [u8; 2], body: &[u8]) -> BytesMut {
        let mut bytes = BytesMut::from(&kind[..]);
        bytes.extend([0, body.len() as u8, 0x21, 0x12, 0xa4, 0x42]);
        bytes.extend([0; 12]);
        bytes.extend(body);
        bytes
    }

    fn naming() -> BytesMut {
        stun(STUN_REQUEST, &[USE_CANDIDATE[0], USE_CANDIDATE[1], 0, 0])
    }

    fn dtls(number: u8) -> BytesMut {
        BytesMut::from(&[22, 254, 255, number][..])
    }

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn path() -> Path {
        Path::new(OURS, Some("theirs")).unwrap()
    }

    #[test]
    fn a_path_named_too_early_is_named_again_when_it_is_proved() {
        let mut path = path();
        let (naming, proof) = (naming(), stun(STUN_SUCCESS, &[]));
        assert_eq!(path.receive(naming.clone(), at(1))[..], *from_ref(&naming));
        assert_eq!(path.receive(proof.clone(), at(2))[..], *from_ref(&proof));
        assert_eq!(path.receive(proof.clone(), at(1)), [proof, naming]);
        assert_eq!(path.receive(dtls(1), at(1)), [dtls(1)]);
    }

    #[test]
    fn a_path_named_in_time_needs_no_help() {
        let mut path = path();
        path.receive(stun(STUN_SUCCESS, &[]), at(1));
        assert_eq!(path.receive(naming(), at(1)), [naming()]);
        assert_eq!(path.receive(dtls(1), at(1)), [dtls(1)]);
    }

    #[test]
    fn a_proved_path_is_named_where_the_client_begins_dtls() {
        let mut path = path();
        let proof = stun(STUN_SUCCESS, &[]);
        assert_eq!(path.receive(proof.clone(), at(1))[..], *from_ref(&proof));
        assert!(path.receive(dtls(1), at(2)).is_empty(), "another path");
        let [named, held, came] = path.receive(dtls(2), at(1)).try_into().unwrap();
        assert!(names_the_path(&named));
        assert!(named.windows(11).any(|part| part == b"ours:theirs"));
        assert_eq!([held, came], [dtls(1), dtls(2)]);
    }

    #[test]
    fn dtls_that_overtakes_the_proof_is_held_but_not_without_end() {
        let mut path = path();
        for number in 0..9 {
            assert!(path.receive(dtls(number), at(1)).is_empty());
        }
        let heard = path.receive(stun(STUN_SUCCESS, &[]), at(1));
        assert_eq!(heard[2..], [dtls(0), dtls(1), dtls(2), dtls(3)]);
        assert_eq!(path.receive(dtls(9), at(1)), [dtls(9)]);
    }
}
