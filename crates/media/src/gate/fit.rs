//! What goes into a screen whose link bears less than it asks for: pure.
//!
//! Sound is the last to go. Then the programme, then the presentation, then the hall, then the tiles in their order:
//! tiles become smaller and fewer first, then the programme becomes smaller, then it goes. A presentation has one size,
//! for text that is not sharp is of no use: the programme becomes smaller to leave it room.

use crate::{
    engine::{Layer, VOICE_BPS},
    rates::FLOOD_BPS,
};
use diemcau_model::{LinkStep, limits::PRESENTATION_SLOT};

/// What each layer of a source costs in bits a second, with all that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs([u64; 4]);

impl Costs {
    /// What the client's encoder is told it may use.
    pub const PLANNED: Self = Self([115_000, 390_000, 1_650_000, 1_100_000]);

    /// Of a camera, by what arrives. One picture without simulcast is of whatever rate its encoder was given, so it costs
    /// what it brings. Of several layers each costs at least what was planned: one that has little to show now, or is only
    /// beginning, will need it.
    pub fn measured(arriving: &[Layer], brings: [Option<u64>; 3]) -> Self {
        let mut costs = Self::PLANNED;
        for ((layer, brings), cost) in Layer::ALL.iter().zip(brings).zip(&mut costs.0) {
            match brings {
                Some(bps) if arriving == [*layer] => *cost = bps,
                Some(bps) => *cost = bps.max(*cost),
                None => {}
            }
        }
        costs
    }

    /// Of a presentation, by what it brings. A slide stands still until the next one comes, so it costs at least what was
    /// planned; one that brings more costs that.
    pub fn presented(brings: Option<u64>) -> Self {
        let mut costs = Self::PLANNED;
        let [.., cost] = &mut costs.0;
        *cost = brings.map_or(*cost, |bps| bps.max(*cost));
        costs
    }

    pub fn of(self, layer: Layer) -> u64 {
        let [quarter, half, full, presentation] = self.0;
        match layer {
            Layer::Quarter => quarter,
            Layer::Half => half,
            Layer::Full => full,
            Layer::Presentation => presentation,
        }
    }
}

/// A picture a screen asks for. The order of wishes is their rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish<'a> {
    pub slot: usize,
    /// The layer for the height it has on the screen.
    pub layer: Layer,
    pub arriving: &'a [Layer],
    pub costs: Costs,
}

impl Wish<'_> {
    fn cost(&self, layer: Layer) -> u64 {
        self.costs.of(layer)
    }

    /// It is shown to nobody: no link that is thought to be good could carry it, and its sound would be lost before that is
    /// known.
    fn is_flood(&self, layer: Layer) -> bool {
        self.cost(layer) == FLOOD_BPS
    }

    /// The layer for the height, or the best that may be shown instead.
    fn best(&self) -> Option<Layer> {
        let arriving = self.arriving.iter().copied();
        let smaller = arriving.filter(|layer| *layer < self.layer && !self.is_flood(*layer));
        let wanted = Some(self.layer).filter(|layer| !self.is_flood(*layer));
        wanted.or(smaller.max())
    }

    /// The smallest layer that may be shown.
    fn smallest(&self) -> Option<Layer> {
        let arriving = self.arriving.iter().copied();
        arriving.filter(|layer| !self.is_flood(*layer)).min()
    }
}

/// What is presented, at what it costs.
pub const fn presentation(costs: Costs) -> Wish<'static> {
    Wish {
        slot: PRESENTATION_SLOT,
        layer: Layer::Presentation,
        arriving: &[Layer::Presentation],
        costs,
    }
}

/// What the screen gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    pub pictures: Vec<(usize, Layer)>,
    pub sound: bool,
    pub step: LinkStep,
}

