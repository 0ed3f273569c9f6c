//! What a conference can begin without, and would be missed in the hall.

use diemcau_conference::Setup;
use diemcau_model::{EndpointKind, Role};

/// Who a conference usually has, and what nobody could do without them.
const USUAL: [(Role, &str); 4] = [
    (
        Role::Stage,
        "no seat has the role stage: the hall has no big screen",
    ),
    (
        Role::Technician,
        "no seat has the role technician: nobody sees the links of the sites",
    ),
    (
        Role::Secretary,
        "no seat has the role secretary: nobody takes down what the hall says",
    ),
    (
        Role::Deputy,
        "no seat has the role deputy: nobody takes the chair when the chair's machine goes",
    ),
];

/// A sentence for each thing that is missing.
#[must_use]
pub fn missing(setup: &Setup) -> Vec<String> {
    let seats = || setup.seats.iter();
    let roles = USUAL.iter();
    let roles = roles.filter(|(role, _)| !seats().any(|seat| seat.role == *role));
    let silent = setup.sites.iter().filter(|site| {
        !seats().any(|seat| {
            seat.site == Some(site.id) && seat.carries.endpoint() == Some(EndpointKind::Room)
        })
    });
    roles
        .map(|(_, what)| (*what).to_owned())
        .chain(silent.map(|site| {
            format!(
                "site {:?} has no seat that carries its room: it is neither seen nor heard",
                site.name
            )
        }))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::conference_file::{self, Lock};

    fn of(text: &str) -> Vec<String> {
        missing(&conference_file::read(text, |_, _| Lock::default()).unwrap())
    }

    #[test]
    fn the_demo_lacks_nothing() {
        assert_eq!(of(conference_file::DEMO), [""; 0]);
    }

    #[test]
    fn who_is_not_there_is_named() {
        let without = conference_file::DEMO.replace("role = \"stage\"", "role = \"observer\"");
        assert_eq!(of(&without), [USUAL[0].1]);
    }
}
