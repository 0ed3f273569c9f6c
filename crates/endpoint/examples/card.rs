//! Writes a site's test card and tone into files, to look at and listen to without a conference:
//! `cargo run -p diemcau-endpoint --example card -- 3 "Thành phố Sa Đéc" /tmp/card` makes `/tmp/card.webp` (the
//! key frame, any browser shows it), `/tmp/card.ivf` (the film) and `/tmp/card.opus-packets` (length-prefixed).

use diemcau_endpoint::encode::{FPS, Film};
use diemcau_endpoint::pattern::{Card, HEIGHT, WIDTH};
use diemcau_endpoint::tone;
use diemcau_model::SiteId;
use std::error::Error;
use std::fs;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(site), Some(name), Some(to)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: card SITE-NUMBER NAME FILE-WITHOUT-ENDING".into());
    };
    let site = SiteId(site.parse()?);
    let begun = Instant::now();
    let film = Film::encode(&Card::draw(site, &name)?)?;
    let (drawn, begun) = (begun.elapsed(), Instant::now());
    let tone = tone::encode(site)?;
    println!("film {drawn:?}, tone {:?}", begun.elapsed());
    let bytes: usize = film.frames.iter().map(|f| f.len()).sum();
    println!("key frame {} B, a round {bytes} B", film.key.len());

    fs::write(format!("{to}.webp"), webp(&film.key))?;
    fs::write(format!("{to}.ivf"), ivf(&film))?;
    let mut packets = Vec::new();
    for packet in tone {
        packets.extend(u16::try_from(packet.opus.len())?.to_le_bytes());
        packets.extend(&packet.opus);
    }
    fs::write(format!("{to}.opus-packets"), packets)?;
    Ok(())
}

/// A lossy WebP is a VP8 key frame in a RIFF file.
fn webp(key: &[u8]) -> Vec<u8> {
    let padded = key.len().next_multiple_of(2);
    let mut file = b"RIFF".to_vec();
    file.extend((padded as u32 + 12).to_le_bytes());
    file.extend(b"WEBPVP8 ");
    file.extend((key.len() as u32).to_le_bytes());
    file.extend(key);
    file.resize(20 + padded, 0);
    file
}

/// The key frame, the round, the key frame again, and the round in another order.
fn ivf(film: &Film) -> Vec<u8> {
    let round = || film.frames.iter();
    let frames: Vec<_> = [&film.key]
        .into_iter()
        .chain(round())
        .chain([&film.key])
        .chain(round().rev())
        .collect();
    let mut file = b"DKIF\0\0\x20\0VP80".to_vec();
    file.extend((WIDTH as u16).to_le_bytes());
    file.extend((HEIGHT as u16).to_le_bytes());
    file.extend(FPS.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file.extend((frames.len() as u64).to_le_bytes());
    for (n, frame) in frames.into_iter().enumerate() {
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend((n as u64).to_le_bytes());
        file.extend(frame);
    }
    file
}
