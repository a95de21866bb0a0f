//! Whose a duty is, and who fills in: another owner, 转办, 代办.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::Deserialize;

use super::super::pages::bad;
use super::{commit, named, refused};
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::due::word;
use crate::domain::duty::{self, Filling};
use crate::domain::fact::Fact;
use crate::domain::ids::{PlanId, Position, TaskNo};
use crate::rules::RuleSet;
use crate::web::{Caller, WebError};

#[derive(Deserialize)]
pub(in crate::board) struct Arrangement {
    csrf: String,
    plan: String,
    /// `owner`, `items`, `acting`.
    #[serde(rename = "do")]
    kind: String,
    /// A name, or `单位/姓名`.
    from: String,
    name: String,
    unit: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    tasks: String,
    #[serde(default)]
    begins: String,
    #[serde(default)]
    ends: String,
}

/// `POST /requests/people`: another owner, 转办 or 代办.
pub(in crate::board) async fn people(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Arrangement>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let now = desk.clock.now();
    commit(&desk, by, move |book, rules| {
        arrange(book, rules, &form, now)
    })
    .await?;
    Ok(Redirect::to("/requests"))
}

fn arrange(
    book: &Book,
    rules: &RuleSet,
    form: &Arrangement,
    now: DateTime<Utc>,
) -> Result<Vec<Fact>, WebError> {
    let plan = PlanId::new(&form.plan).map_err(bad)?;
    let from = book
        .find_person(form.from.trim())
        .map_err(|error| WebError::BadRequest(format!("{error}。")))?;
    let to = named(&form.name, &form.unit, &form.address)?;
    let tasks = tasks(&form.tasks)?;
    let facts = match form.kind.as_str() {
        "owner" => {
            let duties = duty::duties_of(book, &plan, &from, &tasks);
            duty::change_owner(book, &plan, duties, &from, &to)
        }
        "items" => duty::delegate(book, &plan, &from, &to, Filling::Items(tasks), now),
        "acting" => {
            let filling = acting(&rules.calendar, &form.begins, &form.ends)?;
            duty::delegate(book, &plan, &from, &to, filling, now)
        }
        _ => return Err(WebError::BadRequest("请选择要办理的事项。".into())),
    };
    let mut facts = facts.map_err(|error| refused(&error))?;
    facts.extend(word::entrusted(&rules.world(book), &facts, now));
    Ok(facts)
}

#[derive(Deserialize)]
pub(in crate::board) struct Ending {
    csrf: String,
    delegation: Position,
}

/// `POST /requests/people/end`.
pub(in crate::board) async fn end(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Ending>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    commit(&desk, by, move |book, _| {
        let delegation = form.delegation;
        let known = book.delegations.contains_key(&delegation);
        Ok(known
            .then_some(Fact::DelegationEnded { delegation })
            .into_iter()
            .collect())
    })
    .await?;
    Ok(Redirect::to("/requests"))
}

/// `14、16，18`; none for all.
fn tasks(text: &str) -> Result<BTreeSet<TaskNo>, WebError> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts
        .filter(|part| !part.is_empty())
        .map(|part| part.parse())
        .collect::<Result<_, _>>()
        .map_err(|_| WebError::BadRequest("序号请写成“14、16”的形式；不填为全部。".into()))
}

/// From the morning of the first day to the end of the last.
fn acting(calendar: &Calendar, begins: &str, ends: &str) -> Result<Filling, WebError> {
    let day = |text: &str| -> Result<NaiveDate, WebError> {
        text.trim()
            .parse()
            .map_err(|_| WebError::BadRequest("请选择代办的起止日期。".into()))
    };
    let (first, last) = (day(begins)?, day(ends)?);
    let midnight = |day| calendar.instant(day, NaiveTime::MIN);
    Ok(Filling::Acting(
        midnight(first),
        midnight(last + Days::new(1)),
    ))
}
