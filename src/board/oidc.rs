//! Signing in through the office's own service: away to it, and back again.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::TimeDelta;
use serde::Deserialize;

use super::door::Door;
use super::signin::{login_page, refused, welcome};
use super::users;
use crate::config::OidcConfig;
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::causes;
use crate::domain::fact::{Actor, Fact};
use crate::domain::user::{Profile, User};
use crate::store::{CommitError, Decision};
use crate::web::oidc::{FLOW_LASTS, Identity, OidcError};
use crate::web::session::Way;
use crate::web::{WebError, session};

#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
}

/// `GET /login/oidc`.
pub(super) async fn away(State(desk): State<Arc<Desk>>) -> Result<Response, WebError> {
    let service = desk.service.as_ref().ok_or(WebError::NotFound)?;
    let (to, carried) = match service.begin(&desk.link_key).await {
        Ok(begun) => begun,
        Err(error) => return failed(&desk, &error),
    };
    let mut response = Redirect::to(&to).into_response();
    if let Some(cookie) = session::carry(&desk, &carried, FLOW_LASTS) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `GET /login/oidc/callback`.
pub(super) async fn back(
    State(desk): State<Arc<Desk>>,
    Extension(door): Extension<Door>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, WebError> {
    let service = desk.service.as_ref().ok_or(WebError::NotFound)?;
    let carried = session::carried(&desk, &headers).unwrap_or_default();
    let answer = (back.state.as_str(), back.code.as_str());
    let identity = match service.finish(&desk.link_key, carried, answer).await {
        Ok(identity) => identity,
        Err(error) => return failed(&desk, &error),
    };
    let mut response = match admit(&desk, service.config(), &identity).await? {
        Some(user) => welcome(&desk, &door, &user, Way::Service).await?,
        None => stranger(&desk, &identity)?,
    };
    // It has done its work, and is good for one visit.
    if let Some(cookie) = session::carry(&desk, "", TimeDelta::zero()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The user whose identity this is; where the settings say so, one is matched by name once, or
/// added.
async fn admit(
    desk: &Desk,
    config: &OidcConfig,
    identity: &Identity,
) -> Result<Option<User>, WebError> {
    let (wanted, role) = (identity.clone(), config.create_role);
    let decide = move |book: &Book| {
        let (name, facts) = match meant(book, &wanted) {
            Meant::Known(name) => (Some(name), Vec::new()),
            Meant::ByName(user) => (Some(user.name.clone()), vec![bound(user, &wanted)]),
            Meant::Nobody => {
                let added = role.and_then(|role| added(book, &wanted, role));
                (added.as_ref().map(|(name, _)| name.clone()), {
                    added.into_iter().map(|(_, fact)| fact).collect()
                })
            }
        };
        Ok::<_, std::convert::Infallible>(Decision { facts, value: name })
    };
    let now = desk.clock.now();
    let name = match desk.ledger.commit(Actor::System, now, decide).await {
        Ok(name) => name,
        Err(CommitError::Refused(never)) => match never {},
        // The board can be read while nothing can be stored, by those who are known.
        Err(CommitError::Unavailable) => match meant(&desk.ledger.book(), identity) {
            Meant::Known(name) => Some(name),
            _ => return Err(WebError::Unavailable),
        },
    };
    let book = desk.ledger.book();
    let user = name.and_then(|name| book.users.get(&name).cloned());
    Ok(user.filter(|user| !user.disabled))
}

enum Meant<'a> {
    Known(String),
    ByName(&'a User),
    Nobody,
}

fn meant<'a>(book: &'a Book, identity: &Identity) -> Meant<'a> {
    let subject = Some(&identity.subject);
    let mut users = book.users.values();
    if let Some(user) = users.find(|user| user.profile.subject.as_ref() == subject) {
        return Meant::Known(user.name.clone());
    }
    let named = identity.name.as_ref();
    let named = named.and_then(|name| book.users.get(name));
    // Whoever is known by a subject is never taken for another one.
    match named.filter(|user| user.profile.subject.is_none()) {
        Some(user) => Meant::ByName(user),
        None => Meant::Nobody,
    }
}

/// From now on the user is known by the subject: a name may be given to somebody else one day.
fn bound(user: &User, identity: &Identity) -> Fact {
    Fact::UserChanged {
        name: user.name.clone(),
        profile: Profile {
            subject: Some(identity.subject.clone()),
            ..user.profile.clone()
        },
    }
}

fn added(
    book: &Book,
    identity: &Identity,
    role: crate::domain::user::Role,
) -> Option<(String, Fact)> {
    let name = identity.name.clone()?;
    let free = !book.users.contains_key(&name) && users::check_name(&name).is_ok();
    let fact = Fact::UserAdded {
        name: name.clone(),
        profile: Profile {
            subject: Some(identity.subject.clone()),
            ..Profile::new(role)
        },
        password_hash: String::new(),
        temporary: false,
    };
    free.then_some((name, fact))
}

fn stranger(desk: &Desk, identity: &Identity) -> Result<Response, WebError> {
    let fault = format!(
        "您已通过身份认证，但还没有看板账号，或账号已停用。请将标识“{}”告知管理员。",
        identity.subject
    );
    refused(login_page(desk, "", Some(fault))?)
}

fn failed(desk: &Desk, error: &OidcError) -> Result<Response, WebError> {
    tracing::warn!(error = %causes::told(error), "a sign-in through the service failed");
    let fault = match error {
        OidcError::NotBegun => "登录等待时间过长，或不是从本页开始的，请重新登录。",
        _ => "统一身份认证没有成功，请稍后再试，或使用密码登录；如一直如此，请联系管理员。",
    };
    refused(login_page(desk, "", Some(fault.to_owned()))?)
}
