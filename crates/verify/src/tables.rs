//! Tables of a SQLite 3 database, row by row.

use crate::pages::{PAGE, Pages, be};
use crate::{Checked, Spot, ensure};
use std::mem;

/// Deeper than any table of 2^31 pages.
const DEPTH_MAX: usize = 20;
const LEAF: usize = 13;
const INNER: usize = 5;
const BROKEN: &str = "the page is not put together as SQLite does it";
/// Readers search by id from the first page down: each is higher than the one before it, and the key above a page is the
/// last id below.
const UNFOUND: &str = "a search by number does not find what stands here";

/// What stands in a column.
pub(crate) enum Value {
    Null,
    Number(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// What is done with a row: its id, its columns, and where it stands.
type Each<'e> = &'e mut dyn FnMut(i64, Vec<Value>, &[Spot]) -> Checked<()>;

impl Pages {
    /// All rows of the table that begins at page `root`, `depth` pages below its first, in the order of the table.
    pub fn rows(&mut self, root: u32, depth: usize, each: Each<'_>) -> Checked<()> {
        // A page that cannot be had is told by the one that points at it.
        let above = self.here.len();
        let page = self.page(root)?;
        self.here.drain(..above);
        let whole = self.here.clone();
        let head = if root == 1 { 100 } else { 0 };
        let field = |at, length| be(&page, head + at, length).map_or(0, |field| field as usize);
        let cells = match field(0, 1) {
            LEAF => head + 8,
            INNER if depth < DEPTH_MAX => head + 12,
            _ => return Err(BROKEN),
        };
        self.id = if depth > 0 { self.id } else { 0 };
        let mut taken = field(7, 1);
        for cell in 0..field(3, 2) {
            let at = be(&page, cells + 2 * cell, 2).ok_or(BROKEN)? as usize;
            taken += match field(0, 1) {
                LEAF => self.row(&page, at, each)?,
                _ => {
                    self.rows(be(&page, at, 4).ok_or(BROKEN)? as u32, depth + 1, each)?;
                    self.here.clone_from(&whole);
                    let (key, length) = varint(&page, at + 4).ok_or(BROKEN)?;
                    ensure(key == self.id, UNFOUND)?;
                    4 + length
                }
            };
            self.here.clone_from(&whole);
        }
        // Rows are put one below the other, and a list names what is free between them: none is hidden under another.
        let (start, mut free) = (field(5, 2), field(1, 2));
        let mut least = start;
        while free > least {
            let size = be(&page, free + 2, 2).ok_or(BROKEN)? as usize;
            (taken, least) = (taken + size, free + size + 3);
            free = be(&page, free, 2).ok_or(BROKEN)? as usize;
        }
        ensure((free, start + taken) == (0, PAGE), BROKEN)?;
        match field(0, 1) {
            LEAF => Ok(()),
            _ => self.rows(field(8, 4) as u32, depth + 1, each),
        }
    }

    /// Reads the row that begins at `at`; how many bytes of the page it takes.
    fn row(&mut self, page: &[u8], at: usize, each: Each<'_>) -> Checked<usize> {
        let (length, first) = varint(page, at).ok_or(BROKEN)?;
        let (id, second) = varint(page, at + first).ok_or(BROKEN)?;
        let length = usize::try_from(length).map_err(|_| BROKEN)?;
        let (start, local) = (at + first + second, local_length(length));
        let mut payload = page.get(start..start + local).ok_or(BROKEN)?.to_vec();
        let pointer = if local < length { 4 } else { 0 };
        let mut next = be(page, start + local, pointer).ok_or(BROKEN)?;
        let end = start + local + pointer;
        if let Some(Spot { bytes, .. }) = self.here.last_mut() {
            *bytes = bytes.start + at as u64..bytes.start + end as u64;
        }
        while payload.len() < length {
            let over = self.page(next as u32)?;
            next = be(&over, 0, 4).ok_or(BROKEN)?;
            payload.extend(over[4..].iter().take(length - payload.len()));
        }
        let columns = columns(&payload).filter(|_| next == 0).ok_or(BROKEN)?;
        each(id, columns, &self.here)?;
        ensure(id > mem::replace(&mut self.id, id), UNFOUND)?;
        Ok(end - at)
    }
}

/// How much of a row stays on its page (the published formula).
fn local_length(length: usize) -> usize {
    const MOST: usize = PAGE - 35;
    const LEAST: usize = (PAGE - 12) * 32 / 255 - 23;
    if length <= MOST {
        return length;
    }
    let wanted = LEAST + (length - LEAST) % (PAGE - 4);
    if wanted <= MOST { wanted } else { LEAST }
}

/// A number of one to nine bytes, and how many they are.
fn varint(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let mut number = 0;
    for length in 1..=8 {
        let byte = i64::from(*bytes.get(at.checked_add(length - 1)?)?);
        number = number << 7 | byte & 0x7F;
        if byte < 0x80 {
            return Some((number, length));
        }
    }
    Some((number << 8 | i64::from(*bytes.get(at + 8)?), 9))
}

fn columns(payload: &[u8]) -> Option<Vec<Value>> {
    let (head, mut at) = varint(payload, 0)?;
    let head = usize::try_from(head).ok()?;
    let (mut columns, mut data) = (vec![], head);
    while at < head {
        let (kind, taken) = varint(payload, at)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=6 => [1, 2, 3, 4, 6, 8][kind as usize - 1],
            12.. => (kind - 12) / 2,
            _ => return None,
        };
        let bytes = payload.get(data..data.checked_add(length as usize)?)?;
        columns.push(match kind {
            0 => Value::Null,
            8 | 9 => Value::Number(kind - 8),
            1..=6 => {
                let unused = 64 - 8 * length as u32;
                Value::Number((be(bytes, 0, bytes.len())? << unused) as i64 >> unused)
            }
            _ if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
        });
        (at, data) = (at + taken, data + bytes.len());
    }
    (at == head && data == payload.len()).then_some(columns)
}
