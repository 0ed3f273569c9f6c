//! Encoders over WHIP and players over WHEP: the door, places, addresses, and what is asked wrongly.

use crate::door::{PIN, WRONG, pin_hash};
use anyhow::{Context, Result};
use diemcau_model::{Carries, Role, SiteId};
use diemcau_probe::{Probe, ProbeOptions};
use diemcau_protocol::{ClientCommand, ErrorWhy};
use diemcau_tests::{
    Client, Device, Server,
    http::{Answer, ask},
    knock,
    script::{comment, is_ok, taken},
    sessions::{SDP, bearer, begun, delete, open, post},
};
use std::time::Instant;

const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// Sessions with one link at one time.
const OF_LINK_MAX: usize = 16;
/// What a player offers that takes a sound.
const PLAYER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=setup:actpass\r\n\
    a=ice-ufrag:play\r\na=ice-pwd:a-password-of-a-player-22\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n\
    a=rtpmap:111 opus/48000/2\r\n";

fn room(server: &Server, site: u16) -> Result<String> {
    server.token(Role::Moderator, Some(SiteId(site)), Some(Carries::Room))
}

fn observer(server: &Server) -> Result<String> {
    server.token(Role::Observer, None, None)
}

async fn technician(server: &Server) -> Result<Client> {
    let token = server.token(Role::Technician, None, None)?;
    let device = Device::new()?;
    knock(&server.host, &token, Some(&device), None)
        .await?
        .entered()
}

/// What an encoder offers that sends a sound and one picture.
async fn encoder_offer() -> String {
    let options = ProbeOptions {
        layers: vec![],
        ..ProbeOptions::new(7)
    };
    Probe::start(options).uplink_offer().await
}

async fn publish(server: &Server, token: &str) -> Result<Answer> {
    post(server, "/whip", token, &encoder_offer().await).await
}

async fn watch(server: &Server, token: &str) -> Result<Answer> {
    post(server, "/whep", token, PLAYER).await
}

/// The four digits of an encoder that waits at the door.
fn code(answer: &Answer) -> Result<&str> {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.header("retry-after"), Some("10"));
    let words = answer.body.split(|c: char| !c.is_ascii_digit());
    words
        .into_iter()
        .find(|word| word.len() == 4)
        .with_context(|| format!("no code in {answer:?}"))
}

