//! The writer's thread: groups, durable steps, checkpoints, and what it does when the store fails.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::command::{Turn, Waiting, turn};
use super::{Health, Reopen, Shared};
use crate::domain::book::Book;
use crate::domain::causes;
use crate::store::{Journal, Step, StoreError};

/// Commands taken in one durable step at the most.
const GROUP: usize = 256;
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

pub(super) struct Writer {
    shared: Arc<Shared>,
    journal: Option<Box<dyn Journal>>,
    reopen: Reopen,
    /// When what was appended is to settle; none while nothing was.
    settle_at: Option<Instant>,
    /// When the next checkpoint is due; none while nothing was appended since the last.
    checkpoint_at: Option<Instant>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, journal: Box<dyn Journal>, reopen: Reopen) -> Self {
        Self {
            shared,
            journal: Some(journal),
            reopen,
            settle_at: None,
            checkpoint_at: None,
        }
    }

    pub(super) fn run(mut self, inbox: Receiver<Waiting>) {
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
