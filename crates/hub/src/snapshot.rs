//! What newcomers see, encoded in parts. An event changes few of them; all others are the same bytes for every class of
//! viewers that sees the same, in every welcome that is not read yet: so neither who comes again and again nor who does
//! not read costs more than what has changed.

use crate::frame::{EncodedView, encode};
use bytes::{BufMut, Bytes, BytesMut};
use diemcau_conference::Conference;
use diemcau_model::{CommentId, TurnId};
use diemcau_protocol::{Door, Fact, Slice, Viewer, facts, fixed};
use prometheus_client::metrics::counter::Counter;
use std::collections::{BTreeMap, BTreeSet};

/// Comments, or speeches, of one part: a new one costs the encoding of so many.
const BLOCK: u32 = 64;
/// Pieces below it are gathered: each is a call to the kernel.
const SMALL: usize = 8 * 1024;

/// The parts of the view as they were last seen by each class.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    parts: BTreeMap<Part, BTreeMap<Viewer, Bytes>>,
    /// Views without a change since.
    whole: BTreeMap<Viewer, EncodedView>,
    /// Bytes that were encoded.
    encoded: Counter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Fixed,
    Sites,
    Agenda,
    Floor,
    Stage,
    Feed(u32),
    Seats,
    Attendance,
    Prompts,
    Speeches(u32),
    Door,
}

impl Snapshots {
    pub(crate) fn new(encoded: Counter) -> Self {
        let (parts, whole) = Default::default();
        Self {
            parts,
            whole,
            encoded,
        }
    }

    /// Notes what changed. Whoever is welcomed is welcomed after it.
    pub(crate) fn touched(&mut self, slices: &BTreeSet<Slice>) {
        if !slices.is_empty() {
            self.whole.clear();
        }
        for slice in slices {
            self.parts.remove(&Part::of(*slice));
        }
    }

    /// Everything may have changed.
    pub(crate) fn forget(&mut self) {
        self.whole.clear();
        self.parts.clear();
    }

