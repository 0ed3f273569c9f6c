//! One slot of one downlink: which packets go into it, and how they follow each other.

use crate::engine::RtpIn;
use crate::keyframes::Picture;
use crate::rewrite::{Head, Rewriter, RtpOut};
use crate::vp8::Vp8;
use diemcau_model::PeerId;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The former picture stays until the new one has its key frame, but not longer: it would stand under a wrong name.
const HOLD_FORMER_MAX: Duration = Duration::from_secs(1);
/// Packets of a wanted picture that are kept until its key frame begins: a large key frame, and what comes while its lost
/// beginning is sent again.
const EARLY_MAX: usize = 192;

/// A picture slot. It changes its source or layer only at a key frame.
#[derive(Debug)]
pub struct PictureSlot {
    want: Option<Picture>,
    shows: Option<Shown>,
    /// The wanted picture came in a codec that the client does not take.
    unreadable: Option<Picture>,
    /// Set while the shown picture is of another sender than the wanted one.
    hold_until: Option<Instant>,
    /// The shown picture comes as another stream now, whose key frame has not begun.
    restarted: bool,
    early: Early,
    rewriter: Rewriter,
}

#[derive(Debug)]
struct Shown {
    picture: Picture,
    /// A sender that restarts its layer is another stream and begins with a key frame.
    ssrc: u32,
}

/// The newest packets of the wanted picture before its key frame began: where a key frame's first packet is lost and sent
/// again, the others are here already, and nobody sends them twice.
#[derive(Debug, Default)]
struct Early {
    ssrc: u32,
    packets: VecDeque<(RtpIn, Option<Vp8>)>,
}

impl Early {
    fn keep(&mut self, packet: &RtpIn, vp8: Option<&Vp8>) {
        if self.ssrc != packet.ssrc {
            self.packets.clear();
            self.ssrc = packet.ssrc;
        }
        if self.packets.len() == EARLY_MAX {
            self.packets.pop_front();
        }
        self.packets.push_back((packet.clone(), vp8.copied()));
    }

    /// Its key frame begins with a packet: what came before that is of no use.
    fn begin(&mut self, first: &RtpIn) {
        let is_of_it = |(packet, _): &(RtpIn, _)| {
            packet.ssrc == first.ssrc && packet.seq.wrapping_sub(first.seq) < 0x8000
        };
        self.packets.retain(is_of_it);
    }
}

impl PictureSlot {
    pub fn new() -> Self {
        Self {
            want: None,
            shows: None,
            unreadable: None,
            hold_until: None,
            restarted: false,
            early: Early::default(),
            rewriter: Rewriter::new(90_000),
        }
    }

    /// What is to be shown from now on; true if it is something new.
    pub fn want(&mut self, want: Option<Picture>, now: Instant) -> bool {
        if self.want == want {
            return false;
        }
        self.want = want;
        self.unreadable = None;
        self.hold_until = None;
        self.restarted = false;
        self.early = Early::default();
        match (&self.shows, want) {
            (Some(shows), Some(want)) if shows.picture.0 != want.0 => {
                self.hold_until = Some(now + HOLD_FORMER_MAX);
            }
            (Some(_) | None, Some(_)) => {}
            (_, None) => self.shows = None,
        }
        true
    }

    /// The senders whose packets this slot wants to see.
    pub fn senders(&self) -> impl Iterator<Item = PeerId> {
        let want = self.want.map(|want| want.0);
        let former = self.shows.as_ref().map(|shows| shows.picture.0);
        want.into_iter()
            .chain(former.filter(|former| Some(*former) != want))
    }

    /// The picture whose key frame this slot is waiting for.
    pub fn waits_for(&self) -> Option<Picture> {
        let shown = self.shows.as_ref().filter(|_| !self.restarted);
        let shown = shown.map(|shows| shows.picture);
        self.want
            .filter(|want| shown != Some(*want) && self.unreadable != Some(*want))
    }

    /// A picture came that the client could not read: nothing of it is forwarded, and the former one does not stay under
    /// its name.
    pub fn cannot_read(&mut self, picture: Picture) -> Option<RtpOut> {
        if self.want == Some(picture) {
            self.unreadable = Some(picture);
            self.shows = None;
        }
        None
    }

