//! `journal verify` and `journal dump`: both copies read and compared, nothing changed.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;

use super::StoreError;
use super::guard::{self, Layout};
use super::mark::{self, MarkFlaw};
use super::mirror::{self, Flaw, Place};
use super::open::{Opener, readable};
use super::record;
use super::sled::Trees;
use crate::domain::ids::Position;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// What is wrong with the mark, without which no daemon opens the store.
    pub mark_flaw: Option<MarkFlaw>,
    /// Facts good in the mirror.
    pub mirror: Position,
    /// The first thing wrong with the mirror, with file and line.
    pub mirror_flaw: Option<String>,
    /// Facts good in the store.
    pub store: Position,
    /// What is wrong with the store.
    pub store_flaw: Option<String>,
}

impl VerifyReport {
    /// Whether both copies are whole, and marked.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.mark_flaw.is_none() && self.mirror_flaw.is_none() && self.store_flaw.is_none()
    }

    /// Whether a start can mend one copy by the other.
    #[must_use]
    pub fn can_be_healed(&self) -> bool {
        self.mirror_flaw.is_none() || self.store_flaw.is_none()
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(flaw) = &self.mark_flaw {
            writeln!(f, "标记：故障，{}", flaw.what)?;
        }
        let mut line = |name: &str, facts: Position, flaw: &Option<String>| match flaw {
            None => writeln!(f, "{name}：正常，共{facts}条记录，摘要链与校验码全部相符"),
            Some(flaw) if facts == 0 => writeln!(f, "{name}：故障，{flaw}"),
            Some(flaw) => writeln!(f, "{name}：故障，第1至{facts}号记录完好，{flaw}"),
        };
        line("镜像", self.mirror, &self.mirror_flaw)?;
        line("存储", self.store, &self.store_flaw)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.segment.file_name().unwrap_or_default();
        write!(
            f,
            "{}第{}行（第{}字节起）",
            name.to_string_lossy(),
            self.line,
            self.offset
        )
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}：{}", self.place, self.detail)
    }
}

/// Verifies a store that no daemon has open.
///
/// # Errors
/// Where it cannot be looked at; what is wrong inside is in the report.
pub fn verify(opener: &Opener) -> Result<VerifyReport, StoreError> {
    let layout = existing(&opener.path)?;
    let _lock = guard::lock(&layout)?;
    readable(&layout)?;
    let doubt = !layout.clean.exists() && layout.db.exists();
    let looked = match &opener.probe {
        Some(command) if doubt => guard::first_look(&layout, command),
        _ => None,
    };
    if !layout.db.exists() {
        return both(&layout, Err("存储目录不见了"), false);
    }
    match looked {
        Some(why) => both(&layout, Err(&why), false),
        None => match Trees::open(&layout.db) {
            Ok(trees) => both(&layout, Ok(&trees), false),
            Err(StoreError::Corrupt { detail, .. }) => both(&layout, Err(&detail), false),
            Err(error) => Err(error),
        },
    }
}

/// Writes every fact of a store that no daemon has open, a line each, as the mirror has them.
///
/// # Errors
/// Where something is damaged; all before it has been written.
pub fn dump(path: &std::path::Path, to: &mut dyn Write) -> Result<Position, StoreError> {
    let layout = existing(path)?;
    let _lock = guard::lock(&layout)?;
    let walk = mirror::walk(&layout.mirror, |_, line| put_line(to, line))?;
    match walk.flaw {
        Some(flaw) if !flaw.torn => Err(StoreError::Corrupt {
            what: flaw.place.to_string(),
            detail: flaw.detail,
        }),
        _ => Ok(walk.head),
    }
}

/// Looks at both. `running`: the mirror may grow meanwhile, and the store lags a moment behind.
pub(super) fn both(
    layout: &Layout,
    trees: Result<&Trees, &str>,
    running: bool,
) -> Result<VerifyReport, StoreError> {
    // The store first: what it has, the mirror had before it.
    let stored = match trees {
        Err(why) => Err(why.to_owned()),
        Ok(trees) if running => trees.head().map_err(|error| error.to_string()),
        Ok(trees) => trees.check().map_err(|error| error.to_string()),
    };
    let (store_head, mut store_flaw) = match stored {
        Ok((head, _)) => (head, None),
        Err(why) => (0, Some(why)),
    };
    let mut rows = trees.ok().map(|trees| trees.lines(0));
    let mut good = 0;
    let walk = mirror::walk(&layout.mirror, |checked, line| {
        if checked.position <= store_head && store_flaw.is_none() {
            match rows.as_mut().and_then(Iterator::next) {
                Some(Ok((position, stored))) if position == checked.position && stored == line => {
                    good = position;
                }
                Some(Err(error)) => store_flaw = Some(error.to_string()),
                _ => store_flaw = Some(format!("第{}号记录与镜像不同", checked.position)),
            }
        }
        record::read_line(line)
            .map_err(|error| error.at(format!("第{}号记录", checked.position)))?;
        Ok(())
    })?;
    let mirror_flaw = match walk.flaw {
        Some(flaw) if !flaw.torn => Some(flaw.to_string()),
        _ if walk.head < store_head => Some(format!("缺少第{}号之后的记录", walk.head)),
        _ => None,
    };
    Ok(VerifyReport {
        mark_flaw: mark::flaw(layout),
        mirror: walk.head,
        mirror_flaw,
        store: if store_flaw.is_none() {
            store_head
        } else {
            good
        },
        store_flaw,
    })
}

/// Writes a line with its newline.
pub(super) fn put_line(to: &mut dyn Write, line: &[u8]) -> Result<(), StoreError> {
    to.write_all(line)
        .and_then(|()| to.write_all(b"\n"))
        .map_err(|source| StoreError::Io {
            what: "输出".into(),
            source,
        })
}

fn existing(path: &std::path::Path) -> Result<Layout, StoreError> {
    let layout = Layout::of(path);
    if guard::exists(path) {
        return Ok(layout);
    }
    let path: PathBuf = layout.folder;
    Err(StoreError::Refused(format!(
        "目录“{}”不是 cuiban 的存储目录：请检查配置 store.path",
        path.display()
    )))
}
