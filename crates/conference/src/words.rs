//! The fixed lists of values, and the words people type.

use diemcau_model::{Millis, ParagraphRef, TurnId};
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

impl SpeechType {
    /// Every kind, in the order of their ranks.
    pub const ALL: [Self; 8] = [
        Self::PointOfOrder,
        Self::Question,
        Self::Response,
        Self::Reply,
        Self::Paper,
        Self::Contribution,
        Self::Directing,
        Self::Conclusion,
    ];
}

/// What a site says when it asks for the floor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RequestWords {
    /// What kind of speech.
    pub speech: SpeechType,
    /// Who will speak; may be empty.
    pub delegate: String,
    /// The speaker's title and unit; may be empty.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub title: String,
    /// On what; may be empty.
    pub topic: String,
    /// Which paragraph, if one.
    pub paragraph: Option<ParagraphRef>,
    /// Minutes asked for, 1 to 120; none: what the item gives.
    #[serde(default)]
    #[ts(optional)]
    pub minutes: Option<u16>,
}

/// Cách gọi: the order in which an item's list is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "mode")]
pub enum QueueMode {
    /// Chủ trì mời: nobody is next until the chair says so.
    ChairPicks,
    /// Theo thứ tự đăng ký.
    #[default]
    InOrder,
    /// Luân phiên điểm cầu: no second turn before everyone who asked had one.
    RoundOfSites,
    /// Điểm cầu phát biểu ít nhất trước: the site that used the least time in this item comes first.
    LeastTime,
    /// Theo thứ tự dự thảo: by draft and paragraph.
    ByDocument,
    /// Thảo luận tự do: up to so many microphones are open, beside the hall's; requests open them by themselves.
    Open {
        /// 1 to 3.
        microphones: u8,
    },
}

/// Why a request stands where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Why {
    /// Staged to be called next, by the chair, the deputy or the secretary.
    Staged,
    /// The chair put it here.
    Chair,
    /// Its kind of speech comes before others.
    Precedence,
    /// In the order of arrival.
    Arrival,
    /// Its site had so many turns in this item, counting those that wait before this one.
    Round {
        /// Turns had, and waiting before this one.
        turns: u16,
    },
    /// Its site used so much time in this item.
    LeastTime {
        /// Milliseconds, counting what waits before this one as if it took its time.
        #[ts(type = "number")]
        used_ms: u64,
    },
    /// By the paragraph it is on; those without one come last.
    Document,
}

/// What the chair's "next" does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "does")]
pub enum Next {
    /// It gives the floor to this request.
    Call {
        /// The request.
        turn: TurnId,
    },
    /// It ends what was put into this speech, which goes on.
    TakeUp {
        /// The speech.
        turn: TurnId,
    },
}

impl Next {
    /// Whose turn it is then.
    #[must_use]
    pub fn turn(self) -> TurnId {
        match self {
            Self::Call { turn } | Self::TakeUp { turn } => turn,
        }
    }
}

/// Whether a site that is told to prepare is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// It has not said.
    #[default]
    Unknown,
    /// Sẵn sàng.
    Ready,
    /// Chưa sẵn sàng: passed over without losing its place, until it is ready.
    NotReady,
}

/// What becomes of those who still wait when the item changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// They stay with their item, and wait again when it is taken up again.
    Keep,
    /// They are told that the item is over.
    Clear,
    /// They wait in the next item.
    #[default]
    Carry,
}

/// The chair's last step about the list, which can be undone for `UNDO_MS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A request was put somewhere else.
    Moved,
    /// A request was not taken.
    Denied,
    /// A request was called.
    Called,
}

/// Quân số of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Headcount {
    /// Triệu tập.
    pub summoned: u16,
    /// Có mặt trực tiếp.
    pub present: u16,
    /// Có mặt trực tuyến.
    pub online: u16,
    /// Who is absent and why; may be empty.
    pub absent: String,
}

/// How a call of the roll ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CallEnd {
    /// The site was heard, or reported its headcount.
    Answered,
    /// Neither.
    NoAnswer,
    /// The chair passed it over.
    PassedOver,
}

/// What the server measured of a called site when it was first heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Heard {
    /// Loudness of its microphone in dBov.
    pub level_dbov: i8,
    /// Round-trip time in milliseconds; none when not known.
    pub rtt_ms: Option<u16>,
    /// Packets lost, in tenths of a percent.
    pub loss_permille: u16,
    /// When.
    pub at: Millis,
}

/// A canned private message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PromptKind {
    /// To a site: lại gần micro.
    NearMicrophone,
    /// To a site: nói chậm lại.
    Slower,
    /// To a site: còn một phút.
    OneMinuteLeft,
    /// To a site: chuẩn bị.
    Prepare,
    /// From a site: cần hỗ trợ.
    NeedHelp,
    /// From a site: không nghe rõ.
    CannotHear,
    /// From a site: không thấy hình.
    CannotSee,
}

impl PromptKind {
    /// Whether sites say it to the desks; else desks say it to sites.
    #[must_use]
    pub fn is_from_site(self) -> bool {
        match self {
            Self::NeedHelp | Self::CannotHear | Self::CannotSee => true,
            Self::NearMicrophone | Self::Slower | Self::OneMinuteLeft | Self::Prepare => false,
        }
    }
}

/// A request that was not taken, told to its site and the desks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Denied {
    /// The request.
    pub turn: TurnId,
    /// Its site.
    pub site: diemcau_model::SiteId,
    /// In the chair's words; may be empty.
    pub reason: String,
    /// Nobody denied it: its item was over.
    pub item_over: bool,
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
    /// Màn hình chờ: the conference's title, the time, who is linked.
    Waiting,
    /// Lưới điểm cầu.
    Grid,
    /// Diễn giả: who speaks, large.
    #[default]
    Speaker,
    /// Dự thảo: the paragraph under discussion, with the speaker beside it.
    Document,
    /// Thông báo.
    Notice,
    /// Màn hình trống.
    Blank,
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
    /// Its site was away longer than the setting allows.
    Away,
}
