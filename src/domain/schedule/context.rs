//! What the reader must know of the world: the table's year, festivals, local seasons.

use chrono::{Datelike, NaiveDate};

/// Facts of the calendar that words such as `明年`, `春节前` and `汛期前` stand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeContext {
    /// The year the table is for.
    pub year: i32,
    /// When it was issued: `明年` counts from here.
    pub issued_on: Option<NaiveDate>,
    /// Festivals and seasons.
    pub almanac: Almanac,
}

/// What the site's calendar knows by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Almanac {
    /// Blocks of days off, in order.
    pub festivals: Vec<Festival>,
    /// The site's own seasons.
    pub seasons: Vec<Season>,
}

/// A festival and the block of days off it lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Festival {
    /// `春节`, `国庆节`.
    pub name: String,
    /// The first day off.
    pub first: NaiveDate,
    /// The last day off.
    pub last: NaiveDate,
}

/// A local season and the day it begins: `汛期`, 15 April.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Season {
    /// `汛期`, `开学`.
    pub name: String,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month.
    pub day: u32,
}

impl TimeContext {
    /// A table for `year`, nothing else known.
    #[must_use]
    pub fn of(year: i32) -> Self {
        Self {
            year,
            issued_on: None,
            almanac: Almanac::default(),
        }
    }

    /// The year that `今年` means.
    #[must_use]
    pub fn this_year(&self) -> i32 {
        self.issued_on.map_or(self.year, |day| day.year())
    }
}
