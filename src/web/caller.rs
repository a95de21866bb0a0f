//! Who is calling, and from where.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::bearer;
use super::error::{ApiError, WebError};
use super::session::{self, Way};
use crate::config::network::Network;
use crate::desk::Desk;
use crate::domain::fact::Actor;
use crate::domain::token::Scope;
use crate::domain::user::{Role, Sight, User};

const NOT_FOR_TOKENS: WebError = WebError::Forbidden("令牌不能用在这里。");

/// The name under which a trial run's visitor acts.
pub const DEMO_USER: &str = "演示";

/// Who is calling. Every request that passed [`identify`] carries one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Over the command socket: the file's permissions have let them in.
    Operator,
    /// Signed in to the board, or the visitor of a trial run.
    User {
        /// The sign-in name.
        name: String,
        /// What they may do.
        role: Role,
        /// What they may see; every page and every answer keeps to it.
        sight: Sight,
        /// What every form of theirs has to bring back.
        csrf: String,
    },
    /// Another system with a token: it may do what its scopes say, and nothing else.
    Token {
        /// The token's name.
        name: String,
        /// What it is good for.
        scopes: Vec<Scope>,
        /// What it may see.
        sight: Sight,
    },
    /// Anybody.
    Nobody,
}

impl Caller {
    /// As whom they act.
    ///
    /// # Errors
    /// [`WebError::SignIn`] for nobody, [`WebError::Forbidden`] for those who may only read.
    pub fn writer(&self) -> Result<Actor, WebError> {
        match self {
            Self::Operator => Ok(Actor::Operator),
            Self::User { name, role, .. } if role.may_write() => Ok(Actor::User(name.clone())),
            Self::User { .. } => Err(WebError::Forbidden(
                "您的账号只能查看，不能修改。如需办理，请联系督查科管理员。",
            )),
            Self::Token { .. } => Err(NOT_FOR_TOKENS),
            Self::Nobody => Err(WebError::SignIn),
        }
    }

    /// As whom they act on users.
    ///
    /// # Errors
    /// As for [`Self::writer`], also for coordinators.
    pub fn administrator(&self) -> Result<Actor, WebError> {
        match self {
            Self::User { role, .. } if *role != Role::Admin => {
                Err(WebError::Forbidden("只有管理员可以管理账号和令牌。"))
            }
            _ => self.writer(),
        }
    }

    /// Lets all people through who have signed in. What they see has to keep to [`Self::sight`];
    /// where that makes no sense, ask [`Self::office`].
    ///
    /// # Errors
    /// [`WebError::SignIn`] for nobody; tokens have doors of their own.
    pub fn reader(&self) -> Result<(), WebError> {
        match self {
            Self::Nobody => Err(WebError::SignIn),
            Self::Token { .. } => Err(NOT_FOR_TOKENS),
            Self::Operator | Self::User { .. } => Ok(()),
        }
    }

    /// Lets those through who may see the whole of the office's work.
    ///
    /// # Errors
    /// As for [`Self::reader`], and [`WebError::Forbidden`] for those who see a part of it.
    pub fn office(&self) -> Result<(), WebError> {
        self.reader()?;
        self.unlimited()
    }

    /// Lets people through who have signed in, and tokens of this scope.
    ///
    /// # Errors
    /// [`WebError::SignIn`] for nobody, [`WebError::Forbidden`] for other tokens.
    pub fn may(&self, scope: Scope) -> Result<(), WebError> {
        match self {
            Self::Token { scopes, .. } if scopes.contains(&scope) => Ok(()),
            Self::Token { .. } => Err(WebError::Forbidden(
                "该令牌没有这项权限，请联系管理员另发令牌。",
            )),
            _ => self.reader(),
        }
    }

    /// As whom they enter reports on owners' behalf.
    ///
    /// # Errors
    /// As for [`Self::writer`]; tokens need [`Scope::ReportsWrite`] and no limit on what they see.
    pub fn reporter(&self) -> Result<Actor, WebError> {
        match self {
            Self::Token { name, .. } => {
                self.may(Scope::ReportsWrite)?;
                self.unlimited()?;
                Ok(Actor::Token(name.clone()))
            }
            _ => self.writer(),
        }
    }

