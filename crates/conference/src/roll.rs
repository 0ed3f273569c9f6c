//! Điểm danh: the roll call, and who is present.

use crate::{
    Event, PlannedItem, QuorumBase, Refusal, Setup,
    floor::check_length,
    words::{CallEnd, Headcount, Heard},
};
use diemcau_model::{Millis, SiteId, limits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// The part of the state that is about who is present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// The site that is called, and since when; none while no roll is called.
    pub calling: Option<(SiteId, Millis)>,
    /// The chair closed the called site's microphone.
    pub closed: bool,
    /// How each site's call ended, in the roll call that runs or was the last.
    pub called: BTreeMap<SiteId, Call>,
    /// How the sites that are called once more had answered before: it stands if the new call is broken off.
    former: BTreeMap<SiteId, Call>,
    /// What each site reported.
    pub headcounts: BTreeMap<SiteId, Headcount>,
    /// When it did so last.
    reported: BTreeMap<SiteId, Millis>,
    /// Every site is called in turn; else one alone.
    pub walks: bool,
}

/// Whether enough are there for the running item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Quorum {
    /// Of what it is a share.
    pub base: QuorumBase,
    /// The share in percent.
    pub percent: u8,
    /// Sites or persons there are.
    pub of: u32,
    /// Of them, there now: persons present in person or online; sites where anybody is.
    pub there: u32,
    /// Whether that is enough.
    pub reached: bool,
}

/// All sites together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// Triệu tập: of a site that did not report, as planned.
    pub summoned: u32,
    /// Có mặt trực tiếp.
    pub present: u32,
    /// Có mặt trực tuyến.
    pub online: u32,
    /// Sites where anybody is.
    pub sites: u32,
}

/// The call of one site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// How it ended, and when; none while it is called.
    pub end: Option<(CallEnd, Millis)>,
    /// What was measured when it was first heard.
    pub heard: Option<Heard>,
}

impl Roll {
    pub(crate) fn decide_start(&self, setup: &Setup, now: Millis) -> Result<Vec<Event>, Refusal> {
        if self.calling.is_some() {
            return Err(Refusal::RollCallRuns);
        }
        let first = setup.sites.first().ok_or(Refusal::UnknownSite)?.id;
        Ok(vec![
            Event::RollCallStarted { at: now },
            Event::SiteCalled {
                site: first,
                at: now,
            },
        ])
    }

    pub(crate) fn decide_next(
        &self,
        setup: &Setup,
        after: SiteId,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        self.check_called(after)?;
        let heard = self
            .called
            .get(&after)
            .is_some_and(|call| call.heard.is_some());
        let how = match heard || self.has_reported(after) {
            true => CallEnd::Answered,
            false => CallEnd::NoAnswer,
        };
        Ok(self.go_on(setup, after, how, now))
    }

    pub(crate) fn decide_pass_over(
        &self,
        setup: &Setup,
        site: SiteId,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        self.check_called(site)?;
        Ok(self.go_on(setup, site, CallEnd::PassedOver, now))
    }

    /// Calls a site out of its turn, or once more; the one that was being called is called later. While no roll is called it
    /// is called alone.
    pub(crate) fn decide_call(
        &self,
        setup: &Setup,
        site: SiteId,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        setup.site(site).ok_or(Refusal::UnknownSite)?;
        match self.is_calling(site) {
            true => Err(Refusal::AlreadySo),
            false => Ok(vec![Event::SiteCalled { site, at: now }]),
        }
    }

    pub(crate) fn decide_end(&self, now: Millis) -> Result<Vec<Event>, Refusal> {
        match self.calling {
            None => Err(Refusal::AlreadySo),
            Some(_) => Ok(vec![Event::RollCallEnded { at: now }]),
        }
    }

