//! The board's JSON, under a session or over the command socket.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{deliveries, history, text, wire};
use crate::desk::Desk;
use crate::domain::board::{Filter, Show, present, quarter_view};
use crate::domain::ids::{PersonId, PlanId, Quarter};
use crate::domain::token::Scope;
use crate::domain::user::Sight;
use crate::web::format::rfc3339;
use crate::web::{ApiError, Caller, WebError, as_of};

/// What `/api/v1/board` may be asked for.
#[derive(Deserialize, Default)]
pub(super) struct BoardQuery {
    plan: Option<String>,
    quarter: Option<String>,
    as_of: Option<String>,
    unit: Option<String>,
    owner: Option<String>,
    state: Option<String>,
    /// `text`: the table for the terminal instead of JSON.
    format: Option<String>,
}

/// `GET /api/v1/board`. A moment still ahead is taken for the present one.
pub(super) async fn board(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    query: Result<Query<BoardQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.may(Scope::BoardRead)?;
    let Query(query) = query.map_err(unreadable)?;
    let calendar = desk.calendar();
    let now = desk.clock.now();
    let as_of = query.as_of.as_deref().filter(|text| !text.is_empty());
    let asked = as_of.map(|text| as_of::read(&calendar, text)).transpose()?;
    let filter = Filter {
        sight: caller.sight(),
        ..filter(&query)?
    };
    let quarter = query.quarter.as_deref().map(read_quarter).transpose()?;
    let quarter = quarter.or_else(|| {
        present(
            &desk.ledger.book(),
            &desk.rules.now().policy,
            &calendar,
            now,
        )
        .map(|(_, quarter)| quarter)
    });
    let quarter = quarter.unwrap_or_else(|| Quarter::of(calendar.date_of(now)));
    let view = history::ask(&desk, asked, move |book, at| {
        quarter_view(book, quarter, at, &filter)
    })
    .await?;
    Ok(match query.format.as_deref() {
        Some("text") => text::status(&view, &calendar).into_response(),
        _ => Json(wire::status(&view, &calendar)).into_response(),
    })
}

/// What `/api/v1/deliveries` may be asked for.
#[derive(Deserialize)]
pub(super) struct DeliveriesQuery {
    state: Option<String>,
    quarter: Option<String>,
}

/// `GET /api/v1/deliveries`.
pub(super) async fn deliveries(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    query: Result<Query<DeliveriesQuery>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    caller.may(Scope::DeliveriesRead)?;
    caller.unlimited()?;
    let Query(query) = query.map_err(unreadable)?;
    let quarter = query.quarter.as_deref().map(read_quarter).transpose()?;
    let state = query.state.as_deref().filter(|state| !state.is_empty());
    if state.is_some_and(|state| !deliveries::STATES.iter().any(|(name, _)| *name == state)) {
        let names: Vec<_> = deliveries::STATES.iter().map(|(name, _)| *name).collect();
        let message = format!("state 应为 {} 之一", names.join("、"));
        return Err(WebError::BadRequest(message).into());
    }
    let calendar = desk.calendar();
    let book = desk.ledger.book();
    let rows: Vec<_> = deliveries::select(&book, quarter, state, &caller.sight())
        .into_iter()
        .map(|delivery| wire::delivery(&book, delivery, &calendar))
        .collect();
    Ok(Json(json!({ "deliveries": rows })))
}

#[derive(Deserialize)]
pub(super) struct Move {
    advance_to: String,
}

/// `POST /api/v1/clock`: moves a simulated clock through every stage on the way. Open to everyone:
/// where time is simulated nothing is real, and elsewhere there is nothing to move.
pub(super) async fn clock(
    State(desk): State<Arc<Desk>>,
    body: Result<Json<Move>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(body) = body.map_err(|error| WebError::BadRequest(error.body_text()))?;
    let to = as_of::read(&desk.calendar(), &body.advance_to)?;
    let Some(advance) = &desk.advance else {
        let message = "时间由系统时钟决定，只有模拟时间可以拨动";
        return Err(WebError::Conflict(message.into()).into());
    };
    if to < desk.clock.now() {
        let message = "模拟时间只能往后拨，不能往回拨";
        return Err(WebError::BadRequest(message.into()).into());
    }
    advance(to).await.map_err(WebError::Conflict)?;
    let now = rfc3339(&desk.calendar(), desk.clock.now());
    Ok(Json(json!({ "now": now })))
}

fn unreadable(error: QueryRejection) -> WebError {
    WebError::BadRequest(error.body_text())
}

pub(super) fn read_quarter(text: &str) -> Result<Quarter, WebError> {
    text.parse()
        .map_err(|error: crate::domain::ids::BadId| WebError::BadRequest(error.to_string()))
}

fn filter(query: &BoardQuery) -> Result<Filter, WebError> {
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let bad = |error: crate::domain::ids::BadId| WebError::BadRequest(error.to_string());
    let show = match some(&query.state) {
        None => Show::All,
        Some(name) => Show::from_name(&name).ok_or_else(|| {
            let names: Vec<_> = Show::ALL.iter().map(|show| show.as_str()).collect();
            WebError::BadRequest(format!("state 应为 {} 之一", names.join("、")))
        })?,
    };
    Ok(Filter {
        plan: some(&query.plan)
            .map(|id| PlanId::new(&id))
            .transpose()
            .map_err(bad)?,
        unit: some(&query.unit),
        owner: some(&query.owner)
            .map(|id| PersonId::new(&id))
            .transpose()
            .map_err(bad)?,
        show,
        sight: Sight::default(),
    })
}
