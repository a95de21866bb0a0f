//! The table on its way out: rows of text, merged areas, and which row is which task.

use std::collections::BTreeMap;
use std::fmt;

use super::super::columns::Field;
use super::progress::Progress;
use crate::domain::ids::TaskNo;

/// The table as rows and columns, counted from 0.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// The worksheet's name in the file, where it had one.
    pub(super) worksheet: Option<String>,
    /// What each column of the file holds; its length is the file's width.
    pub(super) columns: Vec<Option<Field>>,
    pub(super) rows: Vec<Line>,
    pub(super) merged: Vec<Area>,
    /// The added columns stand behind the others.
    pub(super) added: bool,
    /// What the head of every page says.
    pub(super) caption: String,
}

/// A row.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) kind: Kind,
    pub(super) cells: Vec<String>,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// The table's name.
    Title,
    /// Another line over the table.
    Above,
    /// Headings.
    Heading,
    /// The first row of a task.
    Task(TaskNo),
    /// A further row of it.
    More(TaskNo),
    /// Totals, notes, headings of parts.
    #[default]
    Other,
}

impl Kind {
    fn task(self) -> Option<TaskNo> {
        match self {
            Self::Task(no) | Self::More(no) => Some(no),
            _ => None,
        }
    }
}

/// Merged cells: first and last row, first and last column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Area {
    pub(super) rows: (usize, usize),
    pub(super) columns: (usize, usize),
}

impl Area {
    pub(super) fn is_one_cell(self) -> bool {
        self.rows.0 == self.rows.1 && self.columns.0 == self.columns.1
    }
}

impl Grid {
    /// How many columns there are, the added ones among them.
    pub(super) fn width(&self) -> usize {
        self.columns.len() + if self.added { super::ADDED.len() } else { 0 }
    }

    pub(super) fn cell(&self, row: usize, column: usize) -> &str {
        let cells = self.rows.get(row).map(|row| &row.cells);
        cells
            .and_then(|cells| cells.get(column))
            .map_or("", String::as_str)
    }

    pub(super) fn set(&mut self, row: usize, column: usize, text: String) {
        let Some(line) = self.rows.get_mut(row) else {
            return;
        };
        if line.cells.len() <= column {
            line.cells.resize(column + 1, String::new());
        }
        if let Some(cell) = line.cells.get_mut(column) {
            *cell = text;
        }
    }

    /// First and last row of the first headings.
    pub(super) fn headings(&self) -> Option<(usize, usize)> {
        let is = |row: &Line| row.kind == Kind::Heading;
        let first = self.rows.iter().position(is)?;
        let more = self.rows.iter().skip(first).take_while(|row| is(row));
        Some((first, first + more.count() - 1))
    }

    /// Without the tasks that are not to be seen, and without what might tell of them.
    pub(super) fn only(mut self, sees: impl Fn(TaskNo) -> bool) -> Self {
        let keeps = |row: &Line| match row.kind {
            Kind::Title | Kind::Above | Kind::Heading => true,
            Kind::Other => false,
            Kind::Task(no) | Kind::More(no) => sees(no),
        };
        let kept: Vec<bool> = self.rows.iter().map(keeps).collect();
        // Kept rows before each, so that an area's new place is read off.
        let before: Vec<usize> = std::iter::once(0)
            .chain(kept.iter().scan(0, |sum, kept| {
                *sum += usize::from(*kept);
                Some(*sum)
            }))
            .collect();
        let count = |row: usize| before.get(row).or(before.last()).copied().unwrap_or(0);
        let mut merged = Vec::new();
        for area in std::mem::take(&mut self.merged) {
            let (from, to) = (count(area.rows.0), count(area.rows.1 + 1));
            if from == to {
                continue;
            }
            // The text stands in the first of the merged cells, which may go.
            let text = self.cell(area.rows.0, area.columns.0).to_owned();
            let first = (area.rows.0..).find(|row| kept.get(*row).copied().unwrap_or(true));
            self.set(first.unwrap_or(area.rows.0), area.columns.0, text);
            let area = Area {
                rows: (from, to - 1),
                ..area
            };
            if !area.is_one_cell() {
                merged.push(area);
            }
        }
        let mut kept = kept.into_iter();
        self.rows.retain(|_| kept.next().unwrap_or(true));
        self.merged = merged;
        self
    }

    /// With the added columns.
    pub(super) fn with_progress(
        mut self,
        caption: &str,
        told: impl Fn(TaskNo) -> Progress,
    ) -> Self {
        self.caption = caption.to_owned();
        let width = self.columns.len();
        self.added = true;
        let last = self.width() - 1;
        // A line over the whole table stays over the whole table.
        for area in &mut self.merged {
            let above = matches!(
                self.rows.get(area.rows.0).map(|row| row.kind),
                Some(Kind::Title | Kind::Above)
            );
            if above && area.columns.0 == 0 && area.columns.1 + 1 >= width {
                area.columns.1 = last;
            }
        }
        let headings = self.rows.iter().map(|row| row.kind == Kind::Heading);
        let headings: Vec<usize> = (0..)
            .zip(headings)
            .filter(|(_, is)| *is)
            .map(|(at, _)| at)
            .collect();
        for run in runs(&headings) {
            self.add(run, super::ADDED.map(str::to_owned));
        }
        let mut tasks: BTreeMap<TaskNo, Vec<usize>> = BTreeMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            if let Some(no) = row.kind.task() {
                tasks.entry(no).or_default().push(at);
            }
        }
        for (no, rows) in tasks {
            let Progress {
                progress,
                status,
                reporter,
                time,
            } = told(no);
            if let Some(run) = runs(&rows).first() {
                self.add(*run, [progress, status, reporter, time]);
            }
        }
        self.merged.sort_unstable();
        self
    }

    /// Puts the added cells into these rows, merged where there are several.
    fn add(&mut self, (first, last): (usize, usize), cells: [String; 4]) {
        let width = self.columns.len();
        for (column, text) in (width..).zip(cells) {
            self.set(first, column, text);
            if first < last {
                self.merged.push(Area {
                    rows: (first, last),
                    columns: (column, column),
                });
            }
        }
    }
}

/// Rows one below the other, as first and last.
fn runs(rows: &[usize]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *row => *last = *row,
            _ => runs.push((*row, *row)),
        }
    }
    runs
}

/// As text, for whoever compares: a row a line, cells parted by `│`, merged areas at the end.
impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for at in 0..self.rows.len() {
            let cells: Vec<String> = (0..self.width())
                .map(|column| self.cell(at, column).replace('\n', "⏎"))
                .collect();
            writeln!(f, "{} {}", at + 1, cells.join("│").trim_end_matches('│'))?;
        }
        for Area { rows, columns } in &self.merged {
            writeln!(
                f,
                "合并 {}-{}行 {}-{}列",
                rows.0 + 1,
                rows.1 + 1,
                columns.0 + 1,
                columns.1 + 1
            )?;
        }
        Ok(())
    }
}
