//! Papers and their numbers.

use chrono::{DateTime, Utc};

use super::Inconsistent;
use crate::domain::book::Book;
use crate::domain::ids::Position;
use crate::domain::paper::{Issued, Paper};

impl Book {
    /// A paper gets its number: each paper once, each number once.
    pub(super) fn issue(
        &mut self,
        (here, at): (Position, DateTime<Utc>),
        paper: &Paper,
        year: i32,
        number: u32,
    ) -> Result<(), Inconsistent> {
        let mut known = self.papers.iter();
        let twice = known.any(|(other, issued)| {
            let same_number = (issued.year, issued.number) == (year, number);
            other == paper || other.kind == paper.kind && same_number
        });
        if twice {
            return Err(Inconsistent::Twice {
                position: here,
                what: format!("{}〔{year}〕{number}号", paper.kind.chinese()),
            });
        }
        self.papers
            .insert(paper.clone(), Issued { at, year, number });
        Ok(())
    }
}
