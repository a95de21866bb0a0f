//! `[spool]`: messages as files, for trials and where nothing else is set up.

use std::path::{Path, PathBuf};

use super::reader::Reader;

/// `[spool]`.
#[derive(Debug, Clone)]
pub struct SpoolConfig {
    /// The folder the files are written to.
    pub path: PathBuf,
}

impl SpoolConfig {
    /// There is one where its path is written, or where no other channel is (`alone`).
    pub(super) fn read(r: &mut Reader<'_>, store: Option<&Path>, alone: bool) -> Option<Self> {
        let path = match r.text("path") {
            Some(path) => PathBuf::from(path),
            None if alone => {
                let path = store?.join("spool");
                r.derived("path", &path.to_string_lossy());
                path
            }
            None => return None,
        };
        Some(Self { path })
    }
}
