//! How a quarter's reports came in, working day by working day.

use std::ops::RangeInclusive;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use super::walk::Item;
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::report::Review;

/// One quarter's curve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// Which quarter.
    pub quarter: Quarter,
    /// The days of the span that have begun, in order.
    pub steps: Vec<Step>,
}

/// Where things stood when a working day ended, or now where it has not. The deadline day ends at
/// the deadline; what comes in on days off counts with the next working day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Working days from the deadline day; negative is before.
    pub offset: i32,
    /// The day.
    pub day: NaiveDate,
    /// Had a report that was not returned.
    pub reported: u32,
    /// Were to report: what was withdrawn is out from that day on.
    pub wanted: u32,
}

impl Step {
    /// The share, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        match self.wanted {
            0 => 0.0,
            wanted => f64::from(self.reported) / f64::from(wanted),
        }
    }

    /// The share in percent, with one digit after the point; never 100 while one is missing.
    #[must_use]
    pub fn percent(&self) -> String {
        let tenths = match self.wanted {
            0 => 0,
            wanted => u64::from(self.reported) * 1000 / u64::from(wanted),
        };
        format!("{}.{}%", tenths / 10, tenths % 10)
    }
}

impl Curve {
    /// Where things stood that many working days from the deadline.
    #[must_use]
    pub fn at(&self, offset: i32) -> Option<&Step> {
        self.steps.iter().find(|step| step.offset == offset)
    }
}

