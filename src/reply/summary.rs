//! 汇总: where several groups answer for one task, the lead unit's owners see what the others
//! reported and may sum it up. Nobody is asked to; a task is reported without it.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Room;
use super::pages::Frame;
use crate::domain::book::Book;
use crate::domain::fact::{Actor, Fact};
use crate::domain::ids::TaskNo;
use crate::domain::link::{Link, bare};
use crate::domain::report::LONGEST_TEXT;
use crate::store::Decision;
use crate::web::error::page;
use crate::web::format::moment;
use crate::web::said::Said;
use crate::web::{Peer, WebError};

#[derive(Deserialize, Default)]
pub(super) struct Written {
    #[serde(default)]
    text: String,
}

/// `GET /r/{token}/summary/{task}`.
pub(super) async fn show(
    State(room): State<Room>,
    Path((token, task)): Path<(String, TaskNo)>,
    peer: Peer,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    summary_page(&room, &link, &token, task, None)
}

/// `POST /r/{token}/summary/{task}`.
pub(super) async fn submit(
    State(room): State<Room>,
    Path((token, task)): Path<(String, TaskNo)>,
    peer: Peer,
    Form(form): Form<Written>,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    room.admit(&link)?;
    let text = form.text.trim().replace("\r\n", "\n");
    let length = text.chars().count();
    if length == 0 || length > LONGEST_TEXT {
        let fault = format!("请填写汇总内容，不超过{LONGEST_TEXT}字（现{length}字）");
        return summary_page(&room, &link, &token, task, Some((text, fault)));
    }
    let (wanted, now) = (room.desk.rules.now().report.summary, room.desk.clock.now());
    let whose = link.clone();
    let decide = move |book: &Book| {
        if !wanted || !book.sums_up(&whose.person, &whose.plan, whose.quarter, task, now) {
            return Err(WebError::NotFound);
        }
        let place = (whose.plan.clone(), whose.quarter, task);
        let same = book
            .summaries
            .get(&place)
            .is_some_and(|known| known.text == text);
        let fact = Fact::SummaryWritten {
            plan: whose.plan.clone(),
            quarter: whose.quarter,
            task,
            person: whose.person.clone(),
            text,
        };
        let facts = if same { Vec::new() } else { vec![fact] };
        Ok(Decision { facts, value: () })
    };
    let by = Actor::Owner(link.person.clone());
    room.desk.ledger.commit(by, now, decide).await?;
    let to = format!("/r/{}/summary/{task}", bare(&token));
    Ok(Redirect::to(&to).into_response())
}

/// What another group reported, or that it has not.
struct Part {
    unit: String,
    owners: String,
    at: Option<String>,
    said: Option<Said>,
}

fn summary_page(
    room: &Room,
    link: &Link,
    token: &str,
    task: TaskNo,
    came_back: Option<(String, String)>,
) -> Result<Response, WebError> {
    let calendar = room.desk.calendar();
    let now = room.desk.clock.now();
    let book = room.desk.ledger.book();
    let wanted = room.desk.rules.now().report.summary;
    if !wanted || !book.sums_up(&link.person, &link.plan, link.quarter, task, now) {
        return Err(WebError::NotFound);
    }
    let known = book
        .plans
        .get(&link.plan)
        .and_then(|plan| plan.tasks.get(&task));
    let known = known.ok_or(WebError::NotFound)?;
    let place = (link.plan.clone(), link.quarter, task);
    let summary = book.summaries.get(&place);
    let status = match &came_back {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let (typed, fault) = came_back.unzip();
    let html = page(&SummaryPage {
        frame: Frame::new(&room.desk, &calendar),
        action: format!("/r/{}/summary/{task}", bare(token)),
        sheet: format!("/r/{}", bare(token)),
        no: task,
        name: known.short_name(),
        quarter: link.quarter.chinese(),
        parts: parts(&book, link, task, |at| moment(&calendar, at)),
        written: summary.map(|summary| {
            let by = book.people.get(&summary.person);
            let by = by.map_or("", |by| by.name.as_str());
            format!("{by}于{}填写", moment(&calendar, summary.at))
        }),
        text: typed
            .or_else(|| summary.map(|summary| summary.text.clone()))
            .unwrap_or_default(),
        fault,
    })?;
    Ok((status, html).into_response())
}

fn parts(
    book: &Book,
    link: &Link,
    task: TaskNo,
    time: impl Fn(DateTime<Utc>) -> String,
) -> Vec<Part> {
    let groups = book.groups_asked(&link.plan, link.quarter, task);
    let part = |(key, known): (_, &crate::domain::book::Obligation)| {
        let (_, group) = book.task_and_group(key)?;
        let owners: Vec<_> = group.owners.iter().map(|one| one.name.as_str()).collect();
        let latest = known.latest();
        Some(Part {
            unit: group.unit.clone(),
            owners: owners.join("、"),
            at: latest
                .map(|latest| format!("{}　{}", book.told_by(&latest.report), time(latest.at))),
            said: latest.map(|latest| Said::new(&latest.report)),
        })
    };
    groups.filter_map(part).collect()
}

#[derive(Template)]
#[template(path = "reply/templates/summary.html", config = "src/web/askama.toml")]
struct SummaryPage<'a> {
    frame: Frame<'a>,
    action: String,
    sheet: String,
    no: TaskNo,
    name: String,
    quarter: String,
    parts: Vec<Part>,
    written: Option<String>,
    text: String,
    fault: Option<String>,
}
