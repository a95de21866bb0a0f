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

/// The real calendar for tests of the domain, which may not know `config`.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// The years of `config/holidays-cn.json`, read line by line.
    pub(crate) fn china() -> Calendar {
        let mut years: BTreeMap<i32, YearTable> = BTreeMap::new();
        let mut worked = false;
        for line in include_str!("../../config/holidays-cn.json").lines() {
            let key = line.trim().trim_start_matches('"');
            worked = (worked || key.starts_with("workdays")) && !key.starts_with("holidays");
            let Some(day) = key.get(..10).and_then(|key| key.parse::<NaiveDate>().ok()) else {
                continue;
            };
            let table = years.entry(day.year()).or_default();
            let days = if worked {
                &mut table.worked
            } else {
                &mut table.off
            };
            days.insert(day);
        }
        Calendar::new(chrono_tz::Asia::Shanghai, years)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::china;
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_third_quarter_of_2026_as_the_design_says() {
        let calendar = china();
        let deadline = calendar.last_working_day(Quarter::new(2026, 3).unwrap());
        assert_eq!(deadline, day("2026-09-30"));
        for (steps, expected) in [
            (-10, "2026-09-16"),
            (-5, "2026-09-22"),
            (-3, "2026-09-24"),
            (-1, "2026-09-29"),
            (0, "2026-09-30"),
            (1, "2026-10-08"),
            (3, "2026-10-10"),
            (5, "2026-10-13"),
        ] {
            let found = calendar.shift(deadline, steps);
            assert_eq!(found, day(expected), "T{steps:+}");
            assert_eq!(calendar.working_days_between(deadline, found), steps);
        }
        assert_eq!(weekday_chinese(day("2026-10-10")), "周六");
        assert!(calendar.is_working(day("2026-10-10")), "a make-up Saturday");
        assert!(!calendar.is_working(day("2026-09-25")), "中秋节");
    }

    #[test]
    fn the_quarters_of_2022() {
        let calendar = china();
        let ends = [1, 2, 3, 4].map(|n| {
            let end = calendar.last_working_day(Quarter::new(2022, n).unwrap());
            (end.to_string(), calendar.shift(end, -10).to_string())
        });
        let ends = ends
            .each_ref()
            .map(|(end, notice)| (end.as_str(), notice.as_str()));
        assert_eq!(
            ends,
            [
                ("2022-03-31", "2022-03-17"),
                ("2022-06-30", "2022-06-16"),
                ("2022-09-30", "2022-09-16"),
                // 31 December 2022 was a Saturday and belonged to the New Year's block.
                ("2022-12-30", "2022-12-16"),
            ]
        );
        assert!(
            calendar.is_working(day("2022-01-30")),
            "a Sunday made up for 春节"
        );
        assert!(!calendar.is_working(day("2022-10-03")));
    }

    #[test]
    fn an_unknown_year_is_monday_to_friday_and_says_so() {
        let calendar = china();
        assert!(calendar.knows(2026) && !calendar.knows(2031));
        assert!(
            calendar.is_working(day("2031-01-01")),
            "a Wednesday: nobody has said yet"
        );
        assert!(!calendar.is_working(day("2031-01-04")));
        let empty = BTreeMap::from([(2031, YearTable::default())]);
        assert!(!Calendar::new(chrono_tz::Asia::Shanghai, empty).knows(2031));
    }

    #[test]
    fn an_instant_exists_even_where_the_clock_jumps() {
        // Shanghai put its clocks forward on 1986-05-04 at 02:00 and back on 1986-09-14.
        let calendar = china();
        let at = |date, hour| {
            let time = NaiveTime::from_hms_opt(hour, 30, 0).unwrap();
            calendar.instant(day(date), time).to_rfc3339()
        };
        assert_eq!(at("1986-05-04", 2), "1986-05-03T18:00:00+00:00");
        assert_eq!(
            at("1986-09-14", 1),
            "1986-09-13T16:30:00+00:00",
            "the earlier of two"
        );
        assert_eq!(at("2026-09-30", 9), "2026-09-30T01:30:00+00:00");
        let time = calendar.time_of("2026-09-29T16:10:00Z".parse().unwrap());
        assert_eq!(time.to_string(), "00:10:00");
        assert_eq!(
            calendar.date_of("2026-09-29T16:10:00Z".parse().unwrap()),
            day("2026-09-30")
        );
    }

    #[test]
    fn a_date_is_read_with_its_weekday() {
        assert_eq!(date_chinese(day("2026-09-30")), "2026年9月30日（周三）");
    }

    proptest! {
        #[test]
        fn shifting_lands_on_working_days_and_back(offset in 0i64..3650, steps in -40i32..=40) {
            let calendar = china();
            let from = calendar.on_or_before(day("2020-01-01") + chrono::TimeDelta::days(offset));
            let to = calendar.shift(from, steps);
            prop_assert!(calendar.is_working(to));
            prop_assert_eq!(calendar.shift(to, -steps), from);
            prop_assert_eq!(calendar.working_days_between(from, to), steps);
            prop_assert_eq!(calendar.working_days_between(to, from), -steps);
        }

        #[test]
        fn counting_goes_together(a in 0i64..1500, b in 0i64..1500, c in 0i64..1500) {
            let calendar = china();
            let [a, b, c] = [a, b, c].map(|days| day("2021-06-01") + chrono::TimeDelta::days(days));
            let count = |from, to| calendar.working_days_between(from, to);
            if a <= b && b <= c {
                prop_assert_eq!(count(a, b) + count(b, c), count(a, c));
            }
            prop_assert!(calendar.on_or_before(a) <= a && a <= calendar.on_or_after(a));
        }
    }
}
