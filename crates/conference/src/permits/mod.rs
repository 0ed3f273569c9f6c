//! Who may ask for what, of which site, and when. One table, no wildcard: a new command does not compile until it is
//! here. What is asked for then may still be refused for what it is (a closed list, a floor that is taken).

mod page;
mod table;

use crate::{Actor, Command, Conference, Refusal};
use diemcau_model::{Role, SeatId, SiteId, TurnId};
pub use page::permissions_page;
pub use table::{Deed, ROLES};

/// What a role may do of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Never.
    Never,
    /// When it is about the asker's own site; an asker without a site never.
    OwnSite,
    /// While the asker has the chair: the chair itself, or the deputy who took it.
    Presiding,
    /// Always.
    Always,
}

/// Whether a role may ever ask for a command.
#[must_use]
pub fn permits(role: Role, command: &Command) -> bool {
    let may = |deed: &Deed| deed.may(role) != May::Never;
    deeds(command).iter().any(may)
}

impl Conference {
    /// What a command of this asker comes to as the conference stands.
    #[must_use]
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "`deeds` names every command; only these come to more than one thing"
    )]
    pub fn deed(&self, actor: &Actor, command: &Command) -> Deed {
        let of_chair = |seat: SeatId| {
            let target = self.setup.seat(seat);
            target.is_some_and(|target| target.role == Role::Chair)
        };
        match command {
            Command::RevokeSeat { seat } if *seat == actor.seat => Deed::RevokeOwnSeat,
            Command::RevokeSeat { seat } if of_chair(*seat) => Deed::RevokeChair,
            Command::ExpelSeat { seat, .. } if *seat == actor.seat => Deed::ExpelOwnSeat,
            Command::ExpelSeat { seat, .. } if of_chair(*seat) => Deed::ExpelChair,
            Command::EndPresentation { seat } if *seat == actor.seat => Deed::EndOwn,
            Command::RestoreSeat { seat, .. } if of_chair(*seat) => Deed::RestoreChair,
            Command::WithdrawRequest { turn } if self.is_for_hall(*turn) => Deed::WithdrawForHall,
            Command::PromptSite { prompt, .. } if prompt.is_from_site() => Deed::PromptSiteAsSite,
            Command::PromptDesks { prompt } if !prompt.is_from_site() => Deed::PromptDesksAsDesk,
            Command::HandlePrompt { prompt } => match self.prompts.find(*prompt) {
                Some(found) if found.kind.is_from_site() => Deed::HandleFromSite,
                Some(_) => Deed::HandleToSite,
                // There is none: whoever sees to any is told so.
                None if actor.role == Role::Moderator => Deed::HandleToSite,
                None => Deed::HandleFromSite,
            },
            _ => deeds(command)[0],
        }
    }

    /// Whether a request is one of the hall's own: the desks there registered it.
    fn is_for_hall(&self, turn: TurnId) -> bool {
        let site = self.floor.request(turn).map(|request| request.site);
        site.is_some() && site == self.setup.hall()
    }

    /// Refuses what the asker may not, before anything else is looked at.
    pub(crate) fn check_may(&self, actor: &Actor, command: &Command) -> Result<(), Refusal> {
        // A command may still wait in line when the seat that sent it is revoked.
        if self.roster.is_revoked(actor.seat) {
            return Err(Refusal::NotAllowed);
        }
        match self.deed(actor, command).may(actor.role) {
            May::Never => Err(Refusal::NotAllowed),
            May::Always => Ok(()),
            May::OwnSite => self.check_own(actor, command),
            May::Presiding if self.roster.presides(actor) => Ok(()),
            May::Presiding if actor.role == Role::Chair => Err(Refusal::DeputyPresides),
            May::Presiding => Err(Refusal::NotPresiding),
        }
    }

    fn check_own(&self, actor: &Actor, command: &Command) -> Result<(), Refusal> {
        let own = actor.site.ok_or(Refusal::NotAllowed)?;
        match self.site_about(command) {
            Some(site) if site != own => Err(Refusal::OtherSite),
            // Of a turn or comment that is not there the rules say so.
            Some(_) | None => Ok(()),
        }
    }

    /// The site that a command is about; none when it is about the asker's own or about nothing that is there.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "`deeds` names every command; only these can be about a site of the asker's choice"
    )]
    fn site_about(&self, command: &Command) -> Option<SiteId> {
        match command {
            Command::WithdrawRequest { turn } => {
                self.floor.request(*turn).map(|request| request.site)
            }
            Command::SetReady { turn, .. } => {
                self.floor.waits(*turn).ok().map(|request| request.site)
            }
            Command::EndTurn { turn } | Command::ReturnCall { turn } => {
                self.floor.speech(*turn).map(|speech| speech.site)
            }
            Command::SetHeadcount { site, .. } => self.setup.site(*site).map(|site| site.id),
            Command::HandlePrompt { prompt } => self.prompts.find(*prompt).map(|found| found.site),
            Command::WithdrawComment { comment } => {
                let comment = self.feed.comments.get(comment);
                comment.map(|comment| comment.site)
            }
            _ => None,
        }
    }
}

