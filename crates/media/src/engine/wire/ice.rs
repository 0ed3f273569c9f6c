//! The passive end of ICE (RFC 8445, lite): it answers checks, and the client names the path.
//!
//! A check proves that its sender knows our password, or repeats what somebody said who does: STUN knows no order. So it
//! proves a path, from an address of its own to one of ours, and may name it (USE-CANDIDATE). The path in use is
//! left only when a packet that keys protect comes by the new one, or none comes any more by the old. A client that changes
//! its address in mid-call takes its media along; and so does one that goes on from a proved address without naming it, as
//! one does that does not know of its router's new address.
//!
//! All of that says who sends, not who is there: whoever has a link can write another's address as its own. So whatever
//! comes by a new path is met with a check of ours, no longer than what came, and the client is *reached* there when it
//! has answered it (RFC 8445, 7.3.1.4, and RFC 7675, 5.1).

use crate::demux::is_stun;
use crate::engine::Path;
use rtc::crypto::RTCCryptoProvider;
use rtc::shared::error::Error;
use rtc::stun::attributes::{
    ATTR_ICE_CONTROLLED, ATTR_MESSAGE_INTEGRITY, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME,
    AttrType,
};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{
    BINDING_REQUEST, BINDING_SUCCESS, Message, MessageType, Setter, TransactionId,
};
use rtc::stun::textattrs::Username;
use rtc::stun::xoraddr::XorMappedAddress;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Paths that a client may have proved, by eight addresses to two of ours; a further one takes the place of the one that was
/// longest not checked, but never of the path.
const PROVED_MAX: usize = 16;
/// Checks along the path that are remembered, so that one that is repeated says nothing: those of more than ten minutes.
const CHECKS_REMEMBERED: usize = 256;
/// Things a message may say: a browser's check says about ten.
const ATTRIBUTES_MAX: usize = 32;
const HEADER_BYTES: usize = 20;
/// How often we ask how far a client is.
const ASK_INTERVAL: Duration = Duration::from_secs(5);
/// A path that brought nothing for so long may be left for another.
pub const STILL: Duration = Duration::from_secs(1);
/// Six bits a letter: the name has 48 of them, the password 144 (RFC 8445, 5.3, wants 24 and 128).
const UFRAG_LETTERS: usize = 8;
const PASSWORD_LETTERS: usize = 24;

pub struct Ice {
    provider: Arc<dyn RTCCryptoProvider>,
    ufrag: String,
    password: String,
    /// The client's name and password, once its description is known.
    theirs: Option<(String, String)>,
    /// The one checked last at the end.
    proved: Vec<Proved>,
    path: Option<Path>,
    /// The client is reached by the path.
    is_reached: bool,
    /// When something that keys protect last came over it.
    heard: Option<Instant>,
    /// The path the client named last.
    named: Option<Path>,
    /// The last checks that came along the path, the oldest first.
    checks: VecDeque<TransactionId>,
    /// The last check that was answered is one of them, and had not come before.
    is_checked: bool,
    /// Our own last check, and when it left; answered, it has no number any more.
    asked: Option<(Option<TransactionId>, Instant)>,
}

/// A path from which somebody has shown that it knows our password.
struct Proved {
    path: Path,
    /// The number of our check along it, the same each time it is repeated, until it is answered.
    unanswered: Option<TransactionId>,
    /// The length of the longest datagram that came by it before there was whom to ask.
    came: usize,
}

/// What a check of ours says beside who asks whom: we name no path, and our priority counts for nothing (RFC 8445, 7.1).
struct OfNoWeight;

impl Setter for OfNoWeight {
    fn add_to(&self, message: &mut Message) -> Result<(), Error> {
        message.add(ATTR_PRIORITY, &[0, 0, 0, 1]);
        message.add(ATTR_ICE_CONTROLLED, &[0; 8]);
        Ok(())
    }
}

