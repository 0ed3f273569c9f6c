//! A conference as people write it down: read, checked, and turned into what the rules start from.

use anyhow::{Context, Result, bail, ensure};
use diemcau_conference::{
    AtZero, Draft, ItemKind, Paragraph, PlannedItem, QueueMode, QuorumBase, Seat, Setup, Site,
    TurnRules,
};
use diemcau_model::{Carries, DraftId, ItemId, Role, SeatId, SiteId, limits};
use serde::Deserialize;
use std::{collections::BTreeSet, ops::RangeInclusive};

/// Digits of a site's PIN.
const PIN_DIGITS: RangeInclusive<usize> = 4..=8;
/// The demo conference.
pub const DEMO: &str = include_str!("../../../config/demo.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    organizer: String,
    /// "HH:MM", local time.
    #[serde(default)]
    starts: Option<String>,
    #[serde(default = "away_seconds")]
    away_seconds: u16,
    #[serde(default)]
    admission: FileAdmission,
    sites: Vec<FileSite>,
    seats: Vec<FileSeat>,
    agenda: Vec<FileItem>,
    #[serde(default)]
    drafts: Vec<FileDraft>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSite {
    name: String,
    short: String,
    level: String,
    #[serde(default)]
    hall: bool,
    #[serde(default)]
    summoned: u16,
    #[serde(default)]
    pin: Option<String>,
}

/// Who may come in with a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FileAdmission {
    /// Whoever has it.
    Open,
    /// The first device that comes with it; others are let in by chair or technician.
    #[default]
    Bound,
}

