//! What the tests of the parts share.

use super::Ice;
use super::srtp::{Opener, Profile, Sealer, contexts};
use rtc::crypto::RTCCryptoProvider;
use rtc::stun::attributes::{
    ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME, AttrType,
};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc::stun::textattrs::Username;
use std::sync::Arc;

pub use super::dtls::tests::{given_up, strange_hello};

/// The password of the client that tests make up.
pub const THEIR_PASSWORD: &str = "the password of the client";

pub fn provider() -> Arc<dyn RTCCryptoProvider> {
    rtc::crypto::default_provider().unwrap()
}

/// Keys as a handshake gives them to one side; the other has the other half of the same.
pub fn keys(profile: Profile, is_client: bool) -> (Sealer, Opener) {
    let material = vec![7; profile.material_bytes()];
    contexts(profile, &material, is_client, provider().crypto()).unwrap()
}

/// A check as a client makes it that knows the leg's password.
pub fn check(ice: &Ice, theirs: &str, names: bool) -> Vec<u8> {
    check_of((ice.ufrag(), ice.password()), theirs, names)
}

/// The same, from what a description says of the leg.
pub fn check_of(ours: (&str, &str), theirs: &str, names: bool) -> Vec<u8> {
    let mut said: Vec<(AttrType, &[u8])> = vec![
        (ATTR_PRIORITY, &[0x6e, 0, 0x1e, 0xff]),
        (ATTR_ICE_CONTROLLING, &[1; 8]),
    ];
    if names {
        said.push((ATTR_USE_CANDIDATE, &[]));
    }
    signed(ours, theirs, &said)
}

/// One that says only what is asked for.
pub fn bare_check_of(ours: (&str, &str), theirs: &str) -> Vec<u8> {
    signed(ours, theirs, &[])
}

/// One that says so many things more than it must.
pub fn long_check_of(ours: (&str, &str), theirs: &str, more: u16) -> Vec<u8> {
    let kinds = 0x9000..0x9000 + more;
    let said: Vec<(AttrType, &[u8])> = kinds.map(|kind| (AttrType(kind), &[][..])).collect();
    signed(ours, theirs, &said)
}

/// A client's answer to a check of the leg's.
pub fn answer_to(asked: &[u8], password: &str) -> Vec<u8> {
    let provider = provider();
    let (mut check, mut answer) = (Message::new(), Message::new());
    check.unmarshal_binary(asked).unwrap();
    let signature = MessageIntegrity::new_short_term_integrity_with_provider(
        password.to_owned(),
        provider.crypto(),
    );
    let id = check.transaction_id;
    let built = answer.build(&[
        Box::new(BINDING_SUCCESS),
        Box::new(id),
        Box::new(signature),
        Box::new(FINGERPRINT),
    ]);
    built.unwrap();
    answer.raw.clone()
}

fn signed((ufrag, password): (&str, &str), theirs: &str, said: &[(AttrType, &[u8])]) -> Vec<u8> {
    struct Said<'a>(&'a [(AttrType, &'a [u8])]);
    impl Setter for Said<'_> {
        fn add_to(&self, message: &mut Message) -> rtc::shared::error::Result<()> {
            self.0
                .iter()
                .for_each(|(kind, value)| message.add(*kind, value));
            Ok(())
        }
    }
    let provider = provider();
    let mut message = Message::new();
    let signature = MessageIntegrity::new_short_term_integrity_with_provider(
        password.to_owned(),
        provider.crypto(),
    );
    let built = message.build(&[
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(Username::new(ATTR_USERNAME, format!("{ufrag}:{theirs}"))),
        Box::new(Said(said)),
        Box::new(signature),
        Box::new(FINGERPRINT),
    ]);
    built.unwrap();
    message.raw.clone()
}
