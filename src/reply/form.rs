//! The owner's page and its form.
//!
//! Fields are named `status-16-0`: field, task, group; `actual.2-16-0` is the figure reached against
//! the item's third target. `seen-16-0` marks what the form was filled
//! in with; what comes back unchanged is no answer, so that an old page does not undo what a
//! colleague has said since. `file-16-0` brings files.
//!
//! All buttons send the whole form to the same address and say in `go` what they are for, so that
//! nothing typed is lost by any of them, with and without script. `/draft` and `/evidence` are the
//! script's alone.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::accept::{Fault, Refusal, Submission, accept, receipt as make_receipt};
use super::buttons::Go;
use super::drafts::{self, NotSaved};
use super::filled::{Filled, read_place};
use super::items::fingerprint;
use super::notice::{Notice, Typed};
use super::pages;
use super::{Draft, Room, evidence, seen};
use crate::domain::fact::Actor;
use crate::domain::ids::{ObligationKey, TaskNo};
use crate::domain::link::{Link, bare};
use crate::domain::report::rules::ReportRules;
use crate::domain::report::{Received, ReportStatus, Via, read};
use crate::store::CommitError;
use crate::web::format::clock_time;
use crate::web::{Peer, WebError};

#[derive(Deserialize)]
pub(super) struct Opening {
    /// The status to begin with.
    #[serde(default)]
    status: String,
    /// What was just done.
    #[serde(default)]
    done: String,
}

/// `GET /r/{token}`; with `?status=completed`, as the buttons of a card have it, that status is
/// chosen already wherever nothing has been said.
pub(super) async fn show(
    State(room): State<Room>,
    Path(token): Path<String>,
    Query(opening): Query<Opening>,
    peer: Peer,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    let typed = Typed::preset(ReportStatus::from_name(&opening.status));
    let done = Notice::of_done(&opening.done);
    page(&room, bare(&token), &link, &typed, done).await
}

/// `POST /r/{token}`: 提交, or another button.
pub(super) async fn submit(
    State(room): State<Room>,
    Path(token): Path<String>,
    peer: Peer,
    request: Request,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    let token = bare(&token);
    room.admit(&link)?;
    let form = Filled::read(request, &room.desk.vault).await?;
    match Go::of(&form)? {
        Some(go) => go_on(&room, token, &link, form, go).await,
        None => report(&room, token, &link, form).await,
    }
}

/// What was filled in is a report: files first, so that it stands on them.
async fn report(room: &Room, token: &str, link: &Link, form: Filled) -> Result<Response, WebError> {
    let brought = form.files.len();
    let (typed, faults) = files_taken(room, link, form).await?;
    if !faults.is_empty() {
        let typed = typed.with_faults(faults);
        return page(room, token, link, &typed, Some(Notice::Files)).await;
    }
    let answers = typed.filled();
    if answers.is_empty() && brought > 0 {
        return Ok(back(token, &Go::Upload));
    }
    if answers.is_empty() {
        return page(room, token, link, &typed, Some(Notice::NothingFilled)).await;
    }
    let submission = Submission {
        plan: link.plan.clone(),
        quarter: link.quarter,
        person: link.person.clone(),
        via: Via::Form,
        by: Actor::Owner(link.person.clone()),
        drafts: answers,
    };
    match accept(&room.desk, submission).await {
        Ok(receipt) => {
            let keys = receipt.reports.iter();
            let keys: Vec<_> = keys.map(|one| one.report.obligation.clone()).collect();
            let items: Vec<_> = keys.iter().map(place).collect();
            drafts::forget(&room.desk, &link.person, keys).await;
            let (items, at) = (items.join(","), receipt.received_at.timestamp_millis());
            let to = format!("/r/{token}/receipt?items={items}&at={at}");
            Ok(Redirect::to(&to).into_response())
        }
        Err(CommitError::Refused(Refusal::Faults(faults))) => {
            let typed = typed.with_faults(faults);
            page(room, token, link, &typed, Some(Notice::Faults)).await
        }
        Err(CommitError::Refused(Refusal::Accepted(tasks))) => {
            let faults = tasks.iter().map(|task| accepted(*task)).collect();
            let typed = typed.with_faults(faults);
            page(room, token, link, &typed, Some(Notice::Accepted(tasks))).await
        }
        Err(CommitError::Unavailable) => {
            page(room, token, link, &typed, Some(Notice::Unavailable)).await
        }
    }
}

