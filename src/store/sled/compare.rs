//! Whether the second copy is whole in itself, and says what the book says.

use sled::Tree;

use super::Trees;
use super::fault::{corrupt, guarded};
use super::keys::{milestone_key, queue_key};
use crate::domain::book::Book;
use crate::domain::ids::Position;
use crate::store::StoreError;
use crate::store::record::{self, Hash};

impl Trees {
    /// Checks the facts by themselves: every line, the chain, and the last position noted.
    pub(in crate::store) fn check(&self) -> Result<(Position, Hash), StoreError> {
        let (mut head, mut hash) = (0, [0; 32]);
        for row in self.lines(0) {
            let (position, line) = row?;
            let place = || format!("第{position}号记录");
            let checked = record::check_line(&line).map_err(|error| error.at(place()))?;
            if position != head + 1 || checked.position != position || checked.prev != hash {
                return Err(corrupt(&place(), "与前一号接不上"));
            }
            head = position;
            hash = checked.hash;
        }
        if self.head()? != (head, hash) {
            let detail = format!("最后序号与实有的第{head}号记录不符");
            return Err(corrupt("meta", &detail));
        }
        Ok((head, hash))
    }

    /// Compares queue and milestones with what the book says, both ways (G6). The text names the
    /// first difference.
    pub(in crate::store) fn compare(&self, book: &Book) -> Result<Option<String>, StoreError> {
        if !same(&self.queue, &queue_rows(book)?)? {
            return Ok(Some("待发队列与记录不符".into()));
        }
        if !same(&self.milestones, &milestone_rows(book)?)? {
            return Ok(Some("节点及截止时间与记录不符".into()));
        }
        Ok(None)
    }
}

/// Keys with their values, as they should stand in a tree.
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn queue_rows(book: &Book) -> Result<Rows, StoreError> {
    let mut waiting = Vec::with_capacity(book.queue.len());
    for (at, key) in &book.queue {
        let value = record::queued(at, key).map_err(|error| error.at("待发队列"))?;
        waiting.push((queue_key(at).to_vec(), value));
    }
    waiting.sort();
    Ok(waiting)
}

fn milestone_rows(book: &Book) -> Result<Rows, StoreError> {
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
    Ok(milestones)
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
