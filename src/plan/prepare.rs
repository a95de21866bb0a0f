//! What an import is going to do, before it does it: the same for the command and the page.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::import::{self, Difference, TableFile};
use super::{Reading, errors};
use crate::domain::book::Book;
use crate::domain::due;
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::ids::{PersonId, TaskNo};
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
}

/// Prepares the import of what was read.
#[must_use]
pub fn prepare(book: &Book, reading: &Reading, from: &From<'_>, rules: &RuleSet) -> Prepared {
    let (plan, left_out) = accepted(reading.plan.clone(), &reading.findings, from.accept);
    let plan = import::keep_ids(book, plan);
    let accepted = match from.accept {
        true => errors(&reading.findings).count(),
        false => 0,
    };
    let file = TableFile {
        name: from.name.to_owned(),
        sha256: from.sha256.to_owned(),
        accepted: u32::try_from(accepted).unwrap_or(u32::MAX),
    };
    Prepared {
        difference: import::diff(book, &plan),
        facts: import::facts(book, &plan, &file, &rules.policy, &rules.calendar),
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

/// SHA-256 in hex.
#[must_use]
pub fn hex_sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
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
