//! Users and tokens over the command socket, for `cuiban user` and `cuiban token` while the daemon
//! runs; and for administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::tokens::{self, NewToken};
use super::users::{self, Credential, UserError};
use crate::desk::Desk;
use crate::domain::token::Scope;
use crate::domain::user::{Profile, Role, Sight, User};
use crate::web::format::rfc3339;
use crate::web::{ApiError, Caller, WebError};

/// A user to be; no `Debug`, for the password.
#[derive(Deserialize)]
pub(super) struct NewUser {
    name: String,
    #[serde(flatten)]
    profile: WireProfile,
    /// None: they come through the office's sign-in service.
    #[serde(default)]
    password: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireProfile {
    role: String,
    #[serde(default)]
    leader: Option<String>,
    #[serde(default)]
    subject: Option<String>,
}

impl WireProfile {
    fn read(self) -> Result<Profile, WebError> {
        profile(&self.role, self.leader, self.subject)
    }
}

/// What a user may do and see; empty texts are none.
pub(super) fn profile(
    role: &str,
    leader: Option<String>,
    subject: Option<String>,
) -> Result<Profile, WebError> {
    let some = |text: Option<String>| {
        let text = text.map(|text| text.trim().to_owned());
        text.filter(|text| !text.is_empty())
    };
    let role = Role::from_name(role)
        .ok_or_else(|| WebError::BadRequest("role 应为 admin、coordinator 或 viewer".to_owned()))?;
    Ok(Profile {
        role,
        sight: some(leader).map_or(Sight::Everything, Sight::Leader),
        subject: some(subject),
    })
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
    let calendar = desk.calendar();
    let book = desk.ledger.book();
    let line = |user: &User| {
        let signed_in = user.signed_in.map(|at| rfc3339(&calendar, at));
        json!({
            "name": user.name,
            "role": user.profile.role.as_str(),
            "leader": leader(&user.profile.sight),
            "subject": user.profile.subject,
            "disabled": user.disabled,
            "second_factor": user.second.is_some(),
            "signed_in": signed_in,
        })
    };
    let users: Vec<_> = users::list(&book).into_iter().map(line).collect();
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
    let profile = user.profile.read()?;
    let credential = match &user.password {
        Some(password) => Credential::Password(password),
        None => Credential::Service,
    };
    users::create(&desk, by, &user.name, profile, credential)
        .await
        .map_err(told)?;
    Ok(Json(json!({ "name": user.name })))
}

/// `POST /api/v1/users/{name}/profile`.
pub(super) async fn change(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Result<Json<WireProfile>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let by = caller.administrator()?;
    let profile = body.map_err(unreadable)?.0.read()?;
    users::change(&desk, by, &name, profile)
        .await
        .map_err(told)?;
    Ok(Json(json!({ "name": name })))
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

/// `POST /api/v1/users/{name}/enable`.
pub(super) async fn enable(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let by = caller.administrator()?;
    users::enable(&desk, by, &name).await.map_err(told)?;
    Ok(Json(json!({ "name": name })))
}

/// `POST /api/v1/users/{name}/totp-reset`.
pub(super) async fn reset_second(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let by = caller.administrator()?;
    users::reset_second(&desk, by, &name).await.map_err(told)?;
    Ok(Json(json!({ "name": name })))
}

#[derive(Deserialize)]
pub(super) struct WireToken {
    name: String,
    scopes: Vec<String>,
    #[serde(default)]
    leader: Option<String>,
    #[serde(default)]
    days: Option<u16>,
}

/// `GET /api/v1/tokens`.
pub(super) async fn list_tokens(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Json<Value>, ApiError> {
    caller.administrator()?;
    let (calendar, now) = (desk.calendar(), desk.clock.now());
    let book = desk.ledger.book();
    let tokens = book.tokens.values().map(|token| {
        let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.as_str()).collect();
        json!({
            "id": token.id,
            "name": token.name,
            "scopes": scopes,
            "leader": leader(&token.sight),
            "expires": rfc3339(&calendar, token.expires),
            "used": token.used.map(|at| rfc3339(&calendar, at)),
            "works": token.works(now),
        })
    });
    let tokens: Vec<_> = tokens.collect();
    Ok(Json(json!({ "tokens": tokens })))
}

/// `POST /api/v1/tokens`: the token itself is in the answer, and nowhere else ever again.
pub(super) async fn add_token(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    body: Result<Json<WireToken>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let by = caller.administrator()?;
    let asked = body.map_err(unreadable)?.0;
    let scopes = asked.scopes.iter().map(|name| {
        Scope::from_name(name).ok_or_else(|| {
            let names: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
            WebError::BadRequest(format!("scopes 应为 {} 中的几个", names.join("、")))
        })
    });
    let new = NewToken {
        name: asked.name,
        scopes: scopes.collect::<Result<_, _>>()?,
        leader: asked.leader,
        days: asked.days,
    };
    let made = tokens::make(&desk, by, new).await?;
    Ok(Json(json!({ "id": made.id, "token": made.text })))
}

/// `POST /api/v1/tokens/{id}/revoke`.
pub(super) async fn revoke_token(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let by = caller.administrator()?;
    tokens::revoke(&desk, by, &id).await?;
    Ok(Json(json!({ "id": id })))
}

fn leader(sight: &Sight) -> Option<&str> {
    match sight {
        Sight::Everything => None,
        Sight::Leader(name) => Some(name),
    }
}

/// The reader's own words would quote the password.
fn unreadable(_: JsonRejection) -> WebError {
    WebError::BadRequest("请求内容不是所需的 JSON".to_owned())
}

pub(super) fn told(error: UserError) -> WebError {
    match error {
        UserError::Unavailable => WebError::Unavailable,
        UserError::Exists(_) | UserError::Subject(_) => WebError::Conflict(error.to_string()),
        _ => WebError::BadRequest(error.to_string()),
    }
}
