//! The stage: who is heard, whose picture is the programme, what the big screens show.

use crate::{Conference, Event, Refusal, Setup, floor::check_length, words::Layout};
use diemcau_model::{Millis, ParagraphRef, SeatId, SiteId, Stage, limits};
use std::collections::BTreeSet;

/// Branch sites on a page of the grid: with the hall they fill the tiles.
const PAGE: usize = limits::TILE_SLOTS - 1;

/// The part of the state that is about screens and the hall's own microphone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// The layout of the big screens.
    pub layout: Layout,
    /// The layout laid ready.
    pub preview: Option<Layout>,
    /// What blank covers, and what comes back after it.
    pub under_blank: Option<Layout>,
    /// What was shown before the waiting picture, and comes back when something begins.
    before_waiting: Option<Layout>,
    /// What a presentation covers, and comes back after it.
    before_presentation: Option<Layout>,
    /// The text of the notice.
    pub notice: String,
    /// The paragraph somebody chose to show.
    pub paragraph: Option<ParagraphRef>,
    /// The site whose picture somebody keeps as the programme.
    pub spotlight: Option<Spotlight>,
    /// The sites are shown in turn while nobody speaks.
    pub carousel: Option<Carousel>,
    /// The page of the grid, from 0.
    pub page: u16,
    /// Whether the hall's own microphone is open; the chair's word alone moves it.
    pub hall_microphone: bool,
}

/// A picture that was fixed by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spotlight {
    /// Whose picture.
    pub site: SiteId,
    /// Who fixed it.
    pub seat: SeatId,
}

/// The sites shown in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carousel {
    /// Seconds for each.
    pub seconds: u16,
    /// The site shown now; none before the first turn.
    pub site: Option<SiteId>,
    /// Since when.
    pub since: Millis,
}

impl Screen {
    pub(crate) fn decide_layout(&self, layout: Layout) -> Result<Vec<Event>, Refusal> {
        match layout == self.layout {
            true => Err(Refusal::AlreadySo),
            false => Ok(vec![Event::LayoutSet { layout }]),
        }
    }

    /// Says what is wanted, so that two who press in alarm at once mean the same. What blank covers comes back after it.
    pub(crate) fn decide_blank(&self, on: bool) -> Result<Vec<Event>, Refusal> {
        self.decide_layout(match on {
            true => Layout::Blank,
            false if self.layout == Layout::Blank => self.under_blank.unwrap_or_default(),
            false => self.layout,
        })
    }