impl Ice {
    pub fn new(provider: Arc<dyn RTCCryptoProvider>) -> Result<Self, Error> {
        let letters = || -> Result<String, Error> {
            let mut bytes = [0; PASSWORD_LETTERS];
            provider
                .random()
                .fill(&mut bytes)
                .map_err(|error| Error::Crypto(error.to_string()))?;
            Ok(bytes.iter().map(|byte| letter(*byte)).collect())
        };
        let (name, password) = (letters()?, letters()?);
        Ok(Self {
            ufrag: name[..UFRAG_LETTERS].to_owned(),
            password,
            provider,
            theirs: None,
            proved: vec![],
            path: None,
            is_reached: false,
            heard: None,
            named: None,
            checks: VecDeque::new(),
            is_checked: false,
            asked: None,
        })
    }

    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// The client's name and password are known: it can be asked how far it is, and whether it is there.
    pub fn described(&mut self, theirs: &str, password: &str) {
        self.theirs = Some((theirs.to_owned(), password.to_owned()));
    }

    /// A check of our own along the path, from time to time: we need none, but a client answers it, and the answer tells how
    /// long a round trip takes.
    pub fn ask(&mut self, now: Instant) -> Option<(Path, Vec<u8>)> {
        let passed = |at| now.saturating_duration_since(at) >= ASK_INTERVAL;
        let is_due = self.asked.is_none_or(|(_, at)| passed(at));
        let path = self.path.filter(|_| is_due)?;
        let id = TransactionId::new();
        let check = self.check(id)?;
        self.asked = Some((Some(id), now));
        Some((path, check))
    }

    /// A check of our own by a way that a datagram of so many bytes came, while it is not known whether the client is reached
    /// there. It has nothing to say to one that is shorter, so that nobody makes more of what it sends.
    pub fn ask_back(&mut self, from: Path, bytes: usize) -> Option<Vec<u8>> {
        let proved = self.proved.iter_mut().find(|one| one.path == from)?;
        if self.theirs.is_none() {
            proved.came = proved.came.max(bytes);
        }
        let id = proved.unanswered?;
        self.check(id).filter(|check| check.len() <= bytes)
    }

    /// The paths by which something came before there was whom to ask, and how long it was; each once.
    pub fn came_before(&mut self) -> Vec<(Path, usize)> {
        let proved = self.proved.iter_mut();
        let came = proved.map(|one| (one.path, std::mem::take(&mut one.came)));
        came.collect()
    }

