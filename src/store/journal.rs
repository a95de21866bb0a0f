//! The durable journal: the mirror first, then sled a moment later.

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::files::{HeadNote, write_whole};
use super::guard::{Layout, Room};
use super::mirror::{self, Mirror};
use super::open::Pass;
use super::record::{self, Hash};
use super::sled::{Group, Trees};
use super::verify::{self, VerifyReport};
use super::{Drafts, Journal, JournalReader, Queue, Step, StoreError, snapshot};
use crate::domain::book::{Book, QueueKey};
use crate::domain::fact::Entry;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter};
use crate::domain::message::MessageKey;

/// The disk's room is looked at no more often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Rows that may wait to be applied.
const APPLY_AFTER: usize = 1500;
/// A checkpoint also writes a snapshot when so many facts have come since the last one.
const SNAPSHOT_AFTER: Position = 20_000;
/// A buffer that grew beyond this for one large group is given back.
const KEEP_BUFFER: usize = 1 << 20;

/// Mirror and sled, open for writing.
pub(super) struct SledJournal {
    layout: Layout,
    store: Arc<Reader>,
    mirror: Mirror,
    note: HeadNote,
    head: Position,
    hash: Hash,
    snapshot_at: Position,
    room: Room,
    looked: Option<Instant>,
    buffer: Vec<u8>,
    /// Held as long as the journal; after all else is closed.
    _lock: File,
}

impl SledJournal {
    pub(super) fn new(
        layout: Layout,
        lock: File,
        trees: Trees,
        (mirror, note): (Mirror, HeadNote),
        pass: &Pass,
        room: Room,
    ) -> Self {
        let store = Reader {
            layout: layout.clone(),
            trees: RwLock::new(Some(trees)),
            pending: Mutex::default(),
            failed: AtomicBool::new(false),
        };
        Self {
            layout,
            store: Arc::new(store),
            mirror,
            note,
            head: pass.walk.head,
            hash: pass.walk.hash,
            snapshot_at: pass.from_snapshot,
            room,
            looked: None,
            buffer: Vec::new(),
            _lock: lock,
        }
    }

    /// Writes the lines into the buffer; where each ends, with its hash.
    fn write_lines(&mut self, steps: &[Step]) -> Result<Vec<(usize, Hash)>, StoreError> {
        let mut hash = self.hash;
        self.buffer.clear();
        let mut lines = Vec::with_capacity(steps.len());
        for Step { entry, .. } in steps {
            hash = record::write_line(entry, &hash, &mut self.buffer)
                .map_err(|error| error.at(format!("第{}号记录", entry.position)))?;
            lines.push((self.buffer.len(), hash));
            self.buffer.push(b'\n');
        }
        Ok(lines)
    }

    /// Gives to the engine what the mirror has, never so much at once that it needs much memory.
    fn hand_over(&self, steps: &[Step], lines: &[(usize, Hash)]) {
        let mut from = 0;
        for (step, (end, hash)) in steps.iter().zip(lines) {
            let line = self.buffer.get(from..*end).unwrap_or_default();
            from = end + 1;
            let waiting = self.store.push(step, *hash, line);
            // The facts are durable whatever the engine says; the next append finds that it failed.
            if let Err(error) = waiting.and_then(|rows| match rows {
                ..APPLY_AFTER => Ok(()),
                _ => self.store.with(|_| Ok(())),
            }) {
                tracing::error!(%error, "the engine did not take what the mirror has");
                return;
            }
        }
    }

    fn save(&mut self, book: &Book) {
        if book.position != self.head {
            return;
        }
        match snapshot::write(&self.layout.snapshot, book, &self.hash) {
            Ok(()) => self.snapshot_at = self.head,
            Err(error) => tracing::warn!(%error, "could not write a snapshot of the book"),
        }
    }
}

impl Journal for SledJournal {
    fn head(&self) -> Position {
        self.head
    }

    fn ready(&mut self) -> Result<(), StoreError> {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return Ok(());
        }
        self.room.check(&self.layout.folder)?;
        self.looked = Some(Instant::now());
        Ok(())
    }

    fn append(&mut self, expected: Position, steps: &[Step]) -> Result<(), StoreError> {
        if self.head != expected {
            return Err(StoreError::PositionTaken { expected });
        }
        if self.store.has_failed() {
            return Err(StoreError::Engine("存储引擎已停止".into()));
        }
        let lines = self.write_lines(steps)?;
        self.mirror.append(&self.buffer, mirror::SEGMENT)?;
        if let (Some(last), Some((_, hash))) = (steps.last(), lines.last()) {
            self.head = last.entry.position;
            self.hash = *hash;
            self.note.set(self.head);
        }
        self.hand_over(steps, &lines);
        if self.buffer.capacity() > KEEP_BUFFER {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.store.with(Trees::flush)
    }

    fn checkpoint(&mut self, book: &Book) -> Result<(), StoreError> {
        self.store.with(|trees| trees.checkpoint(&self.layout.db))?;
        if self.head >= self.snapshot_at + SNAPSHOT_AFTER {
            self.save(book);
        }
        Ok(())
    }

    fn reader(&self) -> Arc<dyn JournalReader> {
        Arc::clone(&self.store) as Arc<dyn JournalReader>
    }

    fn close(mut self: Box<Self>, book: &Book) -> Result<(), StoreError> {
        self.store.with(|trees| trees.checkpoint(&self.layout.db))?;
        if self.head > self.snapshot_at {
            self.save(book);
        }
        self.store.close();
        write_whole(&self.layout.clean, b"clean\n", 0o600)
    }
}

