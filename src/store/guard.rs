//! What is looked at before the store is opened: whose it is, whether it is ours, whether there is
//! room, and whether the engine survives a first look (storage.md, guards G1 to G5).

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, MetadataExt as _, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::StoreError;
use super::files::{io, remove, space, sync_folder, write_whole};
use super::sled::Trees;
use super::{mirror, record};

/// The first line of FORMAT.
pub(super) const LAYOUT: &str = "cuiban sled-0.34 v1";
const BALLAST: u64 = 16 << 20;
/// Tries to take a lock, and the time between them.
pub(super) const TRIES: u32 = 10;
pub(super) const BETWEEN_TRIES: Duration = Duration::from_millis(10);
/// What the hidden command ends with when the store is damaged.
pub const PROBE_FAILED: u8 = 9;

/// The files of a store's folder.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub folder: PathBuf,
    pub lock: PathBuf,
    pub format: PathBuf,
    pub clean: PathBuf,
    pub ballast: PathBuf,
    pub head: PathBuf,
    pub snapshot: PathBuf,
    pub mirror: PathBuf,
    pub db: PathBuf,
}

impl Layout {
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            lock: folder.join("LOCK"),
            format: folder.join("FORMAT"),
            clean: folder.join("CLEAN"),
            ballast: folder.join("ballast"),
            head: folder.join("HEAD"),
            snapshot: folder.join("snapshot.json"),
            mirror: folder.join("mirror"),
            db: folder.join("db"),
        }
    }
}

/// How much room is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Below this many free bytes no new writes are taken.
    pub to_write: u64,
    /// Nor below this share of the file system, in percent.
    pub percent: u64,
    /// Below this many free bytes the store is not opened: the engine could not.
    pub to_open: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            to_write: 200 << 20,
            percent: 5,
            to_open: 8 << 20,
        }
    }
}

impl Room {
    /// Whether new writes may be taken.
    pub(super) fn check(&self, folder: &Path) -> Result<(), StoreError> {
        let (free, total) = space(folder)?;
        let share = total / 100 * self.percent;
        // A share of a large disk is more than all years' journals, and refusing while gigabytes are
        // free stops the office for nothing.
        if free < self.to_write || free < share.min(1 << 30) {
            return Err(StoreError::Refused(format!(
                "存储目录“{}”所在磁盘只剩{}MB，已暂停写入：请清理磁盘，腾出空间后自动恢复",
                folder.display(),
                free >> 20
            )));
        }
        Ok(())
    }
}

/// Free megabytes where the store lies.
///
/// # Errors
/// Where there are too few to write.
pub fn room_in(folder: &Path, room: Room) -> Result<u64, StoreError> {
    room.check(folder)?;
    let (free, _) = space(folder)?;
    Ok(free >> 20)
}

/// Free megabytes where the store lies, and whether they are enough to write.
///
/// # Errors
/// Where the folder cannot be asked about.
pub fn free_in(folder: &Path, room: Room) -> Result<(u64, bool), StoreError> {
    let (free, _) = space(folder)?;
    Ok((free >> 20, room.check(folder).is_ok()))
}

/// Whether there is a store in this folder.
#[must_use]
pub fn exists(folder: &Path) -> bool {
    let layout = Layout::of(folder);
    // A folder that cannot be looked into is no reason to say that there is nothing in it.
    layout.format.try_exists().unwrap_or(true) || has_copies(&layout)
}

/// Whether there is what a store is made of, marked or not.
pub(super) fn has_copies(layout: &Layout) -> bool {
    layout.db.exists() || size_of(&layout.mirror) > 0
}

/// Makes the folder where it is missing and takes its lock; held until dropped.
pub(super) fn lock(layout: &Layout) -> Result<File, StoreError> {
    if !layout.folder.exists() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&layout.folder)
            .map_err(|error| io(&layout.folder, error))?;
    }
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&layout.lock)
        .map_err(|error| io(&layout.lock, error))?;
    belong(&file, layout).map_err(|error| io(&layout.lock, error))?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A process on its way out, or just forked, may hold it for a moment.
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_TRIES),
            Err(TryLockError::Error(error)) => return Err(io(&layout.lock, error)),
        }
    }
    Err(StoreError::InUse(layout.folder.clone()))
}

