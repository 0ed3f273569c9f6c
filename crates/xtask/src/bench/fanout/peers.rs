//! Who is compared: our server, its peers and the limit, each in a process of its own, each told what to say.

use super::{
    marks::{Count, Marks, now_ns},
    ours::{Heard, OK, Ours},
    socket::{request, text},
};
use crate::root;
use anyhow::{Context, Result, bail};
use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

/// The server's core, and the core of clients and driver.
pub const SERVER_CORE: &str = "0";
pub const LOAD_CORE: &str = "1";
pub const START_WITHIN: Duration = Duration::from_secs(20);

/// Who is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ours,
    Ws,
    SocketIo,
    Nchan,
    Bun,
    Bare,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::Ours,
        Self::Ws,
        Self::SocketIo,
        Self::Nchan,
        Self::Bun,
        Self::Bare,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "diemcau",
            Self::Ws => "ws",
            Self::SocketIo => "socket.io",
            Self::Nchan => "nchan",
            Self::Bun => "bun",
            Self::Bare => "send()",
        }
    }

    /// How the clients join, and where.
    pub fn joins(self) -> (&'static str, &'static str) {
        match self {
            Self::Ours => ("ours", "/ws"),
            Self::Ws | Self::Bun => ("plain", "/"),
            Self::SocketIo => ("socketio", "/socket.io/?EIO=4&transport=websocket"),
            Self::Nchan => ("plain", "/facts"),
            Self::Bare => ("bare", "/"),
        }
    }
}

/// Something that runs and is told what to say.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// What a client needs to be let in.
    pub secret: String,
    voice: Voice,
}

enum Voice {
    Ours(Box<Ours>),
    Socket(TcpStream),
    SocketIo(TcpStream),
    Post(TcpStream, SocketAddr),
    Lines(TcpStream),
    NotYet,
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx ends its worker when it is asked, and leaves it when it is killed.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < START_WITHIN {
            sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts it; the error says what is missing.
    pub fn start(kind: Kind, clients: usize, folder: &Path) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let port = address.port().to_string();
        let scripts = root().join("crates/xtask/bench/fanout");
        let script = |name: &str| scripts.join(name).display().to_string();
        let modules = folder.join("node_modules");
        let mut command = pinned(SERVER_CORE);
        match kind {
            Kind::Ours => {
                let data = folder.join("data");
                let _ = fs::remove_dir_all(&data);
                let built = root().join("target/release/diemcau");
                command.arg(env::var_os("DIEMCAU_BIN").map_or(built, PathBuf::from));
                command.args([
                    "--listen",
                    &address.to_string(),
                    "--media-port",
                    "0",
                    "--data",
                ]);
                command.arg(data);
            }
            Kind::Ws => _ = command.args(["node", &script("ws.js"), &port]),
            Kind::SocketIo => _ = command.args(["node", &script("socketio.js"), &port]),
            Kind::Bun => {
                command.arg(modules.join(".bin/bun"));
                command.args([&script("bun.js"), &port]);
            }
            Kind::Nchan => {
                let config = nginx(&scripts.join("nchan.conf"), &port, folder)?;
                command.args(["nginx", "-p", &folder.display().to_string(), "-c", &config]);
            }
            Kind::Bare => {
                command.arg(env::current_exe()?);
                command.args([
                    "bench",
                    "fanout-bare",
                    &address.to_string(),
                    &clients.to_string(),
                ]);
            }
        }
        let child = command
            .env("NODE_PATH", modules)
            .env("NODE_ENV", "production")
            .env("DIEMCAU_LOG", "warn")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(|| kind.name().to_owned())?;
        let mut server = Self {
            child,
            address,
            secret: "-".into(),
            voice: Voice::NotYet,
        };
        server.open(kind, folder)?;
        Ok(server)
    }

    fn open(&mut self, kind: Kind, folder: &Path) -> Result<()> {
        // The limit takes its clients first, and then who says.
        if kind == Kind::Bare {
            return self.wait_listening();
        }
        let stream = self.connect()?;
        self.voice = match kind {
            Kind::Ours => {
                let ours = Ours::join(self.address, folder)?;
                self.secret = ours.observer.clone();
                Voice::Ours(Box::new(ours))
            }
            Kind::Nchan => Voice::Post(stream, self.address),
            Kind::Ws | Kind::Bun => Voice::Socket(self.upgrade(stream, "/say")?),
            Kind::SocketIo => {
                let mut stream = self.upgrade(stream, kind.joins().1)?;
                stream.write_all(&text("40"))?;
                until(&mut stream, "40{")?;
                Voice::SocketIo(stream)
            }
            Kind::Bare => Voice::NotYet,
        };
        Ok(())
    }

    /// What the limit does when its clients are there.
    pub fn clients_are_there(&mut self) -> Result<()> {
        if matches!(self.voice, Voice::NotYet) {
            self.voice = Voice::Lines(TcpStream::connect(self.address)?);
        }
        Ok(())
    }

