//! The secret that the links and the signatures follow from, on a disk and on its mirror, when one of both is lost.

use anyhow::{Context, Result, anyhow, ensure};
use diemcau_model::SiteId;
use diemcau_tests::{
    Client, Server,
    room::until,
    script::{comment, taken},
    server::{binary, records_of},
};
use diemcau_verify::verify;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokio::process::Command;

/// A demo with a mirror, and what was said in it.
struct Mirrored {
    server: Server,
    mirror: TempDir,
    token: String,
}

impl Mirrored {
    async fn begin() -> Result<Self> {
        let mirror = TempDir::new()?;
        let server = Server::with_settings(&format!("mirror = {:?}\n", mirror.path())).await?;
        let mut site = server.moderator(3).await?;
        taken(site.command("a", comment("Còn nguyên")).await?)?;
        let token = server.moderator_token(SiteId(3))?;
        Ok(Self {
            server,
            mirror,
            token,
        })
    }

    fn copy(&self) -> PathBuf {
        self.mirror.path().join("demo")
    }

    /// Every file of both folders. What readers of a database share is no part of it.
    fn files(&self) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
        let mut files = BTreeMap::new();
        for folder in [self.server.folder(), self.copy()] {
            for file in fs::read_dir(folder)? {
                let path = file?.path();
                if path.is_file() && !path.to_string_lossy().ends_with("-shm") {
                    files.insert(path.clone(), fs::read(path)?);
                }
            }
        }
        Ok(files)
    }

    /// The server does not start, says why, and has changed nothing.
    async fn is_refused(&mut self, why: &str) -> Result<()> {
        let before = self.files()?;
        let started = self.server.restart().await;
        let ended = started.err().context("it started")?.to_string();
        ensure!(ended.contains("exit status: 1"), "{ended}");
        let log = self.server.log()?;
        ensure!(log.contains(why), "{log}");
        ensure!(before == self.files()?, "something was changed");
        Ok(())
    }

    /// It serves the same conference with the same link.
    async fn serves_as_before(&mut self) -> Result<()> {
        self.server.restart().await?;
        let mut site = Client::join(&self.server.host, &self.token).await?;
        ensure!(!site.view.feed.is_empty(), "what was said is gone");
        taken(site.command("b", comment("Tiếp tục")).await?)?;
        let (stopped, closed) = tokio::join!(self.server.stop(), site.ended());
        closed?;
        stopped
    }
}

fn is_private(file: &Path) -> Result<bool> {
    Ok(fs::metadata(file)?.permissions().mode() & 0o777 == 0o600)
}

/// The key that signed a folder's record, to its last event.
fn signer(folder: &Path) -> Result<String> {
    let sound = verify(folder)?.context("no record")?;
    let sound = sound.map_err(|finding| anyhow!("not sound: {finding:?}"))?;
    ensure!(sound.signed == sound.number, "the end is not signed");
    Ok(sound.key)
}

#[tokio::test]
async fn a_lost_data_folder_comes_back_from_the_mirror_with_the_same_links_and_the_same_key()
-> Result<()> {
    let mut on = Mirrored::begin().await?;
    on.server.stop().await?;
    let key = signer(&on.server.folder())?;
    let secret = fs::read(on.server.folder().join("secret.key"))?;
    fs::remove_dir_all(on.server.folder())?;

    on.serves_as_before().await?;
    for folder in [on.server.folder(), on.copy()] {
        assert_eq!(signer(&folder)?, key);
        let file = folder.join("secret.key");
        assert_eq!(fs::read(&file)?, secret);
        assert!(is_private(&file)?);
    }
    Ok(())
}

#[tokio::test]
async fn a_conference_goes_on_in_its_mirror_while_the_data_folder_cannot_even_be_made() -> Result<()>
{
    let mut on = Mirrored::begin().await?;
    on.server.kill().await?;
    fs::remove_dir_all(on.server.folder())?;
    fs::write(on.server.folder(), "no folder")?;
    on.serves_as_before().await?;
    signer(&on.copy())?;
    Ok(())
}

