//! Whose share of what is everybody's something comes out of: the requests and comments a conference takes are bounded,
//! and no single link may use them up for all.

use crate::Setup;
use diemcau_model::{Role, SeatId, SiteId};

/// Who uses a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sharer {
    /// All machines of a site together, whichever of its links they brought.
    Site(SiteId),
    /// A desk. What it writes down for the hall is not taken from the hall's machines.
    Desk(SeatId),
}

impl Sharer {
    /// Who uses what a seat sent for a site.
    pub(crate) fn of(setup: &Setup, seat: SeatId, site: SiteId) -> Self {
        let is_of_site = |seat: &crate::Seat| seat.role == Role::Moderator;
        match setup.seat(seat).is_some_and(is_of_site) {
            true => Self::Site(site),
            false => Self::Desk(seat),
        }
    }
}
