use super::terms::SUITES;
use super::*;
use rtc::dtls::cipher_suite::CipherSuiteId;
use rtc::dtls::config::{ClientAuthType, ConfigBuilder};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use std::time::Duration;

mod anew;
mod forged;
mod repeats;

const GCM: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm;
const CM: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80;
const HANDSHAKE: u8 = 22;
/// What browsers wait for an answer before they repeat their first flight.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Somebody, a client if nothing else is said, and us, on virtual time.
pub struct Pair {
    them: Endpoint,
    pub us: Dtls,
    pub now: Instant,
    our_keys: Option<Box<(Sealer, Opener)>>,
    they_have_keys: bool,
    /// The least that was left to them.
    least: usize,
    /// We said that we have nothing in common.
    refused: bool,
}

impl Pair {
    /// A client that offers these suites, and cuts its messages so short.
    pub fn new(identity: &Identity, suites: Vec<CipherSuiteId>, mtu: usize) -> Self {
        Self::of(identity, suites, &[GCM], mtu, Role::Client)
    }

    fn of(
        identity: &Identity,
        suites: Vec<CipherSuiteId>,
        profiles: &[SrtpProtectionProfile],
        mtu: usize,
        they: Role,
    ) -> Self {
        let now = Instant::now();
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(&identity.provider))
            .with_certificates(vec![identity.certificate.clone()])
            .with_cipher_suites(suites)
            .with_srtp_protection_profiles(profiles.to_vec())
            .with_insecure_skip_verify(true)
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_flight_interval(FIRST_WAIT)
            .with_mtu(mtu)
            .build(they == Role::Client, None);
        let config = Arc::new(config.unwrap());
        let serve = (they == Role::Server).then(|| Arc::clone(&config));
        let mut them = Endpoint::new(SOMEWHERE, TransportProtocol::UDP, serve);
        let we = match they {
            Role::Client => {
                them.connect(now, SOMEWHERE, config, None).unwrap();
                Role::Server
            }
            Role::Server => Role::Client,
        };
        let mut us = Dtls::new(identity.clone());
        us.begin(identity.fingerprint, we, now).unwrap();
        Self {
            them,
            us,
            now,
            our_keys: None,
            they_have_keys: false,
            least: usize::MAX,
            refused: false,
        }
    }

    /// The same, of one certificate of its own.
    fn usual(mtu: usize) -> Self {
        Self::new(&Identity::generate().unwrap(), SUITES.to_vec(), mtu)
    }

    fn says(&mut self, datagram: BytesMut) {
        match self.us.receive(datagram, self.now) {
            Ok(Some(Step::Connected(keys))) => self.our_keys = Some(keys),
            Err(error) => self.refused |= is_refusal(&error),
            Ok(Some(Step::GivenUp(_))) => self.refused = true,
            Ok(Some(Step::Closed) | None) => {}
        }
        self.least = self.least.min(self.us.room.pieces());
    }

    fn hears(&mut self, datagram: BytesMut) {
        let read = self.them.read(self.now, SOMEWHERE, None, datagram);
        let events = read.into_iter().flatten();
        self.they_have_keys |= events
            .into_iter()
            .any(|event| matches!(event, EndpointEvent::HandshakeComplete));
    }

    /// What both have to say, if it arrives, and each of their datagrams so many times.
    fn turn(&mut self, (up, down): (bool, bool), times: usize) {
        while let Some(flight) = self.them.poll_transmit() {
            for _ in 0..times * usize::from(up) {
                self.says(flight.message.clone());
            }
        }
        while let Some(flight) = self.us.transmit() {
            if down {
                self.hears(flight);
            }
        }
    }

    /// Over a road that loses nothing.
    pub fn talk(&mut self, times: usize) {
        for _ in 0..20 {
            self.turn((true, true), times);
        }
    }

    pub fn is_through(&self) -> bool {
        self.our_keys.is_some() && self.they_have_keys
    }
}

