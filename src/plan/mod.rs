//! Reads a table file (分解表) into a [`Plan`], with a finding for whatever was odd.
//!
//! The trip inside: [`form`] turns bytes of any form into a [`sheet`] of cells, [`columns`] knows the
//! headings and [`lexicon`] their usual other names, [`body`] finds the table with its items whole,
//! [`layout`] puts shifted cells back, [`compose`] makes one schedule of a column per quarter or of
//! a date, [`rows`] takes the tasks, [`units`] repairs the lead units,
//! [`homes`] and [`groups`] work out from the whole table who belongs to which unit and who answers
//! together, [`people`] gives each an id, and [`settle`] makes the plan of it, with the times that [`crate::domain::schedule`]
//! reads, many rows at once ([`parallel`]). Nothing is stored here.
//!
//! A bad row is a finding, not a failure; only a file that is no such table is an error.
//!
//! Example: item 130 of 2022 is shifted by one column; it is read as repaired, with the finding
//! `shifted_columns`, and stays out of the store until a coordinator accepts it.

mod body;
mod clean;
mod columns;
mod compose;
pub mod contacts;
pub mod correct;
pub mod export;
mod findings;
mod form;
mod groups;
mod heading;
mod holidays;
mod homes;
pub mod import;
mod layout;
mod lexicon;
pub mod mark;
mod marks;
pub mod page;
mod parallel;
mod people;
pub mod prepare;
mod rows;
mod sections;
mod settle;
pub(crate) mod sheet;
pub mod show;
pub mod told;
mod unit_names;
mod units;
mod uploads;
pub mod wire;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use columns::{Mapping, UnknownField};
pub use form::annotate::{AnnotateError, annotate};

use crate::config::{Config, units as units_config};
use crate::desk::Desk;
use crate::domain::holidays::with_brought;
use crate::domain::ids::{PlanId, TaskNo};
use crate::domain::plan::{Finding, Heading, Plan, Severity};
use crate::domain::schedule::{Almanac, Time};
use crate::domain::units::UnitNames;

use rows::Draft;

/// The largest file that is read, in bytes; the real table has 217 thousand.
pub const LARGEST_FILE: u64 = 32 * 1024 * 1024;

/// Most tasks in one table; a year's table has a few hundred.
pub const MOST_TASKS: usize = 50_000;

/// What is known about a table beside its content.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// The file's name, for messages and as a proposal for the plan's id.
    pub file_name: String,
    /// The year the schedules speak of, where the reader is told; else the title tells.
    pub year: Option<i32>,
    /// The plan's id, where it is given.
    pub id: Option<PlanId>,
    /// What the coordinator said about headings that are not known.
    pub columns: Mapping,
    /// Festivals and local seasons that schedules name.
    pub almanac: Almanac,
    /// Names of units as the coordinators decided on them; none: those the program brings along.
    pub units: Option<UnitNames>,
}

/// What the office knows that stands in no table: festivals, local seasons, names of units.
#[derive(Debug, Clone, Default)]
pub struct Lore {
    /// Festivals and local seasons that schedules name.
    pub almanac: Almanac,
    /// The office's own tables of units' names, read anew each time.
    pub units: Vec<PathBuf>,
}

impl Lore {
    /// As the configuration has it.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            almanac: config.time.almanac.clone(),
            units: config.office.units.clone(),
        }
    }

    /// The same with the festivals of the notices that were brought since.
    #[must_use]
    pub fn knowing(&self, desk: &Desk) -> Self {
        let book = desk.ledger.book();
        let known = &self.almanac.festivals;
        let festivals = with_brought(known, &desk.given_years, &book.holidays);
        Self {
            almanac: Almanac {
                festivals,
                seasons: self.almanac.seasons.clone(),
            },
            units: self.units.clone(),
        }
    }

    /// A source that knows this and nothing else yet.
    ///
    /// # Errors
    /// Every fault of the tables of units' names, one a line.
    pub fn source(&self) -> Result<Source, String> {
        let names = units_config::names(&self.units).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            faults.join("\n")
        })?;
        Ok(Source {
            almanac: self.almanac.clone(),
            units: Some(names),
            ..Source::default()
        })
    }
}

