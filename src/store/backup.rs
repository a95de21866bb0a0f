//! A backup: everything of a store in one file that a person can read, written beside the running
//! daemon.
//!
//! JSON Lines: a header; every fact as the mirror has it; every other file in parts; a closing line
//! with the counts, the last fact's hash and the SHA-256 of all that stands before it. A file
//! without its closing line is no backup.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, Read as _, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::files::io as failed;
use super::record::{self, Hash};
use super::vault;
use super::{StoreError, unwritten};
use crate::domain::hex::hex;
use crate::domain::ids::Position;

/// The layout of the file; raised when a later release writes another.
const FORM: u32 = 1;
/// Bytes of a file in one line.
const PART: usize = 192 << 10;
/// Longest line taken: far above any fact, and a part in base64.
const LONGEST_LINE: u64 = 64 << 20;
/// The file that signs links, in the store's folder.
pub(super) const KEY: &str = "link.key";
/// The folder of files that were handed in.
pub(super) const FILES: &str = "evidence";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Facts.
    pub facts: Position,
    /// Files beside them.
    pub files: u64,
    /// Bytes in all.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Header {
    cuiban_backup: u32,
    made_at: DateTime<Utc>,
    release: String,
}

/// A part of a file: they follow each other in order, and the last is marked.
#[derive(Serialize, Deserialize)]
struct FilePart {
    file: String,
    data: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    last: bool,
}

#[derive(Serialize, Deserialize)]
struct Closing {
    end: End,
}

#[derive(Serialize, Deserialize)]
struct End {
    facts: Position,
    last: String,
    files: u64,
    sha256: String,
}

/// Writes a backup of the store in this folder; `dump` gives the facts, a line each.
///
/// # Errors
/// Where something cannot be read or written; what was written is no backup then.
pub fn write(
    folder: &Path,
    made_at: DateTime<Utc>,
    dump: impl FnOnce(&mut dyn Write) -> Result<Position, StoreError>,
    to: &mut dyn Write,
) -> Result<(), StoreError> {
    let mut out = Hashed {
        to,
        hasher: Sha256::new(),
    };
    out.line(&Header {
        cuiban_backup: FORM,
        made_at,
        release: env!("CARGO_PKG_VERSION").to_owned(),
    })?;
    let mut lines = LastLine::new(&mut out);
    let facts = dump(&mut lines)?;
    let last = lines.hash;
    // After the facts: a file is durable before a fact names it.
    let mut files = 0;
    for (name, path) in beside(folder)? {
        put_file(&mut out, name, &path)?;
        files += 1;
    }
    let sha256 = hex(out.hasher.clone().finalize().iter());
    out.line(&Closing {
        end: End {
            facts,
            last: record::hex(&last),
            files,
            sha256,
        },
    })
}

/// What is kept beside the facts, each with its name in the backup.
fn beside(folder: &Path) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let key = folder.join(KEY);
    let key = key.exists().then(|| (KEY.to_owned(), key));
    let kept = vault::all(&folder.join(FILES))?.into_iter();
    let kept = kept.map(|(hash, path)| (format!("{FILES}/{hash}"), path));
    Ok(key.into_iter().chain(kept).collect())
}

fn put_file(out: &mut Hashed<'_>, name: String, path: &Path) -> Result<(), StoreError> {
    let mut file = File::open(path).map_err(|error| failed(path, error))?;
    let mut buffer = vec![0; PART];
    loop {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest).map_err(|error| failed(path, error))? {
                0 => break,
                read => filled += read,
            }
        }
        let last = filled < PART;
        out.line(&FilePart {
            file: name.clone(),
            data: STANDARD.encode(buffer.get(..filled).unwrap_or_default()),
            last,
        })?;
        if last {
            return Ok(());
        }
    }
}

/// A writer that sums up what goes through.
struct Hashed<'a> {
    to: &'a mut dyn Write,
    hasher: Sha256,
}

impl Hashed<'_> {
    fn line(&mut self, line: &impl Serialize) -> Result<(), StoreError> {
        let mut bytes =
            serde_json::to_vec(line).map_err(|error| StoreError::Engine(error.to_string()))?;
        bytes.push(b'\n');
        self.write_all(&bytes).map_err(unwritten)
    }
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write_all(bytes)?;
        self.hasher.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Passes lines on and keeps the hash of the last, without its newline.
struct LastLine<'a, 'b> {
    to: &'a mut Hashed<'b>,
    line: Sha256,
    hash: Hash,
}

impl<'a, 'b> LastLine<'a, 'b> {
    fn new(to: &'a mut Hashed<'b>) -> Self {
        Self {
            to,
            line: Sha256::new(),
            hash: [0; 32],
        }
    }
}

impl Write for LastLine<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(end) => {
                    self.line.update(end);
                    self.hash = std::mem::take(&mut self.line).finalize().into();
                }
                None => self.line.update(piece),
            }
        }
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// What a backup is read into.
pub trait Taker {
    /// A fact's line, whose place in the chain has been checked.
    ///
    /// # Errors
    /// Where it cannot be kept.
    fn fact(&mut self, line: &[u8]) -> Result<(), StoreError>;

    /// A part of a file.
    ///
    /// # Errors
    /// Where it cannot be kept, or is not what its name says.
    fn part(&mut self, name: &str, bytes: &[u8], last: bool) -> Result<(), StoreError>;
}

