//! A report that came by telephone, entered by a coordinator: on the task's page of the board, or by
//! `cuiban report`. It is an answer like any other, and is always shown as entered for the owner.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::post;
use axum::{Form, Json, Router};
use serde::{Deserialize, Serialize};

use super::Draft;
use super::accept::{Receipt, Refusal, Submission, accept};
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::fact::Actor;
use crate::domain::ids::{PersonId, PlanId, Quarter, TaskNo};
use crate::domain::report::Via;
use crate::store::CommitError;
use crate::web::caller::identify;
use crate::web::{ApiError, Caller, WebError};

/// The coordinator's routes of this room.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/on-behalf", post(submit))
        .route("/api/v1/report", post(order))
        .layer(from_fn_with_state(Arc::clone(&desk), identify))
        .with_state(desk)
}

#[derive(Deserialize)]
struct Entered {
    csrf: String,
    plan: String,
    quarter: String,
    task: TaskNo,
    group: u8,
    person: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    progress: String,
    #[serde(default)]
    problems: String,
    #[serde(default)]
    next_steps: String,
}

/// `POST /on-behalf`.
async fn submit(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Entered>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let wrong = |error: crate::domain::ids::BadId| WebError::BadRequest(error.to_string());
    let (plan, quarter) = (
        PlanId::new(&form.plan).map_err(wrong)?,
        form.quarter.parse::<Quarter>().map_err(wrong)?,
    );
    let to = format!("/task/{plan}/{quarter}/{}/{}", form.task, form.group);
    let person = PersonId::new(&form.person).map_err(wrong)?;
    let draft = Draft {
        task: form.task,
        group: Some(form.group),
        status: form.status,
        progress: form.progress,
        problems: form.problems,
        next_steps: form.next_steps,
        ..Draft::default()
    };
    enter(&desk, by, (plan, quarter, person), draft).await?;
    Ok(Redirect::to(&to))
}

/// What `cuiban report` asks for.
#[derive(Debug, Deserialize)]
struct Order {
    #[serde(default)]
    plan: Option<String>,
    quarter: String,
    task: TaskNo,
    /// A name, `单位/姓名`, or an id.
    person: String,
    status: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    problems: String,
    #[serde(default)]
    next_steps: String,
    #[serde(default)]
    percent: String,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The receipt's number.
    pub receipt: String,
    /// In a sentence.
    pub text: String,
}

/// `POST /api/v1/report`.
async fn order(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    body: Result<Json<Order>, JsonRejection>,
) -> Result<Json<Answer>, ApiError> {
    let by = caller.reporter()?;
    let Json(order) = body.map_err(|error| WebError::BadRequest(error.body_text()))?;
    let whose = {
        let book = desk.ledger.book();
        whose(&book, &order)?
    };
    let name = {
        let book = desk.ledger.book();
        let known = book.people.get(&whose.2);
        known.map_or_else(String::new, |known| known.name.clone())
    };
    let draft = Draft {
        task: order.task,
        status: order.status,
        progress: order.text,
        problems: order.problems,
        next_steps: order.next_steps,
        percent: order.percent,
        ..Draft::default()
    };
    let task = order.task;
    let receipt = enter(&desk, by, whose, draft).await?;
    Ok(Json(Answer {
        text: format!("已代{name}登记第{task}项，编号{}", receipt.number),
        receipt: receipt.number,
    }))
}

fn whose(book: &Book, order: &Order) -> Result<(PlanId, Quarter, PersonId), WebError> {
    let wrong = |error: crate::domain::ids::BadId| WebError::BadRequest(error.to_string());
    let quarter: Quarter = order.quarter.parse().map_err(wrong)?;
    let person = book
        .find_person(&order.person)
        .map_err(|error| WebError::BadRequest(error.to_string()))?;
    let plan = match &order.plan {
        Some(plan) => PlanId::new(plan).map_err(wrong)?,
        None => {
            let mut plans = book.plans.keys();
            let asked =
                |plan: &&PlanId| book.obligations_of(&person, plan, quarter).next().is_some();
            let found = plans.find(asked).cloned();
            found.ok_or_else(|| {
                WebError::BadRequest("该同志在这个季度没有应报事项，请核对姓名和季度".into())
            })?
        }
    };
    Ok((plan, quarter, person))
}

async fn enter(
    desk: &Desk,
    by: Actor,
    (plan, quarter, person): (PlanId, Quarter, PersonId),
    draft: Draft,
) -> Result<Receipt, WebError> {
    let submission = Submission {
        plan,
        quarter,
        person,
        via: Via::Coordinator,
        by,
        drafts: vec![draft],
    };
    match accept(desk, submission).await {
        Ok(receipt) => Ok(receipt),
        Err(CommitError::Refused(Refusal::Faults(faults))) => {
            let words: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
            Err(WebError::BadRequest(words.join("；")))
        }
        Err(CommitError::Refused(refusal @ Refusal::Accepted(_))) => {
            Err(WebError::Conflict(refusal.to_string()))
        }
        Err(CommitError::Unavailable) => Err(WebError::Unavailable),
    }
}
