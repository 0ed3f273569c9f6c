//! The links that are handed out: one a seat, its token in the fragment, where no server or log ever sees it.

use crate::{conference_file::Lock, folder::SECRET_BYTES};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use diemcau_conference::Setup;
use diemcau_hub::{pin_hash, token_hash};
use diemcau_model::{Carries, Role, SeatId, SiteId};
use hmac::{Hmac, KeyInit, Mac};
use qrcode::{EcLevel, QrCode};
use serde::Serialize;
use sha2::Sha256;
use std::fmt::Write;

/// A link, as `links --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// The seat's role.
    pub role: Role,
    /// The seat's site, by its place in the file.
    pub site: Option<SiteId>,
    /// The site's name.
    pub site_name: Option<String>,
    /// What people call the seat.
    pub label: String,
    /// What its machine carries.
    pub carries: Carries,
    /// The link.
    pub url: String,
}

/// The token of a seat: 256 bits that follow from the installation's secret, so that the links can be printed again
/// by whoever holds the folder, while the journal knows hashes only.
#[must_use]
pub fn token(secret: &[u8; SECRET_BYTES], seat: SeatId) -> String {
    URL_SAFE_NO_PAD.encode(derive(secret, &format!("diemcau seat {seat}")))
}

/// 32 bytes for one purpose that follow from the installation's secret and tell nothing of it.
pub fn derive(secret: &[u8; SECRET_BYTES], purpose: &str) -> [u8; 32] {
    // HMAC takes keys of any length: this never fails.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return [0; 32];
    };
    mac.update(purpose.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The hash of a seat's token, for the setup.
#[must_use]
pub fn hash(secret: &[u8; SECRET_BYTES], seat: SeatId) -> String {
    token_hash(&token(secret, seat))
}

/// What opens a seat, for the setup: the hashes of its token and of its site's PIN.
#[must_use]
pub fn lock(secret: &[u8; SECRET_BYTES], seat: SeatId, pin: Option<&str>) -> Lock {
    let token = token(secret, seat);
    Lock {
        token_sha256: token_hash(&token),
        pin_sha256: pin.map(|pin| pin_hash(&token, pin)),
    }
}

/// Every link of a conference.
#[must_use]
pub fn links(setup: &Setup, secret: &[u8; SECRET_BYTES], base_url: &str) -> Vec<Link> {
    let link = |seat: &diemcau_conference::Seat| Link {
        role: seat.role,
        site: seat.site,
        site_name: seat
            .site
            .and_then(|site| setup.site(site))
            .map(|site| site.name.clone()),
        label: seat.label.clone(),
        carries: seat.carries,
        url: format!("{base_url}/{}#{}", page(seat.role), token(secret, seat.id)),
    };
    setup.seats.iter().map(link).collect()
}

/// The page of a role.
#[must_use]
pub fn page(role: Role) -> &'static str {
    match role {
        Role::Chair | Role::Deputy => "chair",
        Role::Secretary => "secretary",
        Role::Moderator => "site",
        Role::Technician => "technician",
        Role::Observer => "observer",
        Role::Stage => "stage",
    }
}

/// A QR code as the path of an SVG whose unit is one module: `(path, modules a side)`. None for a text too long.
#[must_use]
pub fn qr(text: &str) -> Option<(String, usize)> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(PartialEq::eq) {
            if run.first() == Some(&qrcode::Color::Dark) {
                let _ = write!(path, "M{x} {y}h{0}v1h-{0}z", run.len());
            }
            x += run.len();
        }
    }
    Some((path, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_differ_and_stay() {
        let (one, two) = ([1; SECRET_BYTES], [2; SECRET_BYTES]);
        assert_eq!(token(&one, SeatId(3)), token(&one, SeatId(3)));
        assert_ne!(token(&one, SeatId(3)), token(&one, SeatId(4)));
        assert_ne!(token(&one, SeatId(3)), token(&two, SeatId(3)));
        assert_eq!(
            URL_SAFE_NO_PAD
                .decode(token(&one, SeatId(3)))
                .unwrap()
                .len(),
            32
        );
    }

    #[test]
    fn a_link_fits_a_qr_code() {
        let (path, width) =
            qr("https://192.168.100.200:8443/site#ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQ")
                .unwrap();
        assert!(
            path.starts_with("M0 0h7v1h-7z"),
            "the finder pattern begins in the corner"
        );
        assert!(width > 20);
    }
}
