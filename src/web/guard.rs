//! What stands around every page: headers, a time limit, and no posts from other sites.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};

use super::error::WebError;

/// No request takes longer, except where a trial run moves its clock.
const LONGEST: Duration = Duration::from_secs(30);
/// Moving a simulated clock over a year takes its time.
const LONGEST_MOVE: Duration = Duration::from_secs(600);

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The same for the one page with a script, our own file.
const SCRIPTED: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Puts the guards around a router, and a page of ours where there is none; the outermost layer.
pub fn guard(router: Router) -> Router {
    router
        .fallback(async || WebError::NotFound)
        .layer(from_fn(around))
}

async fn around(request: Request, next: Next) -> Response {
    let moves_clock = matches!(request.uri().path(), "/inbox/advance" | "/api/v1/clock");
    let policy = match request.uri().path() {
        "/review" => SCRIPTED,
        _ => POLICY,
    };
    let limit = if moves_clock { LONGEST_MOVE } else { LONGEST };
    let mut response = if request.method() == Method::POST && is_foreign(request.headers()) {
        WebError::Forbidden("请求来自其他网站，已被拒绝。").into_response()
    } else {
        match tokio::time::timeout(limit, next.run(request)).await {
            Ok(response) => response,
            Err(_) => WebError::Unavailable.into_response(),
        }
    };
    let headers = response.headers_mut();
    let mut default = |name, value| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(CONTENT_SECURITY_POLICY, policy);
    default(X_FRAME_OPTIONS, "DENY");
    default(X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(REFERRER_POLICY, "no-referrer");
    default(CACHE_CONTROL, "no-store");
    response
}

/// Whether a browser says that another site made it send this. Our pages send no referrer, so
/// their own posts have the origin `null`, and newer browsers add where they came from.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    match (text(ORIGIN.as_str()), text(HOST.as_str())) {
        (Some("null") | None, _) => false,
        (Some(origin), Some(host)) => {
            origin.split_once("://").map(|(_, authority)| authority) != Some(host)
        }
        (Some(_), None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_of_other_sites_are_known_by_their_headers() {
        let foreign = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs.iter().map(|(name, value)| {
                let name = axum::http::HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            });
            is_foreign(&headers.collect())
        };
        let host = ("host", "cuiban.example");
        assert!(!foreign(&[host]));
        assert!(!foreign(&[host, ("origin", "null")]));
        assert!(!foreign(&[host, ("origin", "https://cuiban.example")]));
        assert!(!foreign(&[
            ("origin", "null"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(foreign(&[host, ("origin", "https://evil.example")]));
        assert!(foreign(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(foreign(&[
            ("origin", "null"),
            ("sec-fetch-site", "cross-site")
        ]));
    }
}
