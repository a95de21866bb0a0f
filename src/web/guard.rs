//! What stands around every page: headers, a time limit, and no posts from other sites.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse as _, Response};

use super::error::WebError;

/// No request takes longer, except where a trial run moves its clock.
const LONGEST: Duration = Duration::from_secs(30);
/// Twenty megabytes from a telephone take their time.
const LONGEST_UPLOAD: Duration = Duration::from_secs(900);
/// Moving a simulated clock over a year takes its time.
const LONGEST_MOVE: Duration = Duration::from_secs(600);

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// For a page with our own script, which speaks to us only.
const POLICY_WITH_SCRIPT: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
    script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Puts the guards around a router, and a page of ours where there is none; the outermost layer.
pub fn guard(router: Router) -> Router {
    router
        .fallback(async || WebError::NotFound)
        .layer(from_fn(around))
}

/// A page that may run our own script; all others run none.
pub fn with_script(html: Html<String>) -> Response {
    ([(CONTENT_SECURITY_POLICY, POLICY_WITH_SCRIPT)], html).into_response()
}

async fn around(request: Request, next: Next) -> Response {
    let moves_clock = matches!(request.uri().path(), "/inbox/advance" | "/api/v1/clock");
    let limit = match moves_clock {
        true => LONGEST_MOVE,
        false if uploads(&request) => LONGEST_UPLOAD,
        false => LONGEST,
    };
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
    default(CONTENT_SECURITY_POLICY, POLICY);
    default(X_FRAME_OPTIONS, "DENY");
    default(X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(REFERRER_POLICY, "no-referrer");
    default(CACHE_CONTROL, "no-store");
    response
}

/// Whether files may come through an owner's link.
fn uploads(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    request.uri().path().starts_with("/r/")
        && kind.is_some_and(|kind| kind.starts_with("multipart/form-data"))
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
