//! The demo's inbox: the files of the spool, as the pages want them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::DateTime;

use crate::channel::spool::{self, SpooledMessage};
use crate::desk::{Inbox, InboxEntry, InboxMessage};

/// Looks into the spool's folder.
pub(super) struct SpoolInbox {
    folder: PathBuf,
}

impl SpoolInbox {
    pub(super) fn shared(folder: &Path) -> Arc<dyn Inbox> {
        Arc::new(Self {
            folder: folder.to_owned(),
        })
    }
}

impl Inbox for SpoolInbox {
    fn list(&self) -> io::Result<Vec<InboxEntry>> {
        let messages = spool::read_all(&self.folder)?;
        Ok(messages.iter().rev().map(entry).collect())
    }

    fn get(&self, id: &str) -> io::Result<Option<InboxMessage>> {
        let messages = spool::read_all(&self.folder)?;
        let found = messages.into_iter().find(|message| message.id == id);
        Ok(found.map(|message| InboxMessage {
            entry: entry(&message),
            text: message.text,
            html: Some(message.html),
            link: message.link,
        }))
    }
}

fn entry(message: &SpooledMessage) -> InboxEntry {
    let (person, unit) = message
        .to
        .strip_suffix('）')
        .and_then(|to| to.split_once('（'))
        .unwrap_or((&message.to, ""));
    InboxEntry {
        id: message.id.clone(),
        at: DateTime::parse_from_rfc3339(&message.at)
            .map(|at| at.to_utc())
            .unwrap_or_default(),
        person: person.to_owned(),
        unit: unit.to_owned(),
        stage: message.stage_name.clone(),
        subject: message.subject.clone(),
    }
}
