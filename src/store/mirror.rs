//! The mirror: every fact as a line in files that are only appended to, synced before anything is
//! acknowledged. It is the first of the two copies, and the one a person can read.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::files::{io, sync_folder};
use super::record::{self, Checked, Hash};
use crate::domain::ids::Position;

/// A segment that has grown to this takes no further group.
pub(super) const SEGMENT: u64 = 64 << 20;

/// The open mirror, at its end.
#[derive(Debug)]
pub(super) struct Mirror {
    folder: PathBuf,
    file: File,
    number: u32,
    length: u64,
}

/// Where a line stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub segment: PathBuf,
    pub line: u64,
    pub offset: u64,
}

/// The first thing wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    pub place: Place,
    pub detail: String,
    /// Only the end of the last line is missing: it was never acknowledged.
    pub torn: bool,
}

/// What a walk over the mirror found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Last position that is good.
    pub head: Position,
    pub hash: Hash,
    pub flaw: Option<Flaw>,
}

/// Goes over all lines from the first, in order, and gives each good one to `take`.
///
/// Stops at the first flaw, or where `take` fails.
pub(super) fn walk(
    folder: &Path,
    mut take: impl FnMut(&Checked, &[u8]) -> Result<(), StoreError>,
) -> Result<Walk, StoreError> {
    let mut walk = Walk::default();
    each_line(folder, |place, line, whole| {
        let checked = match record::check_line(line) {
            Ok(checked) if whole => checked,
            Ok(_) => return Ok(stop(&mut walk, place, "行尾缺少换行", true)),
            Err(error) => return Ok(stop(&mut walk, place, &error.to_string(), !whole)),
        };
        if checked.position != walk.head + 1 || checked.prev != walk.hash {
            let detail = format!(
                "第{}号记录与它前面的第{}号接不上",
                checked.position, walk.head
            );
            return Ok(stop(&mut walk, place, &detail, false));
        }
        take(&checked, line)?;
        walk.head = checked.position;
        walk.hash = checked.hash;
        Ok(true)
    })?;
    Ok(walk)
}

/// After a flaw: the lines that follow `head` in the chain, wherever they stand. Fails with the
/// highest position seen where lines are left that cannot be joined.
pub(super) fn salvage(
    folder: &Path,
    head: Position,
    hash: Hash,
) -> Result<Result<Vec<Vec<u8>>, Position>, StoreError> {
    let (mut head, mut hash) = (head, hash);
    let mut lines = Vec::new();
    let (mut seen, mut last) = (0, 0);
    each_line(folder, |_, line, whole| {
        match record::check_line(line) {
            Ok(checked) if whole => {
                last = checked.position;
                if checked.position == head + 1 && checked.prev == hash {
                    head = checked.position;
                    hash = checked.hash;
                    lines.push(line.to_vec());
                }
            }
            // A line that cannot be read was a record all the same; two, where a newline is gone.
            _ if whole => last += records_begun_in(line).max(1),
            _ => {}
        }
        seen = seen.max(last);
        Ok(true)
    })?;
    Ok(if seen > head { Err(seen) } else { Ok(lines) })
}

