//! `[store]`: where everything is kept.

use std::path::PathBuf;

use super::reader::Reader;

/// `[store]`.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The folder of journal, sled and keys.
    pub path: PathBuf,
}

impl StoreConfig {
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let path = r.text("path");
        if path.is_none() && !r.is_written("path") {
            r.fault("path", "请填写存放数据的文件夹，如 \"/var/lib/cuiban\"");
        }
        let path = PathBuf::from(path?);
        if path.is_file() {
            r.fault("path", "这里已有一个同名文件，请改用一个文件夹");
        }
        Some(Self { path })
    }
}