    /// The picture a viewer that lost its thread needs a key frame of.
    pub fn wanted(&self) -> Option<Picture> {
        self.want.filter(|want| self.unreadable != Some(*want))
    }

    /// The same while another is shown still: if the wanted one does not come, this one goes on.
    pub fn shown_meanwhile(&self) -> Option<Picture> {
        let shown = self.shows.as_ref().map(|shows| shows.picture);
        shown.filter(|shown| Some(*shown) != self.want)
    }

    /// The packet for the slot, if it has a place there; `vp8` is missing in padding, which only fills a number.
    pub fn forward(
        &mut self,
        picture: Picture,
        packet: &RtpIn,
        vp8: Option<&Vp8>,
        now: Instant,
    ) -> Option<RtpOut> {
        let shown = self.shows.as_ref();
        if shown.is_none_or(|shown| shown.picture != picture || shown.ssrc != packet.ssrc) {
            if self.want != Some(picture) {
                return None;
            }
            if !vp8.is_some_and(|vp8| vp8.key_frame) {
                self.restarted = shown.is_some_and(|shown| shown.picture == picture);
                self.early.keep(packet, vp8);
                return None;
            }
            self.begin(picture, packet, vp8, now);
        } else if self.restarted && vp8.is_some_and(|vp8| vp8.key_frame) {
            // It has gone on as it was.
            (self.restarted, self.early) = (false, Early::default());
        }
        if self.hold_until.is_some_and(|until| now >= until) {
            self.shows = None;
            return None;
        }
        self.rewriter
            .rewrite(head(packet), &packet.payload, vp8, now)
    }

    fn begin(&mut self, picture: Picture, first: &RtpIn, vp8: Option<&Vp8>, now: Instant) {
        self.rewriter.switch(head(first), vp8, now);
        self.shows = Some(Shown {
            picture,
            ssrc: first.ssrc,
        });
        self.hold_until = None;
        self.restarted = false;
        self.early.begin(first);
    }

    /// After a packet that was forwarded: the next of those that came before it and belong behind it.
    pub fn next_early(&mut self, now: Instant) -> Option<RtpOut> {
        // They wait on while the former picture goes on.
        if self.waits_for().is_some() {
            return None;
        }
        while let Some((packet, vp8)) = self.early.packets.pop_front() {
            let out = self
                .rewriter
                .rewrite(head(&packet), &packet.payload, vp8.as_ref(), now);
            if out.is_some() {
                return out;
            }
        }
        None
    }
}

/// A voice slot. It opens and closes at once.
#[derive(Debug)]
pub struct VoiceSlot {
    from: Option<PeerId>,
    /// The stream that sounds since the last opening.
    ssrc: Option<u32>,
    rewriter: Rewriter,
}

impl VoiceSlot {
    pub fn new() -> Self {
        Self {
            from: None,
            ssrc: None,
            rewriter: Rewriter::new(48_000),
        }
    }

    pub fn open(&mut self, from: Option<PeerId>) {
        if self.from != from {
            self.from = from;
            self.ssrc = None;
        }
    }

    pub fn sender(&self) -> Option<PeerId> {
        self.from
    }

    pub fn forward(&mut self, from: PeerId, packet: &RtpIn, now: Instant) -> Option<RtpOut> {
        if self.from != Some(from) {
            return None;
        }
        let mut head = head(packet);
        if self.ssrc != Some(packet.ssrc) {
            // One that comes late may have been spoken before the opening.
            if !packet.is_newest {
                return None;
            }
            self.ssrc = Some(packet.ssrc);
            // The first word after a silence: the receiver may adapt its buffer here.
            head.marker = true;
            self.rewriter.switch(head, None, now);
        }
        self.rewriter.rewrite(head, &packet.payload, None, now)
    }
}