#[tokio::test]
async fn with_a_wrong_secret_or_none_nothing_is_begun_and_nothing_signed() -> Result<()> {
    for is_killed in [true, false] {
        let mut on = Mirrored::begin().await?;
        match is_killed {
            true => on.server.kill().await?,
            false => on.server.stop().await?,
        }
        let (own, copy) = (on.server.folder(), on.copy());
        let secret = fs::read(own.join("secret.key"))?;
        let wrong = "is not the one this conference was begun with";
        fs::write(own.join("secret.key"), [7; 32])?;
        on.is_refused(wrong).await?;

        // The same where the record is lost with it: it is not rebuilt under another key.
        fs::remove_dir_all(&own)?;
        fs::create_dir(&own)?;
        fs::write(own.join("secret.key"), [7; 32])?;
        on.is_refused(wrong).await?;

        fs::remove_file(own.join("secret.key"))?;
        fs::remove_file(copy.join("secret.key"))?;
        on.is_refused("secret.key is missing").await?;

        fs::write(copy.join("secret.key"), secret)?;
        on.serves_as_before().await?;
        assert_eq!(signer(&own)?, signer(&copy)?);
    }
    Ok(())
}

#[tokio::test]
async fn a_disk_that_takes_nothing_keeps_no_server_from_starting() -> Result<()> {
    let mut on = Mirrored::begin().await?;
    on.server.stop().await?;
    let own = on.server.folder();
    // Neither the log of the record nor the file of the links can be written.
    let log = own.join("conference.db-wal");
    fs::remove_file(&log)?;
    let made = Command::new("mkfifo").arg(log).status().await?;
    ensure!(made.success());
    let (links, in_the_way) = (own.join("links.json"), own.join("links.new"));
    let before = fs::read(&links)?;
    fs::remove_file(&links)?;
    fs::create_dir(&in_the_way)?;

    on.server.restart().await?;
    let told = on.server.log()?;
    assert!(told.contains("its mirror is the record"), "{told}");
    let mut site = Client::join(&on.server.host, &on.token).await?;
    taken(site.command("b", comment("Tiếp tục")).await?)?;

    fs::remove_dir(in_the_way)?;
    until("the links are written", || links.exists()).await?;
    assert_eq!(fs::read(links)?, before);
    Ok(())
}

/// Begins a conference in a folder.
async fn begin(data: &Path) -> Result<bool> {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/demo.toml");
    let mut new = Command::new(binary()?);
    new.args(["new", demo, "--data"]).arg(data);
    Ok(new.output().await?.status.success())
}

#[tokio::test]
async fn a_conference_whose_beginning_failed_is_begun_again_and_of_two_at_once_one_is() -> Result<()>
{
    let disk = TempDir::new()?;
    let data = disk.path().join("hoinghi");
    let file = data.join("conference.db");
    // What a full disk leaves, or a kill: a file of nothing, or a journal of nothing, and what is none.
    fs::create_dir(&data)?;
    fs::write(&file, "")?;
    assert!(begin(&data).await?, "it cannot be begun again");
    assert_eq!(records_of(&data)?.len(), 1);
    assert!(!begin(&data).await?, "it is begun twice");
    fs::remove_dir_all(&data)?;
    fs::create_dir(&data)?;
    records_of(&data)?;
    assert!(file.exists() && begin(&data).await?);
    fs::write(&file, "no journal")?;
    assert!(!begin(&data).await?, "it may have been one");
    assert_eq!(fs::read(&file)?, b"no journal");

    for round in 0..10 {
        let data = disk.path().join(round.to_string());
        let (one, two) = tokio::join!(begin(&data), begin(&data));
        assert!(one? != two?, "one of both is told that there is one");
        let begun = records_of(&data)?;
        assert_eq!(begun.len(), 1);
        let mut key = Command::new(binary()?);
        key.arg("key").arg("--data").arg(&data);
        assert!(
            key.output().await?.status.success(),
            "its secret is the other's"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_conference_that_only_a_mirror_has_that_cannot_be_opened_is_not_begun_anew() -> Result<()>
{
    let mut on = Mirrored::begin().await?;
    on.server.stop().await?;
    let own = on.server.folder();
    fs::remove_dir_all(&own)?;
    fs::create_dir(&own)?;
    let lock = on.copy().join("conference.db.lock");
    fs::remove_file(&lock)?;
    fs::create_dir(&lock)?;
    let file = on.copy().join("conference.db");
    on.is_refused(&file.display().to_string()).await?;
    assert_eq!(fs::read_dir(&own)?.count(), 0, "something was begun");
    fs::remove_dir(lock)?;
    on.serves_as_before().await
}
