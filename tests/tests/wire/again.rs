//! The same command is answered the same way, however often it comes.

use anyhow::Result;
use diemcau_conference::Refusal;
use diemcau_model::{Carries, Role, SiteId};
use diemcau_protocol::{ClientCommand, ServerFrame};
use diemcau_tests::{
    Client, Room, Server,
    script::{DISCUSSION, call_next, comment, is_ok, request, start_item, taken},
};

#[tokio::test]
async fn the_same_command_gets_the_same_answer() -> Result<()> {
    let mut server = Server::start().await?;
    let phone = server.token(Role::Moderator, Some(SiteId(8)), Some(Carries::Nothing))?;
    let mut chair = server.chair().await?;
    let mut site = Client::join(&server.host, &phone).await?;
    let mut other = server.moderator(9).await?;
    let begin = start_item(DISCUSSION);
    taken(chair.command("begin", begin).await?)?;

    // After ok: the comment is there once, also when other words come under its id.
    let posted = site.command("comment", comment("Một lần")).await?;
    assert!(is_ok(&posted));
    assert_eq!(site.command("comment", comment("Một lần")).await?, posted);
    assert_eq!(site.command("comment", comment("Lời khác")).await?, posted);
    let texts = |client: &Client| -> Vec<String> {
        let feed = client.view.feed.iter();
        feed.map(|comment| comment.words.text.clone()).collect()
    };
    assert_eq!(texts(&site), ["Một lần"]);

    // After refused: it stays refused, though the state would take it now; a new intent is taken.
    let close = |open| ClientCommand::SetList { open };
    taken(chair.command("close", close(false)).await?)?;
    let refused = site.command("floor", request("Chỉ tiêu")).await?;
    let why = match &refused {
        ServerFrame::Refused { why, .. } => *why,
        taken => panic!("{taken:?}"),
    };
    assert_eq!(why, Refusal::ListClosed);
    taken(chair.command("open", close(true)).await?)?;
    assert_eq!(site.command("floor", request("Chỉ tiêu")).await?, refused);
    assert!(is_ok(&site.command("floor-2", request("Chỉ tiêu")).await?));

    // Another seat's same id is another command.
    let others = other.command("comment", comment("Của nơi khác")).await?;
    assert!(is_ok(&others) && others != posted);

    // Several events under one command: the call, and the floor.
    let _room = Room::standby(&server, 8).await?;
    let next = chair
        .until(|chair| chair.view.floor.on_deck.first().copied())
        .await?;
    let granted = chair.command("next", call_next(None, next)).await?;
    assert!(is_ok(&granted));
    assert_eq!(chair.command("next", call_next(None, next)).await?, granted);

    // Over another connection of the same seat, while the first is open.
    let mut second = Client::join(&server.host, &phone).await?;
    assert_eq!(second.command("comment", comment("Một lần")).await?, posted);
    assert_eq!(second.command("floor", request("Chỉ tiêu")).await?, refused);
    site.settle("still-here").await?;
    let repeated = server.metric("diemcau_commands_repeated_total").await?;
    assert_eq!(repeated, 6.0);

    // After a kill.
    server.kill().await?;
    server.restart().await?;
    let mut chair = server.chair().await?;
    let mut site = Client::join(&server.host, &phone).await?;
    let mut other = server.moderator(9).await?;
    assert_eq!(site.command("comment", comment("Một lần")).await?, posted);
    assert_eq!(site.command("floor", request("Chỉ tiêu")).await?, refused);
    assert_eq!(chair.command("next", call_next(None, next)).await?, granted);
    let others_again = other.command("comment", comment("Của nơi khác")).await?;
    assert_eq!(others_again, others);
    site.settle("end").await?;
    assert_eq!(texts(&site), ["Một lần", "Của nơi khác"]);
    assert!(site.view.floor.queue.is_empty());
    let speaking = site.view.floor.turn.as_ref().map(|turn| turn.turn);
    assert_eq!(speaking, Some(next));
    Ok(())
}
