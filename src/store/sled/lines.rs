//! The facts read back, line by line, however they share rows.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Trees;
use super::fault::{corrupt, guarded, told};
use super::keys::position_in;
use crate::domain::ids::Position;
use crate::store::StoreError;

/// Lines of facts, one by one.
pub(in crate::store) struct Lines {
    rows: sled::Iter,
    from: Position,
    /// Its further pieces may follow.
    row: Option<(Position, Vec<u8>)>,
    /// What the last whole row held.
    ready: VecDeque<(Position, Vec<u8>)>,
}

impl Trees {
    /// Lines of the facts from a position on, in order.
    pub(in crate::store) fn lines(&self, from: Position) -> Lines {
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

#[cfg(test)]
mod tests {
    use super::super::group::{Group, PIECE};
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
