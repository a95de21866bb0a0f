//! The owner's page in JSON, under the same link.

use std::borrow::Cow;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::accept::{Fault, Receipt, Refusal, Submission, accept};
use super::items::{Item, Sheet, sheet};
use super::{Draft, Room};
use crate::domain::calendar::Calendar;
use crate::domain::fact::Actor;
use crate::domain::link::Link;
use crate::domain::report::{Report, Via};
use crate::domain::target::{Target, actual::Actual};
use crate::store::CommitError;
use crate::web::format::rfc3339;
use crate::web::{ApiError, Peer, WebError};

/// `GET /api/v1/reply/{token}`.
pub(super) async fn show(
    State(room): State<Room>,
    Path(token): Path<String>,
    peer: Peer,
) -> Result<Response, ApiError> {
    let link = room.open(&token, peer)?;
    let calendar = room.desk.calendar();
    let now = room.desk.clock.now();
    let sheet = sheet(&room.desk.ledger.book(), &link, (now, false), |at| {
        calendar.date_of(at)
    });
    let sheet = sheet.ok_or(WebError::UnknownLink)?;
    Ok(Json(wire_sheet(&link, &sheet, &calendar)).into_response())
}

/// `POST /api/v1/reply/{token}`.
pub(super) async fn submit(
    State(room): State<Room>,
    Path(token): Path<String>,
    peer: Peer,
    body: Result<Json<Body>, JsonRejection>,
) -> Result<Response, ApiError> {
    let link = room.open(&token, peer)?;
    room.admit(&link)?;
    let body = match body {
        Ok(Json(body)) => body,
        Err(rejection) => return Ok(unreadable(&rejection)),
    };
    if body.reports.is_empty() {
        let message = "没有收到任何一项的报送内容";
        return Ok(faults(&[
            json!({ "task": null, "field": "reports", "message": message }),
        ]));
    }
    let submission = Submission {
        plan: link.plan.clone(),
        quarter: link.quarter,
        person: link.person.clone(),
        via: Via::Api,
        by: Actor::Owner(link.person.clone()),
        drafts: body.reports.into_iter().map(Draft::from).collect(),
    };
    match accept(&room.desk, submission).await {
        Ok(receipt) => Ok(Json(wire_receipt(&receipt, &room.desk.calendar())).into_response()),
        Err(CommitError::Refused(Refusal::Faults(found))) => {
            let found: Vec<_> = found.iter().map(wire_fault).collect();
            Ok(faults(&found))
        }
        Err(CommitError::Refused(refusal @ Refusal::Accepted(_))) => {
            Err(WebError::Conflict(refusal.to_string()).into())
        }
        Err(CommitError::Unavailable) => Err(WebError::Unavailable.into()),
    }
}

#[derive(Deserialize)]
pub(super) struct Body {
    reports: Vec<WireDraft>,
}

/// Left out, `null` and empty say the same.
#[derive(Deserialize)]
struct WireDraft {
    task: u32,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    progress: Option<String>,
    #[serde(default)]
    problems: Option<String>,
    #[serde(default)]
    next_steps: Option<String>,
    #[serde(default)]
    percent: Option<Value>,
    #[serde(default)]
    actuals: Option<Vec<WireActual>>,
}

/// What was reached against the target of this place in the item's `targets`.
#[derive(Deserialize)]
struct WireActual {
    target: usize,
    #[serde(default)]
    value: Option<Value>,
}

impl From<WireDraft> for Draft {
    fn from(wire: WireDraft) -> Self {
        let text = |value| match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
        };
        let actuals = wire.actuals.unwrap_or_default().into_iter();
        let actuals = actuals.map(|actual| (actual.target, text(actual.value)));
        Self {
            task: wire.task,
            group: None,
            status: wire.status.unwrap_or_default(),
            progress: wire.progress.unwrap_or_default(),
            problems: wire.problems.unwrap_or_default(),
            next_steps: wire.next_steps.unwrap_or_default(),
            actuals: actuals.collect(),
            percent: text(wire.percent),
        }
    }
}

