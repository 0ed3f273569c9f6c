//! The clients: one thread that reads everything, finds the marks in it and says when everybody has got them.
//!
//! Its owner says `expect N` (every client is to get N marks) and `alive` on its standard input; it answers `ready` and
//! `done CLIENTS P50 P99 MAX` (microseconds).

use super::{
    marks::{Marks, now_ns},
    socket::{PONG, request, source, text},
};
use anyhow::{Context, Result, bail, ensure};
use std::{
    cell::RefCell,
    io::{BufRead, stdin},
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    runtime::Builder,
    sync::{Notify, mpsc},
    task::LocalSet,
    time::timeout,
};

/// Connections that are made at once.
const AT_ONCE: usize = 50;
/// How long a round may take: a bound against hanging.
const ROUND_WITHIN: Duration = Duration::from_secs(60);
const BUFFER: usize = 64 * 1024;

#[derive(Default)]
struct Tally {
    /// Marks every client is to get, and how many got them all.
    expected: usize,
    complete: usize,
    latencies_us: Vec<u32>,
}

struct Shared {
    tally: RefCell<Tally>,
    buffer: RefCell<Vec<u8>>,
    complete: Notify,
}

/// A client's own count, of the round it belongs to.
#[derive(Default)]
struct Got {
    marks: usize,
    round: usize,
}

/// `KIND ADDRESS PATH CLIENTS SECRET`.
pub fn run(arguments: &[String]) -> Result<()> {
    let [kind, address, path, clients, secret] = arguments else {
        bail!("fanout-load KIND ADDRESS PATH CLIENTS SECRET");
    };
    let (address, clients) = (address.parse()?, clients.parse()?);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(kind, address, path, clients, secret))
}

async fn serve(
    kind: &str,
    address: SocketAddr,
    path: &str,
    clients: usize,
    secret: &str,
) -> Result<()> {
    let shared = Rc::new(Shared {
        tally: RefCell::default(),
        buffer: RefCell::new(vec![0; BUFFER]),
        complete: Notify::new(),
    });
    let round = Rc::new(RefCell::new(0));
    let mut streams: Vec<Rc<TcpStream>> = Vec::with_capacity(clients);
    for some in (0..clients).collect::<Vec<_>>().chunks(AT_ONCE) {
        let joining = some.iter().map(|n| {
            tokio::task::spawn_local(join(kind.into(), address, path.into(), secret.into(), *n))
        });
        for joining in joining.collect::<Vec<_>>() {
            let stream = Rc::new(joining.await??);
            streams.push(Rc::clone(&stream));
            tokio::task::spawn_local(read(stream, Rc::clone(&shared), Rc::clone(&round)));
        }
    }
    println!("ready");
    let mut words = lines();
    while let Some(line) = words.recv().await {
        match line.split_once(' ') {
            None => streams.iter().for_each(|stream| {
                let _ = stream.try_write(&PONG);
            }),
            Some((_, count)) => {
                shared.tally.replace(Tally {
                    expected: count.parse()?,
                    ..Tally::default()
                });
                *round.borrow_mut() += 1;
                println!("armed");
                let complete = async {
                    while shared.tally.borrow().complete < clients {
                        shared.complete.notified().await;
                    }
                };
                if timeout(ROUND_WITHIN, complete).await.is_err() {
                    let complete = shared.tally.borrow().complete;
                    bail!("{complete} of {clients} clients got it all");
                }
                say_done(&mut shared.tally.borrow_mut());
            }
        }
    }
    Ok(())
}

fn say_done(tally: &mut Tally) {
    let sorted = &mut tally.latencies_us;
    sorted.sort_unstable();
    let at = |part: f64| {
        sorted
            .get(((sorted.len() as f64 - 1.0) * part) as usize)
            .copied()
    };
    let [p50, p99, max] = [0.5, 0.99, 1.0].map(|part| at(part).unwrap_or_default());
    println!("done {} {p50} {p99} {max}", tally.complete);
}

fn lines() -> mpsc::UnboundedReceiver<String> {
    let (out, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if out.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

async fn join(
    kind: String,
    address: SocketAddr,
    path: String,
    secret: String,
    n: usize,
) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(source(n), 0))?;
    let mut stream = socket.connect(address).await.context("connect")?;
    if kind == "bare" {
        return Ok(stream);
    }
    let host = address.to_string();
    stream.write_all(request(&host, &path).as_bytes()).await?;
    until(&mut stream, "\r\n\r\n").await?;
    match kind.as_str() {
        "ours" => {
            let join = format!(r#"{{"type":"join","protocol":1,"token":"{secret}"}}"#);
            stream.write_all(&text(&join)).await?;
            until(&mut stream, r#""type":"welcome""#).await?;
        }
        "socketio" => {
            stream.write_all(&text("40")).await?;
            until(&mut stream, "40{").await?;
        }
        _ => {}
    }
    Ok(stream)
}

async fn until(stream: &mut TcpStream, wanted: &str) -> Result<()> {
    let mut got = vec![];
    let mut some = [0; 4096];
    while !got
        .windows(wanted.len())
        .any(|window| window == wanted.as_bytes())
    {
        let count = stream.read(&mut some).await?;
        ensure!(count > 0, "closed: {}", String::from_utf8_lossy(&got));
        got.extend_from_slice(&some[..count]);
    }
    Ok(())
}

async fn read(stream: Rc<TcpStream>, shared: Rc<Shared>, round: Rc<RefCell<usize>>) {
    let (mut marks, mut got) = (Marks::default(), Got::default());
    loop {
        if stream.readable().await.is_err() {
            return;
        }
        let mut buffer = shared.buffer.borrow_mut();
        match stream.try_read(&mut buffer) {
            Ok(0) => return eprintln!("a client was cut"),
            Ok(count) => {
                let now = now_ns();
                let mut tally = shared.tally.borrow_mut();
                let round = *round.borrow();
                if got.round != round {
                    got = Got { marks: 0, round };
                }
                marks.feed(&buffer[..count], |at| {
                    got.marks += 1;
                    let took = now.saturating_sub(at) / 1_000;
                    tally
                        .latencies_us
                        .push(u32::try_from(took).unwrap_or(u32::MAX));
                    if got.marks == tally.expected {
                        tally.complete += 1;
                        shared.complete.notify_one();
                    }
                });
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return eprintln!("a client was cut: {error}"),
        }
    }
}