impl Mirror {
    /// Makes an empty mirror.
    pub(super) fn create(folder: &Path) -> Result<(), StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| io(folder, error))?;
        let first = segment(folder, 1);
        let file = File::create_new(&first).map_err(|error| io(&first, error))?;
        file.sync_all().map_err(|error| io(&first, error))?;
        sync_folder(folder)?;
        folder.parent().map_or(Ok(()), sync_folder)
    }

    /// Opens the end of a mirror that was walked, and cuts off a torn last line.
    pub(super) fn open(folder: &Path, torn: Option<&Flaw>) -> Result<Self, StoreError> {
        let number = segments(folder)?.last().map_or(1, |(number, _)| *number);
        let path = segment(folder, number);
        let file = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(|error| io(&path, error))?;
        if let Some(flaw) = torn.filter(|flaw| flaw.torn && flaw.place.segment == path) {
            file.set_len(flaw.place.offset)
                .and_then(|()| file.sync_all())
                .map_err(|error| io(&path, error))?;
            tracing::warn!(segment = %path.display(), offset = flaw.place.offset,
                "cut off a last line that was never acknowledged");
        }
        let length = file.metadata().map_err(|error| io(&path, error))?.len();
        Ok(Self {
            folder: folder.to_owned(),
            file,
            number,
            length,
        })
    }

    /// Writes whole lines, each with its newline, and syncs them: the durable step.
    pub(super) fn append(&mut self, lines: &[u8], limit: u64) -> Result<(), StoreError> {
        if self.length >= limit {
            self.next_segment()?;
        }
        let done = self
            .file
            .write_all(lines)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = done {
            // What was not acknowledged must not come back as a fact after the next start.
            let cut = self.cut_to(self.length);
            tracing::error!(cut = cut.is_ok(), "a write to the mirror failed");
            return Err(io(&segment(&self.folder, self.number), error));
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    fn cut_to(&self, length: u64) -> std::io::Result<()> {
        self.file.set_len(length)?;
        self.file.sync_all()
    }

    fn next_segment(&mut self) -> Result<(), StoreError> {
        let path = segment(&self.folder, self.number + 1);
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| io(&path, error))?;
        sync_folder(&self.folder)?;
        self.file = file;
        self.number += 1;
        self.length = 0;
        Ok(())
    }
}

/// Writes a mirror of these lines into a new folder, synced.
pub(super) fn write_new(
    folder: &Path,
    lines: impl Iterator<Item = Result<Vec<u8>, StoreError>>,
) -> Result<(), StoreError> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|error| io(folder, error))?;
    }
    Mirror::create(folder)?;
    let mut mirror = Mirror::open(folder, None)?;
    let mut buffer = Vec::new();
    for line in lines {
        buffer.extend_from_slice(&line?);
        buffer.push(b'\n');
        if buffer.len() > 1 << 20 {
            mirror.append(&buffer, SEGMENT)?;
            buffer.clear();
        }
    }
    if !buffer.is_empty() {
        mirror.append(&buffer, SEGMENT)?;
    }
    sync_folder(folder)
}

/// The segments by number.
pub(super) fn segments(folder: &Path) -> Result<Vec<(u32, PathBuf)>, StoreError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| io(folder, error))? {
        let path = entry.map_err(|error| io(folder, error))?.path();
        let number = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_suffix(".jsonl"))
            .and_then(|name| name.parse().ok());
        if let Some(number) = number {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

fn segment(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.jsonl"))
}

/// Every line of every segment, without its newline, and whether it had one; until `take` says
/// false. A line without newline is whole only as far as it goes, and only the last may be so.
fn each_line(
    folder: &Path,
    mut take: impl FnMut(&Place, &[u8], bool) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let segments = segments(folder)?;
    let last = segments.last().map(|(number, _)| *number);
    for (number, path) in segments {
        let file = File::open(&path).map_err(|error| io(&path, error))?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut line = Vec::new();
        let mut place = Place {
            segment: path,
            line: 0,
            offset: 0,
        };
        loop {
            line.clear();
            let length = reader
                .read_until(b'\n', &mut line)
                .map_err(|error| io(&place.segment, error))?;
            if length == 0 {
                break;
            }
            place.line += 1;
            let (body, ended) = match line.strip_suffix(b"\n") {
                Some(body) => (body, true),
                None => (line.as_slice(), false),
            };
            let whole = ended || Some(number) != last;
            if !take(&place, body, whole)? {
                return Ok(());
            }
            place.offset += length as u64;
        }
    }
    Ok(())
}

fn stop(walk: &mut Walk, place: &Place, detail: &str, torn: bool) -> bool {
    walk.flaw = Some(Flaw {
        place: place.clone(),
        detail: detail.to_owned(),
        torn,
    });
    false
}

/// Records that begin in these bytes: inside a text the mark would be escaped.
fn records_begun_in(line: &[u8]) -> u64 {
    const MARK: &[u8] = b"{\"pos\":";
    let count = line.windows(MARK.len()).filter(|window| *window == MARK);
    count.count() as u64
}
