//! What the big screens show. Everybody sees the same.

use crate::view::{LowerThird, PresentationAsk, PresentationView, Spotlight, StageView};
use diemcau_conference::{Ask, Conference, pages};
use diemcau_model::SeatId;

pub(super) fn stage(conference: &Conference) -> StageView {
    let (stage, screen) = (conference.stage(), conference.screen());
    let speech = conference.floor().turn();
    // The strip under a picture names who is in it, never somebody else.
    let shown = speech.filter(|turn| Some(turn.site) == stage.programme);
    let lower_third = shown.map(|turn| LowerThird {
        site: turn.site,
        delegate: turn.words.delegate.clone(),
        title: turn.words.title.clone(),
        topic: turn.words.topic.clone(),
    });
    let presenting = conference.presenting();
    let ask = |ask: &Ask| PresentationAsk {
        seat: ask.seat,
        by: label(conference, ask.seat),
        at: ask.at,
    };
    StageView {
        layout: screen.layout,
        preview: screen.preview,
        notice: screen.notice.clone(),
        paragraph: screen.shown_paragraph(conference),
        paragraph_chosen: screen.paragraph.is_some(),
        spotlight: screen.spotlight.map(|fixed| Spotlight {
            site: fixed.site,
            by: label(conference, fixed.seat),
        }),
        carousel: screen.carousel.map(|carousel| carousel.seconds),
        page: screen.page,
        pages: pages(conference.setup()),
        tiles: stage.tiles,
        heard: stage.heard.into_iter().collect(),
        programme: stage.programme,
        on_deck: stage.on_deck,
        lower_third,
        presentation: presenting.shown.map(|shown| PresentationView {
            seat: shown.seat,
            site: shown.site,
            by: label(conference, shown.seat),
            since: presenting.since,
        }),
        presentation_asks: presenting.asks.iter().map(ask).collect(),
    }
}

/// As people call a seat.
fn label(conference: &Conference, seat: SeatId) -> String {
    let seat = conference.setup().seat(seat);
    seat.map(|seat| seat.label.clone()).unwrap_or_default()
}
