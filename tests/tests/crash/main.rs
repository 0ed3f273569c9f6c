//! The server is killed in the middle of everything, again and again, and nothing that was acknowledged is lost.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one thing among many"
)]

mod audit;
mod crowd;
mod door;
mod heard;
mod pace;
mod people;
mod visitors;

use anyhow::{Context, Result, anyhow, bail, ensure};
use audit::audit;
use crowd::Crowd;
use diemcau_conference::{Conference, Event};
use diemcau_fuzz::Chance;
use diemcau_journal::Record;
use diemcau_model::{Millis, Role, SeatId, SiteId};
use diemcau_protocol::{View, Viewer, view};
use diemcau_tests::{Client, Room, Server, bounds, script::SITES, server::records_of};
use diemcau_verify::verify;
use heard::Heard;
use people::{Day, Person, Told};
use std::{
    collections::BTreeMap,
    env,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{task::JoinSet, time::timeout};
use visitors::{Visitors, guarded};

/// Sites that are linked, and can be called.
const LINKED: u16 = 3;
/// So many kills meet both what was written and not answered and what was not written: of each about ten a kill.
const MANY: u64 = 10;
/// So many meet the door in every state, and what is on its way about it: one command in two kills, or more. In fewer a link may
/// never be met revoked.
const MANY_AT_THE_DOOR: u64 = 50;
/// After every so many kills nobody is held back: the desks come with the observers.
const AT_ONCE: u64 = 5;
/// What the command holds at its full size, and the gate does not: it shares its machine.
const READY_WITHIN: Duration = Duration::from_secs(1);
const BACK_WITHIN: Duration = Duration::from_secs(3);
/// A liveness bound: so many acknowledgements never take so long.
const TRAFFIC_WITHIN: Duration = Duration::from_secs(120);

/// A size that a command of `cargo xtask` may set.
fn setting(name: &str, otherwise: u64) -> Result<u64> {
    env::var(name).map_or(Ok(otherwise), |text| Ok(text.parse()?))
}

/// 20 kills with 20 observers here; more of both by `cargo xtask crash --kills 200 --seed 7 --observers 500`.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_every_kill() -> Result<()> {
    let (kills, seed) = (setting("KILLS", 20)?, setting("SEED", 7)?);
    let observers = usize::try_from(setting("OBSERVERS", 20)?)?;
    let begun = Instant::now();
    let mut server = Server::start_with(guarded).await?;
    let observer = server.token(Role::Observer, None, None)?;
    let heard = Arc::new(Heard::default());
    let mut crowd = Crowd::enter(&server.host, observer, observers, &heard).await?;

    let mut rooms = linked(&server).await?;
    let day = Arc::new(Day::default());
    let mut people = JoinSet::new();
    let chair = server.token(Role::Chair, None, None)?;
    people.spawn(Person::new(&server.host, chair, 0, &heard).live(Arc::clone(&day)));
    for site in 1..SITES {
        let token = server.moderator_token(SiteId(site))?;
        let person = Person::new(&server.host, token, u64::from(site), &heard);
        people.spawn(person.live(Arc::clone(&day)));
    }
    let technician = server.token(Role::Technician, None, None)?;
    let technician = Person::new(&server.host, technician, u64::from(SITES), &heard);
    people.spawn(technician.live(Arc::clone(&day)));
    let desks = people.len();
    let mut visitors = Visitors::come(&server, &day)?;

    let (mut ready, mut went_on) = (vec![], 0);
    let (mut before, mut held_at_end): (Vec<Record>, Vec<usize>) = (vec![], vec![]);
    let mut newcomer: Option<Newcomer> = None;
    // One seed, one list of kills: each says after how many acknowledgements. Where in the traffic that falls is the
    // machine's choice.
    let mut chance = Chance::new(seed);
    for kill in 1..=kills {
        let more = 40 + chance.below(120);
        traffic(&day, more, &mut people).await?;
        server.kill().await?;
        heard.life_ends();
        day.life_ends();
        let killed_at = Millis(u64::try_from(
            SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis(),
        )?);
        let left = server.copy_record()?;
        rooms.clear();

        let at_once = kill % AT_ONCE == 2;
        let restart = Instant::now();
        crowd.started(restart);
        if at_once {
            day.next_epoch(Some(restart));
        }
        server.restart().await?;
        ready.push(restart.elapsed());

        let records = sound(left.path(), &format!("kill {kill}"))?;
        assert!(
            records.starts_with(&before),
            "kill {kill}: the past has changed"
        );
        assert!(records.len() > before.len());
        // What was heard in the life that has just ended may still be on its way to some.
        heard.check(&held_at_end)?;
        held_at_end.push(records.len());
        if let Some(newcomer) = newcomer.take() {
            newcomer.check(before.len(), &records)?;
        }
        if at_once {
            before = records;
            rooms = linked(&server).await?;
            crowd.all_inside().await?;
            continue;
        }
        let spoke = replay(&records).floor().turn().cloned();
        let last_at = records[records.len() - 1].at;

        // No desk is back yet: what a newcomer sees is what the record says, which is read after the next kill; the
        // speaker still has the floor, and its clock stands as it was at the kill.
        let observer = server.token(Role::Observer, None, None)?;
        let mut observer = Client::join(&server.host, &observer).await?;
        newcomer = Some(Newcomer {
            seq: observer.seq,
            view: observer.view.clone(),
        });
        let held = observer.view.floor.turn.clone();
        assert_eq!(
            held.as_ref().map(|turn| turn.turn),
            spoke.as_ref().map(|turn| turn.turn),
            "kill {kill}"
        );
        if let (Some(spoke), Some(held)) = (&spoke, &held) {
            assert!(held.held, "kill {kill}: {held:?}");
            assert_eq!(held.running_since, None, "kill {kill}");
            let possible = spoke.used_at(last_at)..=spoke.used_at(killed_at);
            assert!(
                possible.contains(&held.used_ms),
                "kill {kill}: {held:?} not in {possible:?}"
            );
        }
        visitors
            .check(&records)
            .await
            .with_context(|| format!("kill {kill}"))?;
        before = records;

        // Its room is back: the turn that was running goes on from there, one that was paused stays so.
        rooms = linked(&server).await?;
        if let (Some(spoke), Some(held)) = (spoke, held) {
            let back = observer
                .until(|observer| observer.view.floor.turn.clone().filter(|turn| !turn.held))
                .await?;
            assert_eq!((back.turn, back.used_ms), (held.turn, held.used_ms));
            assert_eq!(back.paused, spoke.paused, "kill {kill}");
            assert_eq!(
                back.running_since.is_some(),
                spoke.running_since.is_some(),
                "kill {kill}: {back:?}"
            );
            went_on += usize::from(back.running_since.is_some());
        }
        crowd.all_inside().await?;
        day.next_epoch(None);
    }
    traffic(&day, 50, &mut people).await?;
    full_day(&server).await?;
    day.end();
    let (mut told, mut on_the_way) = (BTreeMap::new(), vec![]);
    let (mut desks_back, mut at_once) = (vec![], vec![]);
    while let Some(person) = people.join_next().await {
        let person = person??;
        ensure!(person.unanswered.is_empty(), "something stayed unanswered");
        let seat = person.seat.context("never admitted")?;
        let said = person.on_the_way.into_iter();
        on_the_way.extend(said.map(|(life, id)| (life, (seat, id))));
        desks_back.extend(person.back_after);
        at_once.extend(person.back_at_once);
        told.insert(seat, person.told);
    }

    let observer = server.token(Role::Observer, None, None)?;
    let observer = Client::join(&server.host, &observer).await?;
    let mut back = crowd.leave().await?;
    visitors.leave().await;
    server.stop().await?;
    let records = sound(server.copy_record()?.path(), "the end")?;
    assert!(records.starts_with(&before));
    newcomer
        .context("nobody came after the last kill")?
        .check(before.len(), &records)?;
    assert_eq!(observer.view, view(&replay(&records), Viewer::Public));
    audit(&records, &told);
    let door = door::audit(&records, &told);
    server.restart().await?;
    visitors.check(&records).await.context("the end")?;
    held_at_end.push(records.len());
    heard.check(&held_at_end)?;

    let (written, unwritten) = met(&on_the_way, &records, &held_at_end);
    assert!(
        kills < MANY || written > 0 && unwritten > 0,
        "{written} were written and not answered at a kill, {unwritten} were not written"
    );
    let door_met = met(&about_the_door(&on_the_way, &told), &records, &held_at_end);
    assert!(
        kills < MANY_AT_THE_DOOR || door_met.0 + door_met.1 > 0 && visitors.met_all(),
        "at the door, written and not {door_met:?} at a kill, after it {:?}",
        visitors.met
    );
    assert!(went_on > 0, "no kill met a speaker");
    let commands: usize = told.values().map(Vec::len).sum();
    println!(
        "{kills} kills, {went_on} in mid-speech, {commands} commands answered, of them at a kill {written} written and not answered, {unwritten} said and not written, {} events, {:.1?}: 0 acknowledged lost, 0 doubled, 0 reordered",
        records.len(),
        begun.elapsed(),
    );
    println!(
        "of the door {door} commands acknowledged, {} written and not answered at a kill, {} said and not written; \
         who came after a restart was met as the record has it: {:?}",
        door_met.0, door_met.1, visitors.met
    );
    println!("ready after a restart: {}", spread(&mut ready));
    println!(
        "{observers} observers back after a restart: {}",
        spread(&mut back)
    );
    println!("{desks} desks back, once let: {}", spread(&mut desks_back));
    println!(
        "{desks} desks back among the observers, from the restart on: {}",
        spread(&mut at_once)
    );
    held("ready", &ready, READY_WITHIN)?;
    held("observers back", &back, BACK_WITHIN)?;
    held("desks back", &at_once, BACK_WITHIN)
}

