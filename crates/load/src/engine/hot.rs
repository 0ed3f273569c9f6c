//! The thread itself: its sockets, its clocks and its counts.

use super::{Command, LegId, State, WAKER};
use crate::leg::{Kept, Leg, Role};
use crate::packets::{self, micros};
use crate::rhythm::{Packet, Programme, Rhythm};
use crate::road::Road;
use crate::tally::Tally;
use crate::watch::Watch;
use anyhow::{Context, Result, anyhow};
use mio::{Events, Interest, Poll, Token};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{KeyframeRequestKind, Mid, Rid};
use str0m::rtp::rtcp::{Nack, Rtcp};
use str0m::rtp::{ExtensionValues, RawPacket, RtpPacket, RtpWrite};
use str0m::{Event, IceConnectionState};

const OPUS: u8 = 111;
const VP8: u8 = 96;
/// Datagrams read from one socket before the next one has its turn.
const READ_MAX: usize = 64;
const SLEEP_MAX: Duration = Duration::from_millis(20);
/// How often the pictures are looked at for standing still.
const GLANCE: Duration = Duration::from_millis(50);

/// Everything the thread owns.
pub(super) struct Hot {
    ip: IpAddr,
    seed: u64,
    poll: Poll,
    layers: Vec<Option<&'static str>>,
    rhythm: Rhythm,
    legs: BTreeMap<LegId, Leg>,
    offered: BTreeMap<LegId, SdpPendingOffer>,
    roads: BTreeMap<(u16, bool), (Road, Road)>,
    made: usize,
    /// Legs whose sockets may hold more.
    ready: BTreeSet<LegId>,
    tally: Tally,
    watching: bool,
    glance_at: Instant,
    state: Arc<Mutex<State>>,
}

impl Hot {
    pub(super) fn new(
        ip: IpAddr,
        programme: Programme,
        seed: u64,
        poll: Poll,
        state: Arc<Mutex<State>>,
    ) -> Self {
        Self {
            ip,
            seed,
            poll,
            layers: programme.layers.iter().map(|(rid, _)| *rid).collect(),
            rhythm: Rhythm::new(programme),
            legs: BTreeMap::new(),
            offered: BTreeMap::new(),
            roads: BTreeMap::new(),
            made: 0,
            ready: BTreeSet::new(),
            tally: Tally::default(),
            watching: false,
            glance_at: Instant::now(),
            state,
        }
    }

    pub(super) fn run(mut self, inbox: &Receiver<Command>) {
        let mut events = Events::with_capacity(256);
        loop {
            loop {
                match inbox.try_recv() {
                    Ok(command) => self.command(command),
                    Err(std::sync::mpsc::TryRecvError::Empty) => break,
                    Err(std::sync::mpsc::TryRecvError::Disconnected) => return,
                }
            }
            let now = Instant::now();
            self.send_due(now);
            self.look_after(now);
            let wait = match self.ready.is_empty() {
                true => self.wait(Instant::now()),
                false => Duration::ZERO,
            };
            if self.poll.poll(&mut events, Some(wait)).is_err() {
                continue;
            }
            let tokens = events.iter().map(|event| event.token());
            let sockets = tokens.filter(|token| *token != WAKER);
            self.ready.extend(sockets.map(|token| token.0));
            self.read();
        }
    }

