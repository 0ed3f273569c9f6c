//! The table: every deed by every role. The check, the exhaustive test and PERMISSIONS.md are made from it.

use super::May;
use diemcau_model::Role;

const N: May = May::Never;
const O: May = May::OwnSite;
const P: May = May::Presiding;
const A: May = May::Always;

/// The roles in the order of the table's columns.
pub const ROLES: [Role; 7] = [
    Role::Chair,
    Role::Deputy,
    Role::Secretary,
    Role::Moderator,
    Role::Technician,
    Role::Observer,
    Role::Stage,
];

macro_rules! table {
    ($($deed:ident $name:literal [$($may:ident)*])*) => {
        /// What a command comes to: its name, or the part of it that has a right of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Deed {
            $(#[doc = $name] $deed,)*
        }

        impl Deed {
            /// Every row of the table.
            pub const ALL: &[Self] = &[$(Self::$deed,)*];

            /// What it is called on the page: the command's name on the wire, and which part of it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$deed => $name,)* }
            }

            fn row(self) -> [May; ROLES.len()] {
                match self { $(Self::$deed => [$($may,)*],)* }
            }
        }
    };
}

// N never, O for the own site, P while presiding, A always.
table! {
    //                                                       chair  deputy secret moder  techn  observ stage
    StartItem         "start_item"                          [P      P      N      N      N      N      N]
    FinishItem        "finish_item"                         [P      P      N      N      N      N      N]
    NextItem          "next_item"                           [P      P      N      N      N      N      N]
    MoveItem          "move_item"                           [P      P      N      N      N      N      N]
    SetList           "set_list"                            [P      P      N      N      N      N      N]
    RequestFloor      "request_floor"                       [A      A      A      O      N      N      N]
    WithdrawRequest   "withdraw_request"                    [N      N      N      O      N      N      N]
    WithdrawForHall   "withdraw_request of the hall's"      [A      A      A      O      N      N      N]
    AcceptRequest     "accept_request"                      [P      P      N      N      N      N      N]
    DenyRequest       "deny_request"                        [P      P      N      N      N      N      N]
    MoveRequest       "move_request"                        [P      P      N      N      N      N      N]
    Stage             "stage"                               [A      A      A      N      N      N      N]
    SetReady          "set_ready"                           [P      P      N      O      N      N      N]
    GrantNext         "grant_next"                          [P      P      N      N      N      N      N]
    Grant             "grant"                               [P      P      N      N      N      N      N]
    Undo              "undo"                                [P      P      N      N      N      N      N]
    PauseTurn         "pause_turn"                          [P      P      N      N      N      N      N]
    ResumeTurn        "resume_turn"                         [P      P      N      N      N      N      N]
    ExtendTurn        "extend_turn"                         [P      P      N      N      N      N      N]
    KeepTurn          "keep_turn"                           [P      P      N      N      N      N      N]
    ReturnCall        "return_call"                         [P      P      N      O      N      N      N]
    EndTurn           "end_turn"                            [P      P      N      O      N      N      N]
    RevokeTurn        "revoke_turn"                         [P      P      N      N      N      N      N]
    SetHallMicrophone "set_hall_microphone"                 [P      P      N      N      N      N      N]
    SetPriority       "set_priority"                        [P      P      N      N      N      N      N]
    CloseMicrophones  "close_microphones"                   [P      P      N      N      N      N      N]
    OpenMicrophones   "open_microphones"                    [P      P      N      N      N      N      N]
    TakeChair         "take_chair"                          [A      A      N      N      N      N      N]
    ReturnChair       "return_chair"                        [N      P      N      N      N      N      N]
    StartRollCall     "start_roll_call"                     [P      P      N      N      N      N      N]
    CallNextSite      "call_next_site"                      [P      P      N      N      N      N      N]
    CallSite          "call_site"                           [P      P      N      N      N      N      N]
    PassOverSite      "pass_over_site"                      [P      P      N      N      N      N      N]
    EndRollCall       "end_roll_call"                       [P      P      N      N      N      N      N]
    SetHeadcount      "set_headcount"                       [N      N      A      O      N      N      N]
    PromptSite        "prompt_site"                         [A      A      A      N      A      N      N]
    PromptDesks       "prompt_desks"                        [N      N      N      O      N      N      N]
    PromptDesksAsDesk "prompt_desks in a desk's words"      [N      N      N      N      N      N      N]
    PromptSiteAsSite  "prompt_site in a site's words"       [N      N      N      N      N      N      N]
    HandleToSite      "handle_prompt that a site was sent"  [N      N      N      O      N      N      N]
    HandleFromSite    "handle_prompt that a site has sent"  [A      A      A      N      A      N      N]
    SetBlank          "set_blank"                           [P      P      N      N      A      N      N]
    StartBreak        "start_break"                         [P      P      N      N      N      N      N]
    EndBreak          "end_break"                           [P      P      N      N      N      N      N]
    SetLayout         "set_layout"                          [P      P      N      N      A      N      N]
    PreviewLayout     "preview_layout"                      [P      P      N      N      A      N      N]
    TakePreview       "take_preview"                        [P      P      N      N      A      N      N]
    SetNotice         "set_notice"                          [P      P      N      N      A      N      N]
    ShowParagraph     "show_paragraph"                      [P      P      N      N      A      N      N]
    SetSpotlight      "set_spotlight"                       [P      P      N      N      A      N      N]
    SetCarousel       "set_carousel"                        [P      P      N      N      A      N      N]
    SetPage           "set_page"                            [P      P      N      N      A      N      N]
    AskToPresent      "ask_to_present"                      [A      A      A      A      A      N      N]
    LetPresent        "let_present"                         [P      P      N      N      A      N      N]
    EndOwn            "end_presentation of the asker"       [A      A      A      A      A      N      N]
    EndPresentation   "end_presentation of another"         [P      P      N      N      A      N      N]
    PostComment       "post_comment"                        [N      N      A      O      N      N      N]
    HoldComment       "hold_comment"                        [N      N      A      N      N      N      N]
    PublishComment    "publish_comment"                     [N      N      A      N      N      N      N]
    WithdrawComment   "withdraw_comment"                    [N      N      A      O      N      N      N]
    RevokeSeat        "revoke_seat"                         [A      N      N      N      A      N      N]
    RevokeChair       "revoke_seat of a chair"              [A      N      N      N      N      N      N]
    RevokeOwnSeat     "revoke_seat of the asker"            [N      N      N      N      N      N      N]
    AdmitDevice       "admit_device"                        [A      P      N      N      A      N      N]
    RefuseDevice      "refuse_device"                       [A      P      N      N      A      N      N]
    ExpelSeat         "expel_seat"                          [A      P      N      N      A      N      N]
    ExpelChair        "expel_seat of a chair"               [A      N      N      N      N      N      N]
    ExpelOwnSeat      "expel_seat of the asker"             [N      N      N      N      N      N      N]
    RestoreSeat       "restore_seat"                        [A      N      N      N      A      N      N]
    RestoreChair      "restore_seat of a chair"             [A      N      N      N      N      N      N]
    AllowDevice       "allow_device"                        [A      N      N      N      A      N      N]
}

impl Deed {
    /// What a role may do of it.
    #[must_use]
    pub fn may(self, role: Role) -> May {
        let [
            chair,
            deputy,
            secretary,
            moderator,
            technician,
            observer,
            stage,
        ] = self.row();
        match role {
            Role::Chair => chair,
            Role::Deputy => deputy,
            Role::Secretary => secretary,
            Role::Moderator => moderator,
            Role::Technician => technician,
            Role::Observer => observer,
            Role::Stage => stage,
        }
    }
}