/// Checks a backup and keeps nothing.
pub struct CheckOnly;

impl Taker for CheckOnly {
    fn fact(&mut self, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn part(&mut self, _: &str, _: &[u8], _: bool) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Reads a backup to its end and checks all of it: the chain of the facts, the counts, the sums.
///
/// # Errors
/// [`StoreError::Corrupt`] with the line; what `taker` says.
pub fn read(from: &mut dyn BufRead, taker: &mut dyn Taker) -> Result<Content, StoreError> {
    let mut reading = Reading {
        number: 0,
        bytes: 0,
        sum: Sha256::new(),
        head: 0,
        hash: [0; 32],
        open: None,
        done: BTreeSet::new(),
    };
    let mut line = Vec::new();
    let Some(header) = reading.next(from, &mut line)? else {
        return Err(reading.bad("文件是空的"));
    };
    let made_at = reading.header(header)?;
    reading.sum(&line);
    loop {
        let Some(body) = reading.next(from, &mut line)? else {
            return Err(reading.bad("文件没有写完，缺少结尾一行"));
        };
        if body.starts_with(b"{\"pos\":") {
            reading.fact(body, taker)?;
        } else if body.starts_with(b"{\"file\":") {
            reading.part(body, taker)?;
        } else {
            let closing = reading.closing(body)?;
            reading.close(&closing)?;
            if reading.next(from, &mut line)?.is_some() {
                return Err(reading.bad("结尾一行之后还有内容"));
            }
            return Ok(Content {
                made_at,
                facts: reading.head,
                files: reading.done.len() as u64,
                bytes: reading.bytes,
            });
        }
        reading.sum(&line);
    }
}

struct Reading {
    number: u64,
    bytes: u64,
    sum: Sha256,
    head: Position,
    hash: Hash,
    /// The file whose parts are being read.
    open: Option<String>,
    done: BTreeSet<String>,
}

impl Reading {
    /// The next line without its newline; none at the end.
    fn next<'a>(
        &mut self,
        from: &mut dyn BufRead,
        line: &'a mut Vec<u8>,
    ) -> Result<Option<&'a [u8]>, StoreError> {
        line.clear();
        let length = from.take(LONGEST_LINE).read_until(b'\n', line);
        let length = length.map_err(unwritten)?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.bytes += length as u64;
        match line.strip_suffix(b"\n") {
            Some(body) => Ok(Some(body)),
            None => Err(self.bad("行不完整")),
        }
    }

    fn sum(&mut self, line: &[u8]) {
        self.sum.update(line);
    }

    fn header(&self, line: &[u8]) -> Result<DateTime<Utc>, StoreError> {
        let header: Header = serde_json::from_slice(line)
            .map_err(|_| self.bad("不是 cuiban 的备份文件，或是加密的（请加 --identity）"))?;
        if header.cuiban_backup > FORM {
            return Err(StoreError::Refused(format!(
                "这份备份由更新的版本（{}）写成，请用不低于该版本的程序恢复",
                header.release
            )));
        }
        Ok(header.made_at)
    }

    fn fact(&mut self, line: &[u8], taker: &mut dyn Taker) -> Result<(), StoreError> {
        let checked = record::check_line(line).map_err(|error| self.bad(&error.to_string()))?;
        if checked.position != self.head + 1 || checked.prev != self.hash {
            return Err(self.bad(&format!("第{}号记录与前一条接不上", checked.position)));
        }
        (self.head, self.hash) = (checked.position, checked.hash);
        taker.fact(line)
    }

    fn part(&mut self, line: &[u8], taker: &mut dyn Taker) -> Result<(), StoreError> {
        let part: FilePart = serde_json::from_slice(line).map_err(|_| self.bad("行无法识别"))?;
        let bytes = STANDARD.decode(&part.data);
        let bytes = bytes.map_err(|_| self.bad("文件内容无法识别"))?;
        let follows = self.open.as_ref().is_none_or(|open| *open == part.file);
        if !follows || self.done.contains(&part.file) {
            return Err(self.bad("文件内容的顺序不对"));
        }
        taker.part(&part.file, &bytes, part.last)?;
        if part.last {
            self.open = None;
            self.done.insert(part.file);
        } else {
            self.open = Some(part.file);
        }
        Ok(())
    }

    fn closing(&self, line: &[u8]) -> Result<End, StoreError> {
        let closing: Result<Closing, _> = serde_json::from_slice(line);
        let closing = closing.map_err(|_| self.bad("行无法识别"))?;
        Ok(closing.end)
    }

    fn close(&self, end: &End) -> Result<(), StoreError> {
        let sum = hex(self.sum.clone().finalize().iter());
        let whole = end.facts == self.head
            && end.last == record::hex(&self.hash)
            && end.files == self.done.len() as u64
            && self.open.is_none();
        match (whole, end.sha256 == sum) {
            (true, true) => Ok(()),
            (false, _) => Err(self.bad("内容与结尾的数目不符")),
            (true, false) => Err(self.bad("内容与结尾的校验和不符")),
        }
    }

    fn bad(&self, detail: &str) -> StoreError {
        StoreError::Corrupt {
            what: format!("备份第{}行", self.number),
            detail: detail.to_owned(),
        }
    }
}
