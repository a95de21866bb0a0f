//! What is inside an old Office file (OLE compound file): enough to tell them apart, and to look
//! at an .xls before calamine does, which trusts what the file says of its own size.

/// A compound file's folder and chains of sectors.
pub(super) struct Compound<'a> {
    bytes: &'a [u8],
    sector: usize,
    /// For each sector, the next one.
    next: Vec<u32>,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    first: u32,
    size: usize,
}

const LAST: u32 = 0xffff_fffa;

impl<'a> Compound<'a> {
    /// None where it is no such file, or broken.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let shift = u16_at(bytes, 30)?;
        if !matches!(shift, 9 | 12) {
            return None;
        }
        let mut compound = Self {
            bytes,
            sector: 1 << shift,
            next: Vec::new(),
            entries: Vec::new(),
        };
        compound.read_chains()?;
        let folder = compound.chain(u32_at(bytes, 48)?, usize::MAX)?;
        compound.entries = folder.chunks_exact(128).filter_map(entry).collect();
        Some(compound)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// A stream of at least 4 KB; shorter ones lie elsewhere, and no table is so short.
    pub(super) fn stream(&self, name: &str) -> Option<Vec<u8>> {
        let entry = self.entries.iter().find(|entry| entry.name == name)?;
        self.chain(entry.first, entry.size)
    }

    /// The list of sectors that hold the chains: 109 in the header, the rest in sectors of its own.
    fn read_chains(&mut self) -> Option<()> {
        let mut listed: Vec<u32> = (0..109)
            .filter_map(|index| u32_at(self.bytes, 76 + index * 4))
            .collect();
        let most = self.bytes.len() / self.sector + 1;
        let mut further = u32_at(self.bytes, 68)?;
        let mut seen = 0;
        while further < LAST && seen < most {
            let sector = self.sector_at(further)?;
            let (list, link) = sector.split_at_checked(self.sector - 4)?;
            listed.extend(numbers(list));
            further = u32_at(link, 0)?;
            seen += 1;
        }
        listed.retain(|sector| *sector < LAST);
        listed.truncate(most);
        for sector in listed {
            let chains = numbers(self.sector_at(sector)?).collect::<Vec<_>>();
            self.next.extend(chains);
        }
        Some(())
    }

    fn chain(&self, first: u32, size: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut sector = first;
        while sector < LAST && bytes.len() < size {
            bytes.extend_from_slice(self.sector_at(sector)?);
            // A chain that bites its tail.
            if bytes.len() > self.bytes.len() {
                return None;
            }
            sector = *self.next.get(usize::try_from(sector).ok()?)?;
        }
        bytes.truncate(size);
        Some(bytes)
    }

    fn sector_at(&self, index: u32) -> Option<&'a [u8]> {
        let index = usize::try_from(index).ok()?;
        let from = index.checked_add(1)?.checked_mul(self.sector)?;
        let rest = self.bytes.get(from..)?;
        // The last sector may be cut short.
        Some(rest.get(..self.sector).unwrap_or(rest))
    }
}

/// Why an .xls is not handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    Encrypted,
    TooMuch,
    Damaged,
}

/// What calamine does not tell of a worksheet: rows that do not show, by their number.
pub(super) type HiddenRows = Vec<(u32, Vec<u32>)>;

/// Walks the records of a workbook as calamine will, adding up what it will allocate.
///
/// Gives for each worksheet, by where it begins, the rows that do not show.
pub(super) fn look_through(stream: &[u8]) -> Result<HiddenRows, Unfit> {
    /// Cells of all worksheets, blank ones between them included; calamine keeps each.
    const MOST_CELLS: u64 = 2_000_000;
    let mut cells = 0_u64;
    let mut hidden = Vec::new();
    for begin in worksheets(stream)? {
        let from = usize::try_from(begin).ok();
        let sheet = from
            .and_then(|from| stream.get(from..))
            .ok_or(Unfit::Damaged)?;
        let (area, rows) = extent(sheet)?;
        cells = cells.saturating_add(area);
        if cells > MOST_CELLS {
            return Err(Unfit::TooMuch);
        }
        hidden.push((begin, rows));
    }
    Ok(hidden)
}

