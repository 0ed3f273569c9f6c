//! Which role may ask for what. One table, no wildcard: a new command does not compile until it is here.

use crate::Command;
use diemcau_model::Role;

/// Whether a role may ask for a command at all. Whose site it is about is decided with the command.
#[must_use]
pub fn permits(role: Role, command: &Command) -> bool {
    let roles: &[Role] = match command {
        Command::StartItem { .. }
        | Command::FinishItem { .. }
        | Command::NextItem { .. }
        | Command::MoveItem { .. }
        | Command::SetList { .. }
        | Command::AcceptRequest { .. }
        | Command::DenyRequest { .. }
        | Command::MoveRequest { .. }
        | Command::Prepare { .. }
        | Command::GrantNext { .. }
        | Command::Grant { .. }
        | Command::PauseTurn { .. }
        | Command::ResumeTurn { .. }
        | Command::ExtendTurn { .. }
        | Command::RevokeTurn { .. }
        | Command::SetHallMicrophone { .. } => &[Role::Chair],
        Command::EndTurn { .. } => &[Role::Chair, Role::Moderator],
        Command::RequestFloor { .. } | Command::WithdrawRequest { .. } => &[Role::Moderator],
        Command::SetLayout { .. } | Command::RevokeSeat { .. } => &[Role::Chair, Role::Technician],
        Command::PostComment { .. } | Command::WithdrawComment { .. } => {
            &[Role::Moderator, Role::Secretary]
        }
        Command::HoldComment { .. } | Command::PublishComment { .. } => &[Role::Secretary],
    };
    roles.contains(&role)
}
