//! `[time]`: the office's zone and its working days.

use std::path::PathBuf;

use chrono_tz::Tz;

use super::holidays;
use super::reader::Reader;
use crate::domain::calendar::Calendar;

/// `[time]`.
#[derive(Debug, Clone)]
pub struct TimeConfig {
    /// The office's zone.
    pub zone: Tz,
    /// Holiday tables of the site, over the one inside the program.
    pub holidays: Vec<PathBuf>,
    /// What all of it comes to.
    pub calendar: Calendar,
}

impl TimeConfig {
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let zone = r.parsed("zone", "时区名称，如 \"Asia/Shanghai\"", |text| {
            text.parse::<Tz>().ok()
        });
        let names = r.texts("holidays").unwrap_or_default();
        let holidays: Vec<PathBuf> = names.iter().map(|name| r.find(name)).collect();
        // The tables are read even where the zone is wrong, so that their faults are told too.
        match holidays::calendar(zone.unwrap_or_default(), &holidays) {
            Ok(calendar) => Some(Self {
                zone: zone?,
                holidays,
                calendar,
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
