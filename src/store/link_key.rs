//! The key that signs owners' links: made once, kept beside the store.

use std::fmt;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::StoreError;
use super::files::{io, sync_folder};

/// 32 secret bytes. Debug hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// The bytes, for the one who signs.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

/// Reads the key in the store's folder, or makes it at the first start.
///
/// # Errors
/// Where others could read it, or it is not whole: links already sent depend on it, so it is never
/// made anew by itself.
pub fn link_key(folder: &Path) -> Result<LinkKey, StoreError> {
    let path = folder.join("link.key");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return make(folder, &path),
        Err(error) => return Err(io(&path, error)),
    };
    let mode = std::fs::metadata(&path)
        .map_err(|error| io(&path, error))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(StoreError::Refused(format!(
            "链接密钥“{}”的权限是{:o}，其他人可以读取：请执行 chmod 600 后重新启动",
            path.display(),
            mode & 0o777
        )));
    }
    let length = bytes.len();
    bytes.try_into().map(LinkKey).map_err(|_| {
        StoreError::Refused(format!(
            "链接密钥“{}”应为32字节，实为{length}字节，可能已损坏：请从备份恢复该文件；\
             若无备份，删除后重新启动会生成新密钥，但已发出的链接将全部失效",
            path.display()
        ))
    })
}

fn make(folder: &Path, path: &Path) -> Result<LinkKey, StoreError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)
        .map_err(|error| StoreError::Engine(format!("取随机数失败：{error}")))?;
    // The name appears only once the whole key is on disk, and never replaces another's.
    let temporary = folder.join(format!("link.{}.part", std::process::id()));
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(&key).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::hard_link(&temporary, path));
    let _ = std::fs::remove_file(&temporary);
    match made {
        Ok(()) => sync_folder(folder).map(|()| LinkKey(key)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => link_key(folder),
        Err(error) => Err(io(path, error)),
    }
}
