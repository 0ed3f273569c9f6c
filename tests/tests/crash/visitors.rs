//! Machines that come to the guarded door, each with every guarded link: again and again while a desk decides about them, and
//! once to every server that was restarted, to see whether its door stands as the record says.

use crate::{
    door::{Door, Outcome},
    people::Day,
};
use anyhow::{Context, Result, bail, ensure};
use diemcau_conference::Event;
use diemcau_journal::Record;
use diemcau_model::{Carries, Role, SeatId, SiteId};
use diemcau_protocol::ErrorWhy;
use diemcau_tests::{Device, Knock, Server, knock, knock::decided};
use std::{collections::BTreeMap, sync::Arc};
use tokio::task::JoinSet;

/// Sites whose phones' links are guarded; nothing else of the conference uses these.
const GUARDED: [u16; 2] = [4, 5];
/// So many that one waits while others are known, and fewer than may wait at one link.
const DEVICES: usize = 3;

/// The demo conference with a few guarded links beside its open ones.
pub fn guarded(demo: &str) -> String {
    let labels = ["Huyện Tân Hồng – Điện thoại", "Huyện Hồng Ngự – Điện thoại"];
    labels.into_iter().fold(demo.to_owned(), |demo, label| {
        let line = format!("label = \"{label}\"\n");
        demo.replacen(&line, &format!("{line}admission = \"bound\"\n"), 1)
    })
}

/// Everybody who comes to the door.
pub struct Visitors {
    guests: Vec<Arc<Guest>>,
    tasks: JoinSet<()>,
    /// How often what became of whoever came to a restarted server.
    pub met: BTreeMap<Outcome, usize>,
}

/// A device with a link.
struct Guest {
    host: String,
    token: String,
    site: SiteId,
    device: Arc<Device>,
}

impl Visitors {
    pub fn come(server: &Server, day: &Arc<Day>) -> Result<Self> {
        let (mut guests, mut tasks) = (vec![], JoinSet::new());
        for _ in 0..DEVICES {
            let device = Arc::new(Device::new()?);
            for site in GUARDED.map(SiteId) {
                let token = server.token(Role::Moderator, Some(site), Some(Carries::Nothing))?;
                let host = server.host.clone();
                let device = Arc::clone(&device);
                guests.push(Arc::new(Guest {
                    host,
                    token,
                    site,
                    device,
                }));
            }
        }
        for guest in &guests {
            tasks.spawn(Arc::clone(guest).live(Arc::clone(day)));
        }
        let met = BTreeMap::new();
        Ok(Self { guests, tasks, met })
    }

    /// Whoever comes to a restarted server, at which no desk is back yet, is met as its record has it. What was acknowledged is
    /// in that record; what was not may be.
    pub async fn check(&mut self, records: &[Record]) -> Result<()> {
        let mut door = Door::of(records);
        for guest in &self.guests {
            let expected = door.knock(guest.seat(records)?, guest.device.id()?);
            let found = guest.knock().await?;
            let is_right = match (&found, expected) {
                (Knock::In(_), Outcome::Known | Outcome::First) => true,
                (Knock::Waits(..), Outcome::Waits) => true,
                (Knock::Away(why, _), Outcome::Banned | Outcome::Revoked) => {
                    *why == Some(ErrorWhy::NotAdmitted)
                }
                _ => false,
            };
            ensure!(
                is_right,
                "who is {expected:?} by the record {}",
                in_words(&found)
            );
            *self.met.entry(expected).or_default() += 1;
        }
        Ok(())
    }

    /// Whether everything has become of somebody that a person decides. Nobody has to be the first: whoever waits outside is,
    /// as soon as a link is opened again.
    pub fn met_all(&self) -> bool {
        use Outcome::{Banned, Known, Revoked, Waits};
        let decided = [Known, Waits, Banned, Revoked];
        decided.iter().all(|outcome| self.met.contains_key(outcome))
    }

    /// Nobody comes any more.
    pub async fn leave(&mut self) {
        self.tasks.shutdown().await;
    }
}

impl Guest {
    fn seat(&self, records: &[Record]) -> Result<SeatId> {
        let Some(Event::ConferenceOpened { setup }) = records.first().map(|first| &first.event)
        else {
            bail!("no conference");
        };
        let mut seats = setup.seats.iter();
        let seat =
            seats.find(|seat| seat.site == Some(self.site) && seat.carries == Carries::Nothing);
        let seat = seat.context("no such seat")?;
        ensure!(seat.bound, "the link is open to everybody");
        Ok(seat.id)
    }

    async fn knock(&self) -> Result<Knock> {
        knock(&self.host, &self.token, Some(&self.device), None).await
    }

    /// Comes again whenever somebody has decided something about the door: a person hears of it by phone.
    async fn live(self: Arc<Self>, day: Arc<Day>) {
        let mut calls = day.calls.subscribe();
        loop {
            calls.mark_unchanged();
            if day.is_open() {
                // A connection that breaks is no error here: the server was killed, or somebody was sent away.
                let _ = self.visit().await;
            }
            if calls.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits and stays as long as it may.
    async fn visit(&self) -> Result<()> {
        let mut knock = self.knock().await?;
        loop {
            match knock {
                Knock::In(mut client) => {
                    while client.hear().await? {}
                    return Ok(());
                }
                Knock::Waits(line, _) => knock = decided(*line, &self.token, None, None).await?,
                Knock::Away(..) => return Ok(()),
            }
        }
    }
}

fn in_words(found: &Knock) -> String {
    match found {
        Knock::In(_) => "was let in".into(),
        Knock::Waits(..) => "waits".into(),
        Knock::Away(why, _) => format!("was sent away: {why:?}"),
    }
}
