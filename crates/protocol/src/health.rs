//! An alarm about a site, as the desks are told it.

use diemcau_model::{HealthId, HealthKind, LinkStep, Millis, SeatId, SiteId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something that is wrong with a site for some time. A site has at most one of each kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct HealthAlarm {
    /// Its number: an alarm that ends and comes again is another one.
    pub alarm: HealthId,
    /// The site.
    pub site: SiteId,
    /// What is wrong.
    pub kind: HealthKind,
    /// Since when it has been wrong, on the server's clock.
    pub since: Millis,
    /// The latest figure past its limit: percent for `loss` and `loss_down`; milliseconds for `round_trip` and `jitter`; frames a second
    /// for `few_frames`; times in ten seconds for `freezes`; dBov for `silent` (null when no sound comes at all) and
    /// `clipping`; null for the others.
    pub value: Option<f32>,
    /// The limit of the settings, in the same unit.
    pub limit: Option<f32>,
    /// For `less_shown`: what the link makes of the site's screen.
    pub step: Option<LinkStep>,
    /// Who sees to it; null while nobody has said so.
    pub acknowledged: Option<Acknowledged>,
}

/// Somebody has seen an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Acknowledged {
    /// The seat that said so.
    pub seat: SeatId,
    /// What people call the seat.
    pub by: String,
    /// When, on the server's clock.
    pub at: Millis,
}
