//! The same types for the browser: written to `web/generated/protocol.ts` by `cargo xtask generate`.

use crate::{
    Acknowledged, ClientCommand, ClientFrame, DeviceProof, ErrorWhy, Fact, HealthAlarm, Me,
    ServerFrame, SiteTelemetry, view,
};
use diemcau_conference as conference;
use diemcau_model as model;
use ts_rs::{Config, TS};

/// The whole file. Every type a frame is made of is listed here; `tsc` finds a missing one.
#[must_use]
pub fn typescript() -> String {
    let config = Config::default();
    let mut file = String::from(
        "// The frames between server and browser. Written from Rust by `cargo xtask generate`; do not edit.\n",
    );
    macro_rules! declare {
        ($($type:ty),* $(,)?) => {
            $( file.push_str(&format!("\nexport {}\n", <$type as TS>::decl(&config))); )*
        };
    }
    declare!(
        ClientFrame,
        ClientCommand,
        DeviceProof,
        ServerFrame,
        Fact,
        Me,
        ErrorWhy,
        SiteTelemetry,
        HealthAlarm,
        Acknowledged,
        view::View,
        view::Fixed,
        view::SiteLink,
        view::Agenda,
        view::Item,
        view::Floor,
        view::Request,
        view::Turn,
        view::LastTurn,
        view::StageView,
        view::LowerThird,
        view::Comment,
        view::SeatView,
        view::Used,
        view::Undo,
        view::Kept,
        view::Kind,
        view::Break,
        view::Speech,
        view::Deputy,
        view::Spotlight,
        view::PresentationView,
        view::PresentationAsk,
        view::Attendance,
        view::SiteAttendance,
        view::Prompt,
        view::Door,
        view::Visitor,
        view::BannedDevice,
        conference::QueueMode,
        conference::Next,
        conference::Precedence,
        conference::Quorum,
        conference::QuorumBase,
        conference::Why,
        conference::Readiness,
        conference::Waiting,
        conference::StepKind,
        conference::Headcount,
        conference::CallEnd,
        conference::Heard,
        conference::PromptKind,
        conference::Denied,
        conference::Site,
        conference::ItemKind,
        conference::TurnRules,
        conference::AtZero,
        conference::Draft,
        conference::Paragraph,
        conference::SpeechType,
        conference::RequestWords,
        conference::CommentKind,
        conference::CommentWords,
        conference::Layout,
        conference::TurnEnd,
        conference::Refusal,
        model::SiteId,
        model::SeatId,
        model::ItemId,
        model::TurnId,
        model::DraftId,
        model::CommentId,
        model::PromptId,
        model::WaitId,
        model::DeviceId,
        model::Millis,
        model::ParagraphRef,
        model::Role,
        model::Carries,
        model::EndpointKind,
        model::ScreenSlots,
        model::LinkStats,
        model::LinkStep,
        model::Side,
        model::Alarm,
        model::HealthId,
        model::HealthKind,
    );
    file
}
