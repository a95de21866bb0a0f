//! `[templates]`: an office's own wording of its messages.

use std::path::PathBuf;

use super::reader::Reader;

/// `[templates]`.
#[derive(Debug, Clone, Default)]
pub struct TemplatesConfig {
    /// The folder with the office's own templates, where there is one.
    pub path: Option<PathBuf>,
}

impl TemplatesConfig {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let path = r.text("path").map(|name| r.find(&name));
        Self { path }
    }
}
