//! `[spool]`: messages as files, for trials and where nothing else is set up.

use std::path::{Path, PathBuf};

use super::reader::Reader;

/// `[spool]`. Always there: a contact may ask for it, and without other channels it is the one.
#[derive(Debug, Clone)]
pub struct SpoolConfig {
    /// The folder the files are written to.
    pub path: PathBuf,
}

impl SpoolConfig {
    pub(super) fn read(r: &mut Reader<'_>, store: Option<&Path>) -> Option<Self> {
        if let Some(path) = r.text("path") {
            return Some(Self { path: path.into() });
        }
        let path = store?.join("spool");
        r.derived("path", &path.to_string_lossy());
        Some(Self { path })
    }
}
