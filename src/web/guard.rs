//! What stands around every page: headers, a time limit, no posts from other sites, and a limit for
//! whoever keeps asking for what is not theirs.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, LOCATION, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};

use super::caller::recognise;
use super::error::{ApiError, WebError};
use super::limit::Throttle;
use super::{Caller, Peer};
use crate::desk::Desk;

/// No request takes longer, except where a trial run moves its clock. What is streamed after the
/// answer has begun has no end of its own.
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

/// For a document that is shown as it came, such as a mail: without script, forms or an origin;
/// what its links open is a page like any other.
pub const POLICY_FOR_MAILS: &str = "default-src 'none'; style-src 'unsafe-inline'; \
    img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
    sandbox allow-popups allow-popups-to-escape-sandbox";

const NOT_FRAMED: &str = "frame-ancestors 'none'";

const PERMISSIONS: &str = "accelerometer=(), camera=(), clipboard-read=(), display-capture=(), \
    geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
    publickey-credentials-get=(), serial=(), usb=()";

/// What takes the server longer than a page.
const COSTLY: [&str; 7] = [
    "/export.xlsx",
    "/bulletin.docx",
    "/urge-slip.docx",
    "/supervision-notice.docx",
    "/grid.png",
    "/items.csv",
    "/deliveries.csv",
];

/// What is opened by a secret in its address, and counts guesses by itself.
const BY_SECRET: [&str; 4] = ["/r/", "/api/v1/reply/", "/calendar/", "/wecom/"];

/// What the guards stand on.
struct Post {
    desk: Arc<Desk>,
    /// Who may put owners' pages into a frame, as CSP says it.
    framed_by: Option<String>,
    /// Answers of "no such page", "sign in first" and the like.
    misses: Throttle<IpAddr>,
    /// Calls of the interface.
    calls: Throttle<IpAddr>,
    /// Exports, by user.
    exports: Throttle<String>,
}

/// Puts the guards around a router, and a page of ours where there is none; the outermost layer.
/// `framed_by` names the origins that may show owners' pages in a frame.
///
/// WeCom opens links inside itself, and its clients put some of them into a frame. Only owners'
/// pages, which need no cookie, are let into one; the board's session would not go along.
pub fn guard(router: Router, desk: Arc<Desk>, framed_by: &[String]) -> Router {
    let framed_by = Some(framed_by.join(" ")).filter(|origins| !origins.is_empty());
    let post = Post {
        desk,
        framed_by: framed_by.map(|origins| format!("frame-ancestors 'self' {origins}")),
        misses: Throttle::new(120, Duration::from_secs(1)),
        calls: Throttle::new(600, Duration::from_millis(50)),
        exports: Throttle::new(20, Duration::from_secs(3)),
    };
    router
        .fallback(async || WebError::NotFound)
        .layer(from_fn_with_state(Arc::new(post), around))
}

/// A page that may run our own script; all others run none.
pub fn with_script(html: Html<String>) -> Response {
    ([(CONTENT_SECURITY_POLICY, POLICY_WITH_SCRIPT)], html).into_response()
}

async fn around(State(post): State<Arc<Post>>, request: Request, next: Next) -> Response {
    let limit = match request.uri().path() {
        "/inbox/advance" | "/api/v1/clock" => LONGEST_MOVE,
        _ if uploads(&request) => LONGEST_UPLOAD,
        _ => LONGEST,
    };
    let (mut parts, body) = request.into_parts();
    let Ok(Peer(peer)) = Peer::from_request_parts(&mut parts, &()).await;
    // This machine's own requests are not counted: a proxy that does not say for whom it asks would
    // count as one visitor.
    let peer = peer.filter(|address| !address.is_loopback());
    let path = parts.uri.path().to_owned();
    let refused = post.refusal(&parts.method, &path, &parts.headers, peer);
    let mut response = match refused {
        Some(refused) => refused,
        None => {
            let request = Request::from_parts(parts, body);
            let answer = tokio::time::timeout(limit, next.run(request)).await;
            answer.unwrap_or_else(|_| WebError::Unavailable.into_response())
        }
    };
    if let Some(peer) = peer
        && is_miss(&response)
    {
        let _ = post.misses.take(&peer, Instant::now());
    }
    post.dress(&path, response.headers_mut());
    response
}

