//! One writer thread between everyone who decides and the journal.
//!
//! A command is a closure that looks at the book and says which facts follow. The writer takes all
//! commands that wait (group commit), lets each decide in turn on the book as it then stands,
//! makes one durable step for all, and only then answers. So a decision can never be overtaken,
//! and nothing is acknowledged that is not on disk. The book may run ahead of the disk by the one
//! group being written; nobody has been told anything of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};
use tokio::sync::{oneshot, watch};

use super::open::{self, OpenReport, Opener};
use super::past::{self, Past};
use super::{Drafts, Journal, JournalReader, Step, StoreError};
use crate::domain::book::Book;
use crate::domain::causes;
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::ids::Position;

/// Commands taken in one durable step at the most.
const GROUP: usize = 256;
/// Commands that may wait; one more is refused.
const WAITING: usize = 4096;
/// First pause before a failed store is opened again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between tries to open a failed store again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Longest time from an append until every copy would survive a kill.
const SETTLE_AFTER: Duration = Duration::from_millis(500);
/// Longest time from an append to the checkpoint after it.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);
/// While the store takes no facts: time until it is asked again by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

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

impl<E> CommitError<E> {
    /// Why the command itself decided against it, or `unavailable`.
    pub fn refusal_or(self, unavailable: E) -> E {
        match self {
            Self::Refused(error) => error,
            Self::Unavailable => unavailable,
        }
    }
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
        let writer = Writer {
            shared: Arc::clone(&shared),
            journal: Some(journal),
            reopen,
            settle_at: None,
            checkpoint_at: None,
        };
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

type Waiting = Box<dyn Command>;

struct Writer {
    shared: Arc<Shared>,
    journal: Option<Box<dyn Journal>>,
    reopen: Reopen,
    /// When what was appended is to settle; none while nothing was.
    settle_at: Option<Instant>,
    /// When the next checkpoint is due; none while nothing was appended since the last.
    checkpoint_at: Option<Instant>,
}

/// What became of one command's turn.
enum Turn {
    Decided,
    /// The command failed by itself; the book is as it was before it.
    Failed,
    /// The command failed half way: the book has to be folded anew.
    Spoiled,
}

impl Writer {
    fn run(mut self, inbox: Receiver<Waiting>) {
        loop {
            match self.next(&inbox) {
                Ok(first) => self.serve(first, &inbox),
                Err(RecvTimeoutError::Timeout) => self.look_again(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.keep_house(&inbox);
        }
        self.close();
    }

    /// Waits for a command: without end where nothing is to be done meanwhile.
    fn next(&self, inbox: &Receiver<Waiting>) -> Result<Waiting, RecvTimeoutError> {
        let until = match &*self.shared.health.borrow() {
            Health::Good => self.settle_at.into_iter().chain(self.checkpoint_at).min(),
            _ => Some(Instant::now() + LOOK_AGAIN),
        };
        match until {
            Some(until) => inbox.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn serve(&mut self, first: Waiting, inbox: &Receiver<Waiting>) {
        let mut group = vec![first];
        group.extend(inbox.try_iter().take(GROUP - 1));
        if !self.is_ready() {
            group.into_iter().for_each(|command| command.answer(false));
            return;
        }
        if let Err(error) = self.step(group) {
            self.recover(&error, inbox);
        }
    }

    /// Asks the journal whether it takes facts, and makes its word known.
    fn is_ready(&mut self) -> bool {
        let ready = match &mut self.journal {
            Some(journal) => journal.ready(),
            None => Err(not_open()),
        };
        let health = match ready {
            Ok(()) => Health::Good,
            Err(error) => Health::Failed(causes::told(&error)),
        };
        let good = health == Health::Good;
        self.shared.health.send_if_modified(|known| {
            if *known == health {
                return false;
            }
            match &health {
                Health::Failed(why) => tracing::error!(%why, "the store takes no new facts"),
                _ => tracing::info!("the store takes facts again"),
            }
            *known = health;
            true
        });
        good
    }

    /// While it takes no facts, it is asked again by itself.
    fn look_again(&mut self) {
        if self.health() != Health::Good {
            self.is_ready();
        }
    }

    fn health(&self) -> Health {
        self.shared.health.borrow().clone()
    }

    /// Decides and appends one group, and answers all of it.
    fn step(&mut self, group: Vec<Waiting>) -> Result<(), StoreError> {
        let mut waiting = group.into_iter();
        while waiting.len() > 0 {
            let mut decided = Vec::with_capacity(waiting.len());
            let mut steps = Vec::new();
            let mut spoiled = None;
            let mut book = self.shared.book_to_change();
            for mut command in waiting.by_ref() {
                match turn(&mut *command, &mut book, &mut steps) {
                    Turn::Decided => decided.push(command),
                    Turn::Failed => command.answer(false),
                    Turn::Spoiled => {
                        spoiled = Some(command);
                        break;
                    }
                }
            }
            drop(book);
            let appended = self.append(&steps);
            let durable = appended.is_ok();
            decided
                .into_iter()
                .for_each(|command| command.answer(durable));
            let folded = match &spoiled {
                Some(_) => appended.and_then(|()| self.fold_again()),
                None => appended,
            };
            if let Some(command) = spoiled {
                command.answer(false);
            }
            if let Err(error) = folded {
                waiting.for_each(|command| command.answer(false));
                return Err(error);
            }
        }
        Ok(())
    }

    fn append(&mut self, steps: &[Step]) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
            return Ok(());
        };
        let journal = self.journal.as_mut().ok_or_else(not_open)?;
        journal.append(first.entry.position - 1, steps)?;
        self.shared.position.send_replace(last.entry.position);
        let now = Instant::now();
        self.settle_at.get_or_insert(now + SETTLE_AFTER);
        self.checkpoint_at.get_or_insert(now + CHECKPOINT_EVERY);
        Ok(())
    }

    /// Makes the book anew from the journal, after a command spoiled it.
    fn fold_again(&self) -> Result<(), StoreError> {
        const PAGE: usize = 1000;
        let reader = self.shared.reader();
        let mut book = Book::default();
        loop {
            let entries = reader.read(book.position + 1, PAGE)?;
            for entry in &entries {
                book.apply(entry)?;
            }
            if entries.len() < PAGE {
                break;
            }
        }
        self.shared.set_book(book);
        Ok(())
    }

    /// Settles and makes checkpoints when their time has come.
    fn keep_house(&mut self, inbox: &Receiver<Waiting>) {
        let now = Instant::now();
        let Some(journal) = &mut self.journal else {
            return;
        };
        let done = if self.checkpoint_at.is_some_and(|at| now >= at) {
            self.settle_at = None;
            self.checkpoint_at = None;
            journal.checkpoint(&self.shared.book())
        } else if self.settle_at.is_some_and(|at| now >= at) {
            self.settle_at = None;
            journal.settle()
        } else {
            Ok(())
        };
        if let Err(error) = done {
            self.recover(&error, inbox);
        }
    }

    fn close(&mut self) {
        let book = self.shared.book();
        if let Some(Err(error)) = self.journal.take().map(|journal| journal.close(&book)) {
            tracing::error!(%error, "the store did not close in good order");
        }
        drop(book);
        self.shared.health.send_replace(Health::Closed);
    }

    /// Goes read-only and tries to open the store again, refusing all commands meanwhile.
    fn recover(&mut self, error: &StoreError, inbox: &Receiver<Waiting>) {
        tracing::error!(%error, "the store failed and is read-only until it opens again");
        let failed = Health::Failed(causes::told(error));
        self.shared.health.send_replace(failed);
        // The handle must not be used again; dropping it lets the folder go.
        self.journal = None;
        self.settle_at = None;
        self.checkpoint_at = None;
        let mut pause = FIRST_PAUSE;
        while refuse_for(pause, inbox) {
            match (self.reopen)() {
                Ok((journal, book)) => {
                    self.shared.set_reader(journal.reader());
                    self.shared.position.send_replace(book.position);
                    self.shared.set_book(book);
                    self.journal = Some(journal);
                    self.shared.health.send_replace(Health::Good);
                    tracing::info!("the store is open again");
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "the store does not open yet");
                    let failed = Health::Failed(causes::told(&error));
                    self.shared.health.send_replace(failed);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

/// Lets one command decide, and takes its facts into the book: all or none.
fn turn(command: &mut dyn Command, book: &mut Book, steps: &mut Vec<Step>) -> Turn {
    let before = steps.len();
    let (at, by) = command.stamp();
    // Records and `as of` speak in milliseconds: what is known now must equal what is read back.
    let at = at.trunc_subsecs(3);
    let Ok(facts) = catch_unwind(AssertUnwindSafe(|| command.decide(book))) else {
        tracing::error!("a command panicked; nothing of it was done");
        return Turn::Failed;
    };
    for fact in facts {
        let entry = Entry {
            position: book.position + 1,
            at,
            by: by.clone(),
            fact,
        };
        match catch_unwind(AssertUnwindSafe(|| book.apply(&entry))) {
            Ok(Ok(effects)) => steps.push(Step { entry, effects }),
            Ok(Err(error)) => {
                tracing::error!(%error, "a command decided what does not fit the book");
                steps.truncate(before);
                return Turn::Spoiled;
            }
            Err(_) => {
                tracing::error!(position = entry.position, "the book panicked over a fact");
                steps.truncate(before);
                return Turn::Spoiled;
            }
        }
    }
    Turn::Decided
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

/// Refuses what comes for so long; false when nobody is left to come.
fn refuse_for(pause: Duration, inbox: &Receiver<Waiting>) -> bool {
    let until = Instant::now() + pause;
    loop {
        match inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(command) => command.answer(false),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

fn not_open() -> StoreError {
    StoreError::Engine("存储尚未打开".into())
}