    fn check(&self, id: TransactionId) -> Option<Vec<u8>> {
        let (theirs, password) = self.theirs.as_ref()?;
        let mut check = Message::new();
        let built = check.build(&[
            Box::new(BINDING_REQUEST),
            Box::new(id),
            Box::new(Username::new(
                ATTR_USERNAME,
                format!("{theirs}:{}", self.ufrag),
            )),
            Box::new(OfNoWeight),
            Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
                password.clone(),
                self.provider.crypto(),
            )),
            Box::new(FINGERPRINT),
        ]);
        built.ok().map(|()| check.raw)
    }

    /// The answer to a check of ours shows that the client is reached there. Gives how long it took, if it is that to `ask`.
    pub fn answered(&mut self, datagram: &[u8], from: Path, now: Instant) -> Option<Duration> {
        let answer = self.answers(datagram)?;
        let mut proved = self.proved.iter_mut().filter(|one| one.path == from);
        if let Some(one) = proved.find(|one| one.unanswered == Some(answer)) {
            one.unanswered = None;
            self.is_reached |= self.path == Some(from);
        }
        let (id, at) = self.asked.as_mut().filter(|_| self.path == Some(from))?;
        if *id != Some(answer) {
            return None;
        }
        *id = None;
        Some(now.saturating_duration_since(*at))
    }

    /// The number of the check of ours that a datagram answers, if it is the client's.
    fn answers(&self, datagram: &[u8]) -> Option<TransactionId> {
        let (_, password) = self.theirs.as_ref()?;
        let mut answer = read(datagram, BINDING_SUCCESS)?;
        let crypto = self.provider.crypto();
        let is_genuine = MessageIntegrity::check(&mut answer, password.as_bytes(), crypto).is_ok();
        is_genuine.then_some(answer.transaction_id)
    }

    /// Where to send; `None` until the client has shown the way.
    pub fn path(&self) -> Option<Path> {
        self.path
    }

    /// Whether what is sent along the path arrives at the client, and at nobody else.
    pub fn is_reached(&self) -> bool {
        self.is_reached
    }

    /// Whether something other than a check may come by a path.
    pub fn is_proved(&self, from: Path) -> bool {
        self.proved.iter().any(|one| one.path == from)
    }

    fn go_by(&mut self, path: Path) {
        let mut proved = self.proved.iter();
        self.is_reached = proved.any(|one| one.path == path && one.unanswered.is_none());
        self.path = Some(path);
    }

    /// The client begins on a proved path before it has named it (RFC 8445, 12.1 lets it).
    pub fn begins_at(&mut self, from: Path) {
        if self.path.is_none() && self.is_proved(from) {
            self.go_by(from);
        }
    }

    /// A packet that keys protect, the newest of its kind, came by a proved path: the client is there. Its checks of
    /// consent need not name the path again (RFC 7675, 5.1). One that was on its way does not lead back.
    pub fn goes_on_at(&mut self, from: Path, now: Instant) {
        let may_move = self.named == Some(from) || self.is_still(now);
        if self.path != Some(from) && self.is_proved(from) && may_move {
            self.go_by(from);
            self.named = Some(from);
        }
        if self.path == Some(from) {
            self.heard = Some(now);
        }
    }

    /// Nothing comes over the path.
    fn is_still(&self, now: Instant) -> bool {
        let passed = |at| now.saturating_duration_since(at) >= STILL;
        self.heard.is_none_or(passed)
    }

    /// The answer to a check, if it is one and genuine. To anything else nothing is said: an answer would tell the
    /// server's other parts that the address is the client's.
    pub fn receive(&mut self, datagram: &[u8], from: Path, now: Instant) -> Option<Vec<u8>> {
        let mut check = read(datagram, BINDING_REQUEST)?;
        if !self.is_genuine(&mut check) {
            return None;
        }
        // A client's own says more than it must (RFC 8445, 7.1), so that this one is to draw an answer.
        let answer = self.answer(&check, from)?;
        if answer.len() > datagram.len() {
            return None;
        }
        self.prove(from);
        if said(&check, ATTR_USE_CANDIDATE).is_some() {
            self.named = Some(from);
            if self.is_still(now) {
                self.go_by(from);
            }
        }
        self.is_checked = self.path == Some(from) && self.is_new(check.transaction_id);
        Some(answer)
    }

    /// Whether the client said by the last check that was answered, along the path, that it is there. One that comes by
    /// another way may be of somebody who repeats it sooner than it comes itself, so it is not even remembered.
    pub fn is_checked(&self) -> bool {
        self.is_checked
    }

    fn is_new(&mut self, check: TransactionId) -> bool {
        if self.checks.contains(&check) {
            return false;
        }
        if self.checks.len() == CHECKS_REMEMBERED {
            self.checks.pop_front();
        }
        self.checks.push_back(check);
        true
    }

    fn prove(&mut self, from: Path) {
        let known = self.proved.iter().position(|one| one.path == from);
        let one = match known {
            Some(place) => self.proved.remove(place),
            None => Proved {
                path: from,
                unanswered: Some(TransactionId::new()),
                came: 0,
            },
        };
        if self.proved.len() == PROVED_MAX {
            let path = self.path;
            let oldest = self.proved.iter().position(|one| Some(one.path) != path);
            self.proved.remove(oldest.unwrap_or(0));
        }
        self.proved.push(one);
    }

    fn is_genuine(&self, check: &mut Message) -> bool {
        if FINGERPRINT.check(check).is_err() {
            return false;
        }
        let user = said(check, ATTR_USERNAME);
        let user = user.and_then(|user| String::from_utf8(user.to_vec()).ok());
        let Some((ours, theirs)) = user.as_deref().and_then(|user| user.split_once(':')) else {
            return false;
        };
        let known = self.theirs.as_ref();
        ours == self.ufrag
            && known.is_none_or(|(known, _)| known == theirs)
            && MessageIntegrity::check(check, self.password.as_bytes(), self.provider.crypto())
                .is_ok()
    }

    fn answer(&self, check: &Message, from: Path) -> Option<Vec<u8>> {
        let mut answer = Message::new();
        let built = answer.build(&[
            Box::new(BINDING_SUCCESS),
            Box::new(check.transaction_id),
            Box::new(XorMappedAddress {
                ip: from.client.ip(),
                port: from.client.port(),
            }),
            Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
                self.password.clone(),
                self.provider.crypto(),
            )),
            Box::new(FINGERPRINT),
        ]);
        built.ok().map(|()| answer.raw)
    }
}

