//! Both copies made to agree: what is damaged in one is mended from the other, and what is damaged in
//! both is refused.

use std::path::{Path, PathBuf};

use super::report::Healed;
use super::{Opener, Pass, pass};
use crate::domain::ids::Position;
use crate::store::StoreError;
use crate::store::files::{HeadNote, io, sync_folder};
use crate::store::guard::{self, Layout};
use crate::store::mirror;
use crate::store::sled::Trees;
use crate::store::snapshot;

pub(super) struct Healing<'a> {
    opener: &'a Opener,
    layout: &'a Layout,
    pub(super) clean: bool,
    /// The last position that was acknowledged, as far as is known.
    noted: Position,
    mirror_lost: bool,
    pub(super) healed: Vec<Healed>,
}

impl<'a> Healing<'a> {
    /// Looks at what lies there, before anything is touched.
    pub(super) fn begin(opener: &'a Opener, layout: &'a Layout, fresh: bool) -> Self {
        Self {
            clean: layout.clean.exists(),
            noted: HeadNote::read(&layout.head),
            mirror_lost: !fresh && mirror_is_lost(layout),
            opener,
            layout,
            healed: Vec::new(),
        }
    }

    /// What a child process finds wrong with the engine's data, where the last stop was not clean.
    pub(super) fn first_look(&self) -> Option<String> {
        let command = self.opener.probe.as_ref()?;
        (!self.clean && self.layout.db.exists())
            .then(|| guard::first_look(self.layout, command))
            .flatten()
    }

    /// Goes round until both copies agree; each kind of damage is mended at most once.
    pub(super) fn settle(
        &mut self,
        mut store: Result<Trees, String>,
    ) -> Result<(Trees, Pass), StoreError> {
        let mut snapshot = snapshot::read(&self.layout.snapshot);
        let (mut rebuilt, mut rewritten) = (false, false);
        loop {
            let mut pass = pass::run(self.layout, store.as_ref().ok(), snapshot.take())?;
            if pass.snapshot_bad {
                tracing::warn!("left aside a snapshot of another history");
                continue;
            }
            let mirror_flaw = self.mirror_flaw(&pass);
            let store_flaw = match &store {
                Err(why) => Some(why.clone()),
                Ok(trees) if mirror_flaw.is_none() && pass.store_flaw.is_none() => trees
                    .compare(&pass.book)
                    .unwrap_or_else(|error| Some(error.to_string())),
                Ok(_) => pass.store_flaw.take(),
            };
            match (mirror_flaw, store_flaw, store) {
                (None, _, _) if pass.walk.head < self.noted => {
                    return Err(self.cut_short(pass.walk.head));
                }
                (None, None, Ok(trees)) => {
                    self.note_tail(&pass)?;
                    return Ok((trees, pass));
                }
                (None, why, old) if !rebuilt => {
                    rebuilt = true;
                    drop(old);
                    store = self.rebuild(why.unwrap_or_default())?;
                }
                (Some(why), None, Ok(trees)) if !rewritten => {
                    rewritten = true;
                    self.rewrite(&pass, why, &trees)?;
                    store = Ok(trees);
                }
                (mirror, store, _) => return Err(self.both_bad(&pass, mirror, store)),
            }
        }
    }

    fn mirror_flaw(&self, pass: &Pass) -> Option<String> {
        match &pass.walk.flaw {
            Some(flaw) if !flaw.torn => Some(flaw.to_string()),
            _ if pass.walk.head < pass.store_head => Some(format!(
                "只到第{}号记录，存储中已有第{}号",
                pass.walk.head, pass.store_head
            )),
            _ if self.mirror_lost && pass.walk.head == 0 => Some("镜像文件不见了".into()),
            _ => None,
        }
    }

    fn rebuild(&mut self, why: String) -> Result<Result<Trees, String>, StoreError> {
        let kept = self.put_aside(&self.layout.db)?;
        self.healed.push(Healed::StoreRebuilt { why, kept });
        try_open(&self.layout.db)
    }

