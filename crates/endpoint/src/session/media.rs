//! Both media connections: made, made anew, and given up.

use super::{Endpoint, MEDIA_AGAIN_AFTER, MEDIA_MAX};
use crate::encode::Film;
use crate::pattern::Card;
use crate::peer::{Change, Downlink, Place, Show, Uplink, lock};
use crate::tone;
use diemcau_model::{Side, SiteId};
use diemcau_protocol::ClientFrame;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

impl Endpoint {
    /// Draws and encodes on a thread of its own: it takes seconds the first time.
    pub(super) fn prepare_show(&mut self, site: SiteId, name: &str) {
        let of = (site, name.to_owned());
        if self.show_of.as_ref() == Some(&of) {
            return;
        }
        self.show_of = Some(of.clone());
        let show = self.show.clone();
        tokio::task::spawn_blocking(move || {
            let made = Card::draw(of.0, &of.1)
                .and_then(|card| Film::encode(&card))
                .and_then(|film| tone::encode(of.0).map(|tone| Show { film, tone }));
            match made {
                Ok(made) => {
                    show.send_replace(Some(Arc::new(made)));
                }
                Err(error) => tracing::error!(%error, "nothing can be sent"),
            }
        });
    }

    pub(super) async fn make_uplink(
        &mut self,
        local: IpAddr,
        changes: &mpsc::Sender<Change>,
    ) -> Option<ClientFrame> {
        self.drop_uplink().await;
        self.uplink_due = Some(Instant::now() + MEDIA_MAX);
        match Uplink::offer(self.place(local, changes)).await {
            Ok((uplink, sdp)) => {
                self.uplink = Some(uplink);
                Some(ClientFrame::UplinkOffer { sdp })
            }
            Err(error) => {
                tracing::warn!(name = %self.name, %error, "the uplink cannot be made");
                None
            }
        }
    }

    pub(super) async fn make_downlink(
        &mut self,
        offer: String,
        local: IpAddr,
        changes: &mpsc::Sender<Change>,
    ) -> Vec<ClientFrame> {
        self.drop_downlink().await;
        lock(&self.meters).made_anew();
        let meters = Arc::clone(&self.meters);
        match Downlink::answer(self.place(local, changes), offer, meters).await {
            Ok((downlink, sdp)) => {
                self.downlink = Some(downlink);
                self.downlink_due = Some(Instant::now() + MEDIA_MAX);
                vec![ClientFrame::DownlinkAnswer { sdp }]
            }
            Err(error) => {
                tracing::warn!(name = %self.name, %error, "the downlink cannot be made");
                Vec::new()
            }
        }
    }

    fn place(&mut self, local: IpAddr, changes: &mpsc::Sender<Change>) -> Place {
        self.makings += 1;
        Place {
            local,
            making: self.makings,
            changes: changes.clone(),
        }
    }

    pub(super) fn changed(&mut self, change: Change) {
        let (making, works, due) = match change.side {
            Side::Uplink => (
                self.uplink.as_ref().map(Uplink::making),
                &mut self.uplink_works,
                &mut self.uplink_due,
            ),
            Side::Downlink => (
                self.downlink.as_ref().map(Downlink::making),
                &mut self.downlink_works,
                &mut self.downlink_due,
            ),
            // An endpoint has no screen to show.
            Side::Presentation => return,
        };
        if making != Some(change.making) {
            return;
        }
        *works = change.works;
        *due = (!change.works).then(|| Instant::now() + MEDIA_AGAIN_AFTER);
        tracing::info!(name = %self.name, side = ?change.side, works = change.works, "media");
        if let (Side::Uplink, true, Some(uplink)) = (change.side, change.works, &mut self.uplink) {
            uplink.send(self.show.subscribe(), Arc::clone(&self.sent));
        }
    }

    pub(super) fn again(&mut self, side: Side) {
        let soon = Some(Instant::now() + MEDIA_AGAIN_AFTER);
        match side {
            Side::Uplink => (self.uplink_works, self.uplink_due) = (false, soon),
            Side::Downlink => (self.downlink_works, self.downlink_due) = (false, soon),
            Side::Presentation => {}
        }
    }

    pub(super) async fn drop_uplink(&mut self) {
        self.uplink_works = false;
        if let Some(uplink) = self.uplink.take() {
            uplink.close().await;
        }
    }

    pub(super) async fn drop_downlink(&mut self) {
        self.downlink_works = false;
        if let Some(downlink) = self.downlink.take() {
            downlink.close().await;
        }
    }
}
