//! One's own account: password, second factor, sessions.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::ExtensionRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Extension, Form};
use serde::Deserialize;

use super::door::Door;
use super::second::{self, Offer};
use super::signin::{told, too_often};
use super::users;
use crate::desk::Desk;
use crate::domain::fact::Actor;
use crate::domain::password::SHORTEST;
use crate::domain::user::{Sight, User};
use crate::web::error::page;
use crate::web::format::moment;
use crate::web::frame::Frame;
use crate::web::session::Way;
use crate::web::{Caller, WebError, password, session};

#[derive(Deserialize, Default)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    csrf: String,
    old: String,
    new: String,
    again: String,
}

/// A form that only somebody at the keyboard may send.
#[derive(Deserialize)]
pub(super) struct Sure {
    csrf: String,
    #[serde(default)]
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Confirm {
    csrf: String,
    sealed: String,
    #[serde(default)]
    code: String,
}

/// A request to one's own account, with what is needed to answer it.
pub(super) struct Visit {
    desk: Arc<Desk>,
    door: Door,
    caller: Caller,
    headers: HeaderMap,
}

/// `GET /account`.
pub(super) async fn show(visit: Visit, Query(done): Query<Done>) -> Result<Response, WebError> {
    let user = visit.user()?;
    let notice = match done.done.as_str() {
        "password" => "密码已更换，其他地方的登录已退出。",
        "second" => "已停用验证器，其他地方的登录已退出。",
        _ => "",
    };
    visit.account_page(&user, Said::Good(notice.into()))
}

/// `POST /account/password`.
pub(super) async fn set_password(
    visit: Visit,
    Form(form): Form<NewPassword>,
) -> Result<Response, WebError> {
    let user = visit.writer(&form.csrf)?;
    if let Err(refused) = visit.prove(&user, &form.old).await {
        return refused;
    }
    let fault = match () {
        () if form.new != form.again => Some("两次输入的新密码不一致。".to_owned()),
        () if form.new == form.old => Some("新密码不能与原密码相同。".to_owned()),
        () => {
            let by = Actor::User(user.name.clone());
            let set = users::set_password(&visit.desk, by, &user.name, &form.new).await;
            set.err().map(|error| format!("{error}。"))
        }
    };
    if let Some(fault) = fault {
        return visit.account_page(&user, Said::Bad(fault));
    }
    visit.anew(&user.name, "/account?done=password")
}

/// `POST /account/second`: offers a secret to the authenticator.
pub(super) async fn offer(visit: Visit, Form(form): Form<Sure>) -> Result<Response, WebError> {
    let user = visit.writer(&form.csrf)?;
    if let Err(refused) = visit.prove(&user, &form.password).await {
        return refused;
    }
    let offer = second::offer(&visit.desk, &user.name)?;
    visit.offer_page(&offer, None)
}

/// `POST /account/second/confirm`: takes it up, once a code shows that it is in the telephone.
pub(super) async fn confirm(visit: Visit, Form(form): Form<Confirm>) -> Result<Response, WebError> {
    let user = visit.writer(&form.csrf)?;
    match second::confirm(&visit.desk, &user.name, &form.sealed, &form.code).await? {
        Some(codes) => {
            let frame = visit.frame();
            Ok(page(&CodesPage { frame, codes })?.into_response())
        }
        None => {
            let offer = second::offer_again(&visit.desk, &user.name, &form.sealed)?;
            let fault = "验证码不正确，请输入验证器上最新的6位数字；如一直不对，请检查手机的时间。";
            visit.offer_page(&offer, Some(fault))
        }
    }
}

/// `POST /account/second/remove`.
pub(super) async fn remove(visit: Visit, Form(form): Form<Sure>) -> Result<Response, WebError> {
    let user = visit.writer(&form.csrf)?;
    if visit.desk.second_for.contains(&user.profile.role) {
        return Err(WebError::Forbidden("您的账号必须使用验证器，不能停用。"));
    }
    if let Err(refused) = visit.prove(&user, &form.password).await {
        return refused;
    }
    let by = Actor::User(user.name.clone());
    users::reset_second(&visit.desk, by, &user.name)
        .await
        .map_err(super::users_api::told)?;
    visit.anew(&user.name, "/account?done=second")
}

/// `POST /account/sessions/end`: signs out everywhere, here too.
pub(super) async fn end_sessions(
    visit: Visit,
    Form(form): Form<Sure>,
) -> Result<Response, WebError> {
    let user = visit.writer(&form.csrf)?;
    let by = Actor::User(user.name.clone());
    users::end_sessions(&visit.desk, by, &user.name)
        .await
        .map_err(super::users_api::told)?;
    let mut response = Redirect::to("/login").into_response();
    if let Some(cookie) = session::end(&visit.desk, &visit.headers) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

impl FromRequestParts<Arc<Desk>> for Visit {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        desk: &Arc<Desk>,
    ) -> Result<Self, ExtensionRejection> {
        let Extension(door) = Extension::from_request_parts(parts, desk).await?;
        let Ok(caller) = Caller::from_request_parts(parts, desk).await;
        Ok(Self {
            desk: Arc::clone(desk),
            door,
            caller,
            headers: parts.headers.clone(),
        })
    }
}

impl Visit {
    /// The user whose account it is, by a form of the page's own.
    fn writer(&self, csrf: &str) -> Result<User, WebError> {
        self.caller.check_csrf(csrf)?;
        self.user()
    }

