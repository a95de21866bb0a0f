//! The second copy: facts, milestones with their deadlines, and the queue, in sled 0.34.7.
//!
//! sled is brought to disk at checkpoints only; what it then lacks is applied again from the
//! mirror. So nothing here is a durable step, and the groups of a moment are applied together, in
//! one transaction: each costs sled two writes and the waking of seven threads.

mod compare;
mod drafts;
mod fault;
mod group;
mod keys;
mod lines;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use chrono::{DateTime, Utc};
use sled::Tree;
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};

use super::StoreError;
use super::files::io;
use super::record::{self, Hash};
use crate::domain::book::QueueKey;
use crate::domain::ids::Position;
use crate::domain::message::MessageKey;
use fault::{corrupt, engine, guarded, told};
pub(super) use group::Group;
use keys::{due, position_in};
pub(super) use lines::Lines;

/// It is read at the start, in order, and hardly ever after.
const CACHE: u64 = 8 << 20;
const HEAD: &[u8] = b"pos";

/// The open store.
#[derive(Debug, Clone)]
pub(super) struct Trees {
    db: sled::Db,
    facts: Tree,
    meta: Tree,
    queue: Tree,
    milestones: Tree,
    drafts: Tree,
}

impl Trees {
    /// Opens or makes the store. A panic inside sled becomes an error.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let db = sled::Config::new()
                .path(path)
                .cache_capacity(CACHE)
                // Its own timer would wake twice a second for ever, and sync in the mirror's way:
                // the ledger asks for a flush a moment after it wrote.
                .flush_every_ms(None)
                .open()?;
            Ok::<_, sled::Error>(Self {
                facts: db.open_tree("facts")?,
                meta: db.open_tree("meta")?,
                queue: db.open_tree("queue")?,
                milestones: db.open_tree("milestones")?,
                drafts: db.open_tree("drafts")?,
                db,
            })
        }));
        match opened {
            Ok(result) => result.map_err(|error| engine(path, error)),
            Err(_) => Err(StoreError::Corrupt {
                what: path.display().to_string(),
                detail: "存储引擎打开时中断".into(),
            }),
        }
    }

    /// Position and hash of the last fact; zeros where there is none.
    pub(super) fn head(&self) -> Result<(Position, Hash), StoreError> {
        let value = guarded(|| self.meta.get(HEAD))?;
        let Some(value) = value else {
            return Ok((0, [0; 32]));
        };
        value
            .split_first_chunk::<8>()
            .and_then(|(position, hash)| {
                Some((Position::from_be_bytes(*position), hash.try_into().ok()?))
            })
            .ok_or_else(|| corrupt("meta", "最后序号的记录长度不对"))
    }

    /// Applies a group, all or none.
    pub(super) fn apply(&self, group: Group, new: bool) -> Result<(), StoreError> {
        let expected = group.first() - 1;
        let group = group.batches();
        let trees = (&self.facts, &self.meta, &self.queue, &self.milestones);
        let done = catch_unwind(AssertUnwindSafe(|| {
            trees.transaction(|(facts, meta, queue, milestones)| {
                let known = meta.get(HEAD)?;
                if new && known.is_some_and(|known| position_in(&known) > Some(expected)) {
                    return Err(ConflictableTransactionError::Abort(()));
                }
                facts.apply_batch(&group.facts)?;
                queue.apply_batch(&group.queue)?;
                milestones.apply_batch(&group.milestones)?;
                meta.insert(HEAD, &group.head)?;
                Ok(())
            })
        }));
        match done {
            Ok(Ok(())) => Ok(()),
            Ok(Err(TransactionError::Abort(()))) => Err(StoreError::PositionTaken { expected }),
            Ok(Err(TransactionError::Storage(sled::Error::Io(source)))) => Err(StoreError::Io {
                what: "存储".into(),
                source,
            }),
            Ok(Err(TransactionError::Storage(error))) => Err(StoreError::Engine(told(&error))),
            Err(_) => Err(StoreError::Engine("存储引擎写入时中断".into())),
        }
    }

    /// Hands all that was applied to the machine: it survives a kill then, not a power cut.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        guarded(|| self.db.flush()).map(drop)
    }

    /// Brings all that was applied to disk. sled's flush alone survives no power cut.
    pub(super) fn checkpoint(&self, path: &Path) -> Result<(), StoreError> {
        self.flush()?;
        let file = path.join("db");
        File::open(&file)
            .and_then(|file| file.sync_all())
            .map_err(|error| io(&file, error))
    }

    /// What waits until `until`, at most `most`, in the order of time.
    pub(super) fn waiting(
        &self,
        until: DateTime<Utc>,
        most: usize,
    ) -> Result<Vec<(QueueKey, MessageKey)>, StoreError> {
        let end = due(until + chrono::TimeDelta::milliseconds(1));
        let mut found = Vec::new();
        for row in self.queue.range(..end.as_slice()).take(most) {
            let (_, value) = guarded(|| row)?;
            let (at, key) = record::read_queued(&value).map_err(|error| error.at("queue"))?;
            if at.1 <= until {
                found.push((at, key));
            }
        }
        Ok(found)
    }

    /// Bytes on disk.
    pub(super) fn size(&self) -> u64 {
        self.db.size_on_disk().unwrap_or_default()
    }

    /// Milestones with deadlines kept as records.
    pub(super) fn milestones(&self) -> usize {
        self.milestones.len()
    }
}
