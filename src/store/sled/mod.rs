//! The second copy: facts, milestones with their deadlines, and the queue, in sled 0.34.7.
//!
//! sled is brought to disk at checkpoints only; what it then lacks is applied again from the
//! mirror. So nothing here is a durable step, and the groups of a moment are applied together, in
//! one transaction: each costs sled two writes and the waking of seven threads.

mod drafts;

use std::collections::VecDeque;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use chrono::{DateTime, Utc};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};
use sled::{Batch, IVec, Tree};

use super::StoreError;
use super::files::io;
use super::record::{self, Hash};
use crate::domain::book::{Book, Effect, QueueKey};
use crate::domain::ids::{PlanId, Position, TaskNo};
use crate::domain::message::MessageKey;
use crate::domain::people::ChannelKind;

/// It is read at the start, in order, and hardly ever after.
const CACHE: u64 = 8 << 20;
/// A row of facts holds as many lines as fit into this: what sled does, it does by the row. It keeps
/// larger pages in files it never syncs, so a longer line is cut into pieces.
const PIECE: usize = 4000;
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

/// Facts and what follows from them, as bytes, to be applied in one transaction.
#[derive(Debug, Default)]
pub(super) struct Group {
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

impl Group {
    /// Adds a fact's line.
    pub(super) fn fact(&mut self, position: Position, hash: Hash, line: &[u8]) {
        if self.first == 0 {
            self.first = position;
        }
        self.head = position;
        self.hash = hash;
        self.facts.extend_from_slice(line);
        self.facts.push(b'\n');
    }

