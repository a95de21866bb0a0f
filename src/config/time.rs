//! `[time]`: the office's zone and its working days.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::holidays;
use super::reader::Reader;
use crate::domain::calendar::Calendar;
use crate::domain::holidays::{BroughtYears, GivenYears, calendar, festivals};
use crate::domain::schedule::{Almanac, Season};

/// The zones that `.cargo/config.toml` has built in.
const ZONES: &str = "程序自带的时区：Asia/ 开头的名称（如 \"Asia/Shanghai\"）或 \"UTC\"";

/// `[time]`.
#[derive(Debug, Clone)]
pub struct TimeConfig {
    /// The office's zone.
    pub zone: Tz,
    /// Holiday tables of the site, over the one inside the program.
    pub holidays: Vec<PathBuf>,
    /// The notices of the program and of these files, by year.
    pub given: Arc<GivenYears>,
    /// What all of it comes to, before anybody brings another notice.
    pub calendar: Calendar,
    /// Festivals and local seasons, for schedules that name them.
    pub almanac: Almanac,
}

impl TimeConfig {
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let zone = r.parsed("zone", ZONES, |text| text.parse::<Tz>().ok());
        let names = r.texts("holidays").unwrap_or_default();
        let holidays: Vec<PathBuf> = names.iter().map(|name| r.find(name)).collect();
        let seasons = r.named("seasons", "月和日，如 \"04-15\"", season);
        // The tables are read even where the zone is wrong, so that their faults are told too.
        match holidays::given(&holidays) {
            Ok(given) => Some(Self {
                zone: zone?,
                almanac: Almanac {
                    festivals: festivals(given.values().map(|one| &one.notice)),
                    seasons,
                },
                calendar: calendar(zone?, &given, &BroughtYears::new()),
                holidays,
                given: Arc::new(given),
            }),
            Err(faults) => {
                for fault in faults {
                    r.fault("holidays", fault.to_string());
                }
                None
            }
        }
    }
}

/// `"汛期" = "04-15"`: the day a season begins.
pub(crate) fn season(name: &str, day: &str) -> Option<Season> {
    let (month, day) = day.trim_end_matches('日').split_once(['-', '月'])?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    // A leap year, so that the 29th of February will do.
    NaiveDate::from_ymd_opt(2024, month, day)?;
    Some(Season {
        name: name.to_owned(),
        month,
        day,
    })
}
