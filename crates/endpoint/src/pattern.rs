//! The test card: a site's name in its own colour, with a hand that turns so that one sees the picture live.
//!
//! Pixels only; nothing here knows of codecs or networks.

use crate::EndpointError;
use ab_glyph::{Font, FontRef, PxScale, ScaleFont};
use diemcau_model::SiteId;
use unicode_normalization::UnicodeNormalization;

/// Width of the card in pixels.
pub const WIDTH: u32 = 640;
/// Height of the card in pixels.
pub const HEIGHT: u32 = 360;

/// Inter SemiBold (OFL), cut down to Latin with every Vietnamese letter; licence beside it.
const FONT: &[u8] = include_bytes!("../font/Inter-SemiBold-vietnamese.otf");

// The plate of the dial fills whole macroblocks and looks the same on every card.
const PLATE_X: std::ops::Range<usize> = 480..608;
const PLATE_Y: std::ops::Range<usize> = 128..256;
const MARGIN: f32 = 40.0;
const NAME_WIDTH: f32 = 410.0;
const NAME_SIZES: [f32; 5] = [54.0, 46.0, 38.0, 31.0, 25.0];
const NAME_LINES: usize = 2;
const DIAL_X: f32 = 544.0;
const DIAL_Y: f32 = 192.0;
const DIAL_RADIUS: f32 = 56.0;
const HAND_LENGTH: f32 = 46.0;
const BARS_HEIGHT: usize = 48;
const RAMP_TOP: usize = 336;

const WHITE: Rgb = Rgb(245.0, 245.0, 245.0);
const PALE: Rgb = Rgb(200.0, 206.0, 214.0);
const PLATE: Rgb = Rgb(26.0, 28.0, 32.0);

/// A picture in planar YCbCr 4:2:0 (BT.601, studio range).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Luma, `WIDTH` x `HEIGHT`.
    pub y: Vec<u8>,
    /// Blue difference, half as wide and high.
    pub u: Vec<u8>,
    /// Red difference, half as wide and high.
    pub v: Vec<u8>,
}

/// The card of one site.
pub struct Card {
    canvas: Canvas,
}

impl Card {
    /// Draws what does not move: bars, name, dial.
    ///
    /// # Errors
    ///
    /// If the font that is part of this crate cannot be read.
    pub fn draw(site: SiteId, name: &str) -> Result<Self, EndpointError> {
        let font = FontRef::try_from_slice(FONT).map_err(EndpointError::pattern)?;
        let mut canvas = Canvas::filled(background(site));
        draw_bars(&mut canvas);
        draw_ramp(&mut canvas);
        draw_dial(&mut canvas);
        draw_words(&mut canvas, &font, &name.nfc().collect::<String>());
        Ok(Self { canvas })
    }

    /// A card of nobody: the dial alone, of which every site's dial is a copy.
    #[must_use]
    pub fn blank() -> Self {
        let mut canvas = Canvas::filled(PLATE);
        draw_dial(&mut canvas);
        Self { canvas }
    }

    /// The card without its hand.
    #[must_use]
    pub fn still(&self) -> Picture {
        self.canvas.picture()
    }

    /// The card with its hand at `turn` of a full circle, 0.0 at the top, clockwise.
    #[must_use]
    pub fn with_hand(&self, turn: f32) -> Picture {
        let mut canvas = self.canvas.clone();
        let (sin, cos) = (turn * std::f32::consts::TAU).sin_cos();
        let tip = (DIAL_X + sin * HAND_LENGTH, DIAL_Y - cos * HAND_LENGTH);
        canvas.line((DIAL_X, DIAL_Y), tip, 5.0, WHITE);
        canvas.line((DIAL_X, DIAL_Y), (DIAL_X, DIAL_Y), 12.0, WHITE);
        canvas.picture()
    }
}

#[derive(Clone, Copy)]
struct Rgb(f32, f32, f32);

/// Sites differ in hue by the golden angle: neighbours in the list are never alike.
fn background(site: SiteId) -> Rgb {
    let hue = (f32::from(site.0) * 137.508 + 210.0) % 360.0;
    let (chroma, light) = (52.0, 30.0);
    let sector = hue / 60.0;
    let second = chroma * (1.0 - (sector % 2.0 - 1.0).abs());
    let (r, g, b) = match sector as u8 {
        0 => (chroma, second, 0.0),
        1 => (second, chroma, 0.0),
        2 => (0.0, chroma, second),
        3 => (0.0, second, chroma),
        4 => (second, 0.0, chroma),
        _ => (chroma, 0.0, second),
    };
    Rgb(r + light, g + light, b + light)
}