    /// Adds what follows from facts.
    pub(super) fn effects(&mut self, effects: &[Effect]) -> Result<(), StoreError> {
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
    pub(super) fn head(&self) -> Position {
        self.head
    }

    /// How many facts it has and how many rows follow from them.
    pub(super) fn len(&self) -> usize {
        let facts = match self.first {
            0 => 0,
            first => self.head + 1 - first,
        };
        let facts = usize::try_from(facts).unwrap_or(usize::MAX);
        facts + self.queue.len() + self.milestones.len()
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
        let mut head = group.head.to_be_bytes().to_vec();
        head.extend_from_slice(&group.hash);
        let head = IVec::from(head);
        let expected = group.first - 1;
        let new_facts = fact_rows(group.first, &group.facts);
        let new_queue = batch(group.queue);
        let new_milestones = batch(group.milestones);
        let trees = (&self.facts, &self.meta, &self.queue, &self.milestones);
        let done = catch_unwind(AssertUnwindSafe(|| {
            trees.transaction(|(facts, meta, queue, milestones)| {
                let known = meta.get(HEAD)?;
                if new && known.is_some_and(|known| position_in(&known) > Some(expected)) {
                    return Err(ConflictableTransactionError::Abort(()));
                }
                facts.apply_batch(&new_facts)?;
                queue.apply_batch(&new_queue)?;
                milestones.apply_batch(&new_milestones)?;
                meta.insert(HEAD, &head)?;
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

    /// Lines of the facts from a position on, in order.
    pub(super) fn lines(&self, from: Position) -> Lines {
        let start = self.row_with(from).unwrap_or(from);
        Lines {
            rows: self.facts.range(start.to_be_bytes()..),
            from,
            row: None,
            ready: VecDeque::new(),
        }
    }

    /// The row that a position's line stands in. Where it cannot be told, reading on from there says
    /// why.
    fn row_with(&self, position: Position) -> Option<Position> {
        let found = guarded(|| {
            let before = self.facts.range(..=position.to_be_bytes()).rev();
            let mut keys = before.map(|row| row.map(|(key, _)| key));
            keys.find(|key| key.as_ref().map_or(true, |key| key.len() == 8))
                .transpose()
        });
        found.ok().flatten().and_then(|key| position_in(&key))
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

    /// Compares queue and milestones with what the book says, both ways (G6). The text names the
    /// first difference.
    pub(super) fn compare(&self, book: &Book) -> Result<Option<String>, StoreError> {
        let mut waiting: Vec<(Vec<u8>, Vec<u8>)> = Vec::with_capacity(book.queue.len());
        for (at, key) in &book.queue {
            let value = record::queued(at, key).map_err(|error| error.at("待发队列"))?;
            waiting.push((queue_key(at).to_vec(), value));
        }
        waiting.sort();
        if !same(&self.queue, &waiting)? {
            return Ok(Some("待发队列与记录不符".into()));
        }
        let mut milestones = Vec::new();
        for (plan, known) in &book.plans {
            for task in known.tasks.values() {
                for (index, milestone) in (0_u16..).zip(&task.milestones) {
                    let deadline = known.deadlines.get(&milestone.due).copied();
                    let value = record::milestone(plan, task.no, index, milestone, deadline)
                        .map_err(|error| error.at("节点"))?;
                    milestones.push((milestone_key(plan, task.no, index), value));
                }
            }
        }
        milestones.sort();
        if !same(&self.milestones, &milestones)? {
            return Ok(Some("节点及截止时间与记录不符".into()));
        }
        Ok(None)
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

/// Lines of facts, one by one.
pub(super) struct Lines {
    rows: sled::Iter,
    from: Position,
    /// Its further pieces may follow.
    row: Option<(Position, Vec<u8>)>,
    /// What the last whole row held.
    ready: VecDeque<(Position, Vec<u8>)>,
}

impl Iterator for Lines {
    type Item = Result<(Position, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(Ok(line));
            }
            let (first, row) = match self.next_row()? {
                Ok(row) => row,
                Err(error) => return Some(Err(error)),
            };
            let lines = (first..).zip(row.split(|byte| *byte == b'\n'));
            let wanted = lines.filter(|(position, _)| *position >= self.from);
            let wanted = wanted.map(|(position, line)| (position, line.to_vec()));
            self.ready.extend(wanted);
        }
    }
}

impl Lines {
    /// A row with its pieces joined, under its first position.
    fn next_row(&mut self) -> Option<Result<(Position, Vec<u8>), StoreError>> {
        loop {
            // sled panics on some damaged pages instead of failing.
            let row = match catch_unwind(AssertUnwindSafe(|| self.rows.next())) {
                Ok(row) => row,
                Err(_) => return Some(Err(corrupt("facts", "读取时中断"))),
            };
            let Some(row) = row else {
                return self.row.take().map(Ok);
            };
            let (key, value) = match row {
                Ok(row) => row,
                Err(error) => return Some(Err(corrupt("facts", &told(&error)))),
            };
            match key.split_first_chunk::<8>() {
                Some((position, [])) => {
                    let whole = (Position::from_be_bytes(*position), value.to_vec());
                    if let Some(before) = self.row.replace(whole) {
                        return Some(Ok(before));
                    }
                }
                Some((position, [_, _])) => match &mut self.row {
                    Some((at, line)) if at.to_be_bytes() == *position => {
                        line.extend_from_slice(&value);
                    }
                    _ => return Some(Err(corrupt("facts", "记录的后半段没有开头"))),
                },
                _ => return Some(Err(corrupt("facts", "键的长度不对"))),
            }
        }
    }
}

/// The position that the bytes begin with.
fn position_in(bytes: &[u8]) -> Option<Position> {
    bytes.first_chunk().copied().map(Position::from_be_bytes)
}

fn same(tree: &Tree, wanted: &[(Vec<u8>, Vec<u8>)]) -> Result<bool, StoreError> {
    let mut wanted = wanted.iter();
    let mut rows = tree.iter();
    loop {
        let row = guarded(|| rows.next().transpose())?;
        match (row, wanted.next()) {
            (None, None) => return Ok(true),
            (Some((key, value)), Some((k, v))) if key == k.as_slice() && value == v.as_slice() => {}
            _ => return Ok(false),
        }
    }
}

fn guarded<T>(run: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error @ sled::Error::Corruption { .. })) => Err(corrupt("sled", &told(&error))),
        Ok(Err(error)) => Err(StoreError::Engine(told(&error))),
        Err(_) => Err(corrupt("sled", "读取时中断")),
    }
}

/// Which errors of an open are damage, and which are the machine's (no space, no right, in use).
fn engine(path: &Path, error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => {
            StoreError::InUse(path.to_owned())
        }
        sled::Error::Io(error) if is_the_machines(&error) => io(path, error),
        error => StoreError::Corrupt {
            what: path.display().to_string(),
            detail: told(&error),
        },
    }
}

fn is_the_machines(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::StorageFull
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::WouldBlock
            | ErrorKind::OutOfMemory
    )
}

/// In the engine's words; of damage, where it is.
fn told(error: &sled::Error) -> String {
    let sled::Error::Corruption { at, .. } = error else {
        return error.to_string();
    };
    let digits: String = format!("{at:?}")
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    match digits.as_str() {
        "" => "页面校验不符".into(),
        digits => format!("第{digits}字节处的页面校验不符"),
    }
}

fn corrupt(what: &str, detail: &str) -> StoreError {
    StoreError::Corrupt {
        what: what.into(),
        detail: detail.into(),
    }
}

fn piece_key(position: Position, number: u16) -> [u8; 10] {
    let mut key = [0; 10];
    let parts = position
        .to_be_bytes()
        .into_iter()
        .chain(number.to_be_bytes());
    for (to, from) in key.iter_mut().zip(parts) {
        *to = from;
    }
    key
}

/// Due time in milliseconds, ordered as bytes.
fn due(at: DateTime<Utc>) -> [u8; 8] {
    (at.timestamp_millis() ^ i64::MIN).to_be_bytes()
}

fn queue_key((channel, at, position): &QueueKey) -> [u8; 17] {
    let number = ChannelKind::ALL.iter().position(|kind| kind == channel);
    let mut key = [0; 17];
    let parts = due(*at)
        .into_iter()
        .chain(number.and_then(|number| u8::try_from(number).ok()))
        .chain(position.to_be_bytes());
    for (to, from) in key.iter_mut().zip(parts) {
        *to = from;
    }
    key
}

fn milestone_key(plan: &PlanId, task: TaskNo, index: u16) -> Vec<u8> {
    let mut key = plan.as_str().as_bytes().to_vec();
    key.push(0);
    key.extend_from_slice(&task.to_be_bytes());
    key.extend_from_slice(&index.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_from_any_position_however_they_share_rows() {
        let folder = tempfile::tempdir().unwrap();
        let trees = Trees::open(&folder.path().join("db")).unwrap();
        let lengths = [900, 3_000, 98, 2 * PIECE + 1, 1, PIECE, 700, 700];
        let lines: Vec<Vec<u8>> = (b'a'..)
            .zip(lengths)
            .map(|(letter, length)| vec![letter; length])
            .collect();
        let group = |positions: std::ops::RangeInclusive<u64>| {
            let mut group = Group::default();
            for position in positions {
                group.fact(position, [0; 32], &lines[position as usize - 1]);
            }
            group
        };
        trees.apply(group(1..=5), true).unwrap();
        trees.apply(group(6..=8), true).unwrap();
        assert_eq!(trees.facts.len(), 1 + 3 + 1 + 1 + 1, "three pieces of one");
        for from in 0..=9 {
            let found: Vec<(u64, Vec<u8>)> = trees.lines(from).map(Result::unwrap).collect();
            let all = (1..).zip(lines.iter().cloned());
            let wanted: Vec<_> = all.filter(|(position, _)| *position >= from).collect();
            assert_eq!(found, wanted, "from {from}");
        }
        let again = trees.apply(group(8..=8), true);
        assert!(matches!(
            again,
            Err(StoreError::PositionTaken { expected: 7 })
        ));
    }
}
