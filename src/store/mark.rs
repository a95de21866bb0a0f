//! FORMAT, the mark without which a store is not opened: what a verification says of it.

use std::io::ErrorKind;

use super::files::io;
use super::guard::{LAYOUT, Layout};
use super::restore::BUILT_IN;
use crate::domain::causes;

/// What is wrong with the mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkFlaw {
    /// What was found in its place.
    pub what: String,
    /// The line to type that writes it anew; none where a restore was broken off, which has to be
    /// done again: by itself the mark would call half a store a whole one.
    pub rewrite: Option<String>,
}

/// Looks at the mark and changes nothing.
pub(super) fn flaw(layout: &Layout) -> Option<MarkFlaw> {
    let what = match std::fs::read(&layout.format) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            match text.lines().next().unwrap_or_default() {
                LAYOUT => return None,
                "" => "FORMAT 是空的".to_owned(),
                other => format!("FORMAT 的内容是“{}”，应为“{LAYOUT}”", shown(other)),
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => "FORMAT 不见了".to_owned(),
        Err(error) => causes::told(&io(&layout.format, error)),
    };
    let broken_off = layout.folder.join(BUILT_IN).exists();
    Some(MarkFlaw {
        what,
        rewrite: (!broken_off).then(|| rewrite(layout)),
    })
}

/// Its owner is the folder's: the service could not read a file that only root may.
fn rewrite(layout: &Layout) -> String {
    let (folder, format) = (layout.folder.display(), layout.format.display());
    format!("echo '{LAYOUT}' >{format} && chown --reference={folder} {format}")
}

/// Short, and nothing that a terminal would obey.
fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(LONGEST).map(visible).collect()
}