    pub(crate) fn decide_headcount(
        &self,
        setup: &Setup,
        site: SiteId,
        headcount: &Headcount,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        setup.site(site).ok_or(Refusal::UnknownSite)?;
        check_length(&headcount.absent, limits::COMMENT_MAX_CHARS)?;
        let figures = [headcount.summoned, headcount.present, headcount.online];
        if figures.iter().any(|count| *count > limits::HEADCOUNT_MAX) {
            return Err(Refusal::OutOfRange);
        }
        if u32::from(headcount.present) + u32::from(headcount.online)
            > u32::from(headcount.summoned)
        {
            return Err(Refusal::TooManyPresent);
        }
        // The called site says it once more, so that it counts as its answer.
        let answers = self.is_calling(site) && !self.has_reported(site);
        if self.headcounts.get(&site) == Some(headcount) && !answers {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::HeadcountSet {
            site,
            headcount: headcount.clone(),
            at: now,
        }])
    }

    /// The called site counts as heard from `HEARD_FROM_DBOV`, once.
    pub(crate) fn decide_measured(&self, site: SiteId, heard: Heard) -> Vec<Event> {
        let call = self.called.get(&site);
        let is_new = self.is_calling(site) && call.is_some_and(|call| call.heard.is_none());
        match is_new && heard.level_dbov >= limits::HEARD_FROM_DBOV {
            true => vec![Event::SiteHeard { site, heard }],
            false => vec![],
        }
    }

    pub(crate) fn started(&mut self) {
        self.called.clear();
        self.former.clear();
        self.walks = true;
    }

    pub(crate) fn site_called(&mut self, site: SiteId, at: Millis) {
        self.calling = Some((site, at));
        self.closed = false;
        let before = self.called.insert(site, Call::default());
        let answered = before.filter(|call| call.end.is_some());
        self.former.extend(answered.map(|call| (site, call)));
    }

    pub(crate) fn heard(&mut self, site: SiteId, heard: Heard) {
        self.called.entry(site).or_default().heard = Some(heard);
    }

    pub(crate) fn reported(&mut self, site: SiteId, headcount: Headcount, at: Millis) {
        self.headcounts.insert(site, headcount);
        self.reported.insert(site, at);
    }

    pub(crate) fn answered(&mut self, site: SiteId, how: CallEnd, at: Millis) {
        self.called.entry(site).or_default().end = Some((how, at));
        self.former.remove(&site);
    }

    pub(crate) fn ended(&mut self) {
        // A site whose call was broken off was not called, or answered as it did before.
        self.called.append(&mut self.former);
        self.called.retain(|_, call| call.end.is_some());
        self.calling = None;
        self.closed = false;
        self.walks = false;
    }

    pub(crate) fn is_calling(&self, site: SiteId) -> bool {
        self.calling.is_some_and(|(calling, _)| calling == site)
    }

    /// Whether the called site has reported since it was called: what it said before is no answer.
    fn has_reported(&self, site: SiteId) -> bool {
        let since = self.calling.filter(|(calling, _)| *calling == site);
        let reported = self.reported.get(&site);
        since.is_some_and(|(_, since)| reported.is_some_and(|at| *at >= since))
    }

    pub(crate) fn present(&self, setup: &Setup) -> Present {
        let mut all = Present::default();
        for site in &setup.sites {
            let Some(count) = self.headcounts.get(&site.id) else {
                all.summoned += u32::from(site.summoned);
                continue;
            };
            all.summoned += u32::from(count.summoned);
            all.present += u32::from(count.present);
            all.online += u32::from(count.online);
            all.sites += u32::from(count.present > 0 || count.online > 0);
        }
        all
    }

    /// The share an item asks for; none when it asks for none.
    pub(crate) fn quorum(&self, setup: &Setup, item: &PlannedItem) -> Option<Quorum> {
        let (base, percent) = (item.quorum_base, item.quorum_percent?);
        let all = self.present(setup);
        let (of, there) = match base {
            QuorumBase::Summoned => (all.summoned, all.present + all.online),
            QuorumBase::Sites => (
                u32::try_from(setup.sites.len()).unwrap_or(u32::MAX),
                all.sites,
            ),
        };
        let wanted = u64::from(of) * u64::from(percent);
        Some(Quorum {
            base,
            percent,
            of,
            there,
            reached: of > 0 && u64::from(there) * 100 >= wanted,
        })
    }

    fn check_called(&self, site: SiteId) -> Result<(), Refusal> {
        match self.is_calling(site) {
            true => Ok(()),
            false => Err(Refusal::NotCalled),
        }
    }

    /// The next in protocol order that has not been called to its end; behind the last comes the first.
    fn go_on(&self, setup: &Setup, after: SiteId, how: CallEnd, now: Millis) -> Vec<Event> {
        let is_open = |site: &SiteId| {
            *site != after && self.called.get(site).is_none_or(|call| call.end.is_none())
        };
        let sites = setup.sites.iter().map(|site| site.id);
        let behind = sites.clone().skip_while(|site| *site != after);
        let next = behind.chain(sites).find(is_open).filter(|_| self.walks);
        vec![
            Event::SiteAnswered {
                site: after,
                how,
                at: now,
            },
            next.map_or(Event::RollCallEnded { at: now }, |site| Event::SiteCalled {
                site,
                at: now,
            }),
        ]
    }
}
