//! Style sheets and scripts, under names that change with their content, so that each is asked for
//! once.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

use crate::domain::hex::hex;

const PAGE: &str = include_str!("static/page.css");
const BOARD: &str = concat!(
    include_str!("static/page.css"),
    include_str!("static/board.css")
);
const SCRIPT: &str = include_str!("static/owner.js");
const REVIEW: &str = include_str!("static/review.js");
const LIVE: &str = include_str!("static/live.js");

const SCRIPT_TYPE: &str = "text/javascript; charset=utf-8";

/// A file and the name it goes by.
struct Asset {
    path: String,
    text: String,
}

impl Asset {
    fn new(name: &str, ending: &str, text: &str) -> Self {
        let is_comment = |line: &str| line.starts_with("/*") && line.ends_with("*/");
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !is_comment(line));
        let text = lines.collect::<Vec<_>>().join("\n");
        let digest = Sha256::digest(text.as_bytes());
        let mark = hex(digest.iter().take(6));
        let path = format!("/static/{name}-{mark}.{ending}");
        Self { path, text }
    }
}

static PAGE_STYLE: LazyLock<Asset> = LazyLock::new(|| Asset::new("page", "css", PAGE));
static STYLE: LazyLock<Asset> = LazyLock::new(|| Asset::new("cuiban", "css", BOARD));
static OWNER: LazyLock<Asset> = LazyLock::new(|| Asset::new("owner", "js", SCRIPT));
static REVIEW_LIST: LazyLock<Asset> = LazyLock::new(|| Asset::new("review", "js", REVIEW));
static LIVE_PAGE: LazyLock<Asset> = LazyLock::new(|| Asset::new("live", "js", LIVE));

/// Where the style sheet of the office's pages is.
#[must_use]
pub fn style_path() -> &'static str {
    &STYLE.path
}

/// Where the part of it is that an owner's page needs: those are opened on a telephone, somewhere.
#[must_use]
pub fn page_style_path() -> &'static str {
    &PAGE_STYLE.path
}

/// Where the script of the owner's page is, which does without it.
#[must_use]
pub fn script_path() -> &'static str {
    &OWNER.path
}

/// Where the script of the review list is; the list works without it.
#[must_use]
pub fn review_script() -> &'static str {
    &REVIEW_LIST.path
}

/// Where the script is that keeps an open page up to date; pages do without it.
#[must_use]
pub fn live_script() -> &'static str {
    &LIVE_PAGE.path
}

/// Serves them.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let of = |kind: &'static str, asset: &'static Asset| {
        let headers = [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ];
        get(async move || (headers, asset.text.as_str()))
    };
    Router::new()
        .route(style_path(), of("text/css; charset=utf-8", &STYLE))
        .route(
            page_style_path(),
            of("text/css; charset=utf-8", &PAGE_STYLE),
        )
        .route(script_path(), of(SCRIPT_TYPE, &OWNER))
        .route(review_script(), of(SCRIPT_TYPE, &REVIEW_LIST))
        .route(live_script(), of(SCRIPT_TYPE, &LIVE_PAGE))
}
