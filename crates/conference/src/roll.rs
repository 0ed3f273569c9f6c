//! Điểm danh: the roll call, and who is present.

use crate::{
    Event, Refusal, Setup,
    floor::check_length,
    words::{CallEnd, Headcount, Heard},
};
use diemcau_model::{Millis, SiteId, limits};
use std::collections::BTreeMap;

/// The part of the state that is about who is present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// The site that is called, and since when; none while no roll is called.
    pub calling: Option<(SiteId, Millis)>,
    /// The chair closed the called site's microphone.
    pub closed: bool,
    /// How each site's call ended, in the roll call that runs or was the last.
    pub called: BTreeMap<SiteId, Call>,
    /// What each site reported.
    pub headcounts: BTreeMap<SiteId, Headcount>,
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
        let how = match heard || self.headcounts.contains_key(&after) {
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

    /// Calls a site out of its turn, or once more; the one that was being called is called later.
    pub(crate) fn decide_call(
        &self,
        setup: &Setup,
        site: SiteId,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        setup.site(site).ok_or(Refusal::UnknownSite)?;
        match self.calling {
            None => Err(Refusal::NotCalled),
            Some((calling, _)) if calling == site => Err(Refusal::AlreadySo),
            Some(_) => Ok(vec![Event::SiteCalled { site, at: now }]),
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
        if self.headcounts.get(&site) == Some(headcount) {
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
    }

    pub(crate) fn site_called(&mut self, site: SiteId, at: Millis) {
        self.calling = Some((site, at));
        self.closed = false;
        self.called.insert(site, Call::default());
    }

    pub(crate) fn heard(&mut self, site: SiteId, heard: Heard) {
        self.called.entry(site).or_default().heard = Some(heard);
    }

    pub(crate) fn answered(&mut self, site: SiteId, how: CallEnd, at: Millis) {
        self.called.entry(site).or_default().end = Some((how, at));
    }

    pub(crate) fn ended(&mut self) {
        // A site whose call was broken off was not called.
        self.called.retain(|_, call| call.end.is_some());
        self.calling = None;
        self.closed = false;
    }

    pub(crate) fn is_calling(&self, site: SiteId) -> bool {
        self.calling.is_some_and(|(calling, _)| calling == site)
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
        let next = behind.chain(sites).find(is_open);
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
