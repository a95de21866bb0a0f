//! Reading a backup into an empty place: built in a folder of its own, opened and checked there, and
//! only then put where the daemon looks.

use std::io::BufRead;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SubsecRound as _, Utc};

use super::backup::{self, Content, FILES, KEY, Taker};
use super::files::{io as failed, sync_folder, write_whole};
use super::guard::{self, Layout};
use super::mirror::{Mirror, SEGMENT};
use super::open::{self, Opened, Opener};
use super::vault::{Part, Vault};
use super::{Journal as _, Step, StoreError};
use crate::domain::fact::{Actor, Entry, Fact};

/// Where it is built, inside the store's folder: the same disk, the same rights.
pub(super) const BUILT_IN: &str = "restoring";
/// What belongs to a store; anything else in the folder is left alone.
const PARTS: [&str; 9] = [
    "FORMAT",
    "CLEAN",
    "HEAD",
    "ballast",
    KEY,
    "snapshot.json",
    "mirror",
    "db",
    FILES,
];
/// Bytes of facts written in one step.
const STEP: usize = 1 << 20;

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup held.
    pub content: Content,
    /// Where a store that was there before lies now.
    pub put_aside: Option<PathBuf>,
}

/// Reads a backup into the folder of `opener`. A store that is there already is put aside where
/// `replace` says so, else nothing is done. Until a person says from when on, what was restored
/// sends nothing.
///
/// # Errors
/// Where the backup is not whole, or the folder is in use or cannot be written; what was there is
/// still there then.
pub fn restore(
    opener: &Opener,
    from: &mut dyn BufRead,
    replace: bool,
    now: DateTime<Utc>,
) -> Result<Restored, StoreError> {
    let folder = &opener.path;
    let layout = Layout::of(folder);
    let _lock = guard::lock(&layout)?;
    let in_the_way = layout.format.exists() || guard::has_copies(&layout);
    if in_the_way && !replace {
        return Err(StoreError::Refused(format!(
            "存储目录“{}”里已有数据：确认要用备份替换的，加上 --replace，原数据会移到旁边保留",
            folder.display()
        )));
    }
    let built = folder.join(BUILT_IN);
    clear(&built)?;
    let content = match build(opener, &built, from, now) {
        Ok(content) => content,
        Err(error) => {
            clear(&built)?;
            return Err(error);
        }
    };
    let put_aside = match in_the_way {
        true => Some(put_aside(folder, now)?),
        false => None,
    };
    take_over(&built, folder)?;
    give_to_owner(folder)?;
    Ok(Restored { content, put_aside })
}

/// A whole store in a folder of its own, closed in good order.
fn build(
    opener: &Opener,
    built: &Path,
    from: &mut dyn BufRead,
    now: DateTime<Utc>,
) -> Result<Content, StoreError> {
    let layout = Layout::of(built);
    Mirror::create(&layout.mirror)?;
    let mut builder = Builder {
        folder: built.to_owned(),
        mirror: Mirror::open(&layout.mirror, None)?,
        lines: Vec::new(),
        vault: Vault::new(built.join(FILES)),
        open: None,
        key: Vec::new(),
    };
    let content = backup::read(from, &mut builder)?;
    builder.finish()?;
    guard::mark(&layout)?;
    let opener = Opener {
        path: built.to_owned(),
        probe: None,
        ..opener.clone()
    };
    let paused = Fact::StoreRestored {
        backed_up: content.made_at,
    };
    note(&opener, now, paused)?;
    Ok(content)
}

/// Opens the store, which checks all of it, appends a fact and closes it in good order.
fn note(opener: &Opener, now: DateTime<Utc>, fact: Fact) -> Result<(), StoreError> {
    let Opened {
        mut journal,
        mut book,
        ..
    } = open::open(opener)?;
    let head = book.position;
    let entry = Entry {
        position: head + 1,
        at: now.trunc_subsecs(3),
        by: Actor::Operator,
        fact,
    };
    let effects = book.apply(&entry)?;
    journal.append(head, &[Step { entry, effects }])?;
    Box::new(journal).close(&book)
}

