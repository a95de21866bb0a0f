//! What an import is going to do, before it does it: the same for the command and the page.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::correct::Correction;
use super::import::{self, Difference, TableFile};
use super::{Mapping, Reading, Source, TableError, errors, likely_id, read_corrected};
use crate::domain::book::Book;
use crate::domain::due;
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::ids::{PersonId, PlanId, TaskNo};
use crate::domain::message::Occasion;
use crate::domain::plan::{Finding, Plan};
use crate::rules::RuleSet;

/// An import that only has to be appended.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What would be stored.
    pub plan: Plan,
    /// How it differs from what is stored.
    pub difference: Difference,
    /// Rows with errors that were not accepted: they stay out.
    pub left_out: Vec<TaskNo>,
    /// The facts; none where nothing differs.
    pub facts: Vec<Fact>,
}

/// Where a table comes from.
#[derive(Debug, Clone)]
pub struct From<'a> {
    /// The file's name, without folders.
    pub name: &'a str,
    /// SHA-256 of the file, in hex.
    pub sha256: &'a str,
    /// Whether rows with errors are taken as they were repaired.
    pub accept: bool,
    /// What was said about its headings, now and before.
    pub columns: &'a [String],
}

/// What was said about the headings of a plan at earlier imports.
#[must_use]
pub fn said_of_columns(book: &Book, plan: &PlanId) -> Vec<String> {
    let stored = book.plans.get(plan);
    stored
        .map(|stored| stored.columns.clone())
        .unwrap_or_default()
}

/// Reads a table with what was said about its headings at earlier imports and now; gives all that
/// too.
///
/// # Errors
/// As [`super::read`].
pub fn read_as_before(
    said: impl Fn(&PlanId) -> Vec<String>,
    bytes: &[u8],
    source: &Source,
    corrections: &[Correction],
) -> Result<(Reading, Vec<String>), TableError> {
    let before = |id: &PlanId| Mapping::parse(&said(id)).unwrap_or_default();
    let read = |columns: &Mapping| {
        let source = Source {
            columns: columns.clone(),
            ..source.clone()
        };
        read_corrected(bytes, &source, corrections)
    };
    let likely = likely_id(source);
    let known = likely.as_ref().map(before).unwrap_or_default();
    let columns = known.with(source.columns.clone());
    let reading = read(&columns)?;
    if likely.as_ref() == Some(&reading.plan.id) {
        return Ok((reading, columns.entries()));
    }
    // The title told which plan it is: what was said of that one's headings counts.
    let columns = before(&reading.plan.id).with(source.columns.clone());
    Ok((read(&columns)?, columns.entries()))
}

/// Prepares the import of what was read.
#[must_use]
pub fn prepare(book: &Book, reading: &Reading, from: &From<'_>, rules: &RuleSet) -> Prepared {
    let (plan, left_out) = accepted(reading.plan.clone(), &reading.findings, from.accept);
    let mut plan = import::keep_ids(book, plan);
    keep_stored(book, &mut plan, &left_out);
    let accepted = match from.accept {
        true => errors(&reading.findings).count(),
        false => 0,
    };
    let file = TableFile {
        name: from.name.to_owned(),
        sha256: from.sha256.to_owned(),
        accepted: u32::try_from(accepted).unwrap_or(u32::MAX),
        units: reading.units.clone(),
    };
    let mut facts = import::facts(book, &plan, &file, &rules.policy, &rules.calendar);
    if said_of_columns(book, &plan.id) != from.columns {
        // The plan may be new: the fact that makes it comes first.
        facts.push(Fact::ColumnsMapped {
            plan: plan.id.clone(),
            columns: from.columns.to_vec(),
        });
    }
    Prepared {
        difference: import::diff(book, &plan),
        facts,
        plan,
        left_out,
    }
}