/// Whether a client that offers one suite alone comes to keys with us.
fn meets(suite: CipherSuiteId) -> bool {
    let mut pair = Pair::new(&Identity::generate().unwrap(), vec![suite], 1_200);
    pair.talk(1);
    pair.is_through()
}

#[test]
fn a_handshake_is_authenticated_throughout_or_is_none() {
    assert!(meets(
        CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256
    ));
    assert!(!meets(CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_256_Cbc_Sha));
}

/// Somebody who knows these profiles, in this order, and what became of it.
fn met(they: Role, profiles: &[SrtpProtectionProfile]) -> Pair {
    let identity = Identity::generate().unwrap();
    let mut pair = Pair::of(&identity, SUITES.to_vec(), profiles, 1_200, they);
    pair.talk(1);
    pair
}

/// The profile of which both have the same keys, if they have.
fn agreed(they: Role, profiles: &[SrtpProtectionProfile]) -> Option<SrtpProtectionProfile> {
    let mut pair = met(they, profiles);
    let state = pair.them.get_connection_state(SOMEWHERE)?;
    let (sealer, opener) = &mut **pair.our_keys.as_mut()?;
    let exported = state.export_keying_material(
        LABEL_EXTRACTOR_DTLS_SRTP,
        &[],
        sealer.profile().material_bytes(),
    );
    let provider = rtc::crypto::default_provider().unwrap();
    let theirs = srtp::contexts(
        sealer.profile(),
        exported.unwrap().as_ref(),
        state.is_client(),
        provider.crypto(),
    );
    let (mut their_sealer, mut their_opener) = theirs.unwrap();
    let mut there = vec![0x80, 201, 0, 1, 0, 0, 0, 7];
    let mut back = there.clone();
    sealer.seal_rtcp(&mut there).unwrap();
    their_sealer.seal_rtcp(&mut back).unwrap();
    assert!(their_opener.open_rtcp(&mut there).is_some());
    assert!(opener.open_rtcp(&mut back).is_some());
    Some(state.srtp_protection_profile())
}

#[test]
fn who_knows_only_the_profile_that_all_must_know_comes_to_keys() {
    assert_eq!(agreed(Role::Client, &[CM]), Some(CM));
    assert_eq!(agreed(Role::Server, &[CM]), Some(CM));
}

#[test]
fn who_knows_both_profiles_gets_the_cheaper_one_whatever_its_order() {
    for profiles in [[GCM, CM], [CM, GCM]] {
        assert_eq!(agreed(Role::Client, &profiles), Some(GCM));
        assert_eq!(agreed(Role::Server, &profiles), Some(GCM));
    }
}

#[test]
fn who_knows_no_profile_of_ours_is_told_so_and_comes_to_no_keys() {
    let other = SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm;
    for they in [Role::Client, Role::Server] {
        let pair = met(they, &[other]);
        assert!(!pair.is_through() && pair.refused);
    }
    // Who says nothing of media is none of ours either.
    let pair = met(Role::Client, &[]);
    assert!(pair.our_keys.is_none() && pair.refused);
}

/// Anybody can write one under a client's address.
#[test]
fn a_hello_that_is_refused_does_not_keep_out_the_client() {
    let mut pair = Pair::usual(1_200);
    pair.says(strange_hello());
    assert!(pair.refused, "nobody was told");
    while pair.us.transmit().is_some() {}
    pair.talk(1);
    assert!(pair.is_through());
}

/// A record as anybody can write it.
pub fn record(kind: u8, epoch: u16, number: u64, content: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 0xfe, 0xfd];
    record.extend(epoch.to_be_bytes());
    record.extend(&number.to_be_bytes()[2..]);
    record.extend((content.len() as u16).to_be_bytes());
    record.extend(content);
    record
}

/// A fragment of a handshake message: how long the message is, which it is, where the fragment stands, how long it is
/// said to be, and what is there.
pub fn fragment(length: u32, message: u16, offset: u32, said: u32, body: &[u8]) -> Vec<u8> {
    piece(11, length, message, offset, said, body)
}