    /// The user whose account it is; a trial run's visitor and the command socket have none.
    fn user(&self) -> Result<User, WebError> {
        self.caller.reader()?;
        let book = self.desk.ledger.book();
        let user = match &self.caller {
            Caller::User { name, .. } => book.users.get(name).cloned(),
            _ => None,
        };
        user.ok_or(WebError::Forbidden("演示中没有账号，不需要登录。"))
    }

    /// Asks for the password once more, so that a browser left open is not enough; whoever has none
    /// has shown who they are elsewhere. The error is the page to answer with.
    async fn prove(&self, user: &User, typed: &str) -> Result<(), Result<Response, WebError>> {
        if user.password_hash.is_empty() {
            return Ok(());
        }
        let attempt = match self.door.knock_within(&user.name) {
            Ok(attempt) => attempt,
            Err(wait) => {
                let page = self.account_page(user, Said::Bad(told(wait)));
                return Err(page.and_then(|page| too_often(page, wait)));
            }
        };
        if password::matches(Some(user.password_hash.clone()), typed).await {
            self.door.forgive(&attempt);
            return Ok(());
        }
        self.door.failed(&self.desk, &user.name).await;
        Err(self.account_page(user, Said::Bad("当前密码不正确。".to_owned())))
    }

    /// A new session in place of those that ended with the change.
    fn anew(&self, name: &str, to: &str) -> Result<Response, WebError> {
        // The one of this browser too, so that a copy of its cookie is worth nothing.
        let _ = session::end(&self.desk, &self.headers);
        let user = self.desk.ledger.book().users.get(name).cloned();
        let user = user.ok_or(WebError::NotFound)?;
        let cookie =
            session::begin(&self.desk, &user, Way::Password).ok_or(WebError::Unavailable)?;
        let mut response = Redirect::to(to).into_response();
        response.headers_mut().insert(SET_COOKIE, cookie);
        Ok(response)
    }

    fn frame(&self) -> Frame<'_> {
        Frame::new(&self.desk, &self.caller, "account")
    }

    fn account_page(&self, user: &User, said: Said) -> Result<Response, WebError> {
        let calendar = self.desk.calendar();
        let way = session::find(&self.desk, &self.headers).map(|found| found.way);
        let required = self.desk.second_for.contains(&user.profile.role);
        let (good, bad) = match said {
            Said::Good(words) => (words, String::new()),
            Said::Bad(words) => (String::new(), words),
        };
        let status = match bad.is_empty() {
            true => StatusCode::OK,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let html = page(&AccountPage {
            frame: self.frame(),
            user,
            leader: match &user.profile.sight {
                Sight::Everything => None,
                Sight::Leader(name) => Some(name),
            },
            signed_in: user.signed_in.map(|at| moment(&calendar, at)),
            has_password: !user.password_hash.is_empty(),
            shortest: SHORTEST,
            required,
            must_second: required && user.second.is_none() && way == Some(Way::Password),
            left: user.second.as_ref().map_or(0, |one| one.recovery.len()),
            good,
            bad,
        })?;
        Ok((status, html).into_response())
    }

    fn offer_page(&self, offer: &Offer, fault: Option<&str>) -> Result<Response, WebError> {
        let html = page(&OfferPage {
            frame: self.frame(),
            offer,
            fault,
        })?;
        let status = match fault {
            None => StatusCode::OK,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Ok((status, html).into_response())
    }
}

enum Said {
    Good(String),
    Bad(String),
}

#[derive(Template)]
#[template(path = "board/templates/account.html", config = "src/web/askama.toml")]
struct AccountPage<'a> {
    frame: Frame<'a>,
    user: &'a User,
    leader: Option<&'a str>,
    signed_in: Option<String>,
    has_password: bool,
    shortest: usize,
    /// Whether the second factor is not theirs to choose.
    required: bool,
    must_second: bool,
    left: usize,
    good: String,
    bad: String,
}

#[derive(Template)]
#[template(path = "board/templates/offer.html", config = "src/web/askama.toml")]
struct OfferPage<'a> {
    frame: Frame<'a>,
    offer: &'a Offer,
    fault: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "board/templates/codes.html", config = "src/web/askama.toml")]
struct CodesPage<'a> {
    frame: Frame<'a>,
    codes: Vec<String>,
}