    /// # Errors
    /// [`WebError::Forbidden`] for those who see only a part.
    pub fn unlimited(&self) -> Result<(), WebError> {
        match self.sight() {
            Sight::Everything => Ok(()),
            Sight::Leader(_) => Err(WebError::Forbidden(
                "您的账号只能查看所分管的工作，这一页是督查科办理用的。",
            )),
        }
    }

    /// Whether the forms for changing something are shown.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.writer().is_ok()
    }

    /// As whom they look; nobody looks as nobody.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        match self {
            Self::Operator => Some(Actor::Operator),
            Self::User { name, .. } => Some(Actor::User(name.clone())),
            Self::Token { name, .. } => Some(Actor::Token(name.clone())),
            Self::Nobody => None,
        }
    }

    /// What they may see: all, for whoever has no account; what such a caller may do is another
    /// question.
    #[must_use]
    pub fn sight(&self) -> Sight {
        match self {
            Self::User { sight, .. } | Self::Token { sight, .. } => sight.clone(),
            Self::Operator | Self::Nobody => Sight::Everything,
        }
    }

    /// What forms carry.
    #[must_use]
    pub fn csrf(&self) -> &str {
        match self {
            Self::User { csrf, .. } => csrf,
            Self::Operator | Self::Token { .. } | Self::Nobody => "",
        }
    }

    /// Checks what a form brought back.
    ///
    /// # Errors
    /// [`WebError::Forbidden`] where the form is not one of ours.
    pub fn check_csrf(&self, brought: &str) -> Result<(), WebError> {
        let good = match self {
            Self::Operator => true,
            Self::User { csrf, .. } => {
                crate::domain::link::same(csrf.as_bytes(), brought.as_bytes())
            }
            Self::Token { .. } | Self::Nobody => false,
        };
        good.then_some(()).ok_or(WebError::Forbidden(
            "页面已失效，请返回上一页刷新后再试一次。",
        ))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or(Self::Nobody))
    }
}

