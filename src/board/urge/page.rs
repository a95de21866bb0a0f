//! As a page: who would get what, and the button.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{Html, Redirect};

use super::commit;
use super::person::{Line, line};
use super::scope::{Asked, Scope};
use crate::desk::Desk;
use crate::domain::ids::{PlanId, Position, Quarter, TaskNo};
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::{Caller, WebError};

/// `GET /urge`: who would get what.
pub(in crate::board) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.writer()?;
    let scope = Scope::read(&asked, caller.sight())?;
    let back = scope.back();
    preview_of(&desk, &caller, scope, asked, back)
}

/// The same page for items picked from a list; `back` leads to the list.
pub(in crate::board) fn preview(
    desk: &Desk,
    caller: &Caller,
    (plan, quarter): (PlanId, Quarter),
    items: BTreeSet<(TaskNo, u8)>,
    back: String,
) -> Result<Html<String>, WebError> {
    let picked = items.iter().map(|(task, group)| format!("{task}/{group}"));
    let asked = Asked {
        plan: plan.to_string(),
        quarter: quarter.to_string(),
        unit: String::new(),
        owner: String::new(),
        items: picked.collect::<Vec<_>>().join(","),
        seen: None,
        csrf: String::new(),
    };
    let scope = Scope::read(&asked, caller.sight())?;
    preview_of(desk, caller, scope, asked, back)
}

fn preview_of(
    desk: &Desk,
    caller: &Caller,
    scope: Scope,
    asked: Asked,
    back: String,
) -> Result<Html<String>, WebError> {
    let rules = desk.rules.now();
    let (lines, seen, about, title) = {
        let book = desk.ledger.book();
        let known = book.plans.get(&scope.plan).ok_or(WebError::NotFound)?;
        let title = known.heading.title.clone();
        let lines = scope.urging(&book, &rules, desk.clock.now());
        let lines: Vec<Line> = lines.iter().map(|one| line(&book, &rules, one)).collect();
        (lines, book.position, scope.about(&book), title)
    };
    page(&UrgePage {
        frame: Frame::new(desk, caller, "items"),
        title,
        quarter: scope.quarter.chinese(),
        about,
        going: lines.iter().filter(|line| line.goes).count(),
        lines,
        days: rules.policy.budget_window.num_days(),
        seen,
        back,
        asked,
    })
}

/// `POST /urge`: done, to those who were on the page and still owe something.
pub(in crate::board) async fn submit(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(asked): Form<Asked>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&asked.csrf)?;
    let scope = Scope::read(&asked, caller.sight())?;
    let to = format!("/deliveries?quarter={}", scope.quarter);
    commit(&desk, by, move |_| Ok(vec![scope]), false).await?;
    Ok(Redirect::to(&to))
}

#[derive(Template)]
#[template(path = "board/templates/urge.html", config = "src/web/askama.toml")]
struct UrgePage<'a> {
    frame: Frame<'a>,
    title: String,
    quarter: String,
    about: String,
    lines: Vec<Line>,
    /// How many messages leave.
    going: usize,
    days: i64,
    seen: Position,
    back: String,
    asked: Asked,
}
