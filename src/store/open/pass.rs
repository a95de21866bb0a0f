//! Both copies read once, side by side: the facts folded into the book, and to the engine applied
//! what it lacks.

use crate::domain::book::Book;
use crate::domain::ids::Position;
use crate::store::StoreError;
use crate::store::guard::Layout;
use crate::store::mirror::{self, Walk};
use crate::store::record::{self, Checked, Hash};
use crate::store::sled::{Group, Lines, Trees};
use crate::store::snapshot::Snapshot;

/// Facts applied in one transaction while catching up.
const CATCH_UP: u64 = 500;

/// Both copies read once, side by side.
pub(in crate::store) struct Pass {
    pub book: Book,
    pub walk: Walk,
    pub from_snapshot: Position,
    pub(super) store_head: Position,
    pub(super) store_flaw: Option<String>,
    pub(super) snapshot_bad: bool,
    pub(super) caught_up: u64,
}

/// Reads the mirror, compares the store with it, folds the book, and applies to the store what it
/// lacks.
pub(super) fn run(
    layout: &Layout,
    trees: Option<&Trees>,
    snapshot: Option<Snapshot>,
) -> Result<Pass, StoreError> {
    let mut reading = Reading::begin(trees, snapshot);
    let walk = mirror::walk(&layout.mirror, |checked, line| reading.line(checked, line))?;
    reading.end(walk)
}

/// A pass on its way.
struct Reading<'a> {
    trees: Option<&'a Trees>,
    /// The store's facts, beside the mirror's.
    stored: Option<Lines>,
    store_hash: Hash,
    /// Up to where the snapshot spares folding, and the hash there.
    folded: Option<(Position, Hash)>,
    /// What the store lacks and has not been given yet.
    group: Group,
    pass: Pass,
}

impl<'a> Reading<'a> {
    fn begin(trees: Option<&'a Trees>, snapshot: Option<Snapshot>) -> Self {
        let head = trees.map(Trees::head).unwrap_or(Ok((0, [0; 32])));
        let (store_head, store_hash, store_flaw) = match head {
            Ok((head, hash)) => (head, hash, None),
            Err(error) => (0, [0; 32], Some(error.to_string())),
        };
        let snapshot = snapshot.filter(|snapshot| snapshot.book.position <= store_head);
        let folded = snapshot.as_ref().map(|s| (s.book.position, s.hash));
        Self {
            trees,
            stored: trees.map(|trees| trees.lines(0)),
            store_hash,
            folded,
            group: Group::default(),
            pass: Pass {
                from_snapshot: folded.map_or(0, |(position, _)| position),
                book: snapshot.map(|snapshot| snapshot.book).unwrap_or_default(),
                walk: Walk::default(),
                store_head,
                store_flaw,
                snapshot_bad: false,
                caught_up: 0,
            },
        }
    }

    fn line(&mut self, checked: &Checked, line: &[u8]) -> Result<(), StoreError> {
        self.compare(checked, line);
        if self.is_folded(checked) {
            return Ok(());
        }
        let here = checked.position;
        let entry = record::read_line(line).map_err(|error| error.at(format!("第{here}号记录")))?;
        let effects = self.pass.book.apply(&entry)?;
        let lacking = here > self.pass.store_head && self.pass.store_flaw.is_none();
        if self.trees.is_some() && lacking {
            self.group.fact(here, checked.hash, line);
            self.group.effects(&effects)?;
            self.pass.caught_up += 1;
            if self.pass.caught_up.is_multiple_of(CATCH_UP) {
                self.catch_up()?;
            }
        }
        Ok(())
    }

    /// Holds the store's line, where it has this one, against the mirror's.
    fn compare(&mut self, checked: &Checked, line: &[u8]) {
        let here = checked.position;
        if here > self.pass.store_head || self.pass.store_flaw.is_some() {
            return;
        }
        let row = self.stored.as_mut().and_then(Iterator::next);
        self.pass.store_flaw = differs(row, here, line);
        if here == self.pass.store_head && checked.hash != self.store_hash {
            self.pass.store_flaw = Some(format!("第{here}号记录的摘要不符"));
        }
    }

    /// Whether the book has this one from the snapshot; or need not have it, as the snapshot is of
    /// another history.
    fn is_folded(&mut self, checked: &Checked) -> bool {
        let Some((position, hash)) = self.folded else {
            return false;
        };
        if self.pass.snapshot_bad || checked.position < position {
            return true;
        }
        let is_last = checked.position == position;
        if is_last {
            self.pass.snapshot_bad = hash != checked.hash;
        }
        is_last
    }

    /// What goes wrong is a flaw of the store, or an error where the machine is at fault.
    fn catch_up(&mut self) -> Result<(), StoreError> {
        let Some(trees) = self.trees else {
            return Ok(());
        };
        match trees.apply(std::mem::take(&mut self.group), false) {
            Ok(()) => Ok(()),
            Err(error @ StoreError::Io { .. }) => Err(error),
            Err(error) => {
                self.pass.store_flaw = Some(error.to_string());
                Ok(())
            }
        }
    }

    fn end(mut self, walk: Walk) -> Result<Pass, StoreError> {
        if self
            .folded
            .is_some_and(|(position, _)| position > walk.head)
        {
            self.pass.snapshot_bad = true;
        }
        if self.group.head() > 0 && self.pass.store_flaw.is_none() {
            self.catch_up()?;
        }
        let Self {
            stored, mut pass, ..
        } = self;
        if walk.head >= pass.store_head
            && pass.store_flaw.is_none()
            && pass.caught_up == 0
            && stored.and_then(|mut rows| rows.next()).is_some()
        {
            pass.store_flaw = Some("存储中有镜像里没有的记录".into());
        }
        pass.walk = walk;
        Ok(pass)
    }
}

fn differs(
    row: Option<Result<(Position, Vec<u8>), StoreError>>,
    here: Position,
    line: &[u8],
) -> Option<String> {
    match row {
        Some(Ok((position, stored))) if position == here && stored == line => None,
        Some(Ok((position, _))) if position == here => Some(format!("第{here}号记录与镜像不同")),
        Some(Ok(_)) | None => Some(format!("缺少第{here}号记录")),
        Some(Err(error)) => Some(error.to_string()),
    }
}