impl Post {
    /// Why a request is not even looked at.
    fn refusal(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Option<Response> {
        if method == Method::POST && is_foreign(headers) {
            let words = "请求来自其他网站，已被拒绝。";
            return Some(WebError::Forbidden(words).into_response());
        }
        let now = Instant::now();
        let too_many = |wait| Some(WebError::TooMany { wait }.into_response());
        if COSTLY.contains(&path)
            && let Caller::User { name, .. } = recognise(&self.desk, headers)
            && let Err(wait) = self.exports.take(&name, now)
        {
            return too_many(wait);
        }
        let peer = peer?;
        if BY_SECRET.iter().any(|secret| path.starts_with(secret)) {
            return None;
        }
        if path.starts_with("/api/")
            && let Err(wait) = self.calls.take(&peer, now)
        {
            return Some(ApiError(WebError::TooMany { wait }).into_response());
        }
        // Whoever is signed in is not shut out by others behind the same address.
        match self.misses.check(&peer, now) {
            Err(wait) if recognise(&self.desk, headers) == Caller::Nobody => too_many(wait),
            _ => None,
        }
    }

    fn dress(&self, path: &str, headers: &mut HeaderMap) {
        let mut default = |name: HeaderName, value: &'static str| {
            if !headers.contains_key(&name) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        };
        default(CONTENT_SECURITY_POLICY, POLICY);
        default(X_FRAME_OPTIONS, "DENY");
        default(X_CONTENT_TYPE_OPTIONS, "nosniff");
        default(REFERRER_POLICY, "no-referrer");
        default(CACHE_CONTROL, "no-store");
        default(HeaderName::from_static("permissions-policy"), PERMISSIONS);
        default(
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        );
        if self.desk.is_https() {
            default(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
            // Browsers know it over TLS only.
            default(
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            );
        }
        if path.starts_with("/r/") {
            self.let_into_frames(headers);
        }
    }

    /// `X-Frame-Options` knows no list of origins, so it goes where the policy has one.
    fn let_into_frames(&self, headers: &mut HeaderMap) {
        let policy = headers.get(CONTENT_SECURITY_POLICY);
        let policy = policy.and_then(|policy| policy.to_str().ok());
        if let (Some(framed_by), Some(policy)) = (&self.framed_by, policy)
            && policy.contains(NOT_FRAMED)
            && let Ok(policy) = HeaderValue::try_from(policy.replace(NOT_FRAMED, framed_by))
        {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
            headers.remove(X_FRAME_OPTIONS);
        }
    }
}

/// Whether somebody asked for what does not exist or is not theirs.
fn is_miss(response: &Response) -> bool {
    match response.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => true,
        StatusCode::SEE_OTHER => response
            .headers()
            .get(LOCATION)
            .is_some_and(|to| to.as_bytes() == b"/login"),
        _ => false,
    }
}

/// Whether files may come with it.
fn uploads(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    let path = request.uri().path();
    (path.starts_with("/r/") || path.starts_with("/settings/") || path == "/import")
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
    use crate::desk::fixture::{desk, desk_with, fetch, send, send_whole};

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

    const OFFICE: &str = "/";
    const OWNER: &str = "/r/token";

    fn behind(desk: Arc<Desk>, framed_by: &[&str]) -> Router {
        let page = || async { Html("<p>好</p>".to_owned()) };
        let scripted = || async { with_script(Html("<p>好</p>".to_owned())) };
        let pages = Router::new()
            .route(OFFICE, axum::routing::get(page))
            .route(OWNER, axum::routing::get(scripted));
        let framed_by: Vec<String> = framed_by.iter().map(|one| (*one).to_owned()).collect();
        guard(pages, desk, &framed_by)
    }

    #[tokio::test]
    async fn owners_pages_may_stand_in_the_frames_of_wecom_and_no_page_in_any_other() {
        let headers = async |app: &Router, path: &str| {
            let (_, headers, _) = send_whole(app, fetch(path)).await;
            let text = |name: &str| {
                let value = headers.get(name).map(|value| value.to_str().unwrap());
                value.unwrap_or_default().to_owned()
            };
            (text("content-security-policy"), text("x-frame-options"))
        };
        let app = behind(desk(), &["https://*.work.weixin.qq.com"]);
        let (policy, old) = headers(&app, "/r/token").await;
        assert!(policy.contains("frame-ancestors 'self' https://*.work.weixin.qq.com"));
        assert!(policy.contains("script-src 'self'") && old.is_empty());
        let (policy, old) = headers(&app, "/").await;
        assert!(policy.contains(NOT_FRAMED) && old == "DENY");
        let (policy, old) = headers(&behind(desk(), &[]), "/r/token").await;
        assert!(policy.contains(NOT_FRAMED) && old == "DENY");
    }

    #[tokio::test]
    async fn browsers_are_held_to_tls_where_there_is_tls() {
        let plain = send_whole(&behind(desk(), &[]), fetch("/")).await.1;
        assert!(!plain.contains_key(STRICT_TRANSPORT_SECURITY));
        let over_tls = desk_with(Default::default(), |desk| {
            desk.public_url = "https://duban.example.gov.cn".into();
        });
        let secure = send_whole(&behind(over_tls, &[]), fetch("/")).await.1;
        assert_eq!(secure[STRICT_TRANSPORT_SECURITY], "max-age=31536000");
        assert_eq!(secure["cross-origin-opener-policy"], "same-origin");
    }

    #[tokio::test]
    async fn who_keeps_missing_waits_and_others_do_not() {
        use std::net::SocketAddr;
        let app = behind(desk(), &[]);
        let from = |address: &str, path: &str| {
            let mut request = fetch(path);
            let peer: SocketAddr = address.parse().unwrap();
            let info = axum::extract::ConnectInfo(peer);
            request.extensions_mut().insert(info);
            request
        };
        let mut tries = 0;
        while send(&app, from("192.0.2.7:4000", "/.env")).await.0 == StatusCode::NOT_FOUND {
            tries += 1;
            assert!(tries < 1000);
        }
        assert!(tries >= 100, "{tries}");
        let (status, headers, _) = send_whole(&app, from("192.0.2.7:4001", "/")).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
        assert!(headers.contains_key("retry-after"));
        let status = async |address, path| send(&app, from(address, path)).await.0;
        assert_eq!(status("192.0.2.7:4002", "/r/token").await, StatusCode::OK);
        assert_eq!(status("192.0.2.8:4000", "/").await, StatusCode::OK);
    }
}
