//! One life of the server: a hub on virtual time, its media plane, and the connections it serves.

use crate::{
    disk::Disk,
    line::Served,
    plane::{Lines, Plane},
    setup::setup,
    wire::End,
};
use anyhow::{Context, Result};
use diemcau_hub::{Ground, Hub, MediaLines, Metrics};
use diemcau_journal::Writer;
use diemcau_model::{DeviceId, Millis, Stage};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// As wide as the real server's.
const NOTES_MAX: usize = 1_024;

/// A running server.
pub struct Server {
    hub: Arc<Hub>,
    /// What it wants of the media plane, and what that would forward.
    pub plane: Plane,
    media: JoinHandle<()>,
    served: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts over the disk, as after the last life.
    ///
    /// # Errors
    /// The disk does not let it.
    pub async fn start(disk: &Disk, wall: Millis, guarded: bool) -> Result<Self> {
        let (stage, stage_out) = watch::channel(Stage::default());
        let (asks, asks_in) = mpsc::channel(NOTES_MAX);
        let (says_out, says) = mpsc::channel(NOTES_MAX);
        let (reports_out, reports) = mpsc::channel(NOTES_MAX);
        let plane = Plane::default();
        let media = tokio::spawn(plane.clone().run(Lines {
            stage: stage_out,
            asks: asks_in,
            says: says_out,
            reports: reports_out,
        }));
        let sync = disk.clone();
        let ground = Ground {
            wall,
            writer: Box::new(move |journal| {
                let (writer, worker) = Writer::new(journal);
                tokio::spawn(worker.run_on_task(move || sync.sync()));
                writer
            }),
        };
        let lines = MediaLines {
            stage,
            asks,
            says,
            reports,
        };
        let hub = Hub::new(Metrics::register(&mut Registry::default()));
        hub.open_on(ground, setup(guarded), Box::new(disk.hold()), lines)
            .await
            .context("the conference cannot be opened")?;
        Ok(Self {
            hub,
            plane,
            media,
            served: vec![],
        })
    }

    /// Whether something is wrong with its record.
    pub async fn is_ill(&self) -> bool {
        !self.hub.alarms().await.is_empty()
    }

    /// Serves a connection of a device, or of a page that can make no key.
    pub fn serve(&mut self, end: End, device: Option<DeviceId>) {
        let hub = Arc::clone(&self.hub);
        self.served.retain(|task| !task.is_finished());
        self.served.push(tokio::spawn(async move {
            hub.serve(Served::new(end, device).await).await
        }));
    }

    /// Stops as on request: everyone is told, the journal is closed.
    pub async fn stop(self) {
        self.hub.stop().await;
        self.kill();
    }

    /// Dies in the middle of whatever it does. The disk must have been taken from it, the cables cut.
    pub fn kill(self) {
        for task in self.served {
            task.abort();
        }
        // The room's task ends with its media plane.
        self.media.abort();
    }
}