/// The same of a message of any kind.
fn piece(kind: u8, length: u32, message: u16, offset: u32, said: u32, body: &[u8]) -> Vec<u8> {
    let mut fragment = vec![kind];
    fragment.extend(&length.to_be_bytes()[1..]);
    fragment.extend(message.to_be_bytes());
    fragment.extend(&offset.to_be_bytes()[1..]);
    fragment.extend(&said.to_be_bytes()[1..]);
    fragment.extend(body);
    fragment
}

/// What a hello must say to be answered, and these extensions.
pub fn hello(extensions: &[u8]) -> Vec<u8> {
    hello_of(&[5, 0, 2, 0, 7, 0], extensions)
}

/// The same with another offer of profiles.
pub fn hello_of(profiles: &[u8], extensions: &[u8]) -> Vec<u8> {
    let needed = [
        &[0, 10, 0, 4, 0, 2, 0, 29][..],
        &[0, 14, 0],
        profiles,
        &[0, 23, 0, 0],
    ];
    let needed = needed.concat();
    let length = (needed.len() + extensions.len()) as u16;
    let fixed = [&[0xfe, 0xfd][..], &[7; 32], &[0, 0, 0, 2, 0xc0, 0x2b, 1, 0]];
    [
        &fixed.concat(),
        &length.to_be_bytes()[..],
        &needed,
        extensions,
    ]
    .concat()
}

/// The hello of somebody who knows other profiles only.
pub fn strange_hello() -> BytesMut {
    pieces(1, 0, &hello_of(&[5, 0, 2, 0, 8, 0], &[]), 1_400).concat()[..].into()
}

/// As a client ends a handshake that it has no keys of, and as anybody can write it: that it failed.
pub fn given_up() -> BytesMut {
    record(21, 0, 900, &[2, 40])[..].into()
}

/// An extension that says it holds 16,383 groups, and ends.
pub const LYING: [u8; 6] = [0, 10, 0, 2, 0x7f, 0xfe];

/// The datagrams of a message, each of a piece of at most so many bytes.
pub fn pieces(kind: u8, message: u16, body: &[u8], most: usize) -> Vec<BytesMut> {
    let pieces = body.chunks(most).enumerate().map(|(place, part)| {
        let offset = (place * most) as u32;
        let said = part.len() as u32;
        let piece = piece(kind, body.len() as u32, message, offset, said, part);
        let number = u64::from(message) * 1_000 + place as u64;
        BytesMut::from(&record(HANDSHAKE, 0, number, &piece)[..])
    });
    pieces.collect()
}

/// Datagrams of a message that nobody waits for: for each the library reads the hello again.
fn meanwhile() -> impl Iterator<Item = BytesMut> {
    (10_000..10_488).map(|number| {
        let fragment = fragment(0, number, 0, 0, b"");
        BytesMut::from(&record(HANDSHAKE, 0, number.into(), &fragment)[..])
    })
}

/// What a leg reads of these, in datagrams, and whether it answers.
fn reads(datagrams: impl IntoIterator<Item = BytesMut>) -> (usize, bool) {
    let mut pair = Pair::usual(1_200);
    let before = pair.us.room.pieces();
    for datagram in datagrams {
        pair.says(datagram);
    }
    let read = before - pair.us.room.pieces();
    (read, pair.us.transmit().is_some())
}

#[test]
fn a_hello_that_takes_long_to_read_is_not_read() {
    for (lies, most) in [(5_450, 1_400), (320, 1_900), (1, 1_400)] {
        let hello = hello(&LYING.repeat(lies));
        let datagrams = pieces(1, 0, &hello, most).into_iter();
        let begun = Instant::now();
        let (_, answered) = reads(datagrams.chain(meanwhile()));
        let took = begun.elapsed();
        assert!(!answered, "{lies} lies are read");
        assert!(took < Duration::from_secs(20), "{took:?} for {lies} lies");
    }
}