/// A site whose link is lost in its speech keeps the floor for three minutes, unless the file says otherwise.
fn away_seconds() -> u16 {
    180
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSeat {
    role: Role,
    site: Option<u16>,
    carries: Carries,
    label: String,
    /// Instead of the conference's.
    #[serde(default)]
    admission: Option<FileAdmission>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileItem {
    title: String,
    #[serde(default)]
    short: String,
    kind: ItemKind,
    #[serde(default)]
    presenter: String,
    minutes: u16,
    turn_minutes: u16,
    at_zero: FileAtZero,
    #[serde(default)]
    grace_seconds: u16,
    #[serde(default)]
    approval: bool,
    #[serde(default)]
    queue: FileQueue,
    #[serde(default)]
    microphones: Option<u8>,
    #[serde(default)]
    part_of: Option<u16>,
    #[serde(default)]
    quorum_percent: Option<u8>,
    #[serde(default)]
    quorum_base: QuorumBase,
    #[serde(default)]
    drafts: Vec<u16>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FileAtZero {
    Warn,
    Mute,
    Cut,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FileQueue {
    ChairPicks,
    #[default]
    InOrder,
    RoundOfSites,
    LeastTime,
    ByDocument,
    Open,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileDraft {
    title: String,
    short: String,
    paragraphs: Vec<FileParagraph>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileParagraph {
    label: String,
    #[serde(default)]
    heading: bool,
    text: String,
}

/// What opens a seat, as it is kept: hashes.
#[derive(Debug, Default)]
pub struct Lock {
    /// Of its token.
    pub token_sha256: String,
    /// Of its PIN, when its site has one.
    pub pin_sha256: Option<String>,
}

/// Reads and checks a conference. `lock` gives the lock of a seat, and of the PIN of its site.
///
/// # Errors
/// What is wrong, in words that name the place.
pub fn read(text: &str, lock: impl Fn(SeatId, Option<&str>) -> Lock) -> Result<Setup> {
    let file: File = toml::from_str(text)?;
    check_sizes(&file)?;
    check_sites(&file)?;
    check_seats(&file)?;
    check_agenda(&file)?;
    let starts = file.starts.as_deref().map(minutes_after_midnight);
    let starts = starts.transpose()?;
    Ok(setup(file, starts, lock))
}

/// "07:30" as minutes after midnight.
fn minutes_after_midnight(text: &str) -> Result<u16> {
    let parts = text.split_once(':');
    let parsed = parts.and_then(|(hours, minutes)| {
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then(|| hours * 60 + minutes)
    });
    parsed.with_context(|| format!("starts is {text:?}, a time like \"07:30\" is taken"))
}

fn check_sizes(file: &File) -> Result<()> {
    ensure!(!file.title.trim().is_empty(), "title is empty");
    ensure!(
        file.sites.len() <= limits::SITES_MAX,
        "more than {} sites",
        limits::SITES_MAX
    );
    ensure!(
        file.seats.len() <= limits::SEATS_MAX,
        "more than {} seats",
        limits::SEATS_MAX
    );
    ensure!(
        file.agenda.len() <= limits::AGENDA_MAX,
        "more than {} items",
        limits::AGENDA_MAX
    );
    for draft in &file.drafts {
        ensure!(
            !draft.paragraphs.is_empty(),
            "draft {:?} has no paragraph",
            draft.title
        );
        let count = draft.paragraphs.len();
        ensure!(
            count <= limits::PARAGRAPHS_MAX,
            "draft {:?} has {count} paragraphs, at most {} are taken",
            draft.title,
            limits::PARAGRAPHS_MAX
        );
    }
    Ok(())
}

fn check_sites(file: &File) -> Result<()> {
    let halls = file.sites.iter().filter(|site| site.hall).count();
    ensure!(halls == 1, "exactly one site is the hall, here {halls} are");
    let (mut names, mut calls) = (BTreeSet::new(), BTreeSet::new());
    for site in &file.sites {
        ensure!(
            names.insert(&site.name),
            "two sites are called {:?}",
            site.name
        );
        ensure!(
            calls.insert((&site.level, &site.short)),
            "site {:?}: another one has the same level and short name",
            site.name
        );
        ensure!(!site.name.trim().is_empty(), "a site has no name");
        ensure!(
            site.short.chars().count() <= 16,
            "short of site {:?} is longer than 16 characters",
            site.name
        );
        ensure!(
            site.summoned <= limits::HEADCOUNT_MAX,
            "summoned of site {:?} is more than {}",
            site.name,
            limits::HEADCOUNT_MAX
        );
        if let Some(pin) = &site.pin {
            ensure!(
                PIN_DIGITS.contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_digit()),
                "pin of site {:?} is not 4 to 8 digits in quotes",
                site.name
            );
        }
    }
    Ok(())
}

fn check_seats(file: &File) -> Result<()> {
    ensure!(
        file.seats.iter().any(|seat| seat.role == Role::Chair),
        "no seat has the role chair"
    );
    let mut rooms = BTreeSet::new();
    for seat in &file.seats {
        if let (Some(site), Some(kind)) = (seat.site, seat.carries.endpoint()) {
            ensure!(
                rooms.insert((site, kind)),
                "seat {:?}: another seat is already the same endpoint of site {site}",
                seat.label
            );
        }
        let known = seat
            .site
            .is_none_or(|site| usize::from(site) < file.sites.len());
        ensure!(
            known,
            "seat {:?}: there is no site {}",
            seat.label,
            seat.site.unwrap_or_default()
        );
        let needs_site = seat.role == Role::Moderator || seat.carries.endpoint().is_some();
        ensure!(
            !needs_site || seat.site.is_some(),
            "seat {:?} needs a site",
            seat.label
        );
        let may_send =
            matches!(seat.role, Role::Moderator | Role::Chair) || seat.carries.endpoint().is_none();
        ensure!(
            may_send,
            "seat {:?}: only a moderator or the chair carries a room",
            seat.label
        );
    }
    Ok(())
}

fn check_agenda(file: &File) -> Result<()> {
    ensure!(!file.agenda.is_empty(), "the agenda has no item");
    for item in &file.agenda {
        ensure!(
            item.short.chars().count() <= limits::ITEM_SHORT_MAX_CHARS,
            "short of item {:?} is longer than {} characters",
            item.title,
            limits::ITEM_SHORT_MAX_CHARS
        );
        let turn = item.turn_minutes;
        ensure!(
            (1..=limits::TURN_MINUTES_MAX).contains(&turn),
            "item {:?}: turn_minutes is {turn}, from 1 to {} are taken",
            item.title,
            limits::TURN_MINUTES_MAX
        );
        check_queue(item)?;
        check_part(file, item)?;
        for draft in &item.drafts {
            let known = (1..=file.drafts.len()).contains(&usize::from(*draft));
            ensure!(known, "item {:?}: there is no draft {draft}", item.title);
        }
    }
    Ok(())
}

fn check_queue(item: &FileItem) -> Result<()> {
    let most = limits::OPEN_MICROPHONES_MAX;
    match (item.queue, item.microphones) {
        (FileQueue::Open, Some(count)) => ensure!(
            (1..=most).contains(&count),
            "item {:?}: microphones is {count}, from 1 to {most} are taken",
            item.title
        ),
        (FileQueue::Open, None) => bail!("item {:?} needs microphones = 1 to {most}", item.title),
        (_, Some(_)) => bail!("item {:?}: microphones needs queue = \"open\"", item.title),
        (_, None) => {}
    }
    Ok(())
}

fn check_part(file: &File, item: &FileItem) -> Result<()> {
    let whole = |part: u16| file.agenda.get(usize::from(part.checked_sub(1)?));
    if let Some(part) = item.part_of {
        ensure!(
            whole(part).is_some_and(|whole| whole.part_of.is_none()),
            "item {:?}: part_of {part} is no item of its own",
            item.title
        );
    }
    ensure!(
        item.quorum_percent
            .is_none_or(|percent| (1..=100).contains(&percent)),
        "item {:?}: quorum_percent is from 1 to 100",
        item.title
    );
    Ok(())
}

fn setup(file: File, starts: Option<u16>, lock: impl Fn(SeatId, Option<&str>) -> Lock) -> Setup {
    let pins: Vec<Option<String>> = file.sites.iter().map(|site| site.pin.clone()).collect();
    let seat = |(id, seat): (SeatId, FileSeat)| {
        // A PIN is the site's: the desks in the hall have links of their own.
        let site = seat.site.filter(|_| seat.role == Role::Moderator);
        let pin = site.and_then(|site| pins.get(usize::from(site))?.as_deref());
        let lock = lock(id, pin);
        let admission = seat.admission.unwrap_or(file.admission);
        Seat {
            id,
            role: seat.role,
            site: seat.site.map(SiteId),
            carries: seat.carries,
            label: seat.label,
            token_sha256: lock.token_sha256,
            bound: admission == FileAdmission::Bound,
            pin_sha256: lock.pin_sha256,
        }
    };
    let site = |(id, site): (SiteId, FileSite)| Site {
        id,
        name: site.name,
        short: site.short,
        level: site.level,
        hall: site.hall,
        summoned: site.summoned,
    };
    Setup {
        title: file.title,
        organizer: file.organizer,
        starts,
        away_seconds: file.away_seconds,
        sites: (0..).map(SiteId).zip(file.sites).map(site).collect(),
        seats: (0..).map(SeatId).zip(file.seats).map(seat).collect(),
        agenda: (1..).map(ItemId).zip(file.agenda).map(item).collect(),
        drafts: (1..).map(DraftId).zip(file.drafts).map(draft).collect(),
    }
}

fn item((id, item): (ItemId, FileItem)) -> PlannedItem {
    let at_zero = match item.at_zero {
        FileAtZero::Warn => AtZero::Warn,
        FileAtZero::Cut => AtZero::Cut,
        FileAtZero::Mute => AtZero::Mute {
            grace_seconds: item.grace_seconds,
        },
    };
    let short = match item.short.trim() {
        "" => item.title.clone(),
        short => short.to_owned(),
    };
    PlannedItem {
        id,
        title: item.title,
        short,
        kind: item.kind,
        presenter: item.presenter,
        minutes: item.minutes,
        turns: TurnRules {
            minutes: item.turn_minutes,
            at_zero,
            approval: item.approval,
            queue: queue_mode(item.queue, item.microphones),
        },
        part_of: item.part_of.map(ItemId),
        quorum_percent: item.quorum_percent,
        quorum_base: item.quorum_base,
        drafts: item.drafts.into_iter().map(DraftId).collect(),
    }
}

fn queue_mode(queue: FileQueue, microphones: Option<u8>) -> QueueMode {
    match queue {
        FileQueue::ChairPicks => QueueMode::ChairPicks,
        FileQueue::InOrder => QueueMode::InOrder,
        FileQueue::RoundOfSites => QueueMode::RoundOfSites,
        FileQueue::LeastTime => QueueMode::LeastTime,
        FileQueue::ByDocument => QueueMode::ByDocument,
        FileQueue::Open => QueueMode::Open {
            microphones: microphones.unwrap_or(1),
        },
    }
}

fn draft((id, draft): (DraftId, FileDraft)) -> Draft {
    let paragraph = |paragraph: FileParagraph| Paragraph {
        label: paragraph.label,
        heading: paragraph.heading,
        text: paragraph.text,
    };
    Draft {
        id,
        title: draft.title,
        short: draft.short,
        paragraphs: draft.paragraphs.into_iter().map(paragraph).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_a_whole_conference() {
        let setup = read(DEMO, |_, _| Lock::default()).unwrap();
        assert_eq!(setup.sites.len(), 13);
        assert_eq!(setup.agenda.len(), 8);
        assert_eq!(setup.drafts.len(), 4);
        for site in &setup.sites {
            let rooms = setup
                .seats
                .iter()
                .filter(|seat| seat.site == Some(site.id) && seat.carries == Carries::Room);
            assert_eq!(rooms.count(), 1, "{}", site.name);
        }
    }

    #[test]
    fn an_item_without_a_short_title_is_called_by_its_title() {
        let long = "Khai mạc, giới thiệu đại biểu, điểm danh";
        let short = "short = \"Khai mạc, điểm danh\"\n";
        for (text, called) in [
            (DEMO.to_owned(), "Khai mạc, điểm danh"),
            (DEMO.replacen(short, "", 1), long),
        ] {
            let setup = read(&text, |_, _| Lock::default()).unwrap();
            assert_eq!(setup.agenda[0].title, long);
            assert_eq!(setup.agenda[0].short, called);
        }
    }

    #[test]
    fn links_bind_a_device_unless_the_file_says_otherwise() {
        let bound = |text: &str| {
            let setup = read(text, |_, _| Lock::default()).unwrap();
            setup.seats.iter().filter(|seat| seat.bound).count()
        };
        let seats = read(DEMO, |_, _| Lock::default()).unwrap().seats.len();
        assert_eq!(
            bound(DEMO),
            0,
            "the demo is for many browsers of one person"
        );
        let silent = DEMO.replacen("\nadmission = \"open\"\n", "\n", 1);
        assert_eq!(bound(&silent), seats);
        let wall = "role = \"stage\"";
        let open_wall = format!("{wall}\nadmission = \"open\"");
        assert_eq!(bound(&silent.replacen(wall, &open_wall, 1)), seats - 1);
    }

    #[test]
    fn a_pin_is_asked_of_the_sites_own_machines() {
        let text = DEMO.replacen("level = \"TP\"", "level = \"TP\"\npin = \"4821\"", 1);
        let lock = |_: SeatId, pin: Option<&str>| Lock {
            pin_sha256: pin.map(str::to_owned),
            ..Lock::default()
        };
        let setup = read(&text, lock).unwrap();
        for seat in &setup.seats {
            let asked = seat.role == Role::Moderator && seat.site == Some(SiteId(1));
            assert_eq!(seat.pin_sha256.is_some(), asked, "{}", seat.label);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, named) in [
            (
                "hall = true",
                "hall = false",
                "exactly one site is the hall",
            ),
            ("turn_minutes = 5", "turn_minutes = 0", "turn_minutes"),
            (
                "short = \"Khai mạc, điểm danh\"",
                "short = \"Khai mạc, điểm danh, chào\"",
                "short of item \"Khai mạc, giới thiệu đại biểu, điểm danh\"",
            ),
            ("role = \"secretary\"", "role = \"king\"", "king"),
            ("organizer", "organiser", "organiser"),
            (
                "\nadmission = \"open\"",
                "\nadmission = \"closed\"",
                "closed",
            ),
            (
                "name = \"TP Sa Đéc\"",
                "name = \"TP Cao Lãnh\"",
                "two sites are called \"TP Cao Lãnh\"",
            ),
            (
                "short = \"Sa Đéc\"",
                "short = \"Cao Lãnh\"",
                "site \"TP Sa Đéc\"",
            ),
            (
                "level = \"TP\"",
                "level = \"TP\"\npin = \"12a4\"",
                "pin of site \"TP Cao Lãnh\"",
            ),
        ] {
            let error = format!(
                "{:#}",
                read(&DEMO.replacen(from, to, 1), |_, _| Lock::default()).unwrap_err()
            );
            assert!(error.contains(named), "{from}: {error}");
        }
    }
}
