//! A later date: asked for by its owner, or given by the coordinator's own thought.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::super::judge::read_key;
use super::{commit, note};
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::due;
use crate::domain::fact::Fact;
use crate::domain::ids::ObligationKey;
use crate::rules::RuleSet;
use crate::web::{Caller, WebError};

#[derive(Deserialize)]
pub(in crate::board) struct DateWord {
    csrf: String,
    item: String,
    /// `grant` or `refuse`.
    #[serde(rename = "do")]
    word: String,
    #[serde(default)]
    day: String,
    #[serde(default)]
    note: String,
    /// Where to go back to.
    #[serde(default)]
    from: String,
}

/// `POST /requests/extension`: asked for, or by the coordinator's own thought.
pub(in crate::board) async fn extension(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<DateWord>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let key = read_key(&form.item)?;
    let back = match form.from.as_str() {
        "task" => format!("/task/{key}"),
        _ => "/requests".to_owned(),
    };
    let note = note(&form.note)?;
    let day: Option<NaiveDate> = form.day.trim().parse().ok();
    let (refuse, now) = (form.word == "refuse", desk.clock.now());
    commit(&desk, by, move |book, rules| {
        decide_date(book, rules, &key, (refuse, day), note, now)
    })
    .await?;
    Ok(Redirect::to(&back))
}

fn decide_date(
    book: &Book,
    rules: &RuleSet,
    key: &ObligationKey,
    (refuse, day): (bool, Option<NaiveDate>),
    note: String,
    now: DateTime<Utc>,
) -> Result<Vec<Fact>, WebError> {
    let world = rules.world(book);
    let known = book.obligations.get(key).ok_or(WebError::NotFound)?;
    if refuse {
        if known.asked().is_none() {
            let message = "这一申请刚刚已由他人处理，请返回刷新。";
            return Err(WebError::Conflict(message.into()));
        }
        if note.is_empty() {
            let message = "不同意延期时请写明原因，责任人会看到。";
            return Err(WebError::BadRequest(message.into()));
        }
        return Ok(due::extension::refuse(&world, key, note, now));
    }
    let day = day.ok_or_else(|| WebError::BadRequest("请选择延期后的日期。".into()))?;
    due::extension::grant(&world, key, day, note, now)
        .map_err(|error| WebError::Conflict(format!("{error}。")))
}
