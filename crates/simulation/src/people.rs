//! What people press, as far as they can see: chosen by chance from what their screen shows, sometimes wrongly.

use crate::setup::SITES;
use diemcau_conference::{
    CommentKind, CommentWords, Headcount, Layout, PromptKind, Readiness, RequestWords, Seat,
    SpeechType, Waiting,
};
use diemcau_fuzz::Chance;
use diemcau_model::{
    Carries, CommentId, DeviceId, DraftId, ItemId, ParagraphRef, PromptId, Role, SeatId, SiteId,
    TurnId, WaitId,
};
use diemcau_protocol::{ClientCommand, View};

/// What somebody at this seat, who sees this, presses next; none when there is nothing to press.
pub fn press(
    seat: &Seat,
    view: &View,
    guarded: bool,
    chance: &mut Chance,
) -> Option<ClientCommand> {
    let mut hand = Hand {
        view,
        guarded,
        chance,
    };
    // Now and then somebody asks for what the seat may not.
    let role = match hand.chance.percent(2) {
        true => *hand.chance.pick(&ROLES)?,
        false => seat.role,
    };
    match role {
        Role::Chair => hand.presiding(),
        Role::Deputy => match hand.chance.below(4) {
            0 => Some(ClientCommand::TakeChair {}),
            1 => Some(ClientCommand::ReturnChair {}),
            2 => hand.staging(),
            _ => hand.presiding(),
        },
        Role::Secretary => hand.secretary(),
        Role::Moderator => hand.moderator(seat.site.unwrap_or_default()),
        Role::Technician => hand.technician(),
        Role::Observer | Role::Stage => None,
    }
}

const ROLES: [Role; 5] = [
    Role::Chair,
    Role::Deputy,
    Role::Secretary,
    Role::Moderator,
    Role::Technician,
];

const SPEECHES: [(u64, SpeechType); 8] = [
    (12, SpeechType::Contribution),
    (3, SpeechType::Paper),
    (4, SpeechType::Question),
    (2, SpeechType::Reply),
    (1, SpeechType::Response),
    (2, SpeechType::PointOfOrder),
    (1, SpeechType::Directing),
    (1, SpeechType::Conclusion),
];

const LAYOUTS: [Layout; 6] = [
    Layout::Waiting,
    Layout::Grid,
    Layout::Speaker,
    Layout::Document,
    Layout::Notice,
    Layout::Blank,
];

const PROMPTS: [PromptKind; 5] = [
    PromptKind::Slower,
    PromptKind::Prepare,
    PromptKind::OneMinuteLeft,
    PromptKind::NeedHelp,
    PromptKind::CannotHear,
];

struct Hand<'a> {
    view: &'a View,
    guarded: bool,
    chance: &'a mut Chance,
}