    /// What a viewer sees now.
    pub(crate) fn view(&mut self, conference: &Conference, viewer: Viewer) -> EncodedView {
        if let Some(whole) = self.whole.get(&viewer) {
            return whole.clone();
        }
        let mut part = |part| self.part(conference, viewer, part);
        let comments = conference.feed().comments.last_key_value();
        let feed = blocks(comments.map(|(id, _)| id.0)).map(Part::Feed);
        let over = conference.floor().speeches.last_key_value();
        let speeches = blocks(over.map(|(id, _)| id.0)).map(Part::Speeches);
        let mut pieces = Pieces::default();
        pieces.words(r#"{"fixed":"#).add(part(Part::Fixed));
        pieces.words(r#","sites":"#).add(part(Part::Sites));
        pieces.words(r#","agenda":"#).add(part(Part::Agenda));
        pieces.words(r#","floor":"#).add(part(Part::Floor));
        pieces.words(r#","stage":"#).add(part(Part::Stage));
        pieces.words(r#","feed":["#).list(feed.map(&mut part));
        pieces.words(r#"],"seats":"#).add(part(Part::Seats));
        pieces
            .words(r#","attendance":"#)
            .add(part(Part::Attendance));
        pieces.words(r#","prompts":"#).add(part(Part::Prompts));
        pieces
            .words(r#","speeches":["#)
            .list(speeches.map(&mut part));
        pieces.words(r#"],"door":"#).add(part(Part::Door));
        let whole = EncodedView::of(pieces.words("}}").done());
        self.whole.insert(viewer, whole.clone());
        whole
    }

    fn part(&mut self, conference: &Conference, viewer: Viewer, part: Part) -> Bytes {
        let known = self.parts.entry(part).or_default();
        if let Some(text) = known.get(&viewer) {
            return text.clone();
        }
        let text = part.encode(conference, viewer);
        self.encoded.inc_by(text.len() as u64);
        // Most of it is the same for all.
        let same = known.values().find(|other| **other == text).cloned();
        let text = same.unwrap_or(text);
        known.insert(viewer, text.clone());
        text
    }
}

/// The blocks up to the last number; none when there is none.
fn blocks(last: Option<u32>) -> impl Iterator<Item = u32> {
    last.into_iter().flat_map(|last| 0..=last / BLOCK)
}

impl Part {
    fn of(slice: Slice) -> Self {
        match slice {
            Slice::Sites => Self::Sites,
            Slice::Agenda => Self::Agenda,
            Slice::Floor => Self::Floor,
            Slice::Stage => Self::Stage,
            Slice::Comment(CommentId(number)) => Self::Feed(number / BLOCK),
            Slice::Seats => Self::Seats,
            Slice::Attendance => Self::Attendance,
            Slice::Prompts => Self::Prompts,
            Slice::Speech(TurnId(number)) => Self::Speeches(number / BLOCK),
            Slice::Door => Self::Door,
        }
    }

    fn slices(self, conference: &Conference) -> BTreeSet<Slice> {
        match self {
            Self::Fixed => BTreeSet::new(),
            Self::Sites => [Slice::Sites].into(),
            Self::Agenda => [Slice::Agenda].into(),
            Self::Floor => [Slice::Floor].into(),
            Self::Stage => [Slice::Stage].into(),
            Self::Feed(block) => {
                let of_block = CommentId(block * BLOCK)..CommentId((block + 1) * BLOCK);
                let comments = conference.feed().comments.range(of_block);
                comments.map(|(id, _)| Slice::Comment(*id)).collect()
            }
            Self::Seats => [Slice::Seats].into(),
            Self::Attendance => [Slice::Attendance].into(),
            Self::Prompts => [Slice::Prompts].into(),
            Self::Speeches(block) => {
                let of_block = TurnId(block * BLOCK)..TurnId((block + 1) * BLOCK);
                let speeches = conference.floor().speeches.range(of_block);
                speeches.map(|(id, _)| Slice::Speech(*id)).collect()
            }
            Self::Door => [Slice::Door].into(),
        }
    }

    /// What a viewer is told of it; what it is not told stands empty in its view. Of a list each entry has its comma
    /// before it.
    fn encode(self, conference: &Conference, viewer: Viewer) -> Bytes {
        let mut text = BytesMut::new();
        if self == Self::Fixed {
            encode(&mut text, &fixed(conference));
        }
        for fact in facts(conference, &self.slices(conference), viewer) {
            write(&mut text, &fact);
        }
        match self {
            Self::Seats | Self::Prompts if text.is_empty() => text.put_slice(b"[]"),
            Self::Door if text.is_empty() => encode(&mut text, &Door::default()),
            Self::Fixed
            | Self::Sites
            | Self::Agenda
            | Self::Floor
            | Self::Stage
            | Self::Feed(_)
            | Self::Seats
            | Self::Attendance
            | Self::Prompts
            | Self::Speeches(_)
            | Self::Door => {}
        }
        text.freeze()
    }
}

/// The slice that a fact carries, as it stands in a view.
fn write(text: &mut BytesMut, fact: &Fact) {
    match fact {
        Fact::Sites { sites } => encode(text, sites),
        Fact::Agenda { agenda } => encode(text, agenda),
        Fact::Floor { floor } => encode(text, floor),
        Fact::Stage { stage } => encode(text, stage),
        Fact::Comment { comment } => {
            text.put_u8(b',');
            encode(text, comment);
        }
        Fact::Seats { seats } => encode(text, seats),
        Fact::Attendance { attendance } => encode(text, attendance),
        Fact::Prompts { prompts } => encode(text, prompts),
        Fact::Speech { speech } => {
            text.put_u8(b',');
            encode(text, speech);
        }
        Fact::Door { door } => encode(text, door),
        Fact::CommentGone { .. } | Fact::SpeechGone { .. } => {}
    }
}

/// A text put together; what is large is not copied.
#[derive(Default)]
struct Pieces {
    whole: Vec<Bytes>,
    small: BytesMut,
}

impl Pieces {
    fn words(&mut self, words: &'static str) -> &mut Self {
        self.add(Bytes::from_static(words.as_bytes()));
        self
    }

    fn add(&mut self, text: Bytes) {
        if text.len() < SMALL {
            return self.small.put_slice(&text);
        }
        self.gathered();
        self.whole.push(text);
    }

    /// Blocks whose entries have their comma before them: the first has none.
    fn list(&mut self, blocks: impl Iterator<Item = Bytes>) {
        let blocks = blocks.filter(|block| !block.is_empty());
        for (n, block) in blocks.enumerate() {
            self.add(if n == 0 { block.slice(1..) } else { block });
        }
    }

    fn gathered(&mut self) {
        if !self.small.is_empty() {
            self.whole.push(self.small.split().freeze());
        }
    }

    fn done(&mut self) -> Vec<Bytes> {
        self.gathered();
        std::mem::take(&mut self.whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;
    use diemcau_conference::{
        AtZero, CommentKind, CommentWords, Event, PromptKind, RequestWords, Setup, Site,
        SpeechType, TurnEnd,
    };
    use diemcau_model::{
        Carries, DraftId, ItemId, Millis, ParagraphRef, PromptId, Role, SeatId, SiteId,
    };
    use diemcau_protocol::{Me, ServerFrame, touches, view};

    const VIEWERS: [Viewer; 6] = [
        Viewer::Chair,
        Viewer::Secretary,
        Viewer::Technician,
        Viewer::Site(SiteId(1)),
        Viewer::Site(SiteId(2)),
        Viewer::Public,
    ];

    #[derive(Default)]
    struct Watched {
        conference: Conference,
        snapshots: Snapshots,
    }

    impl Watched {
        fn opened() -> Self {
            let site = |id| Site {
                id: SiteId(id),
                name: "Điểm cầu \"1\"".into(),
                short: "1".into(),
                level: String::new(),
                hall: id == 0,
                summoned: 3,
            };
            let setup = Setup {
                title: "Hội nghị".into(),
                sites: (0..3).map(site).collect(),
                ..Setup::default()
            };
            let mut watched = Self::default();
            let setup = Box::new(setup);
            watched.happens(&Event::ConferenceOpened { setup });
            watched
        }

        fn happens(&mut self, event: &Event) {
            self.conference.apply(event);
            let slices = touches(event).into_iter().collect();
            self.snapshots.touched(&slices);
        }

        fn welcome(&mut self, viewer: Viewer) -> Frame {
            let view = self.snapshots.view(&self.conference, viewer);
            Frame::welcome(&me(), self.conference.seq(), AT, &view)
        }

        fn whole(&self, viewer: Viewer) -> Frame {
            Frame::of(&ServerFrame::Welcome {
                me: me(),
                seq: self.conference.seq(),
                now: AT,
                view: Box::new(view(&self.conference, viewer)),
            })
        }
    }

    const AT: Millis = Millis(1_622_075_400_123);

    fn me() -> Me {
        Me {
            seat: SeatId(3),
            role: Role::Observer,
            site: None,
            carries: Carries::Watch,
            label: "Người theo dõi \"1\"".into(),
        }
    }

    fn posted(number: u32) -> Event {
        Event::CommentPosted {
            comment: CommentId(number),
            site: SiteId(1 + (number % 2) as u16),
            seat: SeatId(1),
            kind: CommentKind::Agree,
            words: CommentWords {
                at: ParagraphRef {
                    draft: DraftId(1),
                    paragraph: 1,
                },
                text: "Nhất trí ".repeat(40),
                proposed: String::new(),
                delegate: String::new(),
            },
            at: AT,
        }
    }

    fn spoken(number: u32) -> [Event; 3] {
        let (turn, item) = (TurnId(number), ItemId(1));
        let (at, seat, site) = (AT, SeatId(1), SiteId(1));
        [
            Event::FloorRequested {
                turn,
                site,
                seat,
                item,
                words: RequestWords {
                    speech: SpeechType::ALL[0],
                    delegate: String::new(),
                    title: String::new(),
                    topic: "Về dự thảo".into(),
                    paragraph: None,
                    minutes: None,
                },
                pending: false,
                about: None,
                at,
            },
            Event::TurnStarted {
                turn,
                item,
                allotted_ms: 1_000,
                at_zero: AtZero::Warn,
                at,
            },
            Event::TurnEnded {
                turn,
                how: TurnEnd::Released,
                at,
            },
        ]
    }

    /// The bytes as they go over a wire that takes some at a time.
    fn wire(frame: &Frame) -> Vec<u8> {
        let mut sent = vec![];
        while sent.len() < frame.len() {
            let rest = frame.wire(sent.len());
            sent.extend_from_slice(&rest[..rest.len().min(1_000)]);
        }
        assert!(frame.wire(sent.len()).is_empty());
        sent
    }

    #[test]
    fn whatever_happens_everybody_is_welcomed_with_what_would_be_encoded_whole() {
        let mut events: Vec<Event> = (1..200).map(posted).collect();
        events.extend((1..70).flat_map(spoken));
        events.push(Event::Prompted {
            prompt: PromptId(1),
            site: SiteId(1),
            kind: PromptKind::Slower,
            at: AT,
        });
        events.extend((60..80).map(|number| Event::CommentHeld {
            comment: CommentId(number),
        }));
        // The first block is empty then.
        events.extend((1..64).map(|number| Event::CommentWithdrawn {
            comment: CommentId(number),
        }));
        events.push(Event::CommentPublished {
            comment: CommentId(70),
        });
        let mut watched = Watched::opened();
        let last = events.len() - 1;
        for (n, event) in events.iter().enumerate() {
            watched.happens(event);
            if n % 7 > 0 && n < last {
                continue;
            }
            for viewer in VIEWERS {
                let (welcome, whole) = (watched.welcome(viewer), watched.whole(viewer));
                assert_eq!(wire(&welcome), wire(&whole), "{viewer:?} after {event:?}");
                assert_eq!(welcome.text(), whole.text());
            }
        }
    }

    #[test]
    fn welcomes_that_nobody_has_read_share_all_but_what_has_changed_between_them() {
        let mut watched = Watched::opened();
        (1..1_000).for_each(|number| watched.happens(&posted(number)));
        let whole = watched.whole(Viewer::Public).len();
        let mut kept = BTreeMap::new();
        let unread: Vec<Frame> = (1_000..1_050)
            .flat_map(|number| {
                watched.happens(&posted(number));
                VIEWERS.map(|viewer| watched.welcome(viewer))
            })
            .collect();
        for frame in &unread {
            let mut from = 0;
            while from < frame.len() {
                let piece = frame.wire(from);
                kept.insert(piece.as_ptr(), piece.len());
                from += piece.len();
            }
        }
        assert_eq!(unread.len(), 50 * VIEWERS.len());
        // Each of the fifty has the last block anew, and each welcome the small parts.
        let kept: usize = kept.values().sum();
        assert!(kept < 6 * whole, "{kept} bytes for {whole} a welcome");
        let encoded = watched.snapshots.encoded.get() as usize;
        assert!(encoded < 50 * whole, "{encoded} bytes encoded");
    }
}
