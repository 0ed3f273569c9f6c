//! The real server, as a process with a data folder of its own.

use crate::{
    records::{self, Secret},
    tunnel::Tunnel,
};
use anyhow::{Context, Result, bail};
use diemcau_journal::{CheckpointKey, Journal, Record, SqliteJournal};
use diemcau_model::{Carries, Role, SiteId};
use diemcau_protocol::ErrorWhy;
use serde_json::Value;
use std::{
    env, fs,
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};
use tokio_rustls::client::TlsStream;

/// How long a server may take to answer: a liveness bound, no measure.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How often something is asked for again.
const GLANCE: Duration = Duration::from_millis(10);

/// The settings file in a server's folder.
const SETTINGS: &str = "settings.toml";
/// The certificate of an encrypted server's own authority.
const AUTHORITY: &str = "demo/ca/ca.crt";
/// Where a server's log goes.
const LOG: &str = "server.log";
/// Where what `diemcau new` says goes.
const BEGUN: &str = "new.log";
/// What a server logs if nothing else is said.
const DEBUG: &str = "debug";

/// A port that is free for UDP and for TCP.
fn free_media_port() -> Result<u16> {
    for _ in 0..32 {
        let address = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
        if TcpListener::bind(address).is_ok() {
            return Ok(address.port());
        }
    }
    bail!("no port is free for both UDP and TCP")
}

/// A demo server on free ports of the loopback.
#[derive(Debug)]
pub struct Server {
    /// `127.0.0.1:PORT`, where clients connect.
    pub host: String,
    /// Where the server listens: there too, unless a tunnel lies between.
    listens: String,
    _tunnel: Option<Tunnel>,
    media_port: u16,
    data: TempDir,
    /// What it logs.
    log: &'static str,
    child: Child,
}

impl Server {
    /// Starts the demo conference in an empty folder.
    ///
    /// # Errors
    /// The binary is missing or the server does not come up.
    pub async fn start() -> Result<Self> {
        Self::with_settings("").await
    }

    /// The same with settings of a file, as TOML.
    ///
    /// # Errors
    /// The binary is missing or the server does not come up.
    pub async fn with_settings(settings: &str) -> Result<Self> {
        let data = TempDir::new()?;
        Self::serve(data, settings, DEBUG).await
    }

    /// Starts another conference than the demo's: the demo's file as `edit` makes it. Its folder is the demo's, so that
    /// everything else is as after `start`.
    ///
    /// # Errors
    /// The file is not a conference, or the server does not come up.
    pub async fn start_with(edit: impl Fn(&str) -> String) -> Result<Self> {
        Self::logging_with(DEBUG, edit).await
    }

    /// The same, with a log of what the filter says.
    ///
    /// # Errors
    /// As for `start_with`.
    pub async fn logging_with(log: &'static str, edit: impl Fn(&str) -> String) -> Result<Self> {
        let data = TempDir::new()?;
        let file = data.path().join("conference.toml");
        fs::write(&file, edit(include_str!("../../config/demo.toml")))?;
        let begun = Command::new(binary()?)
            .arg("new")
            .arg(&file)
            .arg("--data")
            .arg(data.path().join("demo"))
            .env("DIEMCAU_LOG", log)
            .output()
            .await?;
        let said = [begun.stdout, begun.stderr].concat();
        fs::write(data.path().join(BEGUN), &said)?;
        if !begun.status.success() {
            let said = String::from_utf8_lossy(&said);
            bail!("no conference was begun: {}\n{said}", begun.status);
        }
        Self::serve(data, "", log).await
    }

    /// The demo conference by HTTPS, as other machines must have it; whoever connects to `host` speaks TLS with it.
    ///
    /// # Errors
    /// The binary is missing or the server does not come up.
    pub async fn encrypted() -> Result<Self> {
        Self::serve(TempDir::new()?, "lan = true\n", DEBUG).await
    }

