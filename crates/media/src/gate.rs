//! The gate: who may be seen and heard where. One pure function from what the rules want and who is there to routes.
//!
//! What is not a route is not forwarded, whatever a client sends.

mod fit;

use crate::engine::Layer;
use diemcau_model::limits::{AUDIO_SLOTS, PICTURE_SLOTS, PRESENTATION_SLOT, TILE_SLOTS};
use diemcau_model::{Carries, EndpointKind, LinkStep, PeerId, ScreenSlots, SeatId, SiteId, Stage};
pub use fit::Costs;
use fit::Wish;
use std::collections::BTreeMap;

/// The first voice slot, behind the pictures.
pub const FIRST_VOICE_SLOT: usize = PICTURE_SLOTS;
/// A picture up to this height is well served by the quarter layer.
const QUARTER_HEIGHT_MAX: u16 = 240;
/// A picture up to this height is well served by the half layer.
const HALF_HEIGHT_MAX: u16 = 480;

/// A connected uplink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub peer: PeerId,
    pub site: SiteId,
    pub kind: EndpointKind,
    /// Grows with each connection; of two uplinks of one endpoint the newest counts.
    pub order: u64,
    /// The layers that arrive.
    pub layers: Vec<Layer>,
    pub costs: Costs,
}

/// A connected uplink of a presentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presenter {
    pub peer: PeerId,
    pub seat: SeatId,
    /// Grows with each connection; of two of one seat the newest counts.
    pub order: u64,
    pub costs: Costs,
}

/// A connected downlink of an admitted peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    pub peer: PeerId,
    pub site: Option<SiteId>,
    pub carries: Carries,
    pub listens: bool,
    pub slots: ScreenSlots,
    /// How many voices it plays, 1 to `AUDIO_SLOTS`.
    pub ears: usize,
    /// What its link bears in bits a second, when it is known.
    pub bears: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    Voice,
    Picture(Layer),
}

/// One stream of one source goes into one slot of one screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    pub source: PeerId,
    pub stream: Stream,
    pub to: PeerId,
    /// The m-line of the downlink offer.
    pub slot: usize,
}

/// What a screen's link makes of what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thinned {
    pub peer: PeerId,
    pub step: LinkStep,
    /// The slots whose pictures have no room on it.
    pub without: Vec<usize>,
}

/// Which heard site sounds in which voice slot of every screen. A site keeps its slot while it is heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voices([Option<SiteId>; AUDIO_SLOTS]);

impl Voices {
    /// Gives free slots to heard sites. The programme site always has one, if need be another's.
    pub fn seat(&mut self, stage: &Stage, carriers: &BTreeMap<SiteId, &Source>) {
        let sounds = |site: &SiteId| stage.heard.contains(site) && carriers.contains_key(site);
        for slot in &mut self.0 {
            *slot = slot.filter(sounds);
        }
        if let Some(speaker) = stage.programme.filter(sounds)
            && !self.0.contains(&Some(speaker))
        {
            let free = self.0.iter().position(Option::is_none);
            self.0[free.unwrap_or(AUDIO_SLOTS - 1)] = Some(speaker);
        }
        for site in stage
            .heard
            .iter()
            .filter(|site| carriers.contains_key(site))
        {
            if self.0.contains(&Some(*site)) {
                continue;
            }
            let Some(free) = self.0.iter_mut().find(|slot| slot.is_none()) else {
                break;
            };
            *free = Some(*site);
        }
    }
}

/// The one uplink of each site that the rules let through.
pub fn carriers<'a>(stage: &Stage, sources: &'a [Source]) -> BTreeMap<SiteId, &'a Source> {
    let mut carriers: BTreeMap<SiteId, &Source> = BTreeMap::new();
    for source in sources {
        if stage.carriers.get(&source.site) != Some(&source.kind) {
            continue;
        }
        let best = carriers.entry(source.site).or_insert(source);
        if source.order > best.order {
            *best = source;
        }
    }
    carriers
}

/// The one presentation that the rules let through.
pub fn presenter(stage: &Stage, presenters: &[Presenter]) -> Option<Presenter> {
    let seat = stage.presentation?.seat;
    let of_seat = presenters.iter().filter(|one| one.seat == seat);
    of_seat.max_by_key(|one| one.order).copied()
}

/// What a screen shows: the programme, then the tiles in protocol order, in the last one the site that a desk looks at
/// for itself, unless another tile shows it already; then the presentation.
pub fn shown(stage: &Stage, preview: Option<SiteId>) -> Vec<Option<SiteId>> {
    let of_all = |tile: usize| stage.tiles.get(tile).copied();
    let own = preview.filter(|site| !stage.tiles.iter().take(TILE_SLOTS).any(|tile| tile == site));
    let last = own.or(of_all(TILE_SLOTS - 1));
    let tiles = (0..TILE_SLOTS - 1).map(of_all);
    std::iter::once(stage.programme)
        .chain(tiles)
        .chain([last, stage.presentation.map(|shown| shown.site)])
        .collect()
}

