//! The backup that the daemon makes by itself every night.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use tokio_util::sync::CancellationToken;

use super::trouble::Trouble;
use crate::config::BackupConfig;
use crate::desk::Desk;
use crate::domain::calendar::Calendar;
use crate::domain::causes;
use crate::store::backup_file;
use crate::store::{self, Ledger, StoreError, backup};

/// How the files' names begin, and what all of them hold after the time.
const NAME: &str = "cuiban-";
const SUFFIX: &str = ".jsonl";
/// It looks at the clock at least so often: a clock that was set must not put the night off.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);
/// After one that failed it tries again.
const TRY_AGAIN: Duration = Duration::from_secs(3600);

/// Writes all of an open store.
pub(super) fn produce(
    ledger: &Ledger,
    folder: &Path,
    made_at: DateTime<Utc>,
    to: &mut dyn Write,
) -> Result<(), StoreError> {
    let reader = ledger.reader();
    backup::write(folder, made_at, |to| reader.dump(to), to)
}

/// Makes them, and remembers how the last one went.
pub(super) struct Nightly {
    pub(super) desk: Arc<Desk>,
    pub(super) config: BackupConfig,
    /// The store's folder.
    pub(super) store: PathBuf,
    pub(super) trouble: Trouble,
}

impl Nightly {
    /// Until told to stop. Where the last one is older than a day, the first is made at once.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut pause = LONGEST_SLEEP;
        loop {
            let now = self.desk.clock.now();
            let last = newest(&self.config.folder).map(|(at, _)| at);
            let next = next(&self.desk.calendar(), self.config.at, last, now);
            if next <= now {
                pause = match self.make(now).await {
                    true => LONGEST_SLEEP,
                    false => TRY_AGAIN,
                };
            }
            let until = next.max(now + chrono::TimeDelta::seconds(1));
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.desk.clock.wait_until(until, pause) => {}
            }
        }
    }

    async fn make(&self, now: DateTime<Utc>) -> bool {
        let (desk, config, folder) = (
            Arc::clone(&self.desk),
            self.config.clone(),
            self.store.clone(),
        );
        let made =
            tokio::task::spawn_blocking(move || make(&desk.ledger, &config, &folder, now)).await;
        let trouble = match made {
            Ok(Ok(content)) => {
                self.desk.vitals.backed_up(now);
                tracing::info!(
                    facts = content.facts,
                    files = content.files,
                    bytes = content.bytes,
                    "the nightly backup is written and checked"
                );
                None
            }
            Ok(Err(error)) => Some(causes::told(&error)),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = &trouble {
            tracing::error!(why, "no backup was made");
        }
        let well = trouble.is_none();
        let words = trouble.map(|why| {
            format!("每日备份没有完成：{why}。请服务器管理员处理，系统每小时再试一次。")
        });
        self.trouble.set(words);
        well
    }
}

fn make(
    ledger: &Ledger,
    config: &BackupConfig,
    store: &Path,
    now: DateTime<Utc>,
) -> Result<backup::Content, StoreError> {
    let folder = &config.folder;
    store::make_folder(folder)?;
    store::room_in(folder, store::Room::default())?;
    let age = if config.recipients.is_empty() {
        ""
    } else {
        ".age"
    };
    let name = format!("{NAME}{}{SUFFIX}{age}", now.format("%Y%m%dT%H%M%SZ"));
    let content = backup_file::keep(&folder.join(name), &config.recipients, |to| {
        produce(ledger, store, now, to)
    })?;
    // Only once the new one is whole.
    for (_, old) in all(folder).into_iter().rev().skip(config.keep) {
        if let Err(error) = std::fs::remove_file(&old) {
            tracing::warn!(%error, file = %old.display(), "an old backup could not be removed");
        }
    }
    Ok(content)
}

/// When the next one is due: at its time on the day after the last, or now where that is past.
fn next(
    calendar: &Calendar,
    at: chrono::NaiveTime,
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let Some(last) = last.filter(|last| *last <= now) else {
        return now;
    };
    let day = calendar.date_of(last);
    let days = [day, day + Days::new(1)].into_iter();
    let mut times = days.map(|day| calendar.instant(day, at));
    times.find(|time| *time > last).unwrap_or(now)
}

/// The newest backup in the folder.
pub(super) fn newest(folder: &Path) -> Option<(DateTime<Utc>, PathBuf)> {
    all(folder).pop()
}

/// The backups in the folder, oldest first.
fn all(folder: &Path) -> Vec<(DateTime<Utc>, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?.strip_prefix(NAME)?;
            let time = name.strip_suffix(".age").unwrap_or(name);
            let time = time.strip_suffix(SUFFIX)?;
            let time = chrono::NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").ok()?;
            Some((time.and_utc(), entry.path()))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{at, calendar};

    #[test]
    fn one_a_night_and_one_at_once_where_the_server_was_off() {
        let calendar = calendar();
        let half_past_two = chrono::NaiveTime::from_hms_opt(2, 30, 0).unwrap();
        let next = |last: Option<&str>, now| next(&calendar, half_past_two, last.map(at), at(now));
        let now = "2022-03-17T09:00";
        assert_eq!(next(None, now), at(now), "the first at once");
        assert_eq!(next(Some("2022-03-17T02:30"), now), at("2022-03-18T02:30"));
        assert_eq!(next(Some("2022-03-16T22:00"), now), at("2022-03-17T02:30"));
        assert_eq!(
            next(Some("2022-03-20T02:30"), now),
            at(now),
            "a clock set back"
        );
    }

    #[test]
    fn only_our_own_files_are_counted_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "cuiban-20220317T023000Z.jsonl",
            "cuiban-20220316T023000Z.jsonl.age",
            "cuiban-notes.jsonl",
            "other.jsonl",
            "cuiban-20220318T023000Z.jsonl.part",
        ] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let names: Vec<_> = all(dir.path()).into_iter().map(|(_, path)| path).collect();
        assert_eq!(names.len(), 2);
        assert!(names[1].ends_with("cuiban-20220317T023000Z.jsonl"));
        assert_eq!(newest(dir.path()).unwrap().1, names[1]);
    }
}
