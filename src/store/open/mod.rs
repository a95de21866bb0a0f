//! Opening: the guards, then both copies read side by side, healed from each other where one is
//! damaged, and the book folded on the way (storage.md 3 and 4).

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::StoreError;
use super::files::{HeadNote, io, remove, sync_folder};
use super::guard::{self, Layout, ProbeCommand, Room};
use super::journal::SledJournal;
use super::mirror::{self, Mirror, Walk};
use super::record::{self, Hash};
use super::sled::{Group, Trees};
use super::snapshot::{self, Snapshot};
use crate::clock::Clock;
use crate::domain::book::Book;
use crate::domain::ids::Position;

/// Facts applied in one transaction while catching up.
const CATCH_UP: u64 = 500;

/// What is needed to open a store.
#[derive(Debug, Clone)]
pub struct Opener {
    /// The store's folder.
    pub path: PathBuf,
    /// How to look first in a child process; none looks in this one.
    pub probe: Option<ProbeCommand>,
    /// Room wanted on the disk.
    pub room: Room,
    /// For the names of what is put aside.
    pub clock: Clock,
}

/// How it went.
#[derive(Debug, Clone, Default)]
pub struct OpenReport {
    /// Facts in the journal.
    pub facts: Position,
    /// Facts that the snapshot spared folding.
    pub from_snapshot: Position,
    /// Facts the engine lacked and got from the mirror; usual after a kill.
    pub caught_up: u64,
    /// Whether the last stop was in good order.
    pub clean: bool,
    /// What was damaged and is whole again: for log, metrics and `doctor`.
    pub healed: Vec<Healed>,
    /// Milestones with deadlines kept as records.
    pub milestones: usize,
    /// Bytes of the engine on disk.
    pub bytes: u64,
    /// Time it took.
    pub took: Duration,
}

/// Something that was damaged and is whole again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healed {
    /// The engine's data was made anew from the mirror.
    StoreRebuilt {
        /// What was wrong.
        why: String,
        /// Where the old data is kept.
        kept: PathBuf,
    },
    /// The mirror was written anew from the engine.
    MirrorRewritten {
        /// What was wrong.
        why: String,
        /// Where the old mirror is kept.
        kept: PathBuf,
    },
    /// The end of the mirror held bytes that no interrupted write leaves behind.
    TailCut {
        /// In which file, from which byte.
        place: String,
    },
}

impl fmt::Display for Healed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StoreRebuilt { why, kept } => write!(
                f,
                "存储已损坏（{why}），已按镜像重建；原数据保留在“{}”，确认无误后可删除，并请检查磁盘",
                kept.display()
            ),
            Self::MirrorRewritten { why, kept } => write!(
                f,
                "镜像已损坏（{why}），已按存储重写；原文件保留在“{}”，确认无误后可删除，并请检查磁盘",
                kept.display()
            ),
            Self::TailCut { place } => write!(
                f,
                "镜像末尾有无法识别的内容（{place}），已截去；若此前断过电属正常，否则请检查磁盘"
            ),
        }
    }
}

/// An open store.
pub(super) struct Opened {
    pub journal: SledJournal,
    pub book: Book,
    pub report: OpenReport,
}

/// Opens the store, healing what can be healed.
pub(super) fn open(opener: &Opener) -> Result<Opened, StoreError> {
    let begun = Instant::now();
    let layout = Layout::of(&opener.path);
    let lock = guard::lock(&layout)?;
    let fresh = guard::format(&layout)?;
    readable(&layout)?;
    finish_rewrite(&layout)?;
    let halves = guard::clear_half_snapshots(&layout.db)?;
    if halves > 0 {
        tracing::info!(halves, "removed half-written snapshots of the engine");
    }
    guard::room_to_open(&layout, &opener.room)?;
    let mut healing = Healing {
        clean: layout.clean.exists(),
        noted: HeadNote::read(&layout.head),
        mirror_lost: !fresh && mirror_is_lost(&layout),
        opener,
        layout: &layout,
        healed: Vec::new(),
    };
    let store = healing.first_look();
    remove(&layout.clean)?;
    let store = match store {
        Some(why) => Err(why),
        None => try_open(&layout.db)?,
    };
    let (trees, pass) = healing
        .settle(store)
        .map_err(|error| name_release(&layout, error))?;
    let mirror = Mirror::open(&layout.mirror, pass.walk.flaw.as_ref())?;
    let note = HeadNote::open(&layout.head)?;
    guard::lay_ballast(&layout, &opener.room);
    let report = OpenReport {
        facts: pass.walk.head,
        from_snapshot: pass.from_snapshot,
        caught_up: pass.caught_up,
        clean: healing.clean,
        healed: healing.healed,
        milestones: trees.milestones(),
        bytes: trees.size(),
        took: begun.elapsed(),
    };
    report.log();
    let journal = SledJournal::new(layout, lock, trees, (mirror, note), &pass, opener.room);
    Ok(Opened {
        journal,
        book: pass.book,
        report,
    })
}

