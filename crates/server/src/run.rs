//! The tasks of the program: what is started, in which order, and how it stops.

use crate::{
    addresses::Addresses,
    assets::Assets,
    authority, cli, complete,
    conference_file::{self, Lock},
    folder::{Folder, Secret, look_after},
    http::{self, Site},
    links::{self, Link},
    listen::{self, Front},
    record::{self, Record},
    scrape::Scrape,
    settings::Settings,
    whip,
};
use anyhow::{Context, Result, anyhow, bail, ensure};
use diemcau_conference::Setup;
use diemcau_endpoint::{Device, EndpointConfig, Topic};
use diemcau_hub::{Hub, MediaLines};
use diemcau_journal::Journal;
use diemcau_media::MediaConfig;
use diemcau_model::{ScreenSlots, SeatId, Stage, limits};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    env,
    fmt::Display,
    fs,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tracing::{Level, info, warn};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

/// The folder of the demo below the data folder: a real conference is never mixed with it.
const DEMO_FOLDER: &str = "demo";
const LINKS: &str = "links.json";
/// Whatever is to be logged, these say nothing below a warning: the one says clients' ICE passwords, the other every frame with its token.
const TELLTALES: [&str; 2] = ["rtc_ice::agent", "tungstenite"];
const DEVICE_KEY: &str = "device.key";
/// Notes between hub and media that may wait. Beyond, the sender waits (hub) or keeps the note and tries again (media).
const NOTES_MAX: usize = 1_024;
/// How long connections may take to end after they were told.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// How long media may take to say goodbye to every peer after their room has ended.
const MEDIA_WITHIN: Duration = Duration::from_secs(3);

/// Runs the demo conference, beginning it on the first start.
pub async fn demo(settings: Settings) -> Result<()> {
    let (folder, record) = demo_folder(&settings)?;
    run(settings, folder, &record, true).await
}

/// Serves the conference of the data folder.
pub async fn serve(settings: Settings) -> Result<()> {
    let folder = data_folder(&settings.data, &settings.mirror)?;
    let record = Record::new(&folder, &settings.mirror);
    run(settings, folder, &record, false).await
}

/// Begins a conference from its file, and prints its links.
pub fn create(settings: &Settings, file: &Path) -> Result<()> {
    let folder = Folder::open(&settings.data)?;
    let record = Record::new(&folder, &settings.mirror);
    // Of two at once each would make a secret, and one of them the links of the other's.
    let _alone = folder.take()?;
    ensure!(
        !record.exists()?,
        "{} or its mirror holds a conference already",
        settings.data.display()
    );
    let secret = record.begin_secret()?;
    let setup = read_file(file, |seat, pin| links::lock(&secret, seat, pin))?;

    record.begin(&secret, setup.clone())?;
    record.keep_secret(&secret);

    let links = links::links(&setup, &secret, &settings.base_url()?);
    write_links(&folder, &links)?;
    show_links(&setup, &links);
    say(format_args!(
        "The record is signed with the key {}. Keep it with the minutes.\n",
        record::key(&secret)?.public()
    ));
    Ok(())
}

/// Prints the links as they were when the conference was begun or last served.
pub fn print_links(settings: &Settings, demo: bool, json: bool) -> Result<()> {
    let own = settings.data.join(LINKS);
    let path = if demo || !own.exists() {
        settings.data.join(DEMO_FOLDER).join(LINKS)
    } else {
        own
    };
    let text = fs::read_to_string(&path).with_context(|| {
        format!(
            "{} holds no links yet: start `diemcau` or `diemcau new` first",
            path.display()
        )
    })?;
    if json {
        say(text);
        return Ok(());
    }
    let links: Vec<serde_json::Value> =
        serde_json::from_str(&text).context("the links are damaged")?;
    for link in links {
        say(format_args!(
            "{}\n  {}",
            link["label"].as_str().unwrap_or_default(),
            link["url"].as_str().unwrap_or_default()
        ));
    }
    Ok(())
}

/// Prints the public key of the record's signatures.
pub fn print_key(settings: &Settings, demo: bool) -> Result<()> {
    let own = Record::new(&Folder::open(&settings.data)?, &settings.mirror);
    let record = match demo || !own.exists()? {
        true => demo_folder(settings)?.1,
        false => own,
    };
    let none = || {
        format!(
            "{} holds no conference yet: start `diemcau` or `diemcau new` first",
            settings.data.display()
        )
    };
    let secret = record.secret()?.with_context(none)?;
    say(record::key(&secret)?.public());
    Ok(())
}