/// Where the worksheets begin.
fn worksheets(stream: &[u8]) -> Result<Vec<u32>, Unfit> {
    const MOST: usize = 1_000;
    let mut found = Vec::new();
    for (kind, data) in Records(stream) {
        match kind {
            0x002f if u16_at(data, 0).is_none_or(|how| how != 0) => return Err(Unfit::Encrypted),
            0x0085 => found.push(u32_at(data, 0).ok_or(Unfit::Damaged)?),
            0x000a => break,
            _ => {}
        }
    }
    match found.len() {
        0 => Err(Unfit::Damaged),
        count if count > MOST => Err(Unfit::TooMuch),
        _ => Ok(found),
    }
}

/// How many cells lie between the outermost, and the rows that do not show.
fn extent(sheet: &[u8]) -> Result<(u64, Vec<u32>), Unfit> {
    let (mut rows, mut columns, mut said) = ((u64::MAX, 0), (u64::MAX, 0), 0);
    let mut hidden = Vec::new();
    let mut depth = 0_u32;
    for (kind, data) in Records(sheet) {
        let place = || Some((u16_at(data, 0)?, u16_at(data, 2)?));
        match kind {
            0x0809 => depth += 1,
            0x000a if depth <= 1 => break,
            0x000a => depth -= 1,
            0x0200 => said = said.max(announced(data).ok_or(Unfit::Damaged)?),
            0x0208 if depth <= 1 => {
                let row = u16_at(data, 0).filter(|_| u16_at(data, 12).is_some_and(is_hidden));
                hidden.extend(row.map(|row| u32::from(row) + 1));
            }
            0x0203 | 0x0204 | 0x00d6 | 0x0205 | 0x027e | 0x00fd | 0x00bd | 0x0006 => {
                let (row, column) = place().ok_or(Unfit::Damaged)?;
                let last = match kind {
                    0x00bd => column.saturating_add(u16::try_from(data.len() / 6).unwrap_or(256)),
                    _ => column,
                };
                rows = (rows.0.min(row.into()), rows.1.max(row.into()));
                columns = (columns.0.min(column.into()), columns.1.max(last.into()));
            }
            _ => {}
        }
    }
    let across = |(first, last): (u64, u64)| (last + 1).saturating_sub(first);
    let area = across(rows).saturating_mul(across(columns));
    Ok((area.max(said), hidden))
}

fn is_hidden(options: u16) -> bool {
    options & 0x20 != 0
}

/// The area a worksheet announces.
fn announced(data: &[u8]) -> Option<u64> {
    let (rows, at) = match data.len() {
        10 => ((u16_at(data, 0)?.into(), u16_at(data, 2)?.into()), 4),
        _ => ((u32_at(data, 0)?, u32_at(data, 4)?), 8),
    };
    let columns = (u16_at(data, at)?, u16_at(data, at + 2)?);
    // Backwards it would count as four thousand million.
    let rows = u64::from(rows.1.checked_sub(rows.0)?) + 1;
    Some(rows * (u64::from(columns.1.checked_sub(columns.0)?) + 1))
}

/// The records of a workbook's stream.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, length) = (u16_at(self.0, 0)?, u16_at(self.0, 2)?);
        let (data, rest) = self.0.get(4..)?.split_at_checked(length.into())?;
        self.0 = rest;
        Some((kind, data))
    }
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    let length = usize::from(u16_at(bytes, 64)?).min(64);
    let units = bytes.get(..length)?.chunks_exact(2);
    let units = units
        .filter_map(|unit| u16_at(unit, 0))
        .take_while(|unit| *unit != 0);
    let name = String::from_utf16_lossy(&units.collect::<Vec<_>>());
    (!name.is_empty()).then_some(Entry {
        name,
        first: u32_at(bytes, 116)?,
        size: usize::try_from(u32_at(bytes, 120)?).ok()?,
    })
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).filter_map(|four| u32_at(four, 0))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_le_bytes(two))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(four))
}
