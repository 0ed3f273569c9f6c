//! What one link may take of what is everybody's: the requests and comments a conference takes, and their text.

#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod support;

use diemcau_conference::{
    Actor, Command, CommentKind, CommentWords, Conference, Event, Refusal, RequestWords, Setup,
    SpeechType,
};
use diemcau_model::{CommentId, DraftId, ItemId, ParagraphRef, SiteId, TurnId, limits};
use support::room::{BEGIN, actor, setup};

/// A conference in which an item runs, without the history that plays keep.
struct Bare {
    live: Conference,
}

impl Bare {
    fn open(setup: Setup) -> Self {
        let mut bare = Self {
            live: Conference::default(),
        };
        let setup = Box::new(setup);
        bare.live.apply(&Event::ConferenceOpened { setup });
        let (item, waiting) = (ItemId(5), None);
        let start = Command::StartItem { item, waiting };
        bare.ask("chair", &start).expect("the item begins");
        bare
    }

    fn ask(&mut self, who: &str, command: &Command) -> Result<(), Refusal> {
        let actor = actor(who).expect("somebody");
        self.ask_as(&actor, command)
    }

    fn ask_as(&mut self, actor: &Actor, command: &Command) -> Result<(), Refusal> {
        for event in self.live.decide(actor, command, BEGIN)? {
            self.live.apply(&event);
        }
        Ok(())
    }

    /// Asks for the floor, and takes it back at once.
    fn request_and_withdraw(&mut self, who: &str) -> Result<(), Refusal> {
        self.ask(who, &request())?;
        let waits = self.live.floor().queue().map(|request| request.turn);
        let turn: TurnId = waits.last().expect("it waits");
        self.ask(who, &Command::WithdrawRequest { turn })
    }
}

fn request() -> Command {
    Command::RequestFloor {
        item: None,
        words: RequestWords {
            speech: SpeechType::Contribution,
            delegate: String::new(),
            title: String::new(),
            topic: String::new(),
            paragraph: None,
            minutes: None,
        },
        about: None,
    }
}

#[test]
fn one_site_that_asks_without_end_ends_its_own_requests_and_nobody_elses() {
    let mut bare = Bare::open(setup());
    let taken = (0..=limits::TURNS_MAX)
        .take_while(|_| bare.request_and_withdraw("Sa Đéc").is_ok())
        .count();
    assert_eq!(taken, limits::TURNS_SHARE as usize);
    assert_eq!(bare.ask("Sa Đéc", &request()), Err(Refusal::ShareUsed));
    // Another link of the same site is no other site.
    let mut phone = actor("Hồng Ngự").expect("somebody");
    phone.site = Some(SiteId(2));
    assert_eq!(bare.ask_as(&phone, &request()), Err(Refusal::ShareUsed));
    for other in ["Tháp Mười", "hall", "secretary", "chair"] {
        assert_eq!(bare.request_and_withdraw(other), Ok(()), "{other}");
    }
}

#[test]
fn the_halls_own_machines_leave_the_desks_their_requests_for_it() {
    let mut bare = Bare::open(setup());
    while bare.request_and_withdraw("hall").is_ok() {}
    assert_eq!(bare.ask("hall", &request()), Err(Refusal::ShareUsed));
    for desk in ["secretary", "chair", "deputy"] {
        assert_eq!(bare.request_and_withdraw(desk), Ok(()), "{desk}");
    }
}

fn comment(text: &str) -> Command {
    Command::PostComment {
        kind: CommentKind::Wording,
        words: CommentWords {
            at: ParagraphRef {
                draft: DraftId(1),
                paragraph: 1,
            },
            text: text.into(),
            proposed: text.into(),
            delegate: String::new(),
        },
    }
}

/// The longest comment that is taken: three bytes a letter, text and proposed wording.
fn longest() -> Command {
    comment(&"ộ".repeat(limits::COMMENT_MAX_CHARS))
}

const LONGEST_BYTES: usize = 2 * 3 * limits::COMMENT_MAX_CHARS;

#[test]
fn one_site_that_comments_without_end_ends_its_own_comments_and_nobody_elses() {
    let mut bare = Bare::open(setup());
    let mut taken = 0;
    // Taking them back makes no room: each stands in the record.
    while taken < limits::COMMENTS_MAX && bare.ask("Sa Đéc", &comment("a")).is_ok() {
        taken += 1;
        let comment = CommentId(taken);
        let withdrawn = bare.ask("Sa Đéc", &Command::WithdrawComment { comment });
        assert_eq!(withdrawn, Ok(()));
    }
    assert_eq!(taken, limits::COMMENTS_SHARE);
    assert_eq!(bare.ask("Sa Đéc", &comment("a")), Err(Refusal::ShareUsed));
    for other in ["Tháp Mười", "hall", "secretary"] {
        assert_eq!(bare.ask(other, &comment("a")), Ok(()), "{other}");
    }
}

#[test]
fn one_site_fills_a_part_of_the_feed_and_taking_back_makes_room_in_it() {
    let mut bare = Bare::open(setup());
    let mut taken = 0;
    while bare.ask("Sa Đéc", &longest()).is_ok() {
        taken += 1;
    }
    assert_eq!(taken, limits::FEED_SHARE_BYTES / LONGEST_BYTES);
    assert_eq!(bare.ask("Sa Đéc", &longest()), Err(Refusal::ShareUsed));
    assert_eq!(bare.ask("Sa Đéc", &comment("a")), Ok(()), "what fits");
    assert_eq!(bare.ask("Tháp Mười", &longest()), Ok(()));
    let comment = CommentId(1);
    let withdrawn = bare.ask("Sa Đéc", &Command::WithdrawComment { comment });
    assert_eq!(withdrawn, Ok(()));
    assert_eq!(bare.ask("Sa Đéc", &longest()), Ok(()));
}

#[test]
fn all_sites_together_fill_the_feed_to_its_bound_and_no_further() {
    let mut many = setup();
    let sites = 2 * limits::FEED_MAX_BYTES / limits::FEED_SHARE_BYTES;
    let moderator = actor("Sa Đéc").expect("somebody");
    let mut askers = vec![];
    for n in 0..u16::try_from(sites).expect("few") {
        let mut seat = many.seats[moderator.seat.0 as usize].clone();
        let id = u32::try_from(many.seats.len()).expect("few");
        (seat.id, seat.site) = (diemcau_model::SeatId(id), Some(SiteId(100 + n)));
        askers.push(Actor {
            seat: seat.id,
            site: seat.site,
            ..moderator
        });
        many.seats.push(seat);
    }
    let mut bare = Bare::open(many);
    let mut why = vec![];
    for asker in &askers {
        why.push(loop {
            if let Err(why) = bare.ask_as(asker, &longest()) {
                break why;
            }
        });
    }
    assert_eq!(why[0], Refusal::ShareUsed);
    assert_eq!(why[sites - 1], Refusal::FeedFull);
    let words = bare.live.feed().comments.values();
    let bytes: usize = words
        .map(|comment| comment.words.text.len() + comment.words.proposed.len())
        .sum();
    assert!(bytes <= limits::FEED_MAX_BYTES, "{bytes}");
    assert!(bytes + LONGEST_BYTES > limits::FEED_MAX_BYTES, "{bytes}");
}
