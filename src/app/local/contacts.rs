//! The contact sheet: template, import, readiness.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{Fault, Operator};
use crate::app::answers::{
    ContactsAnswer, DoubtfulPerson, ReadinessAnswer, TestAnswer, UnreachablePerson,
};
use crate::domain::book::{Book, PlanBook};
use crate::domain::due::{self, TestTo};
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::people::Person;
use crate::domain::plan::Severity;
use crate::plan::contacts;
use crate::store::Decision;

#[derive(Debug, Deserialize)]
pub(super) struct TemplateQuery {
    format: Option<String>,
}

/// The sheet with every person of the latest plan, and what is known of them.
pub(super) async fn template(
    State(operator): State<Arc<Operator>>,
    Query(query): Query<TemplateQuery>,
) -> Result<Response, Fault> {
    let book = operator.desk.ledger.book();
    let (_, plan) = latest(&book)?;
    if query.format.as_deref() == Some("xlsx") {
        let bytes = contacts::template_xlsx(&book, plan)
            .map_err(|error| Fault::failed(error.to_string()))?;
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        return Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response());
    }
    let bytes = contacts::template_csv(&book, plan);
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], bytes).into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct ImportQuery {
    name: String,
}

/// Takes every row that is right, and names those that are not.
pub(super) async fn import(
    State(operator): State<Arc<Operator>>,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> Result<Json<ContactsAnswer>, Fault> {
    let rows = tokio::task::spawn_blocking(move || contacts::rows(&body))
        .await
        .map_err(|_| Fault::failed("读取通讯录时出错"))?
        .map_err(|error| Fault::failed(format!("文件“{}”：{error}", query.name)))?;
    let now = operator.desk.clock.now();
    let answer = operator
        .commit(now, move |book| {
            latest(book)?;
            let people: Vec<&Person> = book.people.values().collect();
            let sheet = contacts::read_sheet(&rows, &people);
            let facts = contacts::changes(book, &sheet.contacts);
            let value = answer(&sheet, facts.len());
            Ok(Decision { facts, value })
        })
        .await?;
    Ok(Json(answer))
}

fn answer(sheet: &contacts::Sheet, stored: usize) -> ContactsAnswer {
    let unchanged = sheet.contacts.len() - stored;
    let mut text = format!("通讯录：{stored}人已更新，{unchanged}人没有变化");
    for fault in &sheet.faults {
        let _ = write!(text, "\n{fault}");
    }
    let errors = |fault: &&contacts::SheetFault| fault.severity == Severity::Error;
    ContactsAnswer {
        stored,
        unchanged,
        faults: sheet.faults.iter().filter(errors).count(),
        text,
    }
}

/// Who of the latest plan cannot be reached.
pub(super) async fn check(
    State(operator): State<Arc<Operator>>,
) -> Result<Json<ReadinessAnswer>, Fault> {
    let rules = operator.rules.now();
    let book = operator.desk.ledger.book();
    let (id, _) = latest(&book)?;
    let readiness = contacts::readiness(&rules.world(&book), id)
        .ok_or_else(|| Fault::failed("分解表已不存在"))?;
    let unreachable = readiness.unreachable.iter().map(|one| UnreachablePerson {
        id: one.person.id.to_string(),
        name: one.person.name.clone(),
        unit: one.person.unit.clone(),
        open: one.open.clone(),
    });
    let doubtful = readiness.doubtful.iter().map(|one| DoubtfulPerson {
        id: one.person.id.to_string(),
        name: one.person.name.clone(),
        unit: one.person.unit.clone(),
        addresses: one
            .addresses
            .iter()
            .map(|(kind, known)| (kind.to_string(), known.as_str().to_owned()))
            .collect(),
    });
    Ok(Json(ReadinessAnswer {
        people: readiness.people,
        unreachable: unreachable.collect(),
        doubtful: doubtful.collect(),
        text: readiness.to_string(),
    }))
}

#[derive(Debug, Deserialize)]
pub(super) struct TestBody {
    /// A name, `单位/姓名` or an id; nobody: all whose addresses are not known to work.
    person: Option<String>,
    /// Also those known to work.
    #[serde(default)]
    all: bool,
}

/// Sends test messages.
pub(super) async fn test(
    State(operator): State<Arc<Operator>>,
    Json(body): Json<TestBody>,
) -> Result<Json<TestAnswer>, Fault> {
    let rules = operator.rules.now();
    let now = operator.desk.clock.now();
    let answer = operator
        .commit(now, move |book| {
            let (plan, _) = latest(book)?;
            let to = match &body.person {
                Some(who) => TestTo::Person(book.find_person(who)?),
                None if body.all => TestTo::All,
                None => TestTo::Unproved,
            };
            let quarter = Quarter::of(rules.calendar.date_of(now));
            let facts = due::test(&rules.world(book), (plan, quarter), &to, now);
            let value = TestAnswer::of(facts.len());
            Ok(Decision { facts, value })
        })
        .await?;
    Ok(Json(answer))
}

/// The plan last imported.
fn latest(book: &Book) -> Result<(&PlanId, &PlanBook), Fault> {
    book.plans
        .iter()
        .max_by_key(|(_, plan)| plan.imported_at)
        .ok_or_else(|| Fault::failed("还没有导入分解表，请先执行 cuiban plan import 文件"))
}
