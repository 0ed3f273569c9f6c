//! What people say in the tests, in few words, and who answers for it.

use crate::{Client, Server};
use anyhow::{Result, bail};
use diemcau_conference::{CommentKind, CommentWords, Layout, RequestWords, SpeechType};
use diemcau_model::{Carries, DraftId, ItemId, ParagraphRef, Role, SiteId, TurnId};
use diemcau_protocol::{ClientCommand, ServerFrame};

/// Sites of the demo, the hall first.
pub const SITES: u16 = 13;

/// The item of the demo in which the sites discuss.
pub const DISCUSSION: ItemId = ItemId(5);

/// Begin an item in which nobody waits yet.
#[must_use]
pub fn start_item(item: ItemId) -> ClientCommand {
    let waiting = None;
    ClientCommand::StartItem { item, waiting }
}

/// A request for the floor.
#[must_use]
pub fn request(topic: &str) -> ClientCommand {
    ClientCommand::RequestFloor {
        item: None,
        words: RequestWords {
            speech: SpeechType::Contribution,
            delegate: format!("Đại biểu {topic}"),
            title: "Phó Bí thư Thường trực".into(),
            topic: topic.into(),
            paragraph: None,
            minutes: None,
        },
        about: None,
    }
}

/// A comment on the first paragraph of the first draft.
#[must_use]
pub fn comment(text: &str) -> ClientCommand {
    wording(text, "")
}

/// The same with a proposed wording.
#[must_use]
pub fn wording(text: &str, proposed: &str) -> ClientCommand {
    ClientCommand::PostComment {
        kind: CommentKind::Wording,
        words: CommentWords {
            at: ParagraphRef {
                draft: DraftId(1),
                paragraph: 1,
            },
            text: text.into(),
            proposed: proposed.into(),
            delegate: String::new(),
        },
    }
}

/// "Mời tiếp", as a console sees the floor.
#[must_use]
pub fn call_next(after: Option<TurnId>, expect: TurnId) -> ClientCommand {
    ClientCommand::GrantNext { after, expect }
}

/// Another layout than the one shown.
#[must_use]
pub fn other_layout(shown: Layout) -> ClientCommand {
    ClientCommand::SetLayout {
        layout: match shown {
            Layout::Grid => Layout::Speaker,
            _ => Layout::Grid,
        },
    }
}

/// The number of the last event of a command that took effect.
///
/// # Errors
/// It did not.
pub fn taken(answer: ServerFrame) -> Result<u64> {
    match answer {
        ServerFrame::Ok { seq, .. } => Ok(seq),
        other => bail!("not ok but {other:?}"),
    }
}

/// Whether an answer is `ok`.
#[must_use]
pub fn is_ok(answer: &ServerFrame) -> bool {
    matches!(answer, ServerFrame::Ok { .. })
}

impl Server {
    /// The first chair's console.
    ///
    /// # Errors
    /// It is not admitted.
    pub async fn chair(&self) -> Result<Client> {
        Client::join(&self.host, &self.token(Role::Chair, None, None)?).await
    }

    /// The token of a site's own machine; the hall's is its standby, for its room is the chair's.
    ///
    /// # Errors
    /// There is no such seat.
    pub fn moderator_token(&self, site: SiteId) -> Result<String> {
        let carries = match site {
            SiteId(0) => Carries::Standby,
            SiteId(_) => Carries::Room,
        };
        self.token(Role::Moderator, Some(site), Some(carries))
    }

    /// A site's own machine.
    ///
    /// # Errors
    /// It is not admitted.
    pub async fn moderator(&self, site: u16) -> Result<Client> {
        Client::join(&self.host, &self.moderator_token(SiteId(site))?).await
    }
}
