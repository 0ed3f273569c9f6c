//! A leg whose panic is its own.
//!
//! The library under the legs, which reads STUN, DTLS and RTCP for them, holds `assert!` and `unwrap`, and what we wrote may
//! be wrong: a hostile peer might find it. All code involved is safe Rust and a leg shares nothing with another leg, so
//! catching the unwind at the leg's door is sound: the leg is never called again, its peer is told, and nobody else
//! notices.

use super::{Codec, EngineError, Layer, Leg, LegEvent, Outlet, Path};
use crate::rewrite::RtpOut;
use bytes::BytesMut;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Runs a call into the library; its panic becomes an error.
pub fn run<T>(call: impl FnOnce() -> T) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| EngineError::Panicked)
}

pub struct Guarded<L> {
    ufrag: String,
    /// `None` once it has panicked.
    leg: Option<L>,
    told: bool,
}

impl<L: Leg> Guarded<L> {
    pub fn new(leg: L) -> Self {
        Self {
            ufrag: leg.ufrag().to_owned(),
            leg: Some(leg),
            told: false,
        }
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut L) -> T) -> Option<T> {
        let leg = self.leg.as_mut()?;
        match run(|| call(leg)) {
            Ok(value) => Some(value),
            Err(_) => {
                // Not even its destructor can be trusted: a second panic there would end the task.
                std::mem::forget(self.leg.take());
                tracing::error!("the WebRTC engine panicked on one leg; the leg is dropped");
                None
            }
        }
    }
}

impl<L: Leg> Leg for Guarded<L> {
    fn ufrag(&self) -> &str {
        &self.ufrag
    }

    fn accept_answer(&mut self, answer: &str, now: Instant) -> Result<(), EngineError> {
        self.call(|leg| leg.accept_answer(answer, now))
            .unwrap_or(Err(EngineError::Panicked))
    }

    fn receive(&mut self, datagram: BytesMut, from: Path, now: Instant) -> bool {
        self.call(|leg| leg.receive(datagram, from, now))
            .unwrap_or(false)
    }

    fn path(&self) -> Option<Path> {
        self.leg.as_ref().and_then(Leg::path)
    }

    fn takes(&self, slot: usize, codec: Codec) -> bool {
        self.leg.as_ref().is_some_and(|leg| leg.takes(slot, codec))
    }

    fn send(&mut self, slot: usize, packet: RtpOut, now: Instant) -> bool {
        self.call(|leg| leg.send(slot, packet, now))
            .unwrap_or(false)
    }

    fn ask_key_frame(&mut self, layer: Layer, now: Instant) -> bool {
        self.call(|leg| leg.ask_key_frame(layer, now))
            .unwrap_or(false)
    }

    fn measure(&mut self, now: Instant) {
        self.call(|leg| leg.measure(now));
    }

    fn bears(&mut self, now: Instant) -> Option<u64> {
        self.call(|leg| leg.bears(now)).flatten()
    }

    fn tick(&mut self, now: Instant) {
        self.call(|leg| leg.tick(now));
    }

    fn deadline(&mut self) -> Option<Instant> {
        self.call(Leg::deadline).flatten()
    }

    fn drain_events(&mut self, into: &mut Vec<LegEvent>) {
        self.call(|leg| leg.drain_events(into));
        if self.leg.is_none() && !self.told {
            self.told = true;
            into.push(LegEvent::Failed(EngineError::Panicked.to_string()));
        }
    }

    fn drain_datagrams(&mut self, out: &mut Outlet<'_>) {
        self.call(|leg| leg.drain_datagrams(out));
    }

    fn close(&mut self, now: Instant) {
        self.call(|leg| leg.close(now));
    }

    #[cfg(test)]
    fn room(&self) -> usize {
        self.leg.as_ref().map_or(0, Leg::room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    struct Brittle;

    impl Leg for Brittle {
        fn ufrag(&self) -> &str {
            "brittle"
        }
        fn accept_answer(&mut self, _: &str, _: Instant) -> Result<(), EngineError> {
            Ok(())
        }
        fn receive(&mut self, datagram: BytesMut, _: Path, _: Instant) -> bool {
            assert!(datagram.is_empty(), "a promise of the library is broken");
            true
        }
        fn path(&self) -> Option<Path> {
            None
        }
        fn takes(&self, _: usize, _: Codec) -> bool {
            true
        }
        fn send(&mut self, _: usize, _: RtpOut, _: Instant) -> bool {
            true
        }
        fn ask_key_frame(&mut self, _: Layer, _: Instant) -> bool {
            true
        }
        fn measure(&mut self, _: Instant) {}
        fn bears(&mut self, _: Instant) -> Option<u64> {
            None
        }
        fn tick(&mut self, _: Instant) {}
        fn deadline(&mut self) -> Option<Instant> {
            None
        }
        fn drain_events(&mut self, _: &mut Vec<LegEvent>) {}
        fn drain_datagrams(&mut self, _: &mut Outlet<'_>) {}
        fn close(&mut self, _: Instant) {}
    }

    #[test]
    fn a_panic_fails_the_leg_once_and_nothing_else() {
        let now = Instant::now();
        let from = SocketAddr::from(([127, 0, 0, 1], 9)).into();
        let mut leg = Guarded::new(Brittle);
        let mut events = vec![];

        leg.receive(BytesMut::new(), from, now);
        leg.drain_events(&mut events);
        assert!(events.is_empty());

        leg.receive(BytesMut::from(&b"x"[..]), from, now);
        leg.drain_events(&mut events);
        leg.drain_events(&mut events);
        assert!(matches!(events[..], [LegEvent::Failed(_)]));
        assert!(!leg.ask_key_frame(Layer::Full, now));
    }
}
