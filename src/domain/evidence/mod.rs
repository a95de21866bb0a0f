//! Files that owners hand in beside their words (佐证材料).
//!
//! A file belongs to an obligation from the moment it is there, whoever of the group brought it;
//! each report keeps which files stood beside it when it was given. Taking one away hides it: what
//! an earlier report stood on stays on record, bytes and all.

mod kind;
mod name;
mod taking;

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};

use super::book::Obligation;
use super::ids::PersonId;
pub use kind::FileKind;
pub use name::{name_of, safe_name};
pub use taking::{Adding, LARGEST_FILE, MOST_FILES, MOST_KEPT, MOST_SHOWN, NotTaken, add, remove};

/// SHA-256 of a file in lower-case hex: names it wherever it lies, and never more than that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileHash(String);

impl FileHash {
    /// Reads 64 hex digits; nothing else is ever made part of a path.
    ///
    /// # Errors
    /// What was found instead.
    pub fn new(text: &str) -> Result<Self, String> {
        let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("not a SHA-256: {}", text.escape_default()))
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file beside a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Names its bytes.
    pub sha256: FileHash,
    /// As its owner called it, made harmless; for people, never for a path.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Its size.
    pub bytes: u64,
}

impl Evidence {
    /// The size for people: `1.2MB`.
    #[must_use]
    pub fn size(&self) -> String {
        told_size(self.bytes)
    }
}

/// A file in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// The file.
    pub evidence: Evidence,
    /// Who brought it.
    pub person: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// When it was taken away again.
    pub removed: Option<DateTime<Utc>>,
}

impl Obligation {
    /// The files that stand beside it now.
    pub fn shown(&self) -> impl Iterator<Item = &Filed> {
        self.evidence.iter().filter(|filed| filed.removed.is_none())
    }
}

fn told_size(bytes: u64) -> String {
    const MB: u64 = 1 << 20;
    match bytes {
        0..MB => format!("{}KB", bytes.div_ceil(1024)),
        _ => format!("{}.{}MB", bytes / MB, bytes % MB * 10 / MB),
    }
}
