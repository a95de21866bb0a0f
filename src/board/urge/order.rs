//! As JSON, for `cuiban urge`: in every plan that has the quarter.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::Deserialize;

use super::answer::UrgeAnswer;
use super::commit;
use super::scope::Scope;
use crate::board::api::read_quarter;
use crate::board::pages::bad;
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::due::UrgeFilter;
use crate::domain::ids::PlanId;
use crate::web::{ApiError, Caller, WebError};

/// What `cuiban urge` asks for.
#[derive(Debug, Deserialize)]
pub(in crate::board) struct Order {
    quarter: String,
    plan: Option<String>,
    unit: Option<String>,
    person: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

/// `POST /api/v1/urge`: 催办 now in every plan that has this quarter, or who would be urged.
pub(in crate::board) async fn order(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    body: Result<Json<Order>, JsonRejection>,
) -> Result<Json<UrgeAnswer>, ApiError> {
    let by = caller.writer()?;
    let Json(order) = body.map_err(|error| WebError::BadRequest(error.body_text()))?;
    let quarter = read_quarter(&order.quarter)?;
    let sight = caller.sight();
    let plan = order.plan.as_deref().map(PlanId::new);
    let plan = plan.transpose().map_err(bad)?;
    let dry = order.dry_run;
    let scopes = move |book: &Book| {
        let filter = UrgeFilter {
            person: match &order.person {
                Some(who) => Some(
                    book.find_person(who)
                        .map_err(|error| WebError::BadRequest(error.to_string()))?,
                ),
                None => None,
            },
            unit: order.unit.clone(),
            items: None,
            seen: None,
        };
        if let Some(unit) = &filter.unit {
            must_know_unit(book, unit)?;
        }
        let plans = book
            .plans
            .keys()
            .filter(|known| plan.as_ref().is_none_or(|plan| plan == *known));
        let scope = |plan: &PlanId| Scope {
            plan: plan.clone(),
            quarter,
            filter: filter.clone(),
            sight: sight.clone(),
        };
        Ok(plans.map(scope).collect())
    };
    Ok(Json(commit(&desk, by, scopes, dry).await?))
}

fn must_know_unit(book: &Book, unit: &str) -> Result<(), WebError> {
    let mut groups = book
        .plans
        .values()
        .flat_map(|plan| plan.tasks.values())
        .flat_map(|task| &task.groups);
    let known =
        groups.any(|group| group.unit == unit || group.unit.split('、').any(|one| one == unit));
    match known {
        true => Ok(()),
        false => Err(WebError::BadRequest(format!(
            "没有找到单位“{unit}”，请按分解表“牵头单位”一栏填写"
        ))),
    }
}
