//! Style sheet and script, under names that change with their content, so that each is asked for
//! once.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

use crate::domain::hex::hex;

const STYLE: &str = include_str!("static/cuiban.css");
/// For the owner's page: drafts, uploads, last quarter's words. The page does without it.
const SCRIPT: &str = include_str!("static/owner.js");

static STYLE_PATH: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(STYLE.as_bytes());
    format!("/static/cuiban-{}.css", hex(digest.iter().take(6)))
});

static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(SCRIPT.as_bytes());
    format!("/static/owner-{}.js", hex(digest.iter().take(6)))
});

/// Where the script of the owner's page is.
#[must_use]
pub fn script_path() -> &'static str {
    &SCRIPT_PATH
}

/// Where the style sheet is.
#[must_use]
pub fn style_path() -> &'static str {
    &STYLE_PATH
}

/// Serves them.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let headers = |kind| {
        [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ]
    };
    let style = (headers("text/css; charset=utf-8"), STYLE);
    let script = (headers("text/javascript; charset=utf-8"), SCRIPT);
    Router::new()
        .route(style_path(), get(async move || style))
        .route(script_path(), get(async move || script))
}