/// Checks a conference's file.
pub fn check(file: Option<&Path>) -> Result<()> {
    let setup = match file {
        Some(file) => read_file(file, |_, _| Lock::default())?,
        None => conference_file::read(conference_file::DEMO, |_, _| Lock::default())?,
    };
    let (sites, seats) = (setup.sites.len(), setup.seats.len());
    say(format_args!(
        "{}: {sites} sites, {seats} seats, {} items, {} drafts",
        setup.title,
        setup.agenda.len(),
        setup.drafts.len()
    ));
    for what in complete::missing(&setup) {
        say(format_args!("  {what}"));
    }
    Ok(())
}

/// Joins as sites without a browser, until stopped.
pub async fn endpoint(options: cli::Endpoint) -> Result<()> {
    start_log(&Settings::gather(&cli::Flags::default())?.log);
    let device = device(options.state.as_deref())?;
    let (stop, stopped) = watch::channel(false);
    let mut endpoints = JoinSet::new();
    for link in &options.link {
        let tiles = if options.tiles {
            vec![180; limits::TILE_SLOTS]
        } else {
            vec![]
        };
        let config = EndpointConfig {
            ca: options.ca.clone(),
            insecure: options.insecure,
            device: Some(device.clone()),
            pin: options.pin.clone(),
            screen: ScreenSlots {
                programme: 360,
                tiles,
                ..ScreenSlots::default()
            },
            ask_floor: options.ask_floor.clone().map(Topic::on),
            speak_for: options.speak_for.map(Duration::from_secs),
            ..EndpointConfig::new(link)
        };
        let report = |report: &diemcau_endpoint::Report| say(format_args!("{report}"));
        endpoints.spawn(diemcau_endpoint::run(config, stopped.clone(), report));
    }
    let mut failed = None;
    tokio::select! {
        () = wanted_to_stop() => {}
        () = async {
            while let Some(ended) = endpoints.join_next().await {
                if let Ok(Err(error)) = ended {
                    warn!(error = format!("{error:#}"), "an endpoint ended");
                    failed = Some(error);
                }
            }
        } => {}
    }
    stop.send_replace(true);
    while endpoints.join_next().await.is_some() {}
    failed.map_or(Ok(()), |error| Err(anyhow!("{error:#}")))
}

/// The key of this machine: one for all its links, as a browser has one for all its pages of a server.
fn device(state: Option<&Path>) -> Result<Device> {
    let home = |name, below| env::var_os(name).map(|home| PathBuf::from(home).join(below));
    let folder = state
        .map(Path::to_owned)
        .or_else(|| home("XDG_STATE_HOME", "diemcau"))
        .or_else(|| home("HOME", ".local/state/diemcau"));
    match folder {
        Some(folder) => Ok(Device::of_file(&folder.join(DEVICE_KEY))?),
        None => {
            warn!("no folder for this machine's key: its next start is a stranger's (see --state)");
            Ok(Device::of_this_run()?)
        }
    }
}

fn read_file(file: &Path, lock: impl Fn(SeatId, Option<&str>) -> Lock) -> Result<Setup> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    conference_file::read(&text, lock).with_context(|| file.display().to_string())
}

/// The demo's folder, and its record; the mirror of it is as much apart as the folder is.
fn demo_folder(settings: &Settings) -> Result<(Folder, Record)> {
    let folder = data_folder(&settings.data.join(DEMO_FOLDER), &settings.mirror)?;
    let mirror = match settings.mirror.as_os_str().is_empty() {
        true => settings.mirror.clone(),
        false => settings.mirror.join(DEMO_FOLDER),
    };
    let record = Record::new(&folder, &mirror);
    Ok((folder, record))
}

/// A data folder; where there is a mirror, that may be all that is left.
fn data_folder(path: &Path, mirror: &Path) -> Result<Folder> {
    match Folder::open(path) {
        Err(_) if mirror != Path::new("") => Ok(Folder::at(path)),
        opened => opened,
    }
}