/// A message of a kind, if it says no more than any client does: the library makes room for each thing by itself.
fn read(datagram: &[u8], kind: MessageType) -> Option<Message> {
    let is_of_kind = datagram.starts_with(&kind.value().to_be_bytes());
    if !is_of_kind || !is_stun(datagram) || attributes(datagram) > ATTRIBUTES_MAX {
        return None;
    }
    let mut message = Message::new();
    message.unmarshal_binary(datagram).ok()?;
    Some(message)
}

/// How many things a message says (RFC 8489, 14), as far as that matters.
fn attributes(message: &[u8]) -> usize {
    let mut rest = message.get(HEADER_BYTES..).unwrap_or_default();
    let mut count = 0;
    while let [_, _, l0, l1, body @ ..] = rest
        && count <= ATTRIBUTES_MAX
    {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let behind = body.get(length.next_multiple_of(4)..);
        (rest, count) = (behind.unwrap_or_default(), count + 1);
    }
    count
}

/// What a message says that its signature covers: nothing behind it counts but the fingerprint (RFC 8489, 14.5).
fn said(message: &Message, kind: AttrType) -> Option<&[u8]> {
    let all = message.attributes.0.iter();
    let mut signed = all.take_while(|one| one.typ != ATTR_MESSAGE_INTEGRITY);
    let one = signed.find(|one| one.typ == kind)?;
    Some(&one.value)
}

