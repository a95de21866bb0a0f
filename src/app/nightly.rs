//! The backup that the daemon makes by itself every night.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::trouble::Trouble;
use crate::config::BackupConfig;
use crate::desk::Desk;
use crate::domain::calendar::Calendar;
use crate::domain::causes;
use crate::store::backup_file;
use crate::store::{self, JournalReader, StoreError, backup};

/// How the files' names begin, and what all of them hold after the time.
const NAME: &str = "cuiban-";
const SUFFIX: &str = ".jsonl";
/// How the name of one ends that is being written, or that a kill has left half written.
const HALF: &str = ".part";
/// It looks at the clock at least so often: a clock that was set must not put the night off.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);
/// After one that failed it tries again.
const TRY_AGAIN: TimeDelta = TimeDelta::hours(1);
/// One that takes longer hangs: a mount that is dead answers nothing at all.
const LONG: Duration = Duration::from_secs(3600);

/// Writes all of an open store.
pub(super) fn produce(
    reader: &dyn JournalReader,
    folder: &Path,
    made_at: DateTime<Utc>,
    to: &mut dyn Write,
) -> Result<(), StoreError> {
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
        let mut tried: Option<DateTime<Utc>> = None;
        loop {
            let now = self.desk.clock.now();
            let last = newest(&self.config.folder, now).map(|(at, _)| at);
            let due = next(&self.desk.calendar(), self.config.at, last, now);
            let due = due.max(again(tried, now));
            if due > now {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.desk.clock.wait_until(due, LONGEST_SLEEP) => {}
                }
                continue;
            }
            tried = Some(now);
            // Nobody waits for a disk that hangs; a half file is no backup.
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.make(now) => {}
            }
        }
    }

    async fn make(&self, now: DateTime<Utc>) {
        let reader = self.desk.ledger.reader();
        let (config, folder) = (self.config.clone(), self.store.clone());
        let mut made = tokio::task::spawn_blocking(move || make(&*reader, &config, &folder, now));
        let ended = match tokio::time::timeout(LONG, &mut made).await {
            Ok(ended) => ended,
            Err(_) => {
                self.failed("开始一小时后仍未写完，备份文件夹所在的磁盘可能没有响应");
                made.await
            }
        };
        match ended {
            Ok(Ok(content)) => {
                self.desk.vitals.backed_up(now);
                self.trouble.set(None);
                tracing::info!(
                    facts = content.facts,
                    files = content.files,
                    bytes = content.bytes,
                    "the nightly backup is written and checked"
                );
            }
            Ok(Err(error)) => self.failed(&causes::told(&error)),
            Err(error) => self.failed(&error.to_string()),
        }
    }

    fn failed(&self, why: &str) {
        self.trouble.set(Some(format!(
            "每日备份没有完成：{why}。请服务器管理员处理，系统每小时再试一次。"
        )));
        tracing::error!(why, "no backup was made");
    }
}

fn make(
    reader: &dyn JournalReader,
    config: &BackupConfig,
    store: &Path,
    now: DateTime<Utc>,
) -> Result<backup::Content, StoreError> {
    let folder = &config.folder;
    store::make_folder(folder)?;
    sweep(folder);
    store::room_in(folder, store::Room::default())?;
    let age = if config.recipients.is_empty() {
        ""
    } else {
        ".age"
    };
    let name = format!("{NAME}{}{SUFFIX}{age}", now.format("%Y%m%dT%H%M%SZ"));
    let content = backup_file::keep(&folder.join(name), &config.recipients, |to| {
        produce(reader, store, now, to)
    })?;
    // Only once the new one is whole.
    for old in superseded(folder, config.keep, now) {
        if let Err(error) = std::fs::remove_file(&old) {
            tracing::warn!(%error, file = %old.display(), "an old backup could not be removed");
        }
    }
    Ok(content)
}

/// Half files of ours, which a kill has left: each would take the room of a whole one.
fn sweep(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str());
        let half = name
            .and_then(|name| name.strip_suffix(HALF))
            .and_then(time_of);
        if half.is_some()
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(%error, file = %path.display(), "half a backup could not be removed");
        }
    }
}

/// What is not among the `keep` last ones. What names a time to come was made by a clock that was
/// wrong, and goes first: by its name it would outlive every backup of today.
fn superseded(folder: &Path, keep: usize, now: DateTime<Utc>) -> Vec<PathBuf> {
    let (past, to_come): (Vec<_>, Vec<_>) = all(folder).into_iter().partition(|(at, _)| *at <= now);
    let by_worth = past.into_iter().rev().chain(to_come.into_iter().rev());
    by_worth.skip(keep).map(|(_, path)| path).collect()
}

/// Before when nothing is tried again; a clock that was set back meanwhile puts nothing off.
fn again(tried: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    tried
        .filter(|tried| *tried <= now)
        .map_or(now, |tried| tried + TRY_AGAIN)
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

/// The newest backup in the folder; one of a time to come tells nothing.
pub(super) fn newest(folder: &Path, now: DateTime<Utc>) -> Option<(DateTime<Utc>, PathBuf)> {
    let known = all(folder).into_iter().rev();
    known.into_iter().find(|(at, _)| *at <= now)
}

/// The backups in the folder, oldest first.
fn all(folder: &Path) -> Vec<(DateTime<Utc>, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some((time_of(entry.file_name().to_str()?)?, entry.path())))
        .collect();
    found.sort();
    found
}

/// When the backup of this name was made; none where it is not ours.
fn time_of(name: &str) -> Option<DateTime<Utc>> {
    let name = name.strip_prefix(NAME)?;
    let time = name.strip_suffix(".age").unwrap_or(name);
    let time = time.strip_suffix(SUFFIX)?;
    let time = chrono::NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").ok()?;
    Some(time.and_utc())
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
        let now = at("2022-03-19T09:00");
        assert_eq!(newest(dir.path(), now).unwrap().1, names[1]);
        sweep(dir.path());
        let left = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left, 4, "the half one is gone, and nothing else");
    }

    #[test]
    fn backups_of_a_time_to_come_do_not_push_out_those_of_today() {
        let dir = tempfile::tempdir().unwrap();
        for day in ["20220315", "20220316", "20220317", "20270101", "20270102"] {
            let name = format!("cuiban-{day}T023000Z.jsonl");
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let now = at("2022-03-17T12:00");
        let gone = superseded(dir.path(), 2, now);
        let gone: Vec<_> = gone.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(
            gone,
            [
                "cuiban-20220315T023000Z.jsonl",
                "cuiban-20270102T023000Z.jsonl",
                "cuiban-20270101T023000Z.jsonl"
            ]
        );
        let (last, _) = newest(dir.path(), now).unwrap();
        assert_eq!(
            last,
            "2022-03-17T02:30:00Z".parse::<DateTime<Utc>>().unwrap()
        );
    }

    #[test]
    fn after_a_failure_it_is_tried_again_by_the_hour() {
        let (tried, now) = (at("2022-03-17T02:30"), at("2022-03-17T02:40"));
        assert_eq!(again(None, now), now);
        assert_eq!(again(Some(tried), now), at("2022-03-17T03:30"));
        assert_eq!(
            again(Some(tried), at("2022-03-16T02:30")),
            at("2022-03-16T02:30"),
            "set back"
        );
    }
}
