//! What the tests of the parts share.

use super::Ice;
use rtc::crypto::RTCCryptoProvider;
use rtc::stun::attributes::ATTR_USERNAME;
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, Message, Setter, TransactionId};
use rtc::stun::textattrs::Username;
use std::sync::Arc;

pub fn provider() -> Arc<dyn RTCCryptoProvider> {
    rtc::crypto::default_provider().unwrap()
}

/// A check as a client makes it that knows the leg's password.
pub fn check(ice: &Ice, theirs: &str, names: bool) -> Vec<u8> {
    check_of((ice.ufrag(), ice.password()), theirs, names)
}

/// The same, from what a description says of the leg.
pub fn check_of((ufrag, password): (&str, &str), theirs: &str, names: bool) -> Vec<u8> {
    struct Naming;
    impl Setter for Naming {
        fn add_to(&self, message: &mut Message) -> rtc::shared::error::Result<()> {
            message.add(rtc::stun::attributes::ATTR_USE_CANDIDATE, &[]);
            Ok(())
        }
    }
    let provider = provider();
    let mut message = Message::new();
    let mut setters: Vec<Box<dyn Setter + '_>> = vec![
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(Username::new(ATTR_USERNAME, format!("{ufrag}:{theirs}"))),
    ];
    if names {
        setters.push(Box::new(Naming));
    }
    setters.push(Box::new(
        MessageIntegrity::new_short_term_integrity_with_provider(
            password.to_owned(),
            provider.crypto(),
        ),
    ));
    setters.push(Box::new(FINGERPRINT));
    message.build(&setters).unwrap();
    message.raw.clone()
}
