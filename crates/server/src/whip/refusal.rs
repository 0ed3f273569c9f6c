//! Refusals: a status that a program reads, and a sentence that a person reads in an encoder's log.

use super::Way;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use diemcau_media::TOO_MANY_TRIES;
use diemcau_protocol::ErrorWhy;

/// Why a session does not begin, or is not reached.
#[derive(Debug)]
pub struct No(pub StatusCode, pub String);

/// An answer, or why there is none.
pub type Answer = Result<Response, No>;

impl No {
    /// A refusal with a sentence that is always the same.
    pub fn because(status: StatusCode, why: &str) -> Self {
        Self(status, why.to_owned())
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let Self(status, why) = self;
        let mut response = (status, format!("{why}\n")).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if [
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::TOO_MANY_REQUESTS,
        ]
        .contains(&status)
        {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        response
    }
}

impl No {
    /// What the hub refused. Whatever is wrong with a link is answered alike, so the words name all that may be.
    pub fn of_hub(way: Way, why: ErrorWhy, text: String) -> Self {
        let status = match why {
            ErrorWhy::NotAdmitted => return Self::because(StatusCode::UNAUTHORIZED, way.opens()),
            ErrorWhy::Revoked => StatusCode::UNAUTHORIZED,
            ErrorWhy::Expelled | ErrorWhy::NotLetIn | ErrorWhy::MediaRefused => {
                StatusCode::FORBIDDEN
            }
            ErrorWhy::Replaced => StatusCode::CONFLICT,
            ErrorWhy::LobbyFull | ErrorWhy::StorageFailed => StatusCode::SERVICE_UNAVAILABLE,
            ErrorWhy::ServerFault => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorWhy::TooFast => StatusCode::TOO_MANY_REQUESTS,
            ErrorWhy::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorWhy::Malformed
            | ErrorWhy::JoinFirst
            | ErrorWhy::WrongProtocol
            | ErrorWhy::NoSuchAlarm
            | ErrorWhy::NotForThisSeat => StatusCode::BAD_REQUEST,
        };
        Self(status, text)
    }

    /// What the media plane refused: the offer, unless too many came.
    pub fn of_media(why: String) -> Self {
        let status = match why == TOO_MANY_TRIES {
            true => StatusCode::TOO_MANY_REQUESTS,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, why)
    }

    /// It waits at the door; the desks show the same code as long as it goes on asking.
    pub fn waits(code: &str) -> Self {
        Self(
            StatusCode::SERVICE_UNAVAILABLE,
            format!(
                "it waits at the door with the code {code}: let it in at the chair's or the technician's desk"
            ),
        )
    }
}
