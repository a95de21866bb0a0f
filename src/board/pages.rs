//! The board: one page that answers who has not reported.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;

use super::answer::{BoardPage, answer};
use super::history;
use crate::desk::Desk;
use crate::domain::board::{Filter, Show, present, quarter_view};
use crate::domain::calendar::Calendar;
use crate::domain::feed::Feed;
use crate::domain::ids::{BadId, PersonId, PlanId, Quarter};
use crate::web::error::page;
use crate::web::format::long_moment;
use crate::web::frame::Frame;
use crate::web::{Caller, WebError};

/// What the page may be asked for; empty fields come from forms.
#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    plan: String,
    #[serde(default)]
    quarter: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    owner: String,
    /// `2022-03-31T18:00`, at the office.
    #[serde(default)]
    at: String,
}

/// `GET /`.
pub(super) async fn board(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.reader()?;
    let calendar = desk.calendar();
    let at = read_local(&calendar, &asked.at)?;
    let chosen = choose(&desk, &calendar, &asked)?;
    let frame = Frame::new(&desk, &caller, "board");
    let Some((plan, quarter)) = chosen else {
        return page(&EmptyPage { frame });
    };
    let mut filter = Filter {
        plan: Some(plan.clone()),
        unit: Some(asked.unit.clone()).filter(|unit| !unit.is_empty()),
        owner: match asked.owner.as_str() {
            "" => None,
            id => Some(PersonId::new(id).map_err(bad)?),
        },
        show: Show::All,
        sight: caller.sight(),
    };
    let wanted = Show::from_name(&asked.state);
    let rules = desk.rules.now();
    let answer = history::ask(&desk, at, move |book, at| {
        let all = quarter_view(book, quarter, at, &filter);
        filter.show = wanted.unwrap_or(match all.totals.not_reported {
            0 => Show::All,
            _ => Show::NotReported,
        });
        let view = quarter_view(book, quarter, at, &filter);
        answer(book, &plan, view, &filter, &rules)
    })
    .await?;
    let past = at.filter(|at| *at < desk.clock.now());
    page(&BoardPage {
        frame,
        past: past.map(|at| long_moment(&calendar, at)),
        may_urge: caller.may_write() && past.is_none(),
        feed: feed(&desk, &caller),
        at_value: past.map_or(String::new(), |_| asked.at.clone()),
        answer,
    })
}

/// The office's calendar, for whoever is signed in.
fn feed(desk: &Desk, caller: &Caller) -> Option<String> {
    let Caller::User { name, .. } = caller else {
        return None;
    };
    let feed = Feed::Office(name.clone());
    let token = desk.link_key.sign_feed(&feed, desk.clock.now());
    Some(format!("{}/calendar/{token}.ics", desk.public_url))
}

#[derive(Template)]
#[template(path = "board/templates/empty.html", config = "src/web/askama.toml")]
struct EmptyPage<'a> {
    frame: Frame<'a>,
}

/// The plan and quarter asked for, else those to show by themselves.
/// The page of an office without a plan.
pub(super) fn empty(desk: &Desk, caller: &Caller) -> Result<Html<String>, WebError> {
    page(&EmptyPage {
        frame: Frame::new(desk, caller, "board"),
    })
}

pub(super) fn choose(
    desk: &Desk,
    calendar: &Calendar,
    asked: &Asked,
) -> Result<Option<(PlanId, Quarter)>, WebError> {
    let book = desk.ledger.book();
    let Some((plan, quarter)) =
        present(&book, &desk.rules.now().policy, calendar, desk.clock.now())
    else {
        return Ok(None);
    };
    let quarter = match asked.quarter.as_str() {
        "" => quarter,
        text => text.parse().map_err(bad)?,
    };
    let has = |plan: &PlanId| book.obligations_in(plan, quarter).next().is_some();
    let plan = match asked.plan.as_str() {
        "" if has(&plan) => plan,
        "" => book
            .plans
            .keys()
            .find(|plan| has(plan))
            .cloned()
            .unwrap_or(plan),
        id => PlanId::new(id).map_err(bad)?,
    };
    Ok(Some((plan, quarter)))
}

fn read_local(calendar: &Calendar, text: &str) -> Result<Option<DateTime<Utc>>, WebError> {
    if text.is_empty() {
        return Ok(None);
    }
    local_moment(calendar, text).map(Some)
}

/// A moment as a `datetime-local` field gives it.
pub(super) fn local_moment(calendar: &Calendar, text: &str) -> Result<DateTime<Utc>, WebError> {
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text.trim(), form).ok())
        .map(|local| calendar.instant(local.date(), local.time()))
        .ok_or_else(|| {
            WebError::BadRequest(format!("“{text}”不是时间：请写成 2022-03-31T18:00 的形式"))
        })
}

pub(super) fn bad(error: BadId) -> WebError {
    WebError::BadRequest(error.to_string())
}
