//! `/users`: the accounts of the board, for administrators.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::users::{self, Credential, UserError};
use super::users_api::profile;
use crate::desk::Desk;
use crate::domain::access::Page;
use crate::domain::fact::Actor;
use crate::domain::user::{Role, Sight, User};
use crate::web::error::page;
use crate::web::format::brief;
use crate::web::frame::Frame;
use crate::web::{Caller, WebError, audit, password};

#[derive(Deserialize)]
pub(super) struct Order {
    csrf: String,
    /// `add`, `change`, `password`, `second`, `disable`, `enable`.
    r#do: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    leader: String,
    #[serde(default)]
    subject: String,
    /// Whether somebody new comes through the office's sign-in service only.
    #[serde(default)]
    service: String,
}

/// What was done.
#[derive(Default)]
struct Outcome {
    good: String,
    bad: String,
    /// Whose password was made, and the password, shown once.
    password: Option<(String, String)>,
}

/// `GET /users`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Response, WebError> {
    caller.administrator()?;
    audit::viewed(&desk, &caller, Page::Users, "");
    users_page(&desk, &caller, Outcome::default())
}

/// `POST /users`.
pub(super) async fn submit(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(order): Form<Order>,
) -> Result<Response, WebError> {
    let by = caller.administrator()?;
    caller.check_csrf(&order.csrf)?;
    let outcome = match carry_out(&desk, by, &order).await? {
        Ok(outcome) => outcome,
        Err(UserError::Unavailable) => return Err(WebError::Unavailable),
        Err(error) => Outcome {
            bad: format!("{error}。"),
            ..Outcome::default()
        },
    };
    users_page(&desk, &caller, outcome)
}

async fn carry_out(
    desk: &Desk,
    by: Actor,
    order: &Order,
) -> Result<Result<Outcome, UserError>, WebError> {
    let name = order.name.trim();
    let wanted = || {
        let (leader, subject) = (order.leader.clone(), order.subject.clone());
        profile(&order.role, Some(leader), Some(subject))
    };
    Ok(match order.r#do.as_str() {
        "add" => add(desk, by, name, wanted()?, !order.service.is_empty()).await,
        "change" => said(
            users::change(desk, by, name, wanted()?).await,
            format!("已更改账号“{name}”的权限，该账号需重新登录。"),
        ),
        "password" => {
            let made = users::reset_password(desk, by, name).await;
            made.map(|password| shown(name, password))
        }
        "second" => said(
            users::reset_second(desk, by, name).await,
            format!("已清除账号“{name}”的验证器，该账号可凭密码登录后重新设置。"),
        ),
        "disable" => said(
            users::disable(desk, by, name).await,
            format!("已停用账号“{name}”，原有登录已失效。"),
        ),
        "enable" => said(
            users::enable(desk, by, name).await,
            format!("已恢复账号“{name}”。"),
        ),
        _ => return Err(WebError::BadRequest("请选择要办理的操作。".into())),
    })
}

async fn add(
    desk: &Desk,
    by: Actor,
    name: &str,
    profile: crate::domain::user::Profile,
    service: bool,
) -> Result<Outcome, UserError> {
    if service {
        users::create(desk, by, name, profile, Credential::Service).await?;
        return Ok(Outcome {
            good: format!("已新增账号“{name}”，通过统一身份认证登录。"),
            ..Outcome::default()
        });
    }
    let password = password::temporary()?;
    users::create(desk, by, name, profile, Credential::Temporary(&password)).await?;
    Ok(shown(name, password))
}

fn said(done: Result<(), UserError>, good: String) -> Result<Outcome, UserError> {
    done.map(|()| Outcome {
        good,
        ..Outcome::default()
    })
}

fn shown(name: &str, password: String) -> Outcome {
    Outcome {
        password: Some((name.to_owned(), password)),
        ..Outcome::default()
    }
}

#[derive(Template)]
#[template(path = "board/templates/users.html", config = "src/web/askama.toml")]
struct UsersPage<'a> {
    frame: Frame<'a>,
    outcome: Outcome,
    rows: Vec<Row>,
    roles: [Role; 3],
    leaders: Vec<String>,
    service: bool,
}

struct Row {
    name: String,
    role: Role,
    leader: String,
    subject: String,
    second: bool,
    temporary: bool,
    has_password: bool,
    disabled: bool,
    oneself: bool,
    signed_in: String,
}

fn users_page(desk: &Desk, caller: &Caller, outcome: Outcome) -> Result<Response, WebError> {
    let calendar = desk.calendar();
    let me = match caller {
        Caller::User { name, .. } => name.as_str(),
        _ => "",
    };
    let row = |user: &User| Row {
        name: user.name.clone(),
        role: user.profile.role,
        leader: match &user.profile.sight {
            Sight::Everything => String::new(),
            Sight::Leader(name) => name.clone(),
        },
        subject: user.profile.subject.clone().unwrap_or_default(),
        second: user.second.is_some(),
        temporary: user.temporary,
        has_password: !user.password_hash.is_empty(),
        disabled: user.disabled,
        oneself: user.name == me,
        signed_in: user
            .signed_in
            .map_or("从未登录".into(), |at| brief(&calendar, at)),
    };
    let (rows, leaders) = {
        let book = desk.ledger.book();
        let mut rows: Vec<Row> = users::list(&book).into_iter().map(row).collect();
        rows.sort_by_key(|row| row.disabled);
        let leaders = users::leaders(&book).into_iter().map(str::to_owned);
        (rows, leaders.collect())
    };
    let status = match outcome.bad.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let html = page(&UsersPage {
        frame: Frame::new(desk, caller, "users"),
        outcome,
        rows,
        roles: [Role::Viewer, Role::Coordinator, Role::Admin],
        leaders,
        service: desk.service.is_some(),
    })?;
    Ok((status, html).into_response())
}