    async fn serve(data: TempDir, settings: &str, log: &'static str) -> Result<Self> {
        fs::write(data.path().join(SETTINGS), settings)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let listens = address.to_string();
        let tunnel = match settings.contains("lan = true") {
            true => Some(Tunnel::open(address, data.path().join(AUTHORITY)).await?),
            false => None,
        };
        let media_port = free_media_port()?;
        let child = spawn(&listens, media_port, &data, log)?;
        let mut server = Self {
            host: tunnel.as_ref().map_or(&listens, |one| &one.host).clone(),
            listens,
            _tunnel: tunnel,
            media_port,
            data,
            log,
            child,
        };
        server.ready().await?;
        Ok(server)
    }

    /// The demo's conference, but each link binds a device.
    ///
    /// # Errors
    /// As for `start_with`.
    pub async fn start_bound() -> Result<Self> {
        Self::start_with(|demo| demo.replacen("\nadmission = \"open\"", "", 1)).await
    }

    /// TLS to an encrypted server, without the tunnel, for who writes its records itself.
    ///
    /// # Errors
    /// It does not speak TLS, or is not there.
    pub async fn tls(&self) -> Result<(TlsStream<TcpStream>, Arc<Secret>)> {
        let authority = self.data.path().join(AUTHORITY);
        records::connect(self.listens.parse()?, &authority).await
    }

    /// What the server has logged since it was first started, everything but its libraries' traces.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.data.path().join(LOG))?)
    }

    /// What `diemcau new` said when it began the conference, on both its outputs.
    ///
    /// # Errors
    /// It was not begun by `start_with`.
    pub fn begun(&self) -> Result<String> {
        Ok(fs::read_to_string(self.data.path().join(BEGUN))?)
    }

    /// Ends the process as a power cut would, as far as a process can tell.
    ///
    /// # Errors
    /// The process cannot be ended.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("kill")
    }

    /// Starts again on the same folder and ports.
    ///
    /// # Errors
    /// The server does not come up.
    pub async fn restart(&mut self) -> Result<()> {
        self.child = spawn(&self.listens, self.media_port, &self.data, self.log)?;
        self.ready().await
    }

    /// Asks the server to stop (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// It did not stop by itself.
    pub async fn stop(&mut self) -> Result<()> {
        self.signal("-TERM").await?;
        self.ended().await
    }

    /// Presses Ctrl+C (SIGINT).
    ///
    /// # Errors
    /// It has ended already.
    pub async fn interrupt(&self) -> Result<()> {
        self.signal("-INT").await
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let pid = self.child.id().context("the server has ended already")?;
        let mut kill = Command::new("kill");
        kill.args([signal, &pid.to_string()]).status().await?;
        Ok(())
    }

    /// Waits until it has ended, and well.
    ///
    /// # Errors
    /// It has not, or not well.
    pub async fn ended(&mut self) -> Result<()> {
        let status = timeout(READY_WITHIN, self.child.wait()).await??;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }

    /// The folder of the demo conference.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.data.path().join("demo")
    }

    /// The process, for its figures.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// A copy of the record as it lies on the disk. Only while the server is down. Opening tidies up after a crash, and
    /// that is for the server to do.
    ///
    /// # Errors
    /// It cannot be copied.
    pub fn copy_record(&self) -> Result<TempDir> {
        let copy = TempDir::new()?;
        for name in ["conference.db", "conference.db-wal"] {
            let file = self.folder().join(name);
            if file.exists() {
                fs::copy(file, copy.path().join(name))?;
            }
        }
        Ok(copy)
    }

    /// Everything that was recorded, each number and hash checked. Only while the server is down.
    ///
    /// # Errors
    /// The journal is damaged or cannot be read.
    pub fn records(&self) -> Result<Vec<Record>> {
        records_of(self.copy_record()?.path())
    }

    /// How often frames or connections could not be taken for this reason.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn errors(&self, why: ErrorWhy) -> Result<f64> {
        let why = serde_json::to_value(why)?;
        self.metric(&format!("diemcau_errors_total{{why={why}}}"))
            .await
    }

    /// The tokens of the seats that fit, in the order of the seats.
    ///
    /// # Errors
    /// The links cannot be read.
    pub fn tokens(
        &self,
        role: Role,
        site: Option<SiteId>,
        carries: Option<Carries>,
    ) -> Result<Vec<String>> {
        let links: Vec<Value> =
            serde_json::from_slice(&fs::read(self.folder().join("links.json"))?)?;
        let (role, site) = (
            serde_json::to_value(role)?,
            site.map(serde_json::to_value).transpose()?,
        );
        let carries = carries.map(serde_json::to_value).transpose()?;
        let fits = |link: &&Value| {
            link["role"] == role
                && site.as_ref().is_none_or(|site| link["site"] == *site)
                && carries
                    .as_ref()
                    .is_none_or(|carries| link["carries"] == *carries)
        };
        let token = |link: &Value| Some(link["url"].as_str()?.split_once('#')?.1.to_owned());
        Ok(links.iter().filter(fits).filter_map(token).collect())
    }

    /// The first of `tokens`.
    ///
    /// # Errors
    /// No seat fits.
    pub fn token(
        &self,
        role: Role,
        site: Option<SiteId>,
        carries: Option<Carries>,
    ) -> Result<String> {
        let tokens = self.tokens(role, site, carries)?;
        tokens
            .into_iter()
            .next()
            .with_context(|| format!("no seat for {role:?} {site:?} {carries:?}"))
    }

    /// The body of a page, asked for by plain HTTP/1.1.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn get(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(&self.host).await?;
        let ask = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.host
        );
        stream.write_all(ask.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// The value of a metric; labels are part of its name, as `/metrics` shows them.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn metric(&self, name: &str) -> Result<f64> {
        let text = self.get("/metrics").await?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.map_or(0.0, |value| value.trim().parse().unwrap_or(f64::NAN)))
    }

    /// Waits until a metric is as it is wanted.
    ///
    /// # Errors
    /// It does not come true, or the server does not answer.
    pub async fn shows(&self, metric: &str, wanted: impl Fn(f64) -> bool) -> Result<()> {
        let shown = async {
            while !wanted(self.metric(metric).await?) {
                sleep(GLANCE).await;
            }
            Ok(())
        };
        timeout(READY_WITHIN, shown)
            .await
            .with_context(|| format!("{metric} does not become what is wanted"))?
    }

    async fn ready(&mut self) -> Result<()> {
        let answers = async {
            loop {
                if let Some(status) = self.child.try_wait()? {
                    bail!("the server ended with {status}");
                }
                if self
                    .get("/healthz")
                    .await
                    .is_ok_and(|answer| answer.contains("200 OK"))
                {
                    return Ok(());
                }
                sleep(GLANCE).await;
            }
        };
        timeout(READY_WITHIN, answers)
            .await
            .context("the server does not answer")?
    }
}

