//! Which role may ask for what. One table, no wildcard: a new command does not compile until it is here.

use crate::Command;
use diemcau_model::Role;

/// Who may ask for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Whoever has the chair: the chair, or the deputy who took it.
    Presiding,
    /// A role, whoever has the chair.
    Has(Role),
}

const PRESIDING: &[Who] = &[Who::Presiding];
const LINE: &[Who] = &[
    Who::Presiding,
    Who::Has(Role::Chair),
    Who::Has(Role::Deputy),
    Who::Has(Role::Secretary),
];
const SCREENS: &[Who] = &[Who::Presiding, Who::Has(Role::Technician)];
const MODERATOR: &[Who] = &[Who::Has(Role::Moderator)];
const SECRETARY: &[Who] = &[Who::Has(Role::Secretary)];
const WRITERS: &[Who] = &[Who::Has(Role::Moderator), Who::Has(Role::Secretary)];
const DESKS: &[Who] = &[
    Who::Has(Role::Chair),
    Who::Has(Role::Deputy),
    Who::Has(Role::Secretary),
    Who::Has(Role::Technician),
];

/// Whether a role may ask for a command at all. Who has the chair and whose site it is about is decided with the command.
#[must_use]
pub fn permits(role: Role, command: &Command) -> bool {
    who_may(command).iter().any(|who| match who {
        Who::Presiding => matches!(role, Role::Chair | Role::Deputy),
        Who::Has(may) => *may == role,
    })
}

/// Whether this role may ask for a command only while it has the chair.
pub(crate) fn needs_the_chair(role: Role, command: &Command) -> bool {
    !who_may(command).contains(&Who::Has(role))
}

fn who_may(command: &Command) -> &'static [Who] {
    match command {
        Command::StartItem { .. }
        | Command::FinishItem { .. }
        | Command::NextItem { .. }
        | Command::MoveItem { .. }
        | Command::SetList { .. }
        | Command::AcceptRequest { .. }
        | Command::DenyRequest { .. }
        | Command::MoveRequest { .. }
        | Command::GrantNext { .. }
        | Command::Grant { .. }
        | Command::Undo { .. }
        | Command::PauseTurn { .. }
        | Command::ResumeTurn { .. }
        | Command::ExtendTurn { .. }
        | Command::KeepTurn { .. }
        | Command::RevokeTurn { .. }
        | Command::SetHallMicrophone { .. }
        | Command::SetPriority { .. }
        | Command::CloseMicrophones
        | Command::StartRollCall
        | Command::CallNextSite { .. }
        | Command::CallSite { .. }
        | Command::PassOverSite { .. }
        | Command::EndRollCall => PRESIDING,
        Command::Stage { .. } => LINE,
        Command::TakeChair => &[Who::Has(Role::Chair), Who::Has(Role::Deputy)],
        Command::ReturnChair => &[Who::Has(Role::Deputy)],
        Command::SetReady { .. } | Command::EndTurn { .. } => {
            &[Who::Presiding, Who::Has(Role::Moderator)]
        }
        Command::RequestFloor { .. }
        | Command::WithdrawRequest { .. }
        | Command::PromptDesks { .. } => MODERATOR,
        Command::SetHeadcount { .. } => WRITERS,
        Command::PromptSite { .. } => DESKS,
        Command::HandlePrompt { .. } => &[
            Who::Has(Role::Chair),
            Who::Has(Role::Deputy),
            Who::Has(Role::Secretary),
            Who::Has(Role::Technician),
            Who::Has(Role::Moderator),
        ],
        Command::SetLayout { .. }
        | Command::PreviewLayout { .. }
        | Command::TakePreview { .. }
        | Command::SetNotice { .. }
        | Command::ShowParagraph { .. }
        | Command::SetSpotlight { .. }
        | Command::SetCarousel { .. }
        | Command::SetPage { .. } => SCREENS,
        Command::RevokeSeat { .. } => &[Who::Has(Role::Chair), Who::Has(Role::Technician)],
        Command::PostComment { .. } | Command::WithdrawComment { .. } => WRITERS,
        Command::HoldComment { .. } | Command::PublishComment { .. } => SECRETARY,
    }
}