/// Of what was on its way at the kills: how much was written in that life and not answered, and how much was not written.
fn met(
    on_the_way: &[(usize, (SeatId, String))],
    records: &[Record],
    held_at_end: &[usize],
) -> (usize, usize) {
    let key = |record: &Record| Some((record.seat?, record.command.clone()?));
    let mut places = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        places.extend(key(record).map(|key| (key, place)));
    }
    let (mut written, mut unwritten) = (0, 0);
    for (life, said) in on_the_way {
        let begin = life.checked_sub(1).map_or(0, |before| held_at_end[before]);
        match places.get(said) {
            // An earlier life wrote it: here it was said again.
            Some(place) if *place < begin => {}
            Some(place) if *place < held_at_end[*life] => written += 1,
            Some(_) | None => unwritten += 1,
        }
    }
    (written, unwritten)
}

/// What was on its way about the door.
fn about_the_door(
    on_the_way: &[(usize, (SeatId, String))],
    told: &BTreeMap<SeatId, Vec<Told>>,
) -> Vec<(usize, (SeatId, String))> {
    let is_said = |seat: &SeatId, id: &str| {
        let mut told = told.get(seat).into_iter().flatten();
        told.any(|told| told.id == id && door::is_about_it(&told.command))
    };
    let about = on_the_way
        .iter()
        .filter(|(_, (seat, id))| is_said(seat, id));
    about.cloned().collect()
}

