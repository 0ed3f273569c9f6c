//! Who looks: viewers of one class see exactly the same, so that a fact is encoded once for all of them.

use diemcau_conference::Comment;
use diemcau_model::{Role, SiteId};

/// A class of viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Viewer {
    /// Chairs and deputies: everything.
    Chair,
    /// Secretaries: everything but the seats.
    Secretary,
    /// Technicians: what is public, and the seats.
    Technician,
    /// The machines of one site: what is public, and what is their own.
    Site(SiteId),
    /// Observers and big screens: what is public.
    Public,
}

impl Viewer {
    /// The class of a seat. A moderator without a site sees what is public.
    #[must_use]
    pub fn of(role: Role, site: Option<SiteId>) -> Self {
        match (role, site) {
            (Role::Chair | Role::Deputy, _) => Self::Chair,
            (Role::Secretary, _) => Self::Secretary,
            (Role::Technician, _) => Self::Technician,
            (Role::Moderator, Some(site)) => Self::Site(site),
            (Role::Moderator, None) | (Role::Observer | Role::Stage, _) => Self::Public,
        }
    }

    /// Whether the figures of every site's link are told, not only of the own.
    #[must_use]
    pub fn sees_all_figures(self) -> bool {
        match self {
            Self::Chair | Self::Technician => true,
            Self::Secretary | Self::Site(_) | Self::Public => false,
        }
    }

    /// Whether the alarms about the sites are told.
    #[must_use]
    pub fn hears_of_health(self) -> bool {
        match self {
            Self::Chair | Self::Technician | Self::Secretary => true,
            Self::Site(_) | Self::Public => false,
        }
    }

    pub(crate) fn may_see_comment(self, comment: &Comment) -> bool {
        !comment.held || self.owns(comment.site)
    }

    /// The chair's last step, and whether it can be undone.
    pub(crate) fn may_see_step(self) -> bool {
        self == Self::Chair
    }

    /// A prompt is between the desks and its site.
    pub(crate) fn may_see_prompts_of(self, site: SiteId) -> bool {
        self == Self::Technician || self.owns(site)
    }

    /// Who is absent and why: what a site reports beside its figures.
    pub(crate) fn may_see_absent_of(self, site: SiteId) -> bool {
        self.owns(site)
    }

    pub(crate) fn may_see_seats(self) -> bool {
        match self {
            Self::Chair | Self::Technician => true,
            Self::Secretary | Self::Site(_) | Self::Public => false,
        }
    }

    /// Whether what a site has not yet shown to all is shown to this viewer.
    pub(crate) fn owns(self, of: SiteId) -> bool {
        match self {
            Self::Chair | Self::Secretary => true,
            Self::Site(site) => site == of,
            Self::Technician | Self::Public => false,
        }
    }
}
