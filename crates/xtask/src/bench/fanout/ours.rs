//! Our server's own people: the chair, and the thirteen sites that comment and hear what the floor does.

use super::{
    peers::{START_WITHIN, until, watch},
    socket::{PONG, request, text},
};
use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

/// How the answer to one of these commands begins, when it is done.
pub const OK: &str = r#"{"type":"ok","id":"bench-"#;

/// What some connections heard.
#[derive(Default)]
pub struct Heard {
    /// How long each mark took, in microseconds.
    us: Mutex<Vec<u64>>,
    /// Commands that were done.
    done: AtomicUsize,
}

impl Heard {
    pub fn took_us(&self, us: u64) {
        self.lock().push(us);
    }

    pub fn done(&self, more: usize) {
        self.done.fetch_add(more, Ordering::Relaxed);
    }

    /// The marks and the commands since it was last asked.
    fn take(&self) -> (Vec<u64>, usize) {
        let us = std::mem::take(&mut *self.lock());
        (us, self.done.swap(0, Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.us.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connections, and what the sites heard.
pub struct Ours {
    /// What opens an observer's seat.
    pub observer: String,
    /// Bytes of a frame around a comment's text.
    pub around: usize,
    chair: TcpStream,
    sites: Vec<TcpStream>,
    said: usize,
    heard: Arc<Heard>,
}

/// The server listens a moment before it has written its links.
fn written(file: &Path) -> std::io::Result<String> {
    let begun = Instant::now();
    loop {
        match fs::read_to_string(file) {
            Err(_) if begun.elapsed() < START_WITHIN => sleep(Duration::from_millis(20)),
            read => return read,
        }
    }
}

impl Ours {
    /// Joins as all of them.
    pub fn join(address: SocketAddr, folder: &Path) -> Result<Self> {
        let links = written(&folder.join("data/demo/links.json"));
        let links: Vec<Value> = serde_json::from_str(&links.context("the links")?)?;
        let of_role = |role: &str| {
            let of_role = links.iter().filter(|link| link["role"] == role);
            let token = |link: &Value| {
                link["url"]
                    .as_str()?
                    .split_once('#')
                    .map(|(_, token)| token.to_owned())
            };
            of_role.filter_map(token).collect::<Vec<_>>()
        };
        let observer = of_role("observer")
            .first()
            .cloned()
            .context("no observer's link")?;
        let chair = join(
            address,
            of_role("chair").first().context("no chair's link")?,
        )?;
        let mut ours = Self {
            observer,
            around: 0,
            chair,
            sites: vec![],
            said: 0,
            heard: Arc::default(),
        };
        let mut seen = std::collections::BTreeSet::new();
        for link in links.iter().filter(|link| link["role"] == "moderator") {
            // One machine of each site.
            let url = link["url"].as_str().unwrap_or_default();
            if let Some((_, token)) = url.split_once('#')
                && seen.insert(link["site"].to_string())
            {
                ours.sites.push(join(address, token)?);
            }
        }
        ours.measure()?;
        watch(ours.chair.try_clone()?, Arc::default());
        for site in &ours.sites {
            watch(site.try_clone()?, Arc::clone(&ours.heard));
        }
        Ok(ours)
    }

    /// How many bytes a frame has around a comment's text.
    fn measure(&mut self) -> Result<()> {
        self.comment("measured")?;
        let mut got = vec![];
        let mut some = [0; 4096];
        let frame = br#"{"type":"facts""#;
        loop {
            let count = self.chair.read(&mut some)?;
            anyhow::ensure!(count > 0, "the chair was cut");
            got.extend_from_slice(&some[..count]);
            let comment = got.windows(10).any(|window| window == b"\"measured\"");
            let at = got.windows(frame.len()).position(|window| window == frame);
            if let (true, Some(at)) = (comment, at) {
                let header = got.get(at.saturating_sub(2)..at).context("no header")?;
                self.around = usize::from(u16::from_be_bytes([header[0], header[1]])) - 8;
                return Ok(());
            }
        }
    }

    /// Another site's comment.
    pub fn comment(&mut self, words: &str) -> Result<()> {
        self.said += 1;
        let id = format!("bench-{}", self.said);
        let frame = format!(
            r#"{{"type":"command","id":"{id}","command":{{"type":"post_comment","kind":"agree","words":{{"at":{{"draft":1,"paragraph":2}},"text":"{words}","proposed":"","delegate":""}}}}}}"#
        );
        let turn = self.said % self.sites.len();
        Ok(self.sites[turn].write_all(&text(&frame))?)
    }

    /// Something of the floor's lane, from the chair's desk to every page.
    pub fn notice(&mut self, words: &str) -> Result<()> {
        self.said += 1;
        let id = format!("bench-{}", self.said);
        let frame = format!(
            r#"{{"type":"command","id":"{id}","command":{{"type":"set_notice","text":"{words}"}}}}"#
        );
        Ok(self.chair.write_all(&text(&frame))?)
    }

    /// Says that they are there.
    pub fn alive(&mut self) -> Result<()> {
        for stream in self.sites.iter_mut().chain([&mut self.chair]) {
            stream.write_all(&PONG)?;
        }
        Ok(())
    }

    pub fn sites(&self) -> usize {
        self.sites.len()
    }

    /// What the sites heard since it was last asked, in microseconds, and how many of their comments were taken.
    pub fn heard(&self) -> (Vec<u64>, usize) {
        self.heard.take()
    }
}

fn join(address: SocketAddr, token: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(request(&address.to_string(), "/ws").as_bytes())?;
    until(&mut stream, "\r\n\r\n")?;
    let join = format!(r#"{{"type":"join","protocol":1,"token":"{token}"}}"#);
    stream.write_all(&text(&join))?;
    until(&mut stream, r#""type":"welcome""#)?;
    Ok(stream)
}
