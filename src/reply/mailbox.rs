//! Reads the mailbox: every mail once, in order, none lost.
//!
//! A mail is stored whole, then what it means is appended together with its UID, in one step. A
//! crash in between reads it again; that it was read is known by its bytes and its Message-ID, so
//! nothing counts twice. The mailbox itself is never changed: people may use it too.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::evidence::kind;
use super::inbound::{self, Incoming, Offered};
use super::mail::{self, Attachment, Mail, Ours};
use crate::channel::mask;
use crate::desk::Desk;
use crate::domain::causes;
use crate::domain::evidence::{Evidence, FileHash, LARGEST_FILE, NotTaken, name_of};
use crate::domain::fact::{Actor, Fact};
use crate::domain::hex::sha256;
use crate::domain::mail::{MailOutcome, Place};
use crate::store::{self, CommitError, Decision, StoreError, Vault};

/// A mailbox as this program needs one. Every call returns within a time of its own.
pub trait Mailbox: Send {
    /// What goes wrong.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Mails after `last`, ascending; all of them where the mailbox was made anew since.
    fn list(
        &mut self,
        last: Option<Place>,
    ) -> impl Future<Output = Result<Vec<Listed>, Self::Error>> + Send;

    /// The bytes of a mail, or the beginning of a very large one; none where it is gone.
    fn fetch(
        &mut self,
        mail: &Listed,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, Self::Error>> + Send;

    /// Until something may have come.
    fn wait(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A mail in the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Where it lies.
    pub place: Place,
    /// When it arrived there.
    pub arrived: Option<DateTime<Utc>>,
    /// Its size in bytes.
    pub size: u32,
}

/// Since when and why the mailbox cannot be read; shared with whoever tells the operator.
#[derive(Debug, Clone, Default)]
pub struct Trouble(Arc<Mutex<Option<Shut>>>);

/// Since when, and why.
type Shut = (DateTime<Utc>, String);

impl Trouble {
    /// In words for the operator, once it has lasted.
    #[must_use]
    pub fn words(&self, now: DateTime<Utc>) -> Option<String> {
        const LONG: TimeDelta = TimeDelta::minutes(15);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, why) = known.as_ref().filter(|(since, _)| now - *since >= LONG)?;
        Some(format!(
            "邮件回复收不下来：{why}。发出的提醒不受影响；请服务器管理员检查 [imap] 设置，恢复后会补收。"
        ))
    }

    fn begin(&self, now: DateTime<Utc>, why: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = known.as_ref().map_or(now, |(since, _)| *since);
        *known = Some((since, why.to_owned()));
    }

    /// It works, or is not wanted any more.
    pub fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Takes mails into the book.
pub struct Reader {
    trouble: Trouble,
    desk: Arc<Desk>,
    folder: PathBuf,
    ours: Ours,
}

/// Why a mail could not be taken: nothing is lost, it is taken later.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// Its file cannot be written.
    #[error("邮件原文无法保存")]
    Keep(#[from] store::StoreError),
    /// The journal takes nothing now.
    #[error("存储暂时不可写入")]
    Unavailable,
}

impl Reader {
    /// Keeps mails in `folder`; `ours` tells our own.
    #[must_use]
    pub fn new(desk: Arc<Desk>, folder: PathBuf, ours: Ours) -> Self {
        Self {
            trouble: Trouble::default(),
            desk,
            folder,
            ours,
        }
    }

    /// Tells of its troubles there.
    #[must_use]
    pub fn telling(self, trouble: Trouble) -> Self {
        Self { trouble, ..self }
    }

    /// Reads until told to stop. After a failure a new mailbox is opened, later and later.
    pub async fn run<M, E, F>(&self, open: impl Fn() -> F, stop: CancellationToken)
    where
        M: Mailbox,
        E: std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<M, E>>,
    {
        const LONGEST: Duration = Duration::from_secs(600);
        let mut pause = Duration::from_secs(5);
        while !stop.is_cancelled() {
            let mut read = 0;
            let ended = tokio::select! {
                ended = self.session(&open, &mut read) => ended,
                () = stop.cancelled() => return,
            };
            self.trouble.begin(self.desk.clock.now(), &ended);
            if read > 0 {
                pause = Duration::from_secs(5);
            }
            tracing::warn!(reason = %ended, seconds = pause.as_secs(), "the mailbox cannot be read; trying again");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
            // A wrong password again and again locks an account.
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// Ends only by a failure, in words.
    async fn session<M, E, F>(&self, open: impl Fn() -> F, looks: &mut u32) -> String
    where
        M: Mailbox,
        E: std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<M, E>>,
    {
        let mut mailbox = match open().await {
            Ok(mailbox) => mailbox,
            Err(error) => return told(&error),
        };
        loop {
            if let Err(words) = self.look(&mut mailbox).await {
                return words;
            }
            *looks += 1;
            self.trouble.end();
            if let Err(error) = mailbox.wait().await {
                return told(&error);
            }
        }
    }

    /// Takes everything new.
    ///
    /// # Errors
    /// In words; what was taken stays taken.
    pub async fn look<M: Mailbox>(&self, mailbox: &mut M) -> Result<(), String> {
        /// Older mails of a mailbox never read before answer nothing of ours.
        const BACK: TimeDelta = TimeDelta::days(30);
        let (last, restored) = {
            let book = self.desk.ledger.book();
            (book.mailbox, book.restored)
        };
        // Which of them the lost server has answered is known once a person says how far it came.
        if restored.is_some() {
            return Ok(());
        }
        let oldest = self.desk.clock.now() - BACK;
        let mut listed = mailbox.list(last).await.map_err(|error| told(&error))?;
        listed.sort_by_key(|mail| mail.place);
        for mail in listed {
            let seen =
                last.is_some_and(|last| last.validity == mail.place.validity && mail.place <= last);
            if seen || mail.arrived.is_some_and(|arrived| arrived < oldest) {
                continue;
            }
            if let Some(bytes) = mailbox.fetch(&mail).await.map_err(|error| told(&error))? {
                self.take(bytes, Some(mail))
                    .await
                    .map_err(|error| told(&error))?;
            }
        }
        Ok(())
    }

    /// Takes one mail, durably.
    ///
    /// # Errors
    /// [`TakeError`]; then nothing of it counts.
    pub async fn take(&self, bytes: Vec<u8>, listed: Option<Listed>) -> Result<(), TakeError> {
        let ours = self.ours.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mail = mail::read(&bytes, &ours);
            let sha256 = sha256(&bytes);
            let vouched = ours.authserv_id.is_some();
            let files = offered(&mail);
            (
                Incoming {
                    mail,
                    sha256,
                    place: listed.map(|listed| listed.place),
                    arrived: listed.and_then(|listed| listed.arrived),
                    vouched,
                    files,
                },
                bytes,
            )
        });
        let (mut incoming, bytes) = read.await.map_err(|_| TakeError::Unavailable)?;
        let at = self.desk.clock.now();
        let rules = self.desk.rules.now();
        let facts = inbound::decide(&self.desk.ledger.book(), &incoming, at, &rules);
        if facts.iter().any(is_to_keep) {
            self.keep(&incoming.sha256, bytes).await?;
        }
        incoming = self.keep_files(incoming, &facts).await?;
        tracing::info!(outcome = outcome(&facts), "a mail was read");
        let decide = move |book: &crate::domain::book::Book| {
            let facts = inbound::decide(book, &incoming, at, &rules);
            Ok::<_, std::convert::Infallible>(Decision { facts, value: () })
        };
        let taken = self.desk.ledger.commit(Actor::System, at, decide).await;
        taken.map_err(|error| match error {
            CommitError::Refused(never) => match never {},
            CommitError::Unavailable => TakeError::Unavailable,
        })
    }

    /// Puts the files that stand beside reports, or may come to, on disk. One that cannot be kept is told as
    /// not taken; so is one that this look at the book had no use for.
    async fn keep_files(
        &self,
        mut incoming: Incoming,
        facts: &[Fact],
    ) -> Result<Incoming, TakeError> {
        let wanted: BTreeSet<FileHash> = facts.iter().flat_map(files_of).collect();
        let vault = self.desk.vault.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let attached = incoming.mail.attachments.iter();
            let attached = attached.filter(|file| !file.inline);
            for (offered, attachment) in incoming.files.iter_mut().zip(attached) {
                let Ok(evidence) = &offered.file else {
                    continue;
                };
                let hash = &evidence.sha256;
                let kept = wanted.contains(hash) && keep_one(&vault, &attachment.bytes).is_ok();
                if !kept && !matches!(vault.open(hash), Ok(Some(_))) {
                    offered.file = Err(NotTaken::Unavailable);
                }
            }
            incoming
        });
        kept.await.map_err(|_| TakeError::Unavailable)
    }

