//! The inbox of a trial run: what was sent, and buttons that move the clock.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::desk::{Desk, Inbox, InboxEntry, InboxMessage};
use crate::domain::board::{Filter, Tally, present, quarter_view};
use crate::domain::message::Stage;
use crate::web::error::page;
use crate::web::format::{brief, moment, rfc3339};
use crate::web::frame::Frame;
use crate::web::guard::POLICY_FOR_MAILS;
use crate::web::{Caller, WebError, as_of, blocking};

/// Messages on a page.
const MOST: usize = 200;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

/// `GET /inbox`.
pub(super) async fn list(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.reader()?;
    let entries = ask(&desk, |inbox| inbox.list()).await?;
    let calendar = desk.calendar();
    let wanted = asked.q.trim();
    let found: Vec<_> = entries
        .iter()
        .filter(|entry| matches_text(entry, wanted))
        .collect();
    let rows = found.iter().take(MOST).map(|entry| Line {
        href: format!("/inbox/{}", entry.id),
        at: brief(&calendar, entry.at),
        person: entry.person.clone(),
        unit: entry.unit.clone(),
        stage: entry.stage.clone(),
        subject: entry.subject.clone(),
    });
    page(&InboxPage {
        frame: Frame::new(&desk, &caller, "inbox"),
        total: entries.len(),
        found: found.len(),
        q: wanted,
        rows: rows.collect(),
        next: next_stage(&desk),
        now_value: local_value(&desk),
        board: totals(&desk),
    })
}

/// `GET /inbox/{id}`.
pub(super) async fn open(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Html<String>, WebError> {
    caller.reader()?;
    let message = find(&desk, id).await?;
    page(&MessagePage {
        frame: Frame::new(&desk, &caller, "inbox"),
        at: moment(&desk.calendar(), message.entry.at),
        message,
    })
}

/// `GET /inbox/{id}/html`: the message as a mail program would show it.
pub(super) async fn html(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    caller.reader()?;
    let html = find(&desk, id).await?.html.ok_or(WebError::NotFound)?;
    Ok(([(CONTENT_SECURITY_POLICY, POLICY_FOR_MAILS)], Html(html)).into_response())
}

#[derive(Deserialize)]
pub(super) struct Move {
    csrf: String,
    /// RFC 3339, from the button; or local, from the field.
    to: String,
}

/// `POST /inbox/advance`.
pub(super) async fn advance(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Move>,
) -> Result<Redirect, WebError> {
    caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let to = as_of::read(&desk.calendar(), &form.to)?;
    if to < desk.clock.now() {
        let message = "模拟时间只能往后拨，不能往回拨。";
        return Err(WebError::BadRequest(message.into()));
    }
    let advance = desk.advance.as_ref().ok_or(WebError::NotFound)?;
    advance(to).await.map_err(WebError::Conflict)?;
    Ok(Redirect::to("/inbox"))
}

#[derive(Template)]
#[template(path = "board/templates/inbox.html", config = "src/web/askama.toml")]
struct InboxPage<'a> {
    frame: Frame<'a>,
    total: usize,
    found: usize,
    q: &'a str,
    rows: Vec<Line>,
    next: Option<Next>,
    now_value: String,
    board: Option<Totals>,
}

#[derive(Template)]
#[template(path = "board/templates/message.html", config = "src/web/askama.toml")]
struct MessagePage<'a> {
    frame: Frame<'a>,
    at: String,
    message: InboxMessage,
}

struct Line {
    href: String,
    at: String,
    person: String,
    unit: String,
    stage: String,
    subject: String,
}

struct Next {
    to: String,
    label: String,
}

struct Totals {
    quarter: String,
    tally: Tally,
}

async fn ask<T: Send + 'static>(
    desk: &Desk,
    question: impl FnOnce(&dyn Inbox) -> std::io::Result<T> + Send + 'static,
) -> Result<T, WebError> {
    let inbox = desk.inbox.clone().ok_or(WebError::NotFound)?;
    let answer = blocking(move || question(inbox.as_ref())).await?;
    answer.map_err(WebError::internal)
}

async fn find(desk: &Desk, id: String) -> Result<InboxMessage, WebError> {
    let plain = id
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    // The name may become a path: no separators, and nothing that climbs.
    if !plain || id.contains("..") {
        return Err(WebError::NotFound);
    }
    let found = ask(desk, move |inbox| inbox.get(&id)).await?;
    found.ok_or(WebError::NotFound)
}

fn matches_text(entry: &InboxEntry, wanted: &str) -> bool {
    [&entry.person, &entry.unit, &entry.stage, &entry.subject]
        .iter()
        .any(|text| text.contains(wanted))
}

/// The next stage of any quarter of any plan.
fn next_stage(desk: &Desk) -> Option<Next> {
    let now = desk.clock.now();
    let calendar = desk.calendar();
    let book = desk.ledger.book();
    let times = book.plans.keys().flat_map(|plan| {
        let quarters = book.quarters_of(plan).into_iter();
        quarters.flat_map(move |quarter| Stage::ALL.map(|stage| (plan, quarter, stage)))
    });
    let rules = desk.rules.now();
    let world = rules.world(&book);
    let (at, quarter, stage) = times
        .filter_map(|(plan, quarter, stage)| {
            let at: DateTime<Utc> = world.stage_time(plan, quarter, stage)?;
            (at > now).then_some((at, quarter, stage))
        })
        .min()?;
    let when = moment(&calendar, at);
    Some(Next {
        to: rfc3339(&calendar, at),
        label: format!("{}{}：{when}", quarter.chinese_short(), stage.chinese()),
    })
}

fn local_value(desk: &Desk) -> String {
    let zone = desk.calendar().zone();
    let local = desk.clock.now().with_timezone(&zone);
    local.format("%Y-%m-%dT%H:%M").to_string()
}

fn totals(desk: &Desk) -> Option<Totals> {
    let now = desk.clock.now();
    let book = desk.ledger.book();
    let (plan, quarter) = present(&book, &desk.rules.now().policy, &desk.calendar(), now)?;
    let filter = Filter {
        plan: Some(plan),
        ..Filter::default()
    };
    Some(Totals {
        quarter: quarter.chinese(),
        tally: quarter_view(&book, quarter, now, &filter).totals,
    })
}
