//! Whom nothing reaches, and of whom that is not known; test messages.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{Html, Redirect};
use serde::Deserialize;

use super::pages::bad;
use crate::desk::Desk;
use crate::domain::access;
use crate::domain::book::Book;
use crate::domain::due::{self, TestTo};
use crate::domain::fact::Fact;
use crate::domain::ids::{PersonId, PlanId, Quarter};
use crate::domain::people::Person;
use crate::domain::readiness::{Doubtful, Known, Unreachable, readiness};
use crate::store::Decision;
use crate::web::error::page;
use crate::web::format::brief;
use crate::web::frame::Frame;
use crate::web::{Caller, WebError, audit};

#[derive(Deserialize)]
pub(super) struct Asked {
    /// How many test messages have just been queued.
    sent: Option<usize>,
}

/// `GET /readiness`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.office()?;
    let frame = Frame::new(&desk, &caller, "readiness");
    let calendar = desk.calendar();
    let rules = desk.rules.now();
    let book = desk.ledger.book();
    let world = rules.world(&book);
    let plan = latest(&book);
    let list = plan.as_ref().and_then(|plan| readiness(&world, plan));
    let title = plan.and_then(|plan| Some(book.plans.get(&plan)?.heading.title.clone()));
    let time = |at| brief(&calendar, at);
    let list = list.map(|list| List {
        people: list.people,
        unreachable: list.unreachable.iter().map(Missing::of).collect(),
        doubtful: list
            .doubtful
            .iter()
            .map(|one| Unsure::of(one, time))
            .collect(),
    });
    audit::viewed(&desk, &caller, access::Page::Contacts, "");
    page(&ReadinessPage {
        frame,
        may_test: caller.may_write(),
        title: title.unwrap_or_default(),
        sent: asked.sent,
        list,
    })
}

#[derive(Deserialize)]
pub(super) struct Test {
    csrf: String,
    /// Whose addresses; empty: those of `to`.
    #[serde(default)]
    person: String,
    /// `unproved` or `all`.
    #[serde(default)]
    to: String,
}

/// `POST /readiness/test`.
pub(super) async fn test(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Test>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let to = match (form.person.as_str(), form.to.as_str()) {
        ("", "all") => TestTo::All,
        ("", "unproved") => TestTo::Unproved,
        ("", _) => return Err(WebError::BadRequest("请选择发给谁。".into())),
        (id, _) => TestTo::Person(PersonId::new(id).map_err(bad)?),
    };
    let now = desk.clock.now();
    let rules = desk.rules.now();
    let decide = move |book: &Book| {
        let plan = latest(book).ok_or(WebError::NotFound)?;
        let quarter = Quarter::of(rules.calendar.date_of(now));
        let facts = due::test(&rules.world(book), (&plan, quarter), &to, now);
        let value = facts.len();
        Ok(Decision { facts, value })
    };
    let sent = desk.ledger.commit(by, now, decide).await?;
    Ok(Redirect::to(&format!("/readiness?sent={sent}")))
}

#[derive(Deserialize)]
pub(super) struct Confirm {
    csrf: String,
}

/// `POST /clock/confirm`: what was held back while the clock was in doubt goes on.
pub(super) async fn confirm_clock(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Confirm>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let decide = |book: &Book| {
        let agreed = book.clock_doubt.map(|_| Fact::ClockAgreed);
        let facts = agreed.into_iter().collect();
        Ok(Decision { facts, value: () })
    };
    desk.ledger.commit(by, desk.clock.now(), decide).await?;
    Ok(Redirect::to("/"))
}

#[derive(Template)]
#[template(
    path = "board/templates/readiness.html",
    config = "src/web/askama.toml"
)]
struct ReadinessPage<'a> {
    frame: Frame<'a>,
    may_test: bool,
    title: String,
    sent: Option<usize>,
    list: Option<List>,
}

struct List {
    people: usize,
    unreachable: Vec<Missing>,
    doubtful: Vec<Unsure>,
}

struct Missing {
    id: String,
    who: Who,
    why: String,
    open: String,
    uncovered: String,
    can_test: bool,
}

struct Unsure {
    id: String,
    who: Who,
    addresses: Vec<AddressLine>,
    can_test: bool,
}

struct Who {
    name: String,
    unit: String,
    roles: String,
}

struct AddressLine {
    channel: &'static str,
    class: &'static str,
    words: String,
}

impl Who {
    fn of(person: &Person) -> Self {
        let unit = match person.unit.as_str() {
            "" => "市领导",
            unit => unit,
        };
        Self {
            name: person.name.clone(),
            unit: unit.to_owned(),
            roles: person.roles.chinese(),
        }
    }
}

impl Missing {
    fn of(one: &Unreachable) -> Self {
        let refused = one.refused.iter();
        let refused: Vec<String> = refused
            .map(|(kind, detail)| format!("{}地址无效：{detail}", kind.chinese()))
            .collect();
        let why = match (refused.is_empty(), one.has_contact) {
            (false, _) => refused.join("；"),
            (true, true) => "联系人表里有地址，但本机没有配置对应的渠道".into(),
            (true, false) => "没有填写联系方式".into(),
        };
        Self {
            id: one.person.id.to_string(),
            who: Who::of(&one.person),
            why,
            open: numbers(&one.open),
            uncovered: numbers(&one.uncovered),
            can_test: !one.refused.is_empty(),
        }
    }
}

impl Unsure {
    fn of(one: &Doubtful, time: impl Fn(chrono::DateTime<chrono::Utc>) -> String) -> Self {
        let lines = one.addresses.iter().map(|(kind, known)| AddressLine {
            channel: kind.chinese(),
            class: match known {
                Known::Works(_) => "accepted",
                Known::Refused(..) => "dead",
                _ => "held",
            },
            words: match known {
                Known::Works(at) => format!("{}确认有效", time(*at)),
                Known::Unanswered(at) => format!("{}发过消息，本人没有回应", time(*at)),
                other => other.chinese(),
            },
        });
        let testing = one.addresses.iter();
        Self {
            id: one.person.id.to_string(),
            who: Who::of(&one.person),
            can_test: testing.clone().any(|(_, known)| *known != Known::Testing),
            addresses: lines.collect(),
        }
    }
}

fn numbers(tasks: &[u32]) -> String {
    let all: Vec<String> = tasks.iter().map(ToString::to_string).collect();
    all.join("、")
}

/// The plan last imported.
fn latest(book: &Book) -> Option<PlanId> {
    let plans = book.plans.iter();
    plans
        .max_by_key(|(_, plan)| plan.imported_at)
        .map(|(id, _)| id.clone())
}
