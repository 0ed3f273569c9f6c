use super::super::open::OF_SUBSCRIBER_MAX;
use super::super::outbox::WAITING_MAX_BYTES;
use super::super::outbox::tests::{Programme, SOUND, framed};
use super::*;
use crate::engine::Cargo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

async fn client(port: &TcpPort) -> TcpStream {
    TcpStream::connect(port.local_addr()).await.unwrap()
}

fn port() -> TcpPort {
    TcpPort::bind("127.0.0.1:0".parse().unwrap()).unwrap()
}

async fn next(port: &mut TcpPort) -> (Vec<u8>, SocketAddr) {
    let mut next = None;
    port.readable().await;
    port.receive(1, |datagram, from| {
        next = Some((datagram.to_vec(), from.client))
    });
    next.unwrap()
}

#[tokio::test]
async fn datagrams_come_whole_however_they_are_torn_and_go_back_the_same_way() {
    let mut port = port();
    let mut client = client(&port).await;
    let bytes = [framed(b"one"), framed(b""), framed(&[7; FRAME_MAX_BYTES])].concat();
    for piece in bytes.chunks(700) {
        client.write_all(piece).await.unwrap();
    }
    let (first, from) = next(&mut port).await;
    let (second, again) = next(&mut port).await;
    assert_eq!(
        (&first[..], &second[..]),
        (&b"one"[..], &[7; FRAME_MAX_BYTES][..])
    );
    assert_eq!(from, again);
    assert!(TcpPort::is_tcp(from));

    let run = Run {
        to: from.into(),
        segment: 4,
        bytes: b"fourfourend",
    };
    assert_eq!(port.send(run), 0);
    let mut back = vec![0; 6 + 6 + 5];
    client.read_exact(&mut back).await.unwrap();
    assert_eq!(
        back,
        [framed(b"four"), framed(b"four"), framed(b"end")].concat()
    );
}

#[tokio::test]
async fn a_frame_that_is_too_long_ends_the_connection_and_disturbs_no_other() {
    let mut port = port();
    let (mut bad, mut good) = (client(&port).await, client(&port).await);
    bad.write_all(&framed(&[1; FRAME_MAX_BYTES + 1]))
        .await
        .unwrap();
    good.write_all(&framed(b"here")).await.unwrap();
    assert_eq!(&next(&mut port).await.0[..], b"here");
    let ended = bad.read(&mut [0; 8]).await;
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
}

#[tokio::test]
async fn whoever_sends_frames_of_nothing_is_cut_and_disturbs_no_other() {
    let mut port = port();
    let (mut bad, mut good) = (client(&port).await, client(&port).await);
    // A client that proved itself, so that nothing else cuts it before it has been silent.
    bad.write_all(&framed(b"proof")).await.unwrap();
    let (_, from) = next(&mut port).await;
    port.keep(from);
    bad.write_all(&framed(b"").repeat(EMPTY_MAX as usize + 1))
        .await
        .unwrap();
    good.write_all(&framed(b"here")).await.unwrap();
    assert_eq!(&next(&mut port).await.0[..], b"here");
    let ended = timeout(SILENT_MAX / 2, bad.read(&mut [0; 8])).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
}

#[tokio::test]
async fn what_a_client_does_not_take_is_dropped_beyond_a_bound() {
    let mut port = port();
    let mut client = client(&port).await;
    client.write_all(&framed(b"here")).await.unwrap();
    let (_, from) = next(&mut port).await;
    let datagram = [9; 1_200];
    // Nothing is written between two sends: the task that writes has no turn.
    let dropped: u64 = (0..1_000)
        .map(|_| port.send(Run::one(from, &datagram)))
        .sum();
    let kept = WAITING_MAX_BYTES as u64 / 1_202;
    assert!(dropped >= 1_000 - kept - 1, "{dropped}");
    assert!(dropped < 1_000);
}

#[tokio::test]
async fn whom_no_leg_answers_is_cut_whatever_it_says_and_a_client_stays() {
    let (mut port, mut all) = (port(), vec![]);
    for _ in 0..3 {
        let mut one = client(&port).await;
        one.write_all(&framed(&[0])).await.unwrap();
        all.push((one, next(&mut port).await.1, 0));
    }
    let [stranger, leaves, stays] = [0, 1, 2];
    port.keep(all[leaves].1);
    port.keep(all[stays].1);
    tokio::time::pause();
    let begun = std::time::Instant::now();
    for second in 1..=30 {
        tokio::time::advance(Duration::from_secs(1)).await;
        for (one, ..) in &all {
            let _ = one.try_write(&framed(&[second]));
        }
        while all[stays].2 < second {
            assert!(begun.elapsed() < Duration::from_secs(20), "a client is cut");
            port.receive(INBOX, |datagram, from| {
                let one = all.iter_mut().find(|(_, at, _)| *at == from.client);
                one.unwrap().2 = datagram[0];
            });
            tokio::task::yield_now().await;
        }
        if second == 10 {
            port.forget(all[leaves].1);
        }
    }
    // Five seconds, and the turn that a task waits for.
    assert!(all[stranger].2 <= 6, "{}", all[stranger].2);
    assert!((10..=13).contains(&all[leaves].2), "{}", all[leaves].2);
    tokio::time::resume();
    for gone in [stranger, leaves] {
        let ended = all[gone].0.read(&mut [0; 8]).await;
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    }
}

