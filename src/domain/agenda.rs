//! Deadlines as entries of a calendar: each with a name for ever, a number that only rises, and
//! gone once it is settled. No wording: that is the channel's.

use chrono::{DateTime, Days, NaiveDate, Utc};
use sha2::{Digest as _, Sha256};

use super::book::{Book, Obligation, PlanBook};
use super::calendar::Calendar;
use super::hex::hex;
use super::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use super::plan::{Group, Milestone, MilestoneKind, Task};
use super::user::Sight;

/// Days behind in which an entry is still shown, so that calendars see that it is settled.
const BEHIND: u64 = 60;
/// Days ahead.
const AHEAD: u64 = 400;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The same in every calendar and every mail, for ever.
    pub uid: String,
    /// Rises with every change: the position of the fact that made the last one.
    pub sequence: Position,
    /// When that was.
    pub changed_at: DateTime<Utc>,
    /// When it is.
    pub when: When,
    /// What it is.
    pub what: What,
    /// Settled: calendars take it off.
    pub settled: bool,
}

/// When an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Until this instant.
    Until(DateTime<Utc>),
    /// On this day.
    On(NaiveDate),
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A person's reports of a quarter are due.
    Reports {
        /// The quarter.
        quarter: Quarter,
        /// Title of the plan.
        plan: String,
        /// What is to be reported on, in the order of the table.
        items: Vec<Item>,
    },
    /// A milestone with a date of its own.
    Milestone {
        /// Number in the table.
        task: TaskNo,
        /// The goal's first clause.
        name: String,
        /// The unit that answers.
        unit: String,
        /// In the table's words.
        content: String,
    },
    /// All reports of a quarter are due, for the office.
    Quarter {
        /// The quarter.
        quarter: Quarter,
        /// Title of the plan.
        plan: String,
        /// 应报.
        obligations: usize,
        /// 已报.
        reported: usize,
    },
}

/// One item to report on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Number in the table.
    pub task: TaskNo,
    /// The goal's first clause.
    pub name: String,
    /// The unit that answers.
    pub unit: String,
    /// Whether a report is still awaited.
    pub open: bool,
    /// The later day that was granted, and its instant.
    pub put_off: Option<(NaiveDate, DateTime<Utc>)>,
}

/// Everything that stands in a person's calendar at `now`.
#[must_use]
pub fn of_person(
    book: &Book,
    calendar: &Calendar,
    person: &PersonId,
    now: DateTime<Utc>,
) -> Vec<Event> {
    let mut events = Vec::new();
    for (plan, quarter) in cases(book) {
        events.extend(reports(book, plan, quarter, person));
        let own = book.obligations_of(person, plan, quarter);
        events.extend(milestones(book, calendar, plan, own));
    }
    shown(events, calendar, now)
}

/// Everything that stands in the office's calendar at `now`.
#[must_use]
pub fn of_office(
    book: &Book,
    calendar: &Calendar,
    now: DateTime<Utc>,
    sight: &Sight,
) -> Vec<Event> {
    let mut events = Vec::new();
    for (plan, quarter) in cases(book) {
        events.extend(quarter_event(book, plan, quarter, sight));
        let seen = seen(book, plan, quarter, sight);
        events.extend(milestones(book, calendar, plan, seen));
    }
    shown(events, calendar, now)
}

/// A person's deadline for a quarter's reports; none where there is nothing to report.
#[must_use]
pub fn reports(book: &Book, plan: &PlanId, quarter: Quarter, person: &PersonId) -> Option<Event> {
    let known = book.plans.get(plan)?;
    let own: Vec<_> = book.obligations_of(person, plan, quarter).collect();
    let items: Vec<Item> = own
        .iter()
        .filter_map(|(key, obligation)| {
            let (task, group) = book.task_and_group(key)?;
            Some(Item {
                task: task.no,
                name: task.short_name(),
                unit: group.unit.clone(),
                open: obligation.is_open(),
                put_off: obligation
                    .granted()
                    .map(|granted| (granted.day, granted.until)),
            })
        })
        .collect();
    if items.is_empty() {
        return None;
    }
    let (sequence, changed_at) = changed(known, own.iter().map(|(_, obligation)| *obligation));
    Some(Event {
        uid: format!("{plan}-{quarter}-{person}"),
        sequence,
        changed_at,
        when: When::Until(until(&items, book.deadline(plan, quarter)?)),
        settled: !items.iter().any(|item| item.open),
        what: What::Reports {
            quarter,
            plan: known.heading.title.clone(),
            items,
        },
    })
}

