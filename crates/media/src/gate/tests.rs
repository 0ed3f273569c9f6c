use super::*;
use diemcau_model::{Presentation, limits::ON_DECK_MAX};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn source(peer: u64, site: u16, kind: EndpointKind) -> Source {
    Source {
        peer: PeerId(peer),
        site: SiteId(site),
        kind,
        order: peer,
        layers: Layer::ALL.to_vec(),
        costs: Costs::PLANNED,
    }
}

fn screen(peer: u64, site: u16, carries: Carries) -> Screen {
    Screen {
        peer: PeerId(peer),
        site: Some(SiteId(site)),
        carries,
        listens: true,
        slots: ScreenSlots {
            programme: 720,
            tiles: vec![180, 0, 360],
            ..ScreenSlots::default()
        },
        ears: AUDIO_SLOTS,
        bears: None,
    }
}

/// Three rooms; room 1 speaks.
fn three_rooms() -> (Stage, Vec<Source>, Vec<Screen>) {
    let sites: Vec<SiteId> = (0..3).map(SiteId).collect();
    let stage = Stage {
        heard: BTreeSet::from([SiteId(1)]),
        programme: Some(SiteId(1)),
        on_deck: vec![],
        carriers: sites
            .iter()
            .map(|site| (*site, EndpointKind::Room))
            .collect(),
        tiles: sites,
        presentation: None,
    };
    let sources = (0..3)
        .map(|n| source(n.into(), n, EndpointKind::Room))
        .collect();
    let screens = (0..3).map(|n| screen(n.into(), n, Carries::Room)).collect();
    (stage, sources, screens)
}

fn all(stage: &Stage, sources: &[Source], screens: &[Screen]) -> Vec<Route> {
    let mut voices = Voices::default();
    voices.seat(stage, &carriers(stage, sources));
    routes(stage, sources, None, screens, &voices).0
}

fn hears(routes: &[Route], to: u64) -> Vec<u64> {
    let voices = routes.iter().filter(|route| route.stream == Stream::Voice);
    voices
        .filter(|route| route.to == PeerId(to))
        .map(|route| route.source.0)
        .collect()
}

fn sees(routes: &[Route], to: u64, slot: usize) -> Option<(u64, Layer)> {
    routes.iter().find_map(|route| match route.stream {
        Stream::Picture(layer) if route.to == PeerId(to) && route.slot == slot => {
            Some((route.source.0, layer))
        }
        Stream::Picture(_) | Stream::Voice => None,
    })
}

#[test]
fn the_speaker_is_heard_by_the_others_only() {
    let (stage, sources, screens) = three_rooms();
    let routes = all(&stage, &sources, &screens);
    assert_eq!(hears(&routes, 0), [1]);
    assert_eq!(hears(&routes, 1), [] as [u64; 0]);
    assert_eq!(hears(&routes, 2), [1]);
}

#[test]
fn a_screen_gets_the_layer_its_slot_asks_for() {
    let (stage, sources, screens) = three_rooms();
    let routes = all(&stage, &sources, &screens);
    assert_eq!(sees(&routes, 0, 0), Some((1, Layer::Full)));
    assert_eq!(sees(&routes, 0, 1), Some((0, Layer::Quarter)));
    assert_eq!(sees(&routes, 0, 2), None, "height 0 is not shown");
    assert_eq!(sees(&routes, 0, 3), Some((2, Layer::Half)));
}

#[test]
fn a_presentation_that_floods_a_link_is_left_out_and_sound_and_programme_stay() {
    let (mut stage, sources, mut screens) = three_rooms();
    let (seat, site) = (SeatId(9), SiteId(2));
    stage.presentation = Some(Presentation { seat, site });
    screens.truncate(1);
    screens[0].slots.presentation = 720;
    screens[0].slots.tiles.clear();
    screens[0].bears = Some(2_000_000);
    let mut voices = Voices::default();
    voices.seat(&stage, &carriers(&stage, &sources));
    let shows = |brings| {
        let presents = Presenter {
            peer: PeerId(9),
            seat,
            order: 1,
            costs: Costs::presented(brings),
        };
        let presents = presenter(&stage, &[presents]);
        let (routes, links) = routes(&stage, &sources, presents, &screens, &voices);
        assert_eq!(hears(&routes, 0), [1]);
        let slots = [0, PRESENTATION_SLOT];
        let pictures = slots.map(|slot| sees(&routes, 0, slot));
        (pictures, links[0].step)
    };
    let presented = Some((9, Layer::Presentation));
    let beside = [Some((1, Layer::Half)), presented];
    assert_eq!(shows(None), (beside, LinkStep::SmallerProgramme));
    let alone = [Some((1, Layer::Full)), None];
    assert_eq!(shows(Some(5_000_000)), (alone, LinkStep::NoPresentation));
}

