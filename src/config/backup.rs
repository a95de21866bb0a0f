//! `[backup]`: a copy of everything, made by the daemon every night.

use std::path::PathBuf;

use chrono::NaiveTime;

use super::reader::Reader;

/// `[backup]`, where a folder is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupConfig {
    /// Where the copies are written.
    pub folder: PathBuf,
    /// At what time of day.
    pub at: NaiveTime,
    /// How many are kept; older ones are removed.
    pub keep: usize,
    /// Who can read them, as age's public keys; none: they are not encrypted.
    pub recipients: Vec<String>,
}

impl BackupConfig {
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let folder = r.text("folder");
        let at = r.time("at");
        let keep = r.number("keep", 1..=3650);
        let recipients = r.texts("recipients").unwrap_or_default();
        if recipients.iter().any(|one| !is_recipient(one)) {
            r.fault(
                "recipients",
                "请填写 age 公钥，如 \"age1…\"，可由 age-keygen 生成",
            );
        }
        Some(Self {
            folder: PathBuf::from(folder?),
            at: at?,
            keep: usize::try_from(keep?).ok()?,
            recipients,
        })
    }
}

/// Whether this is one of age's public keys; it becomes an argument of a command.
#[must_use]
pub fn is_recipient(text: &str) -> bool {
    let rest = text.strip_prefix("age1");
    rest.is_some_and(|rest| {
        rest.len() > 20 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
