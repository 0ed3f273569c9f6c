//! The fixed lists of values, and the words people type.

use diemcau_model::ParagraphRef;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Loại phát biểu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SpeechType {
    /// Tham luận.
    Paper,
    /// Ý kiến.
    Contribution,
    /// Trao đổi lại.
    Reply,
    /// Giải trình.
    Response,
    /// Hỏi thêm.
    Question,
    /// Ý kiến về điều hành.
    PointOfOrder,
    /// Phát biểu chỉ đạo.
    Directing,
    /// Phát biểu kết luận.
    Conclusion,
}

/// What a site says when it asks for the floor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RequestWords {
    /// What kind of speech.
    pub speech: SpeechType,
    /// Who will speak, with title; may be empty.
    pub delegate: String,
    /// On what; may be empty.
    pub topic: String,
    /// Which paragraph, if one.
    pub paragraph: Option<ParagraphRef>,
}

/// Loại ý kiến góp ý.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CommentKind {
    /// Nhất trí.
    Agree,
    /// Sửa nội dung.
    Substance,
    /// Sửa câu chữ.
    Wording,
    /// Bổ sung.
    Add,
    /// Bỏ.
    Delete,
    /// Mức chỉ tiêu.
    Target,
    /// Kiến nghị.
    Recommendation,
}

/// What a comment says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CommentWords {
    /// Where.
    pub at: ParagraphRef,
    /// What; never empty.
    pub text: String,
    /// "Đề nghị sửa thành"; may be empty.
    pub proposed: String,
    /// Who says it, with title; may be empty.
    pub delegate: String,
}

/// The layouts of the big screens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Lưới điểm cầu.
    Grid,
    /// Diễn giả.
    #[default]
    Speaker,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TurnEnd {
    /// The speaker or the chair ended it.
    Released,
    /// The chair stopped it.
    Revoked,
    /// The next one was called.
    Succeeded,
    /// The time was up and the item's rule is to cut.
    TimeUp,
    /// The item was finished.
    ItemFinished,
}