/// Who waits, as a desk sees it.
async fn waiting(desk: &mut Client) -> Result<(diemcau_model::WaitId, String)> {
    desk.until(|desk| match &desk.view.door.waiting[..] {
        [visitor] => Some((visitor.wait, visitor.code.clone())),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn an_encoder_is_the_first_device_of_its_link_and_a_browser_then_waits() -> Result<()> {
    let mut server = Server::start_bound().await?;
    let token = room(&server, 4)?;
    begun(&publish(&server, &token).await?)?;
    let browser = Device::new()?;
    let (_waits, _) = knock(&server.host, &token, Some(&browser), None)
        .await?
        .waits()?;

    // The encoder itself comes back without asking, also after a restart.
    begun(&publish(&server, &token).await?)?;
    server.kill().await?;
    server.restart().await?;
    begun(&publish(&server, &token).await?)?;
    Ok(())
}

#[tokio::test]
async fn an_encoder_shows_the_code_that_the_desk_shows_until_it_is_let_in() -> Result<()> {
    let server = Server::start_bound().await?;
    let token = room(&server, 4)?;
    let browser = Device::new()?;
    let mut page = knock(&server.host, &token, Some(&browser), None)
        .await?
        .entered()?;
    let mut technician = technician(&server).await?;

    let answer = publish(&server, &token).await?;
    let (wait, shown) = waiting(&mut technician).await?;
    assert_eq!(code(&answer)?, shown);
    assert!(
        is_ok(&page.command("on", comment("Vẫn còn đây")).await?),
        "who waits takes nothing"
    );
    let admit = ClientCommand::AdmitDevice { wait };
    taken(technician.command("in", admit).await?)?;
    begun(&publish(&server, &token).await?)?;
    assert_eq!(page.ended().await?, Some(1008), "the newest machine is it");
    assert_eq!(page.fatal(), Some(ErrorWhy::Replaced));
    begun(&publish(&server, &token).await?)?;
    Ok(())
}

#[tokio::test]
async fn an_encoder_that_asks_again_is_let_in_the_moment_somebody_decides() -> Result<()> {
    let server = Server::start_bound().await?;
    let token = room(&server, 4)?;
    let browser = Device::new()?;
    let knocked = knock(&server.host, &token, Some(&browser), None).await?;
    let _page = knocked.entered()?;
    let mut technician = technician(&server).await?;
    code(&publish(&server, &token).await?)?;
    let (wait, _) = waiting(&mut technician).await?;
    let (again, decided) = tokio::join!(
        publish(&server, &token),
        technician.command("in", ClientCommand::AdmitDevice { wait })
    );
    taken(decided?)?;
    begun(&again?)?;
    Ok(())
}

#[tokio::test]
async fn an_encoder_that_is_not_let_in_hears_so_when_it_asks_again() -> Result<()> {
    let server = Server::start_bound().await?;
    let token = room(&server, 4)?;
    let browser = Device::new()?;
    let knocked = knock(&server.host, &token, Some(&browser), None).await?;
    let _page = knocked.entered()?;
    let mut technician = technician(&server).await?;

    code(&publish(&server, &token).await?)?;
    let (wait, _) = waiting(&mut technician).await?;
    let refuse = ClientCommand::RefuseDevice { wait, ban: true };
    taken(technician.command("away", refuse).await?)?;
    let refused = publish(&server, &token).await?;
    assert_eq!(refused.status, 403, "{refused:?}");
    // Shut out, it is told no more than any other.
    assert_eq!(
        publish(&server, &token).await?.body,
        publish(&server, "wrong").await?.body
    );
    Ok(())
}

#[tokio::test]
async fn whatever_is_wrong_with_a_link_is_answered_alike_and_locks_no_pin() -> Result<()> {
    let server = Server::start_with(|demo| {
        let pin = format!("level = \"TP\"\npin = \"{PIN}\"");
        demo.replacen("\nadmission = \"open\"", "", 1)
            .replacen("level = \"TP\"", &pin, 1)
    })
    .await?;
    let wrong = publish(&server, "wrong").await?;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
    assert!(wrong.body.contains("PIN"), "{wrong:?}");

    let mut technician = technician(&server).await?;
    let revoked = room(&server, 5)?;
    let answer = publish(&server, &revoked).await?;
    let session = begun(&answer)?;
    let is_it = |seat: &diemcau_protocol::SeatView| {
        seat.site == Some(SiteId(5)) && seat.carries == Carries::Room
    };
    let seats = &technician.view.seats;
    let seat = seats.iter().find(|seat| is_it(seat)).context("no seat")?.id;
    let revoke = ClientCommand::RevokeSeat { seat };
    taken(technician.command("revoke", revoke).await?)?;
    // It is cut a moment after the answer to the command.
    server.shows(&open("whip"), |shown| shown == 0.0).await?;
    assert_eq!(delete(&server, session, &revoked).await?.status, 404);

    let with_pin = room(&server, 1)?;
    let phone = server.token(Role::Moderator, Some(SiteId(6)), Some(Carries::Nothing))?;
    for _ in 0..6 {
        for link in [&with_pin, &revoked, &phone, &observer(&server)?] {
            let answer = publish(&server, link).await?;
            assert_eq!((answer.status, &answer.body), (401, &wrong.body));
        }
    }
    let browser = Device::new()?;
    knock(&server.host, &with_pin, Some(&browser), Some(PIN))
        .await?
        .entered()?;
    Ok(())
}

#[tokio::test]
async fn a_link_that_is_not_for_it_takes_no_seat() -> Result<()> {
    for server in [Server::start().await?, Server::start_bound().await?] {
        let token = room(&server, 4)?;
        let device = Device::new()?;
        let knocked = knock(&server.host, &token, Some(&device), None).await?;
        let mut page = knocked.entered()?;
        let chair = server.token(Role::Chair, None, None)?;
        for link in [&token, &chair] {
            assert_eq!(watch(&server, link).await?.status, 401);
        }
        // It carries the hall, but its machine is a desk.
        assert_eq!(publish(&server, &chair).await?.status, 401);
        assert!(is_ok(&page.command("on", comment("Vẫn còn đây")).await?));
        // Nor does it bind one: the chair's own machine is still the first.
        knock(&server.host, &chair, Some(&device), None)
            .await?
            .entered()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_link_has_sixteen_players_and_a_further_one_when_one_has_ended() -> Result<()> {
    let server = Server::start().await?;
    let token = observer(&server)?;
    let mut sessions = vec![];
    for _ in 0..OF_LINK_MAX {
        sessions.push(begun(&watch(&server, &token).await?)?.to_owned());
    }
    let surplus = watch(&server, &token).await?;
    assert_eq!(surplus.status, 429);
    assert_eq!(surplus.header("retry-after"), Some("10"));
    assert_eq!(server.metric(&open("whep")).await?, 16.0);

    let last = sessions.pop().context("none")?;
    assert_eq!(delete(&server, &last, &token).await?.status, 200);
    assert_eq!(server.metric(&open("whep")).await?, 15.0);
    begun(&watch(&server, &token).await?)?;
    Ok(())
}

#[tokio::test]
async fn what_is_no_offer_takes_nothing_from_a_session_that_goes_on() -> Result<()> {
    let server = Server::start().await?;
    let token = room(&server, 4)?;
    let answer = publish(&server, &token).await?;
    let session = begun(&answer)?;
    let own = bearer(&token);
    let long = "v=0\r\n".repeat(20_000);
    let offer = encoder_offer().await;
    let cases: [(&str, Option<&str>, &[u8], u16); 8] = [
        (SDP, Some(&own), long.as_bytes(), 413),
        (SDP, Some(&own), b"v=0\r\n\xff", 400),
        (SDP, Some(&own), b"v=0\r\nnothing", 422),
        (SDP, Some(&own), b"", 422),
        (SDP, Some(&own), PLAYER.as_bytes(), 422),
        ("application/json", Some(&own), offer.as_bytes(), 415),
        (SDP, Some("Basic c2l0ZTo0"), offer.as_bytes(), 401),
        (SDP, None, offer.as_bytes(), 401),
    ];
    for (kind, bearer, body, status) in cases {
        let authorization = bearer.map(|bearer| ("authorization", bearer));
        let headers: Vec<_> = [("content-type", kind)]
            .into_iter()
            .chain(authorization)
            .collect();
        let answer = ask(&server.host, "POST", "/whip", &headers, body).await?;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body.trim().len() > 10, "{answer:?}");
    }
    assert_eq!(server.metric(&open("whip")).await?, 1.0);
    assert_eq!(delete(&server, session, &token).await?.status, 200);
    assert_eq!(server.metric(&open("whip")).await?, 0.0);
    Ok(())
}

#[tokio::test]
async fn who_publishes_without_end_has_four_sessions_in_ten_seconds_and_fills_no_record()
-> Result<()> {
    let server = Server::start().await?;
    let token = room(&server, 4)?;
    let mut other = server.moderator(5).await?;
    let before = taken(other.command("before", comment("Một")).await?)?;
    let encoder = Probe::start(ProbeOptions {
        layers: vec![],
        ..ProbeOptions::new(7)
    });
    let begin = Instant::now();
    let mut sessions = 0;
    for _ in 0..200 {
        let offer = encoder.uplink_offer().await;
        let answer = post(&server, "/whip", &token, &offer).await?;
        match answer.status {
            201 => {
                sessions += 1;
                encoder.uplink_answer(answer.body);
                other
                    .until(|other| {
                        let mut sites = other.view.sites.iter();
                        sites.find(|link| link.site == SiteId(4))?.carrier
                    })
                    .await?;
            }
            status => {
                assert_eq!((status, answer.header("retry-after")), (429, Some("10")));
                assert!(
                    answer.body.contains("try again in ten seconds"),
                    "{answer:?}"
                );
            }
        }
    }
    // A busy machine may take longer than ten seconds, and then there are more.
    let most = 4 * (begin.elapsed().as_secs() / 10 + 1);
    assert!((4..=most).contains(&sessions), "{sessions} of {most}");
    assert_eq!(server.metric(&open("whip")).await?, 1.0, "the last goes on");
    let after = taken(other.command("after", comment("Hai")).await?)?;
    let events = after - before - 1;
    assert!(events <= 2 * sessions, "{events} for {sessions} sessions");
    Ok(())
}

#[tokio::test]
async fn a_session_is_its_bearers_alone() -> Result<()> {
    let server = Server::start().await?;
    let (token, other) = (room(&server, 4)?, room(&server, 5)?);
    let answer = publish(&server, &token).await?;
    let session = begun(&answer)?;
    let etag = answer.header("etag").context("no tag")?;
    let (own, others) = (bearer(&token), bearer(&other));
    let frag = ("content-type", FRAGMENT);
    let about_another = "a=ice-ufrag:another\r\na=ice-pwd:another-password-of-22\r\n";
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, u16);
    let cases: [Case<'_>; 8] = [
        (&[frag, ("if-match", etag)], "", 401),
        (
            &[frag, ("authorization", &others), ("if-match", etag)],
            "",
            404,
        ),
        (&[frag, ("authorization", &own)], "", 428),
        (
            &[frag, ("authorization", &own), ("if-match", "\"x\"")],
            "",
            412,
        ),
        (
            &[frag, ("authorization", &own), ("if-match", "*")],
            about_another,
            422,
        ),
        (
            &[
                ("content-type", SDP),
                ("authorization", &own),
                ("if-match", etag),
            ],
            "",
            415,
        ),
        (
            &[frag, ("authorization", &own), ("if-match", etag)],
            "",
            204,
        ),
        (&[frag, ("authorization", &own), ("if-match", "*")], "", 204),
    ];
    for (headers, fragment, status) in cases {
        let answer = ask(&server.host, "PATCH", session, headers, fragment).await?;
        assert_eq!(answer.status, status, "{headers:?} {answer:?}");
    }

    assert_eq!(delete(&server, session, &other).await?.status, 404);
    let elsewhere = session.replace("/whip", "/whep");
    assert_eq!(delete(&server, &elsewhere, &token).await?.status, 404);
    let nobody = ask(&server.host, "DELETE", session, &[], "").await?;
    assert_eq!(nobody.status, 401);
    assert_eq!(delete(&server, session, &token).await?.status, 200);
    assert_eq!(delete(&server, session, &token).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_page_of_another_server_may_ask_and_read_what_it_brings_a_token_for() -> Result<()> {
    let server = Server::start().await?;
    let token = observer(&server)?;
    let origin = ("origin", "https://elsewhere");
    let shares = |answer: &Answer| {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        // Nothing that a browser sends by itself counts here.
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let read = answer.header("access-control-expose-headers");
        assert!(read.is_some_and(|read| read.contains("location") && read.contains("etag")));
    };
    let own = bearer(&token);
    let headers = [origin, ("content-type", SDP), ("authorization", &own)];
    let answer = ask(&server.host, "POST", "/whep", &headers, PLAYER).await?;
    let session = begun(&answer)?;
    shares(&answer);
    let refused = ask(&server.host, "POST", "/whep", &headers[..2], PLAYER).await?;
    assert_eq!(refused.status, 401);
    shares(&refused);

    for (path, method, takes) in [
        ("/whip", "POST", "accept-post"),
        ("/whep", "POST", "accept-post"),
        (session, "DELETE", "accept-patch"),
    ] {
        let asks = [origin, ("access-control-request-method", method)];
        let answer = ask(&server.host, "OPTIONS", path, &asks, "").await?;
        assert_eq!(answer.status, 200);
        shares(&answer);
        assert!(answer.header(takes).is_some(), "{answer:?}");
        let methods = answer.header("access-control-allow-methods");
        assert!(methods.is_some_and(|methods| methods.contains(method)));
        let may_send = answer.header("access-control-allow-headers");
        for header in ["authorization", "content-type", "if-match"] {
            assert!(may_send.is_some_and(|may_send| may_send.contains(header)));
        }
    }
    // The other addresses are for our own pages only.
    let page = ask(&server.host, "GET", "/", &[origin], "").await?;
    assert_eq!(page.header("access-control-allow-origin"), None);
    Ok(())
}

#[tokio::test]
async fn other_methods_are_named_as_such() -> Result<()> {
    let server = Server::start().await?;
    for (path, methods) in [
        ("/whip", ["POST", "OPTIONS"]),
        ("/whep/some", ["PATCH", "DELETE"]),
    ] {
        for method in ["GET", "HEAD", "PUT"] {
            let answer = ask(&server.host, method, path, &[], "").await?;
            assert_eq!(answer.status, 405, "{method} {path}");
            let allow = answer.header("allow").context("nothing is allowed")?;
            assert!(
                methods.iter().all(|method| allow.contains(method)),
                "{allow}"
            );
            assert!(!allow.contains(method), "{allow}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_secret_of_a_session_is_in_the_log() -> Result<()> {
    let filter = "trace,tungstenite::protocol=trace,rtc_ice::agent::agent_internal=trace";
    let site = "short = \"Thanh Bình\"";
    let with_pin = format!("{site}\npin = \"{PIN}\"");
    let mut server = Server::logging_with(filter, |demo| demo.replacen(site, &with_pin, 1)).await?;
    let guarded = room(&server, 7)?;
    let stranger = Device::new()?;
    for pin in [WRONG, PIN] {
        let came = knock(&server.host, &guarded, Some(&stranger), Some(pin)).await?;
        assert_eq!(came.entered().is_ok(), pin == PIN);
    }
    let (token, watches) = (room(&server, 4)?, observer(&server)?);
    let desk = server.token(Role::Technician, None, None)?;
    let encoder = Probe::start(ProbeOptions {
        layers: vec![],
        ..ProbeOptions::new(7)
    });
    let offer = encoder.uplink_offer().await;
    let sent = post(&server, "/whip", &token, &offer).await?;
    encoder.uplink_answer(sent.body.clone());
    let mut technician = technician(&server).await?;
    technician
        .until(|desk| {
            let mut sites = desk.view.sites.iter();
            sites.find(|link| link.site == SiteId(4))?.carrier
        })
        .await?;
    server
        .shows("diemcau_media_links{over=\"udp\"}", |shown| shown == 1.0)
        .await?;
    assert_eq!(
        server.metric("diemcau_media_links{over=\"tcp\"}").await?,
        0.0
    );
    let seen = watch(&server, &watches).await?;
    let sessions = [begun(&sent)?.to_owned(), begun(&seen)?.to_owned()];
    publish(&server, "a-link-of-nobody").await?;
    let etag = sent.header("etag").context("no tag")?;
    let own = bearer(&token);
    let headers = [
        ("content-type", FRAGMENT),
        ("authorization", &own),
        ("if-match", etag),
    ];
    ask(&server.host, "PATCH", &sessions[0], &headers, &*offer).await?;
    delete(&server, &sessions[0], &watches).await?;
    delete(&server, &sessions[0], &token).await?;
    delete(&server, &sessions[1], &watches).await?;
    server.stop().await?;

    let log = server.log()?;
    for said in [
        "a session begins",
        "its client ended it",
        "a wrong PIN",
        "TRACE",
    ] {
        assert!(
            log.contains(said),
            "a log that says nothing proves nothing: {said}"
        );
    }
    let passwords = [&offer, &sent.body, PLAYER, &seen.body].map(password);
    let ids = sessions.iter().filter_map(|at| at.rsplit('/').next());
    let hashes = [PIN, WRONG].map(|pin| pin_hash(&guarded, pin));
    let secrets = passwords.into_iter().flatten().chain(ids).chain([
        token.as_str(),
        &watches,
        &desk,
        &guarded,
        PIN,
        WRONG,
        &hashes[0],
        &hashes[1],
        "a-link-of-nobody",
        "PRIVATE KEY",
    ]);
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "in the log: {secret}");
    }
    Ok(())
}

fn password(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-pwd:"))
}
