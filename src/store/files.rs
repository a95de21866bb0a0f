//! Files of the store's folder: synced where it matters, errors with their place.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use super::StoreError;

/// An input or output error with its place.
pub(super) fn io(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io {
        what: path.display().to_string(),
        source,
    }
}

/// Makes names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| io(path, error))
}

/// Writes a file whole or not at all: temporary, fsync, rename, fsync of the folder.
pub fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    let temporary = path.with_extension("part");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = written {
        // Half a temporary file on a full disk would be in the way of the next try.
        let _ = std::fs::remove_file(&temporary);
        return Err(io(path, error));
    }
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes a folder for this program only, durably.
///
/// # Errors
/// Where it cannot be made.
pub fn make_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| io(folder, error))?;
    let above = folder.ancestors().skip(1).take(2);
    above
        .filter(|above| above.is_dir())
        .try_for_each(sync_folder)
}

/// Removes a file and makes that durable; true where it was there.
pub(super) fn remove(path: &Path) -> Result<bool, StoreError> {
    match std::fs::remove_file(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync_folder).map(|()| true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io(path, error)),
    }
}

/// Free and total bytes of the file system this path is on.
pub(super) fn space(path: &Path) -> Result<(u64, u64), StoreError> {
    let stat = rustix::fs::statvfs(path).map_err(|error| io(path, error.into()))?;
    Ok((
        stat.f_bavail.saturating_mul(stat.f_frsize),
        stat.f_blocks.saturating_mul(stat.f_frsize),
    ))
}

/// The last position acknowledged, noted without a sync: enough to notice, after anything but a
/// power cut, that a copy was cut short or is gone.
#[derive(Debug)]
pub(super) struct HeadNote(File);

impl HeadNote {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map(Self)
            .map_err(|error| io(path, error))
    }

    pub(super) fn set(&self, head: u64) {
        let digits = format!("{head:020}");
        let crc = crc32fast::hash(digits.as_bytes());
        let text = format!("{digits} {crc:08x}\n");
        if let Err(error) = self.0.write_all_at(text.as_bytes(), 0) {
            tracing::warn!(%error, "could not note the last position");
        }
    }

    /// What was noted; 0 where nothing readable is.
    pub(super) fn read(path: &Path) -> u64 {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let noted = text.trim_end().split_once(' ').filter(|(digits, crc)| {
            u32::from_str_radix(crc, 16) == Ok(crc32fast::hash(digits.as_bytes()))
        });
        noted
            .and_then(|(digits, _)| digits.parse().ok())
            .unwrap_or(0)
    }
}