struct Builder {
    folder: PathBuf,
    mirror: Mirror,
    lines: Vec<u8>,
    vault: Vault,
    open: Option<Part>,
    key: Vec<u8>,
}

impl Builder {
    fn flush(&mut self) -> Result<(), StoreError> {
        if !self.lines.is_empty() {
            self.mirror.append(&self.lines, SEGMENT)?;
            self.lines.clear();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), StoreError> {
        self.flush()?;
        if !self.key.is_empty() {
            write_whole(&self.folder.join(KEY), &self.key, 0o600)?;
        }
        Ok(())
    }
}

impl Taker for Builder {
    fn fact(&mut self, line: &[u8]) -> Result<(), StoreError> {
        self.lines.extend_from_slice(line);
        self.lines.push(b'\n');
        match self.lines.len() > STEP {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn part(&mut self, name: &str, bytes: &[u8], last: bool) -> Result<(), StoreError> {
        if name == KEY {
            self.key.extend_from_slice(bytes);
            return Ok(());
        }
        let wanted = name
            .strip_prefix(FILES)
            .and_then(|rest| rest.strip_prefix('/'));
        let mut part = match self.open.take() {
            Some(part) => part,
            None => self.vault.begin()?,
        };
        part.write(bytes)?;
        if !last {
            self.open = Some(part);
            return Ok(());
        }
        let hash = part.keep()?;
        match wanted {
            Some(wanted) if wanted == hash.as_str() => Ok(()),
            _ => Err(StoreError::Corrupt {
                what: format!("备份中的文件“{name}”"),
                detail: "内容与名称不符".into(),
            }),
        }
    }
}

fn clear(built: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(built) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(built, error)),
        _ => Ok(()),
    }
}

/// Moves the store that is there into a folder beside; its mark goes first, so that half of it is
/// never taken for a store.
fn put_aside(folder: &Path, now: DateTime<Utc>) -> Result<PathBuf, StoreError> {
    let aside = folder.join(format!("replaced-{}", now.format("%Y%m%dT%H%M%SZ")));
    std::fs::create_dir(&aside).map_err(|error| failed(&aside, error))?;
    move_parts(PARTS.into_iter(), folder, &aside)?;
    Ok(aside)
}

/// Moves what was built to where the daemon looks, its mark last.
fn take_over(built: &Path, folder: &Path) -> Result<(), StoreError> {
    move_parts(PARTS.into_iter().rev(), built, folder)?;
    clear(built)
}

fn move_parts<'a>(
    names: impl Iterator<Item = &'a str>,
    from: &Path,
    to: &Path,
) -> Result<(), StoreError> {
    for name in names {
        let path = from.join(name);
        if path.exists() {
            std::fs::rename(&path, to.join(name)).map_err(|error| failed(&path, error))?;
        }
    }
    sync_folder(to)?;
    sync_folder(from)
}

/// What root restored belongs to whom the folder belongs to, else the daemon could not open it.
fn give_to_owner(folder: &Path) -> Result<(), StoreError> {
    let owner = std::fs::metadata(folder).map_err(|error| failed(folder, error))?;
    if !rustix::process::geteuid().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    give(folder, owner.uid(), owner.gid())
}

fn give(path: &Path, uid: u32, gid: u32) -> Result<(), StoreError> {
    let here = |error| failed(path, error);
    std::os::unix::fs::lchown(path, Some(uid), Some(gid)).map_err(here)?;
    if std::fs::symlink_metadata(path).map_err(here)?.is_dir() {
        for entry in std::fs::read_dir(path).map_err(here)? {
            give(&entry.map_err(here)?.path(), uid, gid)?;
        }
    }
    Ok(())
}