/// Every route there is, and how far each screen's link makes it do with less.
pub fn routes(
    stage: &Stage,
    sources: &[Source],
    presenter: Option<Presenter>,
    screens: &[Screen],
    voices: &Voices,
) -> (Vec<Route>, Vec<Thinned>) {
    let carriers = carriers(stage, sources);
    let (mut routes, mut links) = (vec![], vec![]);
    for screen in screens.iter().filter(|screen| receives(screen.carries)) {
        let shown = shown(stage, screen.slots.preview);
        let sounds = sounds(stage, screen, voices, &carriers);
        // Nobody is shown the own screen: it would show itself, and itself, and itself.
        let presenter = presenter.filter(|presenter| presenter.peer != screen.peer);
        let wishes = wishes(screen, &shown, presenter, &carriers);
        let fit = fit::fit(screen.bears, sounds.len(), &wishes);
        let has_room = |slot| fit.pictures.iter().any(|(of, _)| *of == slot);
        let slots = wishes.iter().map(|wish| wish.slot);
        links.push(Thinned {
            peer: screen.peer,
            step: fit.step,
            without: slots.filter(|slot| !has_room(*slot)).collect(),
        });
        for (slot, layer) in fit.pictures {
            let site = shown.get(slot).copied().flatten();
            let source = match slot {
                PRESENTATION_SLOT => presenter.map(|presenter| presenter.peer),
                _ => site.and_then(|site| Some(carriers.get(&site)?.peer)),
            };
            if let Some(source) = source {
                routes.push(Route {
                    source,
                    stream: Stream::Picture(layer),
                    to: screen.peer,
                    slot,
                });
            }
        }
        if fit.sound {
            routes.extend(sounds);
        }
    }
    (routes, links)
}

/// The pictures a screen asks for: the programme, the presentation, the hall, the other tiles.
fn wishes<'a>(
    screen: &Screen,
    shown: &[Option<SiteId>],
    presenter: Option<Presenter>,
    carriers: &BTreeMap<SiteId, &'a Source>,
) -> Vec<Wish<'a>> {
    let wish = |(slot, site): (usize, &Option<SiteId>)| {
        let height = match slot {
            0 => screen.slots.programme,
            PRESENTATION_SLOT => 0,
            tile => screen.slots.tiles.get(tile - 1).copied().unwrap_or(0),
        };
        let source = *site.as_ref().and_then(|site| carriers.get(site))?;
        let arriving = &source.layers;
        let layer = layer(height, arriving)?;
        Some(Wish {
            slot,
            layer,
            arriving,
            costs: source.costs,
        })
    };
    let mut wishes: Vec<Wish<'_>> = shown.iter().enumerate().filter_map(wish).collect();
    if let Some(presenter) = presenter.filter(|_| screen.slots.presentation > 0) {
        let behind = wishes.partition_point(|wish| wish.slot == 0);
        wishes.insert(behind, fit::presentation(presenter.costs));
    }
    wishes
}

fn sounds(
    stage: &Stage,
    screen: &Screen,
    voices: &Voices,
    carriers: &BTreeMap<SiteId, &Source>,
) -> Vec<Route> {
    // Nobody hears the own room: it would howl.
    let mut seats = voices
        .0
        .map(|site| site.filter(|site| screen.site != Some(*site)));
    if screen.ears < AUDIO_SLOTS {
        // The programme's voice first: with one ear it is the one that is seen.
        seats.sort_by_key(|site| (site.is_none(), *site != stage.programme));
    }
    let route = |(voice, site): (usize, &Option<SiteId>)| {
        let site = site.as_ref()?;
        if !screen.listens || !stage.heard.contains(site) {
            return None;
        }
        Some(Route {
            source: carriers.get(site)?.peer,
            stream: Stream::Voice,
            to: screen.peer,
            slot: FIRST_VOICE_SLOT + voice,
        })
    };
    let heard = seats.iter().take(screen.ears).enumerate();
    heard.filter_map(route).collect()
}

/// The layer for a height, of those that arrive: the fitting one, else the next smaller, else the next larger.
pub fn layer(height: u16, arriving: &[Layer]) -> Option<Layer> {
    if height == 0 {
        return None;
    }
    let fitting = if height <= QUARTER_HEIGHT_MAX {
        Layer::Quarter
    } else if height <= HALF_HEIGHT_MAX {
        Layer::Half
    } else {
        Layer::Full
    };
    let smaller = arriving.iter().filter(|layer| **layer <= fitting).max();
    smaller.or(arriving.iter().min()).copied()
}

/// Whether a seat receives media at all.
pub fn receives(carries: Carries) -> bool {
    match carries {
        Carries::Room | Carries::Standby | Carries::Watch => true,
        Carries::Nothing => false,
    }
}

#[cfg(test)]
mod tests;