/// Waits for so many answers. Nobody leaves before the day ends: who does was told what it must not be told.
async fn traffic(day: &Day, more: usize, people: &mut JoinSet<Result<Person>>) -> Result<()> {
    tokio::select! {
        waited = timeout(TRAFFIC_WITHIN, day.wait_for_answers(more)) => {
            waited.context("the traffic stands still")
        }
        Some(left) = people.join_next() => {
            left??;
            bail!("a desk left")
        }
    }
}

/// Waits until so many have spoken that the audit has something to look at, however early the last kill was.
async fn full_day(server: &Server) -> Result<()> {
    let observer = server.token(Role::Observer, None, None)?;
    let mut observer = Client::join(&server.host, &observer).await?;
    let enough =
        |observer: &Client| (observer.view.speeches.len() > audit::SPEECHES_MIN).then_some(());
    let spoken = observer.until(enough).await;
    spoken.context("too few speak")
}

/// Everything in a record that no server has open, after the verifier found it sound.
fn sound(folder: &Path, moment: &str) -> Result<Vec<Record>> {
    let sound = verify(folder)?.with_context(|| format!("{moment}: there is no record"))?;
    let sound = sound.map_err(|finding| anyhow!("{moment}: {finding}"))?;
    let records = records_of(folder)?;
    ensure!(sound.number as usize == records.len(), "{moment}: {sound}");
    Ok(records)
}

/// The middle, the 99th of a hundred, and the longest.
fn spread(times: &mut [Duration]) -> String {
    times.sort();
    let Some(last) = times.last() else {
        return "nobody".into();
    };
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    format!("p50 {:.0?}, p99 {:.0?}, most {:.0?}", at(50), at(99), last)
}

/// Whether the 99th of a hundred is within a bound, where bounds are held. `times` are in order.
pub fn held(what: &str, times: &[Duration], within: Duration) -> Result<()> {
    let place = (times.len() * 99 / 100).min(times.len().saturating_sub(1));
    let late = times.get(place).filter(|time| **time > within);
    match late.filter(|_| bounds::held()) {
        Some(late) => bail!("{what}: p99 {late:.0?}, wanted {within:.0?}"),
        None => Ok(()),
    }
}

/// What was seen after a restart before anybody was back.
struct Newcomer {
    seq: u64,
    view: View,
}

impl Newcomer {
    /// It saw what the record says, to which the restart itself added nothing but that all links are lost, and that
    /// nobody waits at the door.
    fn check(&self, at_kill: usize, records: &[Record]) -> Result<()> {
        let seen = usize::try_from(self.seq)?;
        let seen = records.get(..seen).context("what was seen is lost")?;
        assert_eq!(self.view, view(&replay(seen), Viewer::Public));
        for record in &seen[at_kill..] {
            assert!(
                matches!(
                    record.event,
                    Event::EndpointLost { .. } | Event::TurnHeld { .. } | Event::DeviceGone { .. }
                ),
                "a restart did {:?}",
                record.event
            );
        }
        Ok(())
    }
}

/// The rooms that are on the air, each with a peer that sends without end.
async fn linked(server: &Server) -> Result<Vec<Room>> {
    let mut rooms = vec![];
    for site in 1..=LINKED {
        rooms.push(Room::standby(server, site).await?);
    }
    Ok(rooms)
}

fn replay(records: &[Record]) -> Conference {
    let mut conference = Conference::default();
    records
        .iter()
        .for_each(|record| conference.apply(&record.event));
    conference
}
