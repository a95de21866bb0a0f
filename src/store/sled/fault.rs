//! What sled says or does when something is wrong, as errors of the store. It panics on some damaged
//! pages instead of failing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::store::StoreError;
use crate::store::files::io;

pub(super) fn guarded<T>(run: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error @ sled::Error::Corruption { .. })) => Err(corrupt("sled", &told(&error))),
        Ok(Err(error)) => Err(StoreError::Engine(told(&error))),
        Err(_) => Err(corrupt("sled", "读取时中断")),
    }
}

/// Which errors of an open are damage, and which are the machine's (no space, no right, in use).
pub(super) fn engine(path: &Path, error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => {
            StoreError::InUse(path.to_owned())
        }
        sled::Error::Io(error) if is_the_machines(&error) => io(path, error),
        error => StoreError::Corrupt {
            what: path.display().to_string(),
            detail: told(&error),
        },
    }
}

fn is_the_machines(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::StorageFull
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::WouldBlock
            | ErrorKind::OutOfMemory
    )
}

/// In the engine's words; of damage, where it is.
pub(super) fn told(error: &sled::Error) -> String {
    let sled::Error::Corruption { at, .. } = error else {
        return error.to_string();
    };
    let digits: String = format!("{at:?}")
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    match digits.as_str() {
        "" => "页面校验不符".into(),
        digits => format!("第{digits}字节处的页面校验不符"),
    }
}

pub(super) fn corrupt(what: &str, detail: &str) -> StoreError {
    StoreError::Corrupt {
        what: what.into(),
        detail: detail.into(),
    }
}
