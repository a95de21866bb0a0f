//! Files that owners hand in, by their hash: `evidence/ab/<hash>` in the store's folder.
//!
//! A file is written beside, synced, renamed and the rename synced; only then may a fact speak of
//! it. So a hash that is on record always has its bytes, and what a crash leaves is a file that
//! nobody speaks of. Nothing is ever overwritten or removed. Calls block.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::StoreError;
use super::files::{io as failed, make_folder, sync_folder};
use super::guard::Room;
use crate::domain::evidence::FileHash;
use crate::domain::hex::hex;

/// Where unfinished files lie, on the same file system.
const PARTS: &str = "part";

/// The folder of files.
#[derive(Debug, Clone)]
pub struct Vault {
    folder: PathBuf,
    room: Room,
}

impl Vault {
    /// In this folder; it is made when the first file comes.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            room: Room::default(),
        }
    }

    /// Begins a file.
    ///
    /// # Errors
    /// Where the disk takes nothing now.
    pub fn begin(&self) -> Result<Part, StoreError> {
        let parts = self.folder.join(PARTS);
        make_folder(&parts)?;
        self.room.check(&self.folder)?;
        let mut name = [0; 12];
        getrandom::fill(&mut name)
            .map_err(|error| StoreError::Engine(format!("取随机数失败：{error}")))?;
        let path = parts.join(hex(&name));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed(&path, error))?;
        Ok(Part {
            folder: self.folder.clone(),
            path,
            file,
            hasher: Sha256::new(),
            bytes: 0,
        })
    }

    /// A file that was kept; none where there is none of this hash.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(&self, hash: &FileHash) -> Result<Option<File>, StoreError> {
        let path = place(&self.folder, hash);
        match File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, error)),
        }
    }

    /// Removes what was being written when the program ended; to be called before it begins anew.
    pub fn sweep(&self) {
        let Ok(entries) = fs::read_dir(self.folder.join(PARTS)) else {
            return;
        };
        for entry in entries.flatten() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Every file that was kept in this folder, by hash.
///
/// # Errors
/// Where it cannot be listed.
pub(super) fn all(folder: &Path) -> Result<Vec<(FileHash, PathBuf)>, StoreError> {
    let mut found = Vec::new();
    for home in entries(folder)? {
        if home.file_name().is_some_and(|name| name == PARTS) || !home.is_dir() {
            continue;
        }
        found.extend(entries(&home)?.into_iter().filter_map(|path| {
            let hash = FileHash::new(path.file_name()?.to_str()?).ok()?;
            Some((hash, path))
        }));
    }
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| failed(folder, error))?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let paths: io::Result<Vec<PathBuf>> = paths.collect();
    paths.map_err(|error| failed(folder, error))
}

/// A file that is being written; gone when dropped.
#[derive(Debug)]
pub struct Part {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    hasher: Sha256,
    bytes: u64,
}

impl Part {
    /// Writes more of it.
    ///
    /// # Errors
    /// Where the disk is full or fails.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all(bytes)
            .map_err(|error| failed(&self.path, error))?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// How much was written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What was written, to be read.
    #[must_use]
    pub fn content(&self) -> &File {
        &self.file
    }

    /// What it will be called.
    ///
    /// # Errors
    /// Never in fact: a digest has the form of one.
    pub fn hash(&self) -> Result<FileHash, StoreError> {
        let digest = self.hasher.clone().finalize();
        FileHash::new(&hex(digest.iter())).map_err(StoreError::Engine)
    }

    /// Keeps it, durably.
    ///
    /// # Errors
    /// Where the disk fails; nothing is kept then.
    pub fn keep(self) -> Result<FileHash, StoreError> {
        let hash = self.hash()?;
        let path = place(&self.folder, &hash);
        let home = path.parent().unwrap_or(&self.folder);
        make_folder(home)?;
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, &path))
            .map_err(|error| failed(&path, error))?;
        sync_folder(home)?;
        Ok(hash)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After `keep` there is nothing under this name any more.
        let _ = fs::remove_file(&self.path);
    }
}

fn place(folder: &Path, hash: &FileHash) -> PathBuf {
    let hash = hash.as_str();
    folder.join(hash.get(..2).unwrap_or("--")).join(hash)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_kept_whole_under_its_hash_and_for_this_program_only() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::new(dir.path().join("evidence"));
        let mut part = vault.begin().unwrap();
        part.write(b"1").unwrap();
        part.write(b"23").unwrap();
        assert_eq!(part.bytes(), 3);
        let hash = part.keep().unwrap();
        assert!(hash.as_str().starts_with("a665a45920422f9d"));
        let path = dir.path().join("evidence/a6").join(hash.as_str());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut text = String::new();
        let mut file = vault.open(&hash).unwrap().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "123");
        let other = FileHash::new(&"0".repeat(64)).unwrap();
        assert!(vault.open(&other).unwrap().is_none());
    }

    #[test]
    fn what_was_not_finished_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::new(dir.path().to_owned());
        let left = || fs::read_dir(dir.path().join(PARTS)).unwrap().count();
        let mut part = vault.begin().unwrap();
        part.write(b"half").unwrap();
        drop(part);
        assert_eq!(left(), 0);
        // A kill runs no destructor.
        std::mem::forget(vault.begin().unwrap());
        assert_eq!(left(), 1);
        vault.sweep();
        assert_eq!(left(), 0);
    }
}
