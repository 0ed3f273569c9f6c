//! The door: links that bind a device, the lobby, PINs, and who was sent away.

use anyhow::{Context, Result, bail};
use diemcau_model::{Carries, DeviceId, Role, SiteId, WaitId};
use diemcau_protocol::{ClientCommand, ClientFrame, DeviceProof, ErrorWhy, PROTOCOL, ServerFrame};
use diemcau_tests::{
    Client, Device, Server,
    bounds::within,
    client::{Line, Next, connect, next, next_frame},
    knock::{decided, knock, say},
    script::{comment, is_ok, taken},
};
use std::time::{Duration, Instant};

/// So long that it stands nowhere by chance, not in a time or a hash either.
pub const PIN: &str = "48215930";
/// Another, which is not the right one.
pub const WRONG: &str = "59071482";

/// Comes with a device as a site's page does.
async fn come(server: &Server, token: &str, device: &Device) -> Result<diemcau_tests::Knock> {
    knock(&server.host, token, Some(device), None).await
}

async fn technician(server: &Server, device: &Device) -> Result<Client> {
    let token = server.token(Role::Technician, None, None)?;
    come(server, &token, device).await?.entered()
}

fn site(server: &Server, site: u16) -> Result<String> {
    server.token(Role::Moderator, Some(SiteId(site)), Some(Carries::Nothing))
}

