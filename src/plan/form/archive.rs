//! The parts of a zip, unpacked within bounds: what a file claims of itself is checked while reading.

use std::io::{Cursor, Read as _};

use encoding_rs::Encoding;
use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;

use super::super::TableError;
use super::xml::attribute;

/// The largest part, unpacked; the real table is half a megabyte of XML.
const LARGEST_PART: u64 = 48 << 20;

/// All parts that are read of one file together.
const MOST_UNPACKED: u64 = 160 << 20;

/// Files in one zip. A workbook of a hundred sheets has three hundred.
const MOST_PARTS: usize = 20_000;

/// Whether all of a zip, unpacked, is no more than a table can have. What reads parts without
/// bounds of its own may be let at it then.
pub(in crate::plan) fn is_bounded(bytes: &[u8]) -> bool {
    if parts(bytes) > MOST_PARTS {
        return false;
    }
    // A zip that cannot be opened unpacks nothing.
    let Ok(mut zip) = ZipArchive::new(Cursor::new(bytes)) else {
        return true;
    };
    let mut left = MOST_UNPACKED;
    for at in 0..zip.len() {
        let Ok(part) = zip.by_index(at) else { continue };
        let mut within = part.take(left + 1);
        // What is damaged ends here, whatever it claims.
        let read = std::io::copy(&mut within, &mut std::io::sink()).unwrap_or(0);
        match left.checked_sub(read) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

/// A zip opened for reading.
#[derive(Clone)]
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    bytes: &'a [u8],
    file: &'a str,
    left: u64,
}

impl<'a> Archive<'a> {
    pub(super) fn open(bytes: &'a [u8], file: &'a str) -> Result<Self, TableError> {
        // The list of parts is read into memory whole.
        if parts(bytes) > MOST_PARTS {
            return Err(TableError::TooMuch { file: file.into() });
        }
        let zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| TableError::Damaged { file: file.into() })?;
        Ok(Self {
            zip,
            bytes,
            file,
            left: MOST_UNPACKED,
        })
    }

    /// The same zip for another thread, with a part's share of what may still be unpacked.
    pub(super) fn aside(&mut self) -> Self {
        let share = self.left.min(LARGEST_PART);
        self.left -= share;
        Self {
            left: share,
            ..self.clone()
        }
    }

    /// The size of the file, in bytes.
    pub(super) fn packed(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn has(&self, part: &str) -> bool {
        self.zip.index_for_name(part).is_some()
    }

    /// A part as text; none where the file has no such part.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<String>, TableError> {
        let bytes = self.bytes(name)?;
        let text = bytes.map(|bytes| String::from_utf8(bytes).map_err(|_| self.damaged()));
        text.transpose()
    }

    /// The same in UTF-8 that was not checked: whoever reads the XML checks it anyway, and the parts
    /// with a sheet's cells are large.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, TableError> {
        if !self.has(name) {
            return Ok(None);
        }
        let damaged = || TableError::Damaged {
            file: self.file.into(),
        };
        let most = LARGEST_PART.min(self.left);
        let part = self.zip.by_name(name).map_err(|_| damaged())?;
        let too_much = || TableError::TooMuch {
            file: self.file.into(),
        };
        if part.size() > most {
            return Err(too_much());
        }
        let size = usize::try_from(part.size()).unwrap_or_default();
        let mut bytes = Vec::with_capacity(size);
        part.take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|_| damaged())?;
        let read = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if read > most {
            return Err(too_much());
        }
        self.left -= read;
        in_utf8(bytes).map(Some).ok_or_else(damaged)
    }

    /// The first bytes of a part, to see what it is; cut anywhere.
    pub(super) fn beginning(&mut self, name: &str, most: u64) -> Option<String> {
        let mut bytes = Vec::new();
        let part = self.zip.by_name(name).ok()?;
        part.take(most.min(self.left))
            .read_to_end(&mut bytes)
            .ok()?;
        self.left = self.left.saturating_sub(u64::try_from(bytes.len()).ok()?);
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The part that the package says is the document; else the usual one.
    pub(super) fn main_part(&mut self, usual: &str) -> Result<String, TableError> {
        let found = self
            .relations("")?
            .into_iter()
            .find(|relation| relation.kind == "officeDocument");
        Ok(found.map_or_else(|| usual.to_owned(), |relation| relation.target))
    }

    /// What a part refers to, with targets as names of parts; `""` for the package itself.
    pub(super) fn relations(&mut self, part: &str) -> Result<Vec<Relation>, TableError> {
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let slash = if folder.is_empty() { "" } else { "/" };
        let path = format!("{folder}{slash}_rels/{name}.rels");
        let Some(xml) = self.part(&path)? else {
            return Ok(Vec::new());
        };
        let mut reader = Reader::from_str(&xml);
        let mut relations = Vec::new();
        loop {
            let event = reader.read_event().map_err(|_| self.damaged())?;
            let start = match &event {
                Event::Start(start) | Event::Empty(start) => start,
                Event::Eof => return Ok(relations),
                _ if relations.len() >= MOST_PARTS => return Ok(relations),
                _ => continue,
            };
            let (Some(id), Some(kind), Some(target)) = (
                attribute(start, "Id"),
                attribute(start, "Type"),
                attribute(start, "Target"),
            ) else {
                continue;
            };
            relations.push(Relation {
                id: id.into_owned(),
                kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                target: resolved(folder, &target),
            });
        }
    }

    pub(super) fn damaged(&self) -> TableError {
        TableError::Damaged {
            file: self.file.into(),
        }
    }
}

/// One part's reference to another.
pub(super) struct Relation {
    pub(super) id: String,
    /// The last word of its type, such as `worksheet`.
    pub(super) kind: String,
    pub(super) target: String,
}

/// How many entries the lists of parts in the file have, by their mark.
fn parts(bytes: &[u8]) -> usize {
    let mark = |window: &&[u8]| **window == *b"PK\x01\x02";
    bytes.windows(4).filter(mark).count()
}

fn resolved(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.join("/")
}

fn in_utf8(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    match Encoding::for_bom(&bytes) {
        Some((encoding, _)) if encoding != encoding_rs::UTF_8 => {
            let (text, _, broken) = encoding.decode(&bytes);
            (!broken).then(|| text.into_owned().into_bytes())
        }
        Some((_, mark)) => {
            bytes.drain(..mark);
            Some(bytes)
        }
        None => Some(bytes),
    }
}