    pub(crate) fn decide_preview(&self, layout: Option<Layout>) -> Result<Vec<Event>, Refusal> {
        if self.preview == layout {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::LayoutPreviewed { layout }])
    }

    pub(crate) fn decide_take(&self, expect: Layout) -> Result<Vec<Event>, Refusal> {
        if self.preview != Some(expect) {
            return Err(Refusal::Stale);
        }
        let mut events = vec![Event::LayoutPreviewed { layout: None }];
        if self.layout != expect {
            events.push(Event::LayoutSet { layout: expect });
        }
        Ok(events)
    }

    pub(crate) fn decide_notice(&self, text: &str) -> Result<Vec<Event>, Refusal> {
        check_length(text, limits::TOPIC_MAX_CHARS)?;
        if self.notice == text {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::NoticeSet {
            text: text.to_owned(),
        }])
    }

    pub(crate) fn decide_paragraph(
        &self,
        setup: &Setup,
        at: Option<ParagraphRef>,
    ) -> Result<Vec<Event>, Refusal> {
        if at.is_some_and(|at| !setup.has_paragraph(at)) {
            return Err(Refusal::UnknownParagraph);
        }
        if self.paragraph == at {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::ParagraphShown { at }])
    }

    pub(crate) fn decide_spotlight(
        &self,
        setup: &Setup,
        seat: SeatId,
        site: Option<SiteId>,
    ) -> Result<Vec<Event>, Refusal> {
        if site.is_some_and(|site| setup.site(site).is_none()) {
            return Err(Refusal::UnknownSite);
        }
        if self.spotlight.map(|fixed| fixed.site) == site {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::SpotlightSet { site, seat }])
    }

    pub(crate) fn decide_carousel(
        &self,
        seconds: Option<u16>,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        if seconds.is_some_and(|seconds| !limits::CAROUSEL_SECONDS.contains(&seconds)) {
            return Err(Refusal::OutOfRange);
        }
        if self.carousel.map(|carousel| carousel.seconds) == seconds {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::CarouselSet { seconds, at: now }])
    }

    pub(crate) fn decide_page(&self, setup: &Setup, page: u16) -> Result<Vec<Event>, Refusal> {
        if page >= pages(setup) {
            return Err(Refusal::OutOfRange);
        }
        if self.page == page {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::PageSet { page }])
    }

    pub(crate) fn decide_microphone(&self, open: bool) -> Result<Vec<Event>, Refusal> {
        if self.hall_microphone == open {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::HallMicrophoneSet { open }])
    }

    /// The carousel goes on to the next linked branch site.
    pub(crate) fn decide_time(&self, conference: &Conference, now: Millis) -> Vec<Event> {
        let Some(carousel) = self
            .carousel
            .filter(|_| self.next_deadline().is_some_and(|due| due <= now))
        else {
            return vec![];
        };
        let setup = conference.setup();
        let linked = |site: &SiteId| conference.roster().carrier(*site).is_some();
        let sites = setup.sites.iter().filter(|site| !site.hall);
        let sites: Vec<SiteId> = sites.map(|site| site.id).collect();
        let from = sites.iter().position(|site| Some(*site) == carousel.site);
        let behind = from.map_or(0, |from| from + 1);
        let next = sites[behind..]
            .iter()
            .chain(&sites)
            .find(|site| linked(site));
        let site = next.copied().or(setup.hall());
        site.map(|site| Event::CarouselTurned { site, at: now })
            .into_iter()
            .collect()
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        let Carousel { seconds, since, .. } = self.carousel?;
        Some(since.plus(u64::from(seconds) * 1_000))
    }

    pub(crate) fn set_layout(&mut self, layout: Layout) {
        let shown = self.under_blank.unwrap_or(self.layout);
        self.under_blank = (layout == Layout::Blank).then_some(shown);
        // Waiting that comes back from under blank has covered what it covered before.
        if layout == Layout::Waiting && shown != Layout::Waiting {
            self.before_waiting = Some(shown).filter(|shown| is_of_the_floor(*shown));
        }
        self.layout = layout;
    }

    /// A break begins: the waiting picture is shown, unless somebody shows something by hand.
    pub(crate) fn rest(&mut self) {
        if is_of_the_floor(self.layout) {
            self.set_layout(Layout::Waiting);
        }
    }

    /// A speech, a roll call or an item begins: nobody waits any more. What covers everything stays.
    pub(crate) fn wake(&mut self) {
        let before = self.before_waiting;
        let shown = self.shown_mut();
        if *shown == Layout::Waiting {
            *shown = before.unwrap_or_default();
            self.before_waiting = None;
        } else if self.before_presentation == Some(Layout::Waiting) {
            self.before_presentation = Some(self.before_waiting.take().unwrap_or_default());
        }
    }

    /// A presentation begins: it is shown where the paragraph is, in the place of another or of what the screens show.
    pub(crate) fn present(&mut self) {
        let shown = *self.shown_mut();
        let goes_on = shown == Layout::Document && self.before_presentation.is_some();
        if goes_on || !(is_of_the_floor(shown) || shown == Layout::Waiting) {
            return;
        }
        // A break that covered the former presentation comes back over what that one had covered.
        if self.before_waiting == Some(Layout::Document) && shown == Layout::Waiting {
            self.before_waiting = self.before_presentation.or(self.before_waiting);
        }
        self.before_presentation = Some(shown);
        *self.shown_mut() = Layout::Document;
    }

    /// It is over: what it covered comes back, unless somebody shows something else since.
    pub(crate) fn presented(&mut self) {
        let Some(former) = self.before_presentation.take() else {
            return;
        };
        let shown = self.shown_mut();
        if *shown == Layout::Document {
            *shown = former;
        } else if self.before_waiting == Some(Layout::Document) {
            self.before_waiting = Some(former);
        }
    }

    /// The layout that is shown, or that comes back from under blank.
    fn shown_mut(&mut self) -> &mut Layout {
        match &mut self.under_blank {
            Some(covered) => covered,
            None => &mut self.layout,
        }
    }

    /// The paragraph the screens show: what somebody chose, else what the speech is about, else the first one of the
    /// item's drafts.
    #[must_use]
    pub fn shown_paragraph(&self, conference: &Conference) -> Option<ParagraphRef> {
        let speech = conference.floor().turn();
        let draft = conference.current_item()?.drafts.first();
        self.paragraph
            .or(speech.and_then(|turn| turn.words.paragraph))
            .or(draft.map(|draft| ParagraphRef {
                draft: *draft,
                paragraph: 1,
            }))
    }

    /// Everything here is derived: there is no second place where a microphone could be open.
    pub(crate) fn stage(&self, conference: &Conference) -> Stage {
        let (setup, floor) = (conference.setup(), conference.floor());
        let called = conference.roll().calling.map(|(site, _)| site);
        let speaker = floor.turn().map(|turn| turn.site);
        let spotlight = self.spotlight.map(|fixed| fixed.site);
        let carousel = self.carousel.and_then(|carousel| carousel.site);
        let by_hand = called.or(spotlight);
        let mut stage = Stage {
            heard: BTreeSet::new(),
            programme: by_hand.or(speaker).or(carousel).or(setup.hall()),
            on_deck: conference.on_deck_sites(),
            tiles: self.tiles(setup),
            carriers: conference.roster().carriers(),
            presentation: conference.presenting.shown,
        };
        conference.openings().put_on(&mut stage);
        stage
    }

    fn tiles(&self, setup: &Setup) -> Vec<SiteId> {
        let branches = setup.sites.iter().filter(|site| !site.hall);
        let page = branches.skip(usize::from(self.page) * PAGE).take(PAGE);
        setup
            .hall()
            .into_iter()
            .chain(page.map(|site| site.id))
            .collect()
    }
}

/// The layouts that show the floor; the others were put up by hand and stay until they are taken down so.
fn is_of_the_floor(layout: Layout) -> bool {
    match layout {
        Layout::Grid | Layout::Speaker | Layout::Document => true,
        Layout::Waiting | Layout::Notice | Layout::Blank => false,
    }
}

/// Pages of the grid; one at least.
#[must_use]
pub fn pages(setup: &Setup) -> u16 {
    let branches = setup.sites.iter().filter(|site| !site.hall).count();
    u16::try_from(branches.div_ceil(PAGE).max(1)).unwrap_or(u16::MAX)
}
