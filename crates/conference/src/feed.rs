//! The feed: comments on the drafts' paragraphs.

use crate::{
    Actor, Event, Refusal, Setup,
    floor::check_length,
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
        if self.taken as usize >= limits::COMMENTS_MAX {
            return Err(Refusal::FeedFull);
        }
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

    pub(crate) fn posted(&mut self, comment: Comment) {
        self.taken = self.taken.max(comment.id.0);
        self.comments.insert(comment.id, comment);
    }

    pub(crate) fn set_held(&mut self, comment: CommentId, held: bool) {
        if let Some(comment) = self.comments.get_mut(&comment) {
            comment.held = held;
        }
    }

    pub(crate) fn withdrawn(&mut self, comment: CommentId) {
        self.comments.remove(&comment);
    }

    fn find(&self, comment: CommentId) -> Result<&Comment, Refusal> {
        self.comments.get(&comment).ok_or(Refusal::UnknownComment)
    }
}