#[test]
fn what_has_no_room_on_a_link_is_named_so_that_nobody_shows_what_came_of_it_before() {
    let (stage, sources, mut screens) = three_rooms();
    let without = |screens: &[Screen]| {
        let mut voices = Voices::default();
        voices.seat(&stage, &carriers(&stage, &sources));
        let links = routes(&stage, &sources, None, screens, &voices).1;
        links.into_iter().map(|link| link.without).next().unwrap()
    };
    assert_eq!(without(&screens), [] as [usize; 0], "height 0 is no loss");
    screens[0].bears = Some(256_000);
    assert_eq!(without(&screens), [1, 3], "the tiles");
    screens[0].bears = Some(100_000);
    assert_eq!(without(&screens), [0, 1, 3]);
}

#[test]
fn the_layer_nearest_below_is_taken_before_one_above() {
    use Layer::{Full, Half, Quarter};
    assert_eq!(layer(0, &Layer::ALL), None);
    assert_eq!(layer(240, &Layer::ALL), Some(Quarter));
    assert_eq!(layer(241, &Layer::ALL), Some(Half));
    assert_eq!(layer(480, &Layer::ALL), Some(Half));
    assert_eq!(layer(481, &Layer::ALL), Some(Full));
    assert_eq!(layer(1080, &[Quarter, Half]), Some(Half));
    assert_eq!(layer(360, &[Quarter, Full]), Some(Quarter));
    assert_eq!(layer(100, &[Full]), Some(Full));
    assert_eq!(layer(100, &[]), None);
}

#[test]
fn a_companion_gets_nothing_where_a_watcher_gets_everything() {
    let (stage, sources, _) = three_rooms();
    assert!(all(&stage, &sources, &[screen(9, 5, Carries::Nothing)]).is_empty());
    assert!(!all(&stage, &sources, &[screen(9, 5, Carries::Watch)]).is_empty());
}

#[test]
fn the_newest_uplink_of_the_carrying_endpoint_is_forwarded() {
    let (mut stage, mut sources, screens) = three_rooms();
    sources.push(source(11, 1, EndpointKind::Room));
    sources.push(source(12, 1, EndpointKind::Standby));
    assert_eq!(hears(&all(&stage, &sources, &screens), 0), [11]);

    stage.carriers.insert(SiteId(1), EndpointKind::Standby);
    assert_eq!(hears(&all(&stage, &sources, &screens), 0), [12]);

    stage.carriers.remove(&SiteId(1));
    assert_eq!(hears(&all(&stage, &sources, &screens), 0), [] as [u64; 0]);
}

#[test]
fn a_voice_keeps_its_slot_and_the_speaker_always_has_one() {
    let stage = |heard: &[u16], programme: u16| Stage {
        heard: heard.iter().copied().map(SiteId).collect(),
        programme: Some(SiteId(programme)),
        ..Stage::default()
    };
    let sources: Vec<Source> = (0..9)
        .map(|n| source(n.into(), n, EndpointKind::Room))
        .collect();
    let there: BTreeMap<SiteId, &Source> =
        sources.iter().map(|source| (source.site, source)).collect();
    let mut voices = Voices::default();
    let mut seat = |heard: &[u16], programme: u16| {
        voices.seat(&stage(heard, programme), &there);
        voices.0.map(|site| site.map(|site| site.0))
    };

    assert_eq!(seat(&[4], 4), [Some(4), None, None, None]);
    assert_eq!(seat(&[2, 3, 4], 4), [Some(4), Some(2), Some(3), None]);
    assert_eq!(seat(&[3, 4], 4), [Some(4), None, Some(3), None]);
    assert_eq!(
        seat(&[0, 1, 2, 3, 4], 4),
        [Some(4), Some(0), Some(3), Some(1)]
    );
    assert_eq!(
        seat(&[0, 1, 2, 3, 4], 2),
        [Some(4), Some(0), Some(3), Some(2)]
    );
    assert_eq!(
        seat(&[20], 20),
        [None; 4],
        "a site without a link takes no slot"
    );
}

