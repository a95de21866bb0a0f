//! The owner's page and its form.
//!
//! Fields are named `status-16-0`: field, task, group; `actual.2-16-0` is the figure reached against
//! the item's third target. `seen-16-0` marks what the form was filled
//! in with; what comes back unchanged is no answer, so that an old page does not undo what a
//! colleague has said since.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::accept::{Fault, Refusal, Submission, accept, receipt as make_receipt};
use super::items::{fingerprint, sheet};
use super::pages::{self, Notice, Typed};
use super::{Draft, Room};
use crate::domain::fact::Actor;
use crate::domain::ids::{ObligationKey, TaskNo};
use crate::domain::link::{Link, bare};
use crate::domain::report::rules::ReportRules;
use crate::domain::report::{Received, ReportStatus, Via, read};
use crate::store::CommitError;
use crate::web::{Peer, WebError};

#[derive(Deserialize)]
pub(super) struct Preset {
    #[serde(default)]
    status: String,
}

/// `GET /r/{token}`; with `?status=completed`, as the buttons of a card have it, that status is
/// chosen already wherever nothing has been said.
pub(super) async fn show(
    State(room): State<Room>,
    Path(token): Path<String>,
    Query(preset): Query<Preset>,
    peer: Peer,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    let typed = Typed::preset(ReportStatus::from_name(&preset.status));
    page(&room, bare(&token), &link, &typed, None)
}

/// `POST /r/{token}`.
pub(super) async fn submit(
    State(room): State<Room>,
    Path(token): Path<String>,
    peer: Peer,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    let token = bare(&token);
    room.admit(&link)?;
    let Ok(Form(fields)) = form else {
        let message = "提交的内容过大或不完整，没有保存。请返回上一页，精简后再提交。";
        return Err(WebError::BadRequest(message.into()));
    };
    let typed = Typed::new(read_fields(fields));
    let drafts = typed.filled();
    if drafts.is_empty() {
        return page(&room, token, &link, &typed, Some(Notice::NothingFilled));
    }
    let submission = Submission {
        plan: link.plan.clone(),
        quarter: link.quarter,
        person: link.person.clone(),
        via: Via::Form,
        by: Actor::Owner(link.person.clone()),
        drafts,
    };
    match accept(&room.desk, submission).await {
        Ok(receipt) => {
            let items: Vec<_> = receipt
                .reports
                .iter()
                .map(|received| place(&received.report.obligation))
                .collect();
            let to = format!("/r/{token}/receipt?items={}", items.join(","));
            Ok(Redirect::to(&to).into_response())
        }
        Err(CommitError::Refused(Refusal::Faults(faults))) => {
            let typed = typed.with_faults(faults);
            page(&room, token, &link, &typed, Some(Notice::Faults))
        }
        Err(CommitError::Refused(Refusal::Accepted(tasks))) => {
            let faults = tasks.iter().map(|task| accepted(*task)).collect();
            let typed = typed.with_faults(faults);
            page(&room, token, &link, &typed, Some(Notice::Accepted(tasks)))
        }
        Err(CommitError::Unavailable) => {
            page(&room, token, &link, &typed, Some(Notice::Unavailable))
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Items {
    #[serde(default)]
    items: String,
}

/// `GET /r/{token}/receipt?items=16-0,17-0`: what is on record for these.
pub(super) async fn receipt(
    State(room): State<Room>,
    Path(token): Path<String>,
    Query(query): Query<Items>,
    peer: Peer,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    let wanted: Vec<_> = query.items.split(',').filter_map(read_place).collect();
    let calendar = room.desk.calendar();
    let now = room.desk.clock.now();
    let reports: Vec<Received> = {
        let book = room.desk.ledger.book();
        book.answerable(&link.person, &link.plan, link.quarter, now)
            .into_iter()
            .filter(|one| wanted.contains(&(one.key.task, one.key.group)))
            .filter_map(|one| one.obligation.latest().cloned())
            .collect()
    };
    let receipt = make_receipt(reports, &calendar).ok_or(WebError::NotFound)?;
    pages::receipt(&room.desk, bare(&token), &link, &receipt)
}

fn page(
    room: &Room,
    token: &str,
    link: &Link,
    typed: &Typed,
    notice: Option<Notice>,
) -> Result<Response, WebError> {
    let calendar = room.desk.calendar();
    let now = room.desk.clock.now();
    let sums = room.desk.rules.now().report.summary;
    let sheet = sheet(&room.desk.ledger.book(), link, (now, sums), |at| {
        calendar.date_of(at)
    });
    let sheet = sheet.ok_or(WebError::UnknownLink)?;
    let status = notice.as_ref().map_or(StatusCode::OK, Notice::status);
    let html = pages::sheet(&room.desk, token, link, &sheet, typed, notice.as_ref())?;
    Ok((status, html).into_response())
}

/// The form's fields by item, and the mark each item was shown with.
fn read_fields(fields: Vec<(String, String)>) -> Vec<(Draft, String)> {
    let mut items: BTreeMap<(TaskNo, u8), (Draft, String)> = BTreeMap::new();
    for (name, value) in fields {
        let Some((field, rest)) = name.split_once('-') else {
            continue;
        };
        let Some((task, group)) = read_place(rest) else {
            continue;
        };
        let (draft, seen) = items.entry((task, group)).or_default();
        draft.task = task;
        draft.group = Some(group);
        match field {
            "status" => draft.status = value,
            "progress" => draft.progress = value,
            "problems" => draft.problems = value,
            "next_steps" => draft.next_steps = value,
            "percent" => draft.percent = value,
            "seen" => *seen = value,
            _ => {
                let place = field.strip_prefix("actual.").map(str::parse);
                if let Some(Ok(place)) = place {
                    draft.actuals.push((place, value));
                }
            }
        }
    }
    items.into_values().collect()
}

/// Whether anything of it was filled in or changed. Words without a status count too, so that
/// they come back with the fault beside them instead of being lost.
pub(super) fn is_filled(draft: &Draft, seen: &str) -> bool {
    if !seen.is_empty() {
        return read(draft, &ReportRules::default())
            .map_or(true, |words| fingerprint(&words) != seen);
    }
    [
        &draft.status,
        &draft.progress,
        &draft.problems,
        &draft.next_steps,
        &draft.percent,
    ]
    .into_iter()
    .chain(draft.actuals.iter().map(|(_, text)| text))
    .any(|text| !text.trim().is_empty())
}

fn accepted(task: TaskNo) -> Fault {
    Fault {
        task,
        group: None,
        field: "task",
        message: "该项已审核通过，本次填写的内容没有采用".into(),
    }
}

fn place(key: &ObligationKey) -> String {
    format!("{}-{}", key.task, key.group)
}

fn read_place(text: &str) -> Option<(TaskNo, u8)> {
    let (task, group) = text.split_once('-')?;
    Some((task.parse().ok()?, group.parse().ok()?))
}