impl Drop for SledJournal {
    fn drop(&mut self) {
        self.store.close();
    }
}

/// Reads beside the writer, until the writer closes the store.
///
/// What the mirror has is applied to the engine together: once a moment, or when someone reads.
#[derive(Debug)]
struct Reader {
    layout: Layout,
    trees: RwLock<Option<Trees>>,
    /// Durable in the mirror, not yet applied.
    pending: Mutex<Group>,
    /// The engine refused a group: it takes nothing more.
    failed: AtomicBool,
}

impl Reader {
    /// The engine lets its folder go when its last handle is dropped, so none may outlive this.
    fn close(&self) {
        let mut trees = self.trees.write().unwrap_or_else(PoisonError::into_inner);
        trees.take();
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    fn with<T>(&self, run: impl FnOnce(&Trees) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.beside(|trees| {
            self.apply(trees)?;
            run(trees)
        })
    }

    /// The same for what has nothing to do with facts: those that wait go on waiting.
    fn beside<T>(
        &self,
        run: impl FnOnce(&Trees) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let trees = self.trees.read().unwrap_or_else(PoisonError::into_inner);
        match trees.as_ref().filter(|_| !self.has_failed()) {
            Some(trees) => run(trees),
            None => Err(StoreError::Engine("存储已关闭".into())),
        }
    }

    /// Takes what the mirror has; returns how many rows wait now.
    fn push(&self, step: &Step, hash: Hash, line: &[u8]) -> Result<usize, StoreError> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.fact(step.entry.position, hash, line);
        let noted = pending.effects(&step.effects);
        // The next fact would leave a gap; opening again fills it from the mirror.
        self.failed.fetch_or(noted.is_err(), Ordering::AcqRel);
        noted.map(|()| pending.len())
    }

    /// Applies what waits; one at a time, so that whoever reads next reads all of it.
    fn apply(&self, trees: &Trees) -> Result<(), StoreError> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let group = std::mem::take(&mut *pending);
        if group.head() == 0 {
            return Ok(());
        }
        let applied = trees.apply(group, true);
        if applied.is_err() {
            // The next group would leave a gap; opening again fills it from the mirror.
            self.failed.store(true, Ordering::Release);
        }
        applied
    }
}

impl JournalReader for Reader {
    fn read(&self, from: Position, most: usize) -> Result<Vec<Entry>, StoreError> {
        self.with(|trees| {
            let rows = trees.lines(from).take(most);
            rows.map(|row| {
                let (position, line) = row?;
                let place = || format!("第{position}号记录");
                record::check_line(&line).map_err(|error| error.at(place()))?;
                record::read_line(&line).map_err(|error| error.at(place()))
            })
            .collect()
        })
    }

    fn dump(&self, to: &mut dyn Write) -> Result<Position, StoreError> {
        const PAGE: usize = 1000;
        let mut head = 0;
        loop {
            let page = |trees: &Trees| trees.lines(head + 1).take(PAGE).collect();
            let rows: Vec<(Position, Vec<u8>)> = self.with(page)?;
            for (position, line) in &rows {
                verify::put_line(to, line)?;
                head = *position;
            }
            if rows.len() < PAGE {
                return Ok(head);
            }
        }
    }

    fn verify(&self) -> Result<VerifyReport, StoreError> {
        self.with(|trees| verify::both(&self.layout, Ok(trees), true))
    }
}

impl Drafts for Reader {
    fn keep(
        &self,
        person: &PersonId,
        drafts: &[(ObligationKey, Option<Vec<u8>>)],
    ) -> Result<(), StoreError> {
        self.beside(|trees| trees.keep_drafts(person, drafts))
    }

    fn kept(
        &self,
        person: &PersonId,
        plan: &PlanId,
        quarter: Quarter,
    ) -> Result<Vec<(ObligationKey, Vec<u8>)>, StoreError> {
        self.beside(|trees| trees.drafts(person, plan, quarter))
    }

    fn forget(&self, alive: &dyn Fn(&PlanId, Quarter) -> bool) -> Result<usize, StoreError> {
        self.beside(|trees| trees.forget_drafts(alive))
    }
}

impl Queue for Reader {
    fn waiting(
        &self,
        until: DateTime<Utc>,
        most: usize,
    ) -> Result<Vec<(QueueKey, MessageKey)>, StoreError> {
        self.with(|trees| trees.waiting(until, most))
    }
}
