//! What legs tell, and the hot path: one packet to every slot that may have it.

use super::{Driver, TICK_MIN, picture, wet};
use crate::counters::add;
use crate::demux::LegId;
use crate::engine::{Codec, Layer, LegEvent, RtpIn};
use crate::forward::PictureSlot;
use crate::{h264, vp8};
use diemcau_model::{LinkReport, PeerId, Side};
use std::time::Instant;

impl Driver {
    pub(super) fn drain_events(&mut self, leg: LegId, now: Instant) {
        let mut events = std::mem::take(&mut self.events);
        if let Some(line) = self.peers.get_mut(&leg.0).and_then(|peer| peer.line(leg.1)) {
            line.touched = false;
            line.leg.drain_events(&mut events);
            line.deadline = line
                .leg
                .deadline()
                .map(|deadline| deadline.max(now + TICK_MIN));
            wet(line, leg, &mut self.wet);
        }
        for event in events.drain(..) {
            self.event(leg, event, now);
        }
        self.events = events;
    }

    fn event(&mut self, leg: LegId, event: LegEvent, now: Instant) {
        match event {
            LegEvent::Connected => self.connected(leg),
            LegEvent::Failed(why) => self.fail(leg, &why, now),
            LegEvent::Refused(why) => self.refused(leg, why),
            LegEvent::Rtp(mut packet) if leg.1 == Side::Presentation => {
                packet.layer = Layer::Presentation;
                let forwarded = self.video(leg.0, &packet, now);
                self.count(forwarded);
            }
            LegEvent::Rtp(packet) => self.packet(leg.0, &packet, now),
            LegEvent::KeyFrameWanted { slot } => {
                add(&self.counters.key_frames_wanted, 1);
                let down = self.peers.get(&leg.0).and_then(|peer| peer.down.as_ref());
                let slot = down.and_then(|down| down.pictures.get(slot));
                for picture in slot
                    .into_iter()
                    .flat_map(|slot| [slot.wanted(), slot.shown_meanwhile()])
                    .flatten()
                {
                    self.key_frames.wish(picture, now);
                }
            }
            LegEvent::Lost { layer } => self.lost(leg, layer, now),
            LegEvent::RoundTrip { ms } => {
                if let Some(peer) = self.peers.get_mut(&leg.0) {
                    peer.meter.round_trip(ms, now);
                }
            }
            LegEvent::Arrived { spoken_of, lost } => {
                if let Some(peer) = self.peers.get_mut(&leg.0) {
                    peer.meter.arrived(spoken_of, lost);
                }
            }
        }
    }

    /// Whoever sees the picture would wait for seconds before asking itself.
    fn lost(&mut self, (source, side): LegId, layer: Layer, now: Instant) {
        add(&self.counters.given_up, 1);
        let layer = match side {
            Side::Presentation => Layer::Presentation,
            Side::Uplink | Side::Downlink => layer,
        };
        let picture = (source, layer);
        let feeds = self.feeds.get(&source).into_iter();
        let seen = feeds.flat_map(|feeds| &feeds.pictures).any(|(to, slot)| {
            let down = self.peers.get(to).and_then(|peer| peer.down.as_ref());
            let slot = down.and_then(|down| down.pictures.get(*slot));
            slot.and_then(PictureSlot::wanted) == Some(picture)
        });
        if seen {
            self.key_frames.wish(picture, now);
        }
    }

    /// It may be a stranger's, so the leg waits on for its client, and says in the end why none came.
    pub(super) fn refused(&mut self, leg: LegId, why: String) {
        tracing::warn!(peer = %leg.0, side = ?leg.1, why, "a handshake was refused");
        let line = self.peers.get_mut(&leg.0).and_then(|peer| peer.line(leg.1));
        if let Some(line) = line {
            line.refused = Some(why);
        }
    }

    fn connected(&mut self, leg: LegId) {
        let Some(peer) = self.peers.get_mut(&leg.0) else {
            return;
        };
        let Some(line) = peer.line(leg.1) else { return };
        if std::mem::replace(&mut line.connected, true) {
            return;
        }
        self.dirty = true;
        let (site, kind) = (peer.site, peer.carries.endpoint());
        let up = match leg.1 {
            Side::Uplink => peer.up.as_mut(),
            Side::Presentation => peer.presents.as_mut(),
            Side::Downlink => None,
        };
        let Some(up) = up else { return };
        self.connections += 1;
        up.order = self.connections;
        if leg.1 == Side::Presentation {
            tracing::info!(peer = %leg.0, seat = %peer.seat, "a presentation is up");
        } else if let (Some(site), Some(kind)) = (site, kind) {
            tracing::info!(peer = %leg.0, %site, ?kind, "uplink is up");
            self.doors.reports.send(LinkReport::Up {
                site,
                kind,
                peer: leg.0,
            });
        }
    }

