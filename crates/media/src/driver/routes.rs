//! Which packets go into which slot of whom, and what each client is told of it.

use super::Driver;
use crate::gate::{self, FIRST_VOICE_SLOT, Stream, Thinned};
use crate::peers::{Peer, Up};
use diemcau_model::{PeerId, PeerSay, SiteId, limits::PRESENTATION_SLOT};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

impl Driver {
    /// Makes the routes anew and sets every slot accordingly.
    pub(super) fn make_routes(&mut self, now: Instant) {
        self.dirty = false;
        let staged = std::mem::take(&mut self.staged);
        let sources: Vec<_> = self
            .peers
            .iter()
            .filter_map(|(id, peer)| peer.source(*id))
            .collect();
        let screens: Vec<_> = self
            .peers
            .iter()
            .filter_map(|(id, peer)| peer.screen(*id))
            .collect();
        let presenters: Vec<_> = self
            .peers
            .iter()
            .filter_map(|(id, peer)| peer.presenter(*id))
            .collect();
        let presenter = gate::presenter(&self.stage, &presenters);
        self.presenter = presenter.map(|presenter| presenter.peer);
        let carriers = gate::carriers(&self.stage, &sources);
        self.voices.seat(&self.stage, &carriers);
        self.carriers = carriers.values().map(|source| source.peer).collect();

        let mut wanted: BTreeMap<(PeerId, usize), (PeerId, Stream)> = BTreeMap::new();
        let (routes, links) =
            gate::routes(&self.stage, &sources, presenter, &screens, &self.voices);
        for link in links {
            self.take_link(link);
        }
        for route in routes {
            wanted.insert((route.to, route.slot), (route.source, route.stream));
        }
        self.set_slots(&wanted, staged, now);
        self.tell_slots();
    }

    fn take_link(&mut self, link: Thinned) {
        let Thinned {
            peer: id,
            step,
            without,
        } = link;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(down) = &mut peer.down else { return };
        down.without = without;
        let former = std::mem::replace(&mut down.step, step);
        if former != step {
            tracing::info!(peer = %id, site = ?peer.site, ?former, ?step, bears_bps = ?down.bears, "a screen's link changed");
        }
    }

    fn set_slots(
        &mut self,
        wanted: &BTreeMap<(PeerId, usize), (PeerId, Stream)>,
        staged: bool,
        now: Instant,
    ) {
        self.feeds.clear();
        for (id, peer) in &mut self.peers {
            let Some(down) = &mut peer.down else { continue };
            for (number, slot) in down.pictures.iter_mut().enumerate() {
                let want = wanted
                    .get(&(*id, number))
                    .and_then(|(source, stream)| match stream {
                        Stream::Picture(layer) => Some((*source, *layer)),
                        Stream::Voice => None,
                    });
                let changed = slot.want(want, now);
                for sender in slot.senders() {
                    self.feeds
                        .entry(sender)
                        .or_default()
                        .pictures
                        .push((*id, number));
                }
                // Nobody is asked ahead, not even a site on deck: its layers come all the time, a key frame of before
                // the grant is of no use after it, and a browser just asked is deaf when it matters.
                match slot.waits_for() {
                    Some(picture) if changed && staged => {
                        self.key_frames.wish_at_once(picture, now);
                    }
                    Some(picture) => self.key_frames.wish(picture, now),
                    None => {}
                }
            }
            for (number, slot) in down.voices.iter_mut().enumerate() {
                let want = wanted
                    .get(&(*id, FIRST_VOICE_SLOT + number))
                    .map(|(source, _)| *source);
                slot.open(want);
                if let Some(sender) = slot.sender() {
                    self.feeds
                        .entry(sender)
                        .or_default()
                        .voices
                        .push((*id, number));
                }
            }
        }
    }

    fn tell_slots(&mut self) {
        let carriers = self.carriers.iter().filter_map(|id| self.peers.get(id));
        let is_dark = |peer: &&Peer| peer.up.as_ref().is_some_and(Up::is_dark);
        let dark: BTreeSet<SiteId> = carriers
            .filter(is_dark)
            .filter_map(|peer| peer.site)
            .collect();
        for (id, peer) in &mut self.peers {
            let Some(down) = &peer.down else { continue };
            let mut shown = gate::shown(&self.stage, peer.screen.preview);
            let is_absent = self.presenter.is_none_or(|presenter| presenter == *id);
            let absent = is_absent.then_some(&PRESENTATION_SLOT);
            // Named, and not there: what stands in the slot is the last of somebody else, or of a while ago.
            for slot in down.without.iter().chain(absent) {
                if let Some(shown) = shown.get_mut(*slot) {
                    *shown = None;
                }
            }
            // A camera that has stopped leaves its last picture in every slot.
            for shown in shown.iter_mut().take(PRESENTATION_SLOT) {
                *shown = shown.filter(|site| !dark.contains(site));
            }
            let told = (shown, down.step);
            if peer.told.as_ref() == Some(&told) {
                continue;
            }
            let (video, step) = told.clone();
            peer.told = Some(told);
            let peer = *id;
            self.doors.says.send(PeerSay::Slots { peer, video, step });
        }
    }
}