/// A lock that root had to make belongs to whom the folder belongs to, who could not take it else.
fn belong(lock: &File, layout: &Layout) -> std::io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let (file, folder) = (lock.metadata()?, std::fs::metadata(&layout.folder)?);
    match file.uid() == 0 && folder.uid() != 0 {
        true => std::os::unix::fs::fchown(lock, Some(folder.uid()), Some(folder.gid())),
        false => Ok(()),
    }
}

/// G1: the folder is ours, or empty and made ours. True where it was made now.
pub(super) fn format(layout: &Layout) -> Result<bool, StoreError> {
    match std::fs::read_to_string(&layout.format) {
        Ok(text) if text.lines().next() == Some(LAYOUT) => {
            note_release(layout, &text).map(|()| false)
        }
        Ok(text) => Err(StoreError::Refused(format!(
            "目录“{}”中的数据格式是“{}”，本程序只认“{LAYOUT}”：请改用写入它的程序版本，或更换存储目录",
            layout.folder.display(),
            text.lines().next().unwrap_or_default()
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(layout).map(|()| true),
        Err(error) => Err(io(&layout.format, error)),
    }
}

/// The release that last wrote here, for the message when a later one's records are found.
pub(super) fn release(layout: &Layout) -> Option<String> {
    let text = std::fs::read_to_string(&layout.format).ok()?;
    Some(text.lines().nth(1)?.to_owned())
}

/// Whether a later release than this one has written here.
pub(super) fn is_of_later_release(layout: &Layout) -> bool {
    release(layout).is_some_and(|release| version(&release) > version(&ours()))
}

/// Says in FORMAT that this release writes here.
fn note_release(layout: &Layout, text: &str) -> Result<(), StoreError> {
    let ours = ours();
    let newer = version(text.lines().nth(1).unwrap_or_default()) >= version(&ours);
    if newer {
        return Ok(());
    }
    write_format(layout, &ours)
}

/// G2: half-written snapshots of the engine, which its next open would take for the newest.
pub(super) fn clear_half_snapshots(db: &Path) -> Result<u32, StoreError> {
    let Ok(entries) = std::fs::read_dir(db) else {
        return Ok(0);
    };
    let mut removed = 0;
    for entry in entries {
        let path = entry.map_err(|error| io(db, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            remove(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// G5: room enough to open, by giving up the ballast where need be.
pub(super) fn room_to_open(layout: &Layout, room: &Room) -> Result<(), StoreError> {
    let (free, _) = space(&layout.folder)?;
    if free >= room.to_open {
        return Ok(());
    }
    let released = remove(&layout.ballast)?;
    let (free, _) = space(&layout.folder)?;
    if free >= room.to_open {
        tracing::warn!(released, free, "gave up the ballast to open the store");
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "存储目录“{}”所在磁盘已满（只剩{}KB），无法打开：请先清理磁盘",
        layout.folder.display(),
        free >> 10
    )))
}

/// Lays the ballast down (again) where there is ample room for it.
pub(super) fn lay_ballast(layout: &Layout, room: &Room) {
    let ample = space(&layout.folder)
        .is_ok_and(|(free, _)| free > room.to_write.saturating_add(2 * BALLAST));
    if layout.ballast.exists() || !ample {
        return;
    }
    let laid = File::create(&layout.ballast).and_then(|file| {
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, BALLAST)?;
        file.sync_all()
    });
    if let Err(error) = laid {
        tracing::info!(%error, "no ballast file");
        let _ = std::fs::remove_file(&layout.ballast);
    }
}

/// The command that takes the first look at a store in a process of its own; the store's folder is
/// added as the last argument.
#[derive(Debug, Clone)]
pub struct ProbeCommand {
    /// The daemon's own executable.
    pub program: PathBuf,
    /// The hidden subcommand.
    pub args: Vec<OsString>,
    /// Time it gets, and a second more for each 20 MB; the engine hangs on some damage.
    pub limit: Duration,
}

impl ProbeCommand {
    /// The daemon's own executable with this subcommand, and 30 seconds.
    #[must_use]
    pub fn new(program: PathBuf, subcommand: &str) -> Self {
        Self {
            program,
            args: vec![subcommand.into()],
            limit: Duration::from_secs(30),
        }
    }
}

/// Opens the store in the folder and reads all of it, in the child process. The command ends with
/// [`PROBE_FAILED`] where this fails.
///
/// # Errors
/// What is wrong with it.
pub fn probe(folder: &Path) -> Result<(), StoreError> {
    let db = Layout::of(folder).db;
    let trees = Trees::open(&db)?;
    for line in trees.lines(0) {
        let (position, line) = line?;
        record::check_line(&line).map_err(|error| error.at(format!("第{position}号记录")))?;
    }
    Ok(())
}

/// G4: has the child look, with a time limit. `Some` says what is wrong with the store.
pub(super) fn first_look(layout: &Layout, command: &ProbeCommand) -> Option<String> {
    let child = Command::new(&command.program)
        .args(&command.args)
        .arg(&layout.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            tracing::warn!(%error, "could not look at the store in a child process");
            return None;
        }
    };
    let limit = command.limit + Duration::from_secs(size_of(&layout.db) / (20 << 20));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < limit => std::thread::sleep(Duration::from_millis(2)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Some(format!("{}秒内没有打开", limit.as_secs()));
            }
        }
    };
    let mut said = String::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = stderr.take(2000).read_to_string(&mut said);
    }
    match status.code() {
        Some(0) => None,
        Some(code) if code == i32::from(PROBE_FAILED) || code == 101 => {
            Some(said.trim().chars().take(300).collect())
        }
        None => Some(format!("试打开时进程中断（{status}）")),
        Some(code) => {
            tracing::warn!(code, said = %said.trim(), "the child could not look at the store");
            None
        }
    }
}

fn make(layout: &Layout) -> Result<(), StoreError> {
    let ours = [
        "LOCK",
        "ballast",
        "link.key",
        "link.part",
        "FORMAT.part",
        "mirror",
    ];
    let entries = std::fs::read_dir(&layout.folder).map_err(|error| io(&layout.folder, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| io(&layout.folder, error))?;
        let name = entry.file_name();
        let known = ours.iter().any(|known| name == *known);
        if !known || (name == "mirror" && size_of(&layout.mirror) > 0) {
            return Err(StoreError::Refused(format!(
                "目录“{}”里有别的文件（如“{}”），却没有 cuiban 的 FORMAT 标记：请检查配置 store.path，或换一个空目录",
                layout.folder.display(),
                name.to_string_lossy()
            )));
        }
    }
    // The mirror before FORMAT: where FORMAT stands, a missing mirror is a loss.
    if !layout.mirror.exists() {
        mirror::Mirror::create(&layout.mirror)?;
    }
    sync_folder(&layout.folder)?;
    write_format(layout, &self::ours())
}

/// Marks a folder as a store that this release wrote.
pub(super) fn mark(layout: &Layout) -> Result<(), StoreError> {
    write_format(layout, &ours())
}

fn write_format(layout: &Layout, release: &str) -> Result<(), StoreError> {
    let text = format!("{LAYOUT}\n{release}\n");
    write_whole(&layout.format, text.as_bytes(), 0o600)
}

fn ours() -> String {
    format!("release {}", env!("CARGO_PKG_VERSION"))
}

fn version(release: &str) -> Vec<u64> {
    let numbers = release.trim_start_matches("release ").split('.');
    numbers.map_while(|number| number.parse().ok()).collect()
}

/// Bytes of the files in a folder and below.
pub(super) fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size_of(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
