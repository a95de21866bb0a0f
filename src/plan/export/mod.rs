//! The table as it was imported, with what was reported added: same columns, same order, same
//! merges, every cell as the plan stands now.
//!
//! The trip inside: [`printed`] reads the imported file once more and puts the present plan's
//! words where they differ from it; a plan whose file was not kept gets the usual columns from
//! [`standard`]; [`progress`] says what the four added columns hold; [`mod@workbook`] writes it all as
//! .xlsx. Nothing is stored, and what is written here reads back as the same plan.
//!
//! The file's own bytes are what has to be kept at import, in the vault under the hash that the
//! fact names: a layout that was worked out at import could never be worked out better later.

mod grid;
mod printed;
mod progress;
mod standard;
mod workbook;

use std::io::Read as _;

use chrono::{DateTime, Utc};
use rust_xlsxwriter::XlsxError;

pub use grid::Grid;

use super::{LARGEST_FILE, Lore, Mapping, Source};
use crate::domain::book::{Book, PlanBook};
use crate::domain::calendar::Calendar;
use crate::domain::evidence::FileHash;
use crate::domain::hex;
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::user::Sight;
use crate::store::{StoreError, Vault};
use progress::Told;

/// The headings of what is added.
pub const ADDED: [&str; 4] = ["进展情况", "状态", "报送人", "报送时间"];

/// A quarter's reports at a moment.
pub struct Asked<'a> {
    /// The book, as it stands or stood.
    pub book: &'a Book,
    /// Which plan.
    pub plan: &'a PlanId,
    /// Whose reports.
    pub quarter: Quarter,
    /// As of when.
    pub now: DateTime<Utc>,
    /// The office's calendar, for its zone.
    pub calendar: &'a Calendar,
}

/// The table as it prints, without reports yet: out of the file it was imported from; without the
/// file, or where it can no longer be read, with the usual columns.
#[must_use]
pub fn table(
    id: &PlanId,
    known: &PlanBook,
    file: Option<&[u8]>,
    lore: &Lore,
    sight: &Sight,
) -> Grid {
    let printed = file.map(|bytes| printed::grid(bytes, &source(id, known, lore), known));
    let grid = match printed {
        Some(Ok(grid)) => grid,
        Some(Err(error)) => {
            tracing::warn!(plan = %id, %error, "the imported file reads no more");
            standard::grid(known)
        }
        None => standard::grid(known),
    };
    if *sight == Sight::Everything {
        return grid;
    }
    grid.only(|no| known.tasks.get(&no).is_some_and(|task| sight.sees(task)))
}

/// The table with what was reported.
#[must_use]
pub fn with_progress(grid: Grid, asked: &Asked<'_>) -> Grid {
    let told = Told {
        book: asked.book,
        plan: asked.plan,
        quarter: asked.quarter,
        now: asked.now,
        calendar: asked.calendar,
    };
    grid.with_progress(&told.caption(), |no| told.of(no))
}

/// The grid as .xlsx, ready to print.
///
/// # Errors
/// Where the writer refuses, which no table makes it do.
pub fn workbook(grid: &Grid) -> Result<Vec<u8>, XlsxError> {
    workbook::write(grid)
}

/// Keeps a table's file for later exports, durably. Blocks.
///
/// # Errors
/// Where the disk fails.
pub fn keep(vault: &Vault, bytes: &[u8]) -> Result<(), StoreError> {
    let hash = FileHash::new(&hex::sha256(bytes)).map_err(StoreError::Engine)?;
    if vault.open(&hash)?.is_some() {
        return Ok(());
    }
    let mut part = vault.begin()?;
    part.write(bytes)?;
    part.keep().map(drop)
}

/// The file a plan was imported from; none where it was not kept. Blocks.
///
/// # Errors
/// Where it cannot be read.
pub fn kept(vault: &Vault, known: &PlanBook) -> Result<Option<Vec<u8>>, StoreError> {
    let Ok(hash) = FileHash::new(&known.sha256) else {
        return Ok(None);
    };
    let Some(file) = vault.open(&hash)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let read = file.take(LARGEST_FILE).read_to_end(&mut bytes);
    read.map_err(|error| StoreError::Engine(error.to_string()))?;
    Ok(Some(bytes))
}

/// How the file was read when it was imported.
fn source(id: &PlanId, known: &PlanBook, lore: &Lore) -> Source {
    Source {
        file_name: known.source.clone(),
        year: Some(known.heading.year),
        id: Some(id.clone()),
        columns: Mapping::parse(&known.columns).unwrap_or_default(),
        almanac: lore.almanac.clone(),
        ..lore.source().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
