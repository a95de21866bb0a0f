//! Users of the board, from the command line.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::{Fault, Operator};
use crate::app::answers::{Done, UserLine};
use crate::board::users::{self, UserError};
use crate::domain::fact::Actor;
use crate::domain::user::{Role, User};

/// All users.
pub(super) async fn list(State(operator): State<Arc<Operator>>) -> Json<Vec<UserLine>> {
    let line = |user: &User| UserLine {
        name: user.name.clone(),
        role: user.role.as_str().into(),
        disabled: user.disabled,
    };
    let book = operator.desk.ledger.book();
    Json(users::list(&book).into_iter().map(line).collect())
}

#[derive(Deserialize)]
pub(super) struct NewUser {
    name: String,
    role: String,
    password: String,
}

/// Adds a user.
pub(super) async fn add(
    State(operator): State<Arc<Operator>>,
    Json(new): Json<NewUser>,
) -> Result<Json<Done>, Fault> {
    let role = Role::from_name(&new.role)
        .ok_or_else(|| Fault::usage("权限只能是 admin、coordinator 或 viewer"))?;
    let NewUser { name, password, .. } = new;
    users::add(&operator.desk, Actor::Operator, &name, role, &password).await?;
    Ok(done(format!("已新增账号“{name}”（{}）", role.chinese())))
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    password: String,
}

/// Gives a user a new password.
pub(super) async fn set_password(
    State(operator): State<Arc<Operator>>,
    Path(name): Path<String>,
    Json(new): Json<NewPassword>,
) -> Result<Json<Done>, Fault> {
    users::set_password(&operator.desk, Actor::Operator, &name, &new.password).await?;
    Ok(done(format!("已更换账号“{name}”的密码，原有登录已失效")))
}

/// Keeps a user from signing in.
pub(super) async fn disable(
    State(operator): State<Arc<Operator>>,
    Path(name): Path<String>,
) -> Result<Json<Done>, Fault> {
    users::disable(&operator.desk, Actor::Operator, &name).await?;
    Ok(done(format!("已停用账号“{name}”，原有登录已失效")))
}

fn done(message: String) -> Json<Done> {
    Json(Done { message })
}

impl From<UserError> for Fault {
    fn from(error: UserError) -> Self {
        Self::failed(error.to_string())
    }
}