/// A button beside 提交: its deed is done, what was typed is kept, and it goes on from there.
async fn go_on(
    room: &Room,
    token: &str,
    link: &Link,
    form: Filled,
    go: Go,
) -> Result<Response, WebError> {
    let brought = form.files.len();
    match &go {
        Go::Seen => seen::acknowledge(&room.desk, link).await?,
        Go::Remove(at, hash) => evidence::drop_one(&room.desk, link, *at, hash.clone()).await?,
        Go::Keep | Go::Upload | Go::Page(_) => {}
    }
    let (typed, faults) = files_taken(room, link, form).await?;
    if !faults.is_empty() {
        let typed = typed.with_faults(faults);
        return page(room, token, link, &typed, Some(Notice::Files)).await;
    }
    if go == Go::Upload && brought == 0 {
        return page(room, token, link, &typed, Some(Notice::NoFile)).await;
    }
    match drafts::save(room, link, typed.items()).await {
        Ok(_) => Ok(back(token, &go)),
        Err(why) => page(room, token, link, &typed, Some(Notice::NotSaved(why))).await,
    }
}

/// `POST /r/{token}/draft`: what was typed so far, by the script: the items that changed.
pub(super) async fn keep(
    State(room): State<Room>,
    Path(token): Path<String>,
    peer: Peer,
    request: Request,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    room.admit_draft(&link)?;
    let form = Filled::read(request, &room.desk.vault).await?;
    let at = drafts::save(&room, &link, &read_fields(form.fields)).await;
    Ok(told(&room, at))
}

/// `POST /r/{token}/evidence`: a file, by the script.
pub(super) async fn upload(
    State(room): State<Room>,
    Path(token): Path<String>,
    peer: Peer,
    request: Request,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    room.admit_upload(&link)?;
    let form = Filled::read(request, &room.desk.vault).await?;
    let place = form.files.first().map(|file| file.place);
    let (_, faults) = files_taken(&room, &link, form).await?;
    let told: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
    let list = pages::files_of(&room, bare(&token), &link, place).await?;
    let status = if told.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let answer = json!({ "list": list, "faults": told });
    Ok((status, Json(answer)).into_response())
}

#[derive(Deserialize)]
pub(super) struct Items {
    #[serde(default)]
    items: String,
    /// Milliseconds: what was said up to then, and not what was said since.
    #[serde(default)]
    at: String,
}

/// `GET /r/{token}/receipt?items=16-0,17-0&at=1648432800000`: what was on record for these then. The
/// same address shows the same receipt for as long as the link lives.
pub(super) async fn receipt(
    State(room): State<Room>,
    Path(token): Path<String>,
    Query(query): Query<Items>,
    peer: Peer,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    let wanted: Vec<_> = query.items.split(',').filter_map(read_place).collect();
    let until: Option<i64> = query.at.parse().ok();
    let calendar = room.desk.calendar();
    let now = room.desk.clock.now();
    let reports: Vec<Received> = {
        let book = room.desk.ledger.book();
        book.answerable(&link.person, &link.plan, link.quarter, now)
            .into_iter()
            .filter(|one| wanted.contains(&(one.key.task, one.key.group)))
            .filter_map(|one| {
                let mut reports = one.obligation.reports.iter().rev();
                reports.find(|received| until.is_none_or(|at| received.at.timestamp_millis() <= at))
            })
            .cloned()
            .collect()
    };
    let receipt = make_receipt(reports, &calendar).ok_or(WebError::NotFound)?;
    pages::receipt(&room.desk, bare(&token), &link, &receipt)
}

async fn page(
    room: &Room,
    token: &str,
    link: &Link,
    typed: &Typed,
    notice: Option<Notice>,
) -> Result<Response, WebError> {
    let sheet = room.sheet(link).await?;
    let status = notice.as_ref().map_or(StatusCode::OK, Notice::status);
    let html = pages::sheet(&room.desk, token, link, &sheet, typed, notice.as_ref())?;
    Ok((status, html).into_response())
}

/// Takes the files of a form in; gives back the rest of it, and what was wrong with the files.
async fn files_taken(
    room: &Room,
    link: &Link,
    form: Filled,
) -> Result<(Typed, Vec<Fault>), WebError> {
    let typed = Typed::new(read_fields(form.fields));
    let faults = evidence::take(&room.desk, link, form.files).await?;
    Ok((typed, faults))
}

fn back(token: &str, go: &Go) -> Response {
    Redirect::to(&format!("/r/{token}{}", go.leads_to())).into_response()
}

/// What the script is told of a draft: the time to show, or what is wrong.
fn told(room: &Room, saved: Result<chrono::DateTime<chrono::Utc>, NotSaved>) -> Response {
    match saved {
        Ok(at) => {
            let time = clock_time(&room.desk.calendar(), at);
            Json(json!({ "saved_at": time })).into_response()
        }
        Err(why) => {
            let status = match why {
                NotSaved::TooLong => StatusCode::UNPROCESSABLE_ENTITY,
                NotSaved::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            };
            (status, Json(json!({ "message": why.chinese() }))).into_response()
        }
    }
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