/// The secret of the conference that is served, and what it begins with if it has not begun.
fn conference(settings: &Settings, record: &Record, is_demo: bool) -> Result<(Secret, Setup)> {
    match record.secret()? {
        Some(secret) => Ok((secret, Setup::default())),
        None if is_demo => {
            let secret = record.begin_secret()?;
            let setup = conference_file::read(conference_file::DEMO, |seat, pin| {
                links::lock(&secret, seat, pin)
            })?;
            Ok((secret, setup))
        }
        None => bail!(
            "{} holds no conference: begin one with `diemcau new`",
            settings.data.display()
        ),
    }
}

async fn run(settings: Settings, folder: Folder, record: &Record, is_demo: bool) -> Result<()> {
    start_log(&settings.log);
    if !settings.lan && !settings.listen.ip().is_loopback() {
        warn!("without --lan browsers on other machines get no camera and no microphone");
    }
    raise_open_files(settings.connections);
    // The port is taken before anything is written or said.
    let listener = listen::bind(settings.listen).with_context(|| {
        format!(
            "cannot listen on {}: is another server running there?",
            settings.listen
        )
    })?;
    let settings = Settings {
        listen: listener.local_addr()?,
        ..settings
    };

    // Before anything is opened: another secret's signature would stay in the record.
    let (secret, setup) = conference(&settings, record, is_demo)?;
    let journal = record.open(&secret)?;
    record.keep_secret(&secret);
    let (mut scrape, metrics) = Scrape::new();
    let addresses = Addresses::new(settings.limits(), scrape.registry());
    let sessions = Arc::new(whip::Sessions::new(scrape.registry()));
    let feed_window = Duration::from_millis(u64::from(settings.feed_window_ms));
    let hub = Hub::with(feed_window, settings.health, metrics);
    let media = start_media(&settings, &hub, setup, journal).await?;
    scrape.add_media(media.media.counters());

    let links = links::links(&media.setup, &secret, &settings.base_url()?);
    keep_links(&folder, &links);
    let identity = if settings.lan {
        Some(authority::identity(&folder, &names(&settings)?)?)
    } else {
        None
    };
    let site = Site {
        hub: Arc::clone(&hub),
        assets: Assets::load(),
        scrape,
        addresses: Arc::clone(&addresses),
        demo_links: is_demo.then(|| links.clone()),
        sessions,
        ca: identity.as_ref().map(|identity| identity.ca.clone()),
    };

    if is_demo {
        show_demo(&settings, &media.setup, &links)?;
    }
    info!(key = record::key(&secret)?.public(), "the record is signed");
    if let Some(identity) = &identity {
        info!(sha256 = %identity.fingerprint()?, "machines trust this authority by /trust");
    }
    info!(listen = %settings.listen, media = %media.media.local_addr(), "serving");

    let (stop, stopped) = watch::channel(false);
    let stopping = tokio::spawn(stop_when_wanted(hub, stop));
    let front = Front {
        addresses,
        tls: identity.map(tls).transpose()?,
        router: http::router(Arc::new(site)),
        crowded: http::crowded(),
    };
    let serving = async {
        listen::serve(listener, front, stopped, STOP_WITHIN).await;
        let wanted = stopping.await?;
        if timeout(MEDIA_WITHIN, media.media.closed()).await.is_err() {
            warn!("media did not end in time: its peers find out by themselves");
        }
        anyhow::Ok(wanted)
    };
    let wanted = tokio::select! {
        wanted = serving => wanted?,
        () = wanted_at_once() => {
            warn!("asked twice: nobody is waited for, and what was acknowledged is in the record");
            true
        }
    };
    ensure!(
        wanted,
        "the conference's task has ended: start the server again"
    );
    info!("stopped");
    Ok(())
}

struct Running {
    media: diemcau_media::Media,
    setup: Setup,
}

/// Joins hub and media by their channels: the one place where both are known.
async fn start_media(
    settings: &Settings,
    hub: &Hub,
    setup: Setup,
    journal: Box<dyn Journal>,
) -> Result<Running> {
    let (stage, stage_out) = watch::channel(Stage::default());
    let (asks, asks_in) = mpsc::channel(NOTES_MAX);
    let (says_out, says) = mpsc::channel(NOTES_MAX);
    let (reports_out, reports) = mpsc::channel(NOTES_MAX);
    let listen = SocketAddr::new(settings.listen.ip(), settings.media_port);
    let config = MediaConfig {
        listen,
        advertise: settings.advertised()?,
    };
    let media = diemcau_media::start(config, stage_out, asks_in, says_out, reports_out)
        .await
        .with_context(|| format!("cannot carry media on UDP {listen}"))?;
    let setup = hub
        .open(
            setup,
            journal,
            MediaLines {
                stage,
                asks,
                says,
                reports,
            },
        )
        .await?;
    Ok(Running { media, setup })
}

