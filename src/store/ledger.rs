//! One writer thread between everyone who decides and the journal.
//!
//! A command is a closure that looks at the book and says which facts follow. The writer takes all
//! commands that wait (group commit), lets each decide in turn on the book as it then stands,
//! makes one durable step for all, and only then answers. So a decision can never be overtaken,
//! and nothing is acknowledged that is not on disk. The book may run ahead of the disk by the one
//! group being written; nobody has been told anything of it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Journal, JournalReader, StoreError};
use crate::domain::book::{Book, Effect};
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::ids::Position;

/// Commands taken in one durable step at the most.
const GROUP: usize = 256;
/// Commands that may wait; one more is refused.
const WAITING: usize = 4096;
/// Longest pause between tries to open a failed store again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Time between checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// What a command decided: facts to append, and what to tell the caller once they are durable.
#[derive(Debug)]
pub struct Decision<R> {
    /// In order; may be empty.
    pub facts: Vec<Fact>,
    /// The answer.
    pub value: R,
}

impl<R> Decision<R> {
    /// Nothing to append.
    pub fn nothing(value: R) -> Self {
        Self {
            facts: Vec::new(),
            value,
        }
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommitError<E> {
    /// The command itself decided against it.
    #[error(transparent)]
    Refused(E),
    /// The store cannot take anything now; nothing was done.
    #[error("存储暂时不可写入，请稍后再试")]
    Unavailable,
}

/// Whether the store takes facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// All is well.
    Good,
    /// Read-only since an error; the text is for the administrator.
    Failed(String),
    /// Closed in good order.
    Closed,
}

/// Opens the journal again after a failure, with the book that follows from it.
pub type Reopen = Box<dyn FnMut() -> Result<(Box<dyn Journal>, Book), StoreError> + Send>;

/// The handle; clones are cheap.
#[derive(Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Box<dyn Command>>,
}

struct Shared {
    book: RwLock<Book>,
    position: watch::Sender<Position>,
    health: watch::Sender<Health>,
    reader: RwLock<Arc<dyn JournalReader>>,
}

