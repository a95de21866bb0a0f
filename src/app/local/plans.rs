//! Plans: import, list, show.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{Fault, Operator};
use crate::app::answers::{ImportAnswer, PlanLine};
use crate::domain::book::Book;
use crate::domain::hex;
use crate::domain::ids::PlanId;
use crate::domain::plan::{Finding, Plan, Severity};
use crate::plan::prepare::{self, Prepared};
use crate::plan::told::Told;
use crate::plan::{self, Reading, Source, export};
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
    /// Says what would be stored, and stores nothing.
    #[serde(default)]
    dry_run: bool,
    /// What headings mean: entries `列名=字段`, one a line.
    map: Option<String>,
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
        columns: told_columns(query.map.as_deref())?,
        ..operator
            .lore
            .knowing(&operator.desk)
            .source()
            .map_err(Fault::failed)?
    };
    let sha256 = hex::sha256(&body);
    let ledger = operator.desk.ledger.clone();
    let vault = (!query.dry_run).then(|| operator.desk.vault.clone());
    let read = move || {
        let said = |id: &PlanId| prepare::said_of_columns(&ledger.book(), id);
        let read = prepare::read_as_before(said, &body, &source, &[]);
        let read = read.map_err(|error| Fault::failed(error.to_string()))?;
        // Before any fact speaks of it.
        let kept = vault.map_or(Ok(()), |vault| export::keep(&vault, &body));
        kept.map_err(|_| Fault::failed("无法保存分解表原文件：请检查数据文件夹的磁盘空间和权限"))?;
        Ok::<_, Fault>(read)
    };
    let (reading, columns) = tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| Fault::failed("读取分解表时出错"))??;
    let rules = operator.rules.now();
    let now = operator.desk.clock.now();
    let dry_run = query.dry_run;
    let decide = move |book: &Book| {
        let from = prepare::From {
            name: &query.name,
            sha256: &sha256,
            accept: query.accept,
            columns: &columns,
        };
        let prepared = prepare::prepare(book, &reading, &from, &rules);
        let mut value = answer(&prepared, !dry_run);
        describe_findings(&mut value.text, &reading.findings, query.accept);
        for line in prepare::outlook(book, &prepared.facts, &rules, now) {
            let _ = write!(value.text, "\n{line}");
        }
        let facts = prepared.facts;
        Ok::<_, Fault>(Decision { facts, value })
    };
    if dry_run {
        let decision = decide(&operator.desk.ledger.book())?;
        return Ok(Json(decision.value));
    }
    Ok(Json(operator.commit(now, decide).await?))
}

fn answer(prepared: &Prepared, stored: bool) -> ImportAnswer {
    let table = &prepared.difference.table;
    let told = Told {
        plan: &prepared.plan,
        difference: &prepared.difference,
    };
    ImportAnswer {
        plan: prepared.plan.id.to_string(),
        tasks: prepared.plan.tasks.len(),
        new: table.added.len(),
        changed: table.changed.len(),
        removed: table.removed.len(),
        left_out: prepared.left_out.clone(),
        facts: if stored { prepared.facts.len() } else { 0 },
        text: told.to_string().trim_end().to_owned(),
    }
}

fn told_columns(map: Option<&str>) -> Result<plan::Mapping, Fault> {
    let entries: Vec<&str> = map.unwrap_or_default().lines().collect();
    plan::Mapping::parse(&entries).map_err(|error| Fault::failed(error.to_string()))
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
