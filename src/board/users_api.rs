//! Users over the command socket, for `cuiban user` while the daemon runs; and for administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::users::{self, UserError};
use crate::desk::Desk;
use crate::domain::user::Role;
use crate::web::{ApiError, Caller, WebError};

/// A user to be; no `Debug`, for the password.
#[derive(Deserialize)]
pub(super) struct NewUser {
    name: String,
    role: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    password: String,
}

/// `GET /api/v1/users`.
pub(super) async fn list(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Json<Value>, ApiError> {
    caller.administrator()?;
    let book = desk.ledger.book();
    let users: Vec<_> = users::list(&book)
        .into_iter()
        .map(|user| {
            json!({ "name": user.name, "role": user.role.as_str(), "disabled": user.disabled })
        })
        .collect();
    Ok(Json(json!({ "users": users })))
}

/// `POST /api/v1/users`.
pub(super) async fn add(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    body: Result<Json<NewUser>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let by = caller.administrator()?;
    let user = body.map_err(unreadable)?.0;
    let role = Role::from_name(&user.role)
        .ok_or_else(|| WebError::BadRequest("role 应为 admin、coordinator 或 viewer".to_owned()))?;
    users::add(&desk, by, &user.name, role, &user.password)
        .await
        .map_err(told)?;
    Ok(Json(json!({ "name": user.name })))
}

/// `POST /api/v1/users/{name}/password`.
pub(super) async fn set_password(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Result<Json<NewPassword>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let by = caller.administrator()?;
    let password = body.map_err(unreadable)?.0.password;
    users::set_password(&desk, by, &name, &password)
        .await
        .map_err(told)?;
    Ok(Json(json!({ "name": name })))
}

/// `POST /api/v1/users/{name}/disable`.
pub(super) async fn disable(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let by = caller.administrator()?;
    users::disable(&desk, by, &name).await.map_err(told)?;
    Ok(Json(json!({ "name": name })))
}

/// The reader's own words would quote the password.
fn unreadable(_: JsonRejection) -> WebError {
    WebError::BadRequest("请求内容不是所需的 JSON".to_owned())
}

fn told(error: UserError) -> WebError {
    match error {
        UserError::Unavailable => WebError::Unavailable,
        UserError::Exists(_) => WebError::Conflict(error.to_string()),
        UserError::Name(_) | UserError::Unknown(_) | UserError::Password(_) => {
            WebError::BadRequest(error.to_string())
        }
    }
}
