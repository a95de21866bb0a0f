//! Facts and what follows from them, made into the rows that one transaction writes.

use sled::{Batch, IVec};

use super::keys::{milestone_key, piece_key, queue_key};
use crate::domain::book::Effect;
use crate::domain::ids::Position;
use crate::store::StoreError;
use crate::store::record::{self, Hash};

/// A row of facts holds as many lines as fit into this: what sled does, it does by the row. It keeps
/// larger pages in files it never syncs, so a longer line is cut into pieces.
pub(super) const PIECE: usize = 4000;

/// Facts and what follows from them, as bytes, to be applied in one transaction.
#[derive(Debug, Default)]
pub(in crate::store) struct Group {
    first: Position,
    head: Position,
    hash: Hash,
    /// Each with its newline.
    facts: Vec<u8>,
    queue: Rows,
    milestones: Rows,
}

/// Keys with their new values; none removes.
type Rows = Vec<(IVec, Option<IVec>)>;

/// The same as sled takes it, a batch a tree.
pub(super) struct Batches {
    pub(super) facts: Batch,
    pub(super) queue: Batch,
    pub(super) milestones: Batch,
    /// Position and hash of the last fact.
    pub(super) head: IVec,
}

impl Group {
    /// Adds a fact's line.
    pub(in crate::store) fn fact(&mut self, position: Position, hash: Hash, line: &[u8]) {
        if self.first == 0 {
            self.first = position;
        }
        self.head = position;
        self.hash = hash;
        self.facts.extend_from_slice(line);
        self.facts.push(b'\n');
    }

    /// Adds what follows from facts.
    pub(in crate::store) fn effects(&mut self, effects: &[Effect]) -> Result<(), StoreError> {
        for effect in effects {
            match effect {
                Effect::MilestoneSet {
                    plan,
                    task,
                    index,
                    milestone,
                    deadline,
                } => {
                    let value = record::milestone(plan, *task, *index, milestone, *deadline)
                        .map_err(|error| error.at("节点"))?;
                    let key = milestone_key(plan, *task, *index);
                    self.milestones.push((key.into(), Some(value.into())));
                }
                Effect::MilestoneRemoved { plan, task, index } => {
                    let key = milestone_key(plan, *task, *index);
                    self.milestones.push((key.into(), None));
                }
                Effect::QueueAdded { at, key } => {
                    let value = record::queued(at, key).map_err(|error| error.at("待发队列"))?;
                    let row = (IVec::from(&queue_key(at)), Some(value.into()));
                    self.queue.push(row);
                }
                Effect::QueueRemoved { at } => {
                    self.queue.push((IVec::from(&queue_key(at)), None));
                }
            }
        }
        Ok(())
    }

    /// Position of the last fact; 0 where there is none.
    pub(in crate::store) fn head(&self) -> Position {
        self.head
    }

    /// How many facts it has and how many rows follow from them.
    pub(in crate::store) fn len(&self) -> usize {
        let facts = match self.first {
            0 => 0,
            first => self.head + 1 - first,
        };
        let facts = usize::try_from(facts).unwrap_or(usize::MAX);
        facts + self.queue.len() + self.milestones.len()
    }

    pub(super) fn first(&self) -> Position {
        self.first
    }

    pub(super) fn batches(self) -> Batches {
        let mut head = self.head.to_be_bytes().to_vec();
        head.extend_from_slice(&self.hash);
        Batches {
            facts: fact_rows(self.first, &self.facts),
            queue: batch(self.queue),
            milestones: batch(self.milestones),
            head: head.into(),
        }
    }
}

/// Lines that follow one another from `first` on, each with its newline, as rows under the position
/// of their first line.
fn fact_rows(first: Position, lines: &[u8]) -> Batch {
    let mut batch = Batch::default();
    let (mut at, mut row) = (first, Vec::with_capacity(PIECE));
    for (position, line) in (first..).zip(lines.split_inclusive(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if !row.is_empty() && row.len() + 1 + line.len() > PIECE {
            put_row(&mut batch, at, &row);
            row.clear();
        }
        if row.is_empty() {
            at = position;
        } else {
            row.push(b'\n');
        }
        row.extend_from_slice(line);
    }
    put_row(&mut batch, at, &row);
    batch
}

fn put_row(batch: &mut Batch, at: Position, row: &[u8]) {
    for (number, piece) in (0_u16..).zip(row.chunks(PIECE)) {
        match number {
            0 => batch.insert(&at.to_be_bytes(), piece),
            _ => batch.insert(&piece_key(at, number), piece),
        }
    }
}

fn batch(rows: Rows) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in rows {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    batch
}