fn head(packet: &RtpIn) -> Head {
    Head {
        codec: packet.codec,
        seq: packet.seq,
        timestamp: packet.timestamp,
        marker: packet.marker,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Codec, Layer};
    use crate::vp8;
    use bytes::Bytes;

    const A: Picture = (PeerId(1), Layer::Quarter);
    const A_FULL: Picture = (PeerId(1), Layer::Full);
    const B: Picture = (PeerId(2), Layer::Quarter);

    fn packet(codec: Codec, ssrc: u32, seq: u16, payload: Bytes) -> RtpIn {
        RtpIn {
            codec,
            layer: Layer::Full,
            ssrc,
            seq,
            timestamp: 0,
            marker: false,
            level_dbov: None,
            is_newest: true,
            was_lost: false,
            payload,
        }
    }

    fn show(
        slot: &mut PictureSlot,
        picture: Picture,
        key_frame: bool,
        seq: u16,
        now: Instant,
    ) -> Option<u16> {
        let payload = vp8::tests::payload(key_frame, seq, 0);
        let ssrc = picture.0.0 as u32 * 10 + picture.1 as u32;
        let vp8 = vp8::read(&payload).unwrap();
        let packet = packet(Codec::Vp8, ssrc, seq, payload);
        slot.forward(picture, &packet, Some(&vp8), now)
            .map(|out| out.seq)
    }

    #[test]
    fn a_picture_begins_at_a_key_frame() {
        let now = Instant::now();
        let mut slot = PictureSlot::new();
        assert_eq!(show(&mut slot, A, true, 1, now), None, "not wanted");
        slot.want(Some(A), now);
        assert_eq!(slot.waits_for(), Some(A));
        assert_eq!(show(&mut slot, A, false, 2, now), None);
        assert_eq!(show(&mut slot, A, true, 3, now), Some(3));
        assert_eq!(show(&mut slot, A, false, 4, now), Some(4));
        assert_eq!(slot.waits_for(), None);
        slot.want(None, now);
        assert_eq!(show(&mut slot, A, true, 5, now), None);
    }

    /// What a slot sends for a packet, in numbers.
    fn sent(slot: &mut PictureSlot, key_frame: bool, seq: u16, now: Instant) -> Vec<u16> {
        let first = show(slot, A, key_frame, seq, now);
        let behind = std::iter::from_fn(|| slot.next_early(now).map(|out| out.seq));
        first.map_or(vec![], |first| {
            std::iter::once(first).chain(behind).collect()
        })
    }

    #[test]
    fn a_key_frame_whose_first_packet_comes_late_is_shown_whole() {
        let now = Instant::now();
        let mut slot = PictureSlot::new();
        slot.want(Some(A), now);
        assert_eq!(
            sent(&mut slot, false, 99, now),
            [0; 0],
            "of the picture before"
        );
        assert_eq!(sent(&mut slot, false, 101, now), [0; 0]);
        assert_eq!(sent(&mut slot, false, 103, now), [0; 0]);
        assert_eq!(slot.waits_for(), Some(A));
        assert_eq!(sent(&mut slot, true, 100, now), [100, 101, 103]);
        assert_eq!(sent(&mut slot, false, 102, now), [102], "late as well");
        assert_eq!(sent(&mut slot, false, 104, now), [104]);
    }

    #[test]
    fn what_is_kept_does_not_follow_the_former_picture() {
        let now = Instant::now();
        let mut slot = PictureSlot::new();
        slot.want(Some(B), now);
        show(&mut slot, B, true, 10, now);
        slot.want(Some(A), now);
        assert_eq!(sent(&mut slot, false, 101, now), [0; 0]);
        assert_eq!(show(&mut slot, B, false, 11, now), Some(11));
        assert_eq!(slot.next_early(now), None);
        assert_eq!(sent(&mut slot, true, 100, now), [12, 13]);
    }

    #[test]
    fn what_is_kept_for_a_late_key_frame_is_bounded() {
        let now = Instant::now();
        let mut slot = PictureSlot::new();
        slot.want(Some(A), now);
        for seq in 0..2_000 {
            assert_eq!(sent(&mut slot, false, seq, now), [0; 0]);
        }
        assert_eq!(slot.early.packets.len(), EARLY_MAX);
        assert_eq!(sent(&mut slot, true, 2_000, now), [2_000]);
        assert_eq!(slot.early.packets.len(), 0);
    }

    /// The same of the sender's other stream, and what the slot waits for then.
    fn of_another(
        slot: &mut PictureSlot,
        key_frame: bool,
        seq: u16,
    ) -> (Option<u16>, Option<Picture>) {
        let payload = vp8::tests::payload(key_frame, seq, 0);
        let vp8 = vp8::read(&payload).unwrap();
        let packet = packet(Codec::Vp8, 99, seq, payload);
        let out = slot.forward(A, &packet, Some(&vp8), Instant::now());
        (out.map(|out| out.seq), slot.waits_for())
    }

    #[test]
    fn a_stream_that_begins_anew_under_another_number_is_waited_for() {
        let now = Instant::now();
        let mut slot = PictureSlot::new();
        slot.want(Some(A), now);
        assert_eq!(sent(&mut slot, true, 10, now), [10]);
        assert_eq!(of_another(&mut slot, false, 401), (None, Some(A)));
        assert_eq!(sent(&mut slot, true, 11, now), [11], "the former goes on");
        assert_eq!(slot.waits_for(), None);
        assert_eq!(of_another(&mut slot, false, 501), (None, Some(A)));
        assert_eq!(of_another(&mut slot, true, 500), (Some(12), None));
        assert_eq!(slot.next_early(now).map(|out| out.seq), Some(13));
        assert_eq!(slot.next_early(now), None);
    }

    #[test]
    fn a_layer_switch_keeps_the_old_layer_until_the_key_frame() {
        let now = Instant::now();
        let mut slot = PictureSlot::new();
        slot.want(Some(A), now);
        show(&mut slot, A, true, 10, now);
        slot.want(Some(A_FULL), now);
        assert_eq!(show(&mut slot, A_FULL, false, 70, now), None);
        assert_eq!(show(&mut slot, A, false, 11, now), Some(11));
        assert_eq!(show(&mut slot, A_FULL, true, 71, now), Some(12));
        assert_eq!(show(&mut slot, A, false, 12, now), None);
    }

    #[test]
    fn what_the_client_cannot_read_is_not_asked_for_and_leaves_the_numbers_alone() {
        let now = Instant::now();
        let mut slot = PictureSlot::new();
        slot.want(Some(A), now);
        assert_eq!(show(&mut slot, A, true, 10, now), Some(10));
        slot.want(Some(B), now);
        assert_eq!(slot.cannot_read(A), None, "of the one that leaves");
        assert_eq!(slot.waits_for(), Some(B));
        assert_eq!(slot.cannot_read(B), None);
        assert_eq!(slot.waits_for(), None);
        assert_eq!(
            show(&mut slot, A, false, 11, now),
            None,
            "nobody under another's name"
        );
        slot.want(Some(A), now);
        assert_eq!(slot.waits_for(), Some(A));
        assert_eq!(show(&mut slot, A, true, 12, now), Some(11));
    }

    #[test]
    fn the_former_picture_does_not_stay_for_ever() {
        let now = Instant::now();
        let mut slot = PictureSlot::new();
        slot.want(Some(A), now);
        show(&mut slot, A, true, 10, now);
        slot.want(Some(B), now);
        assert_eq!(slot.senders().collect::<Vec<_>>(), [B.0, A.0]);
        assert_eq!(show(&mut slot, A, false, 11, now), Some(11));
        assert_eq!(show(&mut slot, A, false, 12, now + HOLD_FORMER_MAX), None);
        assert_eq!(slot.senders().collect::<Vec<_>>(), [B.0]);
        assert_eq!(
            show(&mut slot, B, true, 500, now + HOLD_FORMER_MAX),
            Some(12)
        );
    }

    #[test]
    fn a_voice_opens_and_closes_at_once_and_goes_on_without_a_gap() {
        let now = Instant::now();
        let mut slot = VoiceSlot::new();
        let speak = |slot: &mut VoiceSlot, from, seq| {
            let packet = packet(Codec::Opus, 5, seq, Bytes::from_static(b"opus"));
            slot.forward(PeerId(from), &packet, now)
                .map(|out| (out.seq, out.marker))
        };
        assert_eq!(speak(&mut slot, 1, 1), None);
        slot.open(Some(PeerId(1)));
        assert_eq!(speak(&mut slot, 1, 2), Some((2, true)));
        assert_eq!(speak(&mut slot, 1, 3), Some((3, false)));
        assert_eq!(speak(&mut slot, 2, 3), None);
        slot.open(None);
        assert_eq!(speak(&mut slot, 1, 4), None);
        slot.open(Some(PeerId(2)));
        let before = RtpIn {
            is_newest: false,
            ..packet(Codec::Opus, 5, 899, Bytes::from_static(b"before"))
        };
        assert_eq!(slot.forward(PeerId(2), &before, now), None);
        assert_eq!(speak(&mut slot, 2, 900), Some((4, true)));
    }
}
