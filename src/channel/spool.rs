//! Messages as files on this machine: what runs when nothing else is configured, and what the
//! demo shows as an inbox.
//!
//! One JSON file a message, `<folder>/<quarter>/<occasion>-<person>-<id>.json`, holding a
//! [`SpooledMessage`]. A message repeated after a crash replaces its own file, and a
//! reader never sees half a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ics::{self, Head, Organizer};
use super::render::{self, RenderError};
use super::{Attempted, Channel, Sending};
use crate::domain::brief::Brief;
use crate::domain::delivery::{FailReason, Next};
use crate::domain::people::ChannelKind;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpooledMessage {
    /// The message's name: plan/quarter/occasion/person.
    pub key: String,
    /// Names it in 24 hex digits; also the end of the file's name.
    pub id: String,
    /// The addressee, `姓名（单位）`.
    pub to: String,
    /// The addressee's id.
    pub person: String,
    /// Such as `2022Q1`.
    pub quarter: String,
    /// `notice`, `reminder`, `due`, `overdue`, `escalation`, `digest`, `settled` or `urge`.
    pub stage: String,
    /// What people read for it: 预告, 提醒 …
    pub stage_name: String,
    /// The subject.
    pub subject: String,
    /// The text, complete by itself.
    pub text: String,
    /// A whole HTML page.
    pub html: String,
    /// The addressee's own page; none where the message has no link to one.
    pub link: Option<String>,
    /// The calendar file that a mail would carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// When it was written, RFC 3339 in the office's zone.
    pub at: String,
}

/// Writes messages as files.
pub struct SpoolChannel {
    folder: PathBuf,
}

impl SpoolChannel {
    /// Files go under this folder, which is made when the first one comes.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }
}

/// Whether files can be written there.
///
/// # Errors
/// Why not.
pub fn can_write(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let trial = folder.join(".doctor");
    std::fs::write(&trial, b"")?;
    std::fs::remove_file(trial)
}

/// Every message in the folder, oldest first. Files that are not ours are passed over.
///
/// # Errors
/// Where the folder cannot be read; one that is not there yet is empty.
pub fn read_all(folder: &Path) -> std::io::Result<Vec<SpooledMessage>> {
    let mut messages = Vec::new();
    for path in files_in(folder)? {
        if path.is_dir() {
            for file in files_in(&path)? {
                messages.extend(read(&file));
            }
        }
    }
    messages.sort_by(|a: &SpooledMessage, b| (&a.at, &a.id).cmp(&(&b.at, &b.id)));
    Ok(messages)
}

impl Channel for SpoolChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Spool
    }

    fn name(&self) -> &str {
        "spool"
    }

    fn send<'a>(&'a self, brief: &'a Brief, _nth: u32) -> Sending<'a> {
        Box::pin(async move {
            let message = match message(brief) {
                Ok(message) => message,
                Err(error) => {
                    let detail = error.to_string();
                    return Attempted::failed(FailReason::OurDefect, Next::NextChannel, &detail);
                }
            };
            let folder = self.folder.clone();
            let written = tokio::task::spawn_blocking(move || write(&folder, &message)).await;
            match written.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
                Ok(name) => Attempted::sent(&name),
                Err(error) => {
                    let detail = format!("消息文件写入失败，请检查磁盘空间和文件夹权限：{error}");
                    let again = Next::Again { after: None };
                    Attempted::failed(FailReason::Unreachable, again, &detail)
                        .resting(chrono::TimeDelta::minutes(1))
                }
            }
        })
    }
}

fn message(brief: &Brief) -> Result<SpooledMessage, RenderError> {
    let rendered = render::letter(brief)?;
    let key = &brief.message.key;
    let to = if brief.unit.is_empty() {
        brief.name.clone()
    } else {
        format!("{}（{}）", brief.name, brief.unit)
    };
    Ok(SpooledMessage {
        key: key.to_string(),
        id: brief.id.clone(),
        to,
        person: key.person.to_string(),
        quarter: key.quarter.to_string(),
        stage: key.occasion.kind().to_owned(),
        stage_name: key.occasion.chinese().to_owned(),
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        link: (!brief.items.is_empty()).then(|| brief.link.clone()),
        calendar: calendar_file(brief),
        at: brief.at.to_rfc3339(),
    })
}

fn calendar_file(brief: &Brief) -> Option<String> {
    let head = Head {
        name: "",
        office: &brief.office.name,
        telephone: brief.office.telephone.as_deref(),
    };
    let organizer = Organizer {
        name: &brief.office.name,
        address: "cuiban@localhost",
    };
    let event = brief.event.as_ref()?;
    Some(ics::attachment(head, event, organizer))
}

/// Writes the whole file beside its place, then moves it there.
fn write(folder: &Path, message: &SpooledMessage) -> std::io::Result<String> {
    let folder = folder.join(&message.quarter);
    std::fs::create_dir_all(&folder)?;
    let name = format!("{}.json", file_stem(message));
    let bytes = serde_json::to_vec_pretty(message)?;
    let part = folder.join(format!(".{}.part", message.id));
    let mut file = std::fs::File::create(&part)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    std::fs::rename(&part, folder.join(&name))?;
    std::fs::File::open(&folder)?.sync_all()?;
    Ok(name)
}

/// From the message's name alone, so that a repetition replaces its own file.
fn file_stem(message: &SpooledMessage) -> String {
    format!("{}-{}-{}", message.stage, message.person, message.id)
}

fn read(path: &Path) -> Option<SpooledMessage> {
    if path.extension()? != "json" {
        return None;
    }
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn files_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
