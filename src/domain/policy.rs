//! The office's rules for reminding, as data. Defaults are those of product.md.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::calendar::Calendar;
use super::ids::Quarter;
use super::message::Stage;

/// When and how much people are reminded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Time of day at which a deadline day ends for reports.
    pub deadline_time: NaiveTime,
    /// The stages, in order of [`Stage::ALL`].
    pub stages: Vec<StageRule>,
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
}

/// One stage's place in the quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageRule {
    /// Which.
    pub stage: Stage,
    /// Working days from the deadline day; negative is before.
    pub working_days: i32,
    /// Time of day.
    pub time: NaiveTime,
}

impl Default for Policy {
    fn default() -> Self {
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        let rule = |stage, working_days| StageRule {
            stage,
            working_days,
            time: at(9, 10),
        };
        Self {
            deadline_time: at(18, 0),
            stages: vec![
                rule(Stage::Notice, -10),
                rule(Stage::Reminder, -3),
                rule(Stage::Due, 0),
                rule(Stage::Overdue, 1),
                rule(Stage::Escalation, 5),
            ],
            digest_time: at(16, 50),
            quiet_until: at(8, 30),
            quiet_from: at(18, 0),
            too_late_days: 10,
            budget: 3,
            budget_window: TimeDelta::days(7),
            catch_up_after: TimeDelta::hours(2),
        }
    }
}

impl Policy {
    /// When something dated `day` is due: the last working day up to it, at the deadline's time.
    #[must_use]
    pub fn deadline(&self, calendar: &Calendar, day: NaiveDate) -> DateTime<Utc> {
        calendar.instant(calendar.on_or_before(day), self.deadline_time)
    }

    /// The time of a stage of this quarter; none where the stage is switched off.
    #[must_use]
    pub fn stage_time(
        &self,
        calendar: &Calendar,
        quarter: Quarter,
        stage: Stage,
    ) -> Option<DateTime<Utc>> {
        let rule = self.stages.iter().find(|rule| rule.stage == stage)?;
        let day = calendar.shift(calendar.last_working_day(quarter), rule.working_days);
        Some(calendar.instant(day, rule.time))
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