/// Fits wishes and so many voices into what a link bears; `None` is a link nobody knows the width of, 0 is a cut.
pub fn fit(bears: Option<u64>, voices: usize, wishes: &[Wish<'_>]) -> Fit {
    let bears = bears.unwrap_or(u64::MAX);
    if bears == 0 {
        return behind_a_cut(wishes);
    }
    // Room for one voice is kept while nobody speaks, so that the first word does not find the link full.
    let sound = VOICE_BPS * voices.max(1) as u64;
    if bears < VOICE_BPS / 2 {
        return Fit {
            step: LinkStep::ControlOnly,
            ..Fit::default()
        };
    }
    let mut left = bears.saturating_sub(sound);
    let mut got: Vec<Option<Layer>> = vec![None; wishes.len()];
    let kept = kept_for_presentation(wishes, left);
    for (wish, got) in wishes.iter().zip(&mut got) {
        let layers = wish
            .arriving
            .iter()
            .copied()
            .filter(|layer| *layer <= wish.layer && !wish.is_flood(*layer));
        let fits = |layer: &Layer| wish.cost(*layer) <= left && !wish.is_flood(*layer);
        *got = match is_programme(wish) {
            true => layers
                .filter(|layer| wish.cost(*layer) + kept <= left)
                .max(),
            false => layers.min().or(Some(wish.layer)).filter(fits),
        };
        left -= got.map_or(0, |layer| wish.cost(layer));
    }
    for (wish, got) in wishes.iter().zip(&mut got) {
        let Some((small, best)) = got.as_mut().zip(wish.best()) else {
            continue;
        };
        let more = wish.cost(best).saturating_sub(wish.cost(*small));
        if more <= left {
            *small = best;
            left -= more;
        }
    }
    let step = step(wishes, &got);
    let pictures = wishes.iter().zip(got);
    Fit {
        pictures: pictures
            .filter_map(|(wish, got)| Some((wish.slot, got?)))
            .collect(),
        sound: true,
        step,
    }
}

/// Sound and the smallest form of the first picture go on into the void: what arrives of them tells that the road is
/// there again, and nothing else would.
fn behind_a_cut(wishes: &[Wish<'_>]) -> Fit {
    let first = wishes.first();
    let smallest = first.and_then(|wish| Some((wish.slot, wish.smallest()?)));
    Fit {
        pictures: smallest.into_iter().collect(),
        sound: true,
        step: LinkStep::ControlOnly,
    }
}

/// What the programme leaves to the presentation, if both have room beside each other.
fn kept_for_presentation(wishes: &[Wish<'_>], left: u64) -> u64 {
    let least = |wish: &Wish<'_>| wish.smallest().map_or(0, |layer| wish.cost(layer));
    let programme = wishes
        .iter()
        .find(|wish| is_programme(wish))
        .map_or(0, least);
    let mut presented = wishes.iter();
    let presented = presented
        .find(|wish| wish.slot == PRESENTATION_SLOT && !wish.is_flood(Layer::Presentation));
    let cost = presented.map_or(0, |wish| wish.cost(Layer::Presentation));
    if cost + programme <= left { cost } else { 0 }
}

fn is_programme(wish: &Wish<'_>) -> bool {
    wish.slot == 0
}

fn step(wishes: &[Wish<'_>], got: &[Option<Layer>]) -> LinkStep {
    let programme = wishes.iter().zip(got).find(|(wish, _)| is_programme(wish));
    let is_whole = |(wish, got): (&Wish<'_>, &Option<Layer>)| *got == Some(wish.layer);
    if wishes.iter().zip(got).all(is_whole) {
        return LinkStep::Full;
    }
    let presented = wishes.iter().zip(got);
    let mut presented = presented.filter(|(wish, _)| wish.slot == PRESENTATION_SLOT);
    match programme {
        Some((_, None)) => LinkStep::SoundOnly,
        None if got.iter().all(Option::is_none) => LinkStep::SoundOnly,
        Some(_) | None if presented.any(|(_, got)| got.is_none()) => LinkStep::NoPresentation,
        Some(programme) if !is_whole(programme) => LinkStep::SmallerProgramme,
        Some(_) => LinkStep::FewerTiles,
        None => LinkStep::FewerTiles,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Layer::{Full, Half, Quarter};

    const ALL: [Layer; 3] = Layer::ALL;

    fn wish(slot: usize, layer: Layer) -> Wish<'static> {
        Wish {
            slot,
            layer,
            arriving: &ALL,
            costs: Costs::PLANNED,
        }
    }

    #[test]
    fn a_picture_without_layers_costs_what_it_brings_and_a_layer_what_was_planned_at_least() {
        let step = |brings: u64, bears: u64| {
            let arriving = &[Full];
            let costs = Costs::measured(arriving, [None, None, Some(brings)]);
            let wish = Wish {
                arriving,
                costs,
                ..wish(0, Full)
            };
            fit(Some(bears), 1, &[wish]).step
        };
        assert_eq!(step(400_000, 1_200_000), LinkStep::Full, "not 1.65 Mbit/s");
        assert_eq!(step(6_000_000, 2_500_000), LinkStep::SoundOnly, "a flood");
        let brings = [Some(90_000), Some(700_000), None];
        let costs = Costs::measured(&[Quarter, Half, Full], brings);
        assert_eq!(
            [Quarter, Half, Full].map(|layer| costs.of(layer)),
            [115_000, 700_000, 1_650_000]
        );
    }

    #[test]
    fn the_programme_makes_room_for_a_presentation_and_tiles_come_after_both() {
        let presented = presentation(Costs::PLANNED);
        let wishes = [wish(0, Full), presented, wish(1, Quarter)];
        let step = |kbps: u64| fit(Some(kbps * 1_000), 1, &wishes).step;
        let at = |kbps: u64| fit(Some(kbps * 1_000), 1, &wishes).pictures;
        let whole = (PRESENTATION_SLOT, Layer::Presentation);
        assert_eq!(at(9_000), [(0, Full), whole, (1, Quarter)]);
        assert_eq!(at(2_850), [(0, Full), whole]);
        assert_eq!(at(2_000), [(0, Half), whole, (1, Quarter)]);
        assert_eq!(at(1_270), [(0, Quarter), whole]);
        assert_eq!(
            at(1_000),
            [(0, Half), (1, Quarter)],
            "text in pieces is no use"
        );
        assert_eq!(at(200), [(0, Quarter)]);
        assert_eq!(
            [2_850, 1_270, 1_000, 200, 120].map(step),
            [
                LinkStep::FewerTiles,
                LinkStep::SmallerProgramme,
                LinkStep::NoPresentation,
                LinkStep::NoPresentation,
                LinkStep::SoundOnly,
            ]
        );
    }

    #[test]
    fn a_presentation_that_brings_more_than_was_planned_costs_that() {
        let at = |brings: Option<u64>, kbps: u64| {
            let wishes = [wish(0, Full), presentation(Costs::presented(brings))];
            let fit = fit(Some(kbps * 1_000), 1, &wishes);
            (fit.step, fit.sound, fit.pictures)
        };
        let whole = (PRESENTATION_SLOT, Layer::Presentation);
        let both = (LinkStep::SmallerProgramme, true, vec![(0, Half), whole]);
        for brings in [None, Some(20_000), Some(1_500_000)] {
            assert_eq!(at(brings, 2_000), both, "{brings:?}");
        }
        let programme = (LinkStep::NoPresentation, true, vec![(0, Full)]);
        assert_eq!(at(Some(5_000_000), 2_000), programme);
    }

    #[test]
    fn the_ladder_goes_down_as_it_is_written() {
        let wishes = [
            wish(0, Full),
            wish(1, Half),
            wish(2, Quarter),
            wish(3, Quarter),
        ];
        let at = |kbps: u64| {
            let fit = fit(Some(kbps * 1_000), 1, &wishes);
            (fit.step, fit.sound, fit.pictures)
        };
        let all = vec![(0, Full), (1, Half), (2, Quarter), (3, Quarter)];
        assert_eq!(at(9_000), (LinkStep::Full, true, all.clone()));
        let smaller = vec![(0, Full), (1, Quarter), (2, Quarter), (3, Quarter)];
        assert_eq!(at(2_100), (LinkStep::FewerTiles, true, smaller));
        assert_eq!(
            at(1_820),
            (LinkStep::FewerTiles, true, vec![(0, Full), (1, Quarter)])
        );
        let half = vec![(0, Half), (1, Quarter), (2, Quarter), (3, Quarter)];
        assert_eq!(at(1_000), (LinkStep::SmallerProgramme, true, half));
        assert_eq!(
            at(256),
            (LinkStep::SmallerProgramme, true, vec![(0, Quarter)])
        );
        assert_eq!(at(120), (LinkStep::SoundOnly, true, vec![]));
        assert_eq!(at(20), (LinkStep::ControlOnly, false, vec![]));
        let cut = (LinkStep::ControlOnly, true, vec![(0, Quarter)]);
        assert_eq!(at(0), cut, "something must arrive to end it");
        assert_eq!(fit(None, 4, &wishes).pictures, all);
    }

    #[test]
    fn a_layer_of_more_than_any_encoder_brings_is_not_shown_whatever_a_link_bears() {
        let flood = Some(FLOOD_BPS);
        let of = |arriving: &'static [Layer], brings| {
            let costs = Costs::measured(arriving, brings);
            let wish = |slot| Wish {
                arriving,
                costs,
                ..wish(slot, Full)
            };
            let wishes = [wish(0), wish(1)];
            [None, Some(900_000_000)].map(|bears| fit(bears, 1, &wishes).pictures)
        };
        let none = vec![];
        assert_eq!(of(&[Full], [None, None, flood]), [none.clone(), none]);
        let half = vec![(0, Half), (1, Half)];
        let floods = of(&ALL, [None, None, flood]);
        assert_eq!(floods[0], half, "what is smaller is");
        let whole = vec![(0, Full), (1, Full)];
        // As of one that was held up and comes at once.
        let most = [None, None, Some(16_000_000)];
        assert_eq!(of(&[Full], most), [whole.clone(), whole]);

        let presented = presentation(Costs::presented(flood));
        let fit = fit(None, 1, &[wish(0, Full), presented]);
        assert_eq!(fit.pictures, [(0, Full)]);
        assert_eq!(fit.step, LinkStep::NoPresentation);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_more_than_the_link_bears_and_a_better_link_never_shows_less(
            bears in 1_u64..30_000_000, more in 0_u64..3_000_000, voices in 0_usize..5,
            layers in proptest::collection::vec((0_usize..3, proptest::array::uniform3(proptest::option::of(0_u64..7_000_000))), 0..14),
            first in 0_usize..2,
        ) {
            let wishes: Vec<_> = (first..).zip(&layers).map(|(slot, (layer, brings))| {
                Wish { costs: Costs::measured(&ALL, *brings), ..wish(slot, ALL[*layer]) }
            }).collect();
            let narrow = fit(Some(bears), voices, &wishes);
            let cost = |(slot, layer): &(usize, Layer)| wishes[slot - first].cost(*layer);
            let sum: u64 = narrow.pictures.iter().map(cost).sum();
            let sound = VOICE_BPS * voices.max(1) as u64;
            proptest::prop_assert!(sum == 0 || sum + sound <= bears);
            let wide = fit(Some(bears + more), voices, &wishes);
            proptest::prop_assert!(wide.step <= narrow.step, "{:?} became {:?}", narrow, wide);
            let whole = fit(Some(u64::MAX), voices, &wishes);
            proptest::prop_assert_eq!(whole, fit(None, voices, &wishes));
        }
    }
}