    fn command(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Offer(site, reply) => {
                let _ = reply.send(self.offer(site, now));
            }
            Command::Answer(leg, sdp, reply) => {
                let _ = reply.send(self.answer(leg, &sdp, now));
            }
            Command::Accept(site, sdp, reply) => {
                let _ = reply.send(self.accept(site, &sdp, now));
            }
            Command::Close(leg) => self.close(leg),
            Command::Roads {
                site,
                is_uplink,
                out,
                back,
            } => {
                self.roads.insert((site, is_uplink), (out, back));
                for leg in self.legs.values_mut() {
                    if leg.site == site && matches!(leg.role, Role::Uplink { .. }) == is_uplink {
                        leg.set_roads(out, back);
                    }
                }
            }
            Command::Watch => self.watching = true,
            Command::Window(window) => {
                self.rhythm.window = window;
                if window > 0 {
                    self.tally.open(window);
                }
            }
            Command::Outcome(sites, shown, reply) => {
                let _ = reply.send(self.tally.outcome(sites, shown));
            }
        }
    }

    fn offer(&mut self, site: u16, now: Instant) -> Result<(LegId, String)> {
        let (id, mut leg) = self.leg(site, true, now)?;
        let (offer, pending) = leg.offer(&self.layers)?;
        self.offered.insert(id, pending);
        self.legs.insert(id, leg);
        Ok((id, offer))
    }

    fn answer(&mut self, id: LegId, sdp: &str, now: Instant) -> Result<()> {
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| anyhow!("{error}\n{sdp}"))?;
        let pending = self.offered.remove(&id).context("nothing was offered")?;
        let leg = self.legs.get_mut(&id).context("the leg is gone")?;
        leg.rtc.sdp_api().accept_answer(pending, answer)?;
        leg.wake(now);
        self.drain(id, now);
        Ok(())
    }

    fn accept(&mut self, site: u16, sdp: &str, now: Instant) -> Result<(LegId, String)> {
        let offer = SdpOffer::from_sdp_string(sdp).map_err(|error| anyhow!("{error}\n{sdp}"))?;
        let (id, mut leg) = self.leg(site, false, now)?;
        let answer = leg.rtc.sdp_api().accept_offer(offer)?.to_sdp_string();
        ask_for_lost_packets(&mut leg, sdp);
        leg.wake(now);
        self.legs.insert(id, leg);
        self.drain(id, now);
        Ok((id, answer))
    }

    fn leg(&mut self, site: u16, is_uplink: bool, now: Instant) -> Result<(LegId, Leg)> {
        let id = self.made;
        self.made += 1;
        let mut leg = Leg::new(site, self.ip, self.seed + 2 * id as u64, self.watching, now)?;
        if let Some((out, back)) = self.roads.get(&(site, is_uplink)) {
            leg.set_roads(*out, *back);
        }
        let registry = self.poll.registry();
        registry.register(&mut leg.socket, Token(id), Interest::READABLE)?;
        self.state().legs.insert(id, false);
        Ok((id, leg))
    }

    fn close(&mut self, id: LegId) {
        self.offered.remove(&id);
        self.state().legs.remove(&id);
        if let Some(mut leg) = self.legs.remove(&id) {
            let _ = self.poll.registry().deregister(&mut leg.socket);
            if leg.connected && matches!(leg.role, Role::Uplink { .. }) && !self.sends(leg.site) {
                self.rhythm.stop(leg.site);
            }
        }
    }

    fn sends(&self, site: u16) -> bool {
        let mut legs = self.legs.values();
        legs.any(|leg| leg.connected && leg.site == site && leg.role != Role::Downlink)
    }

    fn send_due(&mut self, now: Instant) {
        let mut packets = vec![];
        self.rhythm.due(now, |packet| packets.push(packet));
        let wet: BTreeSet<LegId> = packets
            .into_iter()
            .filter_map(|packet| self.send(packet))
            .collect();
        for id in wet {
            self.drain(id, now);
        }
    }

    /// Writes a packet into the uplink of its site.
    fn send(&mut self, mut packet: Packet) -> Option<LegId> {
        let site = packet.stamp.site;
        let rid = self.rhythm.rid(packet.stamp.layer).map(Rid::from);
        // The newest uplink of a site is its uplink.
        let mut legs = self.legs.iter_mut().rev();
        let (id, leg) =
            legs.find(|(_, leg)| leg.connected && leg.site == site && leg.role != Role::Downlink)?;
        let Role::Uplink { audio, video } = leg.role else {
            return None;
        };
        let is_video = packet.is_video();
        let mut api = leg.rtc.direct_api();
        let stream = match is_video {
            true => api.stream_tx_by_mid(video, rid),
            false => api.stream_tx_by_mid(audio, None),
        }?;
        let now = Instant::now();
        let pt = if is_video { VP8 } else { OPUS };
        let number = (packet.number + 1).into();
        let payload = packet.payload(now);
        let kept = (self.watching && is_video).then(|| Kept {
            ssrc: stream.ssrc(),
            number: packet.number + 1,
            timestamp: packet.timestamp,
            marker: packet.marker,
            payload: payload.clone(),
        });
        let write = RtpWrite::new(pt.into(), number, packet.timestamp, now, payload);
        let level = ExtensionValues {
            audio_level: (!is_video).then_some(-30),
            voice_activity: (!is_video).then_some(true),
            ..ExtensionValues::default()
        };
        stream.write_rtp(
            write
                .marker(packet.marker)
                .nackable(is_video)
                .ext_vals(level),
        );
        kept.into_iter().for_each(|kept| leg.keep(kept));
        let id = *id;
        self.tally.sent(&packet.stamp);
        if self.watching {
            *self.state().written.entry(site).or_default() += 1;
        }
        Some(id)
    }

    fn look_after(&mut self, now: Instant) {
        let due: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(_, leg)| leg.due() <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            while self
                .legs
                .get_mut(&id)
                .is_some_and(|leg| leg.take_arrived(now))
            {
                self.drain(id, now);
            }
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.send_arrived(now);
                if leg.deadline <= now {
                    leg.wake(now);
                }
            }
            self.drain(id, now);
        }
        if self.watching && now >= self.glance_at {
            self.glance_at = now + GLANCE;
            self.ask_for_key_frames(now);
            let mut state = self.state();
            for leg in self.legs.values().filter(|leg| leg.role != Role::Downlink) {
                state.left.insert(leg.site, leg.rtp_out);
            }
        }
    }

    fn ask_for_key_frames(&mut self, now: Instant) {
        let mut stuck = vec![];
        for ((to, from), watch) in &mut self.state().watches {
            if watch.asks_for_key_frame(now) {
                stuck.push((*to, *from));
            }
        }
        for (to, from) in stuck {
            let mut legs = self.legs.iter_mut();
            let found = legs.find(|(_, leg)| leg.site == to && leg.slots.contains_key(&from));
            let Some((id, leg)) = found else { continue };
            let (id, slot) = (*id, leg.slots.get(&from).copied());
            let mut api = leg.rtc.direct_api();
            let stream = slot.and_then(|mid| api.stream_rx_by_mid(mid, None));
            if let Some(stream) = stream {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
            self.drain(id, now);
        }
    }

    /// Reads a little from every socket that has something.
    fn read(&mut self) {
        let mut buffer = [0; 2_048];
        let mut ready = std::mem::take(&mut self.ready);
        ready.retain(|id| {
            for _ in 0..READ_MAX {
                let now = Instant::now();
                let Some(leg) = self.legs.get_mut(id) else {
                    return false;
                };
                if !leg.read(&mut buffer, now) {
                    return false;
                }
                self.drain(*id, now);
            }
            true
        });
        self.ready = ready;
    }

    fn drain(&mut self, id: LegId, now: Instant) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let mut events = vec![];
        leg.drain(|event| events.push(event));
        for event in events {
            self.event(id, event, now);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "str0m's events, not ours")]
    fn event(&mut self, id: LegId, event: Event, now: Instant) {
        match event {
            Event::RtpPacket(packet) => self.received(id, &packet, now),
            Event::Connected => {
                let Some(leg) = self.legs.get_mut(&id) else {
                    return;
                };
                leg.connected = true;
                if leg.role != Role::Downlink {
                    self.rhythm.start(leg.site, now);
                }
                self.state().legs.insert(id, true);
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                // Who makes the connections sees it and makes a new one.
                self.state().legs.insert(id, false);
            }
            Event::KeyframeRequest(request) => {
                let Some(leg) = self.legs.get(&id) else {
                    return;
                };
                let site = leg.site;
                if let Some(layer) = self.rhythm.layer(request.rid.as_deref()) {
                    self.rhythm.wish_key_frame(site, layer);
                }
                *self.state().key_frames_asked.entry(site).or_default() += 1;
            }
            Event::RawPacket(raw) => {
                if let RawPacket::RtcpRx(Rtcp::Nack(nack)) = *raw {
                    self.send_again(id, &nack, now);
                }
            }
            _ => {}
        }
    }

    /// Sends what a receiver misses once more, in the stream itself, as a browser without RTX does.
    fn send_again(&mut self, id: LegId, nack: &Nack, now: Instant) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        for entry in &nack.reports {
            for missing in missing(entry.pid, entry.blp) {
                let mut kept = leg.kept.iter().rev();
                let kept = kept.find(|one| one.ssrc == nack.ssrc && one.number as u16 == missing);
                let Some(kept) = kept.cloned() else { continue };
                let mut api = leg.rtc.direct_api();
                if let Some(stream) = api.stream_tx(&nack.ssrc) {
                    let (number, time) = (kept.number.into(), kept.timestamp);
                    let write = RtpWrite::new(VP8.into(), number, time, now, kept.payload);
                    stream.write_rtp(write.marker(kept.marker));
                }
            }
        }
        self.drain(id, now);
    }

    fn received(&mut self, id: LegId, packet: &RtpPacket, now: Instant) {
        let is_video = *packet.header.payload_type == VP8;
        let Some(stamp) = packets::read(&packet.payload, is_video) else {
            return;
        };
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let site = leg.site;
        self.tally.received(site, &stamp, micros(now));
        if !self.watching {
            return;
        }
        if is_video && !leg.slots.contains_key(&stamp.site) {
            let mut api = leg.rtc.direct_api();
            let mid = api
                .stream_rx(&packet.header.ssrc)
                .map(|stream| stream.mid());
            if let Some(mid) = mid {
                leg.slots.insert(stamp.site, mid);
            }
        }
        let mut state = self.state();
        let watch = state.watches.entry((site, stamp.site));
        watch.or_insert_with(|| Watch::new(now)).packet(&stamp, now);
    }

    fn wait(&self, now: Instant) -> Duration {
        let legs = self.legs.values().map(Leg::due);
        let due = legs.chain(self.rhythm.deadline()).min();
        due.map_or(SLEEP_MAX, |due| {
            due.saturating_duration_since(now).min(SLEEP_MAX)
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The numbers an entry of a NACK names (RFC 4585 section 6.2.1).
fn missing(first: u16, more: u16) -> impl Iterator<Item = u16> {
    let others = (0..16).filter(move |bit| more >> bit & 1 == 1);
    let others = others.map(move |bit| first.wrapping_add(bit + 1));
    std::iter::once(first).chain(others)
}

/// str0m does not ask for the lost packets of a stream declared without RTX; browsers do. Declared again by hand, it
/// does so too.
fn ask_for_lost_packets(leg: &mut Leg, offer: &str) {
    if offer.contains("rtx/90000") {
        return;
    }
    let (mut mid, mut is_video) = (None, false);
    for line in offer.lines().map(str::trim) {
        if line.starts_with("m=") {
            is_video = line.starts_with("m=video");
        } else if let Some(value) = line.strip_prefix("a=mid:") {
            mid = Some(Mid::from(value));
        }
        let ssrc = line
            .strip_prefix("a=ssrc:")
            .and_then(|rest| rest.split(' ').next());
        let ssrc = ssrc.and_then(|ssrc| ssrc.parse::<u32>().ok());
        if let (Some(ssrc), Some(mid)) = (ssrc.filter(|_| is_video), mid) {
            let mut api = leg.rtc.direct_api();
            api.remove_stream_rx(ssrc.into());
            api.expect_stream_rx(ssrc.into(), None, mid, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn a_nack_names_its_first_packet_and_those_of_the_sixteen_behind_it() {
        let named = |first, more| missing(first, more).collect::<Vec<_>>();
        assert_eq!(named(7, 0), [7]);
        assert_eq!(named(65_535, 0b1000_0000_0000_0101), [65_535, 0, 2, 15]);
    }
}
