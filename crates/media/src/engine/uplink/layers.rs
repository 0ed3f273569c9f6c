//! Which of a sender's layers is which. Names are free (RFC 8851): q, h and f say it themselves, and of others the first
//! is the largest, as the one that is liked best (RFC 8853, 5.2) and as OBS has it. Browsers may begin with the smallest:
//! what their key frames measure goes before what was offered.

use super::offer::RID_URI;
use crate::engine::sdp;
use crate::engine::{Layer, Names};

/// Streams of a simulcast that are looked at; a browser names three.
const STREAMS_MAX: usize = 16;
/// Descriptions of streams that are looked at, for each of these.
const RIDS_MAX: usize = 32;
/// Letters of a name that we say back, and of what is said of it.
const NAME_MAX: usize = 32;
const LIMITS_MAX: usize = 128;
/// A longer line of a stream is not read, for it is cut once for each alternative of each stream. Some of what is said may be
/// of codecs that were not agreed, and is left out.
const RID_MAX: usize = NAME_MAX + 2 * LIMITS_MAX;
const LAYERS: usize = Layer::ALL.len();

/// A layer that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rid {
    pub name: String,
    pub layer: Named,
    /// What its sender holds it to: an answer may not let go of it (RFC 8851, 6.3).
    pub limits: String,
}

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    As(Layer),
    /// Nothing but its place in the order of the simulcast.
    Place(usize),
}

/// The layers of a part in the order of its simulcast (RFC 8853, 5), of alternatives the first that we can read. Without
/// the extension that names them in packets nobody could tell them apart.
pub fn read(names: Names, text: &str) -> Vec<Rid> {
    let Some(order) = sdp::attribute(text, "simulcast") else {
        return vec![];
    };
    if sdp::extension_id(text, RID_URI).is_none() {
        return vec![];
    }
    let mut words = order.split_whitespace();
    let sent = words.by_ref().find(|word| *word == "send");
    let sent = sent.and_then(|_| words.next()).unwrap_or_default();
    let streams = sent.split(';').take(STREAMS_MAX);
    let lines = text.lines().map(str::trim);
    let rids = lines.filter_map(|line| line.strip_prefix("a=rid:"));
    let rids = rids.filter(|rid| rid.len() <= RID_MAX);
    let rids: Vec<&str> = rids.take(RIDS_MAX).collect();
    let mut offered: Vec<(&str, String)> = vec![];
    for stream in streams {
        let mut alternatives = stream.split(',').take(STREAMS_MAX);
        let taken = alternatives.find_map(|rid| {
            let rid = rid.trim_start_matches('~');
            Some((rid, limits(rid, names, &rids)?))
        });
        offered.extend(taken.filter(|(rid, _)| offered.iter().all(|(known, _)| known != rid)));
    }
    let says_itself = offered
        .iter()
        .any(|(rid, _)| Layer::from_rid(rid).is_some());
    let layer = |(place, rid)| match says_itself {
        true => Layer::from_rid(rid).map(Named::As),
        false => (place < LAYERS).then_some(Named::Place(place)),
    };
    let places = offered.into_iter().enumerate();
    let rids = places.filter_map(|(place, (rid, limits))| {
        Some(Rid {
            layer: layer((place, rid))?,
            name: rid.to_owned(),
            limits,
        })
    });
    rids.collect()
}

/// What the sender holds a layer to, by what it says of all, as we say it back; `None` if it is not sent, or in no codec
/// that was agreed.
fn limits(rid: &str, names: Names, rids: &[&str]) -> Option<String> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if rid.is_empty() || rid.len() > NAME_MAX || !rid.bytes().all(is_letter) {
        return None;
    }
    let mut said = rids.iter();
    let said = said.find_map(|said| said.strip_prefix(rid)?.strip_prefix(" send"))?;
    let mut limits = vec![];
    for limit in said.trim().split(';').filter(|limit| !limit.is_empty()) {
        let Some(pts) = limit.strip_prefix("pt=") else {
            limits.push(limit.to_owned());
            continue;
        };
        let agreed = |pt: &&str| pt.parse().is_ok_and(|pt| names.codec(pt).is_some());
        let pts: Vec<&str> = pts.split(',').filter(agreed).collect();
        if pts.is_empty() {
            return None;
        }
        limits.push(format!("pt={}", pts.join(",")));
    }
    Some(limits.join(";")).filter(|limits| limits.len() <= LIMITS_MAX)
}