#[test]
fn a_fifth_voice_waits_until_a_slot_is_free() {
    let (mut stage, _, screens) = three_rooms();
    let sources: Vec<Source> = (0..7)
        .map(|n| source(n.into(), n, EndpointKind::Room))
        .collect();
    stage.programme = None;
    stage.carriers = (0..7)
        .map(|site| (SiteId(site), EndpointKind::Room))
        .collect();
    let mut voices = Voices::default();
    let mut open = |heard: &[u16]| {
        stage.heard = heard.iter().copied().map(SiteId).collect();
        voices.seat(&stage, &carriers(&stage, &sources));
        let routes = routes(&stage, &sources, None, &screens, &voices).0;
        [0, 1, 2].map(|listener| hears(&routes, listener))
    };

    let four = open(&[1, 3, 5, 6]);
    assert_eq!(four, [vec![1, 3, 5, 6], vec![3, 5, 6], vec![1, 3, 5, 6]]);
    assert_eq!(open(&[1, 2, 3, 5, 6]), four, "site 2 waits");
    assert_eq!(
        open(&[1, 2, 3, 6]),
        [vec![1, 3, 2, 6], vec![3, 2, 6], vec![1, 3, 6]],
        "it has the place of site 5, and nobody else moved"
    );
}

#[test]
fn a_desk_looks_at_a_site_of_another_page_in_its_last_tile_and_nobody_else_sees_it() {
    let (mut stage, sources, mut screens) = three_rooms();
    stage.tiles = vec![SiteId(0), SiteId(1)];
    for screen in &mut screens {
        screen.slots.tiles = vec![180; TILE_SLOTS];
    }
    let look = |screens: &[Screen], to| sees(&all(&stage, &sources, screens), to, TILE_SLOTS);
    assert_eq!(look(&screens, 0), None);
    screens[0].slots.preview = Some(SiteId(2));
    assert_eq!(look(&screens, 0), Some((2, Layer::Quarter)));
    assert_eq!(look(&screens, 1), None);
    screens[0].slots.preview = Some(SiteId(1));
    assert_eq!(look(&screens, 0), None, "its own tile shows it");
}

#[test]
fn a_player_with_one_ear_hears_who_is_seen() {
    let (mut stage, sources, mut screens) = three_rooms();
    stage.heard = BTreeSet::from([SiteId(0), SiteId(1)]);
    (screens[2].ears, screens[2].site) = (1, None);
    let hears_of = |stage: &Stage| hears(&all(stage, &sources, &screens), 2);
    assert_eq!(hears_of(&stage), [1], "the programme");
    stage.programme = Some(SiteId(2));
    assert_eq!(
        hears_of(&stage),
        [0],
        "somebody, when the programme is silent"
    );
    stage.heard.clear();
    assert_eq!(hears_of(&stage), [] as [u64; 0]);
}

prop_compose! {
    fn a_source()(peer in 0_u64..12, site in 0_u16..6, standby: bool, layers in 0_usize..4) -> Source {
        let kind = if standby { EndpointKind::Standby } else { EndpointKind::Room };
        Source { layers: Layer::ALL[..layers.min(3)].to_vec(), ..source(peer, site, kind) }
    }
}

prop_compose! {
    fn a_screen()(peer in 0_u64..12, site in proptest::option::of(0_u16..6), listens: bool,
                  carries in prop_oneof![Just(Carries::Room), Just(Carries::Standby), Just(Carries::Watch), Just(Carries::Nothing)],
                  programme in 0_u16..900, presentation in 0_u16..900, tiles in proptest::collection::vec(0_u16..900, 0..20),
                  preview in proptest::option::of((0_u16..6).prop_map(SiteId)), ears in 1..=AUDIO_SLOTS) -> Screen {
        Screen { peer: PeerId(peer), site: site.map(SiteId), carries, listens, slots: ScreenSlots { programme, tiles, presentation, preview }, ears, bears: None }
    }
}

prop_compose! {
    fn a_presenter()(peer in 0_u64..12, seat in 0_u32..4, order in 0_u64..9) -> Presenter {
        Presenter { peer: PeerId(peer), seat: SeatId(seat), order, costs: Costs::PLANNED }
    }
}

