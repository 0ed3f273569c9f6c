//! Observers: they only listen, lose the server when it is killed, and come back as a browser's page does.

use crate::heard::{Ear, Heard};
use anyhow::{Context, Result, ensure};
use diemcau_fuzz::Chance;
use diemcau_protocol::{ClientFrame, PROTOCOL};
use diemcau_tests::{
    client::{Line, connect},
    knock::say,
};
use futures_util::StreamExt;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// As `web/src/connection.js` has it: the pause doubles, and half of it is left to chance.
const RETRY_FIRST: Duration = Duration::from_millis(300);
const RETRY_MOST: Duration = Duration::from_secs(5);
/// A page gives up a connection that says nothing for so long.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// A liveness bound.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// The observers, and how long each took to come back after a restart.
pub struct Crowd {
    shared: Arc<Shared>,
    tasks: JoinSet<Result<()>>,
    size: usize,
}

struct Shared {
    host: String,
    token: String,
    /// When the server was started last; none: it is down.
    started: watch::Sender<Option<Instant>>,
    inside: AtomicUsize,
    changed: Notify,
    back_after: Mutex<Vec<Duration>>,
}

impl Crowd {
    /// Lets so many in, and waits until they are.
    pub async fn enter(host: &str, token: String, size: usize, heard: &Arc<Heard>) -> Result<Self> {
        let shared = Arc::new(Shared {
            host: host.to_owned(),
            token,
            started: watch::Sender::new(None),
            inside: AtomicUsize::new(0),
            changed: Notify::new(),
            back_after: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        for seed in 0..size {
            let chance = Chance::new(seed as u64);
            tasks.spawn(observe(Arc::clone(&shared), chance, Ear::new(heard)));
        }
        let mut crowd = Self {
            shared,
            tasks,
            size,
        };
        crowd.all_inside().await?;
        Ok(crowd)
    }

    /// The server was started just now.
    pub fn started(&self, at: Instant) {
        self.shared.started.send_replace(Some(at));
    }

    /// Waits until everyone is inside. Who heard what it must not is so no more.
    pub async fn all_inside(&mut self) -> Result<()> {
        let waits = async {
            loop {
                let changed = self.shared.changed.notified();
                if self.shared.inside.load(Ordering::Acquire) == self.size {
                    return;
                }
                changed.await;
            }
        };
        let waited = timeout(BACK_WITHIN, waits).await;
        self.look_after()?;
        waited.with_context(|| {
            let inside = self.shared.inside.load(Ordering::Acquire);
            format!("{inside} of {} observers are inside", self.size)
        })
    }

    /// Fails with what an observer ended over.
    fn look_after(&mut self) -> Result<()> {
        while let Some(ended) = self.tasks.try_join_next() {
            ended??;
        }
        Ok(())
    }

    /// How long each way back took, from the restart to the welcome, in order. Fails when one heard events out of order.
    pub async fn leave(mut self) -> Result<Vec<Duration>> {
        self.look_after()?;
        self.tasks.shutdown().await;
        let mut back = std::mem::take(&mut *self.shared.back_after());
        back.sort();
        Ok(back)
    }
}

impl Shared {
    fn back_after(&self) -> MutexGuard<'_, Vec<Duration>> {
        self.back_after
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a page knocks: again and again, more and more slowly.
#[derive(Default)]
pub struct Patience(u32);

impl Patience {
    pub async fn pause(&mut self, chance: &mut Chance) {
        let pause = RETRY_MOST.min(RETRY_FIRST * 2_u32.pow(self.0.min(8)));
        self.0 += 1;
        sleep(pause.mul_f64(0.5 + chance.below(1_000) as f64 / 2_000.0)).await;
    }
}

async fn observe(shared: Arc<Shared>, mut chance: Chance, mut ear: Ear) -> Result<()> {
    let mut patience = Patience::default();
    loop {
        if let Ok(Some((line, seq))) = timeout(DEAD_AFTER, enter(&shared))
            .await
            .unwrap_or(Ok(None))
        {
            ear.is_welcomed(seq)?;
            patience = Patience::default();
            let started = *shared.started.borrow();
            if let Some(started) = started {
                shared.back_after().push(started.elapsed());
            }
            shared.inside.fetch_add(1, Ordering::AcqRel);
            shared.changed.notify_one();
            let heard = listen(line, seq, &mut ear).await;
            shared.inside.fetch_sub(1, Ordering::AcqRel);
            heard?;
        }
        patience.pause(&mut chance).await;
    }
}

async fn enter(shared: &Shared) -> Result<Option<(Line, u64)>> {
    let mut line = connect(&shared.host).await?;
    let join = ClientFrame::Join {
        protocol: PROTOCOL,
        token: shared.token.clone(),
    };
    say(&mut line, &join).await?;
    let Some(mut text) = hear(&mut line).await else {
        return Ok(None);
    };
    // While somebody is shut out everybody is asked who they are; these have no key.
    if text.starts_with("{\"type\":\"prove\"") {
        let (device, pin) = (None, None);
        say(&mut line, &ClientFrame::Proof { device, pin }).await?;
        let Some(welcome) = hear(&mut line).await else {
            return Ok(None);
        };
        text = welcome;
    }
    ensure!(
        text.starts_with("{\"type\":\"welcome\""),
        "no welcome: {text}"
    );
    let seq = seq_of(&text).context("a welcome without a number")?;
    Ok(Some((line, seq)))
}

async fn hear(line: &mut Line) -> Option<Utf8Bytes> {
    match line.next().await {
        Some(Ok(Message::Text(text))) => Some(text),
        _ => None,
    }
}

/// Listens until the connection breaks. Comments come in their one order, and so does everything else, which may overtake
/// them.
async fn listen(mut line: Line, seq: u64, ear: &mut Ear) -> Result<()> {
    let (mut comments, mut others) = (seq, seq);
    while let Some(Ok(message)) = line.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        if text.starts_with("{\"type\":\"facts\"") {
            let next = seq_of(&text).context("facts without a number")?;
            let last = match text.contains("\"facts\":[{\"kind\":\"comment") {
                true => &mut comments,
                false => &mut others,
            };
            // What follows from one event may come in several frames.
            ensure!(next >= *last, "event {next} after {last}");
            *last = next;
            ear.hears(next);
        }
    }
    Ok(())
}

/// The first number of that name, which is the frame's own: an observer's machine parses no more than it must.
fn seq_of(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("\"seq\":")?;
    let end = rest.find(|digit: char| !digit.is_ascii_digit())?;
    rest[..end].parse().ok()
}