impl Hand<'_> {
    fn presiding(&mut self) -> Option<ClientCommand> {
        // Whoever waits is seen to soon.
        let often = if self.view.door.waiting.is_empty() {
            8
        } else {
            35
        };
        if self.guarded && self.chance.percent(often) {
            return self.door();
        }
        let floor = &self.view.floor;
        let after = floor.turn.as_ref().map(|turn| turn.turn);
        let next = floor.next.map(diemcau_conference::Next::turn);
        if self.view.attendance.calling.is_some() && self.chance.percent(70) {
            return self.calling_the_roll();
        }
        if self.view.agenda.current.is_none() && self.chance.percent(70) {
            return self.agenda();
        }
        let speech = self.speech();
        let waiting = self.waiting();
        Some(match self.chance.below(44) {
            0..=8 => ClientCommand::GrantNext {
                after,
                expect: next?,
            },
            9..=11 => ClientCommand::Grant {
                after,
                turn: waiting?,
            },
            12 => ClientCommand::AcceptRequest {
                turn: self.pending()?,
            },
            13 => ClientCommand::DenyRequest {
                turn: waiting?,
                reason: "Hết giờ".into(),
            },
            14 => ClientCommand::MoveRequest {
                turn: waiting?,
                before: self.waiting(),
            },
            15 | 16 => ClientCommand::Undo {
                turn: self.view.floor.undo.as_ref()?.turn,
            },
            17 => ClientCommand::PauseTurn { turn: speech? },
            18 | 19 => ClientCommand::ResumeTurn { turn: speech? },
            20 => ClientCommand::ExtendTurn {
                turn: speech?,
                minutes: 1,
            },
            21 | 22 => ClientCommand::EndTurn { turn: speech? },
            23 => ClientCommand::RevokeTurn { turn: speech? },
            24 => ClientCommand::KeepTurn { turn: speech? },
            25 => ClientCommand::SetPriority {
                on: !self.view.floor.priority,
            },
            26 => ClientCommand::SetHallMicrophone {
                open: !self.view.floor.hall_microphone,
            },
            27 => ClientCommand::CloseMicrophones {},
            28 => ClientCommand::TakeChair {},
            29 => ClientCommand::SetList {
                open: !self.view.floor.open || self.chance.percent(20),
            },
            30 | 31 => return self.agenda(),
            32 => ClientCommand::StartRollCall {},
            33 => ClientCommand::SetReady {
                turn: waiting?,
                ready: Readiness::NotReady,
            },
            34 => return self.staging(),
            35 => ClientCommand::PromptSite {
                site: self.site(),
                prompt: *self.chance.pick(&PROMPTS)?,
            },
            36 => ClientCommand::HandlePrompt {
                prompt: self.prompt()?,
            },
            37 => ClientCommand::OpenMicrophones {},
            38 => ClientCommand::ReturnCall { turn: speech? },
            39 | 40 => match self.view.agenda.on_break {
                Some(_) => ClientCommand::EndBreak {},
                None => ClientCommand::StartBreak { minutes: 1 },
            },
            _ => return self.screens(),
        })
    }

    fn agenda(&mut self) -> Option<ClientCommand> {
        let agenda = &self.view.agenda;
        let waiting = match self.chance.below(5) {
            0 => None,
            1 => Some(Waiting::Keep),
            2 => Some(Waiting::Clear),
            _ => Some(Waiting::Carry),
        };
        Some(match (self.chance.below(10), agenda.current, agenda.next) {
            (0, Some(item), _) => ClientCommand::FinishItem { item },
            (1, _, Some(item)) => ClientCommand::MoveItem { item, before: None },
            (2..=5, after, Some(expect)) => ClientCommand::NextItem {
                after,
                expect,
                waiting,
            },
            _ => {
                let item = ItemId(1 + self.chance.below(6) as u16);
                ClientCommand::StartItem { item, waiting }
            }
        })
    }

    fn calling_the_roll(&mut self) -> Option<ClientCommand> {
        let called = self.view.attendance.calling?;
        Some(match self.chance.below(10) {
            0 => ClientCommand::EndRollCall {},
            1 => ClientCommand::CallSite { site: self.site() },
            2 => ClientCommand::PassOverSite { site: called },
            _ => ClientCommand::CallNextSite { after: called },
        })
    }

    fn screens(&mut self) -> Option<ClientCommand> {
        let layout = *self.chance.pick(&LAYOUTS)?;
        Some(match self.chance.below(12) {
            9.. => self.presentation()?,
            0 => ClientCommand::SetLayout { layout },
            1 => ClientCommand::PreviewLayout {
                layout: Some(layout),
            },
            2 => ClientCommand::TakePreview {
                expect: self.view.stage.preview?,
            },
            3 => ClientCommand::SetNotice {
                text: format!("Nghỉ {}", self.chance.below(9)),
            },
            4 => ClientCommand::ShowParagraph {
                at: self.chance.percent(70).then(|| self.paragraph()),
            },
            5 => ClientCommand::SetSpotlight {
                site: self.chance.percent(60).then(|| self.site()),
            },
            7 => ClientCommand::SetBlank {
                on: self.view.stage.layout != Layout::Blank,
            },
            6 => ClientCommand::SetCarousel {
                seconds: self.chance.percent(40).then_some(10),
            },
            _ => ClientCommand::SetPage {
                page: self.chance.below(2) as u16,
            },
        })
    }

    fn staging(&mut self) -> Option<ClientCommand> {
        let turns = match self.chance.below(3) {
            0 => vec![],
            1 => vec![self.waiting()?],
            _ => vec![self.waiting()?, self.waiting()?],
        };
        Some(ClientCommand::Stage { turns })
    }

    fn request(&mut self) -> Option<ClientCommand> {
        Some(ClientCommand::RequestFloor {
            item: None,
            words: RequestWords {
                speech: self.chance.weighed(&SPEECHES)?,
                delegate: format!("Đại biểu {}", self.chance.below(4)),
                title: String::new(),
                topic: "Góp ý".into(),
                paragraph: self.chance.percent(30).then(|| self.paragraph()),
                minutes: None,
            },
            about: None,
        })
    }

    fn secretary(&mut self) -> Option<ClientCommand> {
        Some(match self.chance.below(9) {
            0..=2 => self.comment(),
            3 => ClientCommand::HoldComment {
                comment: self.some_comment()?,
            },
            4 => ClientCommand::PublishComment {
                comment: self.some_comment()?,
            },
            5 => ClientCommand::WithdrawComment {
                comment: self.some_comment()?,
            },
            6 => self.headcount(self.view.attendance.calling.unwrap_or_default()),
            7 => return self.request(),
            _ => return self.staging(),
        })
    }

    fn moderator(&mut self, site: SiteId) -> Option<ClientCommand> {
        let own = |request: &&diemcau_protocol::Request| request.site == site;
        let floor = &self.view.floor;
        let waits = floor.queue.iter().chain(&floor.pending).find(own);
        let waits = waits.map(|request| request.turn);
        let speaks = floor.turn.as_ref().filter(|turn| turn.site == site);
        let speaks = speaks.map(|turn| turn.turn);
        Some(match self.chance.below(20) {
            0..=8 => return self.request(),
            9 => ClientCommand::WithdrawRequest { turn: waits? },
            10 | 11 => ClientCommand::SetReady {
                turn: waits?,
                ready: match self.chance.percent(80) {
                    true => Readiness::Ready,
                    false => Readiness::NotReady,
                },
            },
            12 | 13 => ClientCommand::EndTurn { turn: speaks? },
            14 if self.chance.percent(30) => ClientCommand::AskToPresent {},
            14 => ClientCommand::PromptDesks {
                prompt: *self.chance.pick(&PROMPTS)?,
            },
            15 => self.headcount(site),
            16 => ClientCommand::WithdrawComment {
                comment: self.some_comment()?,
            },
            _ => self.comment(),
        })
    }

    fn presentation(&mut self) -> Option<ClientCommand> {
        let stage = &self.view.stage;
        let shown = stage.presentation.as_ref().map(|shown| shown.seat);
        let asks: Vec<SeatId> = stage.presentation_asks.iter().map(|ask| ask.seat).collect();
        Some(match (shown, self.chance.pick(&asks)) {
            (Some(seat), _) if self.chance.percent(60) => ClientCommand::EndPresentation { seat },
            (_, Some(seat)) => ClientCommand::LetPresent { seat: *seat },
            (_, None) => ClientCommand::AskToPresent {},
        })
    }

    fn technician(&mut self) -> Option<ClientCommand> {
        if self.guarded && self.chance.percent(75) {
            return self.door();
        }
        Some(match self.chance.below(12) {
            // Of the seats that can be spared: a conference without its desks and rooms would do little more.
            0 => ClientCommand::RevokeSeat {
                seat: self.spare()?,
            },
            1 => ClientCommand::HandlePrompt {
                prompt: self.prompt()?,
            },
            _ => return self.screens(),
        })
    }

    /// Whoever waits is mostly let in; now and then somebody is sent away, or may come again.
    fn door(&mut self) -> Option<ClientCommand> {
        let door = &self.view.door;
        let waiting: Vec<WaitId> = door.waiting.iter().map(|visitor| visitor.wait).collect();
        let banned: Vec<DeviceId> = door.banned.iter().map(|banned| banned.device).collect();
        let wait = self.chance.pick(&waiting).copied();
        Some(match (self.chance.below(20), wait) {
            (0..=9, Some(wait)) => ClientCommand::AdmitDevice { wait },
            (10..=12, Some(wait)) => ClientCommand::RefuseDevice {
                wait,
                ban: self.chance.percent(40),
            },
            // Somebody else was faster, or the list is an old one.
            (13, _) => ClientCommand::AdmitDevice {
                wait: WaitId(1 + self.chance.below(12) as u32),
            },
            (0..=2 | 14..=15, _) => ClientCommand::ExpelSeat {
                seat: self.guest()?,
                ban: self.chance.percent(40),
            },
            (3 | 16, _) => ClientCommand::RevokeSeat {
                seat: self.spare()?,
            },
            (17..=18, _) => ClientCommand::RestoreSeat {
                seat: self.shut_seat()?,
            },
            (19, _) => ClientCommand::AllowDevice {
                device: *self.chance.pick(&banned)?,
            },
            _ => return None,
        })
    }

    /// A seat that may be asked to leave: any but the first chair's and the technicians', who let the others in again.
    fn guest(&mut self) -> Option<SeatId> {
        let is_guest = |seat: &&diemcau_protocol::SeatView| {
            seat.id != SeatId(0) && seat.role != Role::Technician
        };
        let guests = self.view.seats.iter().filter(is_guest);
        let guests: Vec<SeatId> = guests.map(|seat| seat.id).collect();
        self.chance.pick(&guests).copied()
    }

    /// A seat whose link does not open as on the first day: mostly one that opens nothing.
    fn shut_seat(&mut self) -> Option<SeatId> {
        let is_shut =
            |seat: &&diemcau_protocol::SeatView| seat.revoked || seat.expelled || seat.devices > 0;
        let shut: Vec<&diemcau_protocol::SeatView> =
            self.view.seats.iter().filter(is_shut).collect();
        let revoked = shut.iter().filter(|seat| seat.revoked);
        let revoked: Vec<SeatId> = revoked.map(|seat| seat.id).collect();
        let shut: Vec<SeatId> = shut.iter().map(|seat| seat.id).collect();
        let one = self
            .chance
            .pick(&revoked)
            .filter(|_| self.chance.percent(60));
        one.or_else(|| self.chance.pick(&shut)).copied()
    }

    /// A seat whose loss leaves enough to simulate: the second chair, the observer, a standby, a telephone, two rooms.
    fn spare(&mut self) -> Option<SeatId> {
        let is_spare = |seat: &&diemcau_protocol::SeatView| match (seat.role, seat.carries) {
            (Role::Observer | Role::Deputy, _) => true,
            (Role::Moderator, Carries::Room) => seat.site >= Some(SiteId(SITES - 2)),
            (Role::Moderator, _) => true,
            (Role::Chair | Role::Secretary | Role::Technician | Role::Stage, _) => false,
        };
        let spare = self.view.seats.iter().filter(is_spare);
        let spare: Vec<SeatId> = spare.map(|seat| seat.id).collect();
        self.chance.pick(&spare).copied()
    }

    fn comment(&mut self) -> ClientCommand {
        ClientCommand::PostComment {
            kind: CommentKind::Add,
            words: CommentWords {
                at: self.paragraph(),
                text: match self.chance.percent(5) {
                    true => String::new(),
                    false => format!("Bổ sung {}", self.chance.below(1_000)),
                },
                proposed: String::new(),
                delegate: String::new(),
            },
        }
    }

    fn headcount(&mut self, site: SiteId) -> ClientCommand {
        ClientCommand::SetHeadcount {
            site,
            headcount: Headcount {
                summoned: 10,
                present: self.chance.below(11) as u16,
                online: 0,
                absent: "ốm".into(),
            },
        }
    }

    fn paragraph(&mut self) -> ParagraphRef {
        ParagraphRef {
            draft: DraftId(1 + self.chance.below(2) as u16),
            paragraph: 1 + self.chance.below(5) as u16,
        }
    }

    fn site(&mut self) -> SiteId {
        SiteId(self.chance.below(usize::from(SITES)) as u16)
    }

    /// A speech that has the floor; sometimes one that is over or never was.
    fn speech(&mut self) -> Option<TurnId> {
        let floor = &self.view.floor;
        let turns = floor.turn.iter().chain(&floor.others);
        let turns: Vec<TurnId> = turns.map(|turn| turn.turn).collect();
        match self.chance.percent(5) {
            true => Some(TurnId(self.chance.below(20) as u32)),
            false => self.chance.pick(&turns).copied(),
        }
    }

    /// A request that waits.
    fn waiting(&mut self) -> Option<TurnId> {
        let floor = &self.view.floor;
        let turns = floor.queue.iter().chain(&floor.pending);
        let turns: Vec<TurnId> = turns.map(|request| request.turn).collect();
        self.chance.pick(&turns).copied()
    }

    fn pending(&mut self) -> Option<TurnId> {
        let pending = &self.view.floor.pending;
        self.chance.pick(pending).map(|request| request.turn)
    }

    fn some_comment(&mut self) -> Option<CommentId> {
        self.chance.pick(&self.view.feed).map(|comment| comment.id)
    }

    fn prompt(&mut self) -> Option<PromptId> {
        self.chance.pick(&self.view.prompts).map(|prompt| prompt.id)
    }
}
