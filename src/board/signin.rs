//! Signing in and out.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use serde::Deserialize;

use crate::desk::Desk;
use crate::domain::fact::{Actor, Fact};
use crate::domain::user::User;
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::limit::Throttle;
use crate::web::{Caller, Peer, WebError, password, session};

/// Counts wrong passwords. By address and name, so that guessing at a name from elsewhere locks
/// nobody out; and by address alone, against guessing at many names.
#[derive(Clone)]
pub(super) struct Door {
    pairs: Arc<Throttle<(Option<IpAddr>, String)>>,
    addresses: Arc<Throttle<Option<IpAddr>>>,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            pairs: Arc::new(Throttle::new(5, Duration::from_secs(60))),
            addresses: Arc::new(Throttle::new(60, Duration::from_secs(20))),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    name: String,
    password: String,
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
    Form(form): Form<SignIn>,
) -> Result<Response, WebError> {
    let name: String = form.name.trim().chars().take(64).collect();
    let pair = (peer.0, name.clone());
    let now = Instant::now();
    // Taken before the check and given back after a good one: guesses sent all at once count too.
    let wait = door.pairs.take(&pair, now).err();
    let wait = wait.or_else(|| door.addresses.take(&peer.0, now).err());
    if let Some(wait) = wait {
        let seconds = wait.as_secs().max(1);
        let fault = format!("密码输错次数过多，请在{seconds}秒后再试。");
        let mut response = login_page(&desk, &name, Some(fault))?;
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let headers = response.headers_mut();
        headers.insert("retry-after", HeaderValue::from(seconds));
        return Ok(response);
    }
    let user = desk.ledger.book().users.get(&name).cloned();
    let user = user.filter(|user| !user.disabled);
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = password::matches(hash, &form.password).await;
    match user.filter(|_| right) {
        Some(user) => {
            door.pairs.forgive(&pair);
            welcome(&desk, &user).await
        }
        None => {
            let fault = "账号或密码不正确。".to_owned();
            let mut response = login_page(&desk, &name, Some(fault))?;
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            Ok(response)
        }
    }
}

/// `POST /logout`.
pub(super) async fn leave(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Leave>,
) -> Result<Response, WebError> {
    caller.check_csrf(&form.csrf)?;
    let mut response = Redirect::to("/login").into_response();
    if let Some(cookie) = session::end(&desk) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn welcome(desk: &Desk, user: &User) -> Result<Response, WebError> {
    let fact = Fact::SignedIn {
        name: user.name.clone(),
    };
    let by = Actor::User(user.name.clone());
    // While the store is read-only the board can still be read: a sign-in that cannot be written
    // down is logged instead.
    if let Err(error) = desk.ledger.append(by, desk.clock.now(), vec![fact]).await {
        tracing::warn!(user = %user.name, error = %error, "a sign-in was not recorded");
    }
    let cookie = session::begin(desk, user).ok_or(WebError::Unavailable)?;
    let mut response = Redirect::to("/").into_response();
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

fn login_page(desk: &Desk, name: &str, fault: Option<String>) -> Result<Response, WebError> {
    let no_users = desk.ledger.book().users.is_empty();
    let html = page(&LoginPage {
        frame: Frame::new(desk, &Caller::Nobody, ""),
        name,
        fault,
        no_users,
    })?;
    Ok(html.into_response())
}
