//! One writer thread between everyone who decides and the journal.
//!
//! A command is a closure that looks at the book and says which facts follow. The writer takes all
//! commands that wait (group commit), lets each decide in turn on the book as it then stands,
//! makes one durable step for all, and only then answers. So a decision can never be overtaken,
//! and nothing is acknowledged that is not on disk. The book may run ahead of the disk by the one
//! group being written; nobody has been told anything of it.

mod command;
mod writer;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::open::{self, OpenReport, Opener};
use super::past::{self, Past};
use super::{Drafts, Journal, JournalReader, StoreError};
use crate::domain::book::Book;
use crate::domain::fact::{Actor, Fact};
use crate::domain::ids::Position;

pub use command::{CommitError, Decision};
use command::{Typed, Waiting};
use writer::Writer;

/// Commands that may wait; one more is refused.
const WAITING: usize = 4096;

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
    commands: SyncSender<Waiting>,
}

struct Shared {
    book: RwLock<Book>,
    position: watch::Sender<Position>,
    health: watch::Sender<Health>,
    reader: RwLock<Arc<dyn JournalReader>>,
    past: Past,
}

impl Ledger {
    /// Opens the durable store and starts its writer. Join the thread after the last handle is
    /// gone to know that the store is closed.
    ///
    /// # Errors
    /// Why it cannot be opened, with what to do.
    pub fn open(opener: Opener) -> Result<(Self, JoinHandle<()>, OpenReport), StoreError> {
        let opened = open::open(&opener)?;
        let reopen: Reopen = Box::new(move || {
            let opened = open::open(&opener)?;
            Ok((Box::new(opened.journal) as Box<dyn Journal>, opened.book))
        });
        let (ledger, writer) = Self::start(Box::new(opened.journal), opened.book, reopen);
        Ok((ledger, writer, opened.report))
    }

    /// Starts the writer thread on an open journal and the book that follows from it. The thread
    /// ends when every handle is gone; join it to know that the store is closed.
    #[must_use]
    pub fn start(journal: Box<dyn Journal>, book: Book, reopen: Reopen) -> (Self, JoinHandle<()>) {
        let (commands, inbox) = sync_channel(WAITING);
        let shared = Arc::new(Shared {
            position: watch::Sender::new(book.position),
            health: watch::Sender::new(Health::Good),
            reader: RwLock::new(journal.reader()),
            past: Past::default(),
            book: RwLock::new(book),
        });
        let writer = Writer::new(Arc::clone(&shared), journal, reopen);
        let thread = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || writer.run(inbox));
        let thread = thread.unwrap_or_else(|error| {
            tracing::error!(%error, "no thread for the ledger: it takes nothing");
            std::thread::spawn(|| ())
        });
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
        let (command, answer) = Typed::new(by, at, decide);
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
        self.shared.book()
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
        self.shared.reader()
    }

    /// Lets go of past books that nobody has looked at for a while; to be called now and then.
    pub fn tidy(&self) {
        self.shared.past.tidy(past::IDLE);
    }

    /// The book as it stood at a past moment. Blocks: not for a runtime's worker threads.
    ///
    /// # Errors
    /// Where the journal cannot be read, or does not fit together.
    pub fn book_as_of(&self, at: DateTime<Utc>) -> Result<Arc<Book>, StoreError> {
        let stepped_back = self.book().stepped_back;
        let reader = self.reader();
        self.shared.past.book(reader.as_ref(), stepped_back, at)
    }

    /// What people are writing, beside the journal. Calls block.
    #[must_use]
    pub fn drafts(&self) -> Arc<dyn Drafts> {
        self.shared.reader()
    }
}

impl Shared {
    fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn book_to_change(&self) -> RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_book(&self, book: Book) {
        *self.book_to_change() = book;
    }

    fn reader(&self) -> Arc<dyn JournalReader> {
        Arc::clone(&self.reader.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_reader(&self, reader: Arc<dyn JournalReader>) {
        *self.reader.write().unwrap_or_else(PoisonError::into_inner) = reader;
    }
}
