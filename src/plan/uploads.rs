//! Files that come by a form and are looked at before they count: by their hash, for a day, for this
//! program only.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Multipart;
use axum::extract::multipart::MultipartError;
use axum::http::StatusCode;

use crate::desk::Desk;
use crate::domain::hex;
use crate::web::{WebError, blocking};

/// How long a file waits to be accepted.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// What a form may hold beside its file.
pub(super) const AROUND: usize = 64 * 1024;

const GONE: &str = "这份文件已经导入，或者上传后超过一天没有确认，已被清除。如需导入，请重新上传。";

/// What pages stand on that take a file.
#[derive(Clone)]
pub(super) struct Room {
    pub(super) desk: Arc<Desk>,
    pub(super) uploads: Uploads,
    /// Called after a change.
    pub(super) wake: Arc<dyn Fn() + Send + Sync>,
}

/// A form with a file.
#[derive(Debug, Default)]
pub(super) struct Upload {
    pub(super) csrf: String,
    /// The file's name, without a folder.
    pub(super) name: String,
    pub(super) bytes: Bytes,
    /// The other fields.
    pub(super) said: BTreeMap<String, String>,
}

/// A kind of file that is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// What people call it.
    pub(super) name: &'static str,
    /// The most bytes it may have.
    pub(super) largest: usize,
}

impl Kind {
    /// The most bytes a form with such a file may have.
    pub(super) const fn largest_form(self) -> usize {
        self.largest + AROUND
    }

    fn too_large(self) -> WebError {
        let kilobytes = self.largest / 1024;
        let most = match kilobytes / 1024 {
            0 => format!("{kilobytes}KB"),
            megabytes => format!("{megabytes}MB"),
        };
        let name = self.name;
        let words = format!("文件超过{most}，不像是{name}：请检查是否选对了文件。");
        WebError::BadRequest(words)
    }
}

impl Upload {
    /// Reads the whole form.
    pub(super) async fn read(mut parts: Multipart, kind: Kind) -> Result<Self, WebError> {
        let broken = |error: MultipartError| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => kind.too_large(),
            _ => WebError::BadRequest("上传没有完成，请重新选择文件再试一次。".into()),
        };
        let mut upload = Self::default();
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            match part.name().unwrap_or_default().to_owned().as_str() {
                "file" => {
                    // Some browsers send the whole path.
                    let whole = part.file_name().unwrap_or_default();
                    let last = whole.rsplit(['/', '\\']).next().unwrap_or_default();
                    upload.name = last.chars().take(120).collect();
                    upload.bytes = part.bytes().await.map_err(broken)?;
                }
                "csrf" => upload.csrf = part.text().await.map_err(broken)?,
                field => {
                    let text = part.text().await.map_err(broken)?;
                    upload.said.insert(field.to_owned(), text);
                }
            }
        }
        match upload.bytes.len() > kind.largest {
            true => Err(kind.too_large()),
            false => Ok(upload),
        }
    }

    /// What another field says; empty where it is not there.
    pub(super) fn take(&mut self, field: &str) -> String {
        self.said.remove(field).unwrap_or_default()
    }
}

/// The files that wait.
#[derive(Debug, Clone)]
pub(super) struct Uploads(Folder);

impl Uploads {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(Folder(folder))
    }

    /// Keeps a file, and gives the hash it goes by. Who forgets to accept it leaves nothing behind.
    pub(super) async fn keep(&self, bytes: Bytes) -> Result<String, WebError> {
        let folder = self.0.clone();
        let hash = blocking(move || folder.keep(&bytes)).await?;
        let folder = self.0.clone();
        tokio::spawn(async move {
            tokio::time::sleep(KEPT + Duration::from_secs(60)).await;
            let _ = blocking(move || folder.sweep()).await;
        });
        hash.map_err(WebError::internal)
    }

    /// The file of this hash.
    ///
    /// # Errors
    /// [`WebError::Conflict`] where it was accepted, is too old, or never was.
    pub(super) async fn get(&self, hash: &str) -> Result<Vec<u8>, WebError> {
        let (folder, hash) = (self.0.clone(), hash.to_owned());
        let bytes = blocking(move || folder.get(&hash)).await?;
        let bytes = bytes.map_err(WebError::internal)?;
        bytes.ok_or_else(|| WebError::Conflict(GONE.into()))
    }

    /// It was accepted.
    pub(super) async fn forget(&self, hash: String) -> Result<(), WebError> {
        let folder = self.0.clone();
        blocking(move || folder.forget(&hash)).await
    }

    /// Removes what has waited long enough.
    pub(super) fn sweep(&self) {
        self.0.sweep();
    }
}

/// Where they lie. Its calls block.
#[derive(Debug, Clone)]
struct Folder(PathBuf);

impl Folder {
    /// Keeps a file, and gives the hash it goes by.
    fn keep(&self, bytes: &[u8]) -> io::Result<String> {
        self.sweep();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)?;
        let hash = hex::sha256(bytes);
        // Whole or not at all: a crash must not leave half a table under the hash of the whole.
        let draft = self.0.join(format!("{hash}.new"));
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(bytes)?;
        fs::rename(&draft, self.0.join(&hash))?;
        Ok(hash)
    }

    /// The file of this hash; none where it was accepted, is too old, or never was.
    fn get(&self, hash: &str) -> io::Result<Option<Vec<u8>>> {
        self.sweep();
        if !is_hash(hash) {
            return Ok(None);
        }
        match fs::read(self.0.join(hash)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// It was accepted.
    fn forget(&self, hash: &str) {
        if is_hash(hash) {
            let _ = fs::remove_file(self.0.join(hash));
        }
    }

    /// Removes what has waited long enough.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.0) else {
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
        let uploads = Folder(dir.path().join("imports"));
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