    fn packet(&mut self, source: PeerId, packet: &RtpIn, now: Instant) {
        let Some(peer) = self.peers.get_mut(&source) else {
            return;
        };
        peer.meter.packet(packet, now);
        let forwarded = match packet.codec {
            Codec::Opus => Some(self.voice(source, packet, now)),
            Codec::Vp8 | Codec::H264 => self.video(source, packet, now),
        };
        self.count(forwarded);
    }

    /// In how many slots a packet went; none if it was not what it should be.
    fn count(&mut self, forwarded: Option<u64>) {
        match forwarded {
            None => add(&self.counters.malformed, 1),
            Some(0) => add(&self.counters.gated, 1),
            Some(slots) => {
                self.noted += slots;
                add(&self.counters.forwarded, slots);
            }
        }
    }

    fn video(&mut self, source: PeerId, packet: &RtpIn, now: Instant) -> Option<u64> {
        // A browser that probes the link sends empty packets in the stream's own numbers: dropped, they would look like
        // loss to every receiver.
        let vp8 = match packet.codec {
            Codec::H264 => h264::read(&packet.payload),
            Codec::Vp8 => vp8::read(&packet.payload),
            Codec::Opus => return None,
        };
        if vp8.is_none() && !packet.payload.is_empty() {
            return None;
        }
        let peer = self.peers.get_mut(&source);
        self.dirty |= peer.is_some_and(|peer| peer.saw(packet, now));
        // A new layer may be what a screen is waiting for, and this may be its key frame.
        if self.dirty {
            self.make_routes(now);
        }
        if vp8.is_some_and(|vp8| vp8.key_frame) {
            self.key_frames.came(picture(source, packet));
        }
        Some(self.picture(source, packet, vp8.as_ref(), now))
    }

    fn voice(&mut self, source: PeerId, packet: &RtpIn, now: Instant) -> u64 {
        let Some(feeds) = self
            .feeds
            .get(&source)
            .filter(|_| self.carriers.contains(&source))
        else {
            return 0;
        };
        let mut forwarded = 0;
        for (to, slot) in &feeds.voices {
            let Some(down) = self.peers.get_mut(to).and_then(|peer| peer.down.as_mut()) else {
                continue;
            };
            let Some(out) = down
                .voices
                .get_mut(*slot)
                .and_then(|slot| slot.forward(source, packet, now))
            else {
                continue;
            };
            let slot = crate::gate::FIRST_VOICE_SLOT + slot;
            if down.line.leg.send(slot, out, now) {
                forwarded += 1;
                wet(&mut down.line, (*to, Side::Downlink), &mut self.wet);
            }
        }
        forwarded
    }

    fn picture(
        &mut self,
        source: PeerId,
        packet: &RtpIn,
        vp8: Option<&vp8::Vp8>,
        now: Instant,
    ) -> u64 {
        let may = match packet.layer {
            Layer::Presentation => self.presenter == Some(source),
            Layer::Quarter | Layer::Half | Layer::Full => self.carriers.contains(&source),
        };
        let Some(feeds) = self.feeds.get(&source).filter(|_| may) else {
            return 0;
        };
        let picture = picture(source, packet);
        let mut forwarded = 0;
        for (to, slot) in &feeds.pictures {
            let Some(down) = self.peers.get_mut(to).and_then(|peer| peer.down.as_mut()) else {
                continue;
            };
            let takes = down.line.leg.takes(*slot, packet.codec);
            let Some(shows) = down.pictures.get_mut(*slot) else {
                continue;
            };
            let mut next = match takes {
                true => shows.forward(picture, packet, vp8, now),
                // Its numbers stay where they are, and no key frame is asked for that it could not read.
                false => shows.cannot_read(picture),
            };
            while let Some(out) = next {
                if down.line.leg.send(*slot, out, now) {
                    forwarded += 1;
                    wet(&mut down.line, (*to, Side::Downlink), &mut self.wet);
                }
                next = shows.next_early(now);
            }
        }
        forwarded
    }
}
