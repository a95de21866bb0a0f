//! The State Council's notices of days off, as an office has them: some come with the program, some
//! are files of the configuration, some were brought by a coordinator.
//!
//! For one year one notice counts: that of the configuration's files, else the one brought, else
//! the program's own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use chrono_tz::Tz;

use super::calendar::{Calendar, YearTable};
use super::schedule::Festival;

/// The days of one year's notice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct YearNotice {
    /// Days off, each with its festival's name; empty where the file has none.
    pub off: BTreeMap<NaiveDate, String>,
    /// 调休: weekend days that are worked.
    pub worked: BTreeSet<NaiveDate>,
}

/// A notice that was there at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The file of the configuration; none where it came with the program.
    pub file: Option<String>,
    /// What it says.
    pub notice: YearNotice,
}

/// A notice that somebody brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The file's name, without folders.
    pub file: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What it says.
    pub notice: YearNotice,
}

/// Notices that were there at the start, by year.
pub type GivenYears = BTreeMap<i32, Given>;
/// Notices that were brought, by year.
pub type BroughtYears = BTreeMap<i32, Brought>;

impl YearNotice {
    /// What counts for working days.
    #[must_use]
    pub fn table(&self) -> YearTable {
        YearTable {
            off: self.off.keys().copied().collect(),
            worked: self.worked.clone(),
        }
    }
}

/// Whether the configuration's files say what this year's days are.
#[must_use]
pub fn is_fixed(given: &GivenYears, year: i32) -> bool {
    given.get(&year).is_some_and(|one| one.file.is_some())
}

/// The calendar that follows.
#[must_use]
pub fn calendar(zone: Tz, given: &GivenYears, brought: &BroughtYears) -> Calendar {
    let mut years: BTreeMap<i32, YearTable> = given
        .iter()
        .map(|(year, one)| (*year, one.notice.table()))
        .collect();
    let counting = brought.iter().filter(|(year, _)| !is_fixed(given, **year));
    years.extend(counting.map(|(year, one)| (*year, one.notice.table())));
    Calendar::new(zone, years)
}

/// The festivals of these notices, each with the block of days off it lies in. A block may run
/// over the turn of a year.
#[must_use]
pub fn festivals<'a>(notices: impl IntoIterator<Item = &'a YearNotice>) -> Vec<Festival> {
    let days: BTreeMap<NaiveDate, &str> = notices
        .into_iter()
        .flat_map(|notice| &notice.off)
        .map(|(day, name)| (*day, name.as_str()))
        .collect();
    let mut found: Vec<Festival> = Vec::new();
    let mut block: Vec<Festival> = Vec::new();
    for (day, name) in days {
        let goes_on = block
            .last()
            .is_some_and(|one| one.last.succ_opt() == Some(day));
        if !goes_on {
            found.append(&mut block);
        }
        let first = block.first().map_or(day, |one| one.first);
        if !block.iter().any(|one| one.name == name) {
            block.push(Festival {
                name: name.to_owned(),
                first,
                last: day,
            });
        }
        for one in &mut block {
            one.last = day;
        }
    }
    found.append(&mut block);
    found
}

/// The festivals known, with those of notices brought in place of the same years'.
#[must_use]
pub fn with_brought(
    known: &[Festival],
    given: &GivenYears,
    brought: &BroughtYears,
) -> Vec<Festival> {
    let counting = brought.iter().filter(|(year, _)| !is_fixed(given, **year));
    let counting: BTreeMap<i32, &YearNotice> =
        counting.map(|(year, one)| (*year, &one.notice)).collect();
    let others = known.iter();
    let others = others.filter(|one| !counting.contains_key(&one.last.year()));
    let mut all: Vec<Festival> = others.cloned().collect();
    all.extend(festivals(counting.into_values()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(days: &[&str]) -> YearNotice {
        let days = days.iter().map(|day| (day.parse().unwrap(), "元旦".into()));
        YearNotice {
            off: days.collect(),
            worked: BTreeSet::new(),
        }
    }

    #[test]
    fn what_the_configuration_says_goes_before_what_was_brought_and_that_before_the_programs_own() {
        let given = |file: Option<&str>, day| Given {
            file: file.map(str::to_owned),
            notice: notice(&[day]),
        };
        let brought = |day| Brought {
            file: "2027.json".into(),
            at: "2026-11-20T08:00:00Z".parse().unwrap(),
            notice: notice(&[day]),
        };
        let given: GivenYears = [
            (2026, given(None, "2026-01-01")),
            (2027, given(Some("extra.json"), "2027-01-01")),
        ]
        .into();
        let brought: BroughtYears = [
            (2026, brought("2026-01-02")),
            (2027, brought("2027-01-04")),
            (2028, brought("2028-01-03")),
        ]
        .into();
        let calendar = calendar(chrono_tz::Asia::Shanghai, &given, &brought);
        let works = |day: &str| calendar.is_working(day.parse().unwrap());
        assert!(works("2026-01-01") && !works("2026-01-02"));
        assert!(!works("2027-01-01") && works("2027-01-04"));
        assert!(!works("2028-01-03"));
    }
}