    fn wait_listening(&self) -> Result<()> {
        // It counts connections: nobody may knock to see whether it is there.
        let begun = Instant::now();
        while begun.elapsed() < START_WITHIN {
            let port = format!("{:04X}", self.address.port());
            let listening = |line: &str| line.contains(&format!(":{port} 00000000:0000 0A"));
            if fs::read_to_string("/proc/net/tcp")?.lines().any(listening) {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        bail!("it does not listen")
    }

    fn connect(&mut self) -> Result<TcpStream> {
        let begun = Instant::now();
        loop {
            match TcpStream::connect(self.address) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(_)
                    if begun.elapsed() < START_WITHIN
                        && matches!(self.child.try_wait(), Ok(None)) =>
                {
                    sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(error).context("it does not start"),
            }
        }
    }

    fn upgrade(&self, mut stream: TcpStream, path: &str) -> Result<TcpStream> {
        stream.write_all(request(&self.address.to_string(), path).as_bytes())?;
        until(&mut stream, "\r\n\r\n")?;
        Ok(stream)
    }

    /// Our own connections, when this is our server.
    pub fn ours(&mut self) -> Option<&mut Ours> {
        match &mut self.voice {
            Voice::Ours(ours) => Some(ours),
            Voice::Socket(_)
            | Voice::SocketIo(_)
            | Voice::Post(..)
            | Voice::Lines(_)
            | Voice::NotYet => None,
        }
    }

    /// Has everybody told one event. `text` carries its mark.
    pub fn say(&mut self, event: &str) -> Result<()> {
        match &mut self.voice {
            Voice::Ours(ours) => ours.comment(event)?,
            Voice::Socket(stream) => stream.write_all(&text(event))?,
            Voice::SocketIo(stream) => {
                stream.write_all(&text(&format!(r#"42["say","{event}"]"#)))?;
            }
            Voice::Post(stream, host) => {
                let length = event.len();
                let post = format!(
                    "POST /say HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{event}"
                );
                stream.write_all(post.as_bytes())?;
                // The answers are read as they come, so that they do not fill the connection.
                stream.set_nonblocking(true)?;
                let _ = stream.read(&mut [0; 4096]);
                stream.set_nonblocking(false)?;
            }
            Voice::Lines(stream) => stream.write_all(format!("{event}\n").as_bytes())?,
            Voice::NotYet => bail!("its clients are not there"),
        }
        Ok(())
    }

    /// Nanoseconds its threads were on a core.
    pub fn cpu_ns(&self) -> Result<u64> {
        self.pids().iter().map(|pid| cpu_ns(*pid)).sum()
    }

    /// Kilobytes that are its own, in memory.
    pub fn rss_kb(&self) -> Result<u64> {
        self.pids().iter().map(|pid| rss_kb(*pid)).sum()
    }

    fn pids(&self) -> Vec<u32> {
        let own = self.child.id();
        let path = format!("/proc/{own}/task/{own}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok());
        std::iter::once(own).chain(children).collect()
    }
}

/// A command on one core.
pub fn pinned(core: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core]);
    command
}

/// Reads until these bytes have come.
pub fn until(stream: &mut TcpStream, wanted: &str) -> Result<()> {
    let (mut got, mut some) = (vec![], [0; 4096]);
    while !got
        .windows(wanted.len())
        .any(|window| window == wanted.as_bytes())
    {
        let count = stream.read(&mut some)?;
        if count == 0 {
            bail!("closed: {}", String::from_utf8_lossy(&got));
        }
        got.extend_from_slice(&some[..count]);
    }
    Ok(())
}

/// Reads a stream to its end on a thread, and notes how long each mark took, and every command that was done.
pub fn watch(mut stream: TcpStream, heard: Arc<Heard>) {
    std::thread::spawn(move || {
        let (mut marks, mut some) = (Marks::default(), vec![0; 64 * 1024]);
        let mut done = Count::of(OK);
        while let Ok(count) = stream.read(&mut some)
            && count > 0
        {
            let (now, some) = (now_ns(), &some[..count]);
            marks.feed(some, |at| heard.took_us(now.saturating_sub(at) / 1_000));
            heard.done(done.feed(some));
        }
    });
}

fn nginx(config: &Path, port: &str, folder: &Path) -> Result<String> {
    let modules = [
        "/usr/lib/nginx/modules/ngx_nchan_module.so",
        "/usr/lib64/nginx/modules/ngx_nchan_module.so",
    ];
    let module = modules.iter().find(|module| Path::new(module).exists());
    let module = module.context("libnginx-mod-nchan is not installed")?;
    let text = fs::read_to_string(config)?
        .replace("{module}", module)
        .replace("{port}", port)
        .replace("{folder}", &folder.display().to_string());
    let path: PathBuf = folder.join("nchan.conf");
    fs::write(&path, text)?;
    Ok(path.display().to_string())
}

fn cpu_ns(pid: u32) -> Result<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let stat = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        let on_core = stat.split_whitespace().next().unwrap_or_default();
        sum += on_core.parse::<u64>().unwrap_or_default();
    }
    Ok(sum)
}

fn rss_kb(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no RssAnon")?.parse()?)
}