/// One of the 64 letters ICE allows (RFC 8839, 5.4).
fn letter(byte: u8) -> char {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char::from(LETTERS[usize::from(byte & 63)])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bare_check_of, check, long_check_of, provider};
    use super::*;
    use rtc::stun::xoraddr::XorMappedAddress;
    use std::net::SocketAddr;

    fn at(port: u16) -> Path {
        SocketAddr::from(([127, 0, 0, 1], port)).into()
    }

    fn ice() -> Ice {
        Ice::new(provider()).unwrap()
    }

    #[test]
    fn a_genuine_check_is_answered_with_the_address_it_came_from() {
        let mut ice = ice();
        let answer = ice
            .receive(&check(&ice, "them", false), at(7), Instant::now())
            .unwrap();
        let mut message = Message::new();
        message.unmarshal_binary(&answer).unwrap();
        assert_eq!(message.typ, BINDING_SUCCESS);
        FINGERPRINT.check(&message).unwrap();
        let provider = provider();
        MessageIntegrity::check(&mut message, ice.password.as_bytes(), provider.crypto()).unwrap();
        let mut seen = XorMappedAddress::default();
        rtc::stun::message::Getter::get_from(&mut seen, &message).unwrap();
        assert_eq!(SocketAddr::new(seen.ip, seen.port), at(7).client);
        assert_eq!(ice.path(), None, "a check names no path");
    }

    #[test]
    fn the_newest_naming_wins_and_a_beginning_counts_only_before_it() {
        let mut ice = ice();
        ice.begins_at(at(1));
        assert_eq!(ice.path(), None, "not proved");
        ice.receive(&check(&ice, "them", false), at(1), Instant::now());
        ice.begins_at(at(1));
        assert_eq!(ice.path(), Some(at(1)));
        ice.receive(&check(&ice, "them", true), at(2), Instant::now());
        ice.begins_at(at(1));
        assert_eq!(ice.path(), Some(at(2)));
        ice.receive(&check(&ice, "them", true), at(3), Instant::now());
        assert_eq!(ice.path(), Some(at(3)));
    }

    #[test]
    fn who_goes_on_elsewhere_is_there_if_it_proved_it() {
        let (mut ice, now) = (ice(), Instant::now());
        ice.receive(&check(&ice, "them", true), at(1), now);
        ice.goes_on_at(at(2), now);
        assert_eq!(ice.path(), Some(at(1)), "not proved");
        ice.receive(&check(&ice, "them", false), at(2), now);
        assert_eq!(ice.path(), Some(at(1)), "not named");
        ice.goes_on_at(at(2), now);
        assert_eq!(ice.path(), Some(at(2)));
        ice.goes_on_at(at(1), now + STILL / 2);
        assert_eq!(ice.path(), Some(at(2)), "it was on its way");
        ice.goes_on_at(at(1), now + STILL);
        assert_eq!(ice.path(), Some(at(1)), "not named, and silent since");
    }

    #[test]
    fn the_same_client_at_another_address_of_ours_is_another_path() {
        let (mut ice, now) = (ice(), Instant::now());
        let by = |ours: u8| Path {
            ours: Some([127, 0, 0, ours].into()),
            ..at(1)
        };
        ice.receive(&check(&ice, "them", true), by(2), now);
        ice.goes_on_at(by(2), now);
        ice.goes_on_at(by(3), now + STILL);
        assert_eq!(ice.path(), Some(by(2)), "not proved");
        ice.receive(&check(&ice, "them", false), by(3), now + STILL);
        assert_eq!(ice.path(), Some(by(2)), "asked, and not named");
        ice.goes_on_at(by(3), now + STILL);
        assert_eq!(ice.path(), Some(by(3)));
    }

    #[test]
    fn who_repeats_a_check_of_another_neither_draws_its_packets_nor_drives_it_out() {
        let (mut ice, now) = (ice(), Instant::now());
        let naming = check(&ice, "them", true);
        ice.receive(&naming, at(1), now);
        ice.goes_on_at(at(1), now);
        for port in 2..30 {
            ice.receive(&naming, at(port), now + STILL / 2);
            assert_eq!(ice.path(), Some(at(1)));
        }
        assert!(ice.is_proved(at(1)), "the path stays");
        // The client itself goes elsewhere: its own packets show it.
        ice.goes_on_at(at(29), now + STILL / 2);
        assert_eq!(ice.path(), Some(at(29)));
    }

    #[test]
    fn a_client_is_asked_from_time_to_time_and_only_its_own_answer_tells_how_far_it_is() {
        let (mut ours, mut theirs, start) = (ice(), ice(), Instant::now());
        let after = |ms| start + Duration::from_millis(ms);
        ours.receive(&check(&ours, theirs.ufrag(), true), at(1), start);
        assert_eq!(ours.ask(start), None, "its password is not known");
        ours.described(theirs.ufrag(), theirs.password());
        let (to, asked) = ours.ask(start).unwrap();
        assert_eq!(to, at(1));
        assert_eq!(ours.ask(after(4_900)), None, "asked just now");
        let answer = theirs.receive(&asked, at(9), start).unwrap();
        assert_eq!(ours.answered(&answer, at(2), after(40)), None, "elsewhere");
        let mut forged = answer.clone();
        forged[30] ^= 1;
        assert_eq!(ours.answered(&forged, at(1), after(40)), None);
        let took = Duration::from_millis(40);
        assert_eq!(ours.answered(&answer, at(1), after(40)), Some(took));
        ours.ask(after(5_000)).unwrap();
        assert_eq!(ours.answered(&answer, at(1), after(5_040)), None, "old");
    }

    #[test]
    fn a_forged_check_changes_nothing_and_hears_nothing() {
        let mut ice = ice();
        let good = check(&ice, "them", true);
        // The signature is to refuse it, also where the fingerprint is right.
        let signed = 0..good.len() - FINGERPRINT_BYTES;
        let changed = (0..good.len()).map(|place| (place, false));
        for (place, is_finished) in changed.chain(signed.map(|place| (place, true))) {
            let mut forged = good.clone();
            forged[place] ^= 1;
            if is_finished {
                finish(&mut forged);
            }
            assert_eq!(
                ice.receive(&forged, at(9), Instant::now()),
                None,
                "changed at {place}"
            );
        }
        let other = Ice::new(provider()).unwrap();
        assert_eq!(
            ice.receive(&check(&other, "them", true), at(9), Instant::now()),
            None
        );
        ice.described("somebody", "their password");
        assert_eq!(
            ice.receive(&good, at(9), Instant::now()),
            None,
            "of another client"
        );
        assert_eq!((ice.path(), ice.is_proved(at(9))), (None, false));
    }

    #[test]
    fn a_client_is_reached_where_it_answers_and_nowhere_else() {
        let (mut ours, mut theirs, now) = (ice(), ice(), Instant::now());
        ours.described(theirs.ufrag(), theirs.password());
        let naming = check(&ours, theirs.ufrag(), true);
        assert_eq!(ours.ask_back(at(1), 100), None, "not proved");
        ours.receive(&naming, at(1), now);
        let asked = ours.ask_back(at(1), naming.len()).unwrap();
        assert!(asked.len() <= naming.len());
        assert_eq!(ours.ask_back(at(1), asked.len() - 1), None);
        let repeated = ours.ask_back(at(1), naming.len());
        assert_eq!(repeated.as_ref(), Some(&asked), "the same question");
        let answer = theirs.receive(&asked, at(9), now).unwrap();
        assert!(ours.answered(&answer, at(2), now).is_none() && !ours.is_reached());
        let mut forged = answer.clone();
        forged[30] ^= 1;
        assert!(ours.answered(&forged, at(1), now).is_none() && !ours.is_reached());
        ours.answered(&answer, at(1), now);
        assert!(ours.is_reached());
        assert_eq!(ours.ask_back(at(1), 100), None, "it is known");

        // Somebody writes another's address as its own.
        ours.receive(&naming, at(3), now);
        ours.goes_on_at(at(3), now);
        assert!(ours.path() == Some(at(3)) && !ours.is_reached());
        ours.answered(&answer, at(3), now);
        assert!(!ours.is_reached(), "the answer to another question");
        ours.goes_on_at(at(1), now + STILL);
        assert!(ours.is_reached(), "back where it answered");
    }

    #[test]
    fn no_check_draws_an_answer_that_is_longer() {
        let now = Instant::now();
        let v6 = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 7)).into();
        for theirs in ["", "t", "them", "their name"] {
            for (from, says_all) in [(at(7), true), (v6, true), (at(7), false), (v6, false)] {
                let mut ice = ice();
                let names = (ice.ufrag.clone(), ice.password.clone());
                let said = match says_all {
                    true => check(&ice, theirs, true),
                    false => bare_check_of((&names.0, &names.1), theirs),
                };
                let answer = ice.receive(&said, from, now);
                assert!(answer.as_ref().is_none_or(|one| one.len() <= said.len()));
                assert_eq!(answer.is_some(), ice.is_proved(from), "it changes nothing");
                assert!(answer.is_some() || !says_all, "a client's own");
            }
        }
    }

    #[test]
    fn a_check_that_says_more_than_any_client_does_is_not_read() {
        // Beside the name, the signature and the fingerprint.
        for (more, is_read) in [(29, true), (30, false), (250, false)] {
            let mut ice = ice();
            let check = long_check_of((&ice.ufrag, &ice.password), "them", more);
            let answer = ice.receive(&check, at(1), Instant::now());
            assert_eq!((answer.is_some(), ice.is_proved(at(1))), (is_read, is_read));
        }
    }

    #[test]
    fn what_stands_behind_the_signature_names_no_path() {
        let mut ice = ice();
        let mut check = check(&ice, "them", false);
        let fingerprint = check.split_off(check.len() - FINGERPRINT_BYTES);
        check.extend([0, 0x25, 0, 0]);
        check.extend(fingerprint);
        check[3] += 4;
        finish(&mut check);
        assert!(ice.receive(&check, at(1), Instant::now()).is_some());
        assert_eq!((ice.path(), ice.is_proved(at(1))), (None, true));
    }

    const FINGERPRINT_BYTES: usize = 8;

    /// Writes the right fingerprint into a message, as anybody can.
    fn finish(message: &mut Vec<u8>) {
        message.truncate(message.len() - FINGERPRINT_BYTES);
        let value = rtc::stun::fingerprint::fingerprint_value(message);
        message.extend([0x80, 0x28, 0, 4]);
        message.extend(value.to_be_bytes());
    }

    #[test]
    fn only_the_newest_paths_are_kept() {
        let mut ice = ice();
        for port in 0..=PROVED_MAX as u16 {
            ice.receive(&check(&ice, "them", false), at(port), Instant::now());
        }
        assert!(!ice.is_proved(at(0)) && ice.is_proved(at(1)));
    }
}