/// The eight bars every technician knows, at three quarters of full strength.
fn draw_bars(canvas: &mut Canvas) {
    const ON: f32 = 191.0;
    for x in 0..WIDTH as usize {
        let bar = x * 8 / WIDTH as usize;
        let part = |bit: usize| if bar & bit == 0 { ON } else { 0.0 };
        for y in 0..BARS_HEIGHT {
            canvas.set(x, y, Rgb(part(2), part(4), part(1)));
        }
    }
}

fn draw_ramp(canvas: &mut Canvas) {
    for x in 0..WIDTH as usize {
        let step = (x / 40) as f32 * 17.0;
        for y in RAMP_TOP..HEIGHT as usize {
            canvas.set(x, y, Rgb(step, step, step));
        }
    }
}

fn draw_dial(canvas: &mut Canvas) {
    for y in PLATE_Y {
        for x in PLATE_X {
            canvas.set(x, y, PLATE);
        }
    }
    for minute in 0..12_u8 {
        let (sin, cos) = (f32::from(minute) / 12.0 * std::f32::consts::TAU).sin_cos();
        let inner = if minute % 3 == 0 { 8.0 } else { 4.0 };
        let at = |r: f32| (DIAL_X + sin * r, DIAL_Y - cos * r);
        canvas.line(
            at(DIAL_RADIUS - inner - 2.0),
            at(DIAL_RADIUS - 2.0),
            3.0,
            PALE,
        );
    }
}

fn draw_words(canvas: &mut Canvas, font: &FontRef<'_>, name: &str) {
    let (size, lines) = fit(font, name);
    let height = size * 1.25;
    let block = height * lines.len() as f32 + 34.0;
    let mut top = DIAL_Y - block / 2.0;
    for line in &lines {
        canvas.text(font, line, size, MARGIN, top + size, WHITE);
        top += height;
    }
    canvas.text(font, "Tín hiệu thử", 22.0, MARGIN, top + 28.0, PALE);
}

/// The largest size at which the name stands in two lines; the smallest one cuts what is left over.
fn fit(font: &FontRef<'_>, name: &str) -> (f32, Vec<String>) {
    for size in NAME_SIZES {
        let lines = wrap(font, name, size);
        let fits = lines
            .iter()
            .all(|l| text_width(font, l, size) <= NAME_WIDTH);
        if fits && lines.len() <= NAME_LINES {
            return (size, lines);
        }
    }
    let size = NAME_SIZES[NAME_SIZES.len() - 1];
    let mut lines = wrap(font, name, size);
    lines.truncate(NAME_LINES);
    (size, lines)
}

fn wrap(font: &FontRef<'_>, name: &str, size: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in name.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(font, &format!("{line} {word}"), size) <= NAME_WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn text_width(font: &FontRef<'_>, text: &str, size: f32) -> f32 {
    let scaled = font.as_scaled(PxScale::from(size));
    text.chars()
        .map(|c| scaled.h_advance(font.glyph_id(c)))
        .sum()
}

#[derive(Clone)]
struct Canvas {
    pixels: Vec<Rgb>,
}

impl Canvas {
    fn filled(colour: Rgb) -> Self {
        Self {
            pixels: vec![colour; (WIDTH * HEIGHT) as usize],
        }
    }

    fn set(&mut self, x: usize, y: usize, colour: Rgb) {
        self.blend(x, y, colour, 1.0);
    }

    /// Pixels outside the canvas are left out.
    fn blend(&mut self, x: usize, y: usize, colour: Rgb, cover: f32) {
        if x >= WIDTH as usize || y >= HEIGHT as usize {
            return;
        }
        if let Some(p) = self.pixels.get_mut(y * WIDTH as usize + x) {
            let mix = |below: f32, above: f32| below + (above - below) * cover;
            *p = Rgb(mix(p.0, colour.0), mix(p.1, colour.1), mix(p.2, colour.2));
        }
    }