impl Source {
    fn names(&self) -> UnitNames {
        let brought_along = || units_config::names(&[]).unwrap_or_default();
        self.units.clone().unwrap_or_else(brought_along)
    }
}

/// A table as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The plan, repaired as the findings say.
    pub plan: Plan,
    /// What was odd, in the order of the table.
    pub findings: Vec<Finding>,
    /// Other names of units in it, each with the name it was read as.
    pub units: Vec<(String, String)>,
    /// The times of each task's milestones as the words tell them, in their order: more than the
    /// plan keeps. Empty where a stored plan is shown.
    pub times: BTreeMap<TaskNo, Vec<Time>>,
}

/// The file is not a table this can read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It could not be opened or read.
    #[error("无法读取文件 {file}：请检查路径是否正确、是否有读取权限")]
    Unreadable {
        /// The file as it was given.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Nothing in it.
    #[error("文件 {file} 是空的：请检查是否选对了文件")]
    Empty {
        /// The file's name.
        file: String,
    },
    /// More than [`LARGEST_FILE`].
    #[error(
        "文件 {file} 超过 {} MB，不像是分解表：请检查是否选对了文件",
        LARGEST_FILE / 1024 / 1024
    )]
    TooLarge {
        /// The file's name.
        file: String,
    },
    /// A program's file or the like.
    #[error(
        "文件 {file} 不是能读取的表格文件：请用 Word、Excel 或 WPS 打开分解表，另存为 .docx 或 .xlsx 后再试"
    )]
    Binary {
        /// The file's name.
        file: String,
    },
    /// A form that is known but not read.
    #[error(
        "文件 {file} 是{form}，不能直接读取：请用 Word、Excel 或 WPS 打开，另存为 .docx 或 .xlsx 后再试；扫描件须先转成文字表格"
    )]
    OtherForm {
        /// The file's name.
        file: String,
        /// What it is, in Chinese.
        form: &'static str,
    },
    /// With a password.
    #[error("文件 {file} 设有打开密码，无法读取：请打开后去掉密码，另存为 .docx 或 .xlsx 后再试")]
    Encrypted {
        /// The file's name.
        file: String,
    },
    /// Cut off, or otherwise broken.
    #[error(
        "文件 {file} 不完整或已损坏，无法读取：请重新取得该文件，或用 Word、Excel、WPS 打开后另存为 .docx 或 .xlsx 再试"
    )]
    Damaged {
        /// The file's name.
        file: String,
    },
    /// Unpacked it is larger than any table.
    #[error(
        "文件 {file} 展开后内容过多，不像是分解表：请检查是否选对了文件，或删去无关的工作表、图片和空白行后另存一份再试"
    )]
    TooMuch {
        /// The file's name.
        file: String,
    },
    /// Headings, but none for the tasks.
    #[error(
        "文件 {file} 第 {line} 行像是表头（{found}），但没有认出目标任务所在的列：请用 --map 列名=目标任务 指明，例如 --map {example}=目标任务"
    )]
    NoGoal {
        /// The file's name.
        file: String,
        /// Line of the headings.
        line: u32,
        /// The headings, listed.
        found: String,
        /// One of those that are not known.
        example: String,
    },
    /// Text in another encoding.
    #[error(
        "文件 {file} 第 {line} 行不是 UTF-8 编码：请用记事本打开，另存为时把编码选为 UTF-8 后再试"
    )]
    NotUtf8 {
        /// The file's name.
        file: String,
        /// The first line that is not.
        line: usize,
    },
    /// No row of headings.
    #[error(
        "文件 {file} 里没有找到分解表的表头：表头应在同一行，至少要有“年度目标及工作内容”“季度进度安排”“牵头单位”“直接责任人”等列名，请检查是否选对了文件"
    )]
    NoHeader {
        /// The file's name.
        file: String,
    },
    /// Headings and nothing below.
    #[error("文件 {file} 第 {line} 行是表头，但表头下面没有目标任务：请检查文件是否完整")]
    NoTasks {
        /// The file's name.
        file: String,
        /// Line of the headings.
        line: u32,
    },
    /// More than [`MOST_TASKS`].
    #[error("文件 {file} 的目标任务超过 {MOST_TASKS} 项，不像是分解表：请检查是否选对了文件")]
    TooManyTasks {
        /// The file's name.
        file: String,
    },
    /// No year, neither told nor in the title.
    #[error("文件 {file} 的标题里没有年份：请用 --year 指明年度，例如 --year 2022")]
    NoYear {
        /// The file's name.
        file: String,
    },
    /// A year no table is for.
    #[error("年度 {year} 不合理：请用 --year 指明四位数的年份，例如 --year 2022")]
    BadYear {
        /// What was given or found.
        year: i32,
    },
}

