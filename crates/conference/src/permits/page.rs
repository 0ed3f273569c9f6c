//! The table as people read it.

use super::{Deed, May, ROLES};
use std::fmt::Write as _;

const HEAD: &str = "\
# Who may ask for what

Made from the table in `src/permits/table.rs`, which is what the server checks; do not edit. Write it anew with
`UPDATE=1 cargo test -p diemcau-conference --test permits`.

The asker is the seat of the admitted connection, never something a frame says. A cell says when that seat may:

- **always** – whoever has the chair.
- **presiding** – while it has the chair: the chair, or the deputy who took it. The chair is refused with
  `deputy_presides` meanwhile, a deputy with `not_presiding`.
- **own site** – when the request, turn, comment, prompt or headcount is its own site's; else `other_site`. A seat
  without a site is refused with `not_allowed`.
- – – never: `not_allowed`.

A seat that was revoked may nothing, also when its command was already waiting in line. What is allowed here can still be
refused for what it is (`list_closed`, `stale`, `already_so`): that is the rules' business, not the table's. Every cell
runs in `tests/permits.rs`, in every state of a conference named there; what came of it stands below the table.

Outside of the table stands what is no command, decides nothing and leaves no record. The hub looks at the seat's role and
at what its machine carries: `acknowledge_health` is the chair's and the technician's (`hub/src/room/watch.rs`); an uplink is
for the machine of a room or a standby, every other ask about media for any machine that carries some, and to see a site of
one's own choice (`preview`) for those of chair, deputy and technician (`hub/src/members.rs`). Tested in
`tests/tests/floor/health.rs` and `tests/tests/wire/bad_input.rs`.

";

/// The table as a page of Markdown.
#[must_use]
pub fn permissions_page() -> String {
    let mut page = String::from(HEAD);
    page.push_str(
        "| command | chair | deputy | secretary | moderator | technician | observer | stage |\n",
    );
    page.push_str("|---|---|---|---|---|---|---|---|\n");
    for deed in Deed::ALL {
        // The command in code type, what belongs to it in words.
        let (command, rest) = deed
            .name()
            .split_at(deed.name().find(' ').unwrap_or(deed.name().len()));
        let _ = write!(page, "| `{command}`{rest}");
        for role in ROLES {
            let _ = write!(page, " | {}", word(deed.may(role)));
        }
        page.push_str(" |\n");
    }
    page
}

fn word(may: May) -> &'static str {
    match may {
        May::Never => "–",
        May::OwnSite => "own site",
        May::Presiding => "presiding",
        May::Always => "always",
    }
}
