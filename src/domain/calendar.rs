//! Working days by the State Council's calendar, and where dates and instants meet.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use super::ids::Quarter;

/// Days off and make-up days of one year, beyond Saturday and Sunday.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct YearTable {
    /// Days off by the notice.
    pub off: BTreeSet<NaiveDate>,
    /// 调休: weekend days that are worked.
    pub worked: BTreeSet<NaiveDate>,
}

/// The office's calendar: its zone, and the years whose notice is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    zone: Tz,
    years: BTreeMap<i32, YearTable>,
}

impl Calendar {
    /// A calendar of these years. An empty table counts as unknown, not as "no holidays".
    #[must_use]
    pub fn new(zone: Tz, years: BTreeMap<i32, YearTable>) -> Self {
        let years = years
            .into_iter()
            .filter(|(_, table)| !table.off.is_empty())
            .collect();
        Self { zone, years }
    }

    /// The zone of the office.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Whether the year's notice is known; if not, Monday to Friday is assumed.
    #[must_use]
    pub fn knows(&self, year: i32) -> bool {
        self.years.contains_key(&year)
    }

    /// The years known.
    pub fn known_years(&self) -> impl Iterator<Item = i32> + '_ {
        self.years.keys().copied()
    }

    /// Whether people work on this day.
    #[must_use]
    pub fn is_working(&self, day: NaiveDate) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        match self.years.get(&day.year()) {
            Some(table) => table.worked.contains(&day) || (!weekend && !table.off.contains(&day)),
            None => !weekend,
        }
    }

    /// The day itself if worked, else the working day before it.
    #[must_use]
    pub fn on_or_before(&self, day: NaiveDate) -> NaiveDate {
        self.walk(day, |d| d.pred_opt())
    }

    /// The day itself if worked, else the working day after it.
    #[must_use]
    pub fn on_or_after(&self, day: NaiveDate) -> NaiveDate {
        self.walk(day, |d| d.succ_opt())
    }

    /// The working day `steps` working days after `day`; before it where negative.
    ///
    /// `day` itself is not counted, so `shift(Friday, 1)` is the Monday after.
    #[must_use]
    pub fn shift(&self, day: NaiveDate, steps: i32) -> NaiveDate {
        let mut at = day;
        for _ in 0..steps.unsigned_abs() {
            at = if steps > 0 {
                self.on_or_after(at + Days::new(1))
            } else {
                self.on_or_before(at - Days::new(1))
            };
        }
        at
    }

    /// Working days after `from` up to and with `to`; negative where `to` is earlier.
    #[must_use]
    pub fn working_days_between(&self, from: NaiveDate, to: NaiveDate) -> i32 {
        if to < from {
            return -self.working_days_between(to, from);
        }
        let days = from
            .iter_days()
            .skip(1)
            .take_while(|day| *day <= to)
            .filter(|day| self.is_working(*day))
            .count();
        i32::try_from(days).unwrap_or(i32::MAX)
    }

    /// The last working day of the quarter.
    #[must_use]
    pub fn last_working_day(&self, quarter: Quarter) -> NaiveDate {
        self.on_or_before(quarter.last_day())
    }

    /// The office's date at this instant.
    #[must_use]
    pub fn date_of(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The office's time of day at this instant.
    #[must_use]
    pub fn time_of(&self, at: DateTime<Utc>) -> NaiveTime {
        at.with_timezone(&self.zone).time()
    }

    /// The instant of this date and time at the office: the earlier in a fold, the first valid
    /// minute after a gap.
    #[must_use]
    pub fn instant(&self, day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
        let local = day.and_time(time);
        (0..=180)
            .find_map(|minutes| {
                self.zone
                    .from_local_datetime(&(local + chrono::TimeDelta::minutes(minutes)))
                    .earliest()
            })
            .map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
    }

    fn walk(&self, day: NaiveDate, step: impl Fn(NaiveDate) -> Option<NaiveDate>) -> NaiveDate {
        let mut at = day;
        while !self.is_working(at) {
            match step(at) {
                Some(next) => at = next,
                None => return at,
            }
        }
        at
    }
}

/// `周三`.
#[must_use]
pub fn weekday_chinese(day: NaiveDate) -> &'static str {
    match day.weekday() {
        Weekday::Mon => "周一",
        Weekday::Tue => "周二",
        Weekday::Wed => "周三",
        Weekday::Thu => "周四",
        Weekday::Fri => "周五",
        Weekday::Sat => "周六",
        Weekday::Sun => "周日",
    }
}

/// `2026年9月30日（周三）`.
#[must_use]
pub fn date_chinese(day: NaiveDate) -> String {
    format!(
        "{}年{}月{}日（{}）",
        day.year(),
        day.month(),
        day.day(),
        weekday_chinese(day)
    )
}