    fn text(&mut self, font: &FontRef<'_>, text: &str, size: f32, x: f32, base: f32, colour: Rgb) {
        let scaled = font.as_scaled(PxScale::from(size));
        let mut pen = x;
        for c in text.chars() {
            let id = font.glyph_id(c);
            let glyph = id.with_scale_and_position(size, ab_glyph::point(pen, base));
            pen += scaled.h_advance(id);
            if let Some(outline) = font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|dx, dy, cover| {
                    let (px, py) = (corner.x + dx as f32, corner.y + dy as f32);
                    if px >= 0.0 && py >= 0.0 {
                        self.blend(px as usize, py as usize, colour, cover.min(1.0));
                    }
                });
            }
        }
    }

    /// A line with round ends; of no length it is a dot.
    fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, colour: Rgb) {
        let half = width / 2.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length2 = (dx * dx + dy * dy).max(f32::EPSILON);
        let span = |a: f32, b: f32| {
            let low = (a.min(b) - half - 1.0).max(0.0) as usize;
            low..=(a.max(b) + half + 1.0) as usize
        };
        for y in span(from.1, to.1) {
            for x in span(from.0, to.0) {
                let (px, py) = (x as f32 - from.0, y as f32 - from.1);
                let along = ((px * dx + py * dy) / length2).clamp(0.0, 1.0);
                let away = (px - along * dx).hypot(py - along * dy);
                let cover = (half + 0.5 - away).clamp(0.0, 1.0);
                if cover > 0.0 {
                    self.blend(x, y, colour, cover);
                }
            }
        }
    }

    fn picture(&self) -> Picture {
        let y = self
            .pixels
            .iter()
            .map(|p| (16.0 + 0.2568 * p.0 + 0.5041 * p.1 + 0.0979 * p.2).round() as u8)
            .collect();
        let (mut u, mut v) = (Vec::new(), Vec::new());
        let width = WIDTH as usize;
        for rows in self.pixels.chunks_exact(width * 2) {
            let (upper, lower) = rows.split_at(width);
            for (a, b) in upper.chunks_exact(2).zip(lower.chunks_exact(2)) {
                let four = || a.iter().chain(b);
                let mean = |part: fn(&Rgb) -> f32| four().map(part).sum::<f32>() / 4.0;
                let (r, g, b) = (mean(|p| p.0), mean(|p| p.1), mean(|p| p.2));
                u.push((128.0 - 0.1482 * r - 0.2910 * g + 0.4392 * b).round() as u8);
                v.push((128.0 + 0.4392 * r - 0.3678 * g - 0.0714 * b).round() as u8);
            }
        }
        Picture { y, u, v }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vietnamese_letter_has_a_glyph() {
        let font = FontRef::try_from_slice(FONT).unwrap();
        let letters = "aăâbcdđeêghiklmnoôơpqrstuưvxy";
        let tones = ["", "\u{300}", "\u{301}", "\u{303}", "\u{309}", "\u{323}"];
        for letter in letters.chars().chain(letters.to_uppercase().chars()) {
            let toned = if "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY".contains(letter) {
                &tones[..]
            } else {
                &tones[..1]
            };
            for tone in toned {
                let text: String = format!("{letter}{tone}").nfc().collect();
                assert_eq!(text.chars().count(), 1, "{text} is one letter");
                let c = text.chars().next().unwrap();
                assert_ne!(font.glyph_id(c).0, 0, "{c} has a glyph");
                assert!(font.outline(font.glyph_id(c)).is_some(), "{c} has a shape");
            }
        }
    }

    #[test]
    fn diacritics_change_the_picture_and_composition_does_not() {
        let card = |name: &str| Card::draw(SiteId(3), name).unwrap().still();
        assert_ne!(card("Tháp Mười"), card("Thap Muoi"));
        let apart: String = "Tháp Mười".nfd().collect();
        assert_eq!(card("Tháp Mười"), card(&apart));
    }

    #[test]
    fn sites_differ_in_colour_and_the_hand_moves() {
        let card = |site| Card::draw(SiteId(site), "Cao Lãnh").unwrap();
        assert_ne!(card(1).still().u, card(2).still().u);
        let one = card(1);
        assert_eq!(one.with_hand(0.25), one.with_hand(0.25));
        assert_ne!(one.with_hand(0.25).y, one.with_hand(0.5).y);
        assert_ne!(one.with_hand(0.25).y, one.still().y);
    }

    #[test]
    fn a_name_longer_than_any_stays_in_two_lines() {
        let font = FontRef::try_from_slice(FONT).unwrap();
        let (size, lines) = fit(&font, &"Ủy ban nhân dân ".repeat(20));
        assert_eq!(size, 25.0);
        assert_eq!(lines.len(), 2);
        let (size, lines) = fit(&font, "Sa Đéc");
        assert_eq!((size, lines.len()), (54.0, 1));
    }
}