prop_compose! {
    fn a_stage()(heard in proptest::collection::btree_set(0_u16..6, 0..6), programme in proptest::option::of(0_u16..6),
                 tiles in proptest::collection::vec(0_u16..6, 0..16),
                 on_deck in proptest::collection::vec(0_u16..6, 0..=ON_DECK_MAX),
                 carriers in proptest::collection::btree_map(0_u16..6, any::<bool>(), 0..6),
                 presentation in proptest::option::of((0_u32..4).prop_map(SeatId))) -> Stage {
        Stage {
            heard: heard.into_iter().map(SiteId).collect(),
            programme: programme.map(SiteId),
            on_deck: on_deck.into_iter().map(SiteId).collect(),
            tiles: tiles.into_iter().map(SiteId).collect(),
            carriers: carriers.into_iter().map(|(site, standby)| {
                (SiteId(site), if standby { EndpointKind::Standby } else { EndpointKind::Room })
            }).collect(),
            presentation: presentation.map(|seat| Presentation { seat, site: SiteId(0) }),
        }
    }
}

proptest! {
    #[test]
    fn the_laws_of_the_gate(
        before in a_stage(),
        stage in a_stage(),
        sources in proptest::collection::vec(a_source(), 0..10),
        presenters in proptest::collection::vec(a_presenter(), 0..5),
        screens in proptest::collection::vec(a_screen(), 0..6),
    ) {
        let presents = presenter(&stage, &presenters);
        let mut sources = sources;
        sources.sort_by_key(|source| source.peer);
        sources.dedup_by_key(|source| source.peer);
        let mut screens = screens;
        screens.sort_by_key(|screen| screen.peer);
        screens.dedup_by_key(|screen| screen.peer);
        // Whatever was heard before leaves no trace.
        let mut voices = Voices::default();
        voices.seat(&before, &carriers(&before, &sources));
        let stale = routes(&stage, &sources, presents, &screens, &voices).0;
        voices.seat(&stage, &carriers(&stage, &sources));
        let fresh = routes(&stage, &sources, presents, &screens, &voices).0;

        for route in stale.iter().chain(&fresh) {
            if route.slot == PRESENTATION_SLOT {
                let of_seat = presenters.iter().filter(|one| one.peer == route.source);
                let seats: Vec<SeatId> = of_seat.map(|one| one.seat).collect();
                prop_assert!(seats.contains(&stage.presentation.unwrap().seat), "nobody else presents");
                prop_assert_eq!(route.stream, Stream::Picture(Layer::Presentation));
                prop_assert_ne!(route.source, route.to, "nobody is shown the own screen");
                let screen = screens.iter().find(|screen| screen.peer == route.to).unwrap();
                prop_assert!(screen.carries != Carries::Nothing && screen.slots.presentation > 0);
                continue;
            }
            let source = sources.iter().find(|source| source.peer == route.source).unwrap();
            let screen = screens.iter().find(|screen| screen.peer == route.to);
            prop_assert!(screen.is_some(), "nothing goes to a peer that is not admitted");
            let screen = screen.unwrap();
            prop_assert_ne!(screen.carries, Carries::Nothing, "a companion gets nothing");
            prop_assert_eq!(stage.carriers.get(&source.site), Some(&source.kind), "only the carrying endpoint is forwarded");
            match route.stream {
                Stream::Voice => {
                    prop_assert!(stage.heard.contains(&source.site), "nobody hears a site that is not heard");
                    prop_assert_ne!(screen.site, Some(source.site), "nobody hears itself");
                    prop_assert!(screen.listens);
                    prop_assert!((FIRST_VOICE_SLOT..FIRST_VOICE_SLOT + AUDIO_SLOTS).contains(&route.slot));
                }
                Stream::Picture(layer) => {
                    prop_assert!(source.layers.contains(&layer));
                    prop_assert_eq!(shown(&stage, screen.slots.preview)[route.slot], Some(source.site));
                }
            }
        }
        let sounding = stage.heard.iter().filter(|site| carriers(&stage, &sources).contains_key(site));
        let seated: BTreeSet<SiteId> = voices.0.iter().flatten().copied().collect();
        prop_assert_eq!(voices.0.iter().flatten().count(), seated.len(), "a site has one slot");
        prop_assert_eq!(seated.len(), sounding.count().min(AUDIO_SLOTS), "nobody waits beside a free slot");
        let mut taken: Vec<_> = fresh.iter().map(|route| (route.to, route.slot)).collect();
        taken.sort();
        taken.dedup();
        prop_assert_eq!(taken.len(), fresh.len(), "a slot shows one thing");
    }
}
