//! The office's rules for reminding, as data. Defaults are those of product.md.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::calendar::Calendar;
use super::ladder::Ladder;

/// When and how much people are reminded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Time of day at which a deadline day ends for reports.
    pub deadline_time: NaiveTime,
    /// The stages of cases that have not begun; one that has keeps its own.
    pub ladder: Ladder,
    /// Time of day of the coordinators' digest and of word that something is settled.
    pub digest_time: NaiveTime,
    /// Nothing leaves before.
    pub quiet_until: NaiveTime,
    /// Nothing leaves after.
    pub quiet_from: NaiveTime,
    /// A stage later than this many working days is skipped.
    pub too_late_days: u32,
    /// Messages a person may get in [`Self::budget_window`], from all causes.
    pub budget: usize,
    /// The window of the budget.
    pub budget_window: TimeDelta,
    /// A stage that runs later than this after its time is marked 补发.
    pub catch_up_after: TimeDelta,
    /// Whether an owner for whom somebody acts gets the messages too.
    pub copy_absent: bool,
}

impl Default for Policy {
    fn default() -> Self {
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        Self {
            deadline_time: at(18, 0),
            ladder: Ladder::default(),
            digest_time: at(16, 50),
            quiet_until: at(8, 30),
            quiet_from: at(18, 0),
            too_late_days: 10,
            budget: 3,
            budget_window: TimeDelta::days(7),
            catch_up_after: TimeDelta::hours(2),
            copy_absent: false,
        }
    }
}

impl Policy {
    /// When something dated `day` is due: the last working day up to it, at the deadline's time.
    #[must_use]
    pub fn deadline(&self, calendar: &Calendar, day: NaiveDate) -> DateTime<Utc> {
        calendar.instant(calendar.on_or_before(day), self.deadline_time)
    }

    /// `now` if messages may leave, else the next moment at which they may.
    #[must_use]
    pub fn next_open(&self, calendar: &Calendar, now: DateTime<Utc>) -> DateTime<Utc> {
        let day = calendar.date_of(now);
        let time = calendar.time_of(now);
        if calendar.is_working(day) && time < self.quiet_from {
            if time >= self.quiet_until {
                return now;
            }
            return calendar.instant(day, self.quiet_until);
        }
        let next = calendar.shift(day, 1);
        calendar.instant(next, self.quiet_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::testing::china;
    use crate::domain::ids::Quarter;
    use crate::domain::message::Stage;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_stages_of_a_quarter_stand_around_its_last_working_day() {
        let (policy, calendar) = (Policy::default(), china());
        let quarter = Quarter::new(2026, 3).unwrap();
        let times = Stage::ALL.map(|stage| {
            let time = policy.ladder.time(&calendar, quarter, stage).unwrap();
            time.with_timezone(&calendar.zone())
                .format("%m-%d %H:%M")
                .to_string()
        });
        assert_eq!(
            times,
            [
                "09-16 09:10",
                "09-24 09:10",
                "09-30 09:10",
                "10-08 09:10",
                "10-13 09:10"
            ]
        );
        let without = Ladder { stages: Vec::new() };
        assert_eq!(without.time(&calendar, quarter, Stage::Notice), None);
    }

    #[test]
    fn a_date_is_due_on_the_last_working_day_up_to_it() {
        let (policy, calendar) = (Policy::default(), china());
        let due = |day: &str| policy.deadline(&calendar, day.parse().unwrap());
        assert_eq!(due("2022-12-31"), at("2022-12-30T18:00:00+08:00"));
        assert_eq!(due("2022-06-30"), at("2022-06-30T18:00:00+08:00"));
        assert_eq!(due("2026-10-05"), at("2026-09-30T18:00:00+08:00"));
    }

    #[test]
    fn quiet_hours_delay_to_the_next_working_morning() {
        let (policy, calendar) = (Policy::default(), china());
        let open = |text: &str| policy.next_open(&calendar, at(text));
        for (now, next) in [
            ("2026-09-30T08:29:59+08:00", "2026-09-30T08:30:00+08:00"),
            ("2026-09-30T08:30:00+08:00", "2026-09-30T08:30:00+08:00"),
            ("2026-09-30T17:59:59+08:00", "2026-09-30T17:59:59+08:00"),
            // Eight days off lie behind this evening.
            ("2026-09-30T18:00:00+08:00", "2026-10-08T08:30:00+08:00"),
            ("2026-10-03T12:00:00+08:00", "2026-10-08T08:30:00+08:00"),
            // Saturday the 10th is worked, Sunday the 11th is not.
            ("2026-10-10T12:00:00+08:00", "2026-10-10T12:00:00+08:00"),
            ("2026-10-10T23:00:00+08:00", "2026-10-12T08:30:00+08:00"),
        ] {
            assert_eq!(open(now), at(next), "{now}");
            assert_eq!(
                policy.next_open(&calendar, open(now)),
                open(now),
                "open stays open"
            );
        }
    }
}
