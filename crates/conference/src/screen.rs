//! The stage: who is heard, whose picture is the programme, what the big screens show.

use crate::{Conference, Event, Refusal, words::Layout};
use diemcau_model::Stage;

/// The part of the state that is about screens and the hall's own microphone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// The layout of the big screens.
    pub layout: Layout,
    /// Whether the hall's own microphone is open; the chair's word alone moves it.
    pub hall_microphone: bool,
}

impl Screen {
    pub(crate) fn decide_layout(&self, layout: Layout) -> Result<Vec<Event>, Refusal> {
        if self.layout == layout {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::LayoutSet { layout }])
    }

    pub(crate) fn decide_microphone(&self, open: bool) -> Result<Vec<Event>, Refusal> {
        if self.hall_microphone == open {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::HallMicrophoneSet { open }])
    }

    /// Everything here is derived: there is no second place where a microphone could be open.
    pub(crate) fn stage(&self, conference: &Conference) -> Stage {
        let (setup, floor) = (conference.setup(), conference.floor());
        let speaker = floor.turn.as_ref();
        let live = speaker.filter(|turn| turn.is_live()).map(|turn| turn.site);
        let hall = setup.hall();
        Stage {
            seq: conference.seq(),
            heard: live
                .into_iter()
                .chain(hall.filter(|_| self.hall_microphone))
                .collect(),
            programme: speaker.map(|turn| turn.site).or(hall),
            on_deck: floor.on_deck().map(|request| request.site),
            sites: setup.sites.iter().map(|site| site.id).collect(),
            carriers: conference.roster().carriers(),
        }
    }
}
