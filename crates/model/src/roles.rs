//! Who a seat is for, and what its machine carries.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a seat may do and see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Chủ trì: agenda, floor, microphones, screens.
    Chair,
    /// Phó chủ trì: prepares what comes next, and takes the chair when the chair's machine goes.
    Deputy,
    /// Thư ký: the feed of comments, and the list beside the chair.
    Secretary,
    /// Phụ trách điểm cầu: asks for the floor and comments for one site.
    Moderator,
    /// Cán bộ kỹ thuật: sees links, revokes seats.
    Technician,
    /// Người theo dõi: sees and hears.
    Observer,
    /// Màn hình lớn: shows what the server decided, nothing else.
    Stage,
}

/// Which media a seat's machine may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Carries {
    /// The room's own picture and sound, both ways.
    Room,
    /// The same as the room, taken while the room's own endpoint is gone.
    Standby,
    /// Receives only (desks, stages, observers).
    Watch,
    /// No media at all (a companion phone).
    Nothing,
}

impl Carries {
    /// The endpoint this seat is for its site, if it sends.
    #[must_use]
    pub fn endpoint(self) -> Option<EndpointKind> {
        match self {
            Self::Room => Some(EndpointKind::Room),
            Self::Standby => Some(EndpointKind::Standby),
            Self::Watch | Self::Nothing => None,
        }
    }
}

/// The two endpoints of a site that may send. The room's own comes first whenever it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EndpointKind {
    /// Thiết bị tại điểm cầu.
    Room,
    /// Thiết bị dự phòng.
    Standby,
}
