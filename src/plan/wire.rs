//! The JSON of `plan inspect --json` (interfaces.md): field names, order and shapes are fixed.

use chrono::NaiveDate;
use serde::Serialize;

use super::{Reading, parallel};
use crate::domain::ids::{Quarter, TaskNo};
use crate::domain::plan::{Finding, Group, Heading, Milestone, PersonRef, Task};
use crate::domain::schedule::Time;
use crate::domain::target::{self, Target};

/// The whole answer.
#[derive(Debug, Serialize)]
pub struct Inspection<'a> {
    plan: PlanJson<'a>,
    tasks: Vec<TaskJson<'a>>,
    findings: Vec<FindingJson<'a>>,
}

impl<'a> From<&'a Reading> for Inspection<'a> {
    fn from(reading: &'a Reading) -> Self {
        Self {
            plan: PlanJson::from(&reading.plan.heading),
            tasks: parallel::map(&reading.plan.tasks, |task| {
                let times = reading.times.get(&task.no).map_or(&[][..], Vec::as_slice);
                TaskJson::of(task, times, reading.plan.heading.year)
            }),
            findings: reading.findings.iter().map(FindingJson::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct PlanJson<'a> {
    title: &'a str,
    year: i32,
    issuer: Option<&'a str>,
    issued_on: Option<String>,
}

impl<'a> From<&'a Heading> for PlanJson<'a> {
    fn from(heading: &'a Heading) -> Self {
        Self {
            title: &heading.title,
            year: heading.year,
            issuer: heading.issuer.as_deref(),
            issued_on: heading.issued_on.map(|day| day.to_string()),
        }
    }
}

#[derive(Debug, Serialize)]
struct TaskJson<'a> {
    no: TaskNo,
    goal: &'a str,
    requirement: Option<&'a str>,
    leaders: &'a [String],
    lead_units: &'a [String],
    responsible: &'a [String],
    direct_owners: &'a [String],
    assisting_units: &'a [String],
    groups: Vec<GroupJson<'a>>,
    schedule: &'a str,
    milestones: Vec<MilestoneJson<'a>>,
}

impl<'a> TaskJson<'a> {
    fn of(task: &'a Task, times: &[Time], year: i32) -> Self {
        let milestones = task.milestones.iter().enumerate();
        Self {
            no: task.no,
            goal: &task.goal,
            requirement: task.requirement.as_deref(),
            leaders: &task.leaders,
            lead_units: &task.lead_units,
            responsible: &task.responsible,
            direct_owners: &task.direct_owners,
            assisting_units: &task.assisting_units,
            groups: task.groups.iter().map(GroupJson::from).collect(),
            schedule: &task.schedule,
            milestones: milestones
                .map(|(index, one)| MilestoneJson::of(one, times.get(index), year))
                .collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct GroupJson<'a> {
    unit: &'a str,
    responsible: Vec<&'a str>,
    owners: Vec<&'a str>,
}

impl<'a> From<&'a Group> for GroupJson<'a> {
    fn from(group: &'a Group) -> Self {
        fn names(people: &[PersonRef]) -> Vec<&str> {
            people.iter().map(|person| person.name.as_str()).collect()
        }
        Self {
            unit: &group.unit,
            responsible: names(&group.responsible),
            owners: names(&group.owners),
        }
    }
}

#[derive(Debug, Serialize)]
struct MilestoneJson<'a> {
    section: Option<&'a str>,
    kind: &'static str,
    first_quarter: u8,
    last_quarter: u8,
    due: String,
    content: &'a str,
    targets: Vec<TargetJson>,
    #[serde(flatten)]
    told: ToldTime,
}

/// What a milestone asks for in figures. `quantity` counts in `unit` and is exact, `text` is the
/// figure as it stands in the content; `bound` is `at_least` or `at_most`, `cumulative` tells
/// whether it counts from the year's beginning.
#[derive(Debug, Serialize)]
struct TargetJson {
    what: String,
    quantity: String,
    text: String,
    unit: String,
    bound: &'static str,
    cumulative: bool,
}

impl From<Target> for TargetJson {
    fn from(target: Target) -> Self {
        Self {
            what: target.what,
            quantity: target.quantity.to_string(),
            text: target.text,
            unit: target.unit,
            bound: target.bound.as_str(),
            cumulative: target.cumulative,
        }
    }
}

impl<'a> MilestoneJson<'a> {
    fn of(milestone: &'a Milestone, time: Option<&Time>, year: i32) -> Self {
        Self {
            section: milestone.section.as_deref(),
            kind: milestone.kind.as_str(),
            first_quarter: milestone.first_quarter.number(),
            last_quarter: milestone.last_quarter.number(),
            due: milestone.due.to_string(),
            content: &milestone.content,
            targets: target::read(&milestone.content)
                .into_iter()
                .map(TargetJson::from)
                .collect(),
            told: time.map_or_else(ToldTime::default, |time| ToldTime::of(time, year)),
        }
    }
}

/// What the words tell of the time beyond its last day; only what they do tell is there.
#[derive(Debug, Default, Serialize)]
struct ToldTime {
    /// The quarters named: `Q1`, of another year `2024Q1`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    periods: Vec<String>,
    /// The first day of a stated window.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    /// The step of what recurs.
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<&'static str>,
    /// The day in the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// The days of what recurs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    occurrences: Vec<String>,
    /// Other days the words can mean.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accept: Vec<String>,
}

impl ToldTime {
    fn of(time: &Time, year: i32) -> Self {
        fn texts(days: &[NaiveDate]) -> Vec<String> {
            days.iter().map(ToString::to_string).collect()
        }
        match time {
            Time::Quarters { first, last } => Self {
                periods: std::iter::successors(Some(*first), |one| Some(one.next()))
                    .take_while(|one| one <= last)
                    .map(|one| quarter_name(one, year))
                    .collect(),
                ..Self::default()
            },
            Time::Day(day) => Self {
                start: day.start.map(|start| start.to_string()),
                accept: texts(&day.others),
                ..Self::default()
            },
            Time::Recurring(repeat) => Self {
                every: Some(repeat.every.as_str()),
                at: repeat.at.map(|at| at.to_string()),
                occurrences: texts(&repeat.dates),
                ..Self::default()
            },
            Time::AllYear(_) | Time::Unknown => Self::default(),
        }
    }
}

fn quarter_name(quarter: Quarter, year: i32) -> String {
    if quarter.year() == year {
        format!("Q{}", quarter.number())
    } else {
        quarter.to_string()
    }
}

/// A finding as it is printed and sent.
#[derive(Debug, Serialize)]
pub struct FindingJson<'a> {
    severity: &'static str,
    code: &'static str,
    task: Option<TaskNo>,
    row: Option<u32>,
    column: Option<&'a str>,
    message: &'a str,
    repair: Option<&'a str>,
}

impl<'a> From<&'a Finding> for FindingJson<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            severity: finding.severity.as_str(),
            code: finding.code.as_str(),
            task: finding.task,
            row: finding.row,
            column: finding.column.as_deref(),
            message: &finding.message,
            repair: finding.repair.as_deref(),
        }
    }
}
