use super::*;
use bytes::Bytes;
use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll},
};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

/// A bound against hanging, no measure.
const LIVE: Duration = Duration::from_secs(30);

/// A client that takes so many bytes and no more, until it is asked again.
#[derive(Default)]
struct Narrow {
    room: AtomicUsize,
    got: Mutex<Vec<u8>>,
    ready: Mutex<Option<std::task::Waker>>,
}

impl Narrow {
    fn make_room(&self, bytes: usize) {
        self.room.fetch_add(bytes, Ordering::SeqCst);
        if let Some(waker) = self.ready.lock().unwrap().take() {
            waker.wake();
        }
    }

    fn got(&self) -> Vec<u8> {
        self.got.lock().unwrap().clone()
    }
}

impl Wire for Narrow {
    fn try_send(&self, frame: &Frame, from: usize) -> io::Result<usize> {
        let rest = frame.wire(from);
        let room = self.room.load(Ordering::SeqCst);
        let taken = rest.len().min(room).min(SEND_AT_ONCE);
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.room.fetch_sub(taken, Ordering::SeqCst);
        self.got.lock().unwrap().extend_from_slice(&rest[..taken]);
        Ok(taken)
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.room.load(Ordering::SeqCst) > 0 {
            return Poll::Ready(Ok(()));
        }
        *self.ready.lock().unwrap() = Some(context.waker().clone());
        Poll::Pending
    }
}

fn narrow(room: usize) -> (Arc<Narrow>, Arc<Outlet>) {
    let wire = Arc::new(Narrow::default());
    wire.make_room(room);
    let outlet = Outlet::new(Arc::clone(&wire) as Arc<dyn Wire>);
    (wire, outlet)
}

/// A client for whom a frame is copied as long as somebody likes.
struct Slow {
    begins: mpsc::Sender<()>,
    end: Mutex<mpsc::Receiver<()>>,
    got: Mutex<Vec<u8>>,
}

impl Wire for Slow {
    fn try_send(&self, frame: &Frame, from: usize) -> io::Result<usize> {
        let _ = self.begins.send(());
        // Or whoever holds it up is gone.
        let _ = self.end.lock().unwrap().recv();
        let rest = frame.wire(from);
        self.got.lock().unwrap().extend_from_slice(rest);
        Ok(rest.len())
    }

