//! Plans: import, list, show.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Fault, Operator};
use crate::app::answers::{ImportAnswer, PlanLine};
use crate::config::units;
use crate::domain::book::Book;
use crate::domain::due;
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::ids::{PersonId, PlanId};
use crate::domain::plan::{Finding, Plan, Severity};
use crate::plan::{self, Reading, Source, import};
use crate::rules::RuleSet;
use crate::store::Decision;

/// Plans stored.
pub(super) async fn list(State(operator): State<Arc<Operator>>) -> Json<Vec<PlanLine>> {
    let zone = operator.rules.now().calendar.zone();
    let book = operator.desk.ledger.book();
    let lines = book.plans.iter().map(|(id, plan)| PlanLine {
        id: id.to_string(),
        title: plan.heading.title.clone(),
        year: plan.heading.year,
        tasks: plan.tasks.len(),
        imported_at: plan.imported_at.with_timezone(&zone).to_rfc3339(),
    });
    Json(lines.collect())
}

#[derive(Debug, Deserialize)]
pub(super) struct ShowQuery {
    format: Option<String>,
}

/// One plan, as `plan inspect` shows it, without findings.
pub(super) async fn show(
    State(operator): State<Arc<Operator>>,
    Path(id): Path<String>,
    Query(query): Query<ShowQuery>,
) -> Result<Response, Fault> {
    let id = PlanId::new(&id)?;
    let reading = {
        let book = operator.desk.ledger.book();
        let known = book.plans.get(&id).ok_or_else(|| {
            Fault::failed(format!(
                "没有编号为“{id}”的分解表；执行 cuiban plan list 可列出全部"
            ))
        })?;
        let people = known.people.iter().filter_map(|id| book.people.get(id));
        Reading {
            plan: Plan {
                id: id.clone(),
                heading: known.heading.clone(),
                tasks: known.tasks.values().cloned().collect(),
                people: people.cloned().collect(),
            },
            findings: Vec::new(),
            units: Vec::new(),
            times: BTreeMap::new(),
        }
    };
    if query.format.as_deref() == Some("json") {
        let json = serde_json::to_vec(&plan::wire::Inspection::from(&reading))
            .map_err(|error| Fault::failed(error.to_string()))?;
        return Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response());
    }
    Ok(plan::show::Inspected(&reading).to_string().into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct ImportQuery {
    name: String,
    id: Option<String>,
    year: Option<i32>,
    #[serde(default)]
    accept: bool,
}

/// Stores a table: its sound rows, and with `accept` those with errors as they were repaired.
pub(super) async fn import(
    State(operator): State<Arc<Operator>>,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> Result<Json<ImportAnswer>, Fault> {
    let source = Source {
        file_name: query.name.clone(),
        year: query.year,
        id: query.id.as_deref().map(PlanId::new).transpose()?,
        almanac: operator.almanac.clone(),
    };
    let sha256 = hex_sha256(&body);
    let files = operator.units.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let names = units::names(&files).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            faults.join("\n")
        })?;
        plan::read_with(&body, &source, &names).map_err(|error| error.to_string())
    })
    .await
    .map_err(|_| Fault::failed("读取分解表时出错"))?
    .map_err(Fault::failed)?;
    let (plan, left_out) = accepted(reading.plan, &reading.findings, query.accept);
    let accepted = plan::errors(&reading.findings).count();
    let accepted = if query.accept { accepted } else { 0 };
    let rules = operator.rules.now();
    let now = operator.desk.clock.now();
    let answer = operator
        .commit(now, move |book| {
            let plan = import::keep_ids(book, plan);
            let difference = import::diff(book, &plan);
            let facts = import::facts(
                book,
                &plan,
                &import::TableFile {
                    name: query.name,
                    sha256,
                    accepted: u32::try_from(accepted).unwrap_or(u32::MAX),
                    units: reading.units.clone(),
                },
                &rules.policy,
                &rules.calendar,
            );
            let told = import::Told {
                plan: &plan,
                difference: &difference,
            };
            let mut text = told.to_string().trim_end().to_owned();
            describe_findings(&mut text, &reading.findings, query.accept);
            describe_outlook(&mut text, book, &facts, &rules, now);
            let value = ImportAnswer {
                plan: plan.id.to_string(),
                tasks: plan.tasks.len(),
                new: difference.new.len(),
                changed: difference.changed.len(),
                removed: difference.removed.len(),
                left_out,
                text,
            };
            Ok(Decision { facts, value })
        })
        .await?;
    Ok(Json(answer))
}

/// The plan without the rows that have errors, unless they were accepted; and their numbers.
fn accepted(mut plan: Plan, findings: &[Finding], accept: bool) -> (Plan, Vec<u32>) {
    if accept {
        return (plan, Vec::new());
    }
    let bad: BTreeSet<u32> = plan::errors(findings)
        .filter_map(|finding| finding.task)
        .collect();
    plan.tasks.retain(|task| !bad.contains(&task.no));
    let named: BTreeSet<&PersonId> = plan
        .tasks
        .iter()
        .flat_map(|task| &task.groups)
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

fn describe_findings(text: &mut String, findings: &[Finding], accept: bool) {
    for finding in plan::errors(findings) {
        let task = finding
            .task
            .map_or_else(String::new, |no| format!("第{no}项"));
        let row = finding
            .row
            .map_or_else(String::new, |row| format!("（第{row}行）"));
        let end = match (&finding.repair, accept) {
            (Some(repair), true) => format!("；已按修复接受：{repair}"),
            (None, true) => "；已接受".to_owned(),
            (_, false) => "；没有入库".to_owned(),
        };
        let _ = write!(text, "\n错误 {task}{row}：{}{end}", finding.message);
    }
    let warnings = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .count();
    if warnings > 0 {
        let _ = write!(
            text,
            "\n另有{warnings}处提示，执行 cuiban plan inspect 可逐条查看"
        );
    }
}

/// What will not be sent of it any more, and why; and what leaves at once.
fn describe_outlook(
    text: &mut String,
    book: &Book,
    facts: &[Fact],
    rules: &RuleSet,
    now: DateTime<Utc>,
) {
    let mut ahead = book.clone();
    for fact in facts {
        let entry = Entry {
            position: ahead.position + 1,
            at: now,
            by: Actor::Operator,
            fact: fact.clone(),
        };
        if ahead.apply(&entry).is_err() {
            return;
        }
    }
    let world = rules.world(&ahead);
    let pass = due::pass(&world, now);
    for line in due::explain_skipped(&pass) {
        let _ = write!(text, "\n{line}");
    }
    let queued = pass
        .iter()
        .filter(|fact| matches!(fact, Fact::MessageQueued { .. }))
        .count();
    if queued > 0 {
        let _ = write!(text, "\n现在即有{queued}条消息待发出");
    }
    match due::next_after(&world, now) {
        Some(next) => {
            let local = next.with_timezone(&rules.calendar.zone());
            let _ = write!(
                text,
                "\n下一次发送：{}",
                local.format("%Y年%-m月%-d日 %H:%M")
            );
        }
        None if queued == 0 => text.push_str("\n各季度均已过期，不会发送任何消息"),
        None => {}
    }
}

fn hex_sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