/// Middleware: finds out who is calling, unless the command socket has said so already. Who has to
/// set their account in order first is sent there.
pub async fn identify(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<Caller>().is_some() {
        return next.run(request).await;
    }
    let path = request.uri().path();
    let known = known(&desk, request.headers());
    if known.unfinished && !is_open_to_the_unfinished(path) {
        return unfinished(path);
    }
    // A page left open asks by itself; that nobody is there it cannot know.
    let by_itself = path == "/events"
        || path.starts_with("/api/")
        || request.headers().contains_key("x-cuiban-live");
    let renewal = known.renewal.filter(|_| !by_itself);
    request.extensions_mut().insert(known.caller);
    let mut response = next.run(request).await;
    if let Some(cookie) = renewal
        && !response.headers().contains_key(SET_COOKIE)
    {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

struct Known {
    caller: Caller,
    /// Whether they have to change their password or set up a second factor before anything else.
    unfinished: bool,
    renewal: Option<HeaderValue>,
}

impl Known {
    fn just(caller: Caller) -> Self {
        Self {
            caller,
            unfinished: false,
            renewal: None,
        }
    }
}

/// Who these headers belong to, as things stand now.
#[must_use]
pub fn recognise(desk: &Desk, headers: &HeaderMap) -> Caller {
    known(desk, headers).caller
}

fn known(desk: &Desk, headers: &HeaderMap) -> Known {
    if headers.contains_key(AUTHORIZATION) {
        return Known::just(bearer::find(desk, headers).unwrap_or(Caller::Nobody));
    }
    if desk.is_demo() {
        return Known::just(Caller::User {
            name: DEMO_USER.into(),
            role: Role::Coordinator,
            sight: Sight::Everything,
            csrf: session::csrf(&desk.link_key, "demo"),
        });
    }
    let Some(found) = session::find(desk, headers) else {
        return Known::just(Caller::Nobody);
    };
    Known {
        unfinished: is_unfinished(desk, &found.user, found.way),
        renewal: found.renewal,
        caller: Caller::User {
            name: found.user.name,
            role: found.user.profile.role,
            sight: found.user.profile.sight,
            csrf: found.csrf,
        },
    }
}

/// Whether a user who came in this way has to set their account in order first.
#[must_use]
pub fn is_unfinished(desk: &Desk, user: &User, way: Way) -> bool {
    let needs_second = desk.second_for.contains(&user.profile.role) && user.second.is_none();
    way == Way::Password && (user.temporary || needs_second)
}

fn is_open_to_the_unfinished(path: &str) -> bool {
    path == "/account" || path.starts_with("/account/") || matches!(path, "/login" | "/logout")
}

fn unfinished(path: &str) -> Response {
    if path.starts_with("/api/") {
        let error = WebError::Forbidden("请先在“我的账号”页面更换密码、设置验证器。");
        return ApiError(error).into_response();
    }
    Redirect::to("/account").into_response()
}

/// The reverse proxies, whose word on where a request came from is believed. `app` lays it over
/// all pages; without it nobody is believed.
#[derive(Debug, Clone)]
pub struct Proxies(pub Arc<[Network]>);

impl Proxies {
    fn hold(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// Where a request came from, for counting: the peer's address, or what a trusted proxy says it
/// is; none over the command socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(pub Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let extensions = &parts.extensions;
        let address = extensions.get::<ConnectInfo<SocketAddr>>();
        let address = address.map(|info| info.0.ip().to_canonical());
        Ok(Self(match (address, extensions.get::<Proxies>()) {
            (Some(address), Some(proxies)) => Some(origin(address, &parts.headers, proxies)),
            (address, _) => address,
        }))
    }
}

/// Each proxy adds at the end of the list whom it heard: it is read from there for as long as the
/// next one is a proxy of ours. What stands before that is hearsay.
fn origin(address: IpAddr, headers: &HeaderMap, proxies: &Proxies) -> IpAddr {
    let lists = headers.get_all("x-forwarded-for");
    let lists: Vec<_> = lists.iter().filter_map(|list| list.to_str().ok()).collect();
    let mut origin = address;
    for heard in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        match heard.trim().parse::<IpAddr>() {
            Ok(heard) if proxies.hold(origin) => origin = heard.to_canonical(),
            _ => break,
        }
    }
    origin
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a request from `address` is thought to come from, with proxies at 127.0.0.1 and in
    /// 10.0.0.0/8.
    fn origin_of(address: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for list in forwarded {
            let list = axum::http::HeaderValue::from_static(list);
            headers.append("x-forwarded-for", list);
        }
        let networks = ["127.0.0.1", "10.0.0.0/8"].map(|text| Network::parse(text).unwrap());
        let proxies = Proxies(networks.into());
        origin(address.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        assert_eq!(origin_of("1.2.3.4", &["9.9.9.9"]), "1.2.3.4");
        assert_eq!(origin_of("127.0.0.1", &["9.9.9.9"]), "9.9.9.9");
        assert_eq!(origin_of("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(origin_of("127.0.0.1", &["unknown"]), "127.0.0.1");
    }

    #[test]
    fn what_stands_before_the_last_stranger_is_hearsay() {
        assert_eq!(origin_of("127.0.0.1", &["6.6.6.6, 9.9.9.9"]), "9.9.9.9");
        assert_eq!(origin_of("127.0.0.1", &["9.9.9.9, 10.0.0.7"]), "9.9.9.9");
        assert_eq!(origin_of("127.0.0.1", &["6.6.6.6", "9.9.9.9"]), "9.9.9.9");
        let through_two = ["6.6.6.6, 9.9.9.9", "10.0.0.7"];
        assert_eq!(origin_of("127.0.0.1", &through_two), "9.9.9.9");
        assert_eq!(origin_of("127.0.0.1", &["10.0.0.9"]), "10.0.0.9");
    }
}
