//! Who is calling, and from where.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::error::WebError;
use super::session;
use crate::config::network::Network;
use crate::desk::Desk;
use crate::domain::fact::Actor;
use crate::domain::user::{Role, Sight};

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
                Err(WebError::Forbidden("只有管理员可以管理账号。"))
            }
            _ => self.writer(),
        }
    }

    /// Lets everyone but nobody through.
    ///
    /// # Errors
    /// [`WebError::SignIn`].
    pub fn reader(&self) -> Result<(), WebError> {
        match self {
            Self::Nobody => Err(WebError::SignIn),
            _ => Ok(()),
        }
    }

    /// Whether the forms for changing something are shown.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.writer().is_ok()
    }

    /// What they may see: all, for whoever has no account; what such a caller may do is another
    /// question.
    #[must_use]
    pub fn sight(&self) -> Sight {
        match self {
            Self::User { sight, .. } => sight.clone(),
            Self::Operator | Self::Nobody => Sight::Everything,
        }
    }

    /// What forms carry.
    #[must_use]
    pub fn csrf(&self) -> &str {
        match self {
            Self::User { csrf, .. } => csrf,
            Self::Operator | Self::Nobody => "",
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
            Self::Nobody => false,
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

/// Middleware: finds out who is calling, unless the command socket has said so already.
pub async fn identify(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<Caller>().is_none() {
        let caller = recognise(&desk, request.headers());
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

fn recognise(desk: &Desk, headers: &HeaderMap) -> Caller {
    if desk.is_demo() {
        return Caller::User {
            name: DEMO_USER.into(),
            role: Role::Coordinator,
            sight: Sight::Everything,
            csrf: session::csrf(&desk.link_key, "demo"),
        };
    }
    session::find(desk, headers).map_or(Caller::Nobody, |(user, csrf)| Caller::User {
        name: user.name,
        role: user.role,
        sight: Sight::Everything,
        csrf,
    })
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