/// What follows from the facts: what is no longer sent and why, who is told at once, and when the
/// next message leaves. One line each.
#[must_use]
pub fn outlook(book: &Book, facts: &[Fact], rules: &RuleSet, now: DateTime<Utc>) -> Vec<String> {
    let Some(ahead) = folded(book, facts, now) else {
        return Vec::new();
    };
    let world = rules.world(&ahead);
    // What only waits for the morning is told as well.
    let pass = due::pass(&world, rules.next_open(now));
    let mut lines = due::explain_skipped(&pass);
    let told: Vec<String> = pass
        .iter()
        .filter_map(|fact| queued(&ahead, fact))
        .collect();
    if !told.is_empty() {
        lines.push(format!("随即发出{}条消息：{}", told.len(), few(&told)));
    }
    match due::next_after(&world, now) {
        Some(next) => {
            let local = next.with_timezone(&rules.calendar.zone());
            let mut line = String::new();
            let _ = write!(line, "下一次发送：{}", local.format("%Y年%-m月%-d日 %H:%M"));
            lines.push(line);
        }
        None if told.is_empty() => lines.push("各季度均已过期，不会发送任何消息".into()),
        None => {}
    }
    lines
}

/// The plan without the rows that have errors, unless they were accepted; and their numbers.
fn accepted(mut plan: Plan, findings: &[Finding], accept: bool) -> (Plan, Vec<TaskNo>) {
    if accept {
        return (plan, Vec::new());
    }
    let bad: BTreeSet<TaskNo> = errors(findings)
        .filter_map(|finding| finding.task)
        .collect();
    plan.tasks.retain(|task| !bad.contains(&task.no));
    let groups = plan.tasks.iter().flat_map(|task| &task.groups);
    let named: BTreeSet<&PersonId> = groups
        .flat_map(|group| {
            group
                .owners
                .iter()
                .chain(&group.responsible)
                .chain(&group.leaders)
        })
        .map(|person| &person.id)
        .collect();
    plan.people.retain(|person| named.contains(&person.id));
    (plan, bad.into_iter().collect())
}

/// What cannot be taken now is no reason to take away what is stored.
fn keep_stored(book: &Book, plan: &mut Plan, left_out: &[TaskNo]) {
    let Some(stored) = book.plans.get(&plan.id) else {
        return;
    };
    let kept = left_out.iter().filter_map(|no| stored.in_table(*no));
    for task in kept {
        let after = plan.tasks.iter().position(|known| known.no > task.no);
        let place = after.unwrap_or(plan.tasks.len());
        for group in &task.groups {
            let named = group.owners.iter().chain(&group.responsible);
            for person in named.chain(&group.leaders) {
                let Some(known) = book.people.get(&person.id) else {
                    continue;
                };
                // What they are in the row that stays they still are.
                match plan.people.iter_mut().find(|one| one.id == person.id) {
                    None => plan.people.push(known.clone()),
                    Some(listed) => {
                        listed.roles.owner |= known.roles.owner;
                        listed.roles.responsible |= known.roles.responsible;
                        listed.roles.leader |= known.roles.leader;
                    }
                }
            }
        }
        plan.tasks.insert(place, task.clone());
    }
}

fn folded(book: &Book, facts: &[Fact], now: DateTime<Utc>) -> Option<Book> {
    let mut ahead = book.clone();
    for fact in facts {
        let entry = Entry {
            position: ahead.position + 1,
            at: now,
            by: Actor::Operator,
            fact: fact.clone(),
        };
        ahead.apply(&entry).ok()?;
    }
    Some(ahead)
}

/// `王志平（任务交接）`.
fn queued(book: &Book, fact: &Fact) -> Option<String> {
    let Fact::MessageQueued { message } = fact else {
        return None;
    };
    let person = book.people.get(&message.key.person)?;
    let what = match message.key.occasion {
        Occasion::Stage(stage) => stage.chinese(),
        occasion => occasion.chinese(),
    };
    Some(format!("{}（{what}）", person.name))
}

fn few(names: &[String]) -> String {
    const MOST: usize = 12;
    let shown: Vec<&str> = names.iter().take(MOST).map(String::as_str).collect();
    let more = if names.len() > MOST { "等" } else { "" };
    format!("{}{more}", shown.join("、"))
}