    async fn keep(&self, sha256: &str, bytes: Vec<u8>) -> Result<(), TakeError> {
        let (folder, path) = (
            self.folder.clone(),
            self.folder.join(format!("{sha256}.eml")),
        );
        let kept = tokio::task::spawn_blocking(move || {
            let made = std::fs::create_dir_all(&folder);
            made.map_err(|source| store::StoreError::Io {
                what: folder.display().to_string(),
                source,
            })?;
            store::write_whole(&path, &bytes, 0o600)
        });
        kept.await.map_err(|_| TakeError::Unavailable)??;
        Ok(())
    }
}

/// The files of a mail, looked at. Pictures inside the text are logos more often than evidence.
fn offered(mail: &Mail) -> Vec<Offered> {
    let attached = mail.attachments.iter().filter(|file| !file.inline);
    attached
        .map(|file| Offered {
            name: file.name.clone(),
            file: looked_at(file),
        })
        .collect()
}

fn looked_at(file: &Attachment) -> Result<Evidence, NotTaken> {
    let bytes = file.bytes.len() as u64;
    if bytes > LARGEST_FILE {
        return Err(NotTaken::TooLarge);
    }
    let kind = kind::of(&mut std::io::Cursor::new(&file.bytes));
    let kind = kind.map_err(|_| NotTaken::Unavailable)??;
    Ok(Evidence {
        sha256: FileHash::new(&sha256(&file.bytes)).map_err(|_| NotTaken::Unavailable)?,
        name: name_of(&file.name, kind),
        kind,
        bytes,
    })
}

