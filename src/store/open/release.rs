//! A store in which a later release has written.

use crate::store::StoreError;
use crate::store::guard::{self, Layout};
use crate::store::{mirror, record};

/// Where a later release has written here, it may have written what this one cannot read: that is
/// looked for before anything is touched.
pub(in crate::store) fn readable(layout: &Layout) -> Result<(), StoreError> {
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

pub(super) fn name_release(layout: &Layout, error: StoreError) -> StoreError {
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