/// Who waits, as a desk sees it: the number and the code of the only one.
async fn waiting(desk: &mut Client) -> Result<(WaitId, String)> {
    desk.until(|desk| match &desk.view.door.waiting[..] {
        [visitor] => Some((visitor.wait, visitor.code.clone())),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn the_first_device_is_remembered_and_a_second_waits_until_it_is_let_in() -> Result<()> {
    let mut server = Server::start_bound().await?;
    let (desk, first, second) = (Device::new()?, Device::new()?, Device::new()?);
    let token = site(&server, 4)?;
    drop(come(&server, &token, &first).await?.entered()?);
    let mut technician = technician(&server, &desk).await?;

    // The second device hears its own code and nothing else, whatever happens meanwhile.
    let (mut line, code) = come(&server, &token, &second).await?.waits()?;
    let (wait, shown) = waiting(&mut technician).await?;
    assert_eq!(code, shown);
    let mut room = come(&server, &site(&server, 5)?, &Device::new()?)
        .await?
        .entered()?;
    assert!(is_ok(
        &room.command("said", comment("Không cho ngoài cửa")).await?
    ));
    say(&mut line, &ClientFrame::Ping { sent: 7.0 }).await?;
    let heard = next_frame(&mut line).await?;
    assert!(
        matches!(heard, Some(ServerFrame::Pong { sent: 7.0, .. })),
        "{heard:?}"
    );

    taken(
        technician
            .command("in", ClientCommand::AdmitDevice { wait })
            .await?,
    )?;
    let let_in = decided(line, &token, None, None).await?.entered()?;
    assert_eq!(let_in.me.site, Some(SiteId(4)));
    assert_eq!(let_in.view.feed.len(), 1, "from here on it sees all");
    assert!(
        let_in.view.door.waiting.is_empty(),
        "a site manages no door"
    );
    technician
        .until(|desk| desk.view.door.waiting.is_empty().then_some(()))
        .await?;

    // Both devices come back without asking, also after a restart; a third waits.
    for restarted in [false, true] {
        if restarted {
            server.kill().await?;
            server.restart().await?;
        }
        for device in [&first, &second] {
            come(&server, &token, device).await?.entered()?;
        }
        come(&server, &token, &Device::new()?).await?.waits()?;
        knock(&server.host, &token, None, None).await?.waits()?;
    }
    Ok(())
}

#[tokio::test]
async fn whoever_waits_says_nothing_and_goes_unnoticed() -> Result<()> {
    let server = Server::start_bound().await?;
    let token = site(&server, 4)?;
    drop(come(&server, &token, &Device::new()?).await?.entered()?);
    let mut technician = technician(&server, &Device::new()?).await?;
    let sdp = "v=0".to_owned();
    let (id, command) = ("x".to_owned(), comment("Chen vào"));
    for frame in [
        ClientFrame::UplinkOffer { sdp },
        ClientFrame::OpenDownlink {},
        ClientFrame::Command { id, command },
    ] {
        let (mut line, _) = come(&server, &token, &Device::new()?).await?.waits()?;
        waiting(&mut technician).await?;
        say(&mut line, &frame).await?;
        assert_eq!(
            decided(line, &token, None, None).await?.away()?,
            ErrorWhy::JoinFirst
        );
        technician
            .until(|desk| desk.view.door.waiting.is_empty().then_some(()))
            .await?;
    }
    // One that just leaves is struck off the list too.
    let (line, _) = come(&server, &token, &Device::new()?).await?.waits()?;
    waiting(&mut technician).await?;
    drop(line);
    technician
        .until(|desk| desk.view.door.waiting.is_empty().then_some(()))
        .await?;
    assert!(technician.view.feed.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_device_is_sent_away_and_a_seat_asked_to_leave() -> Result<()> {
    let mut server = Server::start_bound().await?;
    let (desk, first, second) = (Device::new()?, Device::new()?, Device::new()?);
    let token = site(&server, 4)?;
    let mut seat = come(&server, &token, &first).await?.entered()?;
    let mut technician = technician(&server, &desk).await?;

    let (line, _) = come(&server, &token, &second).await?.waits()?;
    let (wait, _) = waiting(&mut technician).await?;
    let refuse = ClientCommand::RefuseDevice { wait, ban: true };
    taken(technician.command("away", refuse).await?)?;
    assert_eq!(
        decided(line, &token, None, None).await?.away()?,
        ErrorWhy::NotLetIn
    );
    let shut_out = technician
        .until(|desk| desk.view.door.banned.first().map(|banned| banned.device))
        .await?;

    let seat_id = seat.me.seat;
    let (ban, expel) = (false, "expel");
    let command = ClientCommand::ExpelSeat { seat: seat_id, ban };
    taken(technician.command(expel, command).await?)?;
    assert_eq!(seat.ended().await?, Some(1008));
    assert_eq!(seat.fatal(), Some(ErrorWhy::Expelled));

    // Both hold after a restart: the banned one gets no further with any link, the expelled one waits.
    server.kill().await?;
    server.restart().await?;
    for link in [&token, &site(&server, 7)?] {
        let answer = come(&server, link, &second).await?.away()?;
        assert_eq!(answer, ErrorWhy::NotAdmitted);
    }
    let (line, _) = come(&server, &token, &first).await?.waits()?;
    let mut technician = self::technician(&server, &desk).await?;
    let (wait, _) = waiting(&mut technician).await?;
    taken(
        technician
            .command("back", ClientCommand::AdmitDevice { wait })
            .await?,
    )?;
    decided(line, &token, None, None).await?.entered()?;
    come(&server, &token, &first).await?.entered()?;

    let allow = ClientCommand::AllowDevice { device: shut_out };
    taken(technician.command("allow", allow).await?)?;
    come(&server, &token, &second).await?.waits()?;

    // A revoked link that is restored is as new: the first that comes is bound.
    let revoke = ClientCommand::RevokeSeat { seat: seat_id };
    taken(technician.command("revoke", revoke).await?)?;
    assert_eq!(
        come(&server, &token, &first).await?.away()?,
        ErrorWhy::NotAdmitted
    );
    let restore = ClientCommand::RestoreSeat { seat: seat_id };
    taken(technician.command("restore", restore).await?)?;
    come(&server, &token, &Device::new()?).await?.entered()?;
    come(&server, &token, &first).await?.waits()?;
    Ok(())
}

#[tokio::test]
async fn a_machine_that_came_first_with_a_stolen_link_is_changed_for_the_owners() -> Result<()> {
    let mut server = Server::start_bound().await?;
    let (desk, thief, owner) = (Device::new()?, Device::new()?, Device::new()?);
    let token = site(&server, 4)?;
    let mut stolen = come(&server, &token, &thief).await?.entered()?;
    let mut technician = technician(&server, &desk).await?;
    let (line, code) = come(&server, &token, &owner).await?.waits()?;
    let (wait, shown) = waiting(&mut technician).await?;
    assert_eq!(code, shown);

    let seat = stolen.me.seat;
    let change = ClientCommand::RestoreSeat { seat };
    taken(technician.command("change", change).await?)?;
    assert_eq!(stolen.ended().await?, Some(1008));
    assert_eq!(stolen.fatal(), Some(ErrorWhy::Expelled));
    // The thief is faster than the person at the door, also after a restart, and gains nothing by it.
    drop(come(&server, &token, &thief).await?.waits()?);
    let admit = ClientCommand::AdmitDevice { wait };
    taken(technician.command("in", admit).await?)?;
    decided(line, &token, None, None).await?.entered()?;
    server.kill().await?;
    server.restart().await?;
    come(&server, &token, &thief).await?.waits()?;
    come(&server, &token, &owner).await?.entered()?;
    Ok(())
}

#[tokio::test]
async fn a_proof_is_good_for_one_connection_one_link_and_one_key() -> Result<()> {
    let server = Server::start_bound().await?;
    let (token, other) = (site(&server, 4)?, site(&server, 5)?);
    let (device, thief) = (Device::new()?, Device::new()?);
    come(&server, &token, &device).await?.entered()?;
    let (_, old) = asked(&server, &token).await?;
    let forged = |challenge: &str| -> Result<Vec<DeviceProof>> {
        let own = device.prove(challenge, &token)?;
        let stolen = thief.prove(challenge, &token)?;
        Ok(vec![
            device.prove(&old, &token)?,
            device.prove(challenge, &other)?,
            DeviceProof {
                signature: stolen.signature,
                ..own.clone()
            },
            DeviceProof {
                key: own.key.to_lowercase(),
                ..own.clone()
            },
            DeviceProof {
                key: String::new(),
                signature: String::new(),
            },
        ])
    };
    for at in 0..5 {
        let (mut line, challenge) = asked(&server, &token).await?;
        let device = Some(forged(&challenge)?.swap_remove(at));
        say(&mut line, &ClientFrame::Proof { device, pin: None }).await?;
        let answer = decided(line, &token, None, None).await?.away()?;
        assert_eq!(answer, ErrorWhy::NotAdmitted, "forgery {at}");
    }
    come(&server, &token, &device).await?.entered()?;
    Ok(())
}

/// A connection that was asked who it is, and the challenge.
async fn asked(server: &Server, token: &str) -> Result<(Line, String)> {
    let mut line = connect(&server.host).await?;
    let token = token.to_owned();
    let protocol = PROTOCOL;
    say(&mut line, &ClientFrame::Join { protocol, token }).await?;
    match next_frame(&mut line).await? {
        Some(ServerFrame::Prove { challenge, .. }) => Ok((line, challenge)),
        other => bail!("not asked but {other:?}"),
    }
}

/// A conference whose second site has a PIN.
async fn with_pin() -> Result<Server> {
    Server::start_with(|demo| {
        let bound = demo.replacen("\nadmission = \"open\"", "", 1);
        bound.replacen(
            "level = \"TP\"",
            &format!("level = \"TP\"\npin = \"{PIN}\""),
            1,
        )
    })
    .await
}

/// Everything the door says to one who comes, but the challenge and how long it stays shut.
async fn heard(server: &Server, token: &str, device: &Device, pin: &str) -> Result<Vec<String>> {
    let (mut line, challenge) = asked(server, token).await?;
    let device = Some(device.prove(&challenge, token)?);
    let pin = Some(pin.to_owned());
    say(&mut line, &ClientFrame::Proof { device, pin }).await?;
    let mut heard = vec![];
    loop {
        match next(&mut line).await? {
            Next::Frame(frame) => heard.push(format!("{frame:?}")),
            Next::Closed(code) => {
                heard.push(format!("closed {code:?}"));
                return Ok(heard);
            }
        }
    }
}

#[tokio::test]
async fn a_pin_is_asked_of_strangers_and_wrong_ones_are_all_answered_alike() -> Result<()> {
    let server = with_pin().await?;
    let token = site(&server, 1)?;
    let (device, stranger) = (Device::new()?, Device::new()?);
    let without = come(&server, &token, &device).await?.away()?;
    assert_eq!(without, ErrorWhy::NotAdmitted);
    let first = knock(&server.host, &token, Some(&device), Some(PIN)).await?;
    first.entered()?;
    // The known device is not asked again; a stranger with the PIN waits for all that.
    come(&server, &token, &device).await?.entered()?;
    let second = knock(&server.host, &token, Some(&stranger), Some(PIN)).await?;
    drop(second.waits()?);

    // A wrong PIN, no link of this server, and another server's link: not a word of difference.
    let foreign = site(&with_pin().await?, 1)?;
    let wrong_pin = heard(&server, &token, &stranger, "0000").await?;
    for link in ["wrong", &foreign] {
        assert_eq!(heard(&server, link, &stranger, PIN).await?, wrong_pin);
    }

    // After five wrong ones nobody looks at the right one, of a right link as of a wrong one.
    for _ in 0..4 {
        heard(&server, &token, &stranger, "0001").await?;
        heard(&server, "wrong", &stranger, "0001").await?;
    }
    for link in [&token, "wrong"] {
        assert_eq!(heard(&server, link, &stranger, PIN).await?, wrong_pin);
        assert!(locked_ms(&server, link).await? > 0, "{link}");
    }
    assert_eq!(
        locked_ms(&server, &site(&server, 2)?).await?,
        0,
        "of this link only"
    );
    // The known device comes in all the same.
    come(&server, &token, &device).await?.entered()?;
    Ok(())
}

async fn locked_ms(server: &Server, token: &str) -> Result<u32> {
    let mut line = connect(&server.host).await?;
    let token = token.to_owned();
    let protocol = PROTOCOL;
    say(&mut line, &ClientFrame::Join { protocol, token }).await?;
    match next_frame(&mut line).await? {
        Some(ServerFrame::Prove { locked_ms, .. }) => Ok(locked_ms),
        other => bail!("not asked but {other:?}"),
    }
}

#[tokio::test]
async fn no_secret_is_in_the_log_or_in_what_the_server_shows() -> Result<()> {
    let mut server = with_pin().await?;
    let (device, stranger) = (Device::new()?, Device::new()?);
    let token = site(&server, 1)?;
    knock(&server.host, &token, Some(&device), Some(PIN))
        .await?
        .entered()?;
    heard(&server, &token, &stranger, WRONG).await?;
    heard(&server, "a-link-of-nobody", &stranger, PIN).await?;
    let mut technician = technician(&server, &stranger).await?;
    let unread = format!(r#"{{"type":"join","token":"{token}","pin":"{PIN}"}}"#);
    technician.send_text(unread).await?;
    let told = |client: &Client| client.others.first().map(|frame| format!("{frame:?}"));
    assert!(technician.until(told).await?.contains("Malformed"));
    let shown = [
        server.get("/metrics").await?,
        server.get(&format!("/{token}")).await?,
    ];
    server.stop().await?;
    let log = server.log()?;
    assert!(
        log.contains("a wrong PIN"),
        "a log that says nothing proves nothing: {log}"
    );

    let mut tokens = vec!["a-link-of-nobody".to_owned()];
    for role in [
        Role::Chair,
        Role::Moderator,
        Role::Technician,
        Role::Observer,
    ] {
        tokens.extend(server.tokens(role, None, None)?);
    }
    let pins = [PIN, WRONG].map(str::to_owned);
    let pin_hashes = tokens
        .iter()
        .flat_map(|token| pins.iter().map(|pin| pin_hash(token, pin)));
    let token_hashes = tokens.iter().map(|token| sha256(token));
    let hashes: Vec<String> = token_hashes.chain(pin_hashes).collect();
    for secret in tokens.iter().chain(&pins).chain(&hashes) {
        assert!(!log.contains(secret.as_str()), "in the log: {secret}");
        assert!(
            shown.iter().all(|page| !page.contains(secret.as_str())),
            "shown: {secret}"
        );
    }
    // Who begins a conference is given its links, and nothing else.
    let begun = server.begun()?;
    assert!(begun.contains(&token), "no links: {begun}");
    for secret in pins.iter().chain(&hashes) {
        assert!(!begun.contains(secret.as_str()), "at the start: {secret}");
    }
    let record = std::fs::read(server.folder().join("conference.db"))?;
    let recorded = |text: &str| {
        let mut parts = record.windows(text.len());
        parts.any(|part| part == text.as_bytes())
    };
    for secret in tokens.iter().chain(&pins) {
        assert!(!recorded(secret), "in the record: {secret}");
    }
    // They are found where they may stand: so they are what is looked for.
    assert!(recorded(&pin_hash(&token, PIN)) && recorded(&sha256(&token)));
    Ok(())
}

/// The hash a token is kept by is no secret, but it is nobody's to log either.
fn sha256(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let id = <[u8; 32]>::try_from(digest.as_ref()).map(DeviceId);
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// The same of a PIN: whoever knows the token finds eight digits by trying all of them.
pub fn pin_hash(token: &str, pin: &str) -> String {
    sha256(&format!("diemcau pin\n{token}\n{pin}"))
}

/// What is promised.
const CUT_WITHIN: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_revoked_seat_is_cut_within_a_second() -> Result<()> {
    let server = Server::start_bound().await?;
    let mut technician = technician(&server, &Device::new()?).await?;
    let token = site(&server, 4)?;
    let mut seat = come(&server, &token, &Device::new()?).await?.entered()?;
    let revoke = ClientCommand::RevokeSeat { seat: seat.me.seat };
    let begun = Instant::now();
    taken(technician.command("revoke", revoke).await?)?;
    seat.ended().await?;
    within(
        "a revoked seat's socket is cut",
        begun.elapsed(),
        CUT_WITHIN,
    )?;
    seat.fatal()
        .context("it was told why")
        .map(|why| assert_eq!(why, ErrorWhy::Revoked))
}
