//! What is not of the protocol, or not for this seat: its sender is told clearly, and nobody else notices.

use anyhow::{Context, Result};
use diemcau_conference::{CommentKind, CommentWords, Layout, Refusal};
use diemcau_model::{
    Carries, CommentId, DraftId, ItemId, ParagraphRef, Role, ScreenSlots, SeatId, Side, SiteId,
    TurnId,
};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, ServerFrame};
use diemcau_tests::{
    Client, Server,
    client::{Line, Next, connect, next},
    script::{call_next, comment, is_ok, other_layout, request, start_item, taken, wording},
};
use futures_util::SinkExt;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};

const KIB: usize = 1024;
/// Far beyond the five seconds a first frame may take: a bound against hanging, no measure.
const AT_MOST: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_door_says_why_it_stays_closed() -> Result<()> {
    let (server, foreign) = (Server::start().await?, Server::start().await?);
    let mut other = Other::join(&server).await?;
    let (token, foreign) = (
        server.token(Role::Observer, None, None)?,
        foreign.token(Role::Observer, None, None)?,
    );
    let join = |protocol: u16, token: &str| {
        format!(r#"{{"type":"join","protocol":{protocol},"token":"{token}"}}"#)
    };
    let text = |text: &str| Message::text(text.to_owned());
    for (what, first, why, code) in [
        (
            "a wrong token",
            text(&join(1, "wrong")),
            ErrorWhy::NotAdmitted,
            1008,
        ),
        ("no token", text(&join(1, "")), ErrorWhy::NotAdmitted, 1008),
        (
            "another folder's",
            text(&join(1, &foreign)),
            ErrorWhy::NotAdmitted,
            1008,
        ),
        (
            "another protocol",
            text(&join(2, &token)),
            ErrorWhy::WrongProtocol,
            1008,
        ),
        (
            "a ping",
            text(r#"{"type":"ping","sent":1}"#),
            ErrorWhy::JoinFirst,
            1008,
        ),
        (
            "broken JSON",
            text(r#"{"type":"#),
            ErrorWhy::Malformed,
            1008,
        ),
        (
            "a seat of one's own choice",
            text(&join(1, &token).replace('}', r#","seat":0}"#)),
            ErrorWhy::Malformed,
            1008,
        ),
        (
            "a deep one",
            text(&"[".repeat(10_000)),
            ErrorWhy::Malformed,
            1008,
        ),
        (
            "a binary one",
            Message::binary(join(1, &token)),
            ErrorWhy::Malformed,
            1008,
        ),
        (
            "100 KiB",
            text(&"x".repeat(100 * KIB)),
            ErrorWhy::TooLarge,
            1009,
        ),
    ] {
        let before = server.errors(why).await?;
        let mut line = connect(&server.host).await?;
        line.send(first).await?;
        assert_eq!(
            turned_away(&mut line).await?,
            (Some(why), Some(code)),
            "{what}"
        );
        assert_eq!(server.errors(why).await?, before + 1.0, "{what}");
    }

    // So much more than the limit that the connection may break before the error is read.
    let before = server.errors(ErrorWhy::TooLarge).await?;
    let mut line = connect(&server.host).await?;
    let _ = line.send(text(&"x".repeat(KIB * KIB))).await;
    let (why, code) = turned_away(&mut line).await?;
    assert!(matches!(why, Some(ErrorWhy::TooLarge) | None), "{why:?}");
    assert!(matches!(code, Some(1009) | None), "{code:?}");
    assert_eq!(server.errors(ErrorWhy::TooLarge).await?, before + 1.0);

    // And the right one opens.
    assert!(Client::join(&server.host, &token).await.is_ok());
    other.undisturbed().await
}

#[tokio::test]
async fn who_says_nothing_is_closed_after_five_seconds() -> Result<()> {
    let server = Server::start().await?;
    let begun = Instant::now();
    let mut line = connect(&server.host).await?;
    let end = timeout(AT_MOST, turned_away(&mut line)).await??;
    assert_eq!(end, (Some(ErrorWhy::JoinFirst), Some(1008)));
    assert!(begun.elapsed() >= Duration::from_secs(4), "too early");
    assert_eq!(server.errors(ErrorWhy::JoinFirst).await?, 1.0);
    Ok(())
}

#[tokio::test]
async fn a_frame_that_is_none_is_an_error_and_the_connection_stays() -> Result<()> {
    let server = Server::start().await?;
    let mut other = Other::join(&server).await?;
    let mut site = server.moderator(5).await?;
    let deep = format!(
        r#"{{"type":"ping","sent":{}1{}}}"#,
        "[".repeat(40),
        "]".repeat(40)
    );
    let list = r#"{"type":"set_list","open":true}"#;
    let command = |id: &str, command: &str| {
        format!(r#"{{"type":"command","id":"{id}","command":{command}}}"#)
    };
    for (what, text, id) in [
        ("broken JSON", r#"{"type":"#.to_owned(), None),
        ("no object", "[]".to_owned(), None),
        ("an unknown type", r#"{"type":"dance"}"#.to_owned(), None),
        (
            "an extra field",
            r#"{"type":"open_downlink","site":3}"#.to_owned(),
            None,
        ),
        ("a deep one", deep, None),
        ("an empty id", command("", list), None),
        ("an id with a blank", command("a b", list), None),
        ("a long id", command(&"a".repeat(65), list), None),
        (
            "an unknown command",
            command("x1", r#"{"type":"dance"}"#),
            Some("x1"),
        ),
        (
            "a field missing",
            command("x2", r#"{"type":"set_list"}"#),
            Some("x2"),
        ),
        (
            "a seat of one's own choice",
            command("x3", r#"{"type":"set_list","open":true,"seat":0}"#),
            Some("x3"),
        ),
        (
            "a number out of its type",
            command("x4", r#"{"type":"start_item","item":-1}"#),
            Some("x4"),
        ),
    ] {
        let before = server.errors(ErrorWhy::Malformed).await?;
        site.send_text(text).await?;
        let error = heard_error(&mut site).await?;
        let expected = (ErrorWhy::Malformed, id.map(str::to_owned), false);
        assert_eq!(error, expected, "{what}");
        assert_eq!(
            server.errors(ErrorWhy::Malformed).await?,
            before + 1.0,
            "{what}"
        );
    }
    // An id that came with a broken command is not used up.
    taken(site.command("x1", comment("Đúng mẫu")).await?)?;

    // These end the connection.
    let token = server.moderator_token(SiteId(6))?;
    let again = format!(r#"{{"type":"join","protocol":1,"token":"{token}"}}"#);
    for (what, text, why, code) in [
        ("join again", again, ErrorWhy::JoinFirst, 1008),
        ("100 KiB", "x".repeat(100 * KIB), ErrorWhy::TooLarge, 1009),
    ] {
        let mut bad = Client::join(&server.host, &token).await?;
        let before = server.errors(why).await?;
        bad.send_text(text).await?;
        assert_eq!(bad.ended().await?, Some(code), "{what}");
        assert_eq!(bad.fatal(), Some(why), "{what}");
        assert_eq!(server.errors(why).await?, before + 1.0, "{what}");
    }
    let mut bad = Client::join(&server.host, &token).await?;
    let _ = bad.send_text("x".repeat(KIB * KIB)).await;
    let code = bad.ended().await?;
    assert!(matches!(code, Some(1009) | None), "{code:?}");

    site.settle("still-here").await?;
    other.undisturbed().await
}

#[tokio::test]
async fn media_that_cannot_be_used_is_refused() -> Result<()> {
    let server = Server::start().await?;
    let mut other = Other::join(&server).await?;
    let mut room = server.moderator(5).await?;
    let mut second = server.moderator(6).await?;
    let mut watch = Client::join(&server.host, &server.token(Role::Stage, None, None)?).await?;
    let phone = server.token(Role::Moderator, Some(SiteId(5)), Some(Carries::Nothing))?;
    let mut phone = Client::join(&server.host, &phone).await?;

    let offer = || ClientFrame::UplinkOffer {
        sdp: "v=0\r\nnot an offer".into(),
    };
    room.send(&offer()).await?;
    let reason = room
        .until(|room| {
            room.others.iter().find_map(|frame| match frame {
                ServerFrame::MediaFailed {
                    side: Side::Uplink,
                    reason,
                } => Some(reason.clone()),
                _ => None,
            })
        })
        .await?;
    assert!(!reason.is_empty());

    let crowded = ClientFrame::Screen {
        slots: ScreenSlots {
            programme: 720,
            tiles: vec![180; 14],
            ..ScreenSlots::default()
        },
    };
    // A site may not choose whom it sees; that is for who sees to the installation.
    let peeking = ClientFrame::Screen {
        slots: ScreenSlots {
            preview: Some(SiteId(2)),
            ..ScreenSlots::default()
        },
    };
    let refused = (ErrorWhy::MediaRefused, None, false);
    for (client, frame) in [
        (&mut watch, offer()),
        (&mut phone, ClientFrame::OpenDownlink {}),
        (&mut room, crowded),
        (&mut second, peeking),
    ] {
        let before = server.errors(ErrorWhy::MediaRefused).await?;
        client.others.clear();
        client.send(&frame).await?;
        assert_eq!(heard_error(client).await?, refused, "{frame:?}");
        assert_eq!(server.errors(ErrorWhy::MediaRefused).await?, before + 1.0);
    }
    // Beside it: a screen that receives gets its offer.
    watch.send(&ClientFrame::OpenDownlink {}).await?;
    watch
        .until(|watch| {
            let offered = |frame: &ServerFrame| matches!(frame, ServerFrame::DownlinkOffer { .. });
            watch.others.iter().any(offered).then_some(())
        })
        .await?;
    room.settle("still-here").await?;
    phone.settle("still-here").await?;
    other.undisturbed().await
}

#[tokio::test]
async fn who_asks_for_media_without_end_fills_no_log() -> Result<()> {
    let mut server = Server::logging_with("info", str::to_owned).await?;
    let token = server.token(Role::Observer, None, None)?;
    let mut watch = Client::join(&server.host, &token).await?;
    for _ in 0..40 {
        watch.send(&ClientFrame::OpenDownlink {}).await?;
    }
    watch
        .until(|watch| {
            let failed = |frame: &ServerFrame| matches!(frame, ServerFrame::MediaFailed { .. });
            watch.others.iter().any(failed).then_some(())
        })
        .await?;
    watch.settle("still-here").await?;
    server.stop().await?;
    let log = server.log()?;
    assert!(log.contains("media is listening"), "it says nothing: {log}");
    let said: Vec<&str> = log.lines().filter(|line| line.contains("driver")).collect();
    assert_eq!(said, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn what_is_said_is_checked_and_brought_to_one_form() -> Result<()> {
    let server = Server::start().await?;
    let mut other = Other::join(&server).await?;
    let mut site = server.moderator(5).await?;
    let elsewhere = |draft, paragraph| ClientCommand::PostComment {
        kind: CommentKind::Agree,
        words: CommentWords {
            at: ParagraphRef {
                draft: DraftId(draft),
                paragraph,
            },
            text: "Nhất trí".into(),
            proposed: String::new(),
            delegate: String::new(),
        },
    };
    for (n, (command, why)) in [
        (elsewhere(99, 1), Refusal::UnknownParagraph),
        (elsewhere(1, 0), Refusal::UnknownParagraph),
        (elsewhere(1, 9_999), Refusal::UnknownParagraph),
        (comment(&"ữ".repeat(10_000)), Refusal::TextTooLong),
        (comment(&"ữ".repeat(4_001)), Refusal::TextTooLong),
        (wording("Sửa", &"ữ".repeat(4_001)), Refusal::TextTooLong),
        (comment(""), Refusal::TextEmpty),
        (comment(" \n\t "), Refusal::TextEmpty),
        (request("Chỉ tiêu"), Refusal::NoItem),
        (request(&"ữ".repeat(201)), Refusal::TextTooLong),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = site.command(&format!("bad-{n}"), command).await?;
        assert_eq!(refusal(&answer), Some(why), "{n}: {answer:?}");
    }
    other.undisturbed().await?;

    // Typed in pieces ("u", horn, tilde), kept whole: what fits its limit by characters as people count them.
    let pieces = "u\u{31b}\u{303}";
    for (id, text) in [("one", "  Sữa chữa  "), ("full", &*pieces.repeat(4_000))] {
        taken(site.command(id, comment(text)).await?)?;
    }
    taken(
        site.command("pieces", comment(&format!("S{pieces}a")))
            .await?,
    )?;
    let said: Vec<&str> = site.view.feed.iter().map(|c| &*c.words.text).collect();
    assert_eq!(said, ["Sữa chữa", &*"ữ".repeat(4_000), "Sữa"]);
    Ok(())
}

#[tokio::test]
async fn a_role_asks_for_nothing_that_is_not_its_own() -> Result<()> {
    let server = Server::start().await?;
    let mut other = Other::join(&server).await?;
    let (turn, comment_id) = (TurnId(1), CommentId(1));
    let chairs = || {
        vec![
            start_item(ItemId(1)),
            ClientCommand::NextItem {
                after: None,
                expect: ItemId(1),
                waiting: None,
            },
            ClientCommand::SetList { open: false },
            ClientCommand::AcceptRequest { turn },
            call_next(None, turn),
            ClientCommand::Grant { after: None, turn },
            ClientCommand::PauseTurn { turn },
            ClientCommand::RevokeTurn { turn },
            ClientCommand::SetHallMicrophone { open: true },
        ]
    };
    let hold = ClientCommand::HoldComment {
        comment: comment_id,
    };
    let withdraw = ClientCommand::WithdrawComment {
        comment: comment_id,
    };
    let layout = ClientCommand::SetLayout {
        layout: Layout::Grid,
    };
    let revoke = ClientCommand::RevokeSeat { seat: SeatId(9) };
    let withdraw_request = ClientCommand::WithdrawRequest { turn };
    let ask = vec![request("Chỉ tiêu"), withdraw_request.clone()];
    let end = ClientCommand::EndTurn { turn };
    let speaks = vec![comment("Ý kiến"), withdraw];

    let of_site = vec![hold.clone(), layout.clone(), revoke.clone()];
    let nothing = [
        chairs(),
        ask.clone(),
        speaks.clone(),
        of_site.clone(),
        vec![end.clone()],
    ]
    .concat();
    for (role, forbidden) in [
        (
            Role::Chair,
            [vec![withdraw_request], speaks.clone(), vec![hold.clone()]].concat(),
        ),
        (
            Role::Secretary,
            [chairs(), vec![layout, revoke, end.clone()]].concat(),
        ),
        (
            Role::Technician,
            [chairs(), ask, speaks, vec![hold, end]].concat(),
        ),
        (Role::Moderator, [chairs(), of_site].concat()),
        (Role::Observer, nothing.clone()),
        (Role::Stage, nothing),
    ] {
        let token = server.token(role, None, None)?;
        let mut client = Client::join(&server.host, &token).await?;
        for (n, command) in forbidden.into_iter().enumerate() {
            let what = format!("{role:?}: {command:?}");
            let answer = client.command(&format!("{role:?}-{n}"), command).await?;
            assert_eq!(refusal(&answer), Some(Refusal::NotAllowed), "{what}");
        }
        assert!(client.others.is_empty(), "{:?}", client.others);
    }
    other.undisturbed().await?;

    // Beside it: each does its own.
    let mut chair = server.chair().await?;
    taken(chair.command("own", start_item(ItemId(1))).await?)?;
    let mut site = server.moderator(2).await?;
    taken(site.command("own", request("Chỉ tiêu")).await?)?;
    let mut neighbour = server.moderator(3).await?;
    let theirs = ClientCommand::WithdrawRequest { turn };
    let answer = neighbour.command("theirs", theirs.clone()).await?;
    assert_eq!(refusal(&answer), Some(Refusal::OtherSite));
    taken(site.command("own-2", theirs).await?)?;
    Ok(())
}

#[tokio::test]
async fn a_foreign_page_may_not_connect() -> Result<()> {
    let server = Server::start().await?;
    let from = |origin: Option<String>| {
        let host = server.host.clone();
        async move {
            let mut request = format!("ws://{host}/ws").into_client_request()?;
            if let Some(origin) = origin {
                let origin = HeaderValue::from_str(&origin)?;
                request.headers_mut().insert("Origin", origin);
            }
            Ok::<_, anyhow::Error>(match connect_async(request).await {
                Ok(_) => 101,
                Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
                Err(other) => return Err(other.into()),
            })
        }
    };
    for foreign in ["https://elsewhere.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(from(Some(foreign.to_owned())).await?, 403, "{foreign}");
    }
    assert_eq!(from(Some(format!("http://{}", server.host))).await?, 101);
    assert_eq!(from(None).await?, 101, "a client that is no browser");
    Ok(())
}

#[tokio::test]
async fn a_flood_ends_its_own_connection_only() -> Result<()> {
    let server = Server::start().await?;
    let mut other = Other::join(&server).await?;
    let mut flood = server.moderator(5).await?;
    for n in 0..1_000_u16 {
        let sent = f64::from(n);
        // It may be closed before the last one.
        if flood.send(&ClientFrame::Ping { sent }).await.is_err() {
            break;
        }
    }
    assert_eq!(flood.ended().await?, Some(1008));
    assert_eq!(flood.fatal(), Some(ErrorWhy::TooFast));
    let pongs = flood.others.len();
    assert!((200..600).contains(&pongs), "{pongs} frames were answered");
    assert_eq!(server.errors(ErrorWhy::TooFast).await?, 1.0);
    other.undisturbed().await?;

    // It may come back, and a person's pace is never too fast.
    let mut back = server.moderator(5).await?;
    for n in 0..100_u16 {
        back.send(&ClientFrame::Ping { sent: f64::from(n) }).await?;
    }
    back.settle("still-here").await
}

/// Somebody else, who must notice nothing.
struct Other<'a> {
    server: &'a Server,
    client: Client,
    asked: u32,
}

impl<'a> Other<'a> {
    async fn join(server: &'a Server) -> Result<Self> {
        let tokens = server.tokens(Role::Chair, None, Some(Carries::Watch))?;
        let token = tokens.first().context("no second console")?;
        let client = Client::join(&server.host, token).await?;
        Ok(Self {
            server,
            client,
            asked: 0,
        })
    }

    /// It was told only what its view may show, and the server still works for it.
    async fn undisturbed(&mut self) -> Result<()> {
        self.asked += 1;
        let before = self.client.view.stage.layout;
        self.client.settle(&format!("look-{}", self.asked)).await?;
        assert!(self.client.others.is_empty(), "{:?}", self.client.others);
        assert!(
            self.client
                .view
                .feed
                .iter()
                .all(|comment| comment.words.text == "Đúng mẫu")
        );
        assert!(self.client.view.floor.queue.is_empty());
        assert!(self.client.view.seats.iter().all(|seat| !seat.revoked));
        assert_eq!(self.client.view.agenda.current, None);
        assert_eq!(self.client.view.stage.layout, before);

        let answer = self
            .client
            .command(&format!("work-{}", self.asked), other_layout(before))
            .await?;
        assert!(is_ok(&answer));
        assert!(self.server.get("/healthz").await?.contains("200 OK"));
        Ok(())
    }
}

/// The error and the code with which a connection ends that was not let in.
async fn turned_away(line: &mut Line) -> Result<(Option<ErrorWhy>, Option<u16>)> {
    let mut why = None;
    loop {
        match timeout(AT_MOST, next(line)).await?? {
            Next::Closed(code) => return Ok((why, code)),
            Next::Frame(frame) => match *frame {
                ServerFrame::Error {
                    why: told,
                    fatal: true,
                    ..
                } => why = Some(told),
                other => panic!("{other:?}"),
            },
        }
    }
}

/// The next error a client is told, taken out of what it heard.
async fn heard_error(client: &mut Client) -> Result<(ErrorWhy, Option<String>, bool)> {
    let error = client
        .until(|client| {
            client.others.iter().find_map(|frame| match frame {
                ServerFrame::Error { why, id, fatal, .. } => Some((*why, id.clone(), *fatal)),
                _ => None,
            })
        })
        .await?;
    client.others.clear();
    client.answers.clear();
    Ok(error)
}

fn refusal(answer: &ServerFrame) -> Option<Refusal> {
    match answer {
        ServerFrame::Refused { why, .. } => Some(*why),
        _ => None,
    }
}
