//! Tables of a SQLite 3 database, row by row.

use crate::{
    Checked,
    pages::{Pages, be, spot},
};

/// Deeper than any table of 2^31 pages.
const DEPTH_MAX: usize = 20;
const BROKEN: &str = "the page is not put together as SQLite does it";

/// A row: its id, and its columns as their kind and their bytes.
pub(crate) struct Row {
    pub id: i64,
    columns: Vec<(u64, Vec<u8>)>,
}

type Each<'e> = &'e mut dyn FnMut(Row) -> Checked<()>;

impl Pages {
    /// All rows of the table whose first page this is, in the order of their ids.
    pub fn rows(&mut self, root: u32, each: Each<'_>) -> Checked<()> {
        let mut last = i64::MIN;
        self.walk(root, 0, &mut last, each)
    }

    /// `last` is the last id that was met: ids only grow.
    fn walk(&mut self, number: u32, depth: usize, last: &mut i64, each: Each<'_>) -> Checked<()> {
        self.here.clear();
        let page = self.page(number)?;
        let whole = self.here.clone();
        let head = if number == 1 { 100 } else { 0 };
        let field = |at, length| be(&page, head + at, length).map_or(0, |field| field as usize);
        let is_leaf = field(0, 1) == 13;
        if !is_leaf && field(0, 1) != 5 || depth > DEPTH_MAX {
            return Err(BROKEN);
        }
        let pointers = head + if is_leaf { 8 } else { 12 };
        let (count, mut used) = (field(3, 2), 0);
        for cell in 0..count {
            let at = be(&page, pointers + 2 * cell, 2).ok_or(BROKEN)? as usize;
            let id = if is_leaf {
                let (row, length) = self.leaf(&page, at)?;
                let id = row.id;
                if id <= *last {
                    return Err("its number does not grow");
                }
                each(row)?;
                used += length.max(4);
                id
            } else {
                let child = be(&page, at, 4).ok_or(BROKEN)? as u32;
                let (id, length) = varint(&page, at + 4).ok_or(BROKEN)?;
                self.walk(child, depth + 1, last, each)?;
                used += 4 + length;
                id
            };
            self.here.clone_from(&whole);
            if *last > id {
                return Err(BROKEN);
            }
            *last = id;
        }
        // Each byte of the content area is a cell's, or is accounted for as free.
        let free = free_blocks(&page, field(1, 2)).ok_or(BROKEN)? + field(7, 1);
        let start = if field(5, 2) == 0 {
            65_536
        } else {
            field(5, 2)
        };
        if start < pointers + 2 * count || start + used + free != page.len() {
            return Err(BROKEN);
        }
        match is_leaf {
            true => Ok(()),
            false => self.walk(field(8, 4) as u32, depth + 1, last, each),
        }
    }

    /// A row, and how many bytes of its page it takes.
    fn leaf(&mut self, page: &[u8], at: usize) -> Checked<(Row, usize)> {
        let (length, first) = varint(page, at).ok_or(BROKEN)?;
        let (id, second) = varint(page, at + first).ok_or(BROKEN)?;
        let length = usize::try_from(length).map_err(|_| BROKEN)?;
        let (start, local) = (at + first + second, local_length(length, page.len()));
        let here = page.get(start..start.saturating_add(local));
        let mut payload = here.ok_or(BROKEN)?.to_vec();
        let pointer = if local < length { 4 } else { 0 };
        let mut next = be(page, start + local, pointer).ok_or(BROKEN)?;
        let taken = first + second + local + pointer;
        let page_starts = self
            .here
            .first()
            .map_or(0, |page| page.bytes.start as usize);
        let file = self.here.first().map_or("", |page| page.file);
        self.here = vec![spot(file, page_starts + at, taken)];
        while payload.len() < length {
            let over = self.page(next as u32)?;
            next = be(&over, 0, 4).ok_or(BROKEN)?;
            payload.extend(over[4..].iter().take(length - payload.len()));
        }
        let columns = columns(&payload).filter(|_| next == 0);
        let columns = columns.ok_or("the row is not put together as SQLite does it")?;
        Ok((Row { id, columns }, taken))
    }
}

impl Row {
    pub fn number(&self, column: usize) -> Option<i64> {
        let (kind, bytes) = self.columns.get(column)?;
        match kind {
            8 | 9 => Some(*kind as i64 - 8),
            1..=6 => {
                let unused = 64 - 8 * bytes.len() as u32;
                Some((be(bytes, 0, bytes.len())? << unused) as i64 >> unused)
            }
            _ => None,
        }
    }

    pub fn blob(&self, column: usize) -> Option<&[u8]> {
        let (kind, bytes) = self.columns.get(column)?;
        (*kind >= 12 && kind % 2 == 0).then_some(bytes)
    }

    pub fn text(&self, column: usize) -> Option<&str> {
        let (kind, bytes) = self.columns.get(column)?;
        str::from_utf8(bytes)
            .ok()
            .filter(|_| kind % 2 == 1 && *kind > 12)
    }

    /// So many columns, the first of them given by the row's id.
    pub fn is_numbered(&self, columns: usize) -> bool {
        self.columns.len() == columns && self.columns.first() == Some(&(0, vec![]))
    }
}

/// How much of a row stays on its page (the published formula).
fn local_length(length: usize, page: usize) -> usize {
    let (most, least) = (page - 35, (page - 12) * 32 / 255 - 23);
    if length <= most {
        return length;
    }
    let wanted = least + (length - least) % (page - 4);
    if wanted <= most { wanted } else { least }
}

/// The bytes of the free blocks, which stand in order.
fn free_blocks(page: &[u8], first: usize) -> Option<usize> {
    let (mut at, mut free) = (first, 0);
    while at != 0 {
        let (next, size) = (be(page, at, 2)? as usize, be(page, at + 2, 2)? as usize);
        if next != 0 && next < at + 4 {
            return None;
        }
        (at, free) = (next, free + size);
    }
    Some(free)
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

fn columns(payload: &[u8]) -> Option<Vec<(u64, Vec<u8>)>> {
    let (head, mut at) = varint(payload, 0)?;
    let (mut columns, mut data) = (vec![], usize::try_from(head).ok()?);
    let head = data;
    while at < head {
        let (kind, taken) = varint(payload, at)?;
        let kind = u64::try_from(kind).ok()?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 => 8,
            12.. => (kind - 12) / 2,
            _ => return None,
        };
        let end = data.checked_add(usize::try_from(length).ok()?)?;
        columns.push((kind, payload.get(data..end)?.to_vec()));
        (at, data) = (at + taken, end);
    }
    (at == head && data == payload.len()).then_some(columns)
}