/// Time passes by what the client reads: 320 bytes are ten milliseconds of a road of 256 kbit/s.
#[tokio::test]
async fn a_client_that_takes_little_hears_what_is_said_now_and_its_pictures_give_way() {
    const STEP: Duration = Duration::from_millis(10);
    const AGE_MAX: Duration = Duration::from_millis(600);
    let mut port = port();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut client = socket.connect(port.local_addr()).await.unwrap();
    client.write_all(&framed(b"here")).await.unwrap();
    let (_, from) = next(&mut port).await;
    port.keep(from);
    let mut programme = Programme::to(from);
    tokio::time::pause();

    let (mut came, mut sounds, mut pictures) = (vec![], 0, 0);
    for step in 0_u32..1_000 {
        let now = STEP * step;
        let stamp = u32::try_from(now.as_millis()).unwrap();
        // 1.5 Mbit/s of pictures, and fifty sounds a second.
        if step % 2 == 0 {
            let sound = programme.packet(SOUND, stamp, 100);
            port.send(Run::one(from, &sound));
        }
        for _ in 0..if step % 2 == 0 { 1 } else { 2 } {
            let picture = programme.packet(0, stamp, 1_210);
            port.send(Run::one(from, &picture));
        }
        take(&client, 320, &mut came).await;
        while let Some(datagram) = whole(&mut came) {
            if Cargo::of(&datagram) != Cargo::Sound {
                pictures += 1;
                continue;
            }
            let said = datagram[4..8].try_into().map(u32::from_be_bytes).unwrap();
            assert_eq!(said, sounds * 20, "a sound is lost");
            let age = now - Duration::from_millis(said.into());
            assert!(age < AGE_MAX, "{age:?} late after {now:?}");
            sounds += 1;
        }
        tokio::time::advance(STEP).await;
    }
    assert!(sounds >= 470, "{sounds}");
    assert!(pictures > 100, "the rest of the road is theirs: {pictures}");
}

/// Reads so many bytes. Nobody sleeps, or the clock that stands still would jump.
async fn take(client: &TcpStream, mut bytes: usize, came: &mut Vec<u8>) {
    let begun = std::time::Instant::now();
    let mut buffer = [0; 1_024];
    while bytes > 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing comes");
        match client.try_read(&mut buffer[..bytes]) {
            Ok(read) => {
                came.extend_from_slice(&buffer[..read]);
                bytes -= read;
            }
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// The first datagram, once it is whole.
fn whole(came: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = came.first_chunk().copied().map(u16::from_be_bytes)?;
    let end = 2 + usize::from(length);
    (came.len() >= end).then(|| came.drain(..end).skip(2).collect())
}

/// Connects, and says so; none if it was turned away.
async fn told(port: &mut TcpPort) -> Option<(TcpStream, SocketAddr)> {
    let mut one = client(port).await;
    let is_sent = one.write_all(&framed(b"here")).await.is_ok();
    let mut end = [0; 8];
    let from = tokio::select! {
        (_, from) = next(port), if is_sent => from,
        _ = one.read(&mut end) => return None,
    };
    Some((one, from))
}

/// Until the server has noticed what became of the others, one more is turned away.
async fn told_at_last(port: &mut TcpPort) -> TcpStream {
    loop {
        if let Some((one, _)) = told(port).await {
            return one;
        }
    }
}

#[tokio::test]
async fn an_address_has_so_many_connections_that_are_no_clients_until_one_is_closed_or_answered() {
    let mut port = port();
    let mut all = vec![];
    for _ in 0..OF_SUBSCRIBER_MAX {
        all.push(told(&mut port).await.unwrap());
    }
    assert!(told(&mut port).await.is_none());
    drop(all.pop());
    let closed = told_at_last(&mut port).await;
    assert!(told(&mut port).await.is_none());
    port.keep(all[0].1);
    let answered = told_at_last(&mut port).await;
    assert!(told(&mut port).await.is_none());
    drop((closed, answered));
}

#[test]
fn an_address_stands_for_one_connection_and_for_no_machine() {
    assert_ne!(stands_for(1, 9), stands_for(2, 9));
    assert!(TcpPort::is_tcp(stands_for(u32::MAX, 9)));
    for machine in [
        "127.0.0.1:9",
        "192.168.1.7:9",
        "255.255.255.255:9",
        "[::1]:9",
    ] {
        assert!(!TcpPort::is_tcp(machine.parse().unwrap()));
    }
}

/// What a stranger may write: each whole frame comes out once and in order, and nothing of the first that is none.
#[test]
fn fuzz_tcp_frames() {
    let fuzz = diemcau_fuzz::Fuzz {
        name: "tcp_frames",
        corpus: "corpus/tcp_frames",
        words: &["\0\u{1}x", "\u{8}\0", "\0\0"],
        inputs: 100_000,
        longest: 4_096,
    };
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().build().unwrap();
    let client = stands_for(1, 9);
    fuzz.run(|input| {
        let (tell, mut news) = mpsc::channel(input.len() + 1);
        runtime.block_on(read(input, client, &tell));
        let mut rest = input;
        let mut frames = 0_u64;
        while let Ok(News::Datagram(from, datagram)) = news.try_recv() {
            assert_eq!(from, client);
            // Empty frames are passed over.
            while let [0, 0, behind @ ..] = rest {
                rest = behind;
            }
            let whole = framed(&datagram);
            rest = rest.strip_prefix(&whole[..]).expect("out of order");
            assert!(datagram.len() <= FRAME_MAX_BYTES);
            frames += 1;
        }
        diemcau_fuzz::outcome((frames, rest.len().min(3)))
    });
}