impl OpenReport {
    fn log(&self) {
        for healed in &self.healed {
            tracing::error!(what = %healed, "the store was damaged and has been healed");
        }
        let (facts, caught_up) = (self.facts, self.caught_up);
        let took_ms = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            facts,
            caught_up,
            clean = self.clean,
            took_ms,
            "the store is open"
        );
    }
}

/// Both copies read once, side by side.
pub(super) struct Pass {
    pub book: Book,
    pub walk: Walk,
    pub from_snapshot: Position,
    store_head: Position,
    store_flaw: Option<String>,
    snapshot_bad: bool,
    caught_up: u64,
}

struct Healing<'a> {
    opener: &'a Opener,
    layout: &'a Layout,
    clean: bool,
    /// The last position that was acknowledged, as far as is known.
    noted: Position,
    mirror_lost: bool,
    healed: Vec<Healed>,
}

impl Healing<'_> {
    fn first_look(&self) -> Option<String> {
        let command = self.opener.probe.as_ref()?;
        (!self.clean && self.layout.db.exists())
            .then(|| guard::first_look(self.layout, command))
            .flatten()
    }

    /// Goes round until both copies agree; each kind of damage is mended at most once.
    fn settle(&mut self, mut store: Result<Trees, String>) -> Result<(Trees, Pass), StoreError> {
        let mut snapshot = snapshot::read(&self.layout.snapshot);
        let (mut rebuilt, mut rewritten) = (false, false);
        loop {
            let mut pass = run(self.layout, store.as_ref().ok(), snapshot.take())?;
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
        let (head, hash) = match sound(trees) {
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

/// Reads the mirror, compares the store with it, folds the book, and applies to the store what it
/// lacks.
fn run(
    layout: &Layout,
    trees: Option<&Trees>,
    snapshot: Option<Snapshot>,
) -> Result<Pass, StoreError> {
    let head = trees.map(Trees::head).unwrap_or(Ok((0, [0; 32])));
    let (store_head, store_hash, store_flaw) = match head {
        Ok((head, hash)) => (head, hash, None),
        Err(error) => (0, [0; 32], Some(error.to_string())),
    };
    let snapshot = snapshot.filter(|snapshot| snapshot.book.position <= store_head);
    let known = snapshot.as_ref().map(|s| (s.book.position, s.hash));
    let mut pass = Pass {
        from_snapshot: known.map_or(0, |(position, _)| position),
        book: snapshot.map(|snapshot| snapshot.book).unwrap_or_default(),
        walk: Walk::default(),
        store_head,
        store_flaw,
        snapshot_bad: false,
        caught_up: 0,
    };
    let mut stored = trees.map(|trees| trees.lines(0));
    let mut group = Group::default();
    let walk = mirror::walk(&layout.mirror, |checked, line| {
        let here = checked.position;
        if here <= store_head && pass.store_flaw.is_none() {
            let row = stored.as_mut().and_then(Iterator::next);
            pass.store_flaw = differs(row, here, line);
            if here == store_head && checked.hash != store_hash {
                pass.store_flaw = Some(format!("第{here}号记录的摘要不符"));
            }
        }
        match known {
            Some((position, _)) if here < position || pass.snapshot_bad => return Ok(()),
            Some((position, hash)) if here == position => {
                pass.snapshot_bad = hash != checked.hash;
                return Ok(());
            }
            _ => {}
        }
        let entry = record::read_line(line).map_err(|error| error.at(format!("第{here}号记录")))?;
        let effects = pass.book.apply(&entry)?;
        if let Some(trees) = trees.filter(|_| here > store_head && pass.store_flaw.is_none()) {
            group.fact(here, checked.hash, line);
            group.effects(&effects)?;
            pass.caught_up += 1;
            if pass.caught_up.is_multiple_of(CATCH_UP) {
                pass.store_flaw = catch_up(trees, std::mem::take(&mut group))?;
            }
        }
        Ok(())
    })?;
    if known.is_some_and(|(position, _)| position > walk.head) {
        pass.snapshot_bad = true;
    }
    if let Some(trees) = trees.filter(|_| group.head() > 0 && pass.store_flaw.is_none()) {
        pass.store_flaw = catch_up(trees, std::mem::take(&mut group))?;
    }
    if walk.head >= store_head
        && pass.store_flaw.is_none()
        && pass.caught_up == 0
        && stored.and_then(|mut rows| rows.next()).is_some()
    {
        pass.store_flaw = Some("存储中有镜像里没有的记录".into());
    }
    pass.walk = walk;
    Ok(pass)
}

fn differs(
    row: Option<Result<(Position, Vec<u8>), StoreError>>,
    here: Position,
    line: &[u8],
) -> Option<String> {
    match row {
        Some(Ok((position, stored))) if position == here && stored == line => None,
        Some(Ok((position, _))) if position == here => Some(format!("第{here}号记录与镜像不同")),
        Some(Ok(_)) | None => Some(format!("缺少第{here}号记录")),
        Some(Err(error)) => Some(error.to_string()),
    }
}

/// `Some` where the store itself is at fault; an error where the machine is.
fn catch_up(trees: &Trees, group: Group) -> Result<Option<String>, StoreError> {
    match trees.apply(group, false) {
        Ok(()) => Ok(None),
        Err(error @ StoreError::Io { .. }) => Err(error),
        Err(error) => Ok(Some(error.to_string())),
    }
}

/// Checks the store by itself: every line, the chain, and its own last position.
pub(super) fn sound(trees: &Trees) -> Result<(Position, Hash), StoreError> {
    let (mut head, mut hash) = (0, [0; 32]);
    for row in trees.lines(0) {
        let (position, line) = row?;
        let place = || format!("第{position}号记录");
        let checked = record::check_line(&line).map_err(|error| error.at(place()))?;
        if position != head + 1 || checked.position != position || checked.prev != hash {
            return Err(StoreError::Corrupt {
                what: place(),
                detail: "与前一号接不上".into(),
            });
        }
        head = position;
        hash = checked.hash;
    }
    if trees.head()? != (head, hash) {
        return Err(StoreError::Corrupt {
            what: "meta".into(),
            detail: format!("最后序号与实有的第{head}号记录不符"),
        });
    }
    Ok((head, hash))
}

/// The inner error is a flaw of the store; the outer one is the machine's.
fn try_open(db: &Path) -> Result<Result<Trees, String>, StoreError> {
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
fn finish_rewrite(layout: &Layout) -> Result<(), StoreError> {
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

/// Where a later release has written here, it may have written what this one cannot read: that is
/// looked for before anything is touched.
pub(super) fn readable(layout: &Layout) -> Result<(), StoreError> {
    if !guard::is_of_later_release(layout) {
        return Ok(());
    }
    let read = mirror::walk(&layout.mirror, |checked, line| {
        let read = record::read_line(line);
        read.map_err(|error| error.at(format!("第{}号记录", checked.position)))?;
        Ok(())
    });
    match read {
        Err(error @ StoreError::Refused(_)) => Err(name_release(layout, error)),
        // Damage is for whoever can mend it.
        _ => Ok(()),
    }
}

fn name_release(layout: &Layout, error: StoreError) -> StoreError {
    match (error, guard::release(layout)) {
        (StoreError::Refused(text), Some(release)) if text.contains("更新版本") => {
            let version = release.trim_start_matches("release ");
            StoreError::Refused(format!(
                "{text}（最后写入它的版本：{version}）。一定要退回本版本的，只能恢复升级前的备份\
                 （cuiban restore 备份文件 --replace），升级后的记录不在其中"
            ))
        }
        (error, _) => error,
    }
}