/// Stops the server when somebody wants it, or when the conference's task has ended by itself: false then, so that
/// whoever watches the program starts it again.
async fn stop_when_wanted(hub: Arc<Hub>, stop: watch::Sender<bool>) -> bool {
    let wanted = tokio::select! {
        () = wanted_to_stop() => true,
        () = hub.failed() => false,
    };
    info!("stopping: the rooms are told");
    if !hub.stop().await {
        warn!(
            "the record's disk does not answer: it is given up, with all on it that was acknowledged"
        );
    }
    stop.send_replace(true);
    wanted
}

async fn wanted_to_stop() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate => {}
    }
}

/// Whoever has asked the program to stop presses Ctrl+C, again if that was it: it is to end now.
async fn wanted_at_once() {
    wanted_to_stop().await;
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn tls(identity: authority::Identity) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .context("the server's own certificate cannot be read")?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())
        .context("the server's own key cannot be read")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("the server's own certificate cannot be used")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Every name and address this server may be reached by.
fn names(settings: &Settings) -> Result<Vec<String>> {
    let mut names = settings.names.clone();
    names.push("localhost".into());
    names.push("127.0.0.1".into());
    names.extend(settings.advertised()?.iter().map(ToString::to_string));
    names.sort();
    names.dedup();
    Ok(names)
}

/// Takes as many open files as the system gives: a connection is one, be it to the page or of media over TCP, and the usual
/// limit is a thousand.
fn raise_open_files(connections: usize) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let given = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    let wanted = files_of(connections);
    if let Some(files) = given.filter(|files| *files < wanted) {
        warn!(
            files,
            wanted, "the system gives fewer open files than there may be connections"
        );
    }
}

/// Open files that all connections take which there may be.
fn files_of(connections: usize) -> u64 {
    let all = connections.saturating_add(diemcau_media::TCP_CONNECTIONS_MAX);
    u64::try_from(all).unwrap_or(u64::MAX)
}

fn start_log(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|error| {
        eprintln!("diemcau: the log filter {filter:?} is not one ({error}); \"info\" is used");
        EnvFilter::new("info")
    });
    // Not one more directive: the most specific one counts, and a filter may name a module within.
    let tells = |target: &str| {
        TELLTALES
            .iter()
            .any(|telltale| target.starts_with(telltale))
    };
    let most = filter.max_level_hint().unwrap_or(LevelFilter::TRACE);
    // It says how much there is to be looked at, or every line that nobody wants is made out and asked about.
    let discreet = filter_fn(move |about| *about.level() <= Level::WARN || !tells(about.target()))
        .with_max_level_hint(most);
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    registry()
        .with(lines.with_filter(filter.and(discreet)))
        .init();
}

/// Prints a line. A reader that has gone (`| head`) is no trouble.
fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn write_links(folder: &Folder, links: &[Link]) -> Result<()> {
    folder.write_private(LINKS, &serde_json::to_vec_pretty(links)?)
}

/// The same for a conference that is served: it goes on without the file on a full disk.
fn keep_links(folder: &Folder, links: &[Link]) {
    let (folder, links) = (folder.clone(), links.to_vec());
    look_after(move || write_links(&folder, &links).map(ControlFlow::Break));
}

fn show_links(setup: &Setup, links: &[Link]) {
    say(format_args!("\n{}\n", setup.title));
    for link in links {
        say(format_args!("  {:<60} {}", link.label, link.url));
    }
    say("");
}

fn show_demo(settings: &Settings, setup: &Setup, links: &[Link]) -> Result<()> {
    show_links(setup, links);
    say(format_args!(
        "Every link with its QR code:  {}/demo",
        settings.base_url()?
    ));
    say(format_args!(
        "Stop with Ctrl+C. What was said is kept in {}.\n",
        settings.data.join(DEMO_FOLDER).display()
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_over_tcp_takes_open_files_too() {
        let of_pages = 12_000;
        assert!(files_of(of_pages) >= of_pages as u64 + 1_024 * 8 + 512);
        assert_eq!(files_of(usize::MAX), u64::MAX);
    }
}