/// Reads a table.
///
/// # Errors
/// [`TableError`] where the file is no such table; it says what to do.
pub fn read(bytes: &[u8], source: &Source) -> Result<Reading, TableError> {
    Ok(Taken::from(bytes, source)?.settle(source))
}

/// A table taken apart, before people and units are settled.
#[derive(Clone)]
struct Taken {
    id: PlanId,
    heading: Heading,
    draft: Draft,
}

impl Taken {
    fn from(bytes: &[u8], source: &Source) -> Result<Self, TableError> {
        let sheet = form::read(bytes, &source.file_name, &source.columns)?;
        let draft = rows::read(sheet, source)?;
        let heading = heading::read(&draft.above, source)?;
        Ok(Self {
            id: heading::plan_id(source, heading.year)?,
            heading,
            draft,
        })
    }

    fn settle(self, source: &Source) -> Reading {
        settle::settle(self.id, self.heading, self.draft, source)
    }
}

/// Takes the cells out of a table file, whatever they mean; gives their number. For the bench,
/// which holds it against other readers of cells.
///
/// # Errors
/// As [`read`].
#[doc(hidden)]
pub fn count_cells(bytes: &[u8], source: &Source) -> Result<usize, TableError> {
    let sheet = form::read(bytes, &source.file_name, &source.columns)?;
    Ok(sheet.rows.iter().map(|row| row.cells.len()).sum())
}

/// Reads a table with a coordinator's corrections to single rows.
///
/// # Errors
/// As [`read`].
pub fn read_corrected(
    bytes: &[u8],
    source: &Source,
    corrections: &[correct::Correction],
) -> Result<Reading, TableError> {
    let mut taken = Taken::from(bytes, source)?;
    if corrections.is_empty() {
        return Ok(taken.settle(source));
    }
    let plain = taken.clone().settle(source);
    correct::apply(&mut taken.draft, &plain, corrections);
    let mut reading = taken.settle(source);
    correct::accept(&mut reading, corrections);
    Ok(reading)
}

/// The id the plan in a file will have, where that shows before the file is read.
#[must_use]
pub fn likely_id(source: &Source) -> Option<PlanId> {
    heading::likely_id(source)
}

/// Reads a table from a file, never more of it than [`LARGEST_FILE`].
///
/// # Errors
/// As [`read`], and [`TableError::Unreadable`].
pub fn read_file(path: &Path, source: &Source) -> Result<Reading, TableError> {
    read(&read_bounded(path)?, source)
}

/// A file's bytes, refused without reading where it is larger than any table.
///
/// # Errors
/// [`TableError::Unreadable`] or [`TableError::TooLarge`].
pub fn read_bounded(path: &Path) -> Result<Vec<u8>, TableError> {
    let unreadable = |source| TableError::Unreadable {
        file: path.display().to_string(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size > LARGEST_FILE {
        return Err(TableError::TooLarge {
            file: path.display().to_string(),
        });
    }
    // What grows while it is read, or has no size at all, ends here too.
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}

/// The findings that say that a row cannot be trusted as printed.
pub fn errors(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
