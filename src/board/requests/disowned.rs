//! 不是我: somebody says that an item is not theirs.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::super::judge::read_key;
use super::{commit, named, note, refused};
use crate::desk::Desk;
use crate::domain::book::{Book, Obligation};
use crate::domain::due::word;
use crate::domain::duty::{self, Named};
use crate::domain::fact::Fact;
use crate::domain::ids::ObligationKey;
use crate::domain::request::NotMineWord;
use crate::rules::RuleSet;
use crate::web::{Caller, WebError};

#[derive(Deserialize)]
pub(in crate::board) struct OtherWord {
    csrf: String,
    item: String,
    /// `move` or `theirs`.
    #[serde(rename = "do")]
    word: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    note: String,
}

/// `POST /requests/not-mine`.
pub(in crate::board) async fn not_mine(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<OtherWord>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let key = read_key(&form.item)?;
    let note = note(&form.note)?;
    let to = match form.word.as_str() {
        "move" => Some(named(&form.name, &form.unit, &form.address)?),
        _ => None,
    };
    let now = desk.clock.now();
    commit(&desk, by, move |book, rules| {
        settle(book, rules, &key, to.as_ref(), note, now)
    })
    .await?;
    Ok(Redirect::to("/requests"))
}

fn settle(
    book: &Book,
    rules: &RuleSet,
    key: &ObligationKey,
    to: Option<&Named>,
    note: String,
    now: DateTime<Utc>,
) -> Result<Vec<Fact>, WebError> {
    let known = book.obligations.get(key).and_then(Obligation::disowned);
    let said =
        known.ok_or_else(|| WebError::Conflict("这一反映刚刚已由他人处理，请返回刷新。".into()))?;
    let obligation = key.clone();
    let Some(to) = to else {
        let word = NotMineWord::Theirs { note };
        let mut facts = vec![Fact::NotMineSettled { obligation, word }];
        let world = rules.world(book);
        facts.extend(word::decided(&world, key, Some(&said.person), false, now));
        return Ok(facts);
    };
    // Who fills in may say so too: it is the owner's.
    let from = match book.is_owner(&said.person, key) {
        true => said.person.clone(),
        false => book
            .behalf_of(&said.person, key, now)
            .unwrap_or(&said.person)
            .clone(),
    };
    let duties = vec![(key.task, key.group)];
    let mut facts =
        duty::change_owner(book, &key.plan, duties, &from, to).map_err(|e| refused(&e))?;
    let word = NotMineWord::Moved;
    facts.push(Fact::NotMineSettled { obligation, word });
    Ok(facts)
}