/// The layers of those whose names do not say it.
#[derive(Debug)]
pub struct Places {
    offered: usize,
    layers: [Layer; LAYERS],
    /// Of the newest key frame, until there is one of each that was offered: a browser that is short of time makes them
    /// smaller one after the other, and not others.
    pixels: [Option<u32>; LAYERS],
}

impl Places {
    pub fn new(offered: usize) -> Self {
        Self {
            offered,
            layers: [Layer::Full, Layer::Half, Layer::Quarter],
            pixels: [None; LAYERS],
        }
    }

    pub fn layer(&self, named: Named) -> Layer {
        match named {
            Named::As(layer) => layer,
            Named::Place(place) => self.layers.get(place).copied().unwrap_or(Layer::Full),
        }
    }

    /// A key frame has so many pixels; true if the layers are others from now on.
    pub fn measured(&mut self, named: Named, pixels: u32) -> bool {
        let Named::Place(place) = named else {
            return false;
        };
        if self.pixels.iter().flatten().count() >= self.offered {
            return false;
        }
        if let Some(known) = self.pixels.get_mut(place) {
            *known = Some(pixels);
        }
        let before = self.layers;
        let places = 0..LAYERS;
        let mut known: Vec<usize> = places.filter(|at| self.pixels[*at].is_some()).collect();
        let mut layers: Vec<Layer> = known.iter().map(|at| before[*at]).collect();
        layers.sort_unstable();
        known.sort_by_key(|at| (self.pixels[*at], before[*at]));
        for (at, layer) in known.into_iter().zip(layers) {
            self.layers[at] = layer;
        }
        self.layers != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: Layer = Layer::Full;

    fn layers(places: &Places) -> [Layer; LAYERS] {
        [0, 1, 2].map(|at| places.layer(Named::Place(at)))
    }

    /// The names of the layers of a picture of which so much is said, that its first has sixteen alternatives of one name.
    fn named(said: &str) -> Vec<String> {
        let names = Names {
            vp8: Some(96),
            ..Names::default()
        };
        let alternatives = ["a"; STREAMS_MAX].join(",");
        let text = format!(
            "a=extmap:2 {RID_URI}\r\na=rid:a send {said}\r\na=rid:b send\r\na=simulcast:send {alternatives};b\r\n"
        );
        let rids = read(names, &text).into_iter();
        rids.map(|rid| rid.name).collect()
    }

    #[test]
    fn a_line_that_is_longer_than_what_is_said_back_is_not_read() {
        assert_eq!(named("max-width=640;pt=97,96"), ["a", "b"]);
        // Half of what is said of it is nothing to us: what is left could be said back.
        assert_eq!(named(&format!("pt={}96", "97,".repeat(60))), ["a", "b"]);
        assert_eq!(named(&format!("pt={}96", "97,".repeat(15_000))), ["b"]);
        assert_eq!(named(&"x;".repeat(23_000)), ["b"]);
    }

    #[test]
    fn the_largest_is_the_one_that_measures_most_and_the_order_holds_until_it_is_measured() {
        let mut places = Places::new(3);
        let (quarter, half) = (Layer::Quarter, Layer::Half);
        assert_eq!(layers(&places), [LARGE, half, quarter]);
        assert!(!places.measured(Named::Place(0), 320 * 180));
        assert!(places.measured(Named::Place(1), 640 * 360));
        assert_eq!(layers(&places), [half, LARGE, quarter]);
        assert!(places.measured(Named::Place(2), 1_280 * 720));
        assert_eq!(layers(&places), [quarter, half, LARGE]);
        assert!(!places.measured(Named::As(LARGE), 1), "it says it itself");
        assert_eq!(places.layer(Named::As(half)), half);
    }

    #[test]
    fn layers_that_have_been_measured_change_no_more() {
        let mut places = Places::new(2);
        places.measured(Named::Place(0), 320 * 180);
        // The only one that came yet may become smaller.
        assert!(!places.measured(Named::Place(0), 160 * 90));
        assert!(places.measured(Named::Place(1), 320 * 180));
        let before = layers(&places);
        assert_eq!(before[1], LARGE);
        for (place, pixels) in [(1, 80 * 45), (0, 40 * 22)] {
            assert!(!places.measured(Named::Place(place), pixels), "{place}");
        }
        assert_eq!(layers(&places), before);
    }
}