/// The first date of what is open: one entry moves on as what is due first is reported.
fn until(items: &[Item], deadline: DateTime<Utc>) -> DateTime<Utc> {
    let open = items.iter().filter(|item| item.open);
    let dates = open.map(|item| item.put_off.map_or(deadline, |(_, until)| until));
    dates.min().unwrap_or(deadline)
}

/// The obligations of a quarter that somebody may see.
fn seen<'a>(
    book: &'a Book,
    plan: &'a PlanId,
    quarter: Quarter,
    sight: &'a Sight,
) -> impl Iterator<Item = (&'a ObligationKey, &'a Obligation)> {
    let all = book.obligations_in(plan, quarter);
    all.filter(move |(key, _)| match sight {
        Sight::Everything => true,
        Sight::Leader(_) => book
            .task_and_group(key)
            .is_some_and(|(task, _)| sight.sees(task)),
    })
}

fn quarter_event(book: &Book, plan: &PlanId, quarter: Quarter, sight: &Sight) -> Option<Event> {
    let known = book.plans.get(plan)?;
    let all = || {
        let all = seen(book, plan, quarter, sight).map(|(_, one)| one);
        all.filter(|one| !one.is_withdrawn())
    };
    if *sight != Sight::Everything && all().next().is_none() {
        return None;
    }
    let (sequence, changed_at) = changed(known, all());
    let (obligations, open) = (all().count(), all().filter(|one| one.is_open()).count());
    Some(Event {
        uid: format!("{plan}-{quarter}"),
        sequence,
        changed_at,
        when: When::Until(book.deadline(plan, quarter)?),
        settled: open == 0,
        what: What::Quarter {
            quarter,
            plan: known.heading.title.clone(),
            obligations,
            reported: obligations - open,
        },
    })
}

/// Milestones that are due on a day of their own, not at a quarter's end.
fn milestones<'a>(
    book: &'a Book,
    calendar: &'a Calendar,
    plan: &'a PlanId,
    obligations: impl Iterator<Item = (&'a ObligationKey, &'a Obligation)> + 'a,
) -> impl Iterator<Item = Event> + 'a {
    obligations.flat_map(move |(key, obligation)| {
        let found = book.plans.get(plan).zip(book.task_and_group(key));
        let events = found.map(|(known, (task, group))| {
            let dated = dated(task, group, key.quarter);
            let (sequence, changed_at) = changed(known, std::iter::once(obligation));
            let on = |milestone: &Milestone| {
                if let Some(granted) = obligation.granted() {
                    return granted.day;
                }
                let at = known.deadlines.get(&milestone.due);
                at.map_or(milestone.due, |at| calendar.date_of(*at))
            };
            let event = |milestone: &Milestone| Event {
                uid: format!("{plan}-{}-{}-{}", task.no, key.group, name_of(milestone)),
                sequence,
                changed_at,
                when: When::On(on(milestone)),
                settled: !obligation.is_open(),
                what: What::Milestone {
                    task: task.no,
                    name: task.short_name(),
                    unit: group.unit.clone(),
                    content: milestone.content.clone(),
                },
            };
            dated.map(event).collect::<Vec<_>>()
        });
        events.unwrap_or_default()
    })
}

fn dated<'a>(
    task: &'a Task,
    group: &'a Group,
    quarter: Quarter,
) -> impl Iterator<Item = &'a Milestone> {
    task.milestones_in(group, quarter)
        .filter(|milestone| milestone.kind == MilestoneKind::Due)
        .filter(move |milestone| milestone.ends_in(quarter) && milestone.due != quarter.last_day())
}

/// From its words alone: a milestone that is put off keeps its entry.
fn name_of(milestone: &Milestone) -> String {
    let mut hash = Sha256::new();
    hash.update(milestone.section.as_deref().unwrap_or_default());
    hash.update([0]);
    hash.update(&milestone.content);
    let digest = hash.finalize();
    hex(digest.iter().take(6))
}