/// Everything in the record of a folder that no server has open, each number and hash checked.
///
/// # Errors
/// The journal is damaged or cannot be read.
pub fn records_of(folder: &Path) -> Result<Vec<Record>> {
    // Nothing is appended, so nothing is signed.
    let key = CheckpointKey::from_seed(&[0; 32])?;
    let mut records = vec![];
    SqliteJournal::open(folder.join("conference.db"), key)?
        .read_all(&mut |record| records.push(record))?;
    Ok(records)
}

fn spawn(host: &str, media_port: u16, data: &TempDir, log: &str) -> Result<Child> {
    let binary = binary()?;
    Command::new(&binary)
        .args([
            "--listen",
            host,
            "--media-port",
            &media_port.to_string(),
            "--data",
        ])
        .arg(data.path())
        .arg("--settings")
        .arg(data.path().join(SETTINGS))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .env("DIEMCAU_LOG", log)
        .stderr(if env::var_os("VERBOSE").is_some() {
            Stdio::inherit()
        } else {
            let mut log = fs::OpenOptions::new();
            Stdio::from(log.create(true).append(true).open(data.path().join(LOG))?)
        })
        .kill_on_drop(true)
        .spawn()
        .with_context(|| binary.display().to_string())
}

/// The program beside the test's own binary.
///
/// # Errors
/// The test's own place is not known.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = env::var_os("DIEMCAU_BIN") {
        return Ok(path.into());
    }
    let own = env::current_exe()?;
    let binary = own
        .ancestors()
        .nth(2)
        .context("no target folder")?
        .join("diemcau");
    if !binary.exists() {
        bail!(
            "{} is missing: build it with `cargo build -p diemcau`",
            binary.display()
        );
    }
    Ok(binary)
}