/// What a command may come to.
fn deeds(command: &Command) -> &'static [Deed] {
    match command {
        Command::StartItem { .. } => &[Deed::StartItem],
        Command::FinishItem { .. } => &[Deed::FinishItem],
        Command::NextItem { .. } => &[Deed::NextItem],
        Command::MoveItem { .. } => &[Deed::MoveItem],
        Command::SetList { .. } => &[Deed::SetList],
        Command::RequestFloor { .. } => &[Deed::RequestFloor],
        Command::WithdrawRequest { .. } => &[Deed::WithdrawRequest, Deed::WithdrawForHall],
        Command::AcceptRequest { .. } => &[Deed::AcceptRequest],
        Command::DenyRequest { .. } => &[Deed::DenyRequest],
        Command::MoveRequest { .. } => &[Deed::MoveRequest],
        Command::Stage { .. } => &[Deed::Stage],
        Command::SetReady { .. } => &[Deed::SetReady],
        Command::GrantNext { .. } => &[Deed::GrantNext],
        Command::Grant { .. } => &[Deed::Grant],
        Command::Undo { .. } => &[Deed::Undo],
        Command::PauseTurn { .. } => &[Deed::PauseTurn],
        Command::ResumeTurn { .. } => &[Deed::ResumeTurn],
        Command::ExtendTurn { .. } => &[Deed::ExtendTurn],
        Command::KeepTurn { .. } => &[Deed::KeepTurn],
        Command::EndTurn { .. } => &[Deed::EndTurn],
        Command::RevokeTurn { .. } => &[Deed::RevokeTurn],
        Command::ReturnCall { .. } => &[Deed::ReturnCall],
        Command::OpenMicrophones => &[Deed::OpenMicrophones],
        Command::SetHallMicrophone { .. } => &[Deed::SetHallMicrophone],
        Command::SetPriority { .. } => &[Deed::SetPriority],
        Command::CloseMicrophones => &[Deed::CloseMicrophones],
        Command::TakeChair => &[Deed::TakeChair],
        Command::ReturnChair => &[Deed::ReturnChair],
        Command::StartRollCall => &[Deed::StartRollCall],
        Command::CallNextSite { .. } => &[Deed::CallNextSite],
        Command::CallSite { .. } => &[Deed::CallSite],
        Command::PassOverSite { .. } => &[Deed::PassOverSite],
        Command::EndRollCall => &[Deed::EndRollCall],
        Command::SetHeadcount { .. } => &[Deed::SetHeadcount],
        Command::PromptSite { .. } => &[Deed::PromptSite, Deed::PromptSiteAsSite],
        Command::PromptDesks { .. } => &[Deed::PromptDesks, Deed::PromptDesksAsDesk],
        Command::HandlePrompt { .. } => &[Deed::HandleToSite, Deed::HandleFromSite],
        Command::StartBreak { .. } => &[Deed::StartBreak],
        Command::EndBreak => &[Deed::EndBreak],
        Command::SetBlank { .. } => &[Deed::SetBlank],
        Command::SetLayout { .. } => &[Deed::SetLayout],
        Command::PreviewLayout { .. } => &[Deed::PreviewLayout],
        Command::TakePreview { .. } => &[Deed::TakePreview],
        Command::SetNotice { .. } => &[Deed::SetNotice],
        Command::ShowParagraph { .. } => &[Deed::ShowParagraph],
        Command::SetSpotlight { .. } => &[Deed::SetSpotlight],
        Command::AskToPresent => &[Deed::AskToPresent],
        Command::LetPresent { .. } => &[Deed::LetPresent],
        Command::EndPresentation { .. } => &[Deed::EndPresentation, Deed::EndOwn],
        Command::SetCarousel { .. } => &[Deed::SetCarousel],
        Command::SetPage { .. } => &[Deed::SetPage],
        Command::PostComment { .. } => &[Deed::PostComment],
        Command::HoldComment { .. } => &[Deed::HoldComment],
        Command::PublishComment { .. } => &[Deed::PublishComment],
        Command::WithdrawComment { .. } => &[Deed::WithdrawComment],
        Command::AdmitDevice { .. } => &[Deed::AdmitDevice],
        Command::RefuseDevice { .. } => &[Deed::RefuseDevice],
        Command::ExpelSeat { .. } => &[Deed::ExpelSeat, Deed::ExpelChair, Deed::ExpelOwnSeat],
        Command::RestoreSeat { .. } => &[Deed::RestoreSeat, Deed::RestoreChair],
        Command::AllowDevice { .. } => &[Deed::AllowDevice],
        Command::RevokeSeat { .. } => &[Deed::RevokeSeat, Deed::RevokeChair, Deed::RevokeOwnSeat],
    }
}
