//! The feed: comments on the drafts' paragraphs.

use crate::{
    Actor, Event, Refusal, Setup,
    floor::check_length,
    share::Sharer,
    words::{CommentKind, CommentWords},
};
use diemcau_model::{CommentId, Millis, Role, SeatId, SiteId, limits};
use std::collections::BTreeMap;

/// The part of the state that is about comments. Withdrawn ones stay in the journal only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Comments by number.
    pub comments: BTreeMap<CommentId, Comment>,
    taken: u32,
    shares: BTreeMap<Sharer, Share>,
}

/// What somebody uses of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    /// Comments, also those that were withdrawn.
    sent: u32,
    /// Bytes of the words that stand.
    stand: usize,
}

/// Ý kiến góp ý.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub id: CommentId,
    /// The site it comes from.
    pub site: SiteId,
    /// The seat that sent it.
    pub seat: SeatId,
    /// What kind.
    pub kind: CommentKind,
    /// Where and what.
    pub words: CommentWords,
    /// When the server took it.
    pub at: Millis,
    /// Whether it is kept from everyone but its site and the desks.
    pub held: bool,
}

impl Feed {
    pub(crate) fn decide_post(
        &self,
        setup: &Setup,
        actor: &Actor,
        kind: CommentKind,
        words: &CommentWords,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        // The secretary writes down what was said in the hall; nobody else speaks for it without belonging to it.
        let hall = setup.hall().filter(|_| actor.role == Role::Secretary);
        let site = actor.site.or(hall).ok_or(Refusal::NotAllowed)?;
        if words.text.trim().is_empty() {
            return Err(Refusal::TextEmpty);
        }
        check_length(&words.text, limits::COMMENT_MAX_CHARS)?;
        check_length(&words.proposed, limits::COMMENT_MAX_CHARS)?;
        check_length(&words.delegate, limits::NAME_MAX_CHARS)?;
        if !setup.has_paragraph(words.at) {
            return Err(Refusal::UnknownParagraph);
        }
        self.check_room(setup, actor.seat, site, words)?;
        let comment = CommentId(self.taken + 1);
        Ok(vec![Event::CommentPosted {
            comment,
            site,
            seat: actor.seat,
            kind,
            words: words.clone(),
            at: now,
        }])
    }

    pub(crate) fn decide_hold(
        &self,
        comment: CommentId,
        held: bool,
    ) -> Result<Vec<Event>, Refusal> {
        if self.find(comment)?.held == held {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![match held {
            true => Event::CommentHeld { comment },
            false => Event::CommentPublished { comment },
        }])
    }

    pub(crate) fn decide_withdraw(&self, comment: CommentId) -> Result<Vec<Event>, Refusal> {
        self.find(comment)?;
        Ok(vec![Event::CommentWithdrawn { comment }])
    }

    pub(crate) fn posted(&mut self, comment: Comment, by: Sharer) {
        let share = self.shares.entry(by).or_default();
        share.sent += 1;
        share.stand += bytes(&comment.words);
        self.taken = self.taken.max(comment.id.0);
        self.comments.insert(comment.id, comment);
    }

    pub(crate) fn set_held(&mut self, comment: CommentId, held: bool) {
        if let Some(comment) = self.comments.get_mut(&comment) {
            comment.held = held;
        }
    }

    pub(crate) fn withdrawn(&mut self, setup: &Setup, comment: CommentId) {
        let Some(comment) = self.comments.remove(&comment) else {
            return;
        };
        let by = Sharer::of(setup, comment.seat, comment.site);
        if let Some(share) = self.shares.get_mut(&by) {
            share.stand = share.stand.saturating_sub(bytes(&comment.words));
        }
    }

    /// The feed has an end, and nobody may take up all of it for the others.
    fn check_room(
        &self,
        setup: &Setup,
        seat: SeatId,
        site: SiteId,
        words: &CommentWords,
    ) -> Result<(), Refusal> {
        let by = Sharer::of(setup, seat, site);
        let own = self.shares.get(&by).copied().unwrap_or_default();
        let stand: usize = self.shares.values().map(|share| share.stand).sum();
        let more = bytes(words);
        if self.taken >= limits::COMMENTS_MAX || stand + more > limits::FEED_MAX_BYTES {
            return Err(Refusal::FeedFull);
        }
        let is_used = own.sent >= limits::COMMENTS_SHARE;
        match is_used || own.stand + more > limits::FEED_SHARE_BYTES {
            true => Err(Refusal::ShareUsed),
            false => Ok(()),
        }
    }

    fn find(&self, comment: CommentId) -> Result<&Comment, Refusal> {
        self.comments.get(&comment).ok_or(Refusal::UnknownComment)
    }
}

fn bytes(words: &CommentWords) -> usize {
    words.text.len() + words.proposed.len() + words.delegate.len()
}
