//! The one style sheet and the script of the review list, each under a name that changes with its
//! content, so that it is asked for once.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

use crate::domain::hex::hex;

const STYLE: &str = include_str!("static/cuiban.css");

static STYLE_PATH: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(STYLE.as_bytes());
    format!("/static/cuiban-{}.css", hex(digest.iter().take(6)))
});

const REVIEW: &str = include_str!("static/review.js");

static REVIEW_PATH: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(REVIEW.as_bytes());
    format!("/static/review-{}.js", hex(digest.iter().take(6)))
});

/// Where the script of the review list is; the list works without it.
#[must_use]
pub fn review_script() -> &'static str {
    &REVIEW_PATH
}

/// Where the style sheet is.
#[must_use]
pub fn style_path() -> &'static str {
    &STYLE_PATH
}

/// Serves them.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    let script = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Router::new()
        .route(style_path(), get(async move || (headers, STYLE)))
        .route(review_script(), get(async move || (script, REVIEW)))
}