    fn poll_writable(&self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A welcome that is being copied until `end` is dropped.
struct Copying {
    wire: Arc<Slow>,
    outlet: Arc<Outlet>,
    tending: JoinHandle<Close>,
    end: mpsc::Sender<()>,
}

async fn copying() -> Copying {
    let ((begins, begun), (end, ends)) = (mpsc::channel(), mpsc::channel());
    let wire = Arc::new(Slow {
        begins,
        end: Mutex::new(ends),
        got: Mutex::default(),
    });
    let outlet = Outlet::new(Arc::clone(&wire) as Arc<dyn Wire>);
    assert_eq!(outlet.offer_snapshot(&frame(b"welcome")), Offer::Taken);
    let tending = tokio::spawn(tend(&outlet));
    spawn_blocking(move || begun.recv()).await.unwrap().unwrap();
    Copying {
        wire,
        outlet,
        tending,
        end,
    }
}

fn tend(outlet: &Arc<Outlet>) -> impl Future<Output = Close> + use<> {
    let outlet = Arc::clone(outlet);
    async move { outlet.tend().await }
}

fn frame(bytes: &'static [u8]) -> Frame {
    Frame::raw(Bytes::from_static(bytes))
}

#[tokio::test]
async fn a_client_that_reads_gets_a_frame_without_any_task() {
    let (wire, outlet) = narrow(usize::MAX / 2);
    assert_eq!(outlet.offer(&frame(b"one")), Offer::Taken);
    assert_eq!(outlet.offer(&frame(b"two")), Offer::Taken);
    assert_eq!(wire.got(), b"onetwo");
}

#[tokio::test]
async fn a_snapshot_is_left_to_the_connections_own_task_and_goes_before_what_follows() {
    let (wire, outlet) = narrow(usize::MAX / 2);
    assert_eq!(outlet.offer_snapshot(&frame(b"one")), Offer::Taken);
    assert_eq!(outlet.offer(&frame(b"two")), Offer::Taken);
    assert_eq!(wire.got(), b"");
    outlet.close(Close::Policy);
    assert_eq!(outlet.tend().await, Close::Policy);
    assert_eq!(wire.got(), b"onetwo");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_offers_waits_while_a_welcome_is_copied() {
    let Copying {
        wire,
        outlet,
        tending,
        end,
    } = copying().await;
    let offering = Arc::clone(&outlet);
    let offered = spawn_blocking(move || offering.offer(&frame(b"fact")));
    let offered = timeout(LIVE, offered).await;
    drop(end);
    assert_eq!(offered.expect("it waited").unwrap(), Offer::Taken);
    outlet.close(Close::Policy);
    assert_eq!(tending.await.unwrap(), Close::Policy);
    assert_eq!(*wire.got.lock().unwrap(), b"welcomefact");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_welcome_that_is_being_copied_when_its_client_is_cut_is_begun_and_so_is_finished() {
    let Copying {
        wire,
        outlet,
        tending,
        end,
    } = copying().await;
    assert_eq!(outlet.offer(&frame(b"fact")), Offer::Taken);
    outlet.close(Close::Lagging);
    drop(end);
    assert_eq!(tending.await.unwrap(), Close::Lagging);
    outlet.control(frame(b"!"));
    outlet.drained().await;
    assert_eq!(*wire.got.lock().unwrap(), b"welcome!");
}

#[tokio::test]
async fn others_have_their_turn_while_a_welcome_is_sent() {
    let (wire, outlet) = narrow(usize::MAX / 2);
    let welcome = Bytes::from(vec![b'x'; 10 * SEND_AT_ONCE]);
    let length = welcome.len();
    assert_eq!(outlet.offer_snapshot(&Frame::raw(welcome)), Offer::Taken);
    let tending = tokio::spawn(tend(&outlet));
    let mut turns = 0;
    while wire.got().len() < length {
        turns += 1;
        yield_now().await;
    }
    assert!(turns >= 10, "{turns}");
    outlet.close(Close::Policy);
    assert_eq!(tending.await.unwrap(), Close::Policy);
}

#[tokio::test]
async fn frames_come_whole_and_in_order_and_then_the_close() {
    let (wire, outlet) = narrow(2);
    assert_eq!(outlet.offer(&frame(b"one")), Offer::Taken);
    assert_eq!(outlet.offer(&frame(b"two")), Offer::Taken);
    outlet.close(Close::Policy);
    assert_eq!(outlet.offer(&frame(b"three")), Offer::Closed);
    assert_eq!(wire.got(), b"on");
    let tended = tokio::spawn({
        let outlet = Arc::clone(&outlet);
        async move { outlet.tend().await }
    });
    for _ in 0..4 {
        wire.make_room(1);
        tokio::task::yield_now().await;
    }
    assert_eq!(tended.await.unwrap(), Close::Policy);
    assert_eq!(wire.got(), b"onetwo");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_and_keeps_nothing_but_the_frame_it_began() {
    let (wire, outlet) = narrow(1);
    let taken = (0..)
        .take_while(|_| outlet.offer(&frame(b"xy")) == Offer::Taken)
        .count();
    assert_eq!(taken, limits::OUTBOX_MAX);
    // It is cut once, however much more there is to say.
    assert_eq!(outlet.offer(&frame(b"xy")), Offer::Closed);
    assert_eq!(outlet.tend().await, Close::Lagging);
    outlet.control(frame(b"!"));
    wire.make_room(10);
    outlet.drained().await;
    assert_eq!(wire.got(), b"xy!");
}

#[tokio::test]
async fn bytes_are_bounded_but_a_snapshot_always_goes() {
    let (_wire, outlet) = narrow(0);
    let large = Bytes::from(vec![b'x'; limits::OUTBOX_MAX_BYTES * 2]);
    let half = Frame::raw(large.slice(..limits::OUTBOX_MAX_BYTES / 2));
    assert_eq!(outlet.offer_snapshot(&Frame::raw(large)), Offer::Taken);
    assert_eq!(outlet.offer(&half), Offer::Taken);
    assert_eq!(outlet.offer(&half), Offer::Taken);
    assert_eq!(outlet.offer(&frame(b"y")), Offer::Lagging);
    assert_eq!(outlet.tend().await, Close::Lagging);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pings_and_reads_a_little_now_and_then_is_cut_before_much_waits() {
    let (wire, outlet) = narrow(0);
    let pong = Frame::raw(Bytes::from(vec![b'p'; 127]));
    let tending = tokio::spawn({
        let outlet = Arc::clone(&outlet);
        async move { outlet.tend().await }
    });
    // Fifty a second, of which it takes two in nine seconds: always in time for the oldest.
    for _ in 0..10 {
        for _ in 0..450 {
            outlet.control(pong.clone());
            assert!(outlet.lock().frames.len() <= limits::OUTBOX_MAX + 1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        wire.make_room(2 * 127);
    }
    assert_eq!(tending.await.unwrap(), Close::Lagging);
}

#[tokio::test]
async fn a_client_that_is_closed_gets_its_close_behind_all_that_waits_and_nothing_more() {
    let (wire, outlet) = narrow(0);
    for _ in 0..limits::OUTBOX_MAX {
        assert_eq!(outlet.offer(&frame(b"x")), Offer::Taken);
    }
    outlet.close(Close::Policy);
    outlet.control(frame(b"close"));
    for _ in 0..limits::OUTBOX_MAX {
        outlet.control(frame(b"pong"));
    }
    wire.make_room(usize::MAX / 2);
    assert_eq!(outlet.tend().await, Close::Policy);
    let wanted = "x".repeat(limits::OUTBOX_MAX) + "close";
    assert_eq!(String::from_utf8(wire.got()).unwrap(), wanted);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_for_ten_seconds_is_cut() {
    let (wire, outlet) = narrow(1);
    let begun = Instant::now();
    assert_eq!(outlet.offer(&frame(b"xy")), Offer::Taken);
    assert_eq!(outlet.tend().await, Close::Lagging);
    assert_eq!(begun.elapsed(), SEND_WITHIN);
    assert_eq!(wire.got(), b"x");
}

#[tokio::test(start_paused = true)]
async fn a_welcome_may_take_long_over_a_thin_road_but_not_for_ever() {
    let (wire, outlet) = narrow(0);
    let welcome = Bytes::from(vec![b'x'; 40 * WELCOME_PACE]);
    assert_eq!(outlet.offer_snapshot(&Frame::raw(welcome)), Offer::Taken);
    let tending = tokio::spawn(tend(&outlet));
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        wire.make_room(WELCOME_PACE);
    }
    let begun = Instant::now();
    // A byte now and then is no reading.
    while !tending.is_finished() && begun.elapsed() < SEND_WITHIN * 3 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        wire.make_room(1);
    }
    assert_eq!(tending.await.unwrap(), Close::Lagging);
    assert!(begun.elapsed() <= SEND_WITHIN + Duration::from_secs(2));
    assert_eq!(wire.got().len() / WELCOME_PACE, 30, "not before");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_closed_and_takes_nothing_is_given_up_with_its_reason() {
    let (_wire, outlet) = narrow(0);
    let begun = Instant::now();
    assert_eq!(outlet.offer(&frame(b"xy")), Offer::Taken);
    outlet.close(Close::Policy);
    assert_eq!(outlet.tend().await, Close::Policy);
    assert_eq!(begun.elapsed(), SEND_WITHIN);
}

#[tokio::test(start_paused = true)]
async fn who_is_shut_out_is_told_no_more_after_a_second_however_it_reads_and_others_hear_why() {
    for (why, hears_all) in [
        (Close::ShutOut, false),
        (Close::Failed, false),
        (Close::Policy, true),
    ] {
        let (wire, outlet) = narrow(0);
        let welcome = Bytes::from(vec![b'x'; 40 * WELCOME_PACE]);
        assert_eq!(outlet.offer_snapshot(&Frame::raw(welcome)), Offer::Taken);
        assert_eq!(outlet.offer(&frame(b"why")), Offer::Taken);
        let tending = tokio::spawn(tend(&outlet));
        outlet.close(why);
        let begun = Instant::now();
        while !tending.is_finished() {
            tokio::time::sleep(END_WITHIN / 4).await;
            wire.make_room(WELCOME_PACE / 4);
        }
        assert_eq!(tending.await.unwrap(), why);
        assert_eq!(begun.elapsed() > END_WITHIN * 2, hears_all);
        assert_eq!(outlet.is_amid_a_frame(), !hears_all);
        assert_eq!(wire.got().ends_with(b"why"), hears_all);
        let told = wire.got().len();
        wire.make_room(usize::MAX / 4);
        outlet.control(frame(b"pong"));
        assert_eq!(wire.got().len() > told, hears_all);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_shut_out_while_it_is_closed_for_something_milder_is_told_no_more_either() {
    for (first, then) in [
        (Close::Policy, Close::ShutOut),
        (Close::Normal, Close::Failed),
        (Close::ShutOut, Close::Policy),
    ] {
        let (wire, outlet) = narrow(0);
        let welcome = Bytes::from(vec![b'x'; 40 * WELCOME_PACE]);
        assert_eq!(outlet.offer_snapshot(&Frame::raw(welcome)), Offer::Taken);
        let tending = tokio::spawn(tend(&outlet));
        outlet.close(first);
        outlet.close(then);
        let begun = Instant::now();
        while !tending.is_finished() {
            tokio::time::sleep(END_WITHIN / 4).await;
            wire.make_room(WELCOME_PACE / 4);
        }
        assert!(tending.await.unwrap().is_at_once(), "{first:?} {then:?}");
        assert!(begun.elapsed() <= END_WITHIN * 2, "{first:?} {then:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_closed_and_pings_and_reads_a_little_for_ever_is_gone_in_the_end() {
    let (wire, outlet) = narrow(0);
    for _ in 0..limits::OUTBOX_MAX / 2 {
        assert_eq!(outlet.offer(&frame(b"fact")), Offer::Taken);
    }
    let tending = tokio::spawn(tend(&outlet));
    outlet.close(Close::Policy);
    let begun = Instant::now();
    while !tending.is_finished() && begun.elapsed() < SEND_WITHIN * 10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        outlet.control(frame(b"pong"));
        wire.make_room(4);
    }
    assert_eq!(tending.await.unwrap(), Close::Policy);
    assert!(begun.elapsed() <= SEND_WITHIN + Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_given_up_is_told_nothing_more() {
    let (wire, outlet) = narrow(1);
    assert_eq!(outlet.offer(&frame(b"xy")), Offer::Taken);
    assert_eq!(outlet.tend().await, Close::Lagging);
    wire.make_room(10);
    assert_eq!(outlet.offer(&frame(b"later")), Offer::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_happens_while_a_welcome_takes_minutes_waits_behind_it() {
    let (wire, outlet) = narrow(0);
    let welcome = Bytes::from(vec![b'x'; 600 * WELCOME_PACE]);
    assert_eq!(outlet.offer_snapshot(&Frame::raw(welcome)), Offer::Taken);
    let tending = tokio::spawn(tend(&outlet));
    let fact = frame(b"fact");
    let mut facts = 0;
    while outlet.is_welcoming() {
        tokio::time::sleep(Duration::from_millis(200)).await;
        wire.make_room(WELCOME_PACE / 5);
        assert_eq!(outlet.offer(&fact), Offer::Taken);
        facts += 1;
    }
    assert!(facts > limits::OUTBOX_MAX * 10, "{facts}");
    // What has waited behind it goes too, and is bounded as ever from then on.
    wire.make_room(facts * 4);
    yield_now().await;
    assert_eq!(outlet.offer(&fact), Offer::Taken);
    while outlet.lock().frames.len() > 1 {
        yield_now().await;
    }
    assert_eq!(outlet.lock().most, limits::OUTBOX_MAX);
    tending.abort();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_taken_everything_is_left_in_peace() {
    let (wire, outlet) = narrow(1);
    assert_eq!(outlet.offer(&frame(b"xy")), Offer::Taken);
    wire.make_room(1);
    assert!(timeout(SEND_WITHIN * 6, outlet.tend()).await.is_err());
    assert_eq!(wire.got(), b"xy");
}