#[derive(Serialize)]
struct WireReport<'a> {
    status: &'static str,
    progress: &'a str,
    problems: &'a str,
    next_steps: &'a str,
    percent: Option<u8>,
    actuals: Vec<WireReached<'a>>,
}

/// A figure against its target.
#[derive(Serialize)]
struct WireReached<'a> {
    what: &'a str,
    target: String,
    actual: &'a str,
    /// `实际 1.8万人次／目标 2万人次，90%`.
    text: String,
}

impl<'a> From<&'a Actual> for WireReached<'a> {
    fn from(actual: &'a Actual) -> Self {
        Self {
            what: &actual.target.what,
            target: actual.target.asked(),
            actual: &actual.text,
            text: actual.told(),
        }
    }
}

impl<'a> From<&'a Report> for WireReport<'a> {
    fn from(report: &'a Report) -> Self {
        Self {
            status: report.status.as_str(),
            progress: &report.progress,
            problems: &report.problems,
            next_steps: &report.next_steps,
            percent: report.percent,
            actuals: report.actuals.iter().map(WireReached::from).collect(),
        }
    }
}

fn wire_sheet(link: &Link, sheet: &Sheet, calendar: &Calendar) -> Value {
    let person = &sheet.person;
    let items: Vec<_> = sheet
        .open
        .iter()
        .chain(&sheet.reported)
        .map(|item| wire_item(item, calendar))
        .collect();
    json!({
        "person": { "id": person.id.as_str(), "name": person.name, "unit": person.unit },
        "plan": link.plan.as_str(),
        "quarter": link.quarter.to_string(),
        "deadline": sheet.deadline.map(|at| rfc3339(calendar, at)),
        "items": items,
    })
}

fn wire_item(item: &Item, calendar: &Calendar) -> Value {
    let milestones: Vec<Cow<'_, str>> = item
        .milestones
        .iter()
        .map(|node| match &node.section {
            Some(section) => Cow::Owned(format!("{section}：{}", node.content)),
            None => Cow::Borrowed(node.content.as_str()),
        })
        .collect();
    let latest = item.latest.as_ref();
    json!({
        "task": item.key.task,
        "unit": item.unit,
        "goal": item.goal,
        "milestones": milestones,
        "targets": wire_targets(&item.targets),
        "due": item.due,
        "state": item.state.as_str(),
        "returned_for": item.returned,
        "report": latest.map(|received| WireReport::from(&received.report)),
        "reported_at": latest.map(|received| rfc3339(calendar, received.at)),
        "draft": null,
        "last_quarter": item.last_quarter.as_ref().map(WireReport::from),
    })
}

/// The place in this list is what an answer's `actuals` name.
fn wire_targets(targets: &[Target]) -> Vec<Value> {
    let targets = targets.iter().enumerate();
    targets
        .map(|(place, target)| {
            json!({
                "target": place,
                "what": target.what,
                "quantity": target.quantity.to_string(),
                "text": target.text,
                "unit": target.unit,
                "bound": target.bound.as_str(),
                "cumulative": target.cumulative,
            })
        })
        .collect()
}

fn wire_receipt(receipt: &Receipt, calendar: &Calendar) -> Value {
    let reports: Vec<_> = receipt
        .reports
        .iter()
        .map(|received| {
            json!({
                "task": received.report.obligation.task,
                "received_at": rfc3339(calendar, received.at),
                "status": received.report.status.as_str(),
                "actuals": received.report.actuals.iter().map(WireReached::from).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "receipt": receipt.number,
        "received_at": rfc3339(calendar, receipt.received_at),
        "reports": reports,
    })
}

fn wire_fault(fault: &Fault) -> Value {
    json!({ "task": fault.task, "field": fault.field, "message": fault.message })
}

fn faults(found: &[Value]) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(found)).into_response()
}

/// Not JSON, or not of this shape. The reader's own words name line and column.
fn unreadable(rejection: &JsonRejection) -> Response {
    let status = rejection.status();
    let text = rejection.body_text();
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        let error = json!({ "code": "too_large", "message": "提交的内容过大" });
        return (status, Json(json!({ "error": error }))).into_response();
    }
    let message = format!("提交的内容无法识别：{text}");
    faults(&[json!({ "task": null, "field": "body", "message": message })])
}
