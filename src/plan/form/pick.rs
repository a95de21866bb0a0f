//! Which of several worksheets is the table.

use super::super::columns::{Header, Mapping};
use super::super::sheet::{RawRow, Sheet};

/// Rows of a worksheet that are looked at for headings.
pub(super) const ROWS: usize = 60;

/// What the beginning of a worksheet promises.
pub(super) struct Candidate {
    /// Headings that are known; none without a row of headings.
    known: usize,
    hidden: bool,
}

impl Candidate {
    pub(super) fn of(rows: &[RawRow], hidden: bool, mapping: &Mapping) -> Self {
        let mut tails = (0..rows.len().min(ROWS)).filter_map(|from| rows.get(from..));
        let header = tails.find_map(|rows| Header::at(rows, mapping));
        Self {
            known: header.map_or(0, |(header, _)| header.known()),
            hidden,
        }
    }
}

/// The one with headings, a visible one rather than a hidden one, the one that knows most
/// headings, the first of equals.
pub(super) fn best(candidates: &[Candidate]) -> usize {
    let worth = |one: &Candidate| (one.known > 0, !one.hidden, one.known);
    let mut best = 0;
    for (index, one) in candidates.iter().enumerate() {
        if candidates
            .get(best)
            .is_none_or(|so_far| worth(one) > worth(so_far))
        {
            best = index;
        }
    }
    best
}

/// Notes which worksheet was read, and which were not.
pub(super) fn tell(
    sheet: &mut Sheet,
    chosen: usize,
    names: impl Iterator<Item = String>,
    candidates: &[Candidate],
) {
    for (index, name) in names.enumerate() {
        if index == chosen {
            sheet.worksheet = Some(name);
        } else {
            let is_table = candidates.get(index).is_some_and(|one| one.known > 0);
            sheet.others.push((name, is_table));
        }
    }
}