impl Ledger {
    /// Starts the writer thread on an open journal and the book that follows from it. The thread
    /// ends when every handle is gone; join it to know that the store is closed.
    #[must_use]
    pub fn start(journal: Box<dyn Journal>, book: Book, reopen: Reopen) -> (Self, JoinHandle<()>) {
        let (commands, inbox) = mpsc::channel(WAITING);
        let shared = Arc::new(Shared {
            position: watch::Sender::new(book.position),
            health: watch::Sender::new(Health::Good),
            reader: RwLock::new(journal.reader()),
            book: RwLock::new(book),
        });
        let writer = Writer {
            shared: Arc::clone(&shared),
            journal: Some(journal),
            reopen,
        };
        let thread = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || writer.run(inbox));
        let thread = thread.unwrap_or_else(|_| std::thread::spawn(|| ()));
        (Self { shared, commands }, thread)
    }

    /// Lets `decide` look at the book and appends what it decides, durably.
    ///
    /// `decide` runs on the writer thread, alone: keep it short, and pure.
    ///
    /// # Errors
    /// [`CommitError::Refused`] is the command's own word; [`CommitError::Unavailable`] when the
    /// store takes nothing now.
    pub async fn commit<R, E>(
        &self,
        by: Actor,
        at: DateTime<Utc>,
        decide: impl FnOnce(&Book) -> Result<Decision<R>, E> + Send + 'static,
    ) -> Result<R, CommitError<E>>
    where
        R: Send + 'static,
        E: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let command = Typed {
            by,
            at,
            decide: Some(decide),
            decided: None,
            reply,
        };
        self.commands
            .try_send(Box::new(command))
            .map_err(|_| CommitError::Unavailable)?;
        answer.await.unwrap_or(Err(CommitError::Unavailable))
    }

    /// Appends facts that need no look at the book.
    ///
    /// # Errors
    /// When the store takes nothing now.
    pub async fn append(
        &self,
        by: Actor,
        at: DateTime<Utc>,
        facts: Vec<Fact>,
    ) -> Result<(), CommitError<std::convert::Infallible>> {
        self.commit(by, at, move |_| Ok(Decision { facts, value: () }))
            .await
    }

    /// Reads the book. The writer waits meanwhile: compute a view, do not wait in it.
    pub fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.shared
            .book
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of each durable step.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Position> {
        self.shared.position.subscribe()
    }

    /// Whether the store takes facts.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.health.borrow().clone()
    }

    /// Reads the journal, beside the writer. Calls block.
    #[must_use]
    pub fn reader(&self) -> Arc<dyn JournalReader> {
        Arc::clone(
            &self
                .shared
                .reader
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

trait Command: Send {
    fn decide(&mut self, book: &Book) -> Vec<Fact>;
    fn stamp(&self) -> (DateTime<Utc>, Actor);
    fn answer(self: Box<Self>, durable: bool);
}

struct Typed<F, R, E> {
    by: Actor,
    at: DateTime<Utc>,
    decide: Option<F>,
    decided: Option<Result<R, E>>,
    reply: oneshot::Sender<Result<R, CommitError<E>>>,
}

impl<F, R, E> Command for Typed<F, R, E>
where
    F: FnOnce(&Book) -> Result<Decision<R>, E> + Send,
    R: Send,
    E: Send,
{
    fn decide(&mut self, book: &Book) -> Vec<Fact> {
        match self.decide.take().map(|decide| decide(book)) {
            Some(Ok(decision)) => {
                self.decided = Some(Ok(decision.value));
                decision.facts
            }
            Some(Err(refusal)) => {
                self.decided = Some(Err(refusal));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn stamp(&self) -> (DateTime<Utc>, Actor) {
        (self.at, self.by.clone())
    }

    fn answer(self: Box<Self>, durable: bool) {
        let answer = match self.decided {
            Some(Err(refusal)) => Err(CommitError::Refused(refusal)),
            Some(Ok(value)) if durable => Ok(value),
            _ => Err(CommitError::Unavailable),
        };
        // The caller may have gone away; the facts stand all the same.
        let _ = self.reply.send(answer);
    }
}

struct Writer {
    shared: Arc<Shared>,
    journal: Option<Box<dyn Journal>>,
    reopen: Reopen,
}

impl Writer {
    fn run(mut self, mut inbox: mpsc::Receiver<Box<dyn Command>>) {
        let mut last_checkpoint = std::time::Instant::now();
        while let Some(first) = inbox.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(next) = inbox.try_recv()
            {
                group.push(next);
            }
            match self.step(&mut group) {
                Ok(()) => group.into_iter().for_each(|command| command.answer(true)),
                Err(error) => {
                    group.into_iter().for_each(|command| command.answer(false));
                    self.recover(&error, &mut inbox);
                }
            }
            if last_checkpoint.elapsed() >= CHECKPOINT_EVERY {
                last_checkpoint = std::time::Instant::now();
                let result = self.journal.as_mut().map(|journal| journal.checkpoint());
                if let Some(Err(error)) = result {
                    self.recover(&error, &mut inbox);
                }
            }
        }
        if let Some(Err(error)) = self.journal.take().map(Journal::close) {
            tracing::error!(error = %error, "the store did not close in good order");
        }
        self.shared.health.send_replace(Health::Closed);
    }

    /// Decides and appends one group: all of it is durable, or none is acknowledged.
    fn step(&mut self, group: &mut [Box<dyn Command>]) -> Result<(), StoreError> {
        let (entries, effects) = self.decide(group)?;
        if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
            let journal = self
                .journal
                .as_mut()
                .ok_or_else(|| StoreError::Engine("存储尚未打开".into()))?;
            journal.append(first.position - 1, &entries, &effects)?;
            self.shared.position.send_replace(last.position);
        }
        Ok(())
    }

    fn decide(
        &mut self,
        group: &mut [Box<dyn Command>],
    ) -> Result<(Vec<Entry>, Vec<Effect>), StoreError> {
        let mut entries = Vec::new();
        let mut effects = Vec::new();
        let mut book = self
            .shared
            .book
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for command in group {
            let (at, by) = command.stamp();
            for fact in command.decide(&book) {
                let entry = Entry {
                    position: book.position + 1,
                    at,
                    by: by.clone(),
                    fact,
                };
                effects.extend(book.apply(&entry)?);
                entries.push(entry);
            }
        }
        Ok((entries, effects))
    }

    /// Goes read-only and tries to open the store again, refusing all commands meanwhile.
    fn recover(&mut self, error: &StoreError, inbox: &mut mpsc::Receiver<Box<dyn Command>>) {
        tracing::error!(error = %error, "the store failed and is read-only until it opens again");
        self.shared
            .health
            .send_replace(Health::Failed(error.to_string()));
        // The handle must not be used again; dropping it lets the folder go.
        self.journal = None;
        let mut pause = Duration::from_secs(1);
        loop {
            refuse_for(pause, inbox);
            match (self.reopen)() {
                Ok((journal, book)) => {
                    *self
                        .shared
                        .reader
                        .write()
                        .unwrap_or_else(PoisonError::into_inner) = journal.reader();
                    self.shared.position.send_replace(book.position);
                    *self
                        .shared
                        .book
                        .write()
                        .unwrap_or_else(PoisonError::into_inner) = book;
                    self.journal = Some(journal);
                    self.shared.health.send_replace(Health::Good);
                    tracing::info!("the store is open again");
                    return;
                }
                Err(error) => {
                    tracing::error!(error = %error, "the store does not open yet");
                    self.shared
                        .health
                        .send_replace(Health::Failed(error.to_string()));
                    if inbox.is_closed() {
                        return;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

fn refuse_for(pause: Duration, inbox: &mut mpsc::Receiver<Box<dyn Command>>) {
    let until = std::time::Instant::now() + pause;
    while std::time::Instant::now() < until {
        match inbox.try_recv() {
            Ok(command) => command.answer(false),
            Err(mpsc::error::TryRecvError::Empty) => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(mpsc::error::TryRecvError::Disconnected) => return,
        }
    }
}
