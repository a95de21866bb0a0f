//! The book as it stood at one position, so that a start need not fold everything again. Only a
//! short cut: whatever is wrong with it, it is left aside.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::files::write_whole;
use super::record::{self, Hash};
use crate::domain::book::Book;

/// A book and the line it goes up to.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub book: Book,
    pub hash: Hash,
}

#[derive(Serialize, Deserialize)]
struct Header {
    v: u32,
    pos: u64,
    hash: String,
    /// Of the book's bytes on the second line.
    sha256: String,
}

/// Writes the book, whole or not at all.
pub(super) fn write(path: &Path, book: &Book, hash: &Hash) -> Result<(), StoreError> {
    let bytes = record::book::write(book).map_err(|error| error.at("快照"))?;
    let header = Header {
        v: record::book::VERSION,
        pos: book.position,
        hash: record::hex(hash),
        sha256: record::hex(&record::hash_of(&bytes)),
    };
    let mut file =
        serde_json::to_vec(&header).map_err(|error| StoreError::Engine(error.to_string()))?;
    file.push(b'\n');
    file.extend_from_slice(&bytes);
    file.push(b'\n');
    write_whole(path, &file, 0o600)
}

/// Reads a snapshot; none where there is none that holds.
pub(super) fn read(path: &Path) -> Option<Snapshot> {
    let bytes = std::fs::read(path).ok()?;
    let read = parse(&bytes);
    if read.is_none() {
        tracing::warn!(path = %path.display(), "left aside a snapshot that does not hold");
    }
    read
}

fn parse(bytes: &[u8]) -> Option<Snapshot> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let header: Header = serde_json::from_slice(bytes.get(..end)?).ok()?;
    let body = bytes.get(end + 1..)?.strip_suffix(b"\n")?;
    let sound =
        header.v == record::book::VERSION && header.sha256 == record::hex(&record::hash_of(body));
    if !sound {
        return None;
    }
    let book = record::book::read(body).ok()?;
    let hash = record::read_hex(header.hash.as_bytes())?;
    (book.position == header.pos).then_some(Snapshot { book, hash })
}