fn keep_one(vault: &Vault, bytes: &[u8]) -> Result<(), StoreError> {
    let kept = vault.begin().and_then(|mut part| {
        part.write(bytes)?;
        part.keep().map(drop)
    });
    kept.inspect_err(|error| tracing::error!(%error, "a file of a mail could not be kept"))
}

/// The files that a fact speaks of.
fn files_of(fact: &Fact) -> Vec<FileHash> {
    let files = match fact {
        Fact::EvidenceAdded { evidence, .. } => std::slice::from_ref(evidence),
        Fact::MailTaken { mail } => mail.kept.as_slice(),
        _ => &[],
    };
    files.iter().map(|file| file.sha256.clone()).collect()
}

/// What a person said is kept as it came; machines' words are not.
fn is_to_keep(fact: &Fact) -> bool {
    match fact {
        Fact::MailTaken { mail } => {
            !matches!(mail.outcome, MailOutcome::Ignored | MailOutcome::Automatic)
        }
        _ => false,
    }
}

fn outcome(facts: &[Fact]) -> &'static str {
    let Some(Fact::MailTaken { mail }) = facts.first() else {
        return "known";
    };
    match mail.outcome {
        MailOutcome::Reported { .. } => "reported",
        MailOutcome::Acknowledged => "acknowledged",
        MailOutcome::Unclear { .. } => "unclear",
        MailOutcome::Automatic => "automatic",
        MailOutcome::Bounced { .. } => "bounced",
        MailOutcome::Ignored => "ignored",
    }
}

fn told(error: &dyn std::error::Error) -> String {
    mask::told(&causes::told(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::fixture::at;

    #[test]
    fn a_mailbox_that_stays_shut_is_told_to_the_operator() {
        let trouble = Trouble::default();
        trouble.begin(at("2022-03-28T10:00"), "连接不上收信服务器");
        trouble.begin(at("2022-03-28T10:10"), "登录失败");
        assert_eq!(trouble.words(at("2022-03-28T10:14")), None, "not at once");
        let words = trouble.words(at("2022-03-28T10:15")).unwrap();
        assert!(words.contains("登录失败"), "{words}");
        trouble.end();
        assert_eq!(trouble.words(at("2022-03-28T11:00")), None);
    }
}