    fn rewrite(&mut self, pass: &Pass, why: String, trees: &Trees) -> Result<(), StoreError> {
        let both_bad = |this: &Self, store| this.both_bad(pass, Some(why.clone()), Some(store));
        let (head, hash) = match trees.check() {
            Ok(sound) => sound,
            Err(error) => return Err(both_bad(self, error.to_string())),
        };
        if head == 0 {
            return Err(both_bad(self, "其中没有记录".into()));
        }
        let rest = match mirror::salvage(&self.layout.mirror, head, hash)? {
            Ok(rest) => rest,
            Err(seen) => {
                return Err(both_bad(
                    self,
                    format!("只到第{head}号记录，镜像写到过第{seen}号"),
                ));
            }
        };
        let found = head + rest.len() as u64;
        if found < self.noted {
            return Err(self.cut_short(found));
        }
        let lines = trees.lines(0).map(|line| line.map(|(_, line)| line));
        let new = self.layout.mirror.with_extension("new");
        mirror::write_new(&new, lines.chain(rest.into_iter().map(Ok)))?;
        let kept = self.put_aside(&self.layout.mirror)?;
        finish_rewrite(self.layout)?;
        self.mirror_lost = false;
        self.healed.push(Healed::MirrorRewritten { why, kept });
        Ok(())
    }

    fn put_aside(&self, what: &Path) -> Result<PathBuf, StoreError> {
        let now = self.opener.clock.now().format("%Y%m%dT%H%M%SZ");
        let name = what.file_name().unwrap_or_default().to_string_lossy();
        let mut kept = what.with_file_name(format!("{name}.quarantine-{now}"));
        for further in 2.. {
            if !kept.exists() {
                break;
            }
            kept = what.with_file_name(format!("{name}.quarantine-{now}-{further}"));
        }
        if what.exists() {
            std::fs::rename(what, &kept).map_err(|error| io(what, error))?;
            sync_folder(&self.layout.folder)?;
        }
        Ok(kept)
    }

    /// A torn line is what a kill leaves; anything else at the end is worth a word.
    fn note_tail(&mut self, pass: &Pass) -> Result<(), StoreError> {
        let Some(flaw) = &pass.walk.flaw else {
            return Ok(());
        };
        let segment = &flaw.place.segment;
        let bytes = std::fs::read(segment).map_err(|error| io(segment, error))?;
        let from = usize::try_from(flaw.place.offset).unwrap_or(usize::MAX);
        let tail = bytes.get(from..).unwrap_or_default();
        if tail.contains(&0) {
            let place = flaw.place.to_string();
            self.healed.push(Healed::TailCut { place });
        }
        Ok(())
    }

    fn cut_short(&self, found: Position) -> StoreError {
        StoreError::Refused(format!(
            "存储目录“{}”的两份数据都只到第{found}号记录，而已确认写入过第{}号，其间的记录缺失。\
             请先把整个目录另行备份，再用最近的备份恢复（cuiban restore 备份文件 --replace）；若接受缺失，删除其中的 HEAD 文件后重新启动",
            self.layout.folder.display(),
            self.noted,
        ))
    }

    fn both_bad(&self, pass: &Pass, mirror: Option<String>, store: Option<String>) -> StoreError {
        let say = |flaw: Option<String>| flaw.unwrap_or_else(|| "完好".into());
        StoreError::Refused(format!(
            "存储目录“{}”的两份数据都有损坏，无法自动修复。镜像：第1至{}号记录完好，{}。存储：{}（最后记到第{}号）。\
             请先把整个目录另行备份，再用最近的备份恢复（cuiban restore 备份文件 --replace）",
            self.layout.folder.display(),
            pass.walk.head,
            say(mirror),
            say(store),
            pass.store_head,
        ))
    }
}

/// The inner error is a flaw of the store; the outer one is the machine's.
pub(super) fn try_open(db: &Path) -> Result<Result<Trees, String>, StoreError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match Trees::open(db) {
            Ok(trees) => return Ok(Ok(trees)),
            Err(StoreError::Corrupt { detail, .. }) => return Ok(Err(detail)),
            Err(StoreError::InUse(_)) if tries < guard::TRIES => {
                std::thread::sleep(guard::BETWEEN_TRIES);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Ends a rewriting of the mirror that was interrupted: the new one is whole once the old one has
/// been put aside.
pub(super) fn finish_rewrite(layout: &Layout) -> Result<(), StoreError> {
    let new = layout.mirror.with_extension("new");
    if !new.exists() {
        return Ok(());
    }
    if layout.mirror.exists() {
        return std::fs::remove_dir_all(&new).map_err(|error| io(&new, error));
    }
    std::fs::rename(&new, &layout.mirror).map_err(|error| io(&new, error))?;
    sync_folder(&layout.folder)
}

/// Whether a store that was there before has no mirror; an empty folder is put in its place.
fn mirror_is_lost(layout: &Layout) -> bool {
    let lost = mirror::segments(&layout.mirror).map_or(true, |segments| segments.is_empty());
    if lost && let Err(error) = std::fs::create_dir_all(&layout.mirror) {
        tracing::error!(%error, "could not make a folder for the mirror");
    }
    lost
}
