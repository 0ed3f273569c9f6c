//! A connection made of memory: bytes both ways in virtual time, with lag, back-pressure, and the ways it can break.

use diemcau_fuzz::Chance;
use diemcau_hub::{Frame, Wire};
use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// Bytes that may be under way; further ones wait at the sender, as in the buffers of two machines.
const UNDER_WAY_MAX: usize = 64 * 1024;

/// One direction.
#[derive(Default)]
struct Way {
    chunks: VecDeque<(Instant, VecDeque<u8>)>,
    under_way: usize,
    lag: Duration,
    state: State,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// Nothing arrives any more, and nobody is told.
    Silent,
    /// The writer is done: what is under way still arrives.
    Ended,
    /// Broken: what is under way still arrives, then an error.
    Broken,
}

/// The end that a program reads and writes.
pub struct End {
    incoming: Arc<Mutex<Way>>,
    outgoing: Arc<Mutex<Way>>,
    arrival: Pin<Box<Sleep>>,
}

/// The hand that can disturb a connection.
#[derive(Clone)]
pub struct Cable {
    up: Arc<Mutex<Way>>,
    down: Arc<Mutex<Way>>,
}

/// A new connection: the client's end, the server's end, and the hand on the cable.
#[must_use]
pub fn connect(lag: Duration) -> (End, End, Cable) {
    let way = || {
        Arc::new(Mutex::new(Way {
            lag,
            ..Way::default()
        }))
    };
    let (up, down) = (way(), way());
    let end = |incoming: &Arc<Mutex<Way>>, outgoing: &Arc<Mutex<Way>>| End {
        incoming: Arc::clone(incoming),
        outgoing: Arc::clone(outgoing),
        arrival: Box::pin(sleep_until(Instant::now())),
    };
    (end(&down, &up), end(&up, &down), Cable { up, down })
}

impl Cable {
    /// What is sent from now on takes so long.
    pub fn set_lag(&self, lag: Duration) {
        lock(&self.up).lag = lag;
        lock(&self.down).lag = lag;
    }

    /// Breaks the connection. Of what is under way an arbitrary part arrives, also half a frame.
    pub fn cut(&self, chance: &mut Chance) {
        for way in [&self.up, &self.down] {
            let mut way = lock(way);
            let keep = chance.below(way.under_way + 1);
            way.keep(keep);
            way.set(State::Broken);
        }
    }

    /// Whether nothing arrives any more.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        lock(&self.down).state == State::Silent
    }

    /// Nothing arrives any more on either side, and nobody is told: a cable pulled behind a switch.
    pub fn silence(&self) {
        lock(&self.up).set(State::Silent);
        lock(&self.down).set(State::Silent);
    }
}

impl Way {
    fn keep(&mut self, bytes: usize) {
        let mut left = bytes;
        for (_, chunk) in &mut self.chunks {
            chunk.truncate(left);
            left -= chunk.len();
        }
        self.chunks.retain(|(_, chunk)| !chunk.is_empty());
        self.under_way = bytes;
    }

    fn set(&mut self, state: State) {
        if self.state != State::Broken {
            self.state = state;
        }
        self.wake();
    }

    fn wake(&mut self) {
        self.reader.take().into_iter().for_each(Waker::wake);
        self.writer.take().into_iter().for_each(Waker::wake);
    }

    fn push(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(UNDER_WAY_MAX - self.under_way);
        let at = Instant::now() + self.lag;
        let at = self.chunks.back().map_or(at, |(last, _)| at.max(*last));
        self.chunks
            .push_back((at, bytes[..count].iter().copied().collect()));
        self.under_way += count;
        self.reader.take().into_iter().for_each(Waker::wake);
        count
    }

    fn pull(&mut self, into: &mut ReadBuf<'_>) {
        let Some((_, chunk)) = self.chunks.front_mut() else {
            return;
        };
        let count = chunk.len().min(into.remaining());
        let bytes: Vec<u8> = chunk.drain(..count).collect();
        into.put_slice(&bytes);
        if chunk.is_empty() {
            self.chunks.pop_front();
        }
        self.under_way -= count;
        self.writer.take().into_iter().for_each(Waker::wake);
    }
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let arrives = {
                let mut way = lock(&self.incoming);
                way.reader = Some(cx.waker().clone());
                match (way.chunks.front(), way.state) {
                    (_, State::Silent) => return Poll::Pending,
                    (Some((at, _)), _) if *at <= Instant::now() => {
                        way.pull(into);
                        return Poll::Ready(Ok(()));
                    }
                    (Some((at, _)), _) => *at,
                    (None, State::Open) => return Poll::Pending,
                    (None, State::Ended) => return Poll::Ready(Ok(())),
                    (None, State::Broken) => {
                        return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                    }
                }
            };
            self.arrival.as_mut().reset(arrives);
            ready!(self.arrival.as_mut().poll(cx));
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut way = lock(&self.outgoing);
        match way.state {
            State::Ended | State::Broken => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            State::Open | State::Silent if way.under_way >= UNDER_WAY_MAX => {
                way.writer = Some(cx.waker().clone());
                Poll::Pending
            }
            State::Open | State::Silent => Poll::Ready(Ok(way.push(bytes))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.outgoing).end();
        Poll::Ready(Ok(()))
    }
}

/// The way out of an end, for whoever has something to say.
pub struct Out(Arc<Mutex<Way>>);

impl End {
    /// Its way out.
    #[must_use]
    pub fn out(&self) -> Out {
        Out(Arc::clone(&self.outgoing))
    }
}

impl Wire for Out {
    fn try_send(&self, frame: &Frame, from: usize) -> io::Result<usize> {
        let mut way = lock(&self.0);
        match way.state {
            State::Ended | State::Broken => Err(io::ErrorKind::BrokenPipe.into()),
            State::Open | State::Silent if way.under_way >= UNDER_WAY_MAX => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            State::Open | State::Silent => Ok(way.push(frame.wire(from))),
        }
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut way = lock(&self.0);
        if matches!(way.state, State::Open | State::Silent) && way.under_way >= UNDER_WAY_MAX {
            way.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl Way {
    fn end(&mut self) {
        if self.state == State::Open {
            self.set(State::Ended);
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        lock(&self.outgoing).end();
        let mut incoming = lock(&self.incoming);
        if incoming.state != State::Silent {
            incoming.set(State::Broken);
        }
    }
}

// Every change is complete before the lock is left.
fn lock(way: &Mutex<Way>) -> MutexGuard<'_, Way> {
    way.lock().unwrap_or_else(PoisonError::into_inner)
}
