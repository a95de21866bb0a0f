//! The one style sheet, under a name that changes with its content, so that it is asked for once.

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

/// Where the style sheet is.
#[must_use]
pub fn style_path() -> &'static str {
    &STYLE_PATH
}

/// Serves it.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Router::new().route(style_path(), get(async move || (headers, STYLE)))
}