/// The curve of a quarter's items over these working days around its deadline, up to `now`; none
/// where there are none.
///
/// A report counts from the moment it first came. One that has been returned, and has not come
/// again, counts until it was returned, so that the curve ends at the number of today.
#[must_use]
pub fn curve(
    items: &[Item<'_>],
    (quarter, deadline): (Quarter, DateTime<Utc>),
    calendar: &Calendar,
    span: RangeInclusive<i32>,
    now: DateTime<Utc>,
) -> Option<Curve> {
    let days = days(calendar, deadline, span);
    let mut changes = vec![Change::default(); days.len()];
    let wanted = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let mut change = |at: DateTime<Utc>, note: fn(&mut Change)| {
        let place = days.partition_point(|day| day.end < at);
        if let Some(day) = changes.get_mut(place) {
            note(day);
        }
    };
    for item in items {
        let known = item.obligation;
        if let Some(first) = known.reports.first() {
            change(first.at, |day| day.came += 1);
        }
        if let Some((at, Review::Returned { .. })) = known.review.as_deref() {
            change(*at, |day| day.went += 1);
        }
        if let Some((at, _)) = known.closed.filter(|_| known.is_withdrawn()) {
            change(at, |day| day.withdrawn += 1);
        }
    }
    let (mut begins, mut reported, mut left) = (DateTime::<Utc>::MIN_UTC, 0, wanted);
    let mut steps = Vec::new();
    for (day, change) in days.iter().zip(&changes) {
        if begins >= now {
            break;
        }
        begins = day.end;
        reported = reported + change.came - change.went;
        left -= change.withdrawn;
        steps.push(Step {
            offset: day.offset,
            day: day.day,
            reported,
            wanted: left,
        });
    }
    (wanted > 0).then_some(Curve { quarter, steps })
}

/// The quarter before, with which this one is compared: of the same plan, else of last year's.
#[must_use]
pub fn quarter_before(book: &Book, plan: &PlanId, quarter: Quarter) -> Option<(PlanId, Quarter)> {
    let before = quarter.previous();
    let others = book.plans.keys().rev().filter(|other| *other != plan);
    [plan]
        .into_iter()
        .chain(others)
        .find(|plan| book.case(plan, before).is_some())
        .map(|plan| (plan.clone(), before))
}

/// A working day, and when it ends for the count.
struct Day {
    offset: i32,
    day: NaiveDate,
    end: DateTime<Utc>,
}

/// What happened on it.
#[derive(Clone, Default)]
struct Change {
    came: u32,
    went: u32,
    withdrawn: u32,
}

fn days(calendar: &Calendar, deadline: DateTime<Utc>, span: RangeInclusive<i32>) -> Vec<Day> {
    let mut day = calendar.shift(calendar.date_of(deadline), *span.start());
    let mut days = Vec::new();
    for offset in span {
        let midnight = calendar.instant(day + Days::new(1), NaiveTime::MIN);
        days.push(Day {
            offset,
            day,
            end: if offset == 0 { deadline } else { midnight },
        });
        day = calendar.shift(day, 1);
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::board::items_in;
    use crate::domain::book::ClosedWhy;
    use crate::domain::fact::Fact;
    use crate::domain::fixture::*;
    use crate::domain::ids::ObligationKey;
    use crate::domain::report::ReportStatus;
    use crate::domain::user::Sight;

    fn told(book: &Book, now: &str) -> Vec<(i32, u32, u32)> {
        let quarter = quarter("2022Q1");
        let (calendar, plan) = (calendar(), plan());
        let all = Sight::Everything;
        let items: Vec<_> = items_in(book, &plan, quarter, at(now), &all).collect();
        let due = (quarter, book.deadline(&plan, quarter).unwrap());
        let curve = curve(&items, due, &calendar, -4..=3, at(now)).unwrap();
        let step = |step: &Step| (step.offset, step.reported, step.wanted);
        curve.steps.iter().map(step).collect()
    }

    fn say(person: (&str, &str), key: ObligationKey) -> Vec<Fact> {
        vec![report(person, key, ReportStatus::OnSchedule, "正在推进。")]
    }

    fn returned(key: ObligationKey) -> Vec<Fact> {
        vec![Fact::ReviewGiven {
            obligation: key,
            review: Review::Returned {
                reason: "请补充企业名单".into(),
            },
        }]
    }

    /// One long before, one on a Sunday, one an hour after the deadline; one is returned.
    fn book() -> Book {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        apply(&mut book, "2022-03-01T09:00", say(ZHANG, key(2, 0)));
        apply(&mut book, "2022-03-27T09:00", say(ZHANG, key(4, 0)));
        apply(&mut book, "2022-03-31T19:00", say(DU, key(16, 0)));
        apply(&mut book, "2022-04-02T10:00", returned(key(4, 0)));
        book
    }

    #[test]
    fn each_working_day_shows_where_things_stood_when_it_ended() {
        // 25 March is a Friday; 2 April a make-up Saturday, and the three days after it are off.
        let wanted = [
            (-4, 1, 7),
            (-3, 2, 7),
            (-2, 2, 7),
            (-1, 2, 7),
            (0, 2, 7),
            (1, 3, 7),
            (2, 2, 7),
            (3, 2, 7),
        ];
        assert_eq!(told(&book(), "2022-04-06T09:00"), wanted);
    }

    #[test]
    fn what_has_not_begun_is_not_drawn_and_the_last_step_is_the_number_of_today() {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        apply(&mut book, "2022-03-28T08:00", say(ZHANG, key(2, 0)));
        let steps = told(&book, "2022-03-28T10:00");
        assert_eq!(steps, [(-4, 0, 7), (-3, 1, 7)]);
        let early = told(&book, "2022-03-10T10:00");
        assert_eq!(early.len(), 1, "long before: the first day gathers it");
    }

    #[test]
    fn what_was_withdrawn_is_wanted_until_then_and_what_was_reported_before_stays() {
        let mut book = book();
        for task in [14, 2] {
            let obligation = book.obligations.get_mut(&key(task, 0)).unwrap();
            obligation.closed = Some((at("2022-03-29T10:00"), ClosedWhy::TaskRemoved));
        }
        let steps = told(&book, "2022-04-01T09:00");
        assert_eq!(
            steps,
            [
                (-4, 1, 7),
                (-3, 2, 7),
                (-2, 2, 6),
                (-1, 2, 6),
                (0, 2, 6),
                (1, 3, 6)
            ]
        );
    }

    #[test]
    fn a_share_is_never_rounded_up_to_the_whole() {
        let step = Step {
            offset: 0,
            day: "2022-03-31".parse().unwrap(),
            reported: 1999,
            wanted: 2000,
        };
        assert_eq!(step.percent(), "99.9%");
    }

    #[test]
    fn the_quarter_before_may_be_of_last_years_plan() {
        let book = book();
        let before = |text| quarter_before(&book, &plan(), quarter(text));
        assert_eq!(before("2022Q2"), Some((plan(), quarter("2022Q1"))));
        assert_eq!(before("2022Q1"), None);
        let next = PlanId::new("dongguan-2023").unwrap();
        let found = quarter_before(&book, &next, quarter("2023Q1"));
        assert_eq!(found, Some((plan(), quarter("2022Q4"))));
    }
}
