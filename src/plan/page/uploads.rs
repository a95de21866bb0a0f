//! Files that were uploaded and not yet accepted: by their hash, for a day, for this program only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::hex;

/// How long a file waits to be accepted.
pub(in crate::plan) const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The folder. Its calls block.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Uploads {
    folder: PathBuf,
}

impl Uploads {
    pub(in crate::plan) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps a file, and gives the hash it goes by.
    pub(in crate::plan) fn keep(&self, bytes: &[u8]) -> io::Result<String> {
        self.sweep();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        let hash = hex::sha256(bytes);
        // Whole or not at all: a crash must not leave half a table under the hash of the whole.
        let draft = self.folder.join(format!("{hash}.new"));
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(bytes)?;
        fs::rename(&draft, self.folder.join(&hash))?;
        Ok(hash)
    }

    /// The file of this hash; none where it was accepted, is too old, or never was.
    pub(in crate::plan) fn get(&self, hash: &str) -> io::Result<Option<Vec<u8>>> {
        self.sweep();
        if !is_hash(hash) {
            return Ok(None);
        }
        match fs::read(self.folder.join(hash)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// It was accepted.
    pub(in crate::plan) fn forget(&self, hash: &str) {
        if is_hash(hash) {
            let _ = fs::remove_file(self.folder.join(hash));
        }
    }

    /// Removes what has waited long enough.
    pub(in crate::plan) fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let since = entry.metadata().and_then(|meta| meta.modified());
            let age = since.ok().and_then(|since| since.elapsed().ok());
            if age.is_some_and(|age| age > KEPT) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_kept_for_this_program_only_until_it_is_accepted_or_a_day_old() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(dir.path().join("imports"));
        let hash = uploads.keep("分解表".as_bytes()).unwrap();
        let path = dir.path().join("imports").join(&hash);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(uploads.get(&hash).unwrap().unwrap(), "分解表".as_bytes());
        assert_eq!(uploads.get("../../etc/passwd").unwrap(), None);

        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let old = fs::metadata(&path).unwrap().modified().unwrap() - KEPT - Duration::from_secs(5);
        file.set_modified(old).unwrap();
        assert_eq!(uploads.get(&hash).unwrap(), None);

        let hash = uploads.keep(b"1").unwrap();
        uploads.forget(&hash);
        assert_eq!(uploads.get(&hash).unwrap(), None);
    }
}
