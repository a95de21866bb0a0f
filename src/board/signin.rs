//! Signing in and out.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use serde::Deserialize;

use super::door::Door;
use super::second;
use crate::desk::Desk;
use crate::domain::fact::{Actor, Fact};
use crate::domain::user::User;
use crate::web::caller::is_unfinished;
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::session::Way;
use crate::web::{Caller, Peer, WebError, password, seal, session};

/// Seconds between the password and the code.
const BETWEEN: i64 = 300;
const BETWEEN_PURPOSE: &str = "second step";

#[derive(Deserialize)]
pub(super) struct SignIn {
    name: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Code {
    /// Whose password was right, sealed.
    pending: String,
    #[serde(default)]
    code: String,
}

#[derive(Deserialize)]
pub(super) struct Leave {
    csrf: String,
}

#[derive(Template)]
#[template(path = "board/templates/login.html", config = "src/web/askama.toml")]
struct LoginPage<'a> {
    frame: Frame<'a>,
    name: &'a str,
    fault: Option<String>,
    no_users: bool,
    /// What the office calls its sign-in service, where there is one.
    service: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "board/templates/code.html", config = "src/web/askama.toml")]
struct CodePage<'a> {
    frame: Frame<'a>,
    pending: &'a str,
    fault: Option<String>,
}

/// `GET /login`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Response, WebError> {
    if caller != Caller::Nobody {
        return Ok(Redirect::to("/").into_response());
    }
    login_page(&desk, "", None)
}

/// `POST /login`.
pub(super) async fn submit(
    State(desk): State<Arc<Desk>>,
    Extension(door): Extension<Door>,
    peer: Peer,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Result<Response, WebError> {
    let name: String = form.name.trim().chars().take(64).collect();
    let device = session::device(&desk, &headers, &name);
    let attempt = match door.knock(peer, device, &name) {
        Ok(attempt) => attempt,
        Err(wait) => return too_often(login_page(&desk, &name, Some(told(wait)))?, wait),
    };
    let user = desk.ledger.book().users.get(&name).cloned();
    let user = user.filter(|user| !user.disabled);
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = password::matches(hash, &form.password).await;
    let Some(user) = user.filter(|_| right) else {
        door.failed(&desk, &name).await;
        let fault = "账号或密码不正确。".to_owned();
        return refused(login_page(&desk, &name, Some(fault))?);
    };
    door.forgive(&attempt);
    match user.second {
        Some(_) => code_page(&desk, &pending(&desk, &user)?, None),
        None => welcome(&desk, &door, &user, Way::Password).await,
    }
}

/// `POST /login/code`: the second step.
pub(super) async fn submit_code(
    State(desk): State<Arc<Desk>>,
    Extension(door): Extension<Door>,
    Form(form): Form<Code>,
) -> Result<Response, WebError> {
    let Some(user) = pending_user(&desk, &form.pending) else {
        let fault = "等待时间过长，请重新登录。".to_owned();
        return refused(login_page(&desk, "", Some(fault))?);
    };
    if let Err(wait) = door.knock_with_code(&user.name) {
        let page = code_page(&desk, &form.pending, Some(told(wait)))?;
        return too_often(page, wait);
    }
    if second::take(&desk, &user, &form.code, door.unwritten()).await? {
        door.forgive_codes(&user.name);
        return welcome(&desk, &door, &user, Way::Password).await;
    }
    door.failed(&desk, &user.name).await;
    let fault = "验证码不正确或已用过，请输入验证器上最新的6位数字。".to_owned();
    refused(code_page(&desk, &form.pending, Some(fault))?)
}

/// `POST /logout`.
pub(super) async fn leave(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    headers: HeaderMap,
    Form(form): Form<Leave>,
) -> Result<Response, WebError> {
    caller.check_csrf(&form.csrf)?;
    let mut response = Redirect::to("/login").into_response();
    if let Some(cookie) = session::end(&desk, &headers) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Lets somebody in who has shown who they are.
pub(super) async fn welcome(
    desk: &Desk,
    door: &Door,
    user: &User,
    way: Way,
) -> Result<Response, WebError> {
    let failed = door.left(&user.name);
    let signed_in = Fact::SignedIn {
        name: user.name.clone(),
    };
    let facts = failed.into_iter().chain([signed_in]).collect();
    let by = Actor::User(user.name.clone());
    // While the store is read-only the board can still be read: a sign-in that cannot be written
    // down is logged instead.
    if let Err(error) = desk.ledger.append(by, desk.clock.now(), facts).await {
        tracing::warn!(user = %user.name, error = %error, "a sign-in was not recorded");
    }
    let cookie = session::begin(desk, user, way).ok_or(WebError::Unavailable)?;
    let to = match is_unfinished(desk, user, way) {
        true => "/account",
        false => "/",
    };
    let mut response = Redirect::to(to).into_response();
    let headers = response.headers_mut();
    headers.insert(SET_COOKIE, cookie);
    if let Some(device) = session::remember(desk, &user.name) {
        headers.append(SET_COOKIE, device);
    }
    Ok(response)
}

/// Who has given the right password and not the code yet.
fn pending(desk: &Desk, user: &User) -> Result<String, WebError> {
    let until = session::real_time().timestamp() + BETWEEN;
    let text = format!("{} {until} {}", user.epoch, user.name);
    seal::seal(&desk.link_key, BETWEEN_PURPOSE, "", text.as_bytes())
}

fn pending_user(desk: &Desk, sealed: &str) -> Option<User> {
    let text = seal::open(&desk.link_key, BETWEEN_PURPOSE, "", sealed)?;
    let text = String::from_utf8(text).ok()?;
    let mut parts = text.splitn(3, ' ');
    let epoch: u32 = parts.next()?.parse().ok()?;
    let until: i64 = parts.next()?.parse().ok()?;
    let user = desk.ledger.book().users.get(parts.next()?).cloned()?;
    let good = session::real_time().timestamp() < until && user.epoch == epoch && !user.disabled;
    good.then_some(user)
}

/// What to do after too many tries.
pub(super) fn told(wait: Duration) -> String {
    let seconds = wait.as_secs().max(1);
    format!("密码输错次数过多，请在{seconds}秒后再试。")
}

pub(super) fn too_often(mut response: Response, wait: Duration) -> Result<Response, WebError> {
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = HeaderValue::from(wait.as_secs().max(1));
    response.headers_mut().insert(RETRY_AFTER, seconds);
    Ok(response)
}

pub(super) fn refused(mut response: Response) -> Result<Response, WebError> {
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    Ok(response)
}

pub(super) fn login_page(
    desk: &Desk,
    name: &str,
    fault: Option<String>,
) -> Result<Response, WebError> {
    let no_users = desk.ledger.book().users.is_empty();
    let html = page(&LoginPage {
        frame: Frame::new(desk, &Caller::Nobody, ""),
        name,
        fault,
        no_users,
        service: desk
            .service
            .as_ref()
            .map(|service| service.config().name.as_str()),
    })?;
    Ok(html.into_response())
}

fn code_page(desk: &Desk, pending: &str, fault: Option<String>) -> Result<Response, WebError> {
    let html = page(&CodePage {
        frame: Frame::new(desk, &Caller::Nobody, ""),
        pending,
        fault,
    })?;
    Ok(html.into_response())
}