/// The last change of a plan or of any of these. What comes into or goes out of a set of
/// obligations does so by a change of the plan, so that the number never falls.
fn changed<'a>(
    plan: &PlanBook,
    obligations: impl Iterator<Item = &'a Obligation>,
) -> (Position, DateTime<Utc>) {
    let touched = obligations.filter_map(|obligation| obligation.touched);
    touched.fold(plan.changed, |last, one| last.max(one))
}

fn cases(book: &Book) -> impl Iterator<Item = (&PlanId, Quarter)> {
    book.plans.keys().flat_map(|plan| {
        let quarters = book.quarters_of(plan).into_iter();
        quarters.map(move |quarter| (plan, quarter))
    })
}

/// What is neither long past nor far ahead, in order.
fn shown(mut events: Vec<Event>, calendar: &Calendar, now: DateTime<Utc>) -> Vec<Event> {
    let today = calendar.date_of(now);
    let day = |event: &Event| match event.when {
        When::Until(at) => calendar.date_of(at),
        When::On(day) => day,
    };
    events.retain(|event| {
        let day = day(event);
        day + Days::new(BEHIND) >= today && day <= today + Days::new(AHEAD)
    });
    events.sort_by(|a, b| (day(a), &a.uid).cmp(&(day(b), &b.uid)));
    events.dedup_by(|a, b| a.uid == b.uid);
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fact::Fact;
    use crate::domain::fixture::*;
    use crate::domain::report::{ReportStatus, Review};

    fn book() -> Book {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        book
    }

    fn events(book: &Book, who: (&str, &str)) -> Vec<Event> {
        of_person(book, &calendar(), &id(who), at("2022-03-21T09:00"))
    }

    fn first(book: &Book) -> Event {
        events(book, ZHONG).remove(0)
    }

    #[test]
    fn a_number_rises_with_each_change_and_the_name_stays() {
        let mut book = book();
        let begun = first(&book);
        assert_eq!(begun.uid, format!("dongguan-2022-2022Q1-{}", id(ZHONG)));
        assert_eq!(begun.when, When::Until(at("2022-03-31T18:00")));
        assert!(!begun.settled);
        apply(
            &mut book,
            "2022-03-22T10:00",
            vec![report(
                ZHONG,
                key(32, 0),
                ReportStatus::Completed,
                "已完成。",
            )],
        );
        let reported = first(&book);
        assert_eq!(reported.uid, begun.uid);
        assert!(reported.sequence > begun.sequence);
        assert_eq!(reported.changed_at, at("2022-03-22T10:00"));
        let review = Review::Returned {
            reason: "请补充".into(),
        };
        let returned = Fact::ReviewGiven {
            obligation: key(32, 0),
            review,
        };
        apply(&mut book, "2022-03-23T10:00", vec![returned]);
        let again = first(&book);
        assert!(again.sequence > reported.sequence);
        // A word to somebody else changes nothing here.
        apply(
            &mut book,
            "2022-03-24T10:00",
            vec![report(
                ZHANG,
                key(2, 0),
                ReportStatus::Completed,
                "已完成。",
            )],
        );
        assert_eq!(first(&book), again);
    }

    #[test]
    fn what_is_reported_is_settled_and_what_is_long_past_is_gone() {
        let mut book = book();
        let own: Vec<_> = book
            .obligations_of(&id(ZHONG), &plan(), quarter("2022Q1"))
            .map(|(key, _)| key.clone())
            .collect();
        for key in own {
            apply(
                &mut book,
                "2022-03-22T10:00",
                vec![report(ZHONG, key, ReportStatus::Completed, "已完成。")],
            );
        }
        assert!(first(&book).settled);
        let later = of_person(&book, &calendar(), &id(ZHONG), at("2022-07-15T09:00"));
        assert!(later.iter().all(|event| !event.uid.contains("2022Q1-")));
        let nobody = PersonId::of("市科技局", "无此人");
        assert_eq!(
            of_person(&book, &calendar(), &nobody, at("2022-03-21T09:00")),
            []
        );
        let office = of_office(
            &book,
            &calendar(),
            at("2022-03-21T09:00"),
            &Sight::Everything,
        );
        assert!(
            office
                .iter()
                .any(|event| event.uid == "dongguan-2022-2022Q1")
        );
    }
}