#[test]
fn a_long_hello_is_not_read_again_without_end() {
    // As many lies as there may be, and as much behind them as there may be.
    let lies = [[0, 13, 0, 2, 0x7f, 0xfe], [0, 0, 0, 2, 0x7f, 0xfe]].concat();
    let lies = [&lies[..], &[0xfa, 0xfa, 0x0f, 0x74], &[7; 0x0f74]].concat();
    let hello = hello(&lies);
    let datagrams = pieces(1, 0, &hello, 1_400).into_iter();
    let (read, answered) = reads(datagrams.chain(meanwhile()));
    assert!(answered && read <= records::BYTES_MAX / hello.len());
}

/// As who offers a key against quantum computers too.
#[test]
fn a_hello_in_pieces_is_read_as_a_whole() {
    let key = [&[0, 51, 0x06, 0x40][..], &[7; 0x0640]].concat();
    let [first, second] = &pieces(1, 0, &hello(&key), 1_200)[..] else {
        panic!("it is not in two pieces")
    };
    let [first, second] = [first, second].map(Clone::clone);
    assert_eq!(reads([first.clone()]), (0, false));
    assert_eq!(reads([first.clone(), second.clone()]), (1, true));
    assert_eq!(reads([second.clone(), first.clone()]), (0, false));
    let again = [second.clone(), first.clone(), first, second];
    assert_eq!(reads(again), (1, true));

    let mut pair = Pair::usual(100);
    pair.talk(1);
    assert!(pair.is_through());
}

/// Datagrams of fragments that stand behind each other and bring nothing, of the messages that may be awaited: whoever puts
/// them together by calling itself for each has no stack left.
fn endless() -> impl Iterator<Item = BytesMut> {
    (0..10_u16).flat_map(|message| {
        (0..200_u32).map(move |datagram| {
            let fragments =
                (0..150).flat_map(|place| fragment(0, message, datagram * 150 + place, 1, &[]));
            let fragments: Vec<u8> = fragments.collect();
            let number = 1_000 + u64::from(message) * 1_000 + u64::from(datagram);
            BytesMut::from(&record(HANDSHAKE, 0, number, &fragments)[..])
        })
    })
}

#[test]
fn fragments_without_end_take_no_stack_before_a_handshake() {
    let mut pair = Pair::usual(1_200);
    // Nothing is read before a hello.
    pair.turn((true, true), 1);
    for datagram in endless() {
        pair.says(datagram);
    }
    // None of it is the client's loss.
    pair.talk(1);
    assert!(pair.is_through());
}

#[test]
fn fragments_without_end_take_no_stack_behind_a_handshake() {
    let mut pair = Pair::usual(1_200);
    pair.talk(1);
    assert!(pair.is_through());
    for datagram in endless() {
        pair.says(datagram);
    }
}

/// Fragments that are what they say, of messages that never come or never end.
#[test]
fn what_is_well_written_takes_no_more_than_there_is_room_for() {
    let mut pair = Pair::usual(1_200);
    pair.turn((true, true), 1);
    let one_by_one = (0..30_000_u32).map(|at| fragment(30_000, 0, at, 1, b"x"));
    let later = (0..30_000_u32).map(|at| fragment(1, at as u16, 0, 1, b"x"));
    for (number, fragment) in (0..).zip(one_by_one.chain(later)) {
        pair.says(BytesMut::from(&record(HANDSHAKE, 0, number, &fragment)[..]));
    }
    assert_eq!(pair.us.room.pieces(), 0);
}

#[test]
fn a_client_that_says_everything_thirty_times_in_short_pieces_is_let_in() {
    let mut pair = Pair::usual(300);
    pair.talk(30);
    assert!(pair.is_through());
    assert!(pair.least > 0, "it had no room left");
}

#[test]
fn a_handshake_over_a_road_that_loses_most_ends_well() {
    let mut pair = Pair::usual(300);
    for second in 0..40 {
        pair.turn((second % 3 == 2, second % 2 == 1), 1);
        pair.now += Duration::from_secs(1);
        pair.them.handle_timeout(SOMEWHERE, pair.now).unwrap();
        pair.us.tick(pair.now).unwrap();
    }
    assert!(pair.is_through());
    assert!(pair.least > 400, "{} pieces left", pair.least);
}
