//! What nobody understood, beside what its writer has open: a coordinator picks item and status,
//! or lays it aside. Two clicks.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;

use super::Draft;
use super::accept::{self, Refusal, Submission};
use crate::desk::Desk;
use crate::domain::access::Page;
use crate::domain::book::{Book, Obligation};
use crate::domain::fact::{Actor, Fact};
use crate::domain::heard::{Said, Word};
use crate::domain::ids::{ObligationKey, PersonId, Position, Quarter};
use crate::domain::report::{ReportStatus, Via};
use crate::store::Decision;
use crate::web::caller::identify;
use crate::web::error::page;
use crate::web::format::moment;
use crate::web::frame::Frame;
use crate::web::{Caller, WebError, audit};

/// The coordinator's routes of this room.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/unclear", get(show))
        .route("/unclear/report", post(report))
        .route("/unclear/aside", post(aside))
        .layer(from_fn_with_state(Arc::clone(&desk), identify))
        .with_state(desk)
}

/// `GET /unclear`.
async fn show(State(desk): State<Arc<Desk>>, caller: Caller) -> Result<Html<String>, WebError> {
    caller.office()?;
    let calendar = desk.calendar();
    let words: Vec<WordView> = {
        let book = desk.ledger.book();
        let unclear = book.words.iter().filter(|(_, word)| word.is_unclear());
        let view = |(heard, word): (&Position, &Word)| WordView {
            heard: *heard,
            at: moment(&calendar, word.at),
            from: from(&book, word),
            text: text_of(word).to_owned(),
            items: items(&book, word, Quarter::of(calendar.date_of(word.at))),
        };
        unclear.map(view).collect()
    };
    audit::viewed(&desk, &caller, Page::Words, "");
    page(&UnclearPage {
        frame: Frame::new(&desk, &caller, "requests"),
        may_write: caller.may_write(),
        words,
    })
}

#[derive(Deserialize)]
struct Picked {
    #[serde(default)]
    csrf: String,
    heard: Position,
    #[serde(default)]
    item: String,
    #[serde(default)]
    status: String,
}

/// `POST /unclear/report`: what it says is a report, entered on the writer's behalf.
async fn report(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(picked): Form<Picked>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&picked.csrf)?;
    let rules = desk.rules.now();
    let at = desk.clock.now();
    let actor = by.clone();
    let decide = move |book: &Book| {
        let word = unclear(book, picked.heard)?;
        let quarter = Quarter::of(rules.calendar.date_of(word.at));
        let (key, person) = item_of(book, word, quarter, &picked.item)?;
        let submission = Submission {
            plan: key.plan.clone(),
            quarter: key.quarter,
            person,
            via: Via::Coordinator,
            by: actor,
            drafts: vec![Draft {
                task: key.task,
                group: Some(key.group),
                status: picked.status.clone(),
                progress: text_of(word).to_owned(),
                ..Draft::default()
            }],
        };
        let decision = accept::decide(book, &submission, at, &rules).map_err(told)?;
        let mut facts = decision.facts;
        facts.push(Fact::WordResolved {
            heard: picked.heard,
        });
        Ok(Decision { facts, value: () })
    };
    commit(&desk, by, decide).await
}

/// `POST /unclear/aside`: it is no report, or was settled otherwise.
async fn aside(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(picked): Form<Picked>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&picked.csrf)?;
    let heard = picked.heard;
    let decide = move |book: &Book| {
        unclear(book, heard)?;
        Ok(Decision {
            facts: vec![Fact::WordResolved { heard }],
            value: (),
        })
    };
    commit(&desk, by, decide).await
}

async fn commit(
    desk: &Desk,
    by: Actor,
    decide: impl FnOnce(&Book) -> Result<Decision<()>, WebError> + Send + 'static,
) -> Result<Redirect, WebError> {
    desk.ledger.commit(by, desk.clock.now(), decide).await?;
    Ok(Redirect::to("/unclear"))
}

fn unclear(book: &Book, heard: Position) -> Result<&Word, WebError> {
    let word = book.words.get(&heard).filter(|word| word.is_unclear());
    word.ok_or_else(|| WebError::Conflict("这条回复刚刚已由他人处理，请返回刷新。".into()))
}

fn told(refusal: Refusal) -> WebError {
    let why = match &refusal {
        Refusal::Faults(faults) => faults.first().map(|fault| fault.message.clone()),
        Refusal::Accepted(_) => None,
    };
    WebError::BadRequest(why.unwrap_or_else(|| refusal.to_string()))
}

/// The item of this name among the writer's own.
fn item_of(
    book: &Book,
    word: &Word,
    quarter: Quarter,
    name: &str,
) -> Result<(ObligationKey, PersonId), WebError> {
    open_items(book, word, quarter)
        .find(|(key, _)| key.to_string() == name)
        .ok_or_else(|| WebError::BadRequest("请选择事项和进展情况。".into()))
}

/// What the writer still has to report, up to the quarter in which they wrote.
fn open_items<'a>(
    book: &'a Book,
    word: &'a Word,
    quarter: Quarter,
) -> impl Iterator<Item = (ObligationKey, PersonId)> + 'a {
    let people = book.people_of_account(&word.heard.account);
    let asked = |(key, obligation): &(&ObligationKey, &Obligation)| {
        obligation.is_open() && key.quarter <= quarter
    };
    let open: Vec<&ObligationKey> = book
        .obligations
        .iter()
        .filter(asked)
        .map(|(key, _)| key)
        .collect();
    people.into_iter().flat_map(move |person| {
        let own: Vec<_> = open
            .iter()
            .filter(|key| book.is_owner(&person, key))
            .map(|key| ((*key).clone(), person.clone()))
            .collect();
        own
    })
}

fn items(book: &Book, word: &Word, quarter: Quarter) -> Vec<ItemView> {
    let view = |(key, _): (ObligationKey, PersonId)| {
        let task = book.task_and_group(&key);
        ItemView {
            name: task.map_or(String::new(), |(task, _)| task.short_name()),
            quarter: key.quarter.chinese(),
            no: key.task,
            key: key.to_string(),
        }
    };
    open_items(book, word, quarter).map(view).collect()
}

fn from(book: &Book, word: &Word) -> String {
    let people = book.people_of_account(&word.heard.account);
    let known = people.iter().filter_map(|person| book.people.get(person));
    let named: Vec<String> = known
        .map(|person| format!("{} {}", person.name, person.unit))
        .collect();
    named.join("；")
}

fn text_of(word: &Word) -> &str {
    match &word.heard.said {
        Said::Typed { text } => text,
        Said::Tapped { .. } | Said::Other { .. } => "",
    }
}

#[derive(Template)]
#[template(path = "reply/templates/unclear.html", config = "src/web/askama.toml")]
struct UnclearPage<'a> {
    frame: Frame<'a>,
    may_write: bool,
    words: Vec<WordView>,
}

struct WordView {
    heard: Position,
    at: String,
    from: String,
    text: String,
    items: Vec<ItemView>,
}

struct ItemView {
    key: String,
    no: u32,
    name: String,
    quarter: String,
}

impl WordView {
    fn statuses() -> [(&'static str, &'static str); 4] {
        ReportStatus::ALL.map(|status| (status.as_str(), status.chinese()))
    }
}
